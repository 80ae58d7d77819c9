//! CSV and TSV with a header line.

use crate::error::{Error, Result};
use crate::io::compression::{Bytes, sampled};
use crate::io::fields::{Columns, FieldNames, Row};
use crate::io::read::stream_error;
use crate::io::text::size;
use csv::StringRecord;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The rows of a table, each at most so long.
pub struct Table {
    reader: csv::Reader<RowLimit>,
    header: Vec<String>,
    left_in_row: Arc<AtomicU64>,
    max_row: usize,
    /// Number of the row last read, from 1, without the header.
    pub number: u64,
    /// What separates the columns.
    pub delimiter: u8,
    done: bool,
}

impl Table {
    /// Reads the header; `delimiter` none means that it is told from the first line.
    ///
    /// # Errors
    /// When there is no header or the stream cannot be read.
    pub fn new(bytes: Bytes, delimiter: Option<u8>, max_row: usize) -> Result<Self> {
        let (start, inner) = sampled(bytes, 8 << 10);
        let delimiter = delimiter.unwrap_or_else(|| likely_delimiter(&start));
        let left_in_row = Arc::new(AtomicU64::new(max_row as u64));
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).from_reader(RowLimit { inner, left: left_in_row.clone() });
        let header: Vec<String> =
            reader.headers().map_err(|e| table_error(e, max_row).at_line(1))?.iter().map(Into::into).collect();
        if header.is_empty() {
            return Err(Error::document("the table is empty: not even a header line"));
        }
        Ok(Table { reader, header, left_in_row, max_row, number: 0, delimiter, done: false })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }
}

impl Iterator for Table {
    type Item = Result<StringRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        self.left_in_row.store(self.max_row as u64, Ordering::Relaxed);
        let mut record = StringRecord::new();
        let line = self.reader.position().line();
        match self.reader.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                self.number += 1;
                Some(Ok(record))
            }
            Err(error) => {
                self.number += 1;
                self.done = error.is_io_error();
                let at = error.position().map_or(line, csv::Position::line);
                Some(Err(table_error(error, self.max_row).at_line(at)))
            }
        }
    }
}

/// The rows of a table as documents.
pub struct Documents {
    table: Table,
    columns: Columns,
}

impl Documents {
    /// Finds the columns that `names` asks for.
    ///
    /// # Errors
    /// When the text's column, or one that the user named, is missing.
    pub fn new(table: Table, names: &FieldNames) -> Result<Self> {
        let columns = names.columns(table.header()).map_err(|e| e.at_line(1))?;
        Ok(Documents { table, columns })
    }
}

impl Iterator for Documents {
    type Item = (u64, Row);

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.table.next()?;
        let row = match record {
            Ok(record) => self.row(&record),
            Err(error) => Row::bare(Err(error)),
        };
        Some((self.table.number, row))
    }
}

impl Documents {
    fn row(&self, record: &StringRecord) -> Row {
        let cell = |column: usize| record.get(column).unwrap_or_default().to_string();
        let filled = |column: Option<usize>| column.map(cell).filter(|c| !c.trim().is_empty());
        Row {
            line: record.position().map(csv::Position::line),
            id: filled(self.columns.id),
            source: filled(self.columns.source),
            title: filled(self.columns.title),
            date: filled(self.columns.date),
            ..Row::bare(Ok(cell(self.columns.text)))
        }
    }
}

/// The delimiter that occurs most often in the first line.
fn likely_delimiter(start: &[u8]) -> u8 {
    let line = start.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
    // Of equals the last wins.
    b"|;\t,".iter().copied().max_by_key(|d| count(*d)).unwrap_or(b',')
}

/// What the `csv` crate says, in one sentence, with the way out.
fn table_error(error: csv::Error, max_row: usize) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Error::document(format!("the row is longer than {}; nothing after it was read", size(max_row)))
                .help("is a quotation mark never closed? Otherwise raise --max-line-size")
        }
        csv::ErrorKind::Io(error) => stream_error(error),
        csv::ErrorKind::Utf8 { err, .. } => Error::document(format!("column {} is not valid UTF-8", err.field() + 1))
            .help("mend the file, or name its encoding with --encoding, for instance windows-1252"),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::document(format!("the row has {len} columns, the header {expected_len}"))
                .help("quote cells that hold the delimiter or line ends")
        }
        other => Error::document(format!("not a valid table: {other:?}")),
    }
}

/// Ends the stream inside a row that is too long: an open quotation mark would swallow the file.
struct RowLimit {
    inner: Bytes,
    left: Arc<AtomicU64>,
}

impl Read for RowLimit {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 && n > 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.left.store(left.saturating_sub(n as u64), Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(bytes: &[u8], names: FieldNames, max_row: usize) -> Vec<String> {
        let table = match Table::new(Box::new(Cursor::new(bytes.to_vec())), None, max_row) {
            Ok(table) => table,
            Err(error) => return vec![error.without_help()],
        };
        let said = |(number, row): (u64, Row)| match row.text {
            Ok(text) => format!("{number} {:?} {text:?}", row.id.unwrap_or_default()),
            Err(error) => error.without_help(),
        };
        match Documents::new(table, &names) {
            Ok(documents) => documents.map(said).collect(),
            Err(error) => vec![error.without_help()],
        }
    }

    #[test]
    fn delimiters_are_told_from_the_header() {
        for csv in
            ["id,text\n1,\"Peace,\nsoon\"\n", "id;text\n1;\"Peace,\nsoon\"\n", "id\ttext\r\n1\t\"Peace,\nsoon\"\r\n"]
        {
            assert_eq!(read(csv.as_bytes(), FieldNames::default(), 1 << 20), [r#"1 "1" "Peace,\nsoon""#]);
        }
    }

    #[test]
    fn a_bad_row_costs_no_other() {
        let expected = [
            r#"1 "a" "Peace""#,
            "line 3: the row has 3 columns, the header 2",
            "line 4: column 2 is not valid UTF-8",
            r#"4 "d" "Talks""#,
        ];
        let csv = b"id,text\na,Peace\nb,Peace,soon\nc,\xff\nd,Talks\n";
        assert_eq!(read(csv, FieldNames::default(), 1 << 20), expected);
    }

    #[test]
    fn an_open_quotation_mark_does_not_swallow_the_memory() {
        let csv = ["id,text\n1,\"never closed\n".to_string(), "x,y\n".repeat(100_000)].concat();
        let expected = ["line 2: the row is longer than 64 KiB; nothing after it was read"];
        assert_eq!(read(csv.as_bytes(), FieldNames::default(), 64 << 10), expected);
    }

    #[test]
    fn a_table_without_text_is_one_error() {
        let expected = ["line 1: no column `text`, `body` or `content`; there is `id`, `story`"];
        assert_eq!(read(b"id,story\n1,Peace\n2,Talks\n", FieldNames::default(), 1 << 20), expected);
        assert_eq!(read(b"", FieldNames::default(), 1 << 20), ["the table is empty: not even a header line"]);
    }
}
