//! A report as one HTML page that needs nothing else: no network, no script.
//!
//! The page is the template `templates/report.html`, which MiniJinja escapes; only drawings and the style sheet, which hold
//! no words of the user's but escaped ones, are put in as they are.

use super::figures::{self, Figure};
use super::{Cell, Report, Table, WrongAnswer, capital, title};
use crate::error::{Error, Result};
use crate::evaluate::resample::Estimate;
use crate::stance::occlusion::{Influence, Part};
use indexmap::IndexMap;
use minijinja::{Environment, UndefinedBehavior, value};
use serde::Serialize;

/// So many wrong answers are on the page, the surest first.
const ANSWERS: usize = 200;
/// So many entries of a list are on the page.
const ENTRIES: usize = 500;

/// The template, and the style sheet that stands in it.
const TEMPLATE: &str = include_str!("../../templates/report.html");
const STYLE: &str = include_str!("../../templates/report.css");

#[derive(Serialize)]
struct Page<'a> {
    version: &'static str,
    style: &'static str,
    heading: String,
    verdict: &'a str,
    notes: &'a [String],
    sections: Vec<SectionView>,
    curves: Vec<(String, Figure)>,
    answers_about: String,
    explained: bool,
    answers: Vec<Group<'a>>,
    lists: Vec<List<'a>>,
    protocol: Vec<(&'a String, &'a String)>,
}

#[derive(Serialize)]
struct SectionView {
    id: String,
    heading: String,
    about: String,
    blocks: Vec<Block>,
}

/// A table, with the figure that shows it.
#[derive(Serialize)]
struct Block {
    id: String,
    caption: String,
    /// Whether cells are tinted by their share of the row.
    heat: bool,
    head: Vec<String>,
    rows: Vec<Row>,
    figure: Option<Figure>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    cells: Vec<CellView>,
}

#[derive(Serialize)]
struct CellView {
    class: &'static str,
    value: String,
    detail: Option<String>,
    share: Option<String>,
}

/// Wrong answers that confuse the same two classes.
#[derive(Serialize)]
struct Group<'a> {
    heading: String,
    answers: Vec<AnswerView<'a>>,
}

#[derive(Serialize)]
struct AnswerView<'a> {
    id: &'a str,
    gold: &'a str,
    predicted: &'a str,
    probabilities: String,
    speaker: Option<&'a str>,
    source: Option<&'a str>,
    parts: Vec<PartView<'a>>,
    strongest: Vec<Strong<'a>>,
}

#[derive(Serialize)]
struct PartView<'a> {
    class: &'static str,
    words: Vec<Word<'a>>,
}

#[derive(Serialize)]
struct Word<'a> {
    text: &'a str,
    class: Option<&'static str>,
}

#[derive(Serialize)]
struct Strong<'a> {
    text: &'a str,
    change: String,
}

#[derive(Serialize)]
struct List<'a> {
    heading: String,
    count: usize,
    entries: &'a [String],
    /// How many more there are.
    more: usize,
    /// Whether it is short enough to be read without being asked for.
    open: bool,
}

pub(super) fn render(report: &Report) -> Result<String> {
    let sections = report.sections.iter().enumerate().map(|(at, section)| {
        let blocks = section.tables.iter().enumerate().map(|(nth, table)| block(format!("table-{at}-{nth}"), table));
        Ok(SectionView {
            id: format!("section-{at}"),
            heading: capital(&title(&section.name)),
            about: capital(&section.about),
            blocks: blocks.collect::<Result<_>>()?,
        })
    });
    let mut curves = Vec::new();
    for curve in &report.curves {
        curves.extend(figures::of_curve(curve)?.map(|figure| (capital(&title(&curve.name)), figure)));
    }
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        style: STYLE,
        heading: report.heading(),
        verdict: &report.verdict,
        notes: &report.notes,
        sections: sections.collect::<Result<_>>()?,
        curves,
        answers_about: about_answers(&report.wrong_answers),
        explained: report.wrong_answers.iter().any(|answer| !answer.words.is_empty()),
        answers: groups(&report.wrong_answers),
        lists: report.lists.iter().map(|(name, entries)| list(name, entries)).collect(),
        protocol: report.protocol.iter().collect(),
    };
    let mut environment = Environment::new();
    // A misspelt name in the template is an error, not a gap on the page.
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let text = environment.render_named_str("report.html", TEMPLATE, value::Serde(page));
    text.map(|text| text + "\n").map_err(|error| Error::io(format!("the page cannot be written: {error:#}")))
}

fn list<'a>(name: &str, entries: &'a [String]) -> List<'a> {
    let shown = entries.get(..ENTRIES).unwrap_or(entries);
    List {
        heading: capital(name),
        count: entries.len(),
        entries: shown,
        more: entries.len() - shown.len(),
        open: entries.len() <= 12,
    }
}

fn block(id: String, table: &Table) -> Result<Block> {
    let heat = table.name.starts_with("confusion") || table.name == "coincidences";
    let figure = figures::of_table(table)?;
    let table = &table.without_empty_columns();
    let (head, _) = table.shown();
    let rows = table.rows.iter().enumerate().map(|(at, (name, cells))| {
        let filled = cells.iter().chain(std::iter::repeat(&Cell::Empty)).take(table.columns.len());
        let total: f64 = cells.iter().filter_map(number).sum();
        let view = |(column, cell): (usize, &Cell)| match heat.then(|| number(cell)).flatten() {
            Some(count) => heated(cell, count, total, at == column),
            None => view(cell),
        };
        Row { name: title(name), cells: filled.enumerate().map(view).collect() }
    });
    Ok(Block {
        id,
        caption: capital(&title(&table.name)),
        heat,
        head: head.iter().map(|name| capital(name)).collect(),
        rows: rows.collect(),
        figure,
    })
}

