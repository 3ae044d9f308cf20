// SPDX-License-Identifier: GPL-2.0

//! Starting a command in a space, passing signals on to it, and its exit status.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{kill, killpg, raise, SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{siginfo, SfdFlags, SignalFd};
use nix::sys::stat::fstat;
use nix::unistd::Pid;
use pidspace_client::sys::{with_signal_mask, Handle};
use pidspace_client::{Call, Error as ClientError, Mark, Result as ClientResult, Space, SpaceRef};
use rustix::event::{poll, PollFd, PollFlags};
use rustix::process::{pidfd_open, PidfdFlags};

use crate::cmd::Io;
use crate::error::Error;

/// The signals that are passed on.
const FORWARDED: &[Signal] = &[
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// Makes a command of its words.
pub(crate) fn command(words: &[OsString]) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    command.args(words);
    command
}

/// Has `command` keep of the standard streams only those that are regular files: it must neither
/// use a terminal that is not its own any more nor hold up who reads the output of pidspace.
pub(crate) fn detach_streams(command: &mut Command) {
    command.stdin(kept_or_null(io::stdin()));
    command.stdout(kept_or_null(io::stdout()));
    command.stderr(kept_or_null(io::stderr()));
}

fn kept_or_null(stream: impl AsFd) -> Stdio {
    if is_regular(stream) {
        Stdio::inherit()
    } else {
        Stdio::null()
    }
}

fn is_regular(stream: impl AsFd) -> bool {
    fstat(stream).is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFREG)
}

/// Starts `command` in `space`.
pub(crate) fn start<H: Handle>(
    space: &Space<H>,
    name: &SpaceRef,
    command: &mut Command,
    io: &mut Io<'_>,
) -> Result<Child, Error> {
    let mark = mark(space, command, io).map_err(Error::about(name))?;
    mark.spawn(command).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory => Error::Fork(source),
        _ => Error::Execute {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        },
    })
}

/// Marks this thread.  Where only what can gain no privileges may be confined, this thread and what
/// it starts give that up, which is said.
fn mark<'a, H: Handle>(
    space: &'a Space<H>,
    command: &Command,
    io: &mut Io<'_>,
) -> ClientResult<Mark<'a, H>> {
    match space.mark() {
        Err(ClientError::Permission {
            call: Call::SpawnConfined,
            ..
        }) if set_no_new_privs() => {}
        marked => return marked,
    }
    space.mark().inspect(|_| {
        io.complain(&format_args!(
            "no_new_privs is set on '{}', as mode SCOPE requires without CAP_SYS_ADMIN: set-uid \
             programs gain nothing in it",
            command.get_program().to_string_lossy()
        ));
    })
}

/// Sets no_new_privs on this thread, and returns whether that made a difference.
fn set_no_new_privs() -> bool {
    prctl::get_no_new_privs() == Ok(false) && prctl::set_no_new_privs().is_ok()
}

/// Has the exit statuses of children kept until they are waited for: a parent that ignores SIGCHLD
/// passes that on, and they would be lost.
pub(crate) fn keep_statuses() -> io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGCHLD, Default::default()).map(drop)
}

/// Where a command runs, which decides how it hears of signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// In its own: the terminal does not know it.
    Own,
    /// In the caller's, and in its process group: the terminal tells it all by itself.
    Callers,
}

/// Waits for a command and meanwhile passes signals on.
#[derive(Debug)]
pub(crate) struct Watch {
    signals: SignalFd,
    session: Session,
    /// What was blocked before.
    mask: SigSet,
}

impl Watch {
    /// Collects signals from now on, so that none is lost while the command starts.
    pub(crate) fn begin(session: Session) -> Result<Self, Error> {
        keep_statuses().map_err(Error::Wait)?;
        let set: SigSet = FORWARDED.iter().copied().collect();
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let failed = |errno: nix::errno::Errno| Error::Wait(errno.into());
        let mask = set
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .map_err(failed)?;
        let signals = SignalFd::with_flags(&set, flags).map_err(failed)?;
        Ok(Self {
            signals,
            session,
            mask,
        })
    }

    /// Has `command` get the signals that are only collected here.
    pub(crate) fn leave_signals_to(&self, command: &mut Command) {
        with_signal_mask(command, self.mask);
    }

