// SPDX-License-Identifier: GPL-2.0

//! What a command is about: a space, a number in it, or a global number.

use std::fmt;
use std::str::FromStr;

use pidspace_client::{GlobalNr, LocalNr, SpaceRef, SpaceRefError};

use crate::error::Error;

/// Why a string is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(transparent)]
    Space(#[from] SpaceRefError),
    #[error("what follows the ':' must be a local number")]
    Local,
    #[error("what follows the '@' of a number must be its generation, a number above 0")]
    Generation,
    #[error("only a process or a process group has a generation")]
    NoGeneration,
    #[error("it must be SPACE:NR or a global number")]
    Global,
}

/// Splits `NR[@GEN]`.
fn split_generation(text: &str) -> Result<(&str, Option<u64>), TargetError> {
    let Some((nr, generation)) = text.split_once('@') else {
        return Ok((text, None));
    };
    match generation.parse() {
        Ok(0) | Err(_) => Err(TargetError::Generation),
        Ok(generation) => Ok((nr, Some(generation))),
    }
}

/// A space, or by `SPACE:NR[@GEN]` what of it kill(2) means by NR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) space: SpaceRef,
    pub(crate) nr: Option<i32>,
    pub(crate) generation: Option<u64>,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let Some((space, number)) = text.split_once(':') else {
            return Ok(Self {
                space: text.parse()?,
                nr: None,
                generation: None,
            });
        };
        let (nr, generation) = split_generation(number)?;
        let nr = nr.parse().map_err(|_| TargetError::Local)?;
        if generation.is_some() && matches!(nr, 0 | -1) {
            return Err(TargetError::NoGeneration);
        }
        Ok(Self {
            space: space.parse()?,
            nr: Some(nr),
            generation,
        })
    }
}

/// A member, `SPACE:NR` or, when only one use of the number is meant, `SPACE:NR@GEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) space: SpaceRef,
    pub(crate) nr: LocalNr,
    generation: Option<u64>,
}

impl Local {
    /// Takes apart what stands before and behind the ':'.
    fn new(space: &str, number: &str) -> Result<Self, TargetError> {
        let (nr, generation) = split_generation(number)?;
        let nr = nr.parse().ok().and_then(LocalNr::new);
        Ok(Self {
            space: space.parse()?,
            nr: nr.ok_or(TargetError::Local)?,
            generation,
        })
    }

    /// Makes sure that the number, found with `generation`, is the one that is meant.
    pub(crate) fn check(&self, generation: u64) -> Result<(), Error> {
        match self.generation {
            Some(meant) if meant != generation => Err(Error::Recycled {
                space: self.space.clone(),
                nr: self.nr,
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} local", self.space, self.nr)
    }
}

/// A number to translate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Number {
    Local(Local),
    Global(GlobalNr),
}

impl FromStr for Number {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text.split_once(':') {
            Some((space, number)) => Local::new(space, number).map(Self::Local),
            None => global(text).map(Self::Global),
        }
    }
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Waitable {
    Space(SpaceRef),
    Member(Local),
}

impl FromStr for Waitable {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text.split_once(':') {
            Some((space, number)) => Local::new(space, number).map(Self::Member),
            None => Ok(Self::Space(text.parse()?)),
        }
    }
}

/// Reads a global number.
pub(crate) fn global(text: &str) -> Result<GlobalNr, TargetError> {
    let nr = text.parse().ok().and_then(GlobalNr::new);
    nr.ok_or(TargetError::Global)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_spaces_or_numbers_in_them() {
        let target = |text: &str| text.parse::<Target>().map(|t| (t.space.to_string(), t.nr));
        assert_eq!(target("web"), Ok(("web".into(), None)));
        assert_eq!(target("12"), Ok(("12".into(), None)));
        assert_eq!(target("@12:3"), Ok(("@12".into(), Some(3))));
        assert_eq!(target("web:-7"), Ok(("web".into(), Some(-7))));
        assert_eq!(target("web:"), Err(TargetError::Local));
        assert_eq!(target("web:1:2"), Err(TargetError::Local));
        assert!(target(":1").is_err());
    }

    #[test]
    fn numbers_are_local_with_a_space_and_global_without() {
        let global = GlobalNr::new(12).unwrap();
        assert_eq!("12".parse(), Ok(Number::Global(global)));
        let local = Local {
            space: "12".parse().unwrap(),
            nr: LocalNr::new(3).unwrap(),
            generation: None,
        };
        assert_eq!("12:3".parse(), Ok(Number::Local(local)));
        assert_eq!("web".parse::<Number>(), Err(TargetError::Global));
        assert_eq!("0".parse::<Number>(), Err(TargetError::Global));
        assert_eq!("web:0".parse::<Number>(), Err(TargetError::Local));
        assert_eq!("web:-1".parse::<Number>(), Err(TargetError::Local));
    }

    #[test]
    fn a_generation_follows_the_number() {
        let target = |text: &str| text.parse::<Target>().map(|t| (t.nr, t.generation));
        assert_eq!(target("web:17@5"), Ok((Some(17), Some(5))));
        assert_eq!(target("@3:-17@5"), Ok((Some(-17), Some(5))));
        for bad in ["web:17@", "web:17@0", "web:17@x", "web:17@5@6"] {
            assert_eq!(target(bad), Err(TargetError::Generation), "{bad}");
        }
        for bad in ["web:0@5", "web:-1@5"] {
            assert_eq!(target(bad), Err(TargetError::NoGeneration), "{bad}");
        }
        assert_eq!(target("web:@5"), Err(TargetError::Local));
        let Ok(Number::Local(local)) = "web:17@5".parse() else {
            panic!("it is a local number")
        };
        assert!(local.check(5).is_ok());
        let sentence = "number 17 of 'web' is another process by now";
        assert_eq!(local.check(6).unwrap_err().to_string(), sentence);
    }

    #[test]
    fn spaces_and_members_can_be_waited_for() {
        assert!(matches!("web".parse(), Ok(Waitable::Space(_))));
        assert!(matches!("web:1".parse(), Ok(Waitable::Member(_))));
        assert_eq!("web:-1".parse::<Waitable>(), Err(TargetError::Local));
    }
}
