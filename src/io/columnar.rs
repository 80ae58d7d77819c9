//! Parquet files and Arrow IPC (files and streams) as documents: only the columns that are needed are read.

use crate::error::{Error, Result};
use crate::io::arrow_lengths;
use crate::io::compression::{Bytes, check_expansion};
use crate::io::fields::{Columns, FieldNames, Row};
use crate::io::read::{Limits, stream_error};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows decoded at once: few, since each may hold a whole article.
const BATCH_ROWS: usize = 32;

/// The rows of a columnar file, numbered from 1.
pub struct Rows {
    batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>,
    columns: Columns,
    header: Vec<String>,
    batch: Option<RecordBatch>,
    at: usize,
    number: u64,
    done: bool,
}

/// The rows of a Parquet file, which counts in `bytes_read` as its rows are read.
///
/// # Errors
/// When it is no Parquet file, has no column of text, or would decompress beyond measure.
pub fn parquet(file: File, names: &FieldNames, limits: Limits, bytes_read: Arc<AtomicU64>) -> Result<Rows> {
    guarded(move || {
        let length = file.metadata().map_or(0, |m| m.len());
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_error)?;
        check_expansion(unpacked(builder.metadata()), length, limits.expansion)?;
        let wanted = Wanted::of(builder.schema(), names)?;
        let rows = builder.metadata().file_metadata().num_rows().max(1) as u64;
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.positions.iter().copied());
        let reader = builder.with_batch_size(BATCH_ROWS).with_projection(mask).build().map_err(parquet_error)?;
        let counted = reader.map(move |batch| {
            let batch = batch.map_err(arrow_error)?;
            bytes_read.fetch_add(length * batch.num_rows() as u64 / rows, Ordering::Relaxed);
            Ok(batch)
        });
        Ok(Rows::new(Box::new(counted), wanted))
    })
}

/// The rows of an Arrow IPC file (also called Feather).
///
/// # Errors
/// When it is no Arrow file, has no column of text, or would decompress beyond measure.
pub fn arrow_file(mut file: impl Read + Seek + Send + 'static, names: &FieldNames, limits: Limits) -> Result<Rows> {
    guarded(move || {
        // Before the buffer: it would read 64 KiB for each length of eight bytes.
        arrow_lengths::check_file(&mut file, limits.expansion)?;
        let mut file = BufReader::with_capacity(64 << 10, file);
        let schema = FileReader::try_new(&mut file, None).map_err(arrow_error)?.schema();
        file.rewind().map_err(stream_error)?;
        let wanted = Wanted::of(&schema, names)?;
        let reader = FileReader::try_new(file, Some(wanted.positions.clone())).map_err(arrow_error)?;
        Ok(Rows::new(Box::new(reader.map(|batch| batch.map_err(arrow_error))), wanted))
    })
}

/// The rows of an Arrow IPC stream.
///
/// # Errors
/// When it is no Arrow stream or has no column of text; rows that would decompress beyond measure are errors.
pub fn arrow_stream(bytes: Bytes, names: &FieldNames, limits: Limits) -> Result<Rows> {
    guarded(move || {
        let bytes = BufReader::with_capacity(64 << 10, bytes);
        let (schema, batches) = arrow_lengths::Batches::new(bytes, limits.expansion).map_err(arrow_error)?;
        let wanted = Wanted::of(&schema, names)?;
        let positions = wanted.positions.clone();
        let wanted_only = move |batch: Result<RecordBatch, ArrowError>| {
            batch.and_then(|batch| batch.project(&positions)).map_err(arrow_error)
        };
        Ok(Rows::new(Box::new(batches.map(wanted_only)), wanted))
    })
}

/// The columns that make a document.
struct Wanted {
    /// Their places in the file, in order.
    positions: Vec<usize>,
    /// Their names, in the same order.
    header: Vec<String>,
    /// Which is which among them.
    columns: Columns,
}

