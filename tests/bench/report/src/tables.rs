// SPDX-License-Identifier: GPL-2.0

//! The figures as tables for people.

mod rows;

use self::rows::{
    Beside, COMMANDS, HEADLINES, MEMBERS, MEMORY, OURS, PEERS, PROCESS, RANGE, SPACES, STORM,
};
use crate::{
    budgets::{Standing, Verdict},
    figures::Figures,
    number,
    table::Table,
};

const NONE: &str = "-";

/// All tables that there are figures for.
pub(crate) fn all(figures: &Figures, verdicts: &[Verdict]) -> Vec<Table> {
    let tables = [
        differences(
            figures,
            "process",
            "What a program pays, more than without the module",
            OURS,
        ),
        differences(
            figures,
            "peers",
            "The same beside what Linux has, more than without either",
            PEERS,
        ),
        ratios(figures),
        beside(
            figures,
            "device",
            "What the commands cost",
            "process device adoption ending scale",
            COMMANDS,
        ),
        beside(figures, "headlines", "In short", "", HEADLINES),
        sizes(
            figures,
            "storm",
            "A fork, by the number of CPUs on which processes fork at once",
            "storm",
            STORM,
            ("storm", "track"),
            |n| number(n as f64),
        ),
        sizes(
            figures,
            "members",
            "By the number of members",
            "scale",
            MEMBERS,
            ("vfork", "track"),
            |n| number(n as f64),
        ),
        sizes(
            figures,
            "spaces",
            "By the number of spaces",
            "scale",
            SPACES,
            ("vfork", "spaces"),
            |n| number(n as f64),
        ),
        sizes(
            figures,
            "range",
            "A range of 4194304 numbers, by how much of it is used",
            "range",
            RANGE,
            ("alloc", "pidmap"),
            |n| format!("{} %", n as f64 / 10.0),
        ),
        memory(figures),
        budgets(verdicts),
    ];
    tables
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

fn shown(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), number)
}

fn signed(value: Option<f64>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(value) if value < 0.0 => number(value),
        Some(value) => format!("+{}", number(value)),
    }
}

/// A column for each variant that was measured, as the difference to the bare kernel.
fn differences(
    figures: &Figures,
    name: &'static str,
    title: &'static str,
    variants: &[(&str, &str)],
) -> Table {
    let measured: Vec<_> = variants
        .iter()
        .filter(|(_, variant)| figures.get("fork", variant, None).is_some())
        .collect();
    let mut head = vec!["operation".to_owned(), "bare".to_owned()];
    head.extend(measured.iter().map(|(label, _)| (*label).to_owned()));
    let row = |(label, row): &(&str, &str)| {
        let bare = figures.get(row, "bare", None)?;
        let mut cells = vec![(*label).to_owned(), number(bare)];
        cells.extend(
            measured
                .iter()
                .map(|(_, variant)| signed(figures.more_than_bare(row, variant))),
        );
        Some(cells)
    };
    Table {
        name,
        title,
        parts: "process",
        head,
        rows: PROCESS.iter().filter_map(row).collect(),
        notes: Vec::new(),
    }
}

/// What a member pays for the whole of an operation, for each instruction that others pay.
fn ratios(figures: &Figures) -> Table {
    let row = |(label, row): &(&str, &str)| {
        let ours = figures.get(row, "track", None)?;
        let ratio = |variant| {
            figures
                .get(row, variant, None)
                .map_or(NONE.to_owned(), |peer| format!("{:.3}", ours / peer))
        };
        let mut cells = vec![(*label).to_owned(), number(ours), ratio("bare")];
        cells.extend(PEERS.iter().skip(1).map(|(_, variant)| ratio(variant)));
        Some(cells)
    };
    let mut head = ["operation", "member", "/ bare"]
        .map(str::to_owned)
        .to_vec();
    head.extend(PEERS.iter().skip(1).map(|(label, _)| format!("/ {label}")));
    Table {
        name: "ratios",
        title: "What a member pays, as a ratio to what others pay",
        parts: "process",
        head,
        rows: PROCESS.iter().filter_map(row).collect(),
        notes: Vec::new(),
    }
}

