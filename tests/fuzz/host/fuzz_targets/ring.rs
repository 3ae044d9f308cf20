// SPDX-License-Identifier: GPL-2.0

//! A stream against a queue of everything that was pushed: what is read is that, in order, with the
//! number of what is missing where it is missing.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use pidspace_logic::{Item, Ring};

#[derive(Arbitrary, Debug)]
enum Step {
    Push(u8),
    Read(u8),
    /// A reader that looks, and removes what it saw after so many more came.
    ReadLate(u8),
}

fuzz_target!(|input: (u8, Vec<Step>)| {
    let (room, steps) = input;
    let mut ring = Ring::new(vec![0_u64; usize::from(room) + 1]);
    let (mut pushed, mut read) = (0_u64, 0_u64);
    let push = |ring: &mut Ring<Vec<u64>>, pushed: &mut u64, times: u8| {
        for _ in 0..times {
            ring.push(*pushed);
            *pushed += 1;
        }
    };
    for step in steps {
        let (times, late) = match step {
            Step::Push(times) => {
                push(&mut ring, &mut pushed, times);
                continue;
            }
            Step::Read(times) => (times, 0),
            Step::ReadLate(late) => (1, late),
        };
        for _ in 0..times {
            let item = ring.peek();
            push(&mut ring, &mut pushed, late);
            match item {
                Some(Item::Event(event)) => {
                    assert_eq!(event, read);
                    read += 1;
                }
                Some(Item::Lost(count)) => read += count,
                None => assert_eq!(read + u64::from(late), pushed),
            }
            if let Some(item) = &item {
                ring.remove(item);
            }
        }
        assert!(read <= pushed);
        assert_eq!(ring.is_empty(), read == pushed);
    }
});
