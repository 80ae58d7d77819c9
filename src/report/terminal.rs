//! A report for a person at a terminal.

use super::{Report, Table, title};
use anstyle::Style as Ansi;
use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{CellAlignment, ContentArrangement, TableComponent};
use std::fmt::Write;

/// Whether headings are set off with terminal codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// For files and pipes.
    Plain,
    /// For a terminal: bold headings.
    Terminal,
}

/// How many entries of a list are shown; the JSON report has all.
const SHOWN: usize = 10;

pub(super) fn render(report: &Report, style: Style) -> String {
    let bold = if style == Style::Terminal { Ansi::new().bold() } else { Ansi::new() };
    let mut text = format!("{bold}{}{bold:#}\n", report.verdict);
    for section in &report.sections {
        let _ = write!(text, "\n{bold}{}{bold:#}: {}\n", title(&section.name), section.about);
        for table in &section.tables {
            let _ = write!(text, "\n{}\n{}\n", title(&table.name), drawn(table));
        }
    }
    let _ = write!(text, "\n{bold}Protocol{bold:#}\n{}\n", protocol(report));
    for note in &report.notes {
        let _ = writeln!(text, "Note: {note}");
    }
    for (name, entries) in &report.lists {
        let _ = writeln!(text, "{}", listed(name, entries));
    }
    text
}

fn drawn(table: &Table) -> String {
    let (head, mut rows) = table.shown();
    rows.iter_mut().flat_map(|row| row.first_mut()).for_each(|name| *name = shortened(name));
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(UTF8_HORIZONTAL_ONLY).set_header(head).add_rows(rows);
    drawn.remove_style(TableComponent::HorizontalLines).remove_style(TableComponent::MiddleIntersections);
    drawn.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    drawn.trim_fmt()
}

/// Names longer than this (ids of documents) would push the figures off the screen.
const NAME: usize = 48;

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or(name)),
        None => name.to_string(),
    }
}

fn protocol(report: &Report) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(110);
    drawn.add_rows(report.protocol.iter().map(|(name, value)| [name, value]));
    drawn.trim_fmt()
}

fn listed(name: &str, entries: &[String]) -> String {
    let shown = entries.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if entries.len() > SHOWN { "; …" } else { "" };
    format!("{name} ({}): {shown}{more}", entries.len())
}
