// SPDX-License-Identifier: GPL-2.0

#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_lifecycle))]
mod unit {
    use super::super::*;

    fn unnamed() -> Lifecycle {
        Lifecycle::new(false)
    }

    fn with_number(named: bool) -> Lifecycle {
        let mut life = Lifecycle::new(named);
        life.add_number().unwrap();
        life
    }

    #[test]
    fn an_unnamed_space_goes_with_the_last_that_keeps_it() {
        let mut life = with_number(false);
        life.add_spawner().unwrap();
        assert_eq!(life.remove_handle(), Fate::Keep);
        assert_eq!(life.remove_number(), Fate::Keep);
        assert_eq!(life.remove_spawner(), Fate::Bury);
        assert_eq!(life.state(), State::Dead);
    }

    #[test]
    fn a_named_space_stays_until_it_is_destroyed() {
        let mut life = with_number(true);
        assert_eq!(life.remove_handle(), Fate::Keep);
        assert_eq!(life.remove_number(), Fate::Keep);
        assert_eq!(life.destroy(), Ok(Fate::Bury));
        assert_eq!(life.destroy(), Err(Error::Dead));
    }

    #[test]
    fn a_space_with_numbers_is_busy() {
        let mut life = with_number(true);
        assert_eq!(life.destroy(), Err(Error::Busy));
        assert_eq!(life.state(), State::Live);
    }

    #[test]
    fn a_dying_space_takes_nobody_in_and_ends_with_its_last_number() {
        let mut life = with_number(true);
        assert_eq!(life.destroy_with_members(), Ok(Fate::Keep));
        assert_eq!(life.add_number(), Err(Error::Dying));
        life.add_handle().unwrap();
        assert_eq!(life.remove_number(), Fate::Bury);
        assert_eq!(life.add_handle(), Err(Error::Dead));
        assert_eq!(life.add_spawner(), Err(Error::Dead));
    }

    #[test]
    fn an_empty_space_dies_at_once() {
        assert_eq!(unnamed().destroy_with_members(), Ok(Fate::Bury));
    }

    #[test]
    fn the_dead_are_buried_once() {
        let mut life = unnamed();
        life.add_spawner().unwrap();
        assert_eq!(life.destroy(), Ok(Fate::Bury));
        assert_eq!(life.remove_handle(), Fate::Keep);
        assert_eq!(life.remove_spawner(), Fate::Keep);
    }

    #[test]
    fn a_cancelled_destroy_leaves_a_live_space() {
        let mut life = with_number(true);
        assert_eq!(life.destroy_with_members(), Ok(Fate::Keep));
        life.cancel_destroy();
        assert_eq!(life.add_number(), Ok(()));
        assert_eq!(life.numbers(), 2);
    }

    #[test]
    fn the_dead_cannot_be_cancelled_back_to_life() {
        let mut life = unnamed();
        assert_eq!(life.destroy_with_members(), Ok(Fate::Bury));
        life.cancel_destroy();
        assert_eq!(life.state(), State::Dead);
    }

    #[test]
    fn forks_fail_while_the_space_is_killed() {
        let mut life = with_number(false);
        life.begin_kill();
        assert_eq!(life.add_number(), Err(Error::Dying));
        life.end_kill();
        assert_eq!(life.add_number(), Ok(()));
    }

    #[test]
    fn the_condemned_cannot_be_cancelled_back_to_life() {
        let mut life = with_number(true);
        assert_eq!(life.condemn(), Ok(Fate::Keep));
        life.cancel_destroy();
        assert_eq!(life.state(), State::Dying);
        assert_eq!(life.add_number(), Err(Error::Dying));
        assert_eq!(life.remove_number(), Fate::Bury);
        assert_eq!(life.condemn(), Err(Error::Dead));
    }

    #[test]
    fn a_limit_holds_for_what_comes() {
        let mut life = with_number(false);
        life.add_number().unwrap();
        life.set_limit(NonZeroU32::new(1));
        assert_eq!(life.numbers(), 2);
        assert_eq!(life.add_number(), Err(Error::Exhausted));
        let _ = life.remove_number();
        assert_eq!(life.add_number(), Err(Error::Exhausted));
        let _ = life.remove_number();
        assert_eq!(life.add_number(), Ok(()));
        assert_eq!(life.add_number(), Err(Error::Exhausted));
        assert_eq!(life.add_number_beyond_limit(), Ok(()));
        assert_eq!(life.numbers(), 2);
        life.set_limit(None);
        assert_eq!(life.limit(), None);
        assert_eq!(life.add_number(), Ok(()));
    }
}
