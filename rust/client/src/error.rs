// SPDX-License-Identifier: GPL-2.0

//! What can go wrong, in words that say which call failed, why, and what to do.

use std::fmt;

use nix::errno::Errno;

/// A call to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// Opening the device.
    OpenDevice,
    /// Asking for the ABI level.
    Abi,
    /// Listing the hooks.
    Hooks,
    /// Making a space.
    Create,
    /// Making a space that confines its members.
    CreateConfined,
    /// Opening a space that exists.
    Open,
    /// Describing a space.
    Info,
    /// Listing the spaces.
    List,
    /// Marking the calling thread.
    Spawn,
    /// Marking the calling thread for a space that confines its members, and may refuse it for
    /// that.
    SpawnConfined,
    /// Taking the mark off the calling thread.
    ClearSpawn,
    /// Taking in a running process.
    Adopt,
    /// Taking a running process into a space that confines its members, and may refuse it for
    /// that.
    AdoptConfined,
    /// Listing the numbers of a space.
    Members,
    /// Translating numbers.
    Lookup,
    /// Signalling members by number.
    Kill,
    /// Signalling every member.
    KillSpace,
    /// Changing a space.
    Set,
    /// Changing a space, its mode among other things.
    SetMode,
    /// Waiting for a space.
    Poll,
    /// Reading events.
    Read,
    /// Ending a space.
    Destroy,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenDevice => "open /dev/pidspace",
            Self::Abi => "ask for the ABI level",
            Self::Hooks => "list the hooks",
            Self::Create | Self::CreateConfined => "create the space",
            Self::Open => "open the space",
            Self::Info => "describe the space",
            Self::List => "list the spaces",
            Self::Spawn | Self::SpawnConfined => "start processes in the space",
            Self::ClearSpawn => "stop starting processes in the space",
            Self::Adopt | Self::AdoptConfined => "adopt the process",
            Self::Members => "list the members",
            Self::Lookup => "translate the number",
            Self::Kill | Self::KillSpace => "send the signal",
            Self::Set | Self::SetMode => "change the space",
            Self::Poll => "wait for the space",
            Self::Read => "read the events",
            Self::Destroy => "remove the space",
        })
    }
}

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no device.
    #[error(
        "cannot open /dev/pidspace: the module is not loaded, try 'modprobe pidspace' ({errno:?})"
    )]
    NotLoaded {
        /// What the kernel answered.
        errno: Errno,
    },
    /// The module speaks an older ABI.
    #[error(
        "the loaded module is older (ABI level {found}) than this tool ({needed}): \
         load the module of this version"
    )]
    Level {
        /// The level of the module.
        found: u32,
        /// The level that this crate was built for.
        needed: u32,
    },
    /// The module does not know the call, or not with what was asked for.
    #[error("cannot {call}: the loaded module does not support it ({errno:?})")]
    Unsupported {
        /// The call.
        call: Call,
        /// What the kernel answered.
        errno: Errno,
    },
    /// The caller may not do that.
    #[error("cannot {call}: {} ({errno:?})", reason(*call, *errno))]
    Permission {
        /// The call.
        call: Call,
        /// What the kernel answered.
        errno: Errno,
    },
    /// Anything else.
    #[error("cannot {call}: {} ({errno:?})", reason(*call, *errno))]
    Failed {
        /// The call.
        call: Call,
        /// What the kernel answered.
        errno: Errno,
    },
}

impl Error {
    /// What the answer `errno` to `call` means.
    pub(crate) fn new(call: Call, errno: Errno) -> Self {
        match (call, errno) {
            (Call::OpenDevice, Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => {
                Self::NotLoaded { errno }
            }
            (_, Errno::ENOTTY | Errno::EOPNOTSUPP) => Self::Unsupported { call, errno },
            (_, Errno::EPERM | Errno::EACCES) => Self::Permission { call, errno },
            _ => Self::Failed { call, errno },
        }
    }

    /// What the kernel answered, where a call failed.
    pub fn errno(&self) -> Option<Errno> {
        match *self {
            Self::Level { .. } => None,
            Self::NotLoaded { errno }
            | Self::Unsupported { errno, .. }
            | Self::Permission { errno, .. }
            | Self::Failed { errno, .. } => Some(errno),
        }
    }

    /// Whether the loaded module is too old for what was asked of it.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Level { .. } | Self::Unsupported { .. })
    }
}

