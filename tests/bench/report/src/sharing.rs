// SPDX-License-Identifier: GPL-2.0

//! Which memory CPUs share, that do the same at once.

use crate::{number, table::Table, windows::Output};
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};

/// How an instruction uses a cache line that is shared.
struct Use {
    window: usize,
    line: u64,
    function: String,
    /// For each call of the operation.
    uses: f64,
    writes: f64,
}

fn parse(text: &str, output: &Output) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    for text in text.lines() {
        let mut fields = text.split(' ');
        let mut field = |radix| {
            u64::from_str_radix(fields.next().unwrap_or_default(), radix)
                .with_context(|| text.to_owned())
        };
        let window = usize::try_from(field(10)?)?;
        let (line, instruction) = (field(16)?, field(16)?);
        let (count, writes) = (field(10)? as f64, field(10)? as f64);
        let Some(calls) = output.windows.get(window).map(|window| window.calls) else {
            continue;
        };
        uses.push(Use {
            window,
            line,
            function: output.symbols.name(instruction),
            uses: count / calls,
            writes: writes / calls,
        });
    }
    Ok(uses)
}

fn is_of_module(function: &str) -> bool {
    function.ends_with(" [pidspace]")
}

/// A row: what it is called, and a cell for each window.
fn row(label: &str, output: &Output, cell: impl Fn(usize) -> String) -> Vec<String> {
    let mut cells = vec![label.to_owned()];
    cells.extend((0..output.windows.len()).map(cell));
    cells
}

/// How many lines there are, and how often each call uses and writes them.
fn sums(label: &str, output: &Output, uses: &[&Use]) -> Vec<Vec<String>> {
    let of = |window: usize| uses.iter().filter(move |found| found.window == window);
    let lines = |window| {
        of(window)
            .map(|found| found.line)
            .collect::<BTreeSet<_>>()
            .len()
    };
    let sum = |window, value: fn(&Use) -> f64| of(window).map(|found| value(found)).sum::<f64>();
    vec![
        row(&format!("{label}: cache lines"), output, |at| {
            lines(at).to_string()
        }),
        row("... uses by each fork", output, |at| {
            number(sum(at, |found| found.uses))
        }),
        row("... of them writes", output, |at| {
            number(sum(at, |found| found.writes))
        }),
    ]
}

/// The functions that use these lines, by how often they do.
fn functions(output: &Output, uses: &[&Use]) -> Vec<Vec<String>> {
    let mut costs = BTreeMap::<&str, Vec<f64>>::new();
    for found in uses {
        let cells = costs
            .entry(&found.function)
            .or_insert_with(|| vec![0.0; output.windows.len()]);
        cells[found.window] += found.uses;
    }
    let most = |cells: &[f64]| cells.iter().copied().fold(0.0, f64::max);
    let mut told: Vec<_> = costs
        .into_iter()
        .filter(|(_, cells)| most(cells) >= 0.05)
        .collect();
    told.sort_by(|a, b| most(&b.1).total_cmp(&most(&a.1)));
    told.iter()
        .map(|(name, cells)| row(name, output, |at| number(cells[at])))
        .collect()
}

/// The table of what is shared: all of it, and by function what the module has a part in.
pub(crate) fn tables(counts: &str, output: &Output) -> Result<Vec<Table>> {
    let all = parse(counts, output)?;
    let touched: BTreeSet<_> = all
        .iter()
        .filter(|found| is_of_module(&found.function))
        .map(|found| (found.window, found.line))
        .collect();
    let all: Vec<_> = all.iter().collect();
    let ours: Vec<_> = all
        .iter()
        .copied()
        .filter(|found| touched.contains(&(found.window, found.line)))
        .collect();
    let mut rows = sums("all", output, &all);
    rows.extend(sums("used by the module", output, &ours));
    rows.extend(functions(output, &ours));
    let mut head = vec!["memory that CPUs share".to_owned()];
    head.extend(output.windows.iter().map(|window| window.variant.clone()));
    Ok(vec![Table {
        name: "sharing",
        title: "Which memory CPUs share",
        parts: "--sharing",
        head,
        rows,
        notes: Vec::new(),
    }])
}

#[cfg(test)]
mod tests {
    use super::tables;
    use crate::windows;

    #[test]
    fn the_lines_of_the_module_are_told_from_all() {
        let output = windows::parse(
            "window sharing bare 2\nwindow sharing track 2\nffffffff80000000 T lock\nffffffff80000100 t hook\t[pidspace]\n",
        )
        .unwrap();
        let counts = "0 1000 ffffffff80000004 4 2\n1 1000 ffffffff80000004 4 2\n\
                      1 2000 ffffffff80000004 2 2\n1 2000 ffffffff80000104 6 0\n";
        let table = tables(counts, &output).unwrap().remove(0);
        let expected = [
            ["all: cache lines", "1", "2"],
            ["... uses by each fork", "2", "6"],
            ["... of them writes", "1", "2"],
            ["used by the module: cache lines", "0", "1"],
            ["... uses by each fork", "0", "4"],
            ["... of them writes", "0", "1"],
            ["hook [pidspace]", "0", "3"],
            ["lock", "0", "1"],
        ];
        assert_eq!(table.rows, expected);
    }
}