    /// Waits for `child` and returns the exit status that tells its own.
    pub(crate) fn wait(self, child: &mut Child) -> Result<u8, Error> {
        let pid = rustix::process::Pid::from_child(child);
        let pidfd =
            pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| Error::Wait(errno.into()))?;
        loop {
            let mut sources = [
                PollFd::new(&self.signals, PollFlags::IN),
                PollFd::new(&pidfd, PollFlags::IN),
            ];
            match poll(&mut sources, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(Error::Wait(errno.into())),
            }
            if let Some(status) = child.try_wait().map_err(Error::Wait)? {
                return Ok(exit_status(status));
            }
            match self.signals.read_signal() {
                Ok(Some(info)) => self.pass_on(&info, child),
                Ok(None) => {}
                Err(errno) => return Err(Error::Wait(errno.into())),
            }
        }
    }

    fn pass_on(&self, info: &siginfo, child: &Child) {
        let known = |number: u32| Signal::try_from(i32::try_from(number).ok()?).ok();
        let (Some(signal), Ok(child)) = (known(info.ssi_signo), i32::try_from(child.id())) else {
            return;
        };
        let child = Pid::from_raw(child);
        // A command that cannot be signalled has changed its user or just died: the wait goes on.
        let _ = match (self.session, signal) {
            // No shell watches over the other session, where SIGTSTP would do nothing.
            (Session::Own, Signal::SIGTSTP) => {
                killpg(child, Signal::SIGSTOP).and_then(|()| raise(Signal::SIGSTOP))
            }
            (Session::Own, Signal::SIGTERM | Signal::SIGUSR1 | Signal::SIGUSR2) => {
                kill(child, signal)
            }
            // What a terminal sends, it sends to a process group.
            (Session::Own, _) => killpg(child, signal),
            (Session::Callers, _) => {
                let sent = match from_kernel(info) {
                    true => Ok(()),
                    false => kill(child, signal),
                };
                match signal {
                    Signal::SIGTSTP => raise(Signal::SIGSTOP),
                    _ => sent,
                }
            }
        };
    }
}

/// Whether the kernel sent the signal, as it does for a terminal.
fn from_kernel(info: &siginfo) -> bool {
    info.ssi_code > 0
}

/// The exit status of a shell whose last command ended with `status`.
pub(crate) fn exit_status(status: ExitStatus) -> u8 {
    let status = match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, signal) => 128 + signal.unwrap_or_default(),
    };
    u8::try_from(status).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_exit_status_tells_the_end_of_the_command() {
        assert_eq!(exit_status(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_status(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(exit_status(ExitStatus::from_raw(15)), 143);
        assert_eq!(exit_status(ExitStatus::from_raw(64)), 192);
    }

    #[test]
    fn only_regular_files_survive_a_detach() {
        let regular = |path| is_regular(std::fs::File::open(path).unwrap());
        assert!(regular("/proc/self/exe"));
        assert!(!regular("/dev/null"));
    }

    /// Runs a script, and raises a signal for pidspace once the script has said that it is ready.
    fn shell(script: &str, session: Session, signal: Option<Signal>) -> u8 {
        // Another test may have run in this thread before.
        SigSet::empty().thread_set_mask().unwrap();
        let watch = Watch::begin(session).unwrap();
        // Whoever runs the tests in the background has them ignore what a shell cannot trap then.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT,QUIT", "sh", "-c", script]);
        command.stdout(Stdio::piped());
        if session == Session::Own {
            pidspace_client::sys::in_own_session(&mut command);
        }
        watch.leave_signals_to(&mut command);
        let mut child = command.spawn().unwrap();
        if let Some(signal) = signal {
            let mut ready = [0];
            child.stdout.take().unwrap().read_exact(&mut ready).unwrap();
            raise(signal).unwrap();
        }
        watch.wait(&mut child).unwrap()
    }

    #[test]
    fn a_command_is_waited_for() {
        assert_eq!(shell("exit 3", Session::Callers, None), 3);
        assert_eq!(shell("kill -KILL $$", Session::Own, None), 137);
    }

    #[test]
    fn a_command_has_no_signal_blocked() {
        let script = "grep -q 'SigBlk:.0000000000000000' /proc/self/status";
        assert_eq!(shell(script, Session::Own, None), 0);
        assert_eq!(shell(script, Session::Callers, None), 0);
    }

    #[test]
    fn a_command_in_its_own_session_leads_it() {
        let script = "set -- $(cat /proc/$$/stat); test $1 = $6";
        assert_eq!(shell(script, Session::Own, None), 0);
        assert_eq!(shell(script, Session::Callers, None), 1);
    }

    #[test]
    fn signals_are_passed_on() {
        let script = "trap 'exit 7' TERM USR1 INT; echo; while :; do sleep 0.01; done";
        for session in [Session::Own, Session::Callers] {
            for signal in [Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGINT] {
                assert_eq!(
                    shell(script, session, Some(signal)),
                    7,
                    "{session:?} {signal}"
                );
            }
        }
    }

    #[test]
    fn what_a_terminal_sends_reaches_the_whole_group() {
        // The shell only notices the signal when the child that it waits for has ended.
        let script = "trap 'exit 7' INT; sh -c 'echo; exec sleep 100'; exit 8";
        assert_eq!(shell(script, Session::Own, Some(Signal::SIGINT)), 7);
    }
}