/// Figures of pidspace, each beside one of Linux's own.
fn beside(
    figures: &Figures,
    name: &'static str,
    title: &'static str,
    parts: &'static str,
    list: &[Beside],
) -> Table {
    let get = |(row, variant, n)| figures.get(row, variant, n);
    let row = |&(label, ours, peer_label, peer): &Beside| {
        let (ours, peer) = (get(ours)?, get(peer)?);
        Some(vec![
            label.to_owned(),
            number(ours),
            peer_label.to_owned(),
            number(peer),
            format!("{:.2}", ours / peer),
        ])
    };
    Table {
        name,
        title,
        parts,
        head: ["pidspace", "costs", "beside", "costs", "ratio"]
            .map(str::to_owned)
            .to_vec(),
        rows: list.iter().filter_map(row).collect(),
        notes: Vec::new(),
    }
}

/// A column for each size that was measured of `leading`.
fn sizes(
    figures: &Figures,
    name: &'static str,
    title: &'static str,
    parts: &'static str,
    rows: &[(&str, &str, &str)],
    leading: (&str, &str),
    label: impl Fn(u64) -> String,
) -> Table {
    let sizes = figures.sizes(leading.0, leading.1);
    let mut head = vec!["operation".to_owned()];
    head.extend(sizes.iter().map(|&n| label(n)));
    let row = |&(label, row, variant): &(&str, &str, &str)| {
        let mut cells = vec![label.to_owned()];
        cells.extend(
            sizes
                .iter()
                .map(|&n| shown(figures.get(row, variant, Some(n)))),
        );
        cells
            .iter()
            .skip(1)
            .any(|cell| cell != NONE)
            .then_some(cells)
    };
    Table {
        name,
        title,
        parts,
        head,
        rows: rows.iter().filter_map(row).collect(),
        notes: Vec::new(),
    }
}

fn memory(figures: &Figures) -> Table {
    let each = |&(label, row, variant): &(&str, &str, &str)| {
        let bytes = figures.get(row, variant, Some(10000))?;
        Some(vec![label.to_owned(), number(bytes)])
    };
    let mut rows: Vec<_> = MEMORY.iter().filter_map(each).collect();
    if let Some(bytes) = figures.get("growth", "track", None) {
        rows.push(vec![
            "left behind by many forks and exits, in all".to_owned(),
            number(bytes),
        ]);
    }
    Table {
        name: "memory",
        title: "Bytes of memory",
        parts: "memory",
        head: ["thing", "bytes"].map(str::to_owned).to_vec(),
        rows,
        notes: Vec::new(),
    }
}

fn budgets(verdicts: &[Verdict]) -> Table {
    let row = |verdict: &Verdict| {
        vec![
            verdict.what.clone(),
            verdict.found.clone(),
            verdict.bound.clone(),
            verdict
                .used
                .map_or(NONE.to_owned(), |used| format!("{:.0} %", used * 100.0)),
            match &verdict.standing {
                Standing::Met => "met".to_owned(),
                Standing::Floor { limit, .. } => format!("budget missed, floor {limit}"),
                Standing::Exceeded => "exceeded".to_owned(),
                Standing::NotMeasured => "not measured".to_owned(),
            },
        ]
    };
    let note = |verdict: &Verdict| match &verdict.standing {
        Standing::Floor { why, .. } => Some(format!("{}: {why}", verdict.what)),
        _ => None,
    };
    Table {
        name: "budgets",
        title: "Budgets",
        parts: "",
        head: ["what", "figure", "budget", "used", "verdict"]
            .map(str::to_owned)
            .to_vec(),
        rows: verdicts.iter().map(row).collect(),
        notes: verdicts.iter().filter_map(note).collect(),
    }
}
