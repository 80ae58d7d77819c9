//! A report as LaTeX: one `table` for each table, to `\input` into a paper.

use super::figures::shortened;
use super::{Cell, Report, Table, capital, title};
use crate::evaluate::resample::Estimate;
use std::fmt::Write;

/// What stands before the tables. Engines that read Unicode set every letter that the font has; pdfLaTeX, which stops at a
/// letter it does not know, sets a question mark in brackets.
const HEAD: &str = r"% Tables of an evaluation by detente. In the preamble: \usepackage[T1]{fontenc}\usepackage{booktabs}
% Letters beyond the Latin ones need LuaLaTeX or XeLaTeX and a font that has them.
\providecommand{\detenteletters}[1]{\ifdefined\Umathchar#1\else[?]\fi}
\providecommand{\detenteinterval}[2]{{\footnotesize\,[#1,\,#2]}}
";

/// Longer names than this are cut: a table is no wider than a page.
const NAME: usize = 60;
/// So much is said about a table in its caption.
const ABOUT: usize = 300;

pub(super) fn render(report: &Report) -> String {
    let mut text = HEAD.to_string();
    let _ = writeln!(text, "%\n% {}", comment(&report.verdict));
    for (name, value) in &report.protocol {
        let _ = writeln!(text, "% {}: {}", comment(name), comment(value));
    }
    for note in &report.notes {
        let _ = writeln!(text, "% Note: {}", comment(note));
    }
    let intervals = report.protocol.get("intervals").map(|how| format!(" In brackets: {}.", escaped(how)));
    for section in &report.sections {
        for table in &section.tables {
            let about = format!(
                "{}, {}: {}.{}",
                escaped(&shortened(&capital(&title(&section.name)), NAME)),
                escaped(&shortened(&title(&table.name), NAME)),
                escaped(&shortened(section.about.trim_end_matches('.'), ABOUT)),
                intervals.as_deref().filter(|_| has_intervals(table)).unwrap_or_default()
            );
            text += &drawn(table, &about, &format!("tab:{}-{}", label(&section.name), label(&table.name)));
        }
    }
    text
}

fn has_intervals(table: &Table) -> bool {
    let interval = |cell: &Cell| matches!(cell, Cell::Estimate(Estimate { low: Some(_), .. }));
    table.rows.iter().any(|(_, cells)| cells.iter().any(interval))
}

fn drawn(table: &Table, about: &str, label: &str) -> String {
    let table = &table.without_empty_columns();
    let (head, rows) = table.shown();
    let words = |at: usize| table.rows.iter().any(|(_, cells)| matches!(cells.get(at), Some(Cell::Text(_))));
    let columns: String = (0..table.columns.len()).map(|at| if words(at) { 'l' } else { 'r' }).collect();
    let mut text = format!("\n\\begin{{table}}[htbp]\n\\centering\\small\n\\caption{{{about}}}\\label{{{label}}}\n");
    let _ = writeln!(text, "\\begin{{tabular}}{{l{columns}}}\n\\toprule");
    text += &line(head.iter().map(|name| escaped(&shortened(&capital(name), NAME))));
    text += "\\midrule\n";
    for ((_, cells), shown) in table.rows.iter().zip(rows) {
        let filled = cells.iter().map(Some).chain(std::iter::repeat(None));
        let cells = shown.iter().skip(1).zip(filled).map(|(shown, cell)| figure(cell, shown));
        text += &line(shown.first().map(|name| escaped(&shortened(name, NAME))).into_iter().chain(cells));
    }
    text + "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
}

fn figure(cell: Option<&Cell>, shown: &str) -> String {
    match cell {
        Some(Cell::Estimate(Estimate { value: Some(value), low: Some(low), high: Some(high) })) => {
            let [value, low, high] = [value, low, high].map(|number| escaped(&format!("{number:.3}")));
            format!("{value}\\detenteinterval{{{low}}}{{{high}}}")
        }
        Some(Cell::Estimate(Estimate { value: Some(value), .. })) => escaped(&format!("{value:.3}")),
        _ => escaped(&shortened(shown, NAME)),
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    // A cell that begins with a bracket would be taken for the option of the line break before it.
    let cells = cells.map(|cell| if cell.starts_with('[') { format!("{{{cell}}}") } else { cell });
    format!("{} \\\\\n", cells.collect::<Vec<_>>().join(" & "))
}

/// A name of letters, digits and dashes.
fn label(name: &str) -> String {
    let kept: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    kept.trim_matches('-').to_string()
}

/// Words for a comment: on one line.
fn comment(text: &str) -> String {
    text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')).collect::<Vec<_>>().join(" ")
}

/// The text as LaTeX sets it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut others = String::new();
    for c in text.chars() {
        if is_other(c) {
            others.push(c);
            continue;
        }
        push_others(&mut safe, &mut others);
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => safe.extend(['\\', c]),
            '\\' => safe.push_str("\\textbackslash{}"),
            '~' => safe.push_str("\\textasciitilde{}"),
            '^' => safe.push_str("\\textasciicircum{}"),
            '<' => safe.push_str("\\textless{}"),
            '>' => safe.push_str("\\textgreater{}"),
            '|' => safe.push_str("\\textbar{}"),
            '"' => safe.push_str("\\textquotedbl{}"),
            '`' => safe.push_str("\\textasciigrave{}"),
            // Two of them in a row would become another sign.
            '-' | '\'' | ',' if safe.ends_with(c) => safe.extend(['{', '}', c]),
            '−' => safe.push_str("$-$"),
            '≥' => safe.push_str("$\\geq$"),
            '≤' => safe.push_str("$\\leq$"),
            '→' => safe.push_str("$\\rightarrow$"),
            '·' => safe.push_str("\\textperiodcentered{}"),
            _ if c.is_whitespace() || c.is_control() => safe.push(' '),
            _ => safe.push(c),
        }
    }
    push_others(&mut safe, &mut others);
    safe
}

fn push_others(safe: &mut String, others: &mut String) {
    if !others.is_empty() {
        let _ = write!(safe, "\\detenteletters{{{others}}}");
        others.clear();
    }
}

/// Whether pdfLaTeX with T1 fonts has no such letter: all but Latin ones and the punctuation of Latin typesetting.
fn is_other(c: char) -> bool {
    let known = matches!(c,
        '\0'..='\u{7f}' | '¡' | '£' | '§' | '«' | '»' | '¿' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ' | 'Ă'..='ć' | 'Č'..='đ'
        | 'Ę'..='ě' | 'Ğ' | 'ğ' | 'İ' | 'ı' | 'Ĺ' | 'ĺ' | 'Ľ' | 'ľ' | 'Ł'..='ń' | 'Ň' | 'ň' | 'Ő'..='ŕ' | 'Ř'..='ś'
        | 'Ş'..='ť' | 'Ů'..='ű' | 'Ÿ'..='ž' | '–' | '—' | '‘' | '’' | '‚' | '“' | '”' | '„' | '…' | '‹' | '›'
        | '·' | '−' | '≥' | '≤' | '→');
    !known && !c.is_whitespace() && !c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_latex_reads_as_commands_is_set_as_text() {
        assert_eq!(escaped("a_b & 50 % \\x{y}"), "a\\_b \\& 50 \\% \\textbackslash{}x\\{y\\}");
        assert_eq!(escaped("née Жук 😀!"), "née \\detenteletters{Жук} \\detenteletters{😀}!");
        assert_eq!(comment("one\ntwo\u{2028}three"), "one two three");
        assert_eq!(label("p_holm: α"), "p-holm");
    }
}