/// Says what `errno` means as the answer to `call`.
fn reason(call: Call, errno: Errno) -> &'static str {
    match (call, errno) {
        (Call::OpenDevice, Errno::EACCES | Errno::EPERM) => {
            "no permission, let the udev rule of pidspace set its mode to 0666"
        }
        (Call::Create, Errno::EEXIST) => {
            "the name is taken, choose another one or remove that space"
        }
        (Call::Create, Errno::EINVAL) => {
            "pid_max must be between 301 and 4194304, and a stream hold at most 65536 events"
        }
        (Call::Set, Errno::EINVAL) => "pid_max must be between 301 and 4194304",
        (Call::Create | Call::Spawn, Errno::EPERM) => {
            "the caller is a member of a space, ask from outside of it"
        }
        (Call::Create, Errno::EUSERS) => {
            "this user has as many spaces as the module's max_user_spaces allows, remove some"
        }
        (Call::Open, Errno::ENOENT) => "there is no such space, see 'pidspace ls'",
        (Call::Open, Errno::EPERM) => "only its owner and root may",
        (Call::Open, Errno::EINVAL) => "a stream can hold at most 65536 events",
        (Call::Create | Call::Open, Errno::EBUSY) => "the handle is bound to a space already",
        (Call::Spawn, Errno::EBUSY) => "the thread already starts processes in another space",
        (Call::ClearSpawn, Errno::EINVAL) => "the thread does not start processes in it",
        (Call::Adopt, errno) => adopt_reason(errno),
        (
            Call::CreateConfined | Call::SpawnConfined | Call::AdoptConfined | Call::SetMode,
            errno,
        ) => confined_reason(call, errno),
        (Call::Lookup | Call::Kill, Errno::ESRCH) => "there is no such member, see 'pidspace ps'",
        (Call::KillSpace, Errno::ESRCH) => "there is no process in it",
        (Call::Lookup, Errno::EBADF) => "the descriptor is no pidfd",
        (Call::Info | Call::Members | Call::Lookup | Call::Set | Call::Read, Errno::EPERM) => {
            "a member of a space in mode SCOPE may ask nothing of other spaces"
        }
        (Call::Kill, Errno::EPERM) => "no permission to signal it",
        (Call::KillSpace, Errno::EPERM) => "no permission to signal any of its processes",
        (Call::KillSpace, Errno::EINVAL) => "no such signal",
        (Call::Read, Errno::EINVAL) => "the handle was opened without a stream",
        (Call::Kill, Errno::EINVAL) => {
            "no such signal, or number 0 while the caller is not a member"
        }
        (Call::Destroy, Errno::EPERM) => "no permission to kill what is in it",
        (Call::Destroy, Errno::EBUSY) => "numbers are in use, kill what is in it first",
        (Call::Destroy, Errno::EINTR) => "interrupted, it stays dying until removed again",
        (_, Errno::ESTALE) => "it has been removed",
        (_, Errno::EBADFD) => "the handle is bound to no space",
        _ => errno.desc(),
    }
}

/// Says why a space that is to confine its members, or does, refuses.
fn confined_reason(call: Call, errno: Errno) -> &'static str {
    match (call, errno) {
        (Call::CreateConfined | Call::SetMode, Errno::EBUSY) => {
            "another one, such as a live patch, holds a kernel function that mode SCOPE must hook: \
             'pidspace doctor' and the kernel log name it"
        }
        (Call::CreateConfined, Errno::EINVAL) => {
            "a kernel function that mode SCOPE must hook is missing or cannot be traced, which \
             'pidspace doctor' and the kernel log name; or pid_max is not between 301 and \
             4194304, or a stream is to hold more than 65536 events"
        }
        (Call::SetMode, Errno::EINVAL) => {
            "a space can be tightened and not loosened; or a kernel function that mode SCOPE must \
             hook is missing or cannot be traced, which 'pidspace doctor' and the kernel log \
             name; or pid_max is not between 301 and 4194304"
        }
        (Call::SetMode, Errno::EPERM) => {
            "a process in it lacks no_new_privs ('setpriv --no-new-privs' sets it), which mode \
             SCOPE requires without CAP_SYS_ADMIN"
        }
        (Call::SpawnConfined, Errno::EPERM) => {
            "the caller is a member of a space, or lacks no_new_privs ('setpriv --no-new-privs' \
             sets it), which mode SCOPE requires without CAP_SYS_ADMIN"
        }
        (Call::AdoptConfined, Errno::EPERM) => {
            "no permission to signal it or a process of its tree, or the caller is a member of a \
             space itself, or one of them lacks no_new_privs ('setpriv --no-new-privs' sets it), \
             which mode SCOPE requires without CAP_SYS_ADMIN"
        }
        (Call::CreateConfined, _) => reason(Call::Create, errno),
        _ => reason(Call::Set, errno),
    }
}

