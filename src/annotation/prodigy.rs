//! Prodigy's JSONL: one task a line, with `tokens`, `spans` and `relations`.
//!
//! `token_end` is the last token of a span, not one past it; `head` and `child` of a relation are tokens, and
//! `head_span` and `child_span` the spans they stand for. See <https://prodi.gy/docs/api-interfaces> and
//! <https://prodi.gy/docs/dependencies-relations>. Offsets are characters. Kind and stance stand in the labels of quotes,
//! which annotators choose from; a span keeps further facts of its own under `attributes`.

use super::labels;
use super::marks::{Marked, touched};
use super::notes::{Notes, Problem};
use super::place::{RawLink, RawMark, Unplaced};
use super::read::Source;
use crate::document::Span;
use crate::error::Result;
use crate::io::fields::{FieldNames, kind_name};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// The unit in which Prodigy counts.
pub const UNIT: OffsetUnit = OffsetUnit::Char;

/// The tasks of a file; rejected and ignored ones are left out.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let mut documents = Vec::new();
    for (row, object) in source.objects()? {
        match object {
            Ok(object) => documents.extend(TaskReader { source, row, notes }.document(object)),
            Err(error) => notes.problems.push(Problem { row: Some(row), ..Problem::from_error(source.path, &error) }),
        }
    }
    Ok(documents)
}

struct TaskReader<'a> {
    source: &'a Source<'a>,
    row: u64,
    notes: &'a mut Notes,
}

impl TaskReader<'_> {
    fn problem(&mut self, message: impl Into<String>) {
        self.notes.problems.push(Problem::new(self.source.path, message).at(self.row));
    }

    fn list(&mut self, task: &mut Map<String, Value>, name: &str) -> Vec<Value> {
        match task.remove(name) {
            Some(Value::Array(list)) => list,
            None | Some(Value::Null) => Vec::new(),
            Some(other) => {
                self.problem(format!("`{name}` is {}, not a list", kind_name(&other)));
                Vec::new()
            }
        }
    }

    fn document(&mut self, mut task: Map<String, Value>) -> Option<Unplaced> {
        let text = |task: &Map<String, Value>, name: &str| task.get(name).and_then(Value::as_str).map(str::to_string);
        let mut tokens = Vec::new();
        for token in self.list(&mut task, "tokens") {
            tokens.extend(self.mark(&token, String::new()));
        }
        let spans = self.list(&mut task, "spans");
        let relations = self.list(&mut task, "relations");
        let author = text(&task, "_annotator_id").or_else(|| text(&task, "_session_id"));
        let answer = text(&task, "answer");
        if let Some(Value::Object(meta)) = task.remove("meta") {
            meta.into_iter().for_each(|(key, value)| _ = task.entry(key).or_insert(value));
        }
        let row = FieldNames::default().row(task);
        let id = row.id.unwrap_or_else(|| format!("task {}", self.row));
        match row.text {
            Err(error) => {
                self.problem(error.without_help());
                None
            }
            Ok(_) if self.source.annotator.is_some_and(|wished| author.as_deref() != Some(wished)) => None,
            Ok(_) if !matches!(answer.as_deref(), None | Some("accept")) => {
                let answer = answer.unwrap_or_default();
                self.notes.leave_out(format!("a task with the answer `{answer}`"), &id);
                None
            }
            Ok(_) if answer.is_none() && !self.source.predictions => {
                self.notes.leave_out("a task that nobody has answered (--predictions reads it)", &id);
                None
            }
            Ok(text) => {
                let marks: Vec<RawMark> =
                    spans.iter().enumerate().filter_map(|(at, span)| self.mark(span, at.to_string())).collect();
                let links = relations.iter().filter_map(|link| self.link(link, &marks, &tokens)).collect();
                let predicted = answer.is_none();
                let (source, title, date) = (row.source, row.title, row.date);
                Some(Unplaced { id, source, title, date, text, row: self.row, marks, links, tokens, predicted })
            }
        }
    }

    fn mark(&mut self, span: &Value, id: String) -> Option<RawMark> {
        let label = span.get("label").and_then(Value::as_str);
        let is_token = id.is_empty();
        let (Some((start, end)), true) = (bounds(span), is_token || label.is_some()) else {
            self.problem(format!("{span} has no numbers `start` and `end`, or no label"));
            return None;
        };
        let attributes: IndexMap<String, String> = match span.get("attributes") {
            Some(Value::Object(given)) => {
                given.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_string()))).collect()
            }
            _ => IndexMap::new(),
        };
        Some(RawMark {
            id,
            label: label.unwrap_or_default().into(),
            parts: vec![(start, end)],
            surface: span.get("text").and_then(Value::as_str).map(Into::into),
            attributes,
            score: span.get("score").and_then(Value::as_f64),
            row: self.row,
        })
    }

    fn link(&mut self, link: &Value, marks: &[RawMark], tokens: &[RawMark]) -> Option<RawLink> {
        let end = |span: &str, token: &str| {
            let given = link.get(span).and_then(bounds);
            let label = link.get(span).and_then(|s| s.get("label")).and_then(Value::as_str);
            let at_span =
                |mark: &&RawMark| given.is_some_and(|g| mark.parts == [g]) && label.is_none_or(|l| l == mark.label);
            let token = link.get(token).and_then(Value::as_u64).and_then(|n| tokens.get(usize::try_from(n).ok()?));
            let around = |mark: &&RawMark| {
                let inside = |t: &RawMark| {
                    t.parts.first().zip(mark.parts.first()).is_some_and(|(t, m)| m.0 <= t.0 && t.1 <= m.1)
                };
                given.is_none() && token.is_some_and(inside)
            };
            marks.iter().find(at_span).or_else(|| marks.iter().find(around)).map(|mark| mark.id.clone())
        };
        let role = link.get("label").and_then(Value::as_str);
        match (end("head_span", "head"), end("child_span", "child"), role) {
            (Some(from), Some(to), Some(role)) => Some(RawLink { role: role.into(), from, to, row: self.row }),
            _ => {
                self.problem("a relation whose head or child is no labelled span");
                None
            }
        }
    }
}

