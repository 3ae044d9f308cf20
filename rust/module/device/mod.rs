// SPDX-License-Identifier: GPL-2.0

//! `/dev/pidspace`: an open file is a handle, bound to one space for life.

mod args;
mod events;
mod file;
mod ioctl;
mod query;

pub(crate) use self::file::Device;
use crate::{
    confine::{
        check_reach,
        exempted, //
    },
    cred::Impersonation,
    error::Refusal,
    registry,
    space::Space,
    stream::Stream, //
};
use kernel::{
    fs::{
        File,
        Kiocb, //
    },
    iov::IovIterDest,
    miscdevice::{
        MiscDevice,
        MiscDeviceRegistration, //
    },
    new_mutex,
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::{
        poll::PollTable,
        Arc,
        Mutex,
        SetOnce, //
    },
};

/// Registers the device.
///
/// # Errors
///
/// Those of `misc_register()`.
pub(crate) fn register() -> impl PinInit<Device<Handle>, Error> {
    Device::register(c"pidspace")
}

/// An open file of the device.
#[pin_data(PinnedDrop)]
pub(crate) struct Handle {
    bound: SetOnce<Bound>,
    /// Lets one command at a time bind the handle. Taken before every other lock of the module.
    #[pin]
    binding: Mutex<()>,
}

/// What a handle is bound to, and how.
struct Bound {
    space: Arc<Space>,
    stream: Option<Arc<Stream>>,
    kill_on_close: bool,
}

impl Handle {
    /// Returns the space that the handle is bound to, which may be gone by now, for the caller to
    /// use.
    ///
    /// # Errors
    ///
    /// `EBADFD` when it is bound to none, `EPERM` when the caller is confined to another one.
    fn space(&self) -> Result<&Arc<Space>> {
        let space = self.bound().ok_or(Refusal::Unbound)?;
        check_reach(space)?;
        Ok(space)
    }

    /// Returns the space that the handle is bound to, if it is bound.
    fn bound(&self) -> Option<&Arc<Space>> {
        self.bound.as_ref().map(|bound| &bound.space)
    }

    /// Binds the handle to what `find` returns, which counts the handle in.
    fn bind(&self, find: impl FnOnce() -> Result<Bound>) -> Result<&Arc<Space>> {
        let _one_at_a_time = self.binding.lock();
        if self.bound().is_some() {
            return Err(Refusal::BoundAlready.into());
        }
        self.bound.populate(find()?);
        self.space()
    }
}

#[pinned_drop]
impl PinnedDrop for Handle {
    fn drop(self: Pin<&mut Self>) {
        if let Some(bound) = self.bound.as_ref() {
            let fate = bound.space.remove_handle(bound.stream.as_ref());
            registry::settle(bound.space.id(), fate);
        }
    }
}

#[vtable]
impl MiscDevice for Handle {
    type Ptr = Pin<KBox<Self>>;

    fn open(_file: &File, _device: &MiscDeviceRegistration<Self>) -> Result<Self::Ptr> {
        KBox::try_pin_init(
            try_pin_init!(Self {
                bound: SetOnce::new(),
                binding <- new_mutex!((), "pidspace::Handle::binding"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    fn release(handle: Self::Ptr, file: &File) {
        let killer = handle.bound.as_ref().filter(|bound| bound.kill_on_close);
        if let Some(bound) = killer {
            let _opener = Impersonation::of_opener(file);
            // Who closes last does it for who opened, be it confined to another space. A space that
            // is gone has nobody to kill.
            exempted(|| {
                let _ = bound.space.kill_everyone();
            });
        }
    }

    fn ioctl(handle: Pin<&Self>, _file: &File, command: u32, arg: usize) -> Result<isize> {
        ioctl::dispatch(handle.get_ref(), command, arg).map(|()| 0)
    }

    fn read_iter(kiocb: Kiocb<'_, Self::Ptr>, iov: &mut IovIterDest<'_>) -> Result<usize> {
        let may_wait = file::may_wait(&kiocb);
        events::read(kiocb.file().get_ref(), may_wait, iov)
    }

    fn show_fdinfo(handle: Pin<&Self>, info: &SeqFile, _file: &File) {
        if let Some(space) = handle.bound() {
            seq_print!(info, "pidspace-id:\t{}\n", space.id());
        }
    }
}

impl file::Poll for Handle {
    fn poll(&self, file: &File, table: &PollTable<'_>) -> u32 {
        events::poll(self, file, table)
    }
}
