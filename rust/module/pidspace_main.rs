// SPDX-License-Identifier: GPL-2.0

//! pidspace: flat, per-container pid spaces.
//!
//! This file is the only one that knows both the device and the hooks.

mod adopt;
mod binding;
mod confine;
mod cred;
mod device;
mod error;
mod hooks;
mod kill;
mod local;
#[path = "../logic/lib.rs"]
mod logic;
mod lookup;
mod membership;
mod memory;
mod module_ref;
mod name;
mod process;
mod registry;
mod space;
mod stream;
mod table;
mod task;
#[path = "../uapi/lib.rs"]
mod uapi;

use kernel::prelude::*;

module! {
    type: Pidspace,
    name: "pidspace",
    authors: ["pidspace developers"],
    description: "Flat, per-container pid spaces",
    license: "GPL",
    params: {
        max_user_spaces: u32 {
            default: 1024,
            description: "How many spaces a user without CAP_SYS_ADMIN may have",
        },
    },
}

// What the device asks the hooks: this file alone knows both.
use hooks::{
    arm_scope,
    describe as describe_hook,
    in_force as hooks_in_force, //
};

/// The module, loaded.
///
/// Fields are dropped in declaration order: nobody opens a handle or reads the table of hooks any
/// more, then the hooks are taken off, then the table of bindings goes. There are no spaces then, as
/// each of them keeps the module.
struct Pidspace {
    _device: Pin<KBox<device::Device<device::Handle>>>,
    _debug: hooks::DebugFile,
    _hooks: hooks::Hooks,
    _registry: registry::Registry,
}

impl kernel::Module for Pidspace {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: The module is initialised once, and nothing of it is in use before.
        let registry = unsafe { registry::Registry::new() };
        // SAFETY: As above.
        unsafe { adopt::init() };
        // SAFETY: As above.
        unsafe { confine::init() };
        // SAFETY: As above.
        let hooks = unsafe { hooks::Hooks::arm() }?;
        let debug = hooks::DebugFile::new()?;
        let device = KBox::pin_init(device::register(), GFP_KERNEL)?;
        pr_info!("loaded\n");
        Ok(Self {
            _device: device,
            _debug: debug,
            _hooks: hooks,
            _registry: registry,
        })
    }
}
