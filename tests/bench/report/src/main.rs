// SPDX-License-Identifier: GPL-2.0

//! What a run of the benchmark says: tables, plots, verdicts, and the documentation's figures.

mod budgets;
mod document;
mod figures;
mod plots;
mod profile;
mod table;
mod tables;
mod windows;

use anyhow::{Context, Result};
use budgets::Standing;
use clap::{Args, Parser, Subcommand};
use document::{Format, Guest};
use figures::Figures;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};
use table::Table;

#[derive(Parser)]
#[command(about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Report on the figures that a guest printed.
    Figures(FiguresArgs),
    /// Print what a plugin counted, by function, and put it in the documentation.
    Profile(profile::ProfileArgs),
}

#[derive(Args)]
struct FiguresArgs {
    /// What the guest printed.
    lines: PathBuf,
    /// The guest's architecture.
    #[arg(long)]
    arch: String,
    /// What things may cost.
    #[arg(long)]
    budgets: PathBuf,
    /// Where the figures go, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// Where the plots go.
    #[arg(long)]
    plots: PathBuf,
    /// Put the tables in this page.
    #[arg(long)]
    page: Vec<PathBuf>,
    /// Fail where a budget is exceeded.
    #[arg(long)]
    check: bool,
    /// Judge only what was measured.
    #[arg(long)]
    partial: bool,
}

/// Returns `value` as people read it: whole, unless it is small, with spaces between thousands.
fn number(value: f64) -> String {
    if value.abs() < 100.0 && value.fract().abs() >= 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    if value <= -0.5 {
        text.insert(0, '-');
    }
    text
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// Puts tables in pages of the documentation.
fn rewrite(pages: &[PathBuf], guest: Guest<'_>, tables: &[Table]) -> Result<()> {
    for page in pages {
        let text = document::fill_in(&read(page)?, Format::of(page), guest, tables)?;
        write(page, &text)?;
    }
    Ok(())
}

fn report(args: &FiguresArgs) -> Result<ExitCode> {
    let figures = Figures::parse(&args.arch, &read(&args.lines)?)?;
    let mut verdicts = budgets::judge(&figures, &read(&args.budgets)?)?;
    if args.partial {
        verdicts.retain(|verdict| verdict.standing != Standing::NotMeasured);
    }
    let tables = tables::all(&figures, &verdicts);
    for table in &tables {
        println!("{}", table.text());
    }
    write(
        &args.out.join(format!("{}.json", args.arch)),
        &serde_json::to_string_pretty(&figures)?,
    )?;
    plots::draw(&figures, &args.plots)?;
    rewrite(&args.page, figures.guest(), &tables)?;
    let mut code = ExitCode::SUCCESS;
    if args.check {
        for verdict in verdicts.iter().filter(|verdict| !verdict.is_passed()) {
            eprintln!("pidspace: bench: {}", verdict.sentence());
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Figures(args) => report(&args),
        Command::Profile(args) => profile::report(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(1234567.4), "1 234 567");
        assert_eq!(number(-1234.0), "-1 234");
        assert_eq!(number(999.9), "1 000");
        assert_eq!(number(64.6), "64.6");
        assert_eq!(number(64.0), "64");
        assert_eq!(number(-0.2), "-0.2");
        assert_eq!(number(0.0), "0");
    }
}
