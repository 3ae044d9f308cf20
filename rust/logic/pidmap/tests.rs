// SPDX-License-Identifier: GPL-2.0

//! What host and kernel test alike, and what would take a kernel too long.

#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_pidmap))]
mod unit {
    use super::super::*;
    use core::{
        iter::successors,
        sync::atomic::{AtomicUsize, Ordering::Relaxed},
    };

    #[cfg(kernel)]
    type Memory<T> = kernel::alloc::KBox<T>;
    #[cfg(not(kernel))]
    type Memory<T> = std::boxed::Box<T>;

    #[cfg(kernel)]
    fn lend<T>(value: T) -> Result<Memory<T>, Error> {
        Memory::new(value, kernel::alloc::flags::GFP_KERNEL).map_err(|_| Error::NoMemory)
    }

    #[cfg(not(kernel))]
    fn lend<T>(value: T) -> Result<Memory<T>, Error> {
        Ok(Memory::new(value))
    }

    pub(super) struct Heap;

    impl Store for Heap {
        type Ptr<T> = Memory<T>;

        fn alloc<T>(value: T) -> Result<Memory<T>, Error> {
            lend(value)
        }
    }

    /// How often [`Scarce`] lends memory yet. One test alone uses it.
    static BUDGET: AtomicUsize = AtomicUsize::new(0);

    struct Scarce;

    impl Store for Scarce {
        type Ptr<T> = Memory<T>;

        fn alloc<T>(value: T) -> Result<Memory<T>, Error> {
            let left = BUDGET.load(Relaxed).checked_sub(1);
            BUDGET.store(left.ok_or(Error::NoMemory)?, Relaxed);
            lend(value)
        }
    }

    pub(super) type Map = PidMap<Heap>;

    pub(super) fn map(max: u32) -> Map {
        Map::new(PidMax::new(max).unwrap())
    }

    pub(super) fn nr(value: u32) -> Nr {
        Nr::new(value).unwrap()
    }

