//! A report as GitHub-flavoured Markdown, for a pull request.

use super::{Report, Table, WrongAnswer, capital, title};
use std::fmt::Write;

/// So many wrong answers and entries of a list are shown; the JSON report has all.
const SHOWN: usize = 20;

pub(super) fn render(report: &Report) -> String {
    let mut text = format!("# {}\n\n**{}**\n", escaped(&report.heading()), escaped(&report.verdict));
    if !report.notes.is_empty() {
        let _ = write!(text, "\n> [!NOTE]\n");
        report.notes.iter().for_each(|note| text += &format!("> - {}\n", escaped(note)));
    }
    for section in &report.sections {
        let _ = write!(text, "\n## {}\n\n{}\n", escaped(&capital(&title(&section.name))), escaped(&section.about));
        for table in &section.tables {
            let _ = write!(text, "\n### {}\n\n{}", escaped(&capital(&title(&table.name))), drawn(table));
        }
    }
    text += &wrong_answers(&report.wrong_answers);
    for (name, entries) in &report.lists {
        let shown = entries.iter().take(SHOWN).map(|entry| format!("- {}\n", escaped(entry)));
        text += &folded(&format!("{} ({})", capital(name), entries.len()), &shown.collect::<String>());
    }
    let protocol = report.protocol.iter().map(|(name, value)| format!("- {}: {}\n", escaped(name), escaped(value)));
    text += &folded("Protocol", &protocol.collect::<String>());
    text
}

/// What need not be seen at once.
fn folded(heading: &str, body: &str) -> String {
    format!("\n<details><summary>{}</summary>\n\n{body}\n</details>\n", escaped(heading))
}

fn wrong_answers(answers: &[WrongAnswer]) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let mut rows = line(["gold", "answered", "certainty", "quote"].map(str::to_string).into_iter());
    rows += &line(["---", "---", "---:", "---"].map(str::to_string).into_iter());
    for answer in answers.iter().take(SHOWN) {
        let certainty = answer.certainty().map_or_else(|| "–".to_string(), |p| format!("{p:.3}"));
        let cells = [answer.gold.as_str(), &answer.predicted, &certainty, &answer.quote];
        rows += &line(cells.into_iter().map(escaped));
    }
    folded(&format!("Wrong answers ({}, the surest {})", answers.len(), answers.len().min(SHOWN)), &rows)
}

fn drawn(table: &Table) -> String {
    let table = &table.without_empty_columns();
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

/// Keeps words of the user's (ids, quotes) from breaking tables, becoming markup, and calling people or issues by `@` and `#`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '|' | '*' | '`' | '\\' | '~' | '$' => safe.extend(['\\', c]),
            // What makes a link of words in brackets.
            '(' | ':' | '[' if before == ']' => safe.extend(['\\', c]),
            // Inside a word an underscore is no emphasis.
            '_' if !before.is_alphanumeric() => safe.extend(['\\', c]),
            // An empty comment between sign and name: neither a mention nor a reference.
            '@' | '#' => {
                safe.push(c);
                safe.push_str("<!-- -->");
            }
            _ if c.is_control() => safe.push(' '),
            _ => safe.push(c),
        }
        before = c;
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_user_stay_words() {
        assert_eq!(escaped("<b>a|b</b>\nc"), "&lt;b&gt;a\\|b&lt;/b&gt; c");
        assert_eq!(escaped("ask @everyone about #12"), "ask @<!-- -->everyone about #<!-- -->12");
        assert_eq!(escaped("[x](javascript:y) macro_f1 _em_"), "[x]\\(javascript:y) macro_f1 \\_em_");
    }
}
