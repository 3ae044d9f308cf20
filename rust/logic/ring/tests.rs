// SPDX-License-Identifier: GPL-2.0

//! What host and kernel test alike, and what only the host does.

#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_ring))]
mod unit {
    use super::super::{Item, Ring};
    use core::ops::DerefMut;

    pub(super) fn take<T: Copy, B: DerefMut<Target = [T]>>(ring: &mut Ring<B>) -> Option<Item<T>> {
        let item = ring.peek();
        if let Some(item) = &item {
            ring.remove(item);
        }
        item
    }

    #[test]
    fn events_come_out_in_order() {
        let mut slots = [0; 3];
        let mut ring = Ring::new(slots.as_mut_slice());
        assert!(ring.is_empty());
        for round in 0..5 {
            ring.push(round);
            ring.push(round + 100);
            assert!(!ring.is_empty());
            assert_eq!(take(&mut ring), Some(Item::Event(round)));
            assert_eq!(take(&mut ring), Some(Item::Event(round + 100)));
            assert_eq!(take(&mut ring), None);
            assert!(ring.is_empty());
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_where_it_is_missing() {
        let mut slots = [0; 2];
        let mut ring = Ring::new(slots.as_mut_slice());
        for event in 1..=5 {
            ring.push(event);
        }
        assert_eq!(take(&mut ring), Some(Item::Event(1)));
        // There is room, but the loss comes first.
        ring.push(6);
        assert_eq!(take(&mut ring), Some(Item::Event(2)));
        assert!(!ring.is_empty());
        assert_eq!(take(&mut ring), Some(Item::Lost(4)));
        ring.push(7);
        assert_eq!(take(&mut ring), Some(Item::Event(7)));
        assert_eq!(take(&mut ring), None);
    }

    #[test]
    fn what_is_lost_while_a_loss_is_read_is_told_next() {
        let mut slots = [0; 1];
        let mut ring = Ring::new(slots.as_mut_slice());
        ring.push(1);
        ring.push(2);
        assert_eq!(take(&mut ring), Some(Item::Event(1)));
        let loss = ring.peek().unwrap();
        ring.push(3);
        ring.remove(&loss);
        assert_eq!(take(&mut ring), Some(Item::Lost(1)));
        assert_eq!(take(&mut ring), None);
    }

    #[test]
    fn peeking_removes_nothing() {
        let mut slots = [0; 1];
        let mut ring = Ring::new(slots.as_mut_slice());
        ring.push(1);
        assert_eq!(ring.peek(), ring.peek());
        assert_eq!(take(&mut ring), Some(Item::Event(1)));
    }
}

#[cfg(not(kernel))]
mod random {
    use super::{
        super::{Item, Ring},
        unit::take,
    };
    use proptest::prelude::*;
    use std::{collections::VecDeque, vec};

    proptest! {
        /// Whatever the order of writing and reading, every event is read or counted, in order.
        #[test]
        fn nothing_gets_lost_silently(size in 1_usize..9, steps in prop::collection::vec(any::<bool>(), 0..200)) {
            let mut ring = Ring::new(vec![0_u64; size]);
            let mut written = 0;
            let mut read = VecDeque::new();
            for step in steps {
                if step {
                    ring.push(written);
                    written += 1;
                } else if let Some(item) = take(&mut ring) {
                    read.push_back(item);
                }
            }
            while let Some(item) = take(&mut ring) {
                read.push_back(item);
            }
            let mut next = 0;
            for item in read {
                match item {
                    Item::Event(event) => {
                        prop_assert_eq!(event, next);
                        next += 1;
                    }
                    Item::Lost(count) => next += count,
                }
            }
            prop_assert_eq!(next, written);
        }
    }
}
