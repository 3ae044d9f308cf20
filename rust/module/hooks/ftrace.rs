// SPDX-License-Identifier: GPL-2.0

//! Hooks on the entry of kernel functions, by ftrace.
//!
//! The callback decides whether the function runs, or returns something else instead. It never calls
//! the function itself: its address may lack the landing pad that an indirect call needs.

use super::symbol::Symbol;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::rcu,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque,
};

extern "C" {
    fn pidspace_ftrace_argument_0(fregs: *mut c_void) -> c_ulong;
    fn pidspace_ftrace_argument_1(fregs: *mut c_void) -> c_ulong;
    fn pidspace_ftrace_argument_2(fregs: *mut c_void) -> c_ulong;
    fn pidspace_ftrace_argument_3(fregs: *mut c_void) -> c_ulong;
    fn pidspace_ftrace_return_error(fregs: *mut c_void, error: c_int);
    fn pidspace_ftrace_return_value(fregs: *mut c_void, value: c_ulong);
}

/// How often registering is tried again when another tracer holds a lock that it needs.
const ATTEMPTS: u32 = 100;

/// What becomes of a hooked call.
pub(crate) enum Verdict {
    /// The function runs.
    Run,
    /// The function returns this error, one that `pidspace_ftrace_return_error()` knows.
    Refuse(Error),
    /// The function returns this value; for a function whose first argument is a number.
    Answer(usize),
}

/// Kernel functions of one prototype.
///
/// # Safety
///
/// `arguments()` must read what the functions of these names take, as the views that they are valid
/// for during the call, their callers must cope with the verdicts, and hold RCU if it says so.
pub(crate) unsafe trait Function {
    /// The functions.
    const SYMBOLS: &'static [Symbol];
    /// Whether hooks return anything but [`Verdict::Run`].
    const MAY_REFUSE: bool;
    /// Whether all callers hold RCU.
    const UNDER_RCU: bool = false;
    /// The arguments, as they are seen at the entry.
    type Arguments<'a>;

    /// Reads the arguments; [`None`] when they mean that there is nothing to do.
    fn arguments(call: Call<'_>) -> Option<Self::Arguments<'_>>;
}

/// What a hook does at the entry of its functions.
pub(crate) trait Hook {
    /// The functions.
    type Function: Function;

    /// Decides; a call that it says nothing about runs. Runs in the context of the function, with
    /// preemption on or off.
    fn enter(entry: Entry<'_, Self::Function>);
}

/// A call of a hooked function that is at its entry.
///
/// # Invariants
///
/// The pointer is the one that ftrace gave to the callback that is running.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    fregs: *mut c_void,
    _during: PhantomData<&'a ()>,
}

impl Call<'_> {
    /// Returns argument `N`, counted from 0.
    #[inline]
    pub(crate) fn argument<const N: usize>(self) -> usize {
        let argument = match N {
            0 => pidspace_ftrace_argument_0,
            1 => pidspace_ftrace_argument_1,
            2 => pidspace_ftrace_argument_2,
            3 => pidspace_ftrace_argument_3,
            _ => kernel::build_error!("no hook looks at more arguments"),
        };
        // SAFETY: The pointer is valid by the type invariant.
        unsafe { argument(self.fregs) }
    }

    fn decide(self, verdict: &Verdict) {
        match *verdict {
            Verdict::Run => (),
            // SAFETY: The pointer is valid by the type invariant; `Function` says that the caller
            // of the hooked function takes such an answer, here and below.
            Verdict::Refuse(error) => unsafe {
                pidspace_ftrace_return_error(self.fregs, error.to_errno());
            },
            // SAFETY: As above.
            Verdict::Answer(value) => unsafe { pidspace_ftrace_return_value(self.fregs, value) },
        }
    }
}

/// The entry of a function, whose arguments are read when they are asked for.
pub(crate) struct Entry<'a, F: Function> {
    call: Call<'a>,
    _function: PhantomData<F>,
}

impl<'a, F: Function> Entry<'a, F> {
    /// Returns the arguments; [`None`] when they mean that there is nothing to do.
    #[inline]
    pub(crate) fn arguments(&self) -> Option<F::Arguments<'a>> {
        F::arguments(self.call)
    }

    /// Returns a guard for the RCU that the caller holds, where all callers do.
    #[inline]
    pub(crate) fn guard(&self) -> Option<&'a rcu::Guard> {
        // SAFETY: A guard is of no size, and `Function` promises that RCU is held during the call.
        F::UNDER_RCU.then(|| unsafe { NonNull::dangling().as_ref() })
    }

    /// Decides what becomes of the call.
    pub(crate) fn decide(&self, verdict: &Verdict) {
        if F::MAY_REFUSE {
            self.call.decide(verdict);
        }
    }
}

type Callback = unsafe extern "C" fn(
    ip: c_ulong,
    parent_ip: c_ulong,
    ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
);

/// A hook, and the functions that it can be put on.
pub(crate) struct Family {
    pub(crate) symbols: &'static [Symbol],
    callback: Callback,
    may_refuse: bool,
}

