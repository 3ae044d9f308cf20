// SPDX-License-Identifier: GPL-2.0

//! What the guest measured.

use crate::document::Guest;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which figure: an operation, where it was measured, and for how many things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) row: String,
    pub(crate) variant: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) n: Option<u64>,
}

/// A figure, as the guest prints it: instructions or bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    #[serde(flatten)]
    pub(crate) key: Key,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instructions: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<f64>,
}

#[derive(Deserialize)]
struct About {
    release: String,
}

#[derive(Deserialize)]
struct Modes {
    modes: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Figure(Figure),
    About(About),
    Modes(Modes),
}

/// All figures of a run.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The architecture, as Debian calls it.
    pub(crate) arch: String,
    /// The release of the guest's kernel.
    pub(crate) release: String,
    /// The modes of the module, one bit each.
    pub(crate) modes: u32,
    #[serde(with = "as_list")]
    figures: BTreeMap<Key, Figure>,
}

impl Figures {
    /// Reads the lines that the guest printed.
    pub(crate) fn parse(arch: &str, text: &str) -> Result<Self> {
        let mut figures = Self {
            arch: arch.to_owned(),
            ..Self::default()
        };
        for line in text.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str(line)
                .with_context(|| format!("a line is none of ours: {line}"))?
            {
                Line::Figure(figure) => drop(figures.figures.insert(figure.key.clone(), figure)),
                Line::About(about) => figures.release = about.release,
                Line::Modes(modes) => figures.modes = modes.modes,
            }
        }
        Ok(figures)
    }

    /// Returns where all of it was measured.
    pub(crate) fn guest(&self) -> Guest<'_> {
        Guest {
            arch: &self.arch,
            release: &self.release,
        }
    }

    /// Returns the value of a figure: instructions, or bytes.
    pub(crate) fn get(&self, row: &str, variant: &str, n: Option<u64>) -> Option<f64> {
        let key = Key {
            row: row.to_owned(),
            variant: variant.to_owned(),
            n,
        };
        let figure = self.figures.get(&key)?;
        figure.instructions.or(figure.bytes)
    }

    /// Returns what an operation costs more than without the module. Who was measured beside
    /// neighbours is compared with who had them then.
    pub(crate) fn more_than_bare(&self, row: &str, variant: &str) -> Option<f64> {
        let bare = match variant {
            "outsider" | "scope_outsider" => "neighbours",
            _ => "bare",
        };
        Some(self.get(row, variant, None)? - self.get(row, bare, None)?)
    }

    /// Returns for which sizes an operation was measured, in order.
    pub(crate) fn sizes(&self, row: &str, variant: &str) -> Vec<u64> {
        let ours = |key: &&Key| key.row == row && key.variant == variant;
        self.figures
            .keys()
            .filter(ours)
            .filter_map(|key| key.n)
            .collect()
    }
}

/// A map is a list in JSON, where keys are strings only.
mod as_list {
    use super::{Figure, Key};
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Key, Figure>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Key, Figure>, D::Error> {
        let figures = Vec::<Figure>::deserialize(deserializer)?;
        Ok(figures
            .into_iter()
            .map(|figure| (figure.key.clone(), figure))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Figures;

    #[test]
    fn lines_are_read_and_found_by_size() {
        let text = r#"{"release": "7.3", "machine": "x86_64"}
{"row": "fork", "variant": "bare", "instructions": 5.0, "mean": 6.0}
{"modes": 3}
{"row": "fork", "variant": "bare", "n": 10, "instructions": 7.0}
{"row": "member", "variant": "track", "n": 10, "bytes": 8.0}"#;
        let figures = Figures::parse("amd64", text).unwrap();
        assert_eq!(figures.release, "7.3");
        assert_eq!(figures.modes, 3);
        assert_eq!(figures.get("fork", "bare", None), Some(5.0));
        assert_eq!(figures.get("fork", "bare", Some(10)), Some(7.0));
        assert_eq!(figures.get("member", "track", Some(10)), Some(8.0));
        assert_eq!(figures.get("fork", "track", None), None);
        assert_eq!(figures.sizes("fork", "bare"), [10]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let figures = Figures::parse(
            "amd64",
            r#"{"row": "fork", "variant": "bare", "instructions": 5.0}"#,
        )
        .unwrap();
        let text = serde_json::to_string(&figures).unwrap();
        let again: Figures = serde_json::from_str(&text).unwrap();
        assert_eq!(again.get("fork", "bare", None), Some(5.0));
    }

    #[test]
    fn other_lines_are_an_error() {
        assert!(Figures::parse("amd64", "Segmentation fault").is_err());
    }
}