/// The number that a cell of a confusion table holds.
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Count(count) => Some(*count as f64),
        Cell::Text(text) => text.parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0),
        _ => None,
    }
}

fn heated(cell: &Cell, count: f64, total: f64, diagonal: bool) -> CellView {
    let share = if total > 0.0 { count / total } else { 0.0 };
    CellView {
        class: if diagonal { "diagonal" } else { "" },
        value: cell.shown(),
        detail: Some(format!("{:.0} %", share * 100.0)),
        share: Some(format!("{share:.2}")),
    }
}

fn view(cell: &Cell) -> CellView {
    let plain = |class, value| CellView { class, value, detail: None, share: None };
    match cell {
        Cell::Estimate(Estimate { value: Some(value), low: Some(low), high: Some(high) }) => {
            CellView { detail: Some(format!("[{low:.3}, {high:.3}]")), ..plain("", format!("{value:.3}")) }
        }
        Cell::Text(text) => plain("words", text.clone()),
        _ => plain("", cell.shown()),
    }
}

fn about_answers(answers: &[WrongAnswer]) -> String {
    let shown = if answers.len() > ANSWERS {
        format!("{} answers are wrong; here are the {ANSWERS} surest, the JSON report holds all.", answers.len())
    } else {
        format!("{} answers are wrong; all of them are here.", answers.len())
    };
    format!("{shown} Gold stands before the arrow, the answer behind it; the surest wrong answers come first.")
}

fn groups(answers: &[WrongAnswer]) -> Vec<Group<'_>> {
    let mut groups: IndexMap<(&str, &str), Vec<AnswerView>> = IndexMap::new();
    for answer in answers.iter().take(ANSWERS) {
        groups.entry((answer.gold.as_str(), answer.predicted.as_str())).or_default().push(answer_view(answer));
    }
    groups.sort_by(|a, one, b, other| other.len().cmp(&one.len()).then_with(|| a.cmp(b)));
    let group = |((gold, predicted), answers): ((&str, &str), Vec<_>)| Group {
        heading: format!("Gold {gold}, answered {predicted} ({})", answers.len()),
        answers,
    };
    groups.into_iter().map(group).collect()
}

fn answer_view(answer: &WrongAnswer) -> AnswerView<'_> {
    let probabilities = answer.probabilities.iter().map(|(class, p)| format!("{class} {p:.2}"));
    AnswerView {
        id: &answer.id,
        gold: &answer.gold,
        predicted: &answer.predicted,
        probabilities: probabilities.collect::<Vec<_>>().join(", "),
        speaker: answer.speaker.as_deref(),
        source: answer.source.as_deref(),
        parts: [Part::Left, Part::Quote, Part::Right].into_iter().filter_map(|part| part_view(answer, part)).collect(),
        strongest: strongest(&answer.words),
    }
}

/// The words of one part; none where it has none.
fn part_view(answer: &WrongAnswer, part: Part) -> Option<PartView<'_>> {
    let text = match part {
        Part::Left => &answer.left,
        Part::Quote => &answer.quote,
        Part::Right => &answer.right,
    };
    let words: Vec<Word> = if answer.words.is_empty() {
        text.split_whitespace().map(|text| Word { text, class: None }).collect()
    } else {
        let words = answer.words.iter().filter(|word| word.part == part);
        words.map(|word| Word { text: &word.word, class: class(word, weight(&answer.words)) }).collect()
    };
    let class = if part == Part::Quote { "quote" } else { "context" };
    (!words.is_empty()).then_some(PartView { class, words })
}

/// Less than this is no influence, whatever the other words do.
const FELT: f64 = 0.01;

/// The largest change that a word makes.
fn weight(words: &[Influence]) -> f64 {
    words.iter().filter_map(|word| word.change).map(f64::abs).fold(0.0, f64::max)
}

/// How a word is marked: by its sign, and by its size beside the heaviest word's.
fn class(word: &Influence, heaviest: f64) -> Option<&'static str> {
    let change = word.change.filter(|change| change.abs() >= FELT)?;
    let share = change.abs() / heaviest;
    match change > 0.0 {
        _ if share < 0.2 => None,
        true if share >= 0.6 => Some("for strong"),
        true => Some("for"),
        false if share >= 0.6 => Some("against strong"),
        false => Some("against"),
    }
}

/// The heaviest words with their figures.
fn strongest<'a>(words: &'a [Influence]) -> Vec<Strong<'a>> {
    let heaviest = weight(words);
    let marked = words.iter().filter_map(|word| Some((word, word.change?, class(word, heaviest)?)));
    let mut marked: Vec<(&Influence, f64, &'static str)> = marked.collect();
    marked.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let strong = |(word, change, _): (&'a Influence, f64, &str)| Strong {
        text: &word.word,
        change: format!("{change:+.2}").replace('-', "−"),
    };
    marked.truncate(6);
    marked.into_iter().map(strong).collect()
}
