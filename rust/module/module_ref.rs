// SPDX-License-Identifier: GPL-2.0

//! References on this module.

use kernel::{
    bindings,
    module::this_module, //
};

/// A reference on this module: while it exists, the module is not unloaded.
pub(crate) struct ModuleRef(());

impl ModuleRef {
    /// Takes a reference.
    ///
    /// # Context
    ///
    /// Any context in which something else keeps the module: an open handle's call does.
    pub(crate) fn get() -> Self {
        // SAFETY: The module is loaded, as its code runs, and is kept by the caller's handle.
        unsafe { bindings::__module_get(this_module::<crate::Pidspace>().as_ptr()) };
        Self(())
    }
}

impl Drop for ModuleRef {
    fn drop(&mut self) {
        // SAFETY: `get()` took the reference. Where the caller is a hook, unloading waits for the
        // hook to return before the text goes.
        unsafe { bindings::module_put(this_module::<crate::Pidspace>().as_ptr()) };
    }
}
