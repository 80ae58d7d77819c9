//! Records to bytes: JSON lines, a table of quotes or entities, or the view for people.

use crate::error::{Error, Result};
use crate::io::output::{Checkpoint, Output};
use crate::io::view::{self, Style};
use crate::record::{EntityRecord, QuoteRecord, Record};
use serde::Serialize;
use std::path::Path;

/// The columns of a table of quotes.
pub const QUOTE_COLUMNS: [&str; 24] = [
    "id",
    "source",
    "title",
    "date",
    "quote",
    "start",
    "end",
    "text",
    "kind",
    "speaker",
    "mention",
    "role",
    "country",
    "evidence",
    "cue",
    "confidence",
    "flags",
    "parts",
    "offset_unit",
    "stance_label",
    "stance_score",
    "stance_conciliatory",
    "stance_firm",
    "stance_neutral",
];

/// The columns of a table of entities.
pub const ENTITY_COLUMNS: [&str; 10] =
    ["id", "source", "title", "date", "type", "start", "end", "text", "score", "offset_unit"];

/// What a record becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// One JSON object a line.
    Jsonl,
    /// One row a quote, with this delimiter.
    QuoteTable(u8),
    /// One row an entity, with this delimiter.
    EntityTable(u8),
    /// For reading.
    View(Style),
}

impl RecordFormat {
    /// The delimiter of a table that is written to `path`: tabs where it ends in `.tsv`, else commas.
    pub fn delimiter(path: Option<&Path>) -> u8 {
        let name = path.map(|p| p.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let name = [".gz", ".zst", ".bz2"].iter().find_map(|e| name.strip_suffix(e)).unwrap_or(&name);
        if name.ends_with(".tsv") { b'\t' } else { b',' }
    }

    /// What stands before the first record.
    ///
    /// # Errors
    /// When it cannot be put in bytes.
    pub fn header(self) -> Result<Vec<u8>> {
        match self {
            RecordFormat::QuoteTable(delimiter) => table(delimiter, [QUOTE_COLUMNS]),
            RecordFormat::EntityTable(delimiter) => table(delimiter, [ENTITY_COLUMNS]),
            RecordFormat::Jsonl | RecordFormat::View(_) => Ok(Vec::new()),
        }
    }

    /// The bytes of one record.
    ///
    /// # Errors
    /// When it cannot be put in bytes.
    pub fn bytes(self, record: &Record) -> Result<Vec<u8>> {
        match self {
            RecordFormat::Jsonl => json_line(record),
            RecordFormat::QuoteTable(delimiter) => {
                let quotes = record.quotes.iter().flatten().enumerate();
                table(delimiter, quotes.map(|(i, quote)| quote_row(record, i + 1, quote)))
            }
            RecordFormat::EntityTable(delimiter) => {
                table(delimiter, record.entities.iter().flatten().map(|entity| entity_row(record, entity)))
            }
            RecordFormat::View(style) => Ok(view::view(record, &style).into_bytes()),
        }
    }
}

/// A value as one line of JSON.
///
/// # Errors
/// When it cannot be put in JSON.
pub fn json_line(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(|e| Error::io(format!("a record is no JSON: {e}")))?;
    line.push(b'\n');
    Ok(line)
}

/// Rows as delimited text.
///
/// # Errors
/// When a row cannot be put in bytes.
pub fn table<Row, Cell>(delimiter: u8, rows: impl IntoIterator<Item = Row>) -> Result<Vec<u8>>
where
    Row: IntoIterator<Item = Cell>,
    Cell: AsRef<[u8]>,
{
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|e| Error::io(format!("a row is no CSV: {e}")))?;
    }
    writer.into_inner().map_err(|e| Error::io(format!("a row is no CSV: {e}")))
}

fn quote_row(record: &Record, number: usize, quote: &QuoteRecord) -> Vec<String> {
    let speaker = quote.speaker.as_ref();
    let stance = quote.stance.as_ref();
    let start = quote.parts.first().map(|p| p.start);
    let end = quote.parts.last().map(|p| p.end);
    let words: Vec<&str> = quote.parts.iter().map(|p| p.text.as_str()).collect();
    let evidence = match speaker {
        Some(speaker) => speaker.evidence.as_ref().map(name_of),
        None => quote.no_speaker.as_ref().map(name_of),
    };
    let mut row = document_cells(record);
    row.extend([
        number.to_string(),
        cell(start),
        cell(end),
        words.join(" "),
        name_of(&quote.kind),
        speaker.map(|s| s.name.clone()).unwrap_or_default(),
        speaker.and_then(|s| s.mention.as_ref()).map(|m| m.text.clone()).unwrap_or_default(),
        speaker.and_then(|s| s.role.clone()).unwrap_or_default(),
        speaker.and_then(|s| s.country.clone()).unwrap_or_default(),
        evidence.unwrap_or_default(),
        quote.cue.as_ref().map(|c| c.text.clone()).unwrap_or_default(),
        cell(quote.confidence),
        quote.flags.iter().map(name_of).collect::<Vec<_>>().join(" "),
        quote.parts.iter().map(|p| format!("{}-{}", p.start, p.end)).collect::<Vec<_>>().join(" "),
        name_of(&record.offset_unit),
        stance.map(|s| s.label.as_str().to_string()).unwrap_or_default(),
        cell(stance.and_then(|s| s.score)),
        cell(stance.and_then(|s| s.conciliatory)),
        cell(stance.and_then(|s| s.firm)),
        cell(stance.and_then(|s| s.neutral)),
    ]);
    row
}

fn entity_row(record: &Record, entity: &EntityRecord) -> Vec<String> {
    let mut row = document_cells(record);
    row.extend([
        entity.kind.clone(),
        entity.span.start.to_string(),
        entity.span.end.to_string(),
        entity.span.text.clone(),
        cell(entity.score),
        name_of(&record.offset_unit),
    ]);
    row
}

fn document_cells(record: &Record) -> Vec<String> {
    let given = |field: &Option<String>| field.clone().unwrap_or_default();
    vec![record.id.clone(), given(&record.source), given(&record.title), given(&record.date)]
}

fn cell(value: Option<impl ToString>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

/// The name that JSON gives a plain enum, so that tables and records use the same words.
fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Takes records in order and writes them.
pub struct RecordSink {
    format: RecordFormat,
    output: Output,
}

impl RecordSink {
    /// Begins a file with its header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(format: RecordFormat, mut output: Output) -> Result<Self> {
        output.write(&format.header()?)?;
        Ok(RecordSink { format, output })
    }

    /// Goes on with a file that has its header.
    pub fn go_on(format: RecordFormat, output: Output) -> Self {
        RecordSink { format, output }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        self.output.write(&self.format.bytes(record)?)
    }

    /// See [`Output::checkpoint`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.output.checkpoint(checkpoint)
    }

    /// See [`Output::partial`].
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// See [`Output::finish`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<()> {
        self.output.finish()
    }
}
