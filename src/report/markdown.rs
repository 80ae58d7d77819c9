//! A report as GitHub-flavoured Markdown.

use super::{Report, Table, title};
use std::fmt::Write;

pub(super) fn render(report: &Report) -> String {
    let mut text = format!("# Evaluation of {}\n\n{}\n", report.task, escaped(&report.verdict));
    for section in &report.sections {
        let _ = write!(text, "\n## {}\n\n{}\n", capital(&title(&section.name)), escaped(&section.about));
        for table in &section.tables {
            let _ = write!(text, "\n### {}\n\n{}", capital(&title(&table.name)), drawn(table));
        }
    }
    let _ = write!(text, "\n## Protocol\n\n");
    for (name, value) in &report.protocol {
        let _ = writeln!(text, "- {}: {}", escaped(name), escaped(value));
    }
    if !report.notes.is_empty() {
        let _ = write!(text, "\n## Notes\n\n");
        text += &bullets(&report.notes);
    }
    for (name, entries) in &report.lists {
        let _ = write!(text, "\n## {} ({})\n\n", capital(name), entries.len());
        text += &bullets(entries);
    }
    text
}

fn bullets(entries: &[String]) -> String {
    entries.iter().map(|entry| format!("- {}\n", escaped(entry))).collect()
}

fn drawn(table: &Table) -> String {
    let (head, rows) = table.shown();
    let rule = std::iter::once("---").chain(std::iter::repeat_n("---:", table.columns.len()));
    let mut text = line(head.iter().map(|cell| escaped(cell)));
    text += &line(rule.map(str::to_string));
    rows.into_iter().for_each(|row| text += &line(row.iter().map(|cell| escaped(cell))));
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// Keeps user text (ids, types) from breaking tables or becoming markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '<' | '*' | '`' | '\\' => safe.extend(['\\', c]),
            '\n' | '\r' => safe.push(' '),
            _ => safe.push(c),
        }
    }
    safe
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
