// SPDX-License-Identifier: GPL-2.0

//! A signal that interrupts calls which wait, and does nothing else.

use nix::libc;
use nix::sys::signal::{
    sigaction, signal, SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal,
};

extern "C" fn ignore(_signal: libc::c_int) {}

/// Blocks every signal but this one, and leaves those of a crash to the kernel.
pub(crate) fn prepare() {
    for crash in [
        Signal::SIGABRT,
        Signal::SIGBUS,
        Signal::SIGFPE,
        Signal::SIGILL,
        Signal::SIGSEGV,
    ] {
        // SAFETY: No handler is set.
        unsafe { signal(crash, SigHandler::SigDfl) }.expect("signal");
    }
    let action = SigAction::new(
        SigHandler::Handler(ignore),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: The handler does nothing.
    unsafe { sigaction(Signal::SIGALRM, &action) }.expect("sigaction");
    let mut blocked = SigSet::all();
    blocked.remove(Signal::SIGALRM);
    blocked
        .thread_swap_mask(SigmaskHow::SIG_SETMASK)
        .expect("sigprocmask");
}

/// Lets the signal come every so many milliseconds, or no more.
pub(crate) fn set(milliseconds: libc::suseconds_t) {
    let time = libc::timeval {
        tv_sec: 0,
        tv_usec: milliseconds * 1000,
    };
    let timer = libc::itimerval {
        it_interval: time,
        it_value: time,
    };
    // A fault that is injected ends one call, and an alarm that stays on would meet the next fault.
    // SAFETY: The call reads a structure that lives through it.
    while unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) } != 0 {}
}
