// SPDX-License-Identifier: GPL-2.0

//! Single machine words as sets of small integers.

/// A word of bits, lowest bit first.
pub(super) trait Word: Copy + Eq {
    /// No bit set.
    const EMPTY: Self;
    /// Every bit set.
    const FULL: Self;

    /// Returns the lowest zero bit at or after `from`.
    fn next_zero(self, from: u32) -> Option<u32>;

    /// Returns the lowest set bit at or after `from`.
    fn next_one(self, from: u32) -> Option<u32>;

    /// Returns whether `bit` is set. Bits out of range count as clear.
    fn has(self, bit: u32) -> bool;

    /// Returns the word with `bit` set. Bits out of range change nothing.
    fn with(self, bit: u32) -> Self;

    /// Returns the word with `bit` clear. Bits out of range change nothing.
    fn without(self, bit: u32) -> Self;
}

macro_rules! impl_word {
    ($ty:ty) => {
        impl Word for $ty {
            const EMPTY: Self = 0;
            const FULL: Self = <$ty>::MAX;

            fn next_zero(self, from: u32) -> Option<u32> {
                (!self).next_one(from)
            }

            fn next_one(self, from: u32) -> Option<u32> {
                let rest = self & Self::FULL.checked_shl(from)?;
                (rest != 0).then(|| rest.trailing_zeros())
            }

            fn has(self, bit: u32) -> bool {
                self & (1 as Self).checked_shl(bit).unwrap_or(0) != 0
            }

            fn with(self, bit: u32) -> Self {
                self | (1 as Self).checked_shl(bit).unwrap_or(0)
            }

            fn without(self, bit: u32) -> Self {
                self & !(1 as Self).checked_shl(bit).unwrap_or(0)
            }
        }
    };
}

impl_word!(u32);
impl_word!(u64);

#[cfg(any(test, kernel))]
#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_bitmap))]
mod tests {
    use super::Word;

    #[test]
    fn next_zero_starts_where_it_is_told() {
        assert_eq!(0b0110_u64.next_zero(0), Some(0));
        assert_eq!(0b0110_u64.next_zero(1), Some(3));
        assert_eq!(u64::FULL.next_zero(0), None);
        assert_eq!((u64::FULL >> 1).next_zero(5), Some(63));
    }

    #[test]
    fn positions_past_the_end_are_no_bits() {
        assert_eq!(0_u32.next_zero(32), None);
        assert_eq!(u32::FULL.next_one(32), None);
        assert_eq!(0_u32.with(32), 0);
        assert_eq!(u32::FULL.without(32), u32::FULL);
        assert!(!u32::FULL.has(32));
    }

    #[test]
    fn with_and_without_undo_each_other() {
        for bit in 0..64 {
            assert!(0_u64.with(bit).has(bit));
            assert_eq!(0_u64.with(bit).without(bit), 0);
            assert_eq!(0_u64.with(bit).next_one(0), Some(bit));
        }
    }
}
