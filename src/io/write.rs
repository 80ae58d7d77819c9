//! Records to a destination: JSON lines, tables of quotes or entities as CSV or Parquet, whole records as Parquet, an
//! SQLite database, or the view for people.

use crate::error::{Error, Result};
use crate::io::failures::Failures;
use crate::io::output::{Checkpoint, Output, Start};
use crate::io::parquet;
use crate::io::sqlite::Database;
use crate::io::table::{ENTITY_COLUMNS, QUOTE_COLUMNS, Table, entity_rows, quote_rows};
use crate::io::view::{self, Style};
use crate::record::Record;
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What a record becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// One JSON object a line.
    Jsonl,
    /// One row a quote or an entity, with this delimiter.
    Csv(Table, u8),
    /// A Parquet file: one row a record, or one a row of the table.
    Parquet(Option<Table>),
    /// An SQLite database.
    Sqlite,
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
            RecordFormat::Csv(Table::Quotes, delimiter) => table(delimiter, [QUOTE_COLUMNS]),
            RecordFormat::Csv(Table::Entities, delimiter) => table(delimiter, [ENTITY_COLUMNS]),
            _ => Ok(Vec::new()),
        }
    }

    /// The bytes of one record; of Parquet, which is made at the end, those it is made of.
    ///
    /// # Errors
    /// When it cannot be put in bytes.
    pub fn bytes(self, record: &Record) -> Result<Vec<u8>> {
        match self {
            RecordFormat::Jsonl | RecordFormat::Parquet(_) | RecordFormat::Sqlite => json_line(record),
            RecordFormat::Csv(Table::Quotes, delimiter) => csv_rows(delimiter, quote_rows(record)),
            RecordFormat::Csv(Table::Entities, delimiter) => csv_rows(delimiter, entity_rows(record)),
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

/// Cells as delimited text.
///
/// # Errors
/// When a row cannot be put in bytes.
pub fn table<Row, Cell>(delimiter: u8, rows: impl IntoIterator<Item = Row>) -> Result<Vec<u8>>
where
    Row: IntoIterator<Item = Cell>,
    Cell: AsRef<[u8]>,
{
    delimited(delimiter, rows, |writer, row| writer.write_record(row))
}

/// Rows of a table of records as delimited text, without the header.
fn csv_rows(delimiter: u8, rows: impl IntoIterator<Item = impl Serialize>) -> Result<Vec<u8>> {
    delimited(delimiter, rows, |writer, row| writer.serialize(row))
}

fn delimited<Row>(
    delimiter: u8,
    rows: impl IntoIterator<Item = Row>,
    write: impl Fn(&mut csv::Writer<Vec<u8>>, Row) -> csv::Result<()>,
) -> Result<Vec<u8>> {
    let failed = |e: String| Error::io(format!("a row is no CSV: {e}"));
    let mut writer =
        csv::WriterBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_writer(Vec::new());
    for row in rows {
        write(&mut writer, row).map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

/// Takes records in order and writes them.
pub struct RecordSink {
    target: Target,
    failures: Option<Failures>,
}

enum Target {
    Bytes { format: RecordFormat, output: Output },
    Database(Box<Database>),
}

impl RecordSink {
    /// A file that a later run can go on with, see [`Output::resumable`]; `settings` are what must not change.
    ///
    /// # Errors
    /// When nothing can be written there, or the settings differ.
    pub fn resumable(
        format: RecordFormat,
        path: &Path,
        settings: &Map<String, Value>,
        resume: bool,
    ) -> Result<Start<Self>> {
        if format == RecordFormat::Sqlite {
            let database = |d, _: Option<&_>| Ok(RecordSink { target: Target::Database(Box::new(d)), failures: None });
            return Database::resumable(path, settings, resume)?.try_map(database);
        }
        Output::resumable(path, settings, resume)?.try_map(|output, done| match done {
            None => RecordSink::begin(format, output),
            Some(_) => Ok(RecordSink::go_on(format, output)),
        })
    }

    /// Begins a file with its header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(format: RecordFormat, mut output: Output) -> Result<Self> {
        output.write(&format.header()?)?;
        Ok(Self::go_on(format, output))
    }

    /// Goes on with a file that has its header.
    pub fn go_on(format: RecordFormat, output: Output) -> Self {
        RecordSink { target: Target::Bytes { format, output }, failures: None }
    }

    /// Lists what fails in `failures` as well.
    pub fn with_failures(self, failures: Option<Failures>) -> Self {
        RecordSink { failures, ..self }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &Record) -> Result<()> {
        match &mut self.target {
            Target::Bytes { format, output } => output.write(&format.bytes(record)?),
            Target::Database(database) => database.write(record),
        }
    }

    /// Notes a failure in the list of failures, if one is kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_failure(&mut self, record: &Record, error: &Error) -> Result<()> {
        match &mut self.failures {
            Some(failures) => failures.write(record, error),
            None => Ok(()),
        }
    }

    /// See [`Output::checkpoint`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<()> {
        // First the list, then what says how long it is.
        let errors = self.failures.as_mut().map_or(Ok(0), Failures::flush)?;
        let checkpoint = Checkpoint { errors, ..checkpoint };
        match &mut self.target {
            Target::Bytes { output, .. } => output.checkpoint(checkpoint),
            Target::Database(database) => database.checkpoint(&checkpoint),
        }
    }

    /// See [`Output::partial`].
    pub fn partial(&self) -> Option<PathBuf> {
        match &self.target {
            Target::Bytes { output, .. } => output.partial(),
            Target::Database(database) => Some(database.partial()),
        }
    }

    /// See [`Output::finish_as`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<()> {
        if let Some(failures) = self.failures {
            failures.finish()?;
        }
        match self.target {
            Target::Bytes { format: RecordFormat::Parquet(rows), output } => {
                output.finish_as(Some(&|from, to| parquet::convert(rows, from, to)))
            }
            Target::Bytes { output, .. } => output.finish(),
            Target::Database(database) => database.finish(),
        }
    }
}
