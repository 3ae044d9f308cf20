// SPDX-License-Identifier: GPL-2.0

//! The names of spaces.

use crate::{
    error::Refusal,
    uapi, //
};

/// Room for a name and its terminating NUL.
pub(crate) const NAME_SIZE: usize = uapi::PIDSPACE_NAME_SIZE as usize;

/// A name: 1 to 63 of `[A-Za-z0-9._-]`, the first one a letter or digit, filled up with NULs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name([u8; NAME_SIZE]);

impl Name {
    /// Reads the name in a request; [`None`] when it is all NULs.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadArgument`] when it is no name.
    pub(crate) fn parse(bytes: [u8; NAME_SIZE]) -> Result<Option<Self>, Refusal> {
        let length = bytes.iter().take_while(|&&byte| byte != 0).count();
        let (text, padding) = bytes.split_at_checked(length).ok_or(Refusal::BadArgument)?;
        if padding.is_empty() || padding.iter().any(|&byte| byte != 0) {
            return Err(Refusal::BadArgument);
        }
        let Some(first) = text.first() else {
            return Ok(None);
        };
        let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        if first.is_ascii_alphanumeric() && text.iter().all(legal) {
            Ok(Some(Self(bytes)))
        } else {
            Err(Refusal::BadArgument)
        }
    }

    /// Returns the name filled up with NULs.
    pub(crate) fn bytes(&self) -> [u8; NAME_SIZE] {
        self.0
    }
}
