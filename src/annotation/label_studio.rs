//! Label Studio's JSON: a list of tasks with `data`, `annotations` (people) and `predictions` (models).
//!
//! A region of type `labels` is a mark; `choices` and `textarea` items with the same region id are its attributes;
//! items of type `relation` are links. See <https://labelstud.io/guide/task_format> and
//! <https://labelstud.io/guide/predictions>. Offsets are those of JavaScript, UTF-16 units
//! (<https://github.com/HumanSignal/label-studio/issues/1347>).

use super::labels::{self, ATTRIBUTES};
use super::marks::{Mark, Marked};
use super::notes::{Notes, Problem};
use super::place::{RawLink, RawMark, Unplaced};
use super::read::Source;
use crate::error::Result;
use crate::io::fields::{FieldNames, kind_name};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// The unit in which Label Studio counts.
pub const UNIT: OffsetUnit = OffsetUnit::Utf16;

/// The tasks of a file.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let mut documents = Vec::new();
    for (number, task) in source.objects()? {
        match task {
            Ok(task) => documents.extend(TaskReader { source, number, notes }.document(task)),
            Err(error) => {
                notes.problems.push(Problem { row: Some(number), ..Problem::from_error(source.path, &error) })
            }
        }
    }
    Ok(documents)
}

struct TaskReader<'a> {
    source: &'a Source<'a>,
    number: u64,
    notes: &'a mut Notes,
}

impl TaskReader<'_> {
    fn problem(&mut self, message: impl Into<String>) {
        self.notes.problems.push(Problem::new(self.source.path, message).at(self.number));
    }

    fn document(&mut self, mut task: Map<String, Value>) -> Option<Unplaced> {
        let task_id = task.get("id").and_then(plain);
        let Some(Value::Object(data)) = task.remove("data") else {
            self.problem("the task has no object `data`: export as JSON, not as JSON_MIN or CSV");
            return None;
        };
        let row = FieldNames::default().row(data);
        let text = match row.text {
            Ok(text) => text,
            Err(error) => {
                self.problem(format!("in `data`: {}", error.without_help()));
                return None;
            }
        };
        let id = row.id.or(task_id).unwrap_or_else(|| format!("task {}", self.number));
        let (items, predicted) = self.items(&task, &id)?;
        let document = Unplaced {
            id,
            source: row.source,
            title: row.title,
            date: row.date,
            text,
            row: self.number,
            predicted,
            ..Unplaced::default()
        };
        Some(self.regions(document, &items))
    }

    /// The result of the annotation that counts, and whether it is only a model's.
    fn items(&mut self, task: &Map<String, Value>, id: &str) -> Option<(Vec<Value>, bool)> {
        let list = |name: &str| task.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let done = |a: &&Value| a.get("was_cancelled").and_then(Value::as_bool) != Some(true);
        let annotations: Vec<&Value> = list("annotations").iter().filter(done).collect();
        let wished = |a: &&&Value| match self.source.annotator {
            Some(name) => annotator(a).iter().any(|given| given == name),
            None => true,
        };
        let mut chosen = annotations.iter().filter(wished);
        let (first, more) = (chosen.next(), chosen.count());
        if more > 0 {
            self.notes.leave_out("a further annotation of a task (choose one with --annotator)", id);
        }
        let (result, predicted) = match (first, list("predictions").first()) {
            (Some(annotation), _) => (annotation.get("result"), false),
            (None, Some(prediction)) if self.source.predictions => (prediction.get("result"), true),
            (None, Some(_)) => {
                self.notes.leave_out("a document with nothing but a prediction (--predictions reads it)", id);
                return None;
            }
            (None, None) => {
                self.notes.leave_out("a document without annotation", id);
                return None;
            }
        };
        match result {
            Some(Value::Array(items)) => Some((items.clone(), predicted)),
            other => {
                self.problem(format!("`result` is {}, not a list", other.map_or("missing", kind_name)));
                None
            }
        }
    }

    fn regions(&mut self, mut document: Unplaced, items: &[Value]) -> Unplaced {
        let mut attributes: IndexMap<String, IndexMap<String, String>> = IndexMap::new();
        for item in items {
            let field = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
            let (kind, id) = (field("type"), field("id"));
            match kind.as_str() {
                "labels" | "hypertextlabels" => self.region(item, &kind, &id, &mut document),
                "relation" => {
                    let role = item.get("labels").and_then(|l| l.get(0)).and_then(Value::as_str).unwrap_or_default();
                    let (from, to) = (field("from_id"), field("to_id"));
                    document.links.push(RawLink { role: role.into(), from, to, row: self.number });
                }
                "choices" | "textarea" if item.pointer("/value/start").is_some() => {
                    let given = item.pointer(if kind == "choices" { "/value/choices" } else { "/value/text" });
                    if let Some(value) = given.and_then(words) {
                        attributes.entry(id).or_default().insert(field("from_name"), value);
                    }
                }
                other => self.notes.leave_out(format!("Label Studio's `{other}` of a whole document"), &document.id),
            }
        }
        for mark in &mut document.marks {
            // A region with two labels is two marks `id` and `id#2`.
            let region = mark.id.split('#').next().unwrap_or_default();
            mark.attributes = attributes.get(region).cloned().unwrap_or_default();
        }
        document
    }

    fn region(&mut self, item: &Value, kind: &str, id: &str, document: &mut Unplaced) {
        let value = item.get("value").unwrap_or(&Value::Null);
        let place = if kind == "labels" { Some(value) } else { value.get("globalOffsets") };
        let offset =
            |name: &str| place.and_then(|p| p.get(name)).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let (Some(start), Some(end)) = (offset("start"), offset("end")) else {
            return self.problem(format!("the region `{id}` has no numbers `start` and `end`"));
        };
        let labels: Vec<&str> =
            value.get(kind).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if labels.is_empty() {
            return self.problem(format!("the region `{id}` has no label"));
        }
        for (at, label) in labels.into_iter().enumerate() {
            document.marks.push(RawMark {
                id: if at == 0 { id.to_string() } else { format!("{id}#{}", at + 1) },
                label: label.into(),
                parts: vec![(start, end)],
                surface: value.get("text").and_then(Value::as_str).map(Into::into),
                score: item.get("score").and_then(Value::as_f64),
                row: self.number,
                ..RawMark::default()
            });
        }
    }
}

