// SPDX-License-Identifier: GPL-2.0

//! The documentation's tables, each of which stands between two comments.

use crate::table::Table;
use anyhow::{bail, Result};
use std::path::Path;

/// How a document is written.
#[derive(Clone, Copy)]
pub(crate) struct Format {
    begin: &'static str,
    /// What ends the line that `begin` begins.
    close: &'static str,
    end: &'static str,
    table: fn(&Table) -> String,
    quote: &'static str,
}

const RST: Format = Format {
    begin: ".. bench-begin ",
    close: "",
    end: ".. bench-end",
    table: Table::rst,
    quote: "``",
};
const MARKDOWN: Format = Format {
    begin: "<!-- bench-begin ",
    close: " -->",
    end: "<!-- bench-end -->",
    table: Table::markdown,
    quote: "`",
};

impl Format {
    /// Returns the one that the name of a file tells.
    pub(crate) fn of(page: &Path) -> Self {
        if page.extension().is_some_and(|extension| extension == "md") {
            MARKDOWN
        } else {
            RST
        }
    }

    /// Returns the name of the place that begins with this line.
    fn place<'a>(&self, line: &'a str) -> Option<&'a str> {
        line.strip_prefix(self.begin)?.strip_suffix(self.close)
    }
}

/// Where tables were measured.
#[derive(Clone, Copy)]
pub(crate) struct Guest<'a> {
    /// The architecture, as Debian calls it.
    pub(crate) arch: &'a str,
    /// The release of the kernel.
    pub(crate) release: &'a str,
}

/// Puts the tables of one architecture in their places, which are named `TABLE ARCH`.
///
/// # Errors
///
/// When a place has no end.
pub(crate) fn fill_in(
    text: &str,
    format: Format,
    guest: Guest<'_>,
    tables: &[Table],
) -> Result<String> {
    let mut filled = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        filled += line;
        filled.push('\n');
        let Some(place) = format.place(line) else {
            continue;
        };
        let old = until_end(&mut lines, place, format.end)?;
        match place.split_once(' ') {
            Some((name, arch)) if arch == guest.arch => {
                match tables.iter().find(|table| table.name == name) {
                    Some(table) => filled += &described(table, format, guest),
                    None => filled += &old,
                }
            }
            _ => filled += &old,
        }
        filled += format.end;
        filled.push('\n');
    }
    Ok(filled)
}

fn until_end<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    place: &str,
    end: &str,
) -> Result<String> {
    let mut old = String::new();
    for line in lines {
        if line == end {
            return Ok(old);
        }
        old += line;
        old.push('\n');
    }
    bail!("the place '{place}' of the documentation has no '{end}' after it")
}

/// A table, and how to make it again.
fn described(table: &Table, format: Format, guest: Guest<'_>) -> String {
    let space = if table.parts.is_empty() { "" } else { " " };
    let quote = format.quote;
    format!(
        "\n{}\nLinux {}; {quote}scripts/bench --arch {}{space}{}{quote}\n\n",
        (format.table)(table),
        guest.release,
        guest.arch,
        table.parts
    )
}

#[cfg(test)]
mod tests {
    use super::{fill_in, Guest, MARKDOWN, RST};
    use crate::table::Table;

    fn table() -> Table {
        Table {
            name: "memory",
            title: "Memory",
            parts: "memory",
            head: vec!["thing".to_owned(), "bytes".to_owned()],
            rows: vec![vec!["a space".to_owned(), "5".to_owned()]],
            notes: Vec::new(),
        }
    }

    const GUEST: Guest<'_> = Guest {
        arch: "amd64",
        release: "7.3",
    };

    #[test]
    fn a_table_replaces_what_was_there() {
        let text = "a\n.. bench-begin memory amd64\nold\n.. bench-end\nz\n";
        let filled = fill_in(text, RST, GUEST, &[table()]).unwrap();
        let expected = "a\n.. bench-begin memory amd64\n\n=======  =====\nthing    bytes\n=======  =====\na space      5\n\
                        =======  =====\n\nLinux 7.3; ``scripts/bench --arch amd64 memory``\n\n.. bench-end\nz\n";
        assert_eq!(filled, expected);
        assert_eq!(fill_in(&filled, RST, GUEST, &[table()]).unwrap(), filled);
    }

    #[test]
    fn what_was_not_measured_stays() {
        for place in ["memory arm64", "range amd64"] {
            let text = format!(".. bench-begin {place}\nold\n.. bench-end\n");
            assert_eq!(fill_in(&text, RST, GUEST, &[table()]).unwrap(), text);
        }
    }

    #[test]
    fn a_place_has_an_end() {
        assert!(fill_in(".. bench-begin memory amd64\n", RST, GUEST, &[]).is_err());
    }

    #[test]
    fn markdown_has_comments_of_its_own() {
        let text = "<!-- bench-begin memory amd64 -->\nold\n<!-- bench-end -->\n";
        let filled = fill_in(text, MARKDOWN, GUEST, &[table()]).unwrap();
        let expected = "<!-- bench-begin memory amd64 -->\n\n| thing | bytes |\n|---|---:|\n| a space | 5 |\n\n\
                        Linux 7.3; `scripts/bench --arch amd64 memory`\n\n<!-- bench-end -->\n";
        assert_eq!(filled, expected);
    }

    #[test]
    fn notes_are_below_the_table() {
        let mut table = table();
        table.notes.push("so it is".to_owned());
        assert!(table.rst().ends_with("\n\n- so it is\n"));
    }
}
