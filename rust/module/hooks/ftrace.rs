// SPDX-License-Identifier: GPL-2.0

//! Hooks on the entry of kernel functions, by ftrace.
//!
//! The callback decides whether the function runs, or returns a constant instead. It never calls
//! the function itself: its address may lack the landing pad that an indirect call needs.

use core::marker::PhantomData;
use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
    types::Opaque,
};

extern "C" {
    fn pidspace_ftrace_argument(fregs: *mut c_void, n: c_uint) -> c_ulong;
    fn pidspace_ftrace_return_eagain(fregs: *mut c_void);
    fn pidspace_ftrace_return_restart(fregs: *mut c_void);
}

/// How often registering is tried again when another tracer holds a lock that it needs.
const ATTEMPTS: u32 = 100;

/// What becomes of a hooked call.
pub(crate) enum Verdict {
    /// The function runs.
    Run,
    /// The function returns `-EAGAIN` to its caller.
    Eagain,
    /// The function returns `-ERESTARTNOINTR`: the system call begins anew once the calling task,
    /// which has a signal pending, has acted on that.
    Restart,
}

/// A kernel function whose arguments are known.
///
/// # Safety
///
/// `arguments()` must read what the function of that name takes, as the views that they are valid
/// for during the call.
pub(crate) unsafe trait Function {
    /// The symbol.
    const SYMBOL: &'static CStr;
    /// Whether the function returns an `int` and its caller copes with the verdicts.
    const MAY_REFUSE: bool;
    /// The arguments, as they are seen at the entry.
    type Arguments<'a>;

    /// Reads the arguments; [`None`] when they mean that there is nothing to do.
    fn arguments<'a>(call: &'a Call) -> Option<Self::Arguments<'a>>;
}

/// What a hook does at the entry of its function.
pub(crate) trait Hook {
    /// The function.
    type Function: Function;

    /// Decides. Runs in the context of the function, with preemption on or off.
    fn enter(arguments: <Self::Function as Function>::Arguments<'_>) -> Verdict;
}

/// A call of a hooked function that is at its entry.
///
/// # Invariants
///
/// The pointer is the one that ftrace gave to the callback that is running.
pub(crate) struct Call(*mut c_void);

impl Call {
    /// Returns argument `n`, counted from 0.
    pub(crate) fn argument(&self, n: c_uint) -> usize {
        // SAFETY: The pointer is valid by the type invariant.
        unsafe { pidspace_ftrace_argument(self.0, n) }
    }

    fn decide(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Run => (),
            // SAFETY: The pointer is valid by the type invariant; `Function::MAY_REFUSE` says that
            // the caller of the hooked function takes such an answer, here and below.
            Verdict::Eagain => unsafe { pidspace_ftrace_return_eagain(self.0) },
            // SAFETY: As above.
            Verdict::Restart => unsafe { pidspace_ftrace_return_restart(self.0) },
        }
    }
}

/// A hook in force; dropping it takes the hook off and waits until no callback runs any more.
///
/// # Invariants
///
/// `ops` is registered.
#[pin_data(PinnedDrop)]
pub(crate) struct FtraceHook<H: Hook> {
    #[pin]
    ops: Opaque<bindings::ftrace_ops>,
    _hook: PhantomData<H>,
}

impl<H: Hook> FtraceHook<H> {
    /// Puts the hook in force.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the function is missing or cannot be traced, `EBUSY` when another one changes
    /// it already, such as a live patch.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn register() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            // INVARIANT: When this succeeds `ops` is registered.
            ops <- Opaque::try_ffi_init(Self::register_at),
            _hook: PhantomData,
        }? Error)
    }

    fn register_at(ops: *mut bindings::ftrace_ops) -> Result {
        let mut blank: bindings::ftrace_ops = pin_init::zeroed();
        blank.func = Some(Self::callback);
        blank.flags = Self::flags();
        // SAFETY: The caller hands over memory for the value, which stays where it is.
        unsafe { ops.write(blank) };
        let symbol = <H::Function as Function>::SYMBOL;
        let length = symbol.count_bytes() as c_int;
        let name = symbol.as_char_ptr().cast_mut();
        // SAFETY: `ops` is initialised; the name is only read, and `length` long.
        to_result(unsafe { bindings::ftrace_set_filter(ops, name, length, 0) })?;
        Self::register_patiently(ops).inspect_err(|_| {
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

    /// `PERMANENT`, so that the sysctl `kernel.ftrace_enabled` cannot switch the hook off.
    const fn flags() -> c_ulong {
        let modify = if <H::Function as Function>::MAY_REFUSE {
            bindings::FTRACE_OPS_FL_IPMODIFY
        } else {
            0
        };
        (bindings::FTRACE_OPS_FL_PERMANENT | modify) as c_ulong
    }

    /// # Safety
    ///
    /// Must only be called by ftrace.
    unsafe extern "C" fn callback(
        _ip: c_ulong,
        _parent_ip: c_ulong,
        _ops: *mut bindings::ftrace_ops,
        fregs: *mut bindings::ftrace_regs,
    ) {
        // INVARIANT: ftrace gave the pointer to this callback.
        let call = Call(fregs.cast());
        let Some(arguments) = <H::Function as Function>::arguments(&call) else {
            return;
        };
        let verdict = H::enter(arguments);
        if H::Function::MAY_REFUSE {
            call.decide(&verdict);
        }
    }
}

#[pinned_drop]
impl<H: Hook> PinnedDrop for FtraceHook<H> {
    fn drop(self: Pin<&mut Self>) {
        let ops = self.ops.get();
        // SAFETY: `ops` is registered by the type invariant.
        let result = to_result(unsafe { bindings::unregister_ftrace_function(ops) });
        if result.is_err() {
            never_return(<H::Function as Function>::SYMBOL);
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
unsafe impl<H: Hook> Send for FtraceHook<H> {}

// SAFETY: Nothing can be done with a shared reference.
unsafe impl<H: Hook> Sync for FtraceHook<H> {}
