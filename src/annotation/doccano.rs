//! doccano's JSONL: one document a line.
//!
//! Sequence labelling has `label` (or `labels`), a list of `[start, end, label]`; projects with relations have `entities`
//! with `id`, `start_offset`, `end_offset` and `label`, and `relations` with `from_id`, `to_id` and `type`. Every other
//! field is metadata that doccano keeps and exports again. See <https://doccano.github.io/doccano/tutorial/> and the
//! examples that its import page shows. doccano gives no words with its offsets; they are characters in current versions
//! and were UTF-16 units before (<https://github.com/doccano/doccano/pull/99>).

use super::labels;
use super::marks::Marked;
use super::notes::{Notes, Problem};
use super::place::{RawLink, RawMark, Unplaced};
use super::read::Source;
use crate::error::Result;
use crate::io::fields::{FieldNames, kind_name};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use serde_json::{Map, Value, json};

/// The unit in which doccano counts.
pub const UNIT: OffsetUnit = OffsetUnit::Char;

/// The documents of a file.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let mut documents = Vec::new();
    for (row, object) in source.objects()? {
        match object {
            Ok(object) => documents.extend(RowReader { source, row, notes }.document(object)),
            Err(error) => notes.problems.push(Problem { row: Some(row), ..Problem::from_error(source.path, &error) }),
        }
    }
    Ok(documents)
}

struct RowReader<'a> {
    source: &'a Source<'a>,
    row: u64,
    notes: &'a mut Notes,
}

impl RowReader<'_> {
    fn problem(&mut self, message: impl Into<String>) {
        self.notes.problems.push(Problem::new(self.source.path, message).at(self.row));
    }

    fn document(&mut self, mut object: Map<String, Value>) -> Option<Unplaced> {
        // Older versions keep metadata in an object of its own.
        if let Some(Value::Object(meta)) = object.remove("meta") {
            meta.into_iter().for_each(|(key, value)| _ = object.entry(key).or_insert(value));
        }
        let spans = ["label", "labels", "entities"].iter().find_map(|name| object.remove(*name));
        let relations = object.remove("relations");
        if object.remove("Comments").and_then(|c| c.as_array().map(|list| !list.is_empty())) == Some(true) {
            self.notes.leave_out("doccano's comments", &format!("row {}", self.row));
        }
        let own = object.get("document").and_then(Value::as_str).map(str::to_string);
        let row = FieldNames::default().row(object);
        let text = match row.text {
            Ok(text) => text,
            Err(error) => {
                self.problem(error.without_help());
                return None;
            }
        };
        let mut document = Unplaced {
            id: own.or(row.id).unwrap_or_else(|| format!("row {}", self.row)),
            source: row.source,
            title: row.title,
            date: row.date,
            text,
            row: self.row,
            ..Unplaced::default()
        };
        match spans {
            Some(Value::Array(spans)) => {
                document.marks = spans.iter().enumerate().filter_map(|(at, span)| self.mark(at, span)).collect();
            }
            Some(other) => self.problem(format!("`label` is {}, not a list of [start, end, label]", kind_name(&other))),
            None => self.problem("there is no `label` and no `entities`"),
        }
        match relations {
            Some(Value::Array(links)) => document.links = links.iter().filter_map(|link| self.link(link)).collect(),
            Some(Value::Null) | None => {}
            Some(other) => self.problem(format!("`relations` is {}, not a list", kind_name(&other))),
        }
        Some(document)
    }

    fn mark(&mut self, at: usize, span: &Value) -> Option<RawMark> {
        let number = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let (start, end, label, id) = match span {
            Value::Array(list) => (number(list.first()), number(list.get(1)), list.get(2), None),
            _ => (number(span.get("start_offset")), number(span.get("end_offset")), span.get("label"), span.get("id")),
        };
        let (Some(start), Some(end), Some(label)) = (start, end, label.and_then(Value::as_str)) else {
            self.problem(format!("{span} is no span: [start, end, label] or start_offset, end_offset and label"));
            return None;
        };
        // Spans of a list cannot be linked; they get names of their own.
        let id = id.map_or_else(|| format!("span {at}"), Value::to_string);
        Some(RawMark { id, label: label.into(), parts: vec![(start, end)], row: self.row, ..RawMark::default() })
    }

    fn link(&mut self, link: &Value) -> Option<RawLink> {
        let end = |name: &str| link.get(name).map(Value::to_string);
        match (end("from_id"), end("to_id"), link.get("type").and_then(Value::as_str)) {
            (Some(from), Some(to), Some(role)) => Some(RawLink { role: role.into(), from, to, row: self.row }),
            _ => {
                self.problem(format!("{link} is no relation: from_id, to_id and type are needed"));
                None
            }
        }
    }
}

