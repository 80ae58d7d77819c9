//! A plain table, one row a name or a quote, as CSV or TSV; the articles stay in their own files.
//!
//! Tables of others are read by the names of their columns: `doc` (or `document`, `doc_id`, `file`, else `id`), `start`,
//! `end`, `label` (or `type`), and `text` (or `quote`, `surface`), the words that stand there. In tables written here `id`
//! is the row's own and `label` the type of a name or the stance of a quote, so that `detente agree` reads them as they are.

use super::labels::{ATTRIBUTES, CUE, QUOTE, SPEAKER, label_of_kind};
use super::notes::{Notes, Problem};
use super::place::{RawLink, RawMark, Unplaced};
use super::read::Source;
use crate::document::StanceLabel;
use crate::error::Result;
use crate::io::delimited::Table;
use crate::record::{EntityRecord, QuoteRecord, Record, SpanRecord};
use crate::text::offsets::OffsetUnit;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;

/// The unit in which tables count, unless they say otherwise.
pub const UNIT: OffsetUnit = OffsetUnit::Char;

/// The columns that are written.
pub const COLUMNS: [&str; 25] = [
    "id",
    "doc",
    "annotation",
    "label",
    "start",
    "end",
    "text",
    "parts",
    "kind",
    "cue",
    "cue_start",
    "cue_end",
    "mention",
    "mention_start",
    "mention_end",
    "speaker",
    "role",
    "country",
    "evidence",
    "no_speaker",
    "flags",
    "score",
    "source",
    "title",
    "date",
];

/// The documents of a table, in the order in which they come up; their texts are looked up among the articles.
///
/// # Errors
/// When the file cannot be opened, or has no column for offsets.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let table = source.table()?;
    let columns = Columns::find(table.header())?;
    let mut documents: IndexMap<String, Unplaced> = IndexMap::new();
    let mut without_text = HashSet::new();
    for (row, cells) in rows(table) {
        let cells = match cells {
            Ok(cells) => Cells { columns: &columns, cells },
            Err(error) => {
                notes.problems.push(Problem::from_error(source.path, &error));
                continue;
            }
        };
        let id =
            cells.first(&["doc", "document", "document_id", "doc_id", "file", "filename", "id"]).unwrap_or_default();
        let Some(text) = source.article(&id) else {
            if without_text.insert(id.clone()) {
                let message = "the table does not hold the article: name it with --articles";
                notes.problems.push(Problem::new(source.path, message).at(row).of(&id));
            }
            continue;
        };
        let document = documents.entry(id.clone()).or_insert_with(|| Unplaced {
            id: id.clone(),
            source: cells.first(&["source"]),
            title: cells.first(&["title"]),
            date: cells.first(&["date"]),
            text: text.to_string(),
            row,
            ..Unplaced::default()
        });
        if let Err(message) = add_row(document, &cells, row) {
            notes.problems.push(Problem::new(source.path, message).at(row).of(&id));
        }
    }
    Ok(documents.into_values().collect())
}

/// The rows with the lines on which they begin.
fn rows(table: Table) -> impl Iterator<Item = (u64, Result<csv::StringRecord>)> {
    table.map(|row| match row {
        Ok(cells) => (cells.position().map_or(0, csv::Position::line), Ok(cells)),
        Err(error) => (error.line.unwrap_or(0), Err(error)),
    })
}

/// The positions of the columns, by name in lower case.
struct Columns(IndexMap<String, usize>);

impl Columns {
    fn find(header: &[String]) -> Result<Columns> {
        let names = header.iter().enumerate().map(|(at, name)| (name.trim().to_ascii_lowercase(), at));
        let columns = Columns(names.collect());
        for needed in [&START[..], &END[..]] {
            if !needed.iter().any(|name| columns.0.contains_key(*name)) {
                let message = format!("no column `{}`", needed.join("`, `"));
                return Err(crate::error::Error::document(message)
                    .at_line(1)
                    .help("a table of spans says where they are"));
            }
        }
        Ok(columns)
    }
}

