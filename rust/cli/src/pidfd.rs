// SPDX-License-Identifier: GPL-2.0

//! Holding on to a process, so that no later one with its number is taken for it.

use std::io;
use std::os::fd::OwnedFd;

use pidspace_client::{Call, Error as ClientError, GlobalNr};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::process::{pidfd_open, Pid, PidfdFlags};

use crate::error::Error;

/// Opens the process that has that number now; nothing when there is none.
pub(crate) fn open(nr: GlobalNr) -> Result<Option<OwnedFd>, Error> {
    let Some(pid) = Pid::from_raw(nr.as_raw()) else {
        return Ok(None);
    };
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(Errno::SRCH) => Ok(None),
        // Which of the two it is depends on the kernel.
        Err(Errno::INVAL | Errno::NOENT) => Err(Error::Thread(nr)),
        Err(errno) => Err(Error::Pidfd {
            nr,
            source: io::Error::from(errno),
        }),
    }
}

/// Opens the process that is to be adopted.
pub(crate) fn open_present(nr: GlobalNr) -> Result<OwnedFd, Error> {
    let missing = ClientError::Failed {
        call: Call::Adopt,
        errno: pidspace_client::Errno::ESRCH,
    };
    open(nr)?.ok_or_else(|| about(nr)(missing))
}

/// Makes errors of calls about the process with that number.
pub(crate) fn about(nr: GlobalNr) -> impl Fn(ClientError) -> Error {
    move |source| Error::About {
        what: format!("{nr} global"),
        source,
    }
}

/// Whether all threads of the process have ended.
pub(crate) fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut sources = [PollFd::new(pidfd, PollFlags::IN)];
    poll(&mut sources, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_is_held_beyond_its_end() {
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let nr = GlobalNr::new(child.id()).unwrap();
        let pidfd = open(nr).unwrap().unwrap();
        assert!(!has_ended(&pidfd));
        assert!(child.wait().unwrap().success());
        assert!(has_ended(&pidfd));
        assert!(open(nr).unwrap().is_none());
        let error = open_present(nr).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{nr} global: cannot adopt the process: there is no such process (ESRCH)")
        );
    }

    #[test]
    fn a_thread_is_no_process() {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            let _ = receiver.recv();
        });
        let nr = GlobalNr::from_raw(told.recv().unwrap().as_raw_nonzero().get()).unwrap();
        assert!(matches!(open(nr), Err(Error::Thread(_))));
        drop(sender);
        thread.join().unwrap();
    }
}
