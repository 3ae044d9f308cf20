// SPDX-License-Identifier: GPL-2.0

//! `/dev/pidspace`: an open file is a handle, bound to one space for life.

mod args;
mod ioctl;
mod query;

use crate::{
    error::Refusal,
    registry,
    space::Space, //
};
use kernel::{
    fs::File,
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions,
        MiscDeviceRegistration, //
    },
    new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{
        Arc,
        Mutex,
        SetOnce, //
    },
};

/// The device, registered.
pub(crate) type Device = MiscDeviceRegistration<Handle>;

/// Registers the device.
///
/// # Errors
///
/// Those of `misc_register()`.
pub(crate) fn register() -> impl PinInit<Device, Error> {
    MiscDeviceRegistration::register(MiscDeviceOptions { name: c"pidspace" })
}

/// An open file of the device.
#[pin_data(PinnedDrop)]
pub(crate) struct Handle {
    space: SetOnce<Arc<Space>>,
    /// Lets one command at a time bind the handle. Taken before every other lock of the module.
    #[pin]
    binding: Mutex<()>,
}

impl Handle {
    /// Returns the space that the handle is bound to, which may be gone by now.
    fn space(&self) -> Result<&Arc<Space>> {
        Ok(self.bound().ok_or(Refusal::Unbound)?)
    }

    /// Returns the space that the handle is bound to, if it is bound.
    fn bound(&self) -> Option<&Arc<Space>> {
        self.space.as_ref()
    }

    /// Binds the handle to what `find` returns, which counts the handle in.
    fn bind(&self, find: impl FnOnce() -> Result<Arc<Space>>) -> Result<&Arc<Space>> {
        let _one_at_a_time = self.binding.lock();
        if self.bound().is_some() {
            return Err(Refusal::BoundAlready.into());
        }
        self.space.populate(find()?);
        self.space()
    }
}

#[pinned_drop]
impl PinnedDrop for Handle {
    fn drop(self: Pin<&mut Self>) {
        if let Some(space) = self.bound() {
            registry::settle(space.id(), space.remove_handle());
        }
    }
}

#[vtable]
impl MiscDevice for Handle {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _device: &Device) -> Result<Self::Ptr> {
        KBox::try_pin_init(
            try_pin_init!(Self {
                space: SetOnce::new(),
                binding <- new_mutex!((), "pidspace::Handle::binding"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    fn ioctl(handle: Pin<&Self>, _file: &File, command: u32, arg: usize) -> Result<isize> {
        ioctl::dispatch(handle.get_ref(), command, arg).map(|()| 0)
    }

    fn show_fdinfo(handle: Pin<&Self>, info: &SeqFile, _file: &File) {
        if let Some(space) = handle.bound() {
            seq_print!(info, "pidspace-id:\t{}\n", space.id());
        }
    }
}