/// Says why a process was not taken in.
fn adopt_reason(errno: Errno) -> &'static str {
    match errno {
        Errno::ESRCH => "there is no such process",
        Errno::EBADF => "the descriptor is no pidfd",
        Errno::EINVAL => {
            "a kernel thread, pid 1, a zombie, what the creator of the space cannot see, and a \
             tree that the caller is part of stay outside"
        }
        Errno::EBUSY => {
            "it or a process of its tree is in a space already, or starts processes in one, see \
             'pidspace pid'"
        }
        Errno::EEXIST => {
            "the space has handed out a number that it knows itself by, adopt it into another one"
        }
        Errno::EPERM => {
            "no permission to signal it or a process of its tree, or the caller is a member of a \
             space itself"
        }
        Errno::EAGAIN => {
            "the space is at its limit, see 'pidspace set --max-members', or is being killed or \
             removed"
        }
        Errno::ESTALE => "the space has been removed",
        Errno::EBADFD => "the handle is bound to no space",
        _ => errno.desc(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_a_missing_module() {
        for errno in [Errno::ENOENT, Errno::ENXIO, Errno::ENODEV] {
            let error = Error::new(Call::OpenDevice, errno);
            assert_eq!(error, Error::NotLoaded { errno });
            assert!(error.to_string().contains("modprobe pidspace"), "{error}");
        }
        let error = Error::new(Call::Open, Errno::ENOENT);
        assert!(matches!(error, Error::Failed { .. }));
    }

    #[test]
    fn what_the_module_does_not_know_is_unsupported() {
        for errno in [Errno::ENOTTY, Errno::EOPNOTSUPP] {
            let error = Error::new(Call::Create, errno);
            assert!(error.is_unsupported());
            assert_eq!(error.errno(), Some(errno));
        }
        let level = Error::Level {
            found: 1,
            needed: 2,
        };
        assert!(level.is_unsupported());
        assert_eq!(level.errno(), None);
    }

    #[test]
    fn a_refusal_names_who_may() {
        let says = |call, errno, text: &str| {
            let error = Error::new(call, errno);
            assert!(matches!(error, Error::Permission { .. }), "{error:?}");
            assert!(error.to_string().contains(text), "{error}");
        };
        says(Call::OpenDevice, Errno::EACCES, "udev rule");
        says(Call::Create, Errno::EPERM, "member of a space");
        says(Call::Spawn, Errno::EPERM, "member of a space");
        says(Call::Open, Errno::EPERM, "owner");
        says(Call::Kill, Errno::EPERM, "signal");
        says(Call::KillSpace, Errno::EPERM, "any of its");
        says(Call::Adopt, Errno::EPERM, "of its tree");
        says(Call::SpawnConfined, Errno::EPERM, "setpriv");
        says(Call::AdoptConfined, Errno::EPERM, "of them lacks");
        says(Call::SetMode, Errno::EPERM, "in it lacks");
        says(Call::Members, Errno::EPERM, "of other spaces");
        says(Call::Destroy, Errno::EPERM, "to kill");
    }

    #[test]
    fn each_documented_errno_has_its_sentence() {
        for (call, errno, text) in [
            (
                Call::Create,
                Errno::EEXIST,
                "cannot create the space: the name is taken",
            ),
            (Call::Create, Errno::EINVAL, "pid_max"),
            (Call::Create, Errno::EUSERS, "max_user_spaces"),
            (Call::CreateConfined, Errno::EUSERS, "max_user_spaces"),
            (Call::CreateConfined, Errno::EBUSY, "live patch"),
            (Call::CreateConfined, Errno::EINVAL, "cannot be traced"),
            (Call::Create, Errno::EBUSY, "bound to a space already"),
            (Call::Open, Errno::ENOENT, "no such space"),
            (Call::Spawn, Errno::EBUSY, "another space"),
            (Call::ClearSpawn, Errno::EINVAL, "does not start"),
            (Call::Lookup, Errno::ESRCH, "no such member"),
            (Call::Lookup, Errno::EBADF, "pidfd"),
            (Call::Kill, Errno::ESRCH, "no such member"),
            (Call::Kill, Errno::EINVAL, "no such signal"),
            (Call::KillSpace, Errno::ESRCH, "no process"),
            (
                Call::Adopt,
                Errno::ESRCH,
                "cannot adopt the process: there is no such process",
            ),
            (Call::Adopt, Errno::EBADF, "pidfd"),
            (Call::Adopt, Errno::EINVAL, "kernel thread"),
            (Call::Adopt, Errno::EBUSY, "in a space already"),
            (Call::Adopt, Errno::EEXIST, "another one"),
            (Call::Adopt, Errno::EAGAIN, "--max-members"),
            (Call::Adopt, Errno::ESTALE, "removed"),
            (Call::Set, Errno::EINVAL, "pid_max"),
            (Call::SetMode, Errno::EINVAL, "not loosened"),
            (Call::SetMode, Errno::EBUSY, "pidspace doctor"),
            (Call::SetMode, Errno::ESTALE, "removed"),
            (Call::Open, Errno::EINVAL, "65536"),
            (Call::Read, Errno::EINVAL, "without a stream"),
            (Call::Destroy, Errno::EBUSY, "in use"),
            (Call::Destroy, Errno::EINTR, "dying"),
            (Call::Info, Errno::ESTALE, "removed"),
            (Call::Members, Errno::EBADFD, "bound to no space"),
        ] {
            let error = Error::new(call, errno);
            assert_eq!(error, Error::Failed { call, errno });
            let sentence = error.to_string();
            assert!(sentence.contains(text), "{sentence}");
            assert!(sentence.ends_with(&format!("({errno:?})")), "{sentence}");
        }
        let other = Error::new(Call::Info, Errno::ENOMEM).to_string();
        assert_eq!(other, "cannot describe the space: Out of memory (ENOMEM)");
    }
}