    pub(super) fn used<S: Store>(map: &PidMap<S>) -> impl Iterator<Item = u32> + '_ {
        successors(map.next_used(Nr::FIRST), |nr| map.next_used(nr.next()?)).map(|nr| nr.get())
    }

    pub(super) fn nodes(map: &Map) -> (usize, usize) {
        let mids = map.mids.iter().flatten();
        (
            mids.clone().count(),
            mids.map(|mid| mid.chunks.iter().flatten().count()).sum(),
        )
    }

    #[test]
    fn nodes_fill_a_slab_object_and_an_empty_map_is_small() {
        assert_eq!(size_of::<Chunk>(), 512);
        assert_eq!(size_of::<Mid<Heap>>(), 512);
        assert!(size_of::<Map>() <= 512);
        assert_eq!(nodes(&map(PidMax::LIMIT)), (0, 0));
    }

    #[test]
    fn pid_max_is_checked_against_the_limits_of_the_kernel() {
        assert_eq!(PidMax::new(300), Err(Error::OutOfRange));
        assert!(PidMax::new(301).is_ok());
        assert!(PidMax::new(PidMax::LIMIT).is_ok());
        assert_eq!(PidMax::new(PidMax::LIMIT + 1), Err(Error::OutOfRange));
    }

    #[test]
    fn numbers_start_at_one_and_go_up_even_when_lower_ones_are_free() {
        let mut map = map(1000);
        assert_eq!(map.last(), None);
        assert_eq!(map.alloc(), Ok(nr(1)));
        assert_eq!(map.alloc(), Ok(nr(2)));
        map.free(nr(1));
        assert_eq!(map.alloc(), Ok(nr(3)));
        assert_eq!(map.last(), Some(nr(3)));
    }

    #[test]
    fn a_full_range_is_exhausted_until_a_number_at_or_above_the_reserved_ones_is_freed() {
        let mut map = map(301);
        for expected in 1..=300 {
            assert_eq!(map.alloc(), Ok(nr(expected)));
        }
        assert_eq!(map.alloc(), Err(Error::Exhausted));
        map.free(nr(7));
        assert_eq!(map.alloc(), Err(Error::Exhausted));
        map.free(nr(300));
        assert_eq!(map.alloc(), Ok(nr(300)));
    }

    #[test]
    fn allocation_wraps_to_the_reserved_numbers() {
        let mut map = map(310);
        for _ in 1..310 {
            map.alloc().unwrap();
        }
        for value in [5, 299, 302, 308] {
            map.free(nr(value));
        }
        assert_eq!(map.alloc(), Ok(nr(302)));
        assert_eq!(map.alloc(), Ok(nr(308)));
        assert_eq!(map.alloc(), Err(Error::Exhausted));
    }

    #[test]
    fn allocation_wraps_to_one_until_the_first_reserved_number_is_handed_out() {
        let mut map = map(301);
        for _ in 1..300 {
            map.alloc().unwrap();
        }
        map.alloc_exact(nr(300)).unwrap();
        map.free(nr(5));
        assert_eq!(map.alloc(), Ok(nr(5)));
    }

    #[test]
    fn exact_numbers_may_lie_above_the_bound_and_do_not_move_the_cursor() {
        let mut map = map(301);
        assert_eq!(map.alloc_exact(nr(4_194_303)), Ok(()));
        assert_eq!(map.alloc_exact(nr(4_194_303)), Err(Error::InUse));
        assert_eq!(map.alloc_exact(nr(2)), Ok(()));
        assert_eq!(map.alloc(), Ok(nr(1)));
        assert_eq!(map.alloc(), Ok(nr(3)));
        assert!(used(&map).eq([1, 2, 3, 4_194_303]));
    }

    #[test]
    fn allocation_goes_on_behind_a_number_that_was_skipped_past() {
        let mut map = map(400);
        assert_eq!(map.alloc(), Ok(nr(1)));
        map.skip_past(nr(350));
        assert_eq!(map.last(), Some(nr(350)));
        assert_eq!(map.alloc(), Ok(nr(351)));
        map.skip_past(nr(20));
        assert_eq!(map.alloc(), Ok(nr(352)));
        map.skip_past(nr(400));
        assert_eq!(map.alloc(), Ok(nr(353)));
    }

    #[test]
    fn a_changed_bound_holds_for_what_comes() {
        let mut map = map(1000);
        map.skip_past(nr(500));
        assert_eq!(map.alloc(), Ok(nr(501)));
        map.set_max(PidMax::new(400).unwrap());
        assert_eq!(map.max().get(), 400);
        assert!(map.contains(nr(501)));
        assert_eq!(map.alloc(), Ok(nr(300)));
        map.set_max(PidMax::new(1000).unwrap());
        map.skip_past(nr(500));
        assert_eq!(map.alloc(), Ok(nr(502)));
    }

    #[test]
    fn empty_nodes_are_given_back_but_for_the_one_in_work() {
        let mut map = map(PidMax::LIMIT);
        map.alloc_exact(nr(3_000_000)).unwrap();
        let first = map.alloc().unwrap();
        assert_eq!(nodes(&map), (2, 2));
        map.free(nr(3_000_000));
        assert_eq!(nodes(&map), (1, 1));
        map.free(first);
        assert_eq!(nodes(&map), (1, 1));
    }

    #[test]
    fn running_out_of_memory_changes_nothing() {
        for budget in 0..2 {
            let mut map = PidMap::<Scarce>::new(PidMax::DEFAULT);
            BUDGET.store(budget, Relaxed);
            assert_eq!(map.alloc(), Err(Error::NoMemory));
            assert_eq!(map.last(), None);
            assert_eq!(used(&map).next(), None);
            BUDGET.store(usize::MAX, Relaxed);
            assert_eq!(map.alloc(), Ok(nr(1)));
        }
    }
}

