// SPDX-License-Identifier: GPL-2.0

//! What things may cost, and whether they do.

use crate::{figures::Figures, number};
use anyhow::{bail, Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    budget: Vec<Budget>,
}

/// An entry of `budgets.toml`, which describes the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    what: String,
    row: String,
    variant: String,
    n: Option<u64>,
    base_row: Option<String>,
    base_variant: Option<String>,
    base_n: Option<u64>,
    plus: Option<f64>,
    times: Option<f64>,
    most: Option<f64>,
    #[serde(default)]
    noise: f64,
    floor: Option<Floor>,
    mode: Option<u32>,
}

/// How far down a cost can be brought, where that is not within the budget.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Floor {
    limit: f64,
    why: String,
}

/// The bound of a budget.
#[derive(Clone, Copy)]
enum Bound {
    Plus(f64),
    Times(f64),
    Most(f64),
}

/// How a budget stands.
#[derive(Debug, PartialEq)]
pub(crate) enum Standing {
    Met,
    /// Missed, and within the documented floor.
    Floor {
        limit: String,
        why: String,
    },
    Exceeded,
    NotMeasured,
}

/// A budget, and what was found.
pub(crate) struct Verdict {
    pub(crate) what: String,
    /// The figure as the bound has it: as a difference, a ratio, or itself.
    pub(crate) found: String,
    pub(crate) bound: String,
    /// How much of the budget is used up; [`None`] when there is no figure.
    pub(crate) used: Option<f64>,
    pub(crate) standing: Standing,
}

impl Verdict {
    pub(crate) fn is_passed(&self) -> bool {
        matches!(self.standing, Standing::Met | Standing::Floor { .. })
    }

    /// One sentence for whoever has to mend it.
    pub(crate) fn sentence(&self) -> String {
        match self.standing {
            Standing::NotMeasured => format!("{}: was not measured", self.what),
            _ => format!(
                "{}: {}, and the budget is {}",
                self.what, self.found, self.bound
            ),
        }
    }
}

/// Judges all budgets that apply.
pub(crate) fn judge(figures: &Figures, budgets: &str) -> Result<Vec<Verdict>> {
    let file: File = toml::from_str(budgets).context("the budgets cannot be read")?;
    let applies = |budget: &&Budget| {
        budget
            .mode
            .is_none_or(|mode| (figures.modes >> mode) & 1 == 1)
    };
    file.budget
        .iter()
        .filter(applies)
        .map(|budget| budget.judge(figures))
        .collect()
}

impl Bound {
    fn limit(self) -> f64 {
        match self {
            Self::Plus(limit) | Self::Times(limit) | Self::Most(limit) => limit,
        }
    }

    /// The figure that the bound is about.
    fn measure(self, value: f64, base: f64) -> f64 {
        match self {
            Self::Plus(_) => value - base,
            Self::Times(_) => value / base,
            Self::Most(_) => value,
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Plus(_) if value >= 0.0 => format!("+{}", number(value)),
            Self::Times(_) => format!("{:.3} times", value),
            _ => number(value),
        }
    }
}

impl Budget {
    fn bound(&self) -> Result<Bound> {
        match (self.plus, self.times, self.most, &self.base_variant) {
            (Some(plus), None, None, Some(_)) => Ok(Bound::Plus(plus)),
            (None, Some(times), None, Some(_)) => Ok(Bound::Times(times)),
            (None, None, Some(most), None) => Ok(Bound::Most(most)),
            _ => bail!(
                "the budget of '{}' needs one bound, and a base for 'plus' and 'times'",
                self.what
            ),
        }
    }

    fn describe(&self, bound: Bound) -> String {
        let row = self.base_row.as_ref().unwrap_or(&self.row);
        let variant = self.base_variant.as_deref().unwrap_or_default();
        match bound {
            Bound::Plus(plus) => format!("+{} over {row} {variant}", number(plus)),
            Bound::Times(times) => format!("{times} times {row} {variant}"),
            Bound::Most(most) => number(most),
        }
    }

    /// The figure as the bound has it.
    fn find(&self, figures: &Figures, bound: Bound) -> Option<f64> {
        let value = figures.get(&self.row, &self.variant, self.n)?;
        let base = match &self.base_variant {
            Some(variant) => figures.get(
                self.base_row.as_ref().unwrap_or(&self.row),
                variant,
                self.base_n.or(self.n),
            )?,
            None => 0.0,
        };
        Some(bound.measure(value, base))
    }

    fn stand(&self, bound: Bound, found: Option<f64>) -> Standing {
        let Some(found) = found else {
            return Standing::NotMeasured;
        };
        if found <= bound.limit() + self.noise {
            return Standing::Met;
        }
        match &self.floor {
            Some(floor) if found <= floor.limit + self.noise => Standing::Floor {
                limit: bound.show(floor.limit),
                why: floor.why.clone(),
            },
            _ => Standing::Exceeded,
        }
    }

    fn judge(&self, figures: &Figures) -> Result<Verdict> {
        let bound = self.bound()?;
        let found = self.find(figures, bound);
        Ok(Verdict {
            what: self.what.clone(),
            found: found.map_or("not measured".to_owned(), |found| bound.show(found)),
            bound: self.describe(bound),
            used: found.map(|found| found / bound.limit()),
            standing: self.stand(bound, found),
        })
    }
}

#[cfg(test)]
mod tests;
