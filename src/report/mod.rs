//! A report: tables of figures under the protocol that made them, for a person to read and for a program.
//!
//! The JSON report has the shape [`SCHEMA`]:
//!
//! ```text
//! {"schema": "detente.report/1", "task": "stance", "verdict": "…",
//!  "protocol": {"intervals": "95 % percentile bootstrap, …", …},
//!  "sections": {SECTION: {"about": "…", TABLE: {ROW: {COLUMN: CELL}}}},
//!  "notes": ["…"], "lists": {"gold without prediction": ["id", …]},
//!  "curves": {NAME: {"about": "…", "x": "recall", "y": "precision", "lines": {LINE: [{"x", "value", "low", "high"}]}}},
//!  "wrong_answers": [{"id", "document", "gold", "predicted", "probabilities", "left", "quote", "right",
//!                     "words": [{"in": "quote", "word", "change"}], …}]}
//! ```
//!
//! `curves` and `wrong_answers` are left out where there are none, `words` where nobody asked for an explanation.
//!
//! [`JSON_SCHEMA`] documents every name. A cell is a figure `{"value", "low", "high"}` (unrounded; null where it is not
//! defined or has no interval), a count, a p
//! value, a text or null. Sections of stance: `three_way`, `two_way`, both again with `_sure`, `probabilities`,
//! `breakdowns`, `calibration`, with tables `scores` (a column a system), `classes`, `confusion`, `coverage`,
//! `calibration`, `by_source` …; of entities: `strict`, `conlleval`, `schemes`, `seen_in_training`; of quotes: `spans`, `misses`,
//! `speakers`, `gender_gap_tracker`; of agreement: `agreement`, `annotators`, `documents`; of a comparison one section a
//! pair of systems.

mod answers;
mod details;
mod figures;
mod html;
mod latex;
mod markdown;
mod terminal;

pub use answers::{add_stance, explain};
pub use details::{Curve, Point, WrongAnswer};
pub use terminal::Style;

use crate::error::{Error, Result};
use crate::evaluate::resample::Estimate;
use indexmap::IndexMap;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::path::Path;

/// The version of the JSON report's shape.
pub const SCHEMA: &str = "detente.report/1";

/// The JSON schema of that shape, which documents every name.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// One cell of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A figure with its interval.
    Estimate(Estimate),
    /// A number of rows, spans or documents.
    Count(u64),
    /// The p value of a test.
    PValue(f64),
    /// Words.
    Text(String),
    /// Nothing to say.
    Empty,
}

impl From<Estimate> for Cell {
    fn from(estimate: Estimate) -> Self {
        Cell::Estimate(estimate)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<usize> for Cell {
    fn from(count: usize) -> Self {
        Cell::Count(count as u64)
    }
}

impl Cell {
    /// A count that was kept as a float.
    pub fn count(count: f64) -> Self {
        Cell::Count(count.max(0.0).round() as u64)
    }

    /// As a person reads it: three decimals, the interval in brackets, a dash for nothing.
    pub fn shown(&self) -> String {
        match self {
            Cell::Estimate(Estimate { value: Some(value), low: Some(low), high: Some(high) }) => {
                format!("{value:.3} [{low:.3}, {high:.3}]")
            }
            Cell::Estimate(Estimate { value: Some(value), .. }) => format!("{value:.3}"),
            Cell::Estimate(_) | Cell::Empty => "–".to_string(),
            Cell::Count(count) => count.to_string(),
            Cell::PValue(p) if p.is_nan() => "–".to_string(),
            Cell::PValue(p) if *p < 1e-4 => "< 0.0001".to_string(),
            Cell::PValue(p) => format!("{p:.4}"),
            Cell::Text(text) => text.clone(),
        }
    }
}

/// Rows of cells under named columns. In JSON it is an object of objects: row name, then column name.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name: a key in JSON, a heading elsewhere.
    pub name: String,
    /// What the row names are ("class", "type").
    pub of: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Name and cells of each row; a row with fewer cells than columns is filled with empty ones.
    pub rows: Vec<(String, Vec<Cell>)>,
}

impl Table {
    /// A table without rows.
    pub fn new(name: &str, of: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|c| c.to_string()).collect();
        Table { name: name.into(), of: of.into(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: impl Into<String>, cells: Vec<Cell>) {
        self.rows.push((name.into(), cells));
    }

    /// The table without the columns in which no row has anything to say.
    fn without_empty_columns(&self) -> Table {
        let says = |at: usize| self.rows.iter().any(|(_, cells)| !matches!(cells.get(at), None | Some(Cell::Empty)));
        let kept: Vec<usize> = (0..self.columns.len()).filter(|at| self.rows.is_empty() || says(*at)).collect();
        let row = |cells: &Vec<Cell>| kept.iter().map(|at| cells.get(*at).cloned().unwrap_or(Cell::Empty)).collect();
        Table {
            columns: kept.iter().filter_map(|at| self.columns.get(*at).cloned()).collect(),
            rows: self.rows.iter().map(|(name, cells)| (name.clone(), row(cells))).collect(),
            ..Table::new(&self.name, &self.of, &[])
        }
    }

    /// The heading and all cells as strings, column names first.
    pub(crate) fn shown(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let head = std::iter::once(&self.of).chain(&self.columns).map(|name| title(name)).collect();
        let rows = self.rows.iter().map(|(name, cells)| {
            let filled = cells.iter().map(Cell::shown).chain(std::iter::repeat_with(String::new));
            std::iter::once(title(name)).chain(filled.take(self.columns.len())).collect()
        });
        (head, rows.collect())
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.rows.len()))?;
        for (name, cells) in &self.rows {
            let row: IndexMap<&String, &Cell> = self.columns.iter().zip(cells).collect();
            map.serialize_entry(name, &row)?;
        }
        map.end()
    }
}