const START: [&str; 5] = ["start", "begin", "start_offset", "start_char", "from"];
const END: [&str; 5] = ["end", "stop", "end_offset", "end_char", "to"];

struct Cells<'a> {
    columns: &'a Columns,
    cells: csv::StringRecord,
}

impl Cells<'_> {
    /// The first of these columns that is filled.
    fn first(&self, names: &[&str]) -> Option<String> {
        let cell = |name: &&str| self.columns.0.get(*name).and_then(|at| self.cells.get(*at));
        names.iter().filter_map(cell).find(|cell| !cell.is_empty()).map(str::to_string)
    }

    fn span(&self, start: &[&str], end: &[&str]) -> Result<Option<(usize, usize)>, String> {
        match (self.first(start), self.first(end)) {
            (Some(start), Some(end)) => match (start.trim().parse(), end.trim().parse()) {
                (Ok(start), Ok(end)) => Ok(Some((start, end))),
                _ => Err(format!("`{start}` and `{end}` are no offsets")),
            },
            _ => Ok(None),
        }
    }

    /// Whether the row is a quote: it says so, or only quotes have what it holds.
    fn is_quote(&self) -> bool {
        match self.first(&["annotation"]) {
            Some(annotation) => annotation.eq_ignore_ascii_case(QUOTE),
            None => self.first(&["kind", "stance_label"]).is_some(),
        }
    }
}

fn add_row(document: &mut Unplaced, cells: &Cells, row: u64) -> Result<(), String> {
    let whole = cells.span(&START, &END)?.ok_or("the row has no offsets")?;
    let surface = cells.first(&["text", "surface", "words", "quote"]);
    let label = cells.first(&["label", "type", "tag"]);
    let score = cells.first(&["score", "confidence"]).and_then(|score| score.trim().parse().ok());
    let id = document.marks.len().to_string();
    if !cells.is_quote() {
        // A table that says what is a name may call it by any type.
        let said = cells.first(&["annotation"]).is_some();
        let label = label.ok_or("the row has no label")?;
        let label = if said { label_of_kind(&label) } else { label };
        document.marks.push(RawMark { id, label, parts: vec![whole], surface, score, row, ..RawMark::default() });
        return Ok(());
    }
    let parts = match cells.first(&["parts"]) {
        Some(list) => list.split_whitespace().map(pair).collect::<Option<Vec<_>>>().ok_or("`parts` are no offsets")?,
        None => vec![whole],
    };
    let mut attributes = IndexMap::new();
    for (name, _) in ATTRIBUTES {
        let value =
            if name == "stance" { cells.first(&["label", "stance_label", "stance"]) } else { cells.first(&[name]) };
        // `c`, `f` and `n` stand for stances too.
        let spelled = |value: String| match StanceLabel::parse(&value).filter(|_| name == "stance") {
            Some(label) => label.as_str().to_string(),
            None => value,
        };
        attributes.extend(value.map(|value| (name.to_string(), spelled(value))));
    }
    document.marks.push(RawMark { id: id.clone(), label: QUOTE.into(), parts, surface, attributes, score, row });
    for (label, words, start, end) in
        [(CUE, "cue", "cue_start", "cue_end"), (SPEAKER, "mention", "mention_start", "mention_end")]
    {
        if let Some(place) = cells.span(&[start], &[end])? {
            let to = format!("{id} {label}");
            let surface = cells.first(&[words]);
            document.marks.push(RawMark {
                id: to.clone(),
                label: label.into(),
                parts: vec![place],
                surface,
                row,
                ..RawMark::default()
            });
            document.links.push(RawLink { role: label.into(), from: id.clone(), to, row });
        }
    }
    Ok(())
}

fn pair(part: &str) -> Option<(usize, usize)> {
    let (start, end) = part.split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()?))
}

