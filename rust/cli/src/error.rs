// SPDX-License-Identifier: GPL-2.0

//! What went wrong, and the exit status that tells it.

use std::path::PathBuf;
use std::{fmt, io};

use pidspace_client::{Error as ClientError, GlobalNr, LocalNr, SpaceRef};

/// The exit status after an error that has no status of its own.
pub(crate) const FAILED: u8 = 1;
/// The exit status after wrong usage.
pub(crate) const USAGE: u8 = 2;
/// The exit status when the loaded module does not support what was asked for.
pub(crate) const UNSUPPORTED: u8 = 3;
/// The exit status of `wait` when the time was up.
pub(crate) const TIMED_OUT: u8 = 124;
/// The exit status of `run` and `exec` when pidspace itself failed.
pub(crate) const LAUNCH: u8 = 125;
/// The exit status of `run` and `exec` when the command cannot be executed.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// The exit status of `run` and `exec` when there is no such command.
pub(crate) const NOT_FOUND: u8 = 127;
/// The exit status when the reader of the output went away, as a shell sees it.
const BROKEN_PIPE: u8 = 141;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A call to the module failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A call about one space or number failed.
    #[error("{what}: {source}")]
    About { what: String, source: ClientError },
    /// A number has been handed out again.
    #[error("number {nr} of '{space}' is another process by now")]
    Recycled { space: SpaceRef, nr: LocalNr },
    /// A space that was there already does not confine its members.
    #[error("'{0}' is there already and not in mode SCOPE, see 'pidspace set {0} --scope'")]
    Unconfined(SpaceRef),
    /// A global number is that of a thread.
    #[error("{0} global: it is a thread, name its process")]
    Thread(GlobalNr),
    /// A process cannot be told from a later one with its number.
    #[error("{nr} global: cannot get hold of the process: {source}")]
    Pidfd { nr: GlobalNr, source: io::Error },
    /// A member cannot be waited for.
    #[error("{member}: cannot wait for it: {why}")]
    Unwaitable { member: String, why: &'static str },
    /// A cgroup could not be read.
    #[error(
        "cannot read the processes of the cgroup '{}': {}",
        path.display(),
        why_no_cgroup(source)
    )]
    Cgroup { path: PathBuf, source: io::Error },
    /// Processes of a cgroup have no number here.
    #[error(
        "the cgroup '{}' has processes that this pid namespace cannot see, ask from outside of it",
        .0.display()
    )]
    Invisible(PathBuf),
    /// What /proc tells could not be read.
    #[error("cannot read /proc: {0}")]
    Proc(#[from] procfs::ProcError),
    /// systemd could not be asked.
    #[error("cannot find the cgroup of unit '{unit}': {why}")]
    Unit { unit: String, why: String },
    /// There is nothing to adopt.
    #[error("there is no process in {0}")]
    Nobody(String),
    /// The process for a command could not be made.
    #[error(
        "cannot start a process in the space: it is full, being removed, or out of memory ({0})"
    )]
    Fork(io::Error),
    /// A command could not be executed.
    #[error("cannot execute '{program}': {source}")]
    Execute { program: String, source: io::Error },
    /// A command was started and then could not be waited for.
    #[error("cannot wait for the command: {0}")]
    Wait(io::Error),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// Makes errors of calls about `what`.
    pub(crate) fn about<T: fmt::Display>(what: &T) -> impl Fn(ClientError) -> Self + use<'_, T> {
        |source| Self::About {
            what: what.to_string(),
            source,
        }
    }

    /// Whether the reader of the output has gone, which is no error to speak of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit status of commands that do not run others.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Client(source) | Self::About { source, .. } if source.is_unsupported() => {
                UNSUPPORTED
            }
            _ if self.is_broken_pipe() => BROKEN_PIPE,
            _ => FAILED,
        }
    }

    /// The exit status of commands that run others.
    pub(crate) fn launch_status(&self) -> u8 {
        match self {
            Self::Execute { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
            Self::Execute { .. } => NOT_EXECUTABLE,
            _ => LAUNCH,
        }
    }
}

/// Says why a cgroup could not be read.
fn why_no_cgroup(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            "it is none, name a directory below /sys/fs/cgroup".to_owned()
        }
        _ => source.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use pidspace_client::testing::Fake;
    use pidspace_client::{Call, Errno, Pidspace};

    use super::*;

    fn client(call: Call, errno: Errno) -> Error {
        let fake = Fake::default();
        fake.fail(call, errno);
        Pidspace::with(fake).map(drop).unwrap_err().into()
    }

    #[test]
    fn each_error_has_its_status() {
        assert_eq!(client(Call::Abi, Errno::ENOTTY).status(), 3);
        assert_eq!(client(Call::OpenDevice, Errno::ENOENT).status(), 1);
        assert_eq!(client(Call::OpenDevice, Errno::ENOENT).launch_status(), 125);
        let output = |kind: io::ErrorKind| Error::Output(kind.into());
        assert_eq!(output(io::ErrorKind::BrokenPipe).status(), 141);
        assert_eq!(output(io::ErrorKind::StorageFull).status(), 1);
        let execute = |kind: io::ErrorKind| Error::Execute {
            program: "x".into(),
            source: kind.into(),
        };
        assert_eq!(execute(io::ErrorKind::NotFound).launch_status(), 127);
        assert_eq!(
            execute(io::ErrorKind::PermissionDenied).launch_status(),
            126
        );
    }

    #[test]
    fn an_error_is_one_sentence_that_names_the_space() {
        let Error::Client(source) = client(Call::OpenDevice, Errno::EACCES) else {
            panic!("it is the client's");
        };
        let sentence = Error::about(&"web")(source).to_string();
        assert!(
            sentence.starts_with("web: cannot open /dev/pidspace: "),
            "{sentence}"
        );
        assert!(
            !sentence.contains('\n') && !sentence.ends_with('.'),
            "{sentence}"
        );
    }
}
