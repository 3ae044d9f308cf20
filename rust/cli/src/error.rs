// SPDX-License-Identifier: GPL-2.0

//! What went wrong, and the exit status that tells it.

use std::{fmt, io};

use pidspace_client::Error as ClientError;

/// The exit status after an error that has no status of its own.
pub(crate) const FAILED: u8 = 1;
/// The exit status after wrong usage.
pub(crate) const USAGE: u8 = 2;
/// The exit status when the loaded module does not support what was asked for.
pub(crate) const UNSUPPORTED: u8 = 3;
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