/// Which of doccano's two kinds of project is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Project {
    /// Spans and relations: `entities` and `relations`.
    Relations,
    /// Spans alone: `label`.
    Labels,
}

/// `documents` as JSON lines, with kind and stance in the labels of quotes.
///
/// # Errors
/// When they cannot be put in JSON.
pub fn write(documents: &[Marked], project: Project, unit: OffsetUnit, notes: &mut Notes) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut next_id = 0;
    for document in documents {
        let document = flattened(document, "doccano", notes);
        let row = match project {
            Project::Relations => with_relations(&document, unit, &mut next_id),
            Project::Labels => with_labels(&document, unit, notes),
        };
        lines.extend(crate::io::write::json_line(&row)?);
    }
    Ok(lines)
}

/// The document without what a format of plain labels loses.
fn flattened(document: &Marked, format: &str, notes: &mut Notes) -> Marked {
    let mut flat = document.contiguous(labels::PART);
    labels::compact(&mut flat);
    labels::lose_attributes(&mut flat, format, notes);
    labels::lose_scores(&mut flat, format, notes);
    flat
}

/// The labels that a project needs so that [`write()`]'s output can be imported.
pub fn labels_used(documents: &[Marked]) -> Vec<String> {
    let flat: Vec<Marked> =
        documents.iter().map(|document| flattened(document, "doccano", &mut Notes::default())).collect();
    labels::used(&flat)
}

fn metadata(document: &Marked) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("text".into(), json!(document.text));
    // `id` is doccano's own number.
    row.insert("document".into(), json!(document.id));
    for (name, value) in [("source", &document.source), ("title", &document.title), ("date", &document.date)] {
        row.extend(value.as_ref().map(|value| (name.to_string(), json!(value))));
    }
    row
}

fn with_relations(document: &Marked, unit: OffsetUnit, next_id: &mut usize) -> Map<String, Value> {
    let table = OffsetTable::new(&document.text, unit);
    let first = *next_id;
    let entities = document.marks.iter().enumerate().map(|(at, mark)| {
        let span = mark.extent();
        json!({"id": first + at, "label": mark.label,
               "start_offset": table.from_byte(span.start), "end_offset": table.from_byte(span.end)})
    });
    let relations =
        document.links.iter().enumerate().map(
            |(at, link)| json!({"id": at, "from_id": first + link.from, "to_id": first + link.to, "type": link.role}),
        );
    *next_id += document.marks.len();
    let mut row = metadata(document);
    row.insert("entities".into(), entities.collect());
    row.insert("relations".into(), relations.collect());
    row
}

fn with_labels(document: &Marked, unit: OffsetUnit, notes: &mut Notes) -> Map<String, Value> {
    let table = OffsetTable::new(&document.text, unit);
    let labels = document.marks.iter().map(|mark| {
        let span = mark.extent();
        json!([table.from_byte(span.start), table.from_byte(span.end), mark.label])
    });
    for link in &document.links {
        notes.leave_out(
            format!("doccano's sequence labelling cannot hold which {} belongs to which quote", link.role),
            &document.id,
        );
    }
    let mut row = metadata(document);
    row.insert("label".into(), labels.collect());
    row
}

/// The labels as a file for doccano's label page (its import of label types).
///
/// # Errors
/// When they cannot be put in JSON.
pub fn configuration(labels: &[String]) -> Result<String> {
    let list: Vec<Value> = labels.iter().map(|label| json!({"text": label})).collect();
    Ok(String::from_utf8_lossy(&crate::io::write::json_line(&list)?).into_owned())
}

/// Whether a row looks like one of doccano's.
pub fn is_row(object: &Map<String, Value>) -> bool {
    let list = |name: &str| object.get(name).and_then(Value::as_array);
    let first = |name: &str| list(name).map(|l| l.first());
    matches!(first("label").or_else(|| first("labels")), Some(None | Some(Value::Array(_))))
        || list("entities").is_some_and(|l| l.first().is_none_or(|entity| entity.get("start_offset").is_some()))
}