/// The rows of all records under a header; offsets in the records' unit.
///
/// # Errors
/// When a row cannot be put in bytes.
pub fn write(records: &[Record], delimiter: u8) -> Result<Vec<u8>> {
    let mut ids = HashSet::new();
    let header = COLUMNS.iter().map(ToString::to_string).collect();
    let rows = records.iter().flat_map(|record| {
        let names = record.entities.iter().flatten().map(|entity| entity_row(record, entity));
        names.chain(record.quotes.iter().flatten().map(|quote| quote_row(record, quote))).collect::<Vec<_>>()
    });
    let mut rows: Vec<Vec<String>> = std::iter::once(header).chain(rows).collect();
    for id in rows.iter_mut().skip(1).filter_map(|row| row.first_mut()) {
        let numbered = (2..).map(|number| format!("{id}/{number}"));
        *id = std::iter::once(id.clone()).chain(numbered).find(|id| ids.insert(id.clone())).unwrap_or_default();
    }
    crate::io::write::table(delimiter, rows)
}

fn entity_row(record: &Record, entity: &EntityRecord) -> Vec<String> {
    let span = &entity.span;
    let facts = Facts { annotation: "entity", label: entity.kind.clone(), text: span.text.clone(), ..Facts::default() };
    let score = entity.score.map(|score| score.to_string());
    row(record, span.start, span.end, Facts { score, ..facts })
}

fn quote_row(record: &Record, quote: &QuoteRecord) -> Vec<String> {
    let speaker = quote.speaker.as_ref();
    let start = quote.parts.iter().map(|part| part.start).min().unwrap_or(0);
    let end = quote.parts.iter().map(|part| part.end).max().unwrap_or(0);
    let evidence = speaker.and_then(|s| s.evidence.as_ref()).map(name_of);
    let facts = Facts {
        annotation: QUOTE,
        label: quote.stance.as_ref().map(|stance| stance.label.as_str().to_string()).unwrap_or_default(),
        text: quote.parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(" "),
        parts: quote.parts.iter().map(|part| format!("{}-{}", part.start, part.end)).collect::<Vec<_>>().join(" "),
        kind: name_of(&quote.kind),
        cue: quote.cue.as_ref(),
        mention: speaker.and_then(|s| s.mention.as_ref()),
        speaker: [
            speaker.map(|s| s.name.clone()),
            speaker.and_then(|s| s.role.clone()),
            speaker.and_then(|s| s.country.clone()),
            evidence,
            quote.no_speaker.as_ref().map(name_of),
        ]
        .map(Option::unwrap_or_default),
        flags: quote.flags.iter().map(name_of).collect::<Vec<_>>().join(" "),
        score: quote.confidence.map(|score| score.to_string()),
    };
    row(record, start, end, facts)
}

/// What a row holds beside document and place.
#[derive(Default)]
struct Facts<'a> {
    annotation: &'a str,
    label: String,
    text: String,
    parts: String,
    kind: String,
    cue: Option<&'a SpanRecord>,
    mention: Option<&'a SpanRecord>,
    /// Name, role, country, evidence, and why there is none.
    speaker: [String; 5],
    flags: String,
    score: Option<String>,
}

fn row(record: &Record, start: usize, end: usize, facts: Facts) -> Vec<String> {
    let span = |span: Option<&SpanRecord>| match span {
        Some(span) => [span.text.clone(), span.start.to_string(), span.end.to_string()],
        None => Default::default(),
    };
    let given = |field: &Option<String>| field.clone().unwrap_or_default();
    let mut row = vec![format!("{}#{start}-{end}", record.id), record.id.clone(), facts.annotation.to_string()];
    row.extend([facts.label, start.to_string(), end.to_string(), facts.text, facts.parts, facts.kind]);
    row.extend(span(facts.cue));
    row.extend(span(facts.mention));
    row.extend(facts.speaker);
    row.extend([facts.flags, facts.score.unwrap_or_default()]);
    row.extend([given(&record.source), given(&record.title), given(&record.date)]);
    row
}

/// The name that JSON gives a plain enum.
fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}
