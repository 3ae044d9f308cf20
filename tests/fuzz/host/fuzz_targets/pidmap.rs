// SPDX-License-Identifier: GPL-2.0

//! The numbers of a space against a set, with the policy of the kernel's `alloc_pid()` spelled out
//! and memory that runs out.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pidspace_logic::{Error, Nr, PidMap, PidMax, Store};
use std::cell::Cell;
use std::collections::BTreeSet;

thread_local! {
    /// How many allocations may still succeed.
    static BUDGET: Cell<u32> = const { Cell::new(0) };
}

struct Heap;

impl Store for Heap {
    type Ptr<T> = Box<T>;

    fn alloc<T>(value: T) -> Result<Box<T>, Error> {
        BUDGET.set(BUDGET.get().checked_sub(1).ok_or(Error::NoMemory)?);
        Ok(Box::new(value))
    }
}

#[derive(Arbitrary, Debug)]
enum Step {
    Alloc(u8),
    AllocExact(u32),
    AllocNear(i8),
    Free(u32),
    FreeOne(u16),
    FreeRange(u16, u8),
    SkipPast(u32),
    SetMax(u32),
    NextUsed(u32),
    Budget(u8),
}

struct Model {
    map: PidMap<Heap>,
    used: BTreeSet<u32>,
    max: u32,
    cursor: u32,
}

/// Where something changes in the map, or in the policy.
const EDGES: [u32; 6] = [
    1,
    PidMax::RESERVED,
    4096,
    131_072,
    262_144,
    PidMax::LIMIT - 8,
];

/// A number made of any one: a low one, one at an edge, or any.
fn nr(value: u32) -> Nr {
    let rest = value >> 2;
    let edge = EDGES[(rest >> 3) as usize % EDGES.len()];
    exactly(match value % 4 {
        0 => rest % 700 + 1,
        1 => (edge + rest % 8).saturating_sub(4),
        _ => rest % (PidMax::LIMIT - 1) + 1,
    })
}

/// The number that is `value`, or the closest that there is.
fn exactly(value: u32) -> Nr {
    Nr::new(value.clamp(1, PidMax::LIMIT - 1)).expect("it is in range")
}

fn bound(value: u32) -> PidMax {
    let least = PidMax::RESERVED + 1;
    let wide = least + (value >> 1) % (PidMax::LIMIT - PidMax::RESERVED);
    let narrow = least + (value >> 1) % 4;
    PidMax::new(if value % 2 == 0 { narrow } else { wide }).expect("it is in range")
}

impl Model {
    fn alloc(&mut self) {
        let start = if self.cursor > PidMax::RESERVED {
            PidMax::RESERVED
        } else {
            1
        };
        let mut candidates = (self.cursor.max(start)..self.max).chain(start..self.max);
        let due = candidates.find(|nr| !self.used.contains(nr));
        match self.map.alloc() {
            Ok(nr) => {
                assert_eq!(Some(nr.get()), due);
                self.used.insert(nr.get());
                self.cursor = nr.get() + 1;
            }
            Err(Error::Exhausted) => assert_eq!(due, None),
            Err(error) => assert_eq!((error, BUDGET.get()), (Error::NoMemory, 0)),
        }
    }

    fn alloc_exact(&mut self, nr: Nr) {
        match self.map.alloc_exact(nr) {
            Ok(()) => assert!(self.used.insert(nr.get())),
            Err(Error::InUse) => assert!(self.used.contains(&nr.get())),
            Err(error) => assert_eq!((error, BUDGET.get()), (Error::NoMemory, 0)),
        }
    }

    fn free(&mut self, nr: Nr) {
        self.map.free(nr);
        self.used.remove(&nr.get());
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Alloc(times) => (0..times).for_each(|_| self.alloc()),
            Step::AllocExact(value) => self.alloc_exact(nr(value)),
            Step::AllocNear(by) => {
                self.alloc_exact(exactly(self.cursor.saturating_add_signed((by / 32).into())))
            }
            Step::Free(value) => self.free(nr(value)),
            Step::FreeOne(which) => {
                if let Some(&value) = self.used.iter().nth(usize::from(which)) {
                    self.free(exactly(value));
                }
            }
            Step::FreeRange(from, count) => {
                let all = self.used.iter().skip(from.into()).take(count.into());
                for value in all.copied().collect::<Vec<_>>() {
                    self.free(exactly(value));
                }
            }
            Step::SkipPast(value) => {
                let nr = nr(value);
                self.map.skip_past(nr);
                if nr.get() >= self.cursor && nr.get() < self.max {
                    self.cursor = nr.get() + 1;
                }
            }
            Step::SetMax(value) => {
                self.map.set_max(bound(value));
                self.max = bound(value).get();
            }
            Step::NextUsed(value) => {
                let from = nr(value);
                let due = self.used.range(from.get()..).next().copied();
                assert_eq!(self.map.next_used(from).map(Nr::get), due);
            }
            Step::Budget(count) => BUDGET.set(count.into()),
        }
    }

    fn check(&self) {
        assert_eq!(
            self.map.last().map_or(0, Nr::get),
            self.cursor.saturating_sub(1)
        );
        let mut at = Some(Nr::FIRST);
        for &value in &self.used {
            let found = at
                .and_then(|from| self.map.next_used(from))
                .expect("it is in use");
            assert_eq!(found.get(), value);
            assert!(self.map.contains(found));
            at = found.next();
        }
        assert_eq!(at.and_then(|from| self.map.next_used(from)), None);
    }
}

fuzz_target!(|input: (u32, Vec<Step>)| {
    let max = bound(input.0);
    BUDGET.set(u32::MAX);
    let mut model = Model {
        map: PidMap::new(max),
        used: BTreeSet::new(),
        max: max.get(),
        cursor: 0,
    };
    for step in input.1.into_iter().take(64) {
        model.step(step);
    }
    model.check();
});
