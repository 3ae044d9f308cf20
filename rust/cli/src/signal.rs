// SPDX-License-Identifier: GPL-2.0

//! Signals, by name or number.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::str::FromStr;

use nix::sys::signal::Signal as Known;

/// The highest signal that there is.
const MAX: u32 = 64;

/// A signal; 0 only checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(u32);

/// Why a string is no signal.
#[derive(Debug, thiserror::Error)]
#[error("no signal has that name or number, see 'kill -l'")]
pub(crate) struct SignalError;

impl Signal {
    pub(crate) const KILL: Self = Self((Known::SIGKILL as i32).unsigned_abs());
    pub(crate) const TERM: Self = Self((Known::SIGTERM as i32).unsigned_abs());

    /// The signal that ended a process.
    pub(crate) fn of_status(status: ExitStatus) -> Option<Self> {
        status.signal().map(|signal| Self(signal.unsigned_abs()))
    }

    /// The number of the signal.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

impl FromStr for Signal {
    type Err = SignalError;

    fn from_str(text: &str) -> Result<Self, SignalError> {
        if let Ok(number) = text.parse() {
            return (number <= MAX).then_some(Self(number)).ok_or(SignalError);
        }
        let name = text.to_ascii_uppercase();
        let bare = name.strip_prefix("SIG").unwrap_or(&name);
        let known = Known::from_str(&format!("SIG{bare}")).map_err(|_| SignalError)?;
        Ok(Self((known as i32).unsigned_abs()))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = i32::try_from(self.0)
            .ok()
            .and_then(|nr| Known::try_from(nr).ok());
        match known {
            Some(known) => f.write_str(known.as_str()),
            None => write!(f, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["9", "KILL", "SIGKILL", "kill", "SigKill"] {
            assert_eq!(text.parse::<Signal>().unwrap(), Signal::KILL, "{text}");
        }
        assert_eq!("0".parse::<Signal>().unwrap().number(), 0);
        assert_eq!("64".parse::<Signal>().unwrap().to_string(), "signal 64");
        assert_eq!(Signal::TERM.to_string(), "SIGTERM");
        for text in ["", "65", "-1", "SIG", "SIGSIGKILL", "NOPE"] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }
}
