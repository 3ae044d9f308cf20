// SPDX-License-Identifier: GPL-2.0

//! Tables and JSON, both from one description of the columns.

use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser};
use comfy_table::{presets, CellAlignment, Table};
use serde::{Serialize, Serializer};

/// How a column gets its value, which also decides its JSON type.
enum Get<R> {
    /// A string; null when there is none.
    Text(fn(&R) -> Option<String>),
    /// A number; null when there is none.
    Number(fn(&R) -> Option<u64>),
    /// Yes or no; true or false in JSON.
    Flag(fn(&R) -> bool),
    /// A time, shown as [DD-]HH:MM:SS; a number of seconds in JSON.
    Seconds(fn(&R) -> Option<u64>),
}

/// A column of a table.
pub(crate) struct Column<R> {
    name: &'static str,
    help: &'static str,
    shown: bool,
    get: Get<R>,
}

impl<R> Column<R> {
    const fn new(name: &'static str, help: &'static str, get: Get<R>) -> Self {
        Self {
            name,
            help,
            shown: true,
            get,
        }
    }

    /// A column of strings.
    pub(crate) const fn text(
        name: &'static str,
        help: &'static str,
        get: fn(&R) -> Option<String>,
    ) -> Self {
        Self::new(name, help, Get::Text(get))
    }

    /// A column of numbers.
    pub(crate) const fn number(
        name: &'static str,
        help: &'static str,
        get: fn(&R) -> Option<u64>,
    ) -> Self {
        Self::new(name, help, Get::Number(get))
    }

    /// A column of answers to a question.
    pub(crate) const fn flag(name: &'static str, help: &'static str, get: fn(&R) -> bool) -> Self {
        Self::new(name, help, Get::Flag(get))
    }

    /// A column of times.
    pub(crate) const fn seconds(
        name: &'static str,
        help: &'static str,
        get: fn(&R) -> Option<u64>,
    ) -> Self {
        Self::new(name, help, Get::Seconds(get))
    }

    /// The same, shown only when it is asked for.
    pub(crate) const fn on_request(mut self) -> Self {
        self.shown = false;
        self
    }

    /// The name of the column as a JSON key.
    fn key(&self) -> String {
        self.name.to_ascii_lowercase().replace('-', "_")
    }

    fn value(&self, row: &R) -> Value {
        match self.get {
            Get::Text(get) => get(row).map(Value::Text),
            Get::Number(get) => get(row).map(Value::Number),
            Get::Flag(get) => Some(Value::Flag(get(row))),
            Get::Seconds(get) => get(row).map(Value::Seconds),
        }
        .unwrap_or(Value::None)
    }

    fn alignment(&self) -> CellAlignment {
        match self.get {
            Get::Text(_) | Get::Flag(_) => CellAlignment::Left,
            Get::Number(_) | Get::Seconds(_) => CellAlignment::Right,
        }
    }
}

/// What stands in a table.
pub(crate) trait Row: Sized + 'static {
    /// What JSON calls the rows.
    const KEY: &'static str;
    /// All columns there are.
    const COLUMNS: &'static [Column<Self>];
}

enum Value {
    Text(String),
    Number(u64),
    Flag(bool),
    Seconds(u64),
    None,
}

impl Value {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => printable(text),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Seconds(seconds) => clock(*seconds),
            Self::None => "-".to_owned(),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) | Self::Seconds(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::None => serializer.serialize_none(),
        }
    }
}

/// A row as a JSON object, its keys in the order of the columns.
struct Object<'a, R: 'static>(&'a [&'static Column<R>], &'a R);

impl<R> Serialize for Object<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(columns, row) = self;
        let members = columns
            .iter()
            .map(|column| (column.key(), column.value(row)));
        serializer.collect_map(members)
    }
}

/// Rows as a JSON object with one array.
struct Array<'a, R: Row>(Vec<&'static Column<R>>, &'a [R]);

impl<R: Row> Serialize for Array<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(columns, rows) = self;
        let objects: Vec<_> = rows.iter().map(|row| Object(columns, row)).collect();
        serializer.collect_map([(R::KEY, objects)])
    }
}

/// Two JSON objects as one.
#[derive(Serialize)]
struct Joined<A, B> {
    #[serde(flatten)]
    first: A,
    #[serde(flatten)]
    second: B,
}

