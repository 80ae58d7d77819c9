//! Rows that hold a quote: the same rows come out, with its stance.

use crate::document::Stance;
use crate::error::{Error, Result};
use crate::io::delimited::Table;
use crate::io::fields::kind_name;
use crate::io::output::Output;
use crate::io::read::{Objects, ReadOptions, RowStream, open_rows};
use crate::io::write::{json_line, table};
use crate::pipeline::encode;
use crate::record::{ErrorRecord, StanceRecord};
use crate::stance::{StanceReader, StanceText};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Rows worked on at once.
const BATCH_ROWS: usize = 1024;
/// The columns that tables get.
pub const STANCE_COLUMNS: [&str; 5] =
    ["stance_label", "stance_score", "stance_conciliatory", "stance_firm", "stance_neutral"];

/// Reads the stance of quotes in rows.
pub struct StanceRows<'a> {
    /// The model.
    pub reader: &'a StanceReader,
    /// Field or column of the quote; its surroundings are in `left`, `right` and `speaker`.
    pub quote_field: &'a str,
    /// Tokens in a batch.
    pub batch_tokens: usize,
    /// Told of each row that failed.
    pub on_failure: &'a dyn Fn(&Error),
}

/// What was done; each row read was written or failed to be a row at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows read.
    pub read: u64,
    /// Rows written.
    pub written: u64,
    /// Rows without a stance.
    pub failed: u64,
}

/// A row's quote and surroundings.
#[derive(Default)]
struct Quoted {
    quote: String,
    left: String,
    right: String,
    speaker: Option<String>,
}

