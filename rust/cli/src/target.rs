// SPDX-License-Identifier: GPL-2.0

//! What a command is about: a space, a number in it, or a global number.

use std::str::FromStr;

use pidspace_client::{GlobalNr, LocalNr, SpaceRef, SpaceRefError};

/// Why a string is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(transparent)]
    Space(#[from] SpaceRefError),
    #[error("what follows the ':' must be a local number")]
    Local,
    #[error("it must be SPACE:NR or a global number")]
    Global,
}

/// A space, or by `SPACE:NR` what of it kill(2) means by NR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) space: SpaceRef,
    pub(crate) nr: Option<i32>,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (space, nr) = match text.split_once(':') {
            None => (text, None),
            Some((space, nr)) => (space, Some(nr.parse().map_err(|_| TargetError::Local)?)),
        };
        Ok(Self {
            space: space.parse()?,
            nr,
        })
    }
}

/// A number to translate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Number {
    Local(SpaceRef, LocalNr),
    Global(GlobalNr),
}

impl FromStr for Number {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let Some((space, nr)) = text.split_once(':') else {
            let nr = text.parse().ok().and_then(GlobalNr::new);
            return nr.map(Self::Global).ok_or(TargetError::Global);
        };
        let nr = nr.parse().ok().and_then(LocalNr::new);
        Ok(Self::Local(space.parse()?, nr.ok_or(TargetError::Local)?))
    }
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
        let local = Number::Local("12".parse().unwrap(), LocalNr::new(3).unwrap());
        assert_eq!("12:3".parse(), Ok(local));
        assert_eq!("web".parse::<Number>(), Err(TargetError::Global));
        assert_eq!("0".parse::<Number>(), Err(TargetError::Global));
        assert_eq!("web:0".parse::<Number>(), Err(TargetError::Local));
        assert_eq!("web:-1".parse::<Number>(), Err(TargetError::Local));
    }
}
