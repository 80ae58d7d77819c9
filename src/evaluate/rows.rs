//! Rows with a stance label: read from JSONL, CSV or records, and met by id.

use super::{matching, predict, records};
use crate::document::StanceLabel;
use crate::error::{Error, Result};
use crate::record::{QuoteRecord, Record};
use crate::stance::StanceText;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use std::path::Path;

/// Probabilities are written with three decimals.
pub const PROBABILITY_STEP: f64 = 1e-3;

/// Which label of a row is meant: `detente stance` adds its prediction to rows that may carry the gold label too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `label` first, then `stance`.
    Gold,
    /// `stance` first; `label` only in files that have no `stance` at all.
    Predicted,
}

/// One quote with its label, and what figures may be broken down by.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StanceRow {
    /// What rows meet by.
    pub id: String,
    /// The document it stands in; its own id where the row does not say.
    pub document: String,
    /// The words.
    pub quote: String,
    /// What stands before them, as the stance model reads it, speaker included; empty where the row does not say.
    pub left: String,
    /// What stands after them, as the stance model reads it.
    pub right: String,
    /// The label; none where the row has none.
    pub label: Option<StanceLabel>,
    /// Probabilities of conciliatory, firm and neutral; none where one is missing, negative or no number.
    pub probabilities: Option<[f64; 3]>,
    /// Whether every annotator was sure; none where the row does not say.
    pub sure: Option<bool>,
    /// Where it comes from.
    pub source: Option<String>,
    /// Who said it.
    pub speaker: Option<String>,
    /// Direct, indirect or mixed.
    pub kind: Option<String>,
    /// As given.
    pub date: Option<String>,
}

/// Rows of one file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StanceRows {
    /// In the file's order.
    pub rows: Vec<StanceRow>,
    /// The records they stand in, where the file holds records.
    pub records: Option<Vec<Record>>,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
}

/// Reads the rows of `path`: JSONL or records, CSV where the name ends in `.csv` or `.tsv` (also compressed).
///
/// # Errors
/// Names file and line of the first row that cannot be read, and of a label that is none.
pub fn read(path: &Path, side: Side) -> Result<StanceRows> {
    if path.is_dir() {
        return Ok(StanceRows { records: Some(records::read(path)?), ..StanceRows::default() });
    }
    let fields = fields(path)?;
    if fields.first().is_some_and(|(_, row)| is_record(row)) {
        return Ok(StanceRows { records: Some(records::read(path)?), ..StanceRows::default() });
    }
    rows_of(path, &fields, side)
}

/// The rows of a JSONL, CSV or TSV file as they stand, with their lines.
pub(crate) fn fields(path: &Path) -> Result<Vec<(u64, Map<String, Value>)>> {
    fields_under(path, &[])
}

/// As [`fields`]; `columns` names those of a CSV or TSV file that has no header.
pub(crate) fn fields_under(path: &Path, columns: &[String]) -> Result<Vec<(u64, Map<String, Value>)>> {
    let name = path.to_string_lossy().to_ascii_lowercase();
    match name.trim_end_matches(".gz").trim_end_matches(".zst") {
        name if name.ends_with(".csv") => csv_fields(path, b',', columns),
        name if name.ends_with(".tsv") => csv_fields(path, b'\t', columns),
        _ => json_fields(path),
    }
}

fn is_record(row: &Map<String, Value>) -> bool {
    row.get("schema").and_then(Value::as_str).is_some_and(|schema| schema.starts_with("detente.record/"))
}

fn json_fields(path: &Path) -> Result<Vec<(u64, Map<String, Value>)>> {
    let row = |line: Result<(u64, String)>| {
        let (number, line) = line?;
        let row = serde_json::from_str(&line).map_err(|error| {
            Error::document(format!("this row is no JSON object: {error}")).in_file(path).at_line(number)
        })?;
        Ok((number, row))
    };
    records::lines(path)?.map(row).collect()
}

fn csv_fields(path: &Path, delimiter: u8, columns: &[String]) -> Result<Vec<(u64, Map<String, Value>)>> {
    let bad = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        let error = Error::document(format!("this row cannot be read: {error}")).in_file(path);
        match line {
            Some(line) => error.at_line(line),
            None => error,
        }
    };
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.delimiter(delimiter).has_headers(columns.is_empty()).from_reader(records::open(path)?);
    let head = if columns.is_empty() { reader.headers().map_err(bad)?.clone() } else { columns.iter().collect() };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(bad)?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = head.iter().zip(record.iter());
        let fields = fields.map(|(name, value)| (name.trim_start_matches('\u{feff}').to_string(), Value::from(value)));
        rows.push((line, fields.collect()));
    }
    Ok(rows)
}

