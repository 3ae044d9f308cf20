// SPDX-License-Identifier: GPL-2.0

//! A table, for a terminal and for the documentation.

/// A table, whose first column is text.
pub(crate) struct Table {
    /// By what the documentation asks for it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What measures it again: the parts of the benchmark.
    pub(crate) parts: &'static str,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// What has to be said below it.
    pub(crate) notes: Vec<String>,
}

impl Table {
    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            let cells = std::iter::once(&self.head).chain(&self.rows);
            cells
                .filter_map(|cells| cells.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        (0..self.head.len())
            .map(|column| width(column).unwrap_or(0))
            .collect()
    }

    /// Text is on the left, and numbers are on the right, of a column that has them throughout.
    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let is_text = |column: usize| {
            let letters = |cells: &Vec<String>| {
                cells[column]
                    .chars()
                    .next()
                    .is_some_and(char::is_alphabetic)
            };
            column == 0 || self.rows.iter().any(letters)
        };
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            if is_text(column) {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        };
        let line: Vec<_> = cells.iter().enumerate().map(cell).collect();
        line.join("  ").trim_end().to_owned()
    }

    fn with_rules(&self, rule: char) -> String {
        let widths = self.widths();
        let rules: Vec<_> = widths
            .iter()
            .map(|&width| rule.to_string().repeat(width))
            .collect();
        let rule = rules.join("  ");
        let rows: Vec<_> = self
            .rows
            .iter()
            .map(|cells| self.line(cells, &widths))
            .collect();
        format!(
            "{rule}\n{}\n{rule}\n{}\n{rule}\n",
            self.line(&self.head, &widths),
            rows.join("\n")
        )
    }

    /// The table for a terminal.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.title, self.with_rules('-'))
    }

    /// The table in reStructuredText.
    pub(crate) fn rst(&self) -> String {
        let notes = self.notes.iter().map(|note| format!("\n- {note}\n"));
        self.with_rules('=') + &notes.collect::<String>()
    }

    /// The table in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rules: Vec<_> = (0..self.head.len())
            .map(|column| if column == 0 { "---" } else { "---:" })
            .collect();
        let rows: String = self.rows.iter().map(line).collect();
        format!("{}|{}|\n{rows}", line(&self.head), rules.join("|"))
    }
}