impl Family {
    /// Describes the hook `H`.
    pub(crate) const fn of<H: Hook>() -> Self {
        Self {
            symbols: <H::Function as Function>::SYMBOLS,
            callback: callback::<H>,
            may_refuse: <H::Function as Function>::MAY_REFUSE,
        }
    }

    /// `PERMANENT`, so that the sysctl `kernel.ftrace_enabled` cannot switch the hook off.
    const fn flags(&self) -> c_ulong {
        let modify = if self.may_refuse {
            bindings::FTRACE_OPS_FL_IPMODIFY
        } else {
            0
        };
        (bindings::FTRACE_OPS_FL_PERMANENT | modify) as c_ulong
    }
}

/// # Safety
///
/// Must only be called by ftrace.
unsafe extern "C" fn callback<H: Hook>(
    _ip: c_ulong,
    _parent_ip: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    fregs: *mut bindings::ftrace_regs,
) {
    // INVARIANT: ftrace gave the pointer to this callback.
    let call = Call {
        fregs: fregs.cast(),
        _during: PhantomData,
    };
    H::enter(Entry {
        call,
        _function: PhantomData,
    });
}

/// A hook in force on one function; dropping it takes the hook off and waits until no callback runs
/// any more.
///
/// # Invariants
///
/// `ops` is registered.
#[pin_data(PinnedDrop)]
pub(crate) struct FtraceHook {
    #[pin]
    ops: Opaque<bindings::ftrace_ops>,
    symbol: &'static Symbol,
}

impl FtraceHook {
    /// Puts the hook of `family` in force on `symbol`, which is one of its.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the function is missing or cannot be traced, `EBUSY` when another one changes
    /// it already, such as a live patch; `ENOMEM`.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn register(
        family: &'static Family,
        symbol: &'static Symbol,
    ) -> Result<Pin<KBox<Self>>> {
        let hook = try_pin_init!(Self {
            // INVARIANT: When this succeeds `ops` is registered.
            ops <- Opaque::try_ffi_init(|ops| Self::register_at(ops, family, symbol)),
            symbol,
        }? Error);
        KBox::pin_init(hook, GFP_KERNEL)
    }

    fn register_at(ops: *mut bindings::ftrace_ops, family: &Family, symbol: &Symbol) -> Result {
        let mut blank: bindings::ftrace_ops = pin_init::zeroed();
        blank.func = Some(family.callback);
        blank.flags = family.flags();
        // SAFETY: The caller hands over memory for the value, which stays where it is.
        unsafe { ops.write(blank) };
        // SAFETY: `ops` is initialised and not registered. Both filters are the empty one then.
        unsafe { bindings::ftrace_free_filter(ops) };
        let length = symbol.name.count_bytes() as c_int;
        let name = symbol.name.as_char_ptr().cast_mut();
        // SAFETY: `ops` is initialised; the name is only read, and `length` long.
        to_result(unsafe { bindings::ftrace_set_filter(ops, name, length, 0) })?;
        // SAFETY: `ops` is initialised.
        let hashes = unsafe { &(*ops).local_hash };
        let result = if hashes.filter_hash == hashes.notrace_hash {
            // Memory was short, which the kernel takes for success (`match_records()`): with an
            // empty filter, as that of functions not to trace is, it would hook all functions.
            Err(ENOMEM)
        } else {
            Self::register_patiently(ops)
        };
        result.inspect_err(|_| {
            // SAFETY: `ops` is initialised and not registered.
            unsafe { bindings::ftrace_free_filter(ops) };
        })
    }

    fn register_patiently(ops: *mut bindings::ftrace_ops) -> Result {
        let mut result = Err(EAGAIN);
        for _ in 0..ATTEMPTS {
            // SAFETY: `ops` is initialised, has its filter set, and is not registered.
            result = to_result(unsafe { bindings::register_ftrace_function(ops) });
            if result != Err(EAGAIN) {
                break;
            }
            fsleep(Delta::from_millis(1));
        }
        result
    }
}

#[pinned_drop]
impl PinnedDrop for FtraceHook {
    fn drop(self: Pin<&mut Self>) {
        let ops = self.ops.get();
        // SAFETY: `ops` is registered by the type invariant.
        let result = to_result(unsafe { bindings::unregister_ftrace_function(ops) });
        if result.is_err() {
            never_return(self.symbol.name);
        }
        // SAFETY: `ops` is initialised and not registered any more.
        unsafe { bindings::ftrace_free_filter(ops) };
    }
}

/// Keeps the module's text for ever, as the kernel still calls into it.
fn never_return(symbol: &CStr) -> ! {
    let name = symbol.to_str().unwrap_or("?");
    pr_crit!("the hook on {name} cannot be taken off: unloading waits for a reboot\n");
    loop {
        fsleep(Delta::from_secs(3600));
    }
}

// SAFETY: A registered hook is not tied to a thread.
unsafe impl Send for FtraceHook {}

// SAFETY: Nothing can be done with a shared reference.
unsafe impl Sync for FtraceHook {}