/// Tables that belong to one set of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its name: a key in JSON, a heading elsewhere.
    pub name: String,
    /// One sentence: which rows these figures are about.
    pub about: String,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("about", &self.about)?;
        for table in &self.tables {
            map.serialize_entry(&table.name, table)?;
        }
        map.end()
    }
}

/// Everything one run of the evaluator has to say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What was evaluated ("stance").
    pub task: String,
    /// The one sentence to take away.
    pub verdict: String,
    /// How the figures were made, so that somebody else can make them again.
    pub protocol: IndexMap<String, String>,
    /// The figures.
    #[serde(serialize_with = "by_name")]
    pub sections: Vec<Section>,
    /// What a reader should be warned of.
    pub notes: Vec<String>,
    /// Ids and places that a person may want to look at, under what is the matter with them.
    pub lists: IndexMap<String, Vec<String>>,
    /// Figures that are curves.
    #[serde(serialize_with = "curves_by_name", skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// Answers that are not gold's, the surest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong_answers: Vec<WrongAnswer>,
}

fn by_name<S: Serializer>(sections: &[Section], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(sections.iter().map(|section| (&section.name, section)))
}

fn curves_by_name<S: Serializer>(curves: &[Curve], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(curves.iter().map(|curve| (&curve.name, curve)))
}

impl Report {
    /// A report without figures.
    pub fn new(task: &str) -> Self {
        Report {
            schema: SCHEMA,
            task: task.into(),
            verdict: String::new(),
            protocol: IndexMap::new(),
            sections: Vec::new(),
            notes: Vec::new(),
            lists: IndexMap::new(),
            curves: Vec::new(),
            wrong_answers: Vec::new(),
        }
    }

    /// States one part of the protocol.
    pub fn state(&mut self, name: &str, value: impl Into<String>) {
        self.protocol.insert(name.into(), value.into());
    }

    /// Looks a cell up by section, table, row and column.
    pub fn cell(&self, section: &str, table: &str, row: &str, column: &str) -> Option<&Cell> {
        let section = self.sections.iter().find(|s| s.name == section)?;
        let table = section.tables.iter().find(|t| t.name == table)?;
        let column = table.columns.iter().position(|c| c == column)?;
        table.rows.iter().find(|(name, _)| name == row)?.1.get(column)
    }

    /// The value of an estimate, looked up by section, table, row and column.
    pub fn value(&self, section: &str, table: &str, row: &str, column: &str) -> Option<f64> {
        match self.cell(section, table, row, column)? {
            Cell::Estimate(estimate) => estimate.value,
            _ => None,
        }
    }

    /// What the report is about, as a title.
    fn heading(&self) -> String {
        match self.task.as_str() {
            "agreement" => "Agreement of annotators".to_string(),
            "comparison" => "Comparison of systems".to_string(),
            "experiment" => "Results of an experiment".to_string(),
            task => format!("Evaluation of {}", title(task)),
        }
    }

