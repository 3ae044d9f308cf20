// SPDX-License-Identifier: GPL-2.0

use super::{judge, Standing};
use crate::figures::Figures;

const FIGURES: &str = r#"{"modes": 1}
{"row": "fork", "variant": "bare", "instructions": 1000.0}
{"row": "fork", "variant": "track", "instructions": 1300.0}"#;

fn judged(bound: &str) -> (Standing, String) {
    let figures = Figures::parse("amd64", FIGURES).unwrap();
    let text =
        format!("[[budget]]\nwhat = \"a fork\"\nrow = \"fork\"\nvariant = \"track\"\n{bound}");
    let mut verdicts = judge(&figures, &text).unwrap();
    let verdict = verdicts.remove(0);
    assert_eq!(
        verdict.is_passed(),
        !matches!(verdict.standing, Standing::Exceeded | Standing::NotMeasured)
    );
    let sentence = verdict.sentence();
    (verdict.standing, sentence)
}

#[test]
fn each_kind_of_bound_is_met_up_to_itself() {
    for bound in [
        "base_variant = \"bare\"\nplus = 300",
        "base_variant = \"bare\"\ntimes = 1.3",
        "most = 1300",
    ] {
        assert_eq!(judged(bound).0, Standing::Met);
    }
}

#[test]
fn more_is_told_in_a_sentence() {
    let (standing, sentence) = judged("base_variant = \"bare\"\nplus = 250");
    assert_eq!(standing, Standing::Exceeded);
    assert_eq!(
        sentence,
        "a fork: +300, and the budget is +250 over fork bare"
    );
}

#[test]
fn noise_is_allowed_for() {
    assert_eq!(judged("most = 1290\nnoise = 10").0, Standing::Met);
    assert_eq!(judged("most = 1290\nnoise = 9").0, Standing::Exceeded);
}

#[test]
fn a_floor_is_above_the_budget() {
    let floor = |limit| {
        judged(&format!(
            "most = 1000\nfloor = {{ limit = {limit}, why = \"so\" }}"
        ))
    };
    let expected = Standing::Floor {
        limit: "1 300".to_owned(),
        why: "so".to_owned(),
    };
    assert_eq!(floor(1300).0, expected);
    assert_eq!(floor(1299).0, Standing::Exceeded);
}

#[test]
fn what_was_not_measured_is_not_met() {
    assert_eq!(
        judged("n = 5\nmost = 1300"),
        (Standing::NotMeasured, "a fork: was not measured".to_owned())
    );
}

#[test]
fn what_the_module_lacks_does_not_count() {
    let figures = Figures::parse("amd64", FIGURES).unwrap();
    let text = "[[budget]]\nwhat = \"a\"\nrow = \"a\"\nvariant = \"a\"\nmost = 1\nmode = 1";
    assert!(judge(&figures, text).unwrap().is_empty());
}

#[test]
fn a_budget_without_a_bound_is_an_error() {
    let figures = Figures::parse("amd64", FIGURES).unwrap();
    let text = "[[budget]]\nwhat = \"a\"\nrow = \"a\"\nvariant = \"a\"";
    assert!(judge(&figures, text).is_err());
}
