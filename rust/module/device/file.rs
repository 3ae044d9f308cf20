// SPDX-License-Identifier: GPL-2.0

//! A misc device whose files can be polled: what the `kernel` crate's lacks.

use core::marker::PhantomData;
use kernel::{
    bindings,
    error::to_result,
    fs::{
        File,
        Kiocb, //
    },
    miscdevice::{
        MiscDevice,
        MiscDeviceOptions, //
    },
    prelude::*,
    sync::poll::PollTable,
    types::{
        ForeignOwnable,
        Opaque, //
    },
};

/// A file that tells when it is ready, as poll(2) asks.
pub(crate) trait Poll: MiscDevice<Ptr = Pin<KBox<Self>>> + 'static {
    /// Registers `table` with what is signalled when the answer changes, and then returns what the
    /// file is ready for, as `EPOLL...` bits.
    ///
    /// Process context. May sleep.
    fn poll(&self, file: &File, table: &PollTable<'_>) -> u32;
}

/// A misc device, registered; dropping it takes the registration back.
///
/// # Invariants
///
/// `misc` is registered, and its operations are `operations`.
#[pin_data(PinnedDrop)]
pub(crate) struct Device<T: Poll> {
    #[pin]
    operations: Opaque<bindings::file_operations>,
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    _files: PhantomData<T>,
}

impl<T: Poll> Device<T> {
    /// Registers a device.
    ///
    /// # Errors
    ///
    /// Those of `misc_register()`.
    ///
    /// # Context
    ///
    /// Process context. Sleeps.
    pub(crate) fn register(name: &'static CStr) -> impl PinInit<Self, Error> {
        let misc = MiscDeviceOptions { name }.into_raw::<T>();
        try_pin_init!(&this in Self {
            operations <- Opaque::try_ffi_init(
                move |operations: *mut bindings::file_operations| {
                    // SAFETY: `into_raw()` points to operations that are never freed.
                    let mut polled = unsafe { *misc.fops };
                    polled.poll = Some(Self::poll);
                    // SAFETY: The initialiser may write to its slot.
                    unsafe { operations.write(polled) };
                    Ok::<(), Error>(())
                }
            ),
            misc <- Opaque::try_ffi_init(move |slot: *mut bindings::miscdevice| {
                // SAFETY: `this` is the memory of the device, whose operations are initialised.
                let operations = unsafe { &raw const (*this.as_ptr()).operations };
                let mut misc = misc;
                misc.fops = Opaque::cast_into(operations);
                // SAFETY: The initialiser may write to its slot.
                unsafe { slot.write(misc) };
                // INVARIANT: The device is there only when this succeeds.
                // SAFETY: The value is complete, and pinned together with its operations.
                to_result(unsafe { bindings::misc_register(slot) })
            }),
            _files: PhantomData,
        }? Error)
    }

    /// # Safety
    ///
    /// `file` must be an open file of the device, and `table` null or valid.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table,
    ) -> bindings::__poll_t {
        // SAFETY: An open file of the device keeps its private data.
        let private = unsafe { (*file).private_data };
        // SAFETY: `open()` made it of a `T::Ptr`, and `release()` is not called before this returns.
        let handle = unsafe { <T::Ptr as ForeignOwnable>::borrow(private) };
        // SAFETY: The caller promises a valid file, and poll(2) takes no position.
        let file = unsafe { File::from_raw_file(file) };
        // SAFETY: The caller promises it.
        let table = unsafe { PollTable::from_raw(table) };
        handle.get_ref().poll(file, &table)
    }
}

#[pinned_drop]
impl<T: Poll> PinnedDrop for Device<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: `misc` is registered by the type invariant.
        unsafe { bindings::misc_deregister(self.misc.get()) };
    }
}

// SAFETY: A registered device is not tied to a thread.
unsafe impl<T: Poll> Send for Device<T> {}

// SAFETY: Nothing can be done with a shared reference.
unsafe impl<T: Poll> Sync for Device<T> {}

/// Returns whether a read may wait. It is the descriptor that tells: `RWF_NOWAIT` is refused for a
/// device like this before it is asked.
pub(crate) fn may_wait<T: ForeignOwnable>(kiocb: &Kiocb<'_, T>) -> bool {
    // SAFETY: A read is under way, here and below, so its request and its file are there.
    let file = unsafe { (*kiocb.as_raw()).ki_filp };
    // SAFETY: As above.
    let flags = unsafe { (*file).f_flags };
    flags & bindings::O_NONBLOCK == 0
}
