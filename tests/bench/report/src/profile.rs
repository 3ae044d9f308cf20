// SPDX-License-Identifier: GPL-2.0

//! What is counted by function: instructions, or cache lines that come from another CPU.

use crate::{
    document::Guest,
    number, read, rewrite,
    table::Table,
    windows::{self, Output, Window},
};
use anyhow::{Context, Result};
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// What is counted of an operation.
struct Subject {
    row: &'static str,
    title: &'static str,
    /// What counts it again.
    parts: &'static str,
    /// Functions that differ by less are not told one by one.
    least: f64,
}

const fn instructions(row: &'static str) -> Subject {
    Subject {
        row,
        title: "Where the instructions go",
        parts: "--profile",
        least: 8.0,
    }
}

const SUBJECTS: &[Subject] = &[
    instructions("vfork"),
    instructions("kill_self"),
    instructions("lookup_in_space"),
    Subject {
        row: "sharing",
        title: "Cache lines that come from another CPU, for each fork",
        parts: "--sharing",
        least: 0.5,
    },
];

#[derive(Args)]
pub(crate) struct ProfileArgs {
    /// What the plugin counted.
    counts: PathBuf,
    /// What the guest printed: windows, and the kernel's symbols.
    output: PathBuf,
    /// The guest's architecture.
    #[arg(long)]
    arch: String,
    /// Put the tables in this page.
    #[arg(long)]
    page: Vec<PathBuf>,
}

/// For each function, what was counted of it in each window, per call.
type Costs = BTreeMap<String, Vec<f64>>;

fn parse_counts(text: &str, output: &Output) -> Result<Costs> {
    let mut costs = Costs::new();
    for line in text.lines() {
        let mut fields = line.split(' ');
        let mut field = |radix| {
            u64::from_str_radix(fields.next().unwrap_or_default(), radix)
                .with_context(|| line.to_owned())
        };
        let (window, address, count) = (usize::try_from(field(10)?)?, field(16)?, field(10)?);
        let Some(calls) = output.windows.get(window).map(|window| window.calls) else {
            continue;
        };
        let cells = costs
            .entry(output.symbols.name(address))
            .or_insert_with(|| vec![0.0; output.windows.len()]);
        cells[window] += count as f64 / calls;
    }
    Ok(costs)
}

/// The kernel's helpers for Rust count as well: nobody else calls them in the guest.
fn is_of_module(name: &str) -> bool {
    name.ends_with(" [pidspace]") || name.starts_with("rust_helper_")
}

/// The windows of one operation: those functions that cost differently, the most different first,
/// or the most expensive first where there is nothing to compare.
fn table(subject: &Subject, windows: &[Window], costs: &Costs) -> Table {
    let columns: Vec<_> = (0..windows.len())
        .filter(|&at| windows[at].row == subject.row)
        .collect();
    let base = |cells: &[f64]| match columns[..] {
        [_] => 0.0,
        _ => cells[columns[0]],
    };
    let furthest = |cells: &[f64]| {
        let distances = columns.iter().map(|&at| (cells[at] - base(cells)).abs());
        distances.fold(0.0, f64::max)
    };
    let mut told: Vec<_> = costs
        .iter()
        .filter(|(_, cells)| furthest(cells) >= subject.least)
        .collect();
    told.sort_by(|a, b| furthest(b.1).total_cmp(&furthest(a.1)));
    let shown = |value: f64| {
        number(if subject.least < 1.0 {
            value
        } else {
            value.round()
        })
    };
    let cells = |name: &str, value: &dyn Fn(usize) -> f64| {
        let mut cells = vec![name.to_owned()];
        cells.extend(columns.iter().map(|&at| shown(value(at))));
        cells
    };
    let sum = |at: usize, wanted: &dyn Fn(&str) -> bool| -> f64 {
        costs
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(_, cells)| cells[at])
            .sum()
    };
    let mut rows = vec![
        cells("all", &|at| sum(at, &|_| true)),
        cells("all of the module", &|at| sum(at, &is_of_module)),
    ];
    rows.extend(
        told.iter()
            .map(|(name, values)| cells(name, &|at| values[at])),
    );
    let mut head = vec![subject.row.to_owned()];
    head.extend(columns.iter().map(|&at| windows[at].variant.clone()));
    Table {
        name: subject.row,
        title: subject.title,
        parts: subject.parts,
        head,
        rows,
        notes: Vec::new(),
    }
}

/// Reports on what a plugin counted.
pub(crate) fn report(args: &ProfileArgs) -> Result<ExitCode> {
    let output = windows::parse(&read(&args.output)?)?;
    let costs = parse_counts(&read(&args.counts)?, &output)?;
    let windows = &output.windows;
    let measured = |subject: &&Subject| windows.iter().any(|window| window.row == subject.row);
    let tables: Vec<_> = SUBJECTS
        .iter()
        .filter(measured)
        .map(|subject| table(subject, windows, &costs))
        .collect();
    for table in &tables {
        println!("{}", table.text());
    }
    let guest = Guest {
        arch: &args.arch,
        release: &output.release,
    };
    rewrite(&args.page, guest, &tables)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::{instructions, parse_counts, table};
    use crate::windows;

    #[test]
    fn counts_are_summed_by_function_and_divided_by_calls() {
        let output = "window vfork bare 2\nwindow vfork loaded 2\nffffffff80000000 T fork\nffffffff80000100 t hook\t[pidspace]\n";
        let output = windows::parse(output).unwrap();
        let counts = "0 ffffffff80000004 20\n1 ffffffff80000004 20\n1 ffffffff80000104 30\n1 ffffffff80000108 2\n1 400000 4\n";
        let costs = parse_counts(counts, &output).unwrap();
        assert_eq!(costs["fork"], [10.0, 10.0]);
        assert_eq!(costs["hook [pidspace]"], [0.0, 16.0]);
        assert_eq!(costs["user space"], [0.0, 2.0]);
        let table = table(&instructions("vfork"), &output.windows, &costs);
        assert_eq!(table.rows[0], ["all", "10", "28"]);
        assert_eq!(table.rows[1], ["all of the module", "0", "16"]);
        assert_eq!(table.rows[2], ["hook [pidspace]", "0", "16"]);
        assert_eq!(table.rows.len(), 3);
    }
}