impl Wanted {
    fn of(schema: &Schema, names: &FieldNames) -> Result<Self> {
        let header: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let found = names.columns(&header)?;
        let mut positions: Vec<usize> =
            [Some(found.text), found.id, found.source, found.date, found.title].into_iter().flatten().collect();
        positions.sort_unstable();
        positions.dedup();
        if let Some(field) = schema.fields().get(found.text)
            && !is_text(field.data_type())
        {
            let said = format!("column `{}` is {}, not text", field.name(), type_name(field.data_type()));
            return Err(Error::document(said).help("name the right one with --text-field"));
        }
        let among = |position: usize| positions.binary_search(&position).unwrap_or_default();
        let columns = Columns {
            text: among(found.text),
            id: found.id.map(among),
            source: found.source.map(among),
            date: found.date.map(among),
            title: found.title.map(among),
        };
        let header = positions.iter().filter_map(|p| header.get(*p)).cloned().collect();
        Ok(Wanted { header, columns, positions })
    }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary data".into()
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "a list".into(),
        DataType::Struct(_) | DataType::Map(..) => "a record".into(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Null => "empty".into(),
        DataType::Boolean => "true or false".into(),
        kind if kind.is_numeric() => "a number".into(),
        other => other.to_string(),
    }
}

impl Rows {
    fn new(batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send>, wanted: Wanted) -> Self {
        let Wanted { columns, header, .. } = wanted;
        Rows { batches, columns, header, batch: None, at: 0, number: 0, done: false }
    }

    /// Makes sure that a row is at hand; none at the end.
    fn advance(&mut self) -> Option<Result<()>> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            if self.done {
                return None;
            }
            match guarded(|| self.batches.next().transpose()) {
                Ok(Some(batch)) => (self.batch, self.at) = (Some(batch), 0),
                Ok(None) => return None,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        Some(Ok(()))
    }

    fn row(&self) -> Row {
        let filled = |column: Option<usize>| {
            column.and_then(|c| self.cell(c).ok().flatten()).filter(|cell| !cell.trim().is_empty())
        };
        let name = self.header.get(self.columns.text).map_or("", String::as_str);
        let text = self.cell(self.columns.text).and_then(|cell| {
            cell.ok_or_else(|| Error::document(format!("column `{name}` is null in this row, not text")))
        });
        Row {
            id: filled(self.columns.id),
            source: filled(self.columns.source),
            title: filled(self.columns.title),
            date: filled(self.columns.date),
            ..Row::bare(text)
        }
    }

    /// A cell as text, as people write numbers and dates; none if it is null.
    fn cell(&self, column: usize) -> Result<Option<String>> {
        let Some(array) = self.batch.as_ref().and_then(|batch| batch.columns().get(column)) else {
            return Ok(None);
        };
        if array.is_null(self.at) {
            return Ok(None);
        }
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(array.as_ref(), &options).map_err(arrow_error)?;
        formatter.value(self.at).try_to_string().map(Some).map_err(arrow_error)
    }
}

impl Iterator for Rows {
    type Item = (u64, Row);

    fn next(&mut self) -> Option<Self::Item> {
        let at_hand = self.advance()?;
        self.number += 1;
        let row = match at_hand.and_then(|()| guarded(|| Ok(self.row()))) {
            Ok(row) => row,
            Err(error) => Row::bare(Err(error)),
        };
        self.at += 1;
        Some((self.number, row))
    }
}

/// The readers of these formats trust lengths that broken files hold, and may panic over them.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(unreadable("its inner lengths contradict each other")))
}

/// The bytes that all columns of a Parquet file say they become.
fn unpacked(metadata: &ParquetMetaData) -> u64 {
    metadata.row_groups().iter().map(|g| u64::try_from(g.total_byte_size()).unwrap_or(0)).sum()
}

fn unreadable(said: &str) -> Error {
    Error::document(format!("the table is damaged: {said}")).help("fetch the file again, or write it anew")
}

fn parquet_error(error: ParquetError) -> Error {
    unreadable(&error.to_string())
}