#[cfg(not(any(kernel, miri)))]
mod long {
    use super::{super::*, unit::*};
    use proptest::prelude::*;
    use std::{collections::BTreeSet, vec::Vec};

    #[test]
    fn a_whole_range_can_be_filled_and_its_holes_are_found() {
        let mut map = map(PidMax::LIMIT);
        for expected in 1..PidMax::LIMIT {
            assert_eq!(map.alloc(), Ok(nr(expected)));
        }
        assert_eq!(map.alloc(), Err(Error::Exhausted));
        for hole in [4_194_303, 300, 131_072, 262_143, 4096] {
            map.free(nr(hole));
            assert_eq!(map.alloc(), Ok(nr(hole)));
        }
    }

    /// The policy of `alloc_pid()`, spelled out over a set.
    struct Model {
        used: BTreeSet<u32>,
        max: u32,
        cursor: u32,
    }

    impl Model {
        fn alloc(&mut self) -> Result<Nr, Error> {
            let start = if self.cursor > 300 { 300 } else { 1 };
            let free = (self.cursor.max(start)..self.max)
                .chain(start..self.max)
                .find(|nr| !self.used.contains(nr))
                .ok_or(Error::Exhausted)?;
            self.used.insert(free);
            self.cursor = free + 1;
            Ok(nr(free))
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Alloc(u8),
        AllocExact(u32),
        FreeOne(prop::sample::Index),
        FreeUnused(u32),
        FreeLower(prop::sample::Index),
    }

    fn any_nr() -> impl Strategy<Value = u32> {
        prop_oneof![
            1..700_u32,
            4090..4100_u32,
            131_070..131_075_u32,
            1..PidMax::LIMIT
        ]
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => any::<u8>().prop_map(Step::Alloc),
            2 => any_nr().prop_map(Step::AllocExact),
            3 => any::<prop::sample::Index>().prop_map(Step::FreeOne),
            1 => any_nr().prop_map(Step::FreeUnused),
            1 => any::<prop::sample::Index>().prop_map(Step::FreeLower),
        ]
    }

    fn check_step(map: &mut Map, model: &mut Model, step: Step) {
        match step {
            Step::Alloc(times) => {
                for _ in 0..times {
                    assert_eq!(map.alloc(), model.alloc());
                }
            }
            Step::AllocExact(value) => {
                let fresh = model.used.insert(value);
                assert_eq!(map.alloc_exact(nr(value)).is_ok(), fresh);
            }
            Step::FreeOne(index) => {
                if let Some(&value) = model.used.iter().nth(index.index(model.used.len().max(1))) {
                    map.free(nr(value));
                    model.used.remove(&value);
                }
            }
            Step::FreeUnused(value) => {
                if !model.used.contains(&value) {
                    map.free(nr(value));
                }
            }
            Step::FreeLower(index) => {
                let keep = index.index(model.used.len().max(1));
                for value in model.used.iter().copied().take(keep).collect::<Vec<_>>() {
                    map.free(nr(value));
                    model.used.remove(&value);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn behaves_like_a_set(
            max in prop_oneof![301..700_u32, Just(4097), Just(131_080), Just(PidMax::LIMIT)],
            start in prop_oneof![Just(0), 1..PidMax::LIMIT],
            steps in prop::collection::vec(any_step(), 1..24),
        ) {
            let mut map = map(max);
            let mut model = Model { used: BTreeSet::new(), max, cursor: start.min(max) };
            map.cursor = model.cursor;
            for step in steps {
                check_step(&mut map, &mut model, step);
                prop_assert_eq!(map.cursor, model.cursor);
            }
            prop_assert!(used(&map).eq(model.used.iter().copied()));
            for value in model.used {
                prop_assert!(map.contains(nr(value)));
                map.free(nr(value));
            }
            prop_assert_eq!(used(&map).next(), None);
            prop_assert!(nodes(&map).1 <= 1);
        }
    }
}