impl StanceRows<'_> {
    /// Reads the rows of `path` (`-`: standard input) and writes them with stance, in their order.
    ///
    /// JSON rows get an object `stance`, tables the [`STANCE_COLUMNS`]. A row without a quote keeps its place, with
    /// `stance` null or empty.
    ///
    /// # Errors
    /// When the file as a whole cannot be read or written.
    pub fn run(&self, path: &Path, options: &ReadOptions, output: &mut Output) -> Result<RowCounts> {
        let rows = open_rows(path, options).map_err(|e| e.in_file(path))?;
        let mut counts = RowCounts::default();
        match rows {
            RowStream::Objects(objects) => self.objects(path, objects, output, &mut counts)?,
            RowStream::Table(table) => self.table(path, table, output, &mut counts)?,
        }
        Ok(counts)
    }

    fn objects(&self, path: &Path, mut objects: Objects, output: &mut Output, counts: &mut RowCounts) -> Result<()> {
        loop {
            let batch: Vec<_> = objects.by_ref().take(BATCH_ROWS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let quoted = |row: &(u64, Result<Map<String, Value>>)| match &row.1 {
                Ok(object) => self.quoted_object(object),
                Err(_) => Ok(Quoted::default()),
            };
            let stances = self.stances(batch.iter().map(quoted).collect());
            for ((number, object), stance) in batch.into_iter().zip(stances) {
                counts.read += 1;
                let (mut object, stance) = match object {
                    Ok(object) => (object, stance),
                    // Not even a row: an error stands in its place.
                    Err(error) => (Map::new(), Err(error)),
                };
                let stance = stance.map_err(|e| e.in_file(path).at_line(number));
                object.insert("stance".into(), stance.as_ref().map_or(Value::Null, |s| json!(StanceRecord::from(s))));
                if let Err(error) = stance {
                    counts.failed += 1;
                    (self.on_failure)(&error);
                    let error = ErrorRecord { kind: error.kind.as_str().into(), message: error.to_string() };
                    object.insert("error".into(), json!(error));
                }
                output.write(&json_line(&object)?)?;
                counts.written += 1;
            }
        }
    }

    fn quoted_object(&self, object: &Map<String, Value>) -> Result<Quoted> {
        let text = |field: &str| object.get(field).and_then(Value::as_str).map(str::to_string);
        let quote = match object.get(self.quote_field) {
            Some(Value::String(quote)) => quote.clone(),
            Some(other) => {
                return Err(Error::document(format!("`{}` is {}, not text", self.quote_field, kind_name(other))));
            }
            None => {
                return Err(Error::document(format!("no field `{}`", self.quote_field))
                    .help("name the right one with --quote-field"));
            }
        };
        Ok(Quoted {
            quote,
            left: text("left").unwrap_or_default(),
            right: text("right").unwrap_or_default(),
            speaker: text("speaker"),
        })
    }

    fn table(&self, path: &Path, mut rows: Table, output: &mut Output, counts: &mut RowCounts) -> Result<()> {
        let header = rows.header().to_vec();
        let column = |name: &str| header.iter().position(|n| n.trim() == name);
        let quote_column = column(self.quote_field).ok_or_else(|| {
            Error::usage(format!("no column `{}`; the header has {}", self.quote_field, header.join(", ")))
                .in_file(path)
                .help("name the right one with --quote-field")
        })?;
        let [left, right, speaker] = ["left", "right", "speaker"].map(column);
        // Columns of an earlier run are replaced.
        let kept: Vec<usize> = (0..header.len())
            .filter(|i| header.get(*i).is_some_and(|n| !STANCE_COLUMNS.contains(&n.as_str())))
            .collect();
        let delimiter = rows.delimiter;
        let names = kept.iter().filter_map(|i| header.get(*i).map(String::as_str)).chain(STANCE_COLUMNS);
        output.write(&table(delimiter, [names])?)?;
        loop {
            let batch: Vec<_> = rows.by_ref().take(BATCH_ROWS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let quoted = |row: &Result<csv::StringRecord>| {
                let cell = |column: Option<usize>| {
                    row.as_ref().ok().zip(column).and_then(|(r, c)| r.get(c)).unwrap_or_default().to_string()
                };
                Ok(Quoted {
                    quote: cell(Some(quote_column)),
                    left: cell(left),
                    right: cell(right),
                    speaker: Some(cell(speaker)).filter(|s| !s.is_empty()),
                })
            };
            let stances = self.stances(batch.iter().map(quoted).collect());
            for (row, stance) in batch.into_iter().zip(stances) {
                counts.read += 1;
                let cells = match row {
                    Ok(row) => row,
                    Err(error) => {
                        counts.failed += 1;
                        (self.on_failure)(&error.in_file(path));
                        continue;
                    }
                };
                let line = cells.position().map_or(0, csv::Position::line);
                let stance = stance.map_err(|e| e.in_file(path).at_line(line));
                if let Err(error) = &stance {
                    counts.failed += 1;
                    (self.on_failure)(error);
                }
                let cells = kept.iter().map(|i| cells.get(*i).unwrap_or_default().to_string());
                output.write(&table(delimiter, [cells.chain(stance_cells(stance.as_ref().ok()))])?)?;
                counts.written += 1;
            }
        }
    }

    fn stances(&self, quoted: Vec<Result<Quoted>>) -> Vec<Result<Stance>> {
        let inputs: Vec<Result<_>> = quoted
            .into_par_iter()
            .map(|quoted| {
                let quoted = quoted?;
                if quoted.quote.trim().is_empty() {
                    return Err(Error::document("the quote is empty"));
                }
                let speaker = quoted.speaker.as_deref();
                let text = StanceText { quote: &quoted.quote, left: &quoted.left, right: &quoted.right, speaker };
                self.reader.input(&text)
            })
            .collect();
        let encoder = self.reader.encoder().as_ref();
        let pairs = inputs.iter().flatten().map(|pair| &pair.input).collect();
        let mut logits = encode::logits(encoder, pairs, self.batch_tokens).into_iter();
        let lost = || Err(Error::model("the engine lost an answer"));
        inputs
            .into_iter()
            .map(|input| input.and_then(|_| self.reader.stance(&logits.next().unwrap_or_else(lost)?)))
            .collect()
    }
}

fn stance_cells(stance: Option<&Stance>) -> [String; 5] {
    let Some(stance) = stance.map(StanceRecord::from) else { return Default::default() };
    let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    [
        stance.label.as_str().to_string(),
        number(stance.score),
        number(stance.conciliatory),
        number(stance.firm),
        number(stance.neutral),
    ]
}