fn arrow_error(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => stream_error(error),
        error => unreadable(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int32Type;
    use arrow_array::{ArrayRef, BinaryArray, Date32Array, DictionaryArray, Int64Array, StringArray, StringViewArray};
    use parquet::arrow::ArrowWriter;
    use std::io::Cursor;

    fn batch(text: ArrayRef) -> RecordBatch {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None, Some(9)]));
        let date: ArrayRef = Arc::new(Date32Array::from(vec![0, 1, 2]));
        let other: ArrayRef = Arc::new(BinaryArray::from(vec![&b"\xff"[..], b"", b"x"]));
        RecordBatch::try_from_iter_with_nullable([
            ("other", other, true),
            ("Body", text, true),
            ("published", date, true),
            ("id", id, true),
        ])
        .unwrap()
    }

    fn parquet_of(batch: &RecordBatch) -> File {
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        file.rewind().unwrap();
        file
    }

    fn arrow_of(batch: &RecordBatch, stream: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        if stream {
            let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut bytes, &batch.schema()).unwrap();
            writer.write(batch).unwrap();
            writer.finish().unwrap();
        } else {
            let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut bytes, &batch.schema()).unwrap();
            writer.write(batch).unwrap();
            writer.finish().unwrap();
        }
        bytes
    }

    fn said(rows: Result<Rows>) -> Vec<String> {
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return vec![error.without_help()],
        };
        rows.map(|(number, row)| match row.text {
            Ok(text) => format!("{number} {:?} {:?} {text}", row.id, row.date.unwrap_or_default()),
            Err(error) => format!("{number} {error}"),
        })
        .collect()
    }

    fn every_way(batch: &RecordBatch) -> [Vec<String>; 3] {
        let names = FieldNames::default();
        [
            said(parquet(parquet_of(batch), &names, Limits::default(), Arc::default())),
            said(arrow_file(Cursor::new(arrow_of(batch, false)), &names, Limits::default())),
            said(arrow_stream(Box::new(Cursor::new(arrow_of(batch, true))), &names, Limits::default())),
        ]
    }

    #[test]
    fn every_kind_of_text_column_is_read() {
        let text = [Some("“Yes,” he said. 🕊"), None, Some("")];
        let arrays: [ArrayRef; 3] = [
            Arc::new(StringArray::from(text.to_vec())),
            Arc::new(StringViewArray::from(text.to_vec())),
            Arc::new(text.into_iter().collect::<DictionaryArray<Int32Type>>()),
        ];
        let expected = [
            "1 Some(\"7\") \"1970-01-01\" “Yes,” he said. 🕊",
            "2 column `Body` is null in this row, not text",
            "3 Some(\"9\") \"1970-01-03\" ",
        ];
        for array in arrays {
            for way in every_way(&batch(array)) {
                assert_eq!(way, expected);
            }
        }
    }

    #[test]
    fn a_column_of_another_type_is_told() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let binary: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..], b"b", b"c"]));
        for way in every_way(&batch(numbers)) {
            assert_eq!(way, ["column `Body` is a number, not text"]);
        }
        for way in every_way(&batch(binary)) {
            assert_eq!(way, ["column `Body` is binary data, not text"]);
        }
    }

    #[test]
    fn no_flipped_byte_is_a_panic() {
        let batch = batch(Arc::new(StringArray::from(vec!["Talks resumed.", "Peace", "Envoys met."])));
        let mut file = parquet_of(&batch);
        let mut whole = Vec::new();
        file.read_to_end(&mut whole).unwrap();
        let arrow = arrow_of(&batch, false);
        let mut read = 0;
        for at in (0..whole.len()).step_by(3) {
            let mut broken = whole.clone();
            broken[at] ^= 0x41;
            let file = crate::io::archive::spooled(Box::new(Cursor::new(broken))).unwrap();
            read += said(parquet(file, &FieldNames::default(), Limits::default(), Arc::default())).len();
        }
        for at in (0..arrow.len()).step_by(7) {
            let mut broken = arrow.clone();
            broken[at] ^= 0x05;
            read += said(arrow_file(Cursor::new(broken), &FieldNames::default(), Limits::default())).len();
        }
        assert!(read > 100, "{read}");
    }
}