/// The names by which an annotation's author may be asked for: number, address or name.
fn annotator(annotation: &Value) -> Vec<String> {
    match annotation.get("completed_by") {
        Some(Value::Object(person)) => person.values().filter_map(plain).collect(),
        Some(given) => plain(given).into_iter().collect(),
        None => Vec::new(),
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The chosen words, or the lines of a text area.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    }
}

/// The tasks of `documents` as one JSON list: predictions where a model made them, else annotations.
///
/// # Errors
/// When they cannot be put in JSON.
pub fn write(documents: &[Marked], unit: OffsetUnit) -> Result<Vec<u8>> {
    let tasks: Vec<Value> = documents.iter().enumerate().map(|(at, document)| task(at, document, unit)).collect();
    crate::io::write::json_line(&tasks)
}

fn task(at: usize, document: &Marked, unit: OffsetUnit) -> Value {
    let mut data = Map::from_iter([("text".to_string(), json!(document.text)), ("id".to_string(), json!(document.id))]);
    for (name, value) in [("source", &document.source), ("title", &document.title), ("date", &document.date)] {
        data.extend(value.as_ref().map(|value| (name.to_string(), json!(value))));
    }
    let document = document.contiguous(labels::PART);
    let table = OffsetTable::new(&document.text, unit);
    let mut result: Vec<Value> = Vec::new();
    for (number, mark) in document.marks.iter().enumerate() {
        region(&format!("m{number}"), mark, &document.text, &table, &mut result);
    }
    for link in &document.links {
        result.push(json!({
            "from_id": format!("m{}", link.from), "to_id": format!("m{}", link.to),
            "type": "relation", "direction": "right", "labels": [link.role],
        }));
    }
    let kind = if document.predicted { "predictions" } else { "annotations" };
    let mut made = Map::new();
    made.insert("result".into(), Value::Array(result));
    if document.predicted {
        made.insert("model_version".into(), json!(concat!("detente ", env!("CARGO_PKG_VERSION"))));
    }
    json!({"id": at + 1, "data": data, kind: [made]})
}

fn region(id: &str, mark: &Mark, text: &str, table: &OffsetTable, result: &mut Vec<Value>) {
    let span = mark.extent();
    let (start, end) = (table.from_byte(span.start), table.from_byte(span.end));
    let mut labelled = json!({
        "id": id, "from_name": "label", "to_name": "text", "type": "labels",
        "value": {"start": start, "end": end, "text": span.of(text), "labels": [mark.label]},
    });
    if let (Some(score), Value::Object(item)) = (mark.score, &mut labelled) {
        item.insert("score".into(), json!(score));
    }
    result.push(labelled);
    for (attribute, value) in &mark.attributes {
        let fixed = ATTRIBUTES.iter().any(|(name, values)| name == attribute && !values.is_empty());
        result.push(if fixed {
            json!({
                "id": id, "from_name": attribute, "to_name": "text", "type": "choices",
                "value": {"start": start, "end": end, "text": span.of(text),
                          "choices": value.split_whitespace().collect::<Vec<_>>()},
            })
        } else {
            json!({
                "id": id, "from_name": attribute, "to_name": "text", "type": "textarea",
                "value": {"start": start, "end": end, "text": [value]},
            })
        });
    }
}

/// The labelling configuration that shows what [`write()`] writes: paste it into the project's settings.
pub fn configuration(labels: &[String]) -> String {
    let mut xml = String::from("<View>\n  <Labels name=\"label\" toName=\"text\">\n");
    for label in labels {
        xml += &format!("    <Label value=\"{}\"/>\n", escaped(label));
    }
    xml += "  </Labels>\n  <Text name=\"text\" value=\"$text\" granularity=\"word\"/>\n  <Relations>\n";
    for role in [labels::CUE, labels::SPEAKER, labels::PART] {
        xml += &format!("    <Relation value=\"{role}\"/>\n");
    }
    xml += "  </Relations>\n";
    for (name, values) in ATTRIBUTES {
        let shown = format!("perRegion=\"true\" visibleWhen=\"region-selected\" whenLabelValue=\"{}\"", labels::QUOTE);
        if values.is_empty() {
            xml += &format!(
                "  <TextArea name=\"{name}\" toName=\"text\" {shown} placeholder=\"{name}\" maxSubmissions=\"1\"/>\n"
            );
            continue;
        }
        xml += &format!("  <Choices name=\"{name}\" toName=\"text\" {shown} choice=\"single-radio\">\n");
        for value in values {
            xml += &format!("    <Choice value=\"{value}\"/>\n");
        }
        xml += "  </Choices>\n";
    }
    xml + "</View>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Whether a task looks like one of Label Studio's.
pub fn is_task(object: &Map<String, Value>) -> bool {
    object.get("data").is_some_and(Value::is_object)
        && (object.contains_key("annotations") || object.contains_key("predictions"))
}