    /// As a person reads it on a terminal.
    pub fn terminal(&self, style: Style) -> String {
        terminal::render(self, style)
    }

    /// As Markdown, for a pull request or a README.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// As one HTML page that needs no network and no script: verdict, tables, figures, wrong answers, protocol.
    ///
    /// # Errors
    /// Io, when a figure cannot be drawn.
    pub fn html(&self) -> Result<String> {
        html::render(self)
    }

    /// As LaTeX tables to `\input` into a paper that loads `booktabs`.
    pub fn latex(&self) -> String {
        latex::render(self)
    }

    /// As JSON, every figure unrounded.
    pub fn json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|error| Error::io(format!("the report cannot be written: {error}")))
    }

    /// Writes the report in the format that the ending of `path` names: `html`, `md`, `tex` or `json`.
    ///
    /// # Errors
    /// Usage when the ending is another one, io when the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = match format(path)? {
            Format::Html => self.html()?,
            Format::Markdown => self.markdown(),
            Format::Latex => self.latex(),
            Format::Json => self.json()? + "\n",
        };
        std::fs::write(path, text).map_err(|error| Error::from(error).in_file(path))
    }
}

/// What a report may be written as.
enum Format {
    Html,
    Markdown,
    Latex,
    Json,
}

fn format(path: &Path) -> Result<Format> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    match ending.as_deref() {
        Some("html" | "htm") => Ok(Format::Html),
        Some("md") => Ok(Format::Markdown),
        Some("tex") => Ok(Format::Latex),
        Some("json") => Ok(Format::Json),
        _ => Err(Error::usage("a report is written as .html, .md, .tex or .json")
            .in_file(path)
            .help("give the file one of these endings")),
    }
}

/// Whether [`Report::write`] knows the ending of `path`; asked before hours of work.
///
/// # Errors
/// Usage when it does not.
pub fn check_ending(path: &Path) -> Result<()> {
    format(path).map(|_| ())
}

/// A key as a heading: `macro_f1` reads "macro F1".
pub(crate) fn title(key: &str) -> String {
    let words = key.split('_').map(|word| match word {
        "f1" => "F1",
        "mcc" => "MCC",
        "roc" => "ROC",
        "auc" => "AUC",
        "ece" => "ECE",
        "iou" => "IoU",
        "ac1" => "AC1",
        "ac2" => "AC2",
        "cohen" => "Cohen's",
        "fleiss" => "Fleiss'",
        "krippendorff" => "Krippendorff's",
        "gwet" => "Gwet's",
        "brier" => "Brier",
        "platt" => "Platt",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The text with its first letter in upper case.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut table = Table::new("scores", "score", &["model"]);
        table.row("macro_f1", vec![Estimate { value: Some(0.12345), low: Some(0.1), high: Some(0.2) }.into()]);
        table.row("cohen_kappa", vec![Estimate::default().into()]);
        let mut report = Report::new("stance");
        report.verdict = "Good.".into();
        report.sections.push(Section { name: "three_way".into(), about: "All rows.".into(), tables: vec![table] });
        report.lists.insert("only in gold".into(), vec!["a|b".into()]);
        report
    }

    #[test]
    fn json_holds_every_figure_unrounded_under_its_name() {
        let json: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
        let scores = &json["sections"]["three_way"]["scores"];
        assert_eq!(scores["macro_f1"]["model"]["value"], 0.12345);
        assert!(scores["cohen_kappa"]["model"]["value"].is_null());
        assert_eq!(report().value("three_way", "scores", "macro_f1", "model"), Some(0.12345));
    }

    #[test]
    fn a_person_reads_headings_and_three_decimals() {
        for text in [report().terminal(Style::Plain), report().markdown()] {
            assert!(text.contains("macro F1"), "{text}");
            assert!(text.contains("0.123 [0.100, 0.200]"), "{text}");
            assert!(text.contains("Cohen's kappa"), "{text}");
        }
    }

    #[test]
    fn an_unknown_ending_is_refused_before_anything_is_written() {
        assert!(check_ending(Path::new("report.docx")).is_err());
        assert!(
            report()
                .write(Path::new("/nonexistent/report.docx"))
                .unwrap_err()
                .to_string()
                .contains(".html, .md, .tex or .json")
        );
    }
}
