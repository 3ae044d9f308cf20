// SPDX-License-Identifier: GPL-2.0

//! CPU time in user mode and in the kernel.

/// The CPU time of a process, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In user mode.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
}

impl CpuTime {
    /// Divides the exact `runtime` in the proportion of two samples, which clock ticks took.
    ///
    /// Mirrors what getrusage(2) reports: a process too short to meet a tick has run nevertheless.
    pub fn divide(runtime: u64, sampled: Self) -> Self {
        // With samples of 31 bits the products below fit into 64.
        let bits = u64::BITS - (sampled.user | sampled.system).leading_zeros();
        let shift = bits.saturating_sub(31);
        let part = sampled.system >> shift;
        let total = part + (sampled.user >> shift);
        let whole = runtime.checked_div(total).unwrap_or(0);
        let rest = runtime.checked_rem(total).unwrap_or(0);
        let remainder = (rest * part).checked_div(total).unwrap_or(0);
        let system = whole.saturating_mul(part).saturating_add(remainder);
        Self {
            user: runtime.saturating_sub(system),
            system,
        }
    }
}

#[cfg(any(test, kernel))]
#[cfg_attr(kernel, kernel::prelude::kunit_tests(pidspace_cputime))]
mod tests {
    use super::CpuTime;

    fn divided(runtime: u64, user: u64, system: u64) -> (u64, u64) {
        let time = CpuTime::divide(runtime, CpuTime { user, system });
        (time.user, time.system)
    }

    #[test]
    fn runtime_is_divided_as_sampled() {
        assert_eq!(divided(1000, 0, 0), (1000, 0));
        assert_eq!(divided(1000, 4, 0), (1000, 0));
        assert_eq!(divided(1000, 0, 4), (0, 1000));
        assert_eq!(divided(1000, 3, 1), (750, 250));
        assert_eq!(divided(0, 3, 1), (0, 0));
        assert_eq!(divided(u64::MAX, u64::MAX, 0), (u64::MAX, 0));
        assert_eq!(divided(u64::MAX, 0, u64::MAX), (0, u64::MAX));
    }
}