fn rows_of(path: &Path, fields: &[(u64, Map<String, Value>)], side: Side) -> Result<StanceRows> {
    let mut read = StanceRows::default();
    let predicted = fields.iter().any(|(_, row)| row.contains_key("stance") || row.contains_key("stance_label"));
    let mut without_id = 0;
    let mut bad_probabilities = 0;
    for (position, (line, row)) in fields.iter().enumerate() {
        let place = |error: Error| error.in_file(path).at_line(*line);
        let id = text(row, &["id"]).unwrap_or_else(|| {
            without_id += 1;
            format!("row {}", position + 1)
        });
        let probabilities = probabilities(row);
        bad_probabilities += usize::from(probabilities.is_none() && names_probabilities(row));
        read.rows.push(StanceRow {
            document: text(row, &["doc", "document", "document_id"]).unwrap_or_else(|| id.clone()),
            quote: text(row, &["quote"]).unwrap_or_default(),
            left: left(row),
            right: words(row, "right").to_string(),
            label: label(row, side, predicted).map_err(place)?,
            probabilities,
            sure: row.get("sure").and_then(sure),
            source: text(row, &["source"]),
            speaker: text(row, &["speaker", "speaker_name"]),
            kind: text(row, &["kind"]),
            date: text(row, &["date"]),
            id,
        });
    }
    if without_id > 0 {
        read.notes
            .push(format!("{without_id} rows of {} have no id and meet by their place in the file", path.display()));
    }
    if bad_probabilities > 0 {
        read.notes.push(format!(
            "{bad_probabilities} rows of {} have probabilities that are none (missing, negative or not a number): only their labels count",
            path.display()
        ));
    }
    Ok(read)
}

/// The first of `names` that holds words or a number.
pub(crate) fn text(row: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match row.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("name").and_then(Value::as_str).map(str::to_string),
        _ => None,
    })
}

fn words<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or("")
}

/// The left side of a row as the model reads it.
fn left(row: &Map<String, Value>) -> String {
    let speaker = row.get("speaker").and_then(Value::as_str);
    let text = StanceText { quote: "", left: words(row, "left"), right: words(row, "right"), speaker };
    text.left_with_speaker().trim().to_string()
}

fn label(row: &Map<String, Value>, side: Side, file_has_stance: bool) -> Result<Option<StanceLabel>> {
    let stance = row.get("stance").and_then(|stance| match stance {
        Value::Object(object) => object.get("label"),
        plain => Some(plain),
    });
    let stance = stance.or_else(|| row.get("stance_label"));
    let given = match side {
        Side::Gold => row.get("label").or(stance),
        // A row that could not be read must not be scored by the gold label it carries.
        Side::Predicted if file_has_stance => stance,
        Side::Predicted => row.get("label"),
    };
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name.trim().is_empty() => Ok(None),
        Some(Value::String(name)) => StanceLabel::parse(name).map(Some).ok_or_else(|| no_label(&format!("`{name}`"))),
        Some(other) => Err(no_label(&other.to_string())),
    }
}

fn no_label(given: &str) -> Error {
    Error::document(format!("{given} is no stance label")).help("labels are conciliatory, firm, neutral, or c, f, n")
}

fn probability_fields(row: &Map<String, Value>) -> [Option<&Value>; 3] {
    let nested = row.get("stance").and_then(Value::as_object);
    StanceLabel::ALL.map(|label| {
        let name = label.as_str();
        nested
            .and_then(|stance| stance.get(name))
            .or_else(|| row.get(&format!("stance_{name}")))
            .or_else(|| row.get(name))
    })
}

fn names_probabilities(row: &Map<String, Value>) -> bool {
    probability_fields(row).iter().any(|field| field.is_some_and(|value| value.as_str() != Some("")))
}

fn probabilities(row: &Map<String, Value>) -> Option<[f64; 3]> {
    let mut values = [0.0; 3];
    for (slot, field) in values.iter_mut().zip(probability_fields(row)) {
        *slot = match field? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
    }
    usable(values)
}

/// Probabilities scaled to sum 1; none where one is negative or no number, or all are 0.
fn usable(values: [f64; 3]) -> Option<[f64; 3]> {
    let sum: f64 = values.iter().sum();
    let fine = values.iter().all(|p| p.is_finite() && *p >= 0.0) && sum.is_finite() && sum > 0.0;
    fine.then(|| values.map(|p| p / sum))
}

fn sure(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(sure) => Some(*sure),
        Value::Number(number) => Some(number.as_f64()? >= 1.0),
        Value::String(text) => match text.trim() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        },
        Value::Array(each) if !each.is_empty() => {
            each.iter().map(sure).collect::<Option<Vec<bool>>>().map(|all| all.into_iter().all(|sure| sure))
        }
        _ => None,
    }
}

