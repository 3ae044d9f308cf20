// SPDX-License-Identifier: GPL-2.0

//! Names and numbers, each of its own type so that no two kinds can be mixed up.

use std::fmt;
use std::num::{NonZeroI32, NonZeroU64};
use std::str::FromStr;

use pidspace_uapi::PIDSPACE_NAME_SIZE;

pub(crate) const NAME_SIZE: usize = PIDSPACE_NAME_SIZE as usize;

/// Why a string is no name of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name is 1 to {} letters, digits, '.', '_' or '-', and starts with a letter or digit",
    NAME_SIZE - 1
)]
pub struct NameError;

/// The name of a space, valid by the rules of the kernel.
///
/// ```
/// # use pidspace_client::Name;
/// assert!("web-1".parse::<Name>().is_ok());
/// assert!("-web".parse::<Name>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the kernel takes it, filled up with NULs.
    pub(crate) fn to_raw(&self) -> [u8; NAME_SIZE] {
        let mut raw = [0; NAME_SIZE];
        for (to, from) in raw.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        raw
    }

    /// Reads a name as the kernel tells it; a space without a name has none.
    pub(crate) fn from_raw(raw: &[u8; NAME_SIZE]) -> Option<Self> {
        let bytes = raw.split(|&byte| byte == 0).next()?;
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let valid = name.len() < NAME_SIZE
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        valid.then(|| Self(name.to_owned())).ok_or(NameError)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a space calls a process or thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalNr(NonZeroI32);

/// What the caller's pid namespace calls a process or thread; on a host, what ps(1) shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GlobalNr(NonZeroI32);

macro_rules! nr {
    ($type:ident) => {
        impl $type {
            /// The number `nr`; 0, which stands for "none", and what no pid can be are none.
            pub fn new(nr: u32) -> Option<Self> {
                i32::try_from(nr).ok().and_then(Self::from_raw)
            }

            /// The number.
            pub fn get(self) -> u32 {
                self.0.get().unsigned_abs()
            }

            /// The number as a `pid_t`.
            pub fn as_raw(self) -> i32 {
                self.0.get()
            }

            /// The number of a `pid_t`, as [`new`](Self::new) reads it.
            pub fn from_raw(nr: i32) -> Option<Self> {
                NonZeroI32::new(nr).filter(|nr| nr.is_positive()).map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

nr!(LocalNr);
nr!(GlobalNr);

/// The id of a space, never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(NonZeroU64);

impl SpaceId {
    /// The id `id`; there is no space 0.
    pub fn new(id: u64) -> Option<Self> {
        NonZeroU64::new(id).map(Self)
    }

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for SpaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a string refers to no space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpaceRefError {
    /// What follows the `@` is no id.
    #[error("'@' is followed by the id of a space, a number above 0")]
    Id,
    /// It is no name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// A space, by name or, written `@ID`, by id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SpaceRef {
    /// The space of that name.
    Name(Name),
    /// The space of that id.
    Id(SpaceId),
}

impl FromStr for SpaceRef {
    type Err = SpaceRefError;

    fn from_str(text: &str) -> Result<Self, SpaceRefError> {
        match text.strip_prefix('@') {
            Some(id) => id
                .parse()
                .ok()
                .and_then(SpaceId::new)
                .map(Self::Id)
                .ok_or(SpaceRefError::Id),
            None => Ok(Self::Name(text.parse()?)),
        }
    }
}

impl fmt::Display for SpaceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Id(id) => write!(f, "@{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_kernel() {
        for good in ["a", "7", "web", "a.b_c-D", &"x".repeat(63)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            ".a",
            "_a",
            "a b",
            "a:b",
            "@a",
            "ä",
            "a\0",
            &"x".repeat(64),
        ] {
            assert_eq!(bad.parse::<Name>(), Err(NameError), "{bad:?}");
        }
    }

    #[test]
    fn names_survive_the_way_to_the_kernel_and_back() {
        let name: Name = "x".repeat(63).parse().unwrap();
        assert_eq!(name.to_raw()[63], 0);
        assert_eq!(Name::from_raw(&name.to_raw()), Some(name));
        assert_eq!(Name::from_raw(&[0; NAME_SIZE]), None);
    }

    #[test]
    fn zero_and_negative_are_no_numbers() {
        assert_eq!(LocalNr::new(0), None);
        assert_eq!(GlobalNr::new(0x8000_0000), None);
        assert_eq!(GlobalNr::from_raw(-1), None);
        assert_eq!(LocalNr::new(7).map(LocalNr::as_raw), Some(7));
        assert_eq!(SpaceId::new(0), None);
    }

    #[test]
    fn spaces_are_named_or_numbered() {
        assert_eq!("web".parse(), Ok(SpaceRef::Name("web".parse().unwrap())));
        assert_eq!("12".parse(), Ok(SpaceRef::Name("12".parse().unwrap())));
        assert_eq!("@12".parse(), Ok(SpaceRef::Id(SpaceId::new(12).unwrap())));
        for bad in ["@", "@0", "@x", "@-1"] {
            assert_eq!(bad.parse::<SpaceRef>(), Err(SpaceRefError::Id), "{bad}");
        }
        assert!(":".parse::<SpaceRef>().is_err());
        assert_eq!("@12".parse::<SpaceRef>().unwrap().to_string(), "@12");
    }
}
