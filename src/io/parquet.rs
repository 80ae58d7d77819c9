//! Parquet out: whole records with lists inside, or flat tables of quotes or entities.
//!
//! A Parquet file cannot be read before its end is written, so a run that may be killed writes JSON lines and turns them
//! into Parquet when all are there. Row groups end by size alone: the file is the same, byte for byte, however often the
//! run was interrupted.

use crate::error::{Error, Result};
use crate::io::table::{Table, entity_rows, quote_rows};
use crate::record::Record;
use arrow_json::ReaderBuilder;
use arrow_json::reader::Decoder;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

/// Rows in a batch, at most.
const BATCH_ROWS: usize = 1024;
/// JSON in a batch, at most, unless one record is longer.
const BATCH_BYTES: usize = 4 << 20;
/// Size at which a row group ends.
const GROUP_BYTES: usize = 32 << 20;

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn word(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

/// Signed: Spark and other readers have no unsigned 64-bit numbers.
fn count(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

fn number(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

fn group(name: &str, fields: Vec<Field>, nullable: bool) -> Field {
    Field::new(name, DataType::Struct(Fields::from(fields)), nullable)
}

fn list(name: &str, element: Field) -> Field {
    Field::new_list(name, element.with_name("element"), true)
}

fn span(name: &str, nullable: bool) -> Field {
    group(name, vec![count("start"), count("end"), word("text")], nullable)
}

/// The Arrow schema of a file of records: the fields of the JSON record under the same names.
///
/// Offsets and counts are `int64`, probabilities `double`, all else strings; lists that were not asked for are null.
///
/// ```
/// let schema = detente::io::parquet::record_schema();
/// assert_eq!(schema.field_with_name("quotes")?.data_type().to_string().matches("stance").count(), 1);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
pub fn record_schema() -> Schema {
    let entity = vec![word("type"), count("start"), count("end"), word("text"), number("score")];
    let speaker = vec![span("mention", true), word("name"), text("role"), text("country"), text("evidence")];
    let stance = vec![word("label"), number("score"), number("conciliatory"), number("firm"), number("neutral")];
    let quote = vec![
        word("kind"),
        list("parts", span("", false)),
        span("cue", true),
        group("speaker", speaker, true),
        text("no_speaker"),
        number("confidence"),
        list("flags", word("")),
        group("stance", stance, true),
    ];
    Schema::new(vec![
        word("schema"),
        word("id"),
        text("source"),
        text("title"),
        text("date"),
        group("dateline", vec![span("place", true), span("date", true), span("agency", true)], true),
        text("text"),
        word("offset_unit"),
        list("entities", group("", entity, false)),
        list("quotes", group("", quote, false)),
        group("usage", vec![count("tokens"), count("windows"), count("truncated")], false),
        list("models", group("", vec![word("name"), word("hash")], false)),
        group("error", vec![word("kind"), word("message")], true),
    ])
}

/// The Arrow schema of a flat table: the columns of the CSV table of the same name.
pub fn table_schema(table: Table) -> Schema {
    let document = vec![word("id"), text("source"), text("title"), text("date")];
    let own = match table {
        Table::Quotes => vec![
            count("quote"),
            Field::new("start", DataType::Int64, true),
            Field::new("end", DataType::Int64, true),
            word("text"),
            word("kind"),
            text("speaker"),
            text("mention"),
            text("role"),
            text("country"),
            text("evidence"),
            text("cue"),
            number("confidence"),
            word("flags"),
            word("parts"),
            word("offset_unit"),
            text("stance_label"),
            number("stance_score"),
            number("stance_conciliatory"),
            number("stance_firm"),
            number("stance_neutral"),
        ],
        Table::Entities => {
            vec![word("type"), count("start"), count("end"), word("text"), number("score"), word("offset_unit")]
        }
    };
    Schema::new([document, own].concat())
}

/// Turns records, one JSON object a line, into Parquet: one row a record, or one a row of `table`.
///
/// # Errors
/// When `from` cannot be read or `to` cannot be written.
pub fn convert(table: Option<Table>, from: File, to: File) -> Result<()> {
    let mut rows = Rows::new(table.map_or_else(record_schema, table_schema), to)?;
    let mut lines = BufReader::with_capacity(1 << 20, from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        match table {
            None => rows.push_json(&line)?,
            Some(table) => {
                let record = serde_json::from_slice(&line);
                let record: Record = record.map_err(|e| Error::io(format!("a record was written badly: {e}")))?;
                match table {
                    Table::Quotes => rows.push(&quote_rows(&record).collect::<Vec<_>>())?,
                    Table::Entities => rows.push(&entity_rows(&record).collect::<Vec<_>>())?,
                }
            }
        }
        line.clear();
    }
    rows.finish()
}

/// Rows on their way into a file.
struct Rows {
    decoder: Decoder,
    writer: ArrowWriter<File>,
    bytes: usize,
}

impl Rows {
    fn new(schema: Schema, to: File) -> Result<Self> {
        let schema = Arc::new(schema);
        let level = ZstdLevel::try_new(3).map_err(parquet_error)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        Ok(Rows {
            // Room for more than is ever put in: a full decoder takes no more.
            decoder: ReaderBuilder::new(schema.clone())
                .with_batch_size(2 * BATCH_ROWS)
                .build_decoder()
                .map_err(arrow_error)?,
            writer: ArrowWriter::try_new(to, schema, Some(properties)).map_err(parquet_error)?,
            bytes: 0,
        })
    }

    fn push_json(&mut self, line: &[u8]) -> Result<()> {
        self.decoder.decode(line).map_err(arrow_error)?;
        self.bytes += line.len();
        self.flush_if(self.bytes >= BATCH_BYTES || self.decoder.len() >= BATCH_ROWS)
    }

    fn push(&mut self, rows: &[impl Serialize]) -> Result<()> {
        self.decoder.serialize(rows).map_err(arrow_error)?;
        self.flush_if(self.decoder.len() >= BATCH_ROWS)
    }

    fn flush_if(&mut self, full: bool) -> Result<()> {
        if !full {
            return Ok(());
        }
        self.bytes = 0;
        if let Some(batch) = self.decoder.flush().map_err(arrow_error)? {
            self.writer.write(&batch).map_err(parquet_error)?;
        }
        if self.writer.in_progress_size() >= GROUP_BYTES {
            self.writer.flush().map_err(parquet_error)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.flush_if(true)?;
        let file = self.writer.into_inner().map_err(parquet_error)?;
        Ok(file.sync_all()?)
    }
}

fn arrow_error(error: ArrowError) -> Error {
    Error::io(format!("a record does not fit the schema: {error}"))
}

/// The system's own error, where that is behind it.
fn parquet_error(error: ParquetError) -> Error {
    let error = match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(system) => return Error::from(*system),
            Err(other) => other.to_string(),
        },
        other => other.to_string(),
    };
    Error::io(format!("writing Parquet failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::table::{ENTITY_COLUMNS, QUOTE_COLUMNS};
    use crate::io::write::json_line;
    use crate::record::tests::full_record;
    use arrow_array::RecordBatch;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use std::io::Write;

    fn converted(table: Option<Table>, records: &[Record]) -> Vec<RecordBatch> {
        let mut lines = tempfile::NamedTempFile::new().unwrap();
        for record in records {
            lines.write_all(&json_line(record).unwrap()).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        convert(table, lines.reopen().unwrap(), file.reopen().unwrap()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.reopen().unwrap()).unwrap().build().unwrap();
        reader.collect::<Result<_, _>>().unwrap()
    }

    fn json(batches: &[RecordBatch]) -> Vec<serde_json::Value> {
        let mut writer = arrow_json::ArrayWriter::new(Vec::new());
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
        let bytes = writer.into_inner();
        if bytes.is_empty() { Vec::new() } else { serde_json::from_slice(&bytes).unwrap() }
    }

    #[test]
    fn every_field_of_a_record_is_in_the_schema_and_comes_back() {
        let failed = Record::failed("b", Some("b.txt"), &Error::document("no text"));
        let records = [full_record(), failed];
        let mut strict = ReaderBuilder::new(Arc::new(record_schema())).with_strict_mode(true).build_decoder().unwrap();
        strict.serialize(&records).unwrap();
        assert_eq!(strict.flush().unwrap().unwrap().num_rows(), 2);
        let back = json(&converted(None, &records));
        let back: Vec<Record> = back.into_iter().map(|r| serde_json::from_value(r).unwrap()).collect();
        assert_eq!(back, records);
    }

    #[test]
    fn flat_tables_have_the_columns_of_csv() {
        let many: Vec<Record> = (0..3000).map(|i| Record { id: i.to_string(), ..full_record() }).collect();
        for (table, columns) in [(Table::Quotes, &QUOTE_COLUMNS[..]), (Table::Entities, &ENTITY_COLUMNS[..])] {
            let names: Vec<String> = table_schema(table).fields().iter().map(|f| f.name().clone()).collect();
            assert_eq!(names, columns);
            let rows = json(&converted(Some(table), &many));
            assert_eq!(rows.len(), 3000);
            assert_eq!(rows[2999]["id"], "2999");
            assert_eq!(rows[0]["start"], if table == Table::Quotes { 1 } else { 30 });
        }
    }

    #[test]
    fn no_records_are_a_file_too() {
        assert_eq!(converted(None, &[]).len(), 0);
    }
}
