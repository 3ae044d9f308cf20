// SPDX-License-Identifier: GPL-2.0

//! The map of a space's numbers, for a C program.

use pidspace_logic::{Error, Nr, PidMap, PidMax, Store};

/// Lends memory of the heap.
pub struct Heap;

impl Store for Heap {
    type Ptr<T> = Box<T>;

    fn alloc<T>(value: T) -> Result<Box<T>, Error> {
        Ok(Box::new(value))
    }
}

/// `struct pidmap`.
pub type Map = PidMap<Heap>;

/// Makes a map of the numbers below `max`.
#[no_mangle]
pub extern "C" fn pidmap_new(max: u32) -> Option<Box<Map>> {
    Some(Box::new(Map::new(PidMax::new(max).ok()?)))
}

/// Takes a map back.
#[no_mangle]
pub extern "C" fn pidmap_drop(map: Option<Box<Map>>) {
    drop(map);
}

/// Hands out the next number, or 0.
#[no_mangle]
pub extern "C" fn pidmap_alloc(map: &mut Map) -> u32 {
    map.alloc().map_or(0, Nr::get)
}

/// Takes a number back.
#[no_mangle]
pub extern "C" fn pidmap_free(map: &mut Map, nr: u32) {
    if let Some(nr) = Nr::new(nr) {
        map.free(nr);
    }
}