/// Rows that met, and those that did not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetRows {
    /// Gold and predicted row, in the gold's order; both have a label.
    pub pairs: Vec<(StanceRow, StanceRow)>,
    /// Ids of gold rows with a label that no prediction answers.
    pub without_prediction: Vec<String>,
    /// Ids of predictions that gold does not know.
    pub without_gold: Vec<String>,
    /// Ids of gold rows without a label: left out.
    pub without_label: Vec<String>,
    /// Notes of both files.
    pub notes: Vec<String>,
}

/// Lets gold and predictions meet: rows by id, quotes of records by document and overlap of their parts.
///
/// # Errors
/// When one side holds records and the other rows, or an id occurs twice.
pub fn meet(gold: StanceRows, predicted: StanceRows) -> Result<MetRows> {
    let notes = [gold.notes.clone(), predicted.notes.clone()].concat();
    let (gold, predicted) = match (gold.records, predicted.records) {
        (Some(gold), Some(predicted)) => quotes_as_rows(records::meet(gold, predicted)?),
        (None, None) => (gold.rows, predicted.rows),
        _ => {
            return Err(Error::usage("gold and predictions must both be records, or both be rows with ids")
                .help("write the predictions in the form of the gold file"));
        }
    };
    let mut answers = by_id(predicted, "predictions")?;
    let mut met = MetRows { notes, ..MetRows::default() };
    for (id, row) in by_id(gold, "gold")? {
        match (row.label, answers.shift_remove(&id)) {
            (None, _) => met.without_label.push(id),
            (Some(_), Some(answer)) if answer.label.is_some() => met.pairs.push((row, answer)),
            (Some(_), _) => met.without_prediction.push(id),
        }
    }
    met.without_gold = answers.into_keys().collect();
    Ok(met)
}

fn by_id(rows: Vec<StanceRow>, side: &str) -> Result<IndexMap<String, StanceRow>> {
    let mut by_id = IndexMap::with_capacity(rows.len());
    for row in rows {
        if by_id.contains_key(&row.id) {
            return Err(Error::document(format!("the id `{}` occurs twice in the {side}", row.id))
                .help("rows meet by `id`: give each its own"));
        }
        by_id.insert(row.id.clone(), row);
    }
    Ok(by_id)
}

/// Quotes of both sides as rows; a predicted quote takes the id of the gold quote it was assigned to.
fn quotes_as_rows(meeting: records::Meeting) -> (Vec<StanceRow>, Vec<StanceRow>) {
    let (mut gold_rows, mut predicted_rows) = (Vec::new(), Vec::new());
    for pair in &meeting.pairs {
        let gold: Vec<&QuoteRecord> = pair.gold.quotes.iter().flatten().filter(|q| q.stance.is_some()).collect();
        let predicted: Vec<&QuoteRecord> = pair.predicted.iter().flat_map(|r| r.quotes.iter().flatten()).collect();
        let spans = |quotes: &[&QuoteRecord]| quotes.iter().map(|q| records::ranges(q)).collect::<Vec<_>>();
        let matches = matching::assign(&spans(&gold), &spans(&predicted), 0.5);
        let contexts = pair.gold.quotes.iter().flatten().zip(predict::contexts(&pair.gold));
        gold_rows.extend(contexts.filter(|(quote, _)| quote.stance.is_some()).map(|(quote, context)| StanceRow {
            left: context.text().left_with_speaker().trim().to_string(),
            right: context.right.clone(),
            ..quote_row(&pair.gold, quote, &pair.gold.id)
        }));
        for (at, quote) in predicted.iter().enumerate() {
            let partner = matches.iter().find(|m| m.predicted == at).and_then(|m| gold.get(m.gold));
            let row = quote_row(&pair.gold, quote, &pair.gold.id);
            let id = partner.map_or_else(|| format!("{} (predicted)", row.id), |q| records::place(&pair.gold.id, q));
            predicted_rows.push(StanceRow { id, ..row });
        }
    }
    (gold_rows, predicted_rows)
}

fn quote_row(record: &Record, quote: &QuoteRecord, document: &str) -> StanceRow {
    let stance = quote.stance.as_ref();
    let probabilities = stance.and_then(|s| usable([s.conciliatory?, s.firm?, s.neutral?]));
    StanceRow {
        id: records::place(document, quote),
        document: document.to_string(),
        quote: quote.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" "),
        label: stance.map(|s| s.label),
        probabilities,
        source: record.source.clone(),
        speaker: quote.speaker.as_ref().map(|speaker| speaker.name.clone()),
        kind: Some(quote.kind.as_str().to_string()),
        date: record.date.clone(),
        ..StanceRow::default()
    }
}