fn bounds(span: &Value) -> Option<(usize, usize)> {
    let number = |name: &str| span.get(name).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    number("start").zip(number("end"))
}

/// `documents` as JSON lines; those that no model made carry the answer `accept`.
///
/// # Errors
/// When they cannot be put in JSON.
pub fn write(documents: &[Marked], unit: OffsetUnit) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for document in documents {
        lines.extend(crate::io::write::json_line(&task(&flattened(document), unit))?);
    }
    Ok(lines)
}

fn flattened(document: &Marked) -> Marked {
    let mut flat = document.contiguous(labels::PART);
    labels::compact(&mut flat);
    flat
}

/// The labels that Prodigy must be started with.
pub fn labels_used(documents: &[Marked]) -> Vec<String> {
    labels::used(&documents.iter().map(flattened).collect::<Vec<_>>())
}

fn task(document: &Marked, unit: OffsetUnit) -> Value {
    let table = OffsetTable::new(&document.text, unit);
    let words: Vec<Span> = document.words().into_iter().flatten().collect();
    let tokens = words.iter().enumerate().map(|(id, word)| {
        let space = document.text.get(word.end..).is_some_and(|rest| rest.starts_with(char::is_whitespace));
        json!({"text": word.of(&document.text), "start": table.from_byte(word.start), "end": table.from_byte(word.end),
               "id": id, "ws": space})
    });
    let spans: Vec<Value> = document.marks.iter().map(|mark| span(mark, document, &table, &words)).collect();
    let end = |at: usize, field: &str| spans.get(at).and_then(|span| span.get(field)).cloned().unwrap_or_default();
    let short = |at: usize| {
        let fields = ["start", "end", "token_start", "token_end", "label"];
        Value::Object(fields.into_iter().map(|field| (field.to_string(), end(at, field))).collect())
    };
    let relations = document.links.iter().map(|link| {
        json!({"head": end(link.from, "token_end"), "child": end(link.to, "token_end"), "label": link.role,
               "head_span": short(link.from), "child_span": short(link.to)})
    });
    let mut meta = Map::from_iter([("id".to_string(), json!(document.id))]);
    for (name, value) in [("source", &document.source), ("title", &document.title), ("date", &document.date)] {
        meta.extend(value.as_ref().map(|value| (name.to_string(), json!(value))));
    }
    let mut task = Map::new();
    task.insert("text".into(), json!(document.text));
    task.insert("meta".into(), Value::Object(meta));
    task.insert("tokens".into(), tokens.collect());
    task.insert("relations".into(), relations.collect());
    task.insert("spans".into(), Value::Array(spans.clone()));
    if !document.predicted {
        task.insert("answer".into(), json!("accept"));
    }
    Value::Object(task)
}

fn span(mark: &super::marks::Mark, document: &Marked, table: &OffsetTable, words: &[Span]) -> Value {
    let place = mark.extent();
    let tokens = touched(words, place);
    let mut span = Map::new();
    span.insert("start".into(), json!(table.from_byte(place.start)));
    span.insert("end".into(), json!(table.from_byte(place.end)));
    span.insert("text".into(), json!(place.of(&document.text)));
    span.insert("token_start".into(), json!(tokens.start));
    span.insert("token_end".into(), json!(tokens.end.saturating_sub(1).max(tokens.start)));
    span.insert("label".into(), json!(mark.label));
    if !mark.attributes.is_empty() {
        span.insert("attributes".into(), json!(mark.attributes));
    }
    span.extend(mark.score.map(|score| ("score".to_string(), json!(score))));
    Value::Object(span)
}

/// Whether a row looks like one of Prodigy's.
pub fn is_task(object: &Map<String, Value>) -> bool {
    ["spans", "tokens", "_task_hash", "answer"].iter().any(|name| object.contains_key(*name))
}