/// How rows are to be printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Listing<R: Row + Send + Sync> {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print these columns, separated by commas
    #[arg(short, long, value_name = "COLS", value_delimiter = ',', ignore_case = true,
          value_parser = column_names::<R>())]
    output: Vec<String>,
    /// Print no headings
    #[arg(short, long)]
    noheadings: bool,
    #[arg(skip)]
    rows: PhantomData<R>,
}

fn column_names<R: Row>() -> PossibleValuesParser {
    let columns = R::COLUMNS.iter();
    PossibleValuesParser::new(
        columns.map(|column| PossibleValue::new(column.name).help(column.help)),
    )
}

impl<R: Row + Send + Sync> Listing<R> {
    /// The columns that were asked for, or else those that `default` picks.
    fn columns(&self, default: fn(&Column<R>) -> bool) -> Vec<&'static Column<R>> {
        if self.output.is_empty() {
            return R::COLUMNS.iter().filter(|column| default(column)).collect();
        }
        let find = |name: &String| {
            let mut columns = R::COLUMNS.iter();
            columns.find(|column| column.name.eq_ignore_ascii_case(name))
        };
        self.output.iter().filter_map(find).collect()
    }

    /// Prints rows below each other.
    pub(crate) fn print(&self, rows: &[R], out: &mut dyn Write) -> io::Result<()> {
        let columns = self.columns(|column| column.shown);
        if self.json {
            return print_json(&Array(columns, rows), out);
        }
        print_rows(&columns, rows, self.noheadings, out)
    }

    /// Prints rows below what they have in common: a line above the headings, unless columns were
    /// asked for, and members of the object in JSON.
    pub(crate) fn print_titled(
        &self,
        title: &(impl fmt::Display + Serialize),
        rows: &[R],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.json {
            let second = Array(self.columns(|column| column.shown), rows);
            let first = title;
            return print_json(&Joined { first, second }, out);
        }
        if !self.noheadings && self.output.is_empty() {
            writeln!(out, "{title}")?;
        }
        self.print(rows, out)
    }

    /// Prints rows and, unless columns were asked for, others of another kind below.
    pub(crate) fn print_both<T: Row>(
        &self,
        rows: &[R],
        others: &[T],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if !self.output.is_empty() {
            return self.print(rows, out);
        }
        let columns: Vec<_> = T::COLUMNS.iter().filter(|column| column.shown).collect();
        if self.json {
            let first = Array(self.columns(|column| column.shown), rows);
            let second = Array(columns, others);
            return print_json(&Joined { first, second }, out);
        }
        self.print(rows, out)?;
        if others.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
        print_rows(&columns, others, self.noheadings, out)
    }

    /// Prints all columns of one row below each other.
    pub(crate) fn print_one(&self, row: &R, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.columns(|_| true);
        if self.json {
            return print_json(&Object(&columns, row), out);
        }
        let mut table = plain_table();
        for column in columns {
            let value = column.value(row).to_text();
            if self.noheadings {
                table.add_row([value]);
            } else {
                table.add_row([column.name.to_owned(), value]);
            }
        }
        print_table(&mut table, out)
    }
}

fn plain_table() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table
}

fn print_rows<R: Row>(
    columns: &[&'static Column<R>],
    rows: &[R],
    noheadings: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = plain_table();
    if !noheadings {
        table.set_header(columns.iter().map(|column| column.name));
    }
    for row in rows {
        table.add_row(columns.iter().map(|column| column.value(row).to_text()));
    }
    for (drawn, column) in table.column_iter_mut().zip(columns) {
        drawn.set_cell_alignment(column.alignment());
    }
    print_table(&mut table, out)
}

fn print_table(table: &mut Table, out: &mut dyn Write) -> io::Result<()> {
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    if table.row_count() == 0 && table.header().is_none() {
        return Ok(());
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// Keeps what other users put into a command line from moving the cursor about.
pub(crate) fn printable(text: &str) -> String {
    let escape = |c: char| match c {
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// Writes a time as ps(1) does.
fn clock(seconds: u64) -> String {
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    match days {
        0 => clock,
        days => format!("{days:02}-{clock}"),
    }
}

#[cfg(test)]
mod tests;
