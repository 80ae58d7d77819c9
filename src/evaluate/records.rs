//! Record files for evaluation: reading them, letting gold and predicted documents meet, and spans in one unit.

use crate::error::{Error, Result};
use crate::record::{QuoteRecord, Record, SpanRecord};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Opens `path`; gzip and Zstandard are undone when the ending says so.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let failed = |error: std::io::Error| Error::from(error).in_file(path);
    let file = File::open(path).map_err(failed)?;
    let stream: Box<dyn Read> = match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file).map_err(failed)?),
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::new(stream)))
}

/// The lines of `path` that are not blank, numbered from 1, without a byte order mark.
pub(super) fn lines(path: &Path) -> Result<impl Iterator<Item = Result<(u64, String)>>> {
    let place = path.to_path_buf();
    Ok(open(path)?.lines().zip(1..).filter_map(move |(line, number)| match line {
        Ok(line) => {
            let line = line.trim_start_matches('\u{feff}').trim_end_matches('\r').to_string();
            (!line.trim().is_empty()).then_some(Ok((number, line)))
        }
        Err(error) => Some(Err(Error::from(error).in_file(&place).at_line(number))),
    }))
}

/// Reads records from a JSONL file, or from every `.jsonl` and `.json` file of a folder in the order of their names.
///
/// # Errors
/// Names file and line of the first line that is no record.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for file in files(path)? {
        for line in lines(&file)? {
            let (number, line) = line?;
            let record: Record = serde_json::from_str(&line).map_err(|error| {
                Error::document(format!("this is no record: {error}")).in_file(&file).at_line(number)
            })?;
            records.push(record);
        }
    }
    Ok(records)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| Error::from(error).in_file(path))? {
        let file = entry.map_err(|error| Error::from(error).in_file(path))?.path();
        if matches!(file.extension().and_then(|e| e.to_str()), Some("jsonl" | "json")) {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::usage("the folder holds no .jsonl or .json file").in_file(path));
    }
    Ok(files)
}

/// A gold document and what was predicted for it, offsets in the gold's unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The gold record.
    pub gold: Record,
    /// The predicted one; none when the document is missing or failed.
    pub predicted: Option<Record>,
}

/// Gold and predicted documents that met, and those that did not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meeting {
    /// One entry a gold document, in the gold's order.
    pub pairs: Vec<Pair>,
    /// Ids of gold documents without a prediction: all that they hold counts as not found.
    pub without_prediction: Vec<String>,
    /// Ids of predicted documents that gold does not know: they are left out.
    pub without_gold: Vec<String>,
    /// Predicted spans whose surface is not what the gold text has at their place.
    pub misplaced: Vec<String>,
}

/// Lets documents meet by `id`, else by the id's file name without folder and ending where that is unique.
///
/// # Errors
/// When an id occurs twice in gold or in the predictions, or when the two sides count offsets in different units and
/// neither carries the text.
pub fn meet(gold: Vec<Record>, predicted: Vec<Record>) -> Result<Meeting> {
    unique(&gold, "gold")?;
    unique(&predicted, "predictions")?;
    let partners = partners(&gold, &predicted);
    let mut predicted: Vec<Option<Record>> = predicted.into_iter().map(Some).collect();
    let mut meeting = Meeting::default();
    for (gold, partner) in gold.into_iter().zip(partners) {
        let record = partner.and_then(|at| predicted.get_mut(at)).and_then(Option::take);
        let record = record.filter(|record| record.error.is_none());
        match &record {
            Some(record) => meeting.misplaced.extend(misplaced(&gold, record)),
            None => meeting.without_prediction.push(gold.id.clone()),
        }
        let record = record.map(|record| in_unit_of(&gold, record)).transpose()?;
        meeting.pairs.push(Pair { gold, predicted: record });
    }
    meeting.without_gold = predicted.into_iter().flatten().map(|record| record.id).collect();
    Ok(meeting)
}

fn unique(records: &[Record], side: &str) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    match records.iter().find(|record| !seen.insert(record.id.as_str())) {
        Some(twice) => Err(Error::document(format!("the document `{}` occurs twice in the {side}", twice.id))
            .help("every record needs its own `id`")),
        None => Ok(()),
    }
}

/// For each gold record the index of its prediction.
fn partners(gold: &[Record], predicted: &[Record]) -> Vec<Option<usize>> {
    let by_id: HashMap<&str, usize> = predicted.iter().enumerate().map(|(at, r)| (r.id.as_str(), at)).collect();
    let exact: Vec<Option<usize>> = gold.iter().map(|r| by_id.get(r.id.as_str()).copied()).collect();
    let taken: std::collections::HashSet<usize> = exact.iter().flatten().copied().collect();
    let mut by_stem: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, record) in predicted.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        by_stem.entry(stem(&record.id)).or_default().push(at);
    }
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    gold.iter().for_each(|record| *wanted.entry(stem(&record.id)).or_default() += 1);
    let by_name = |record: &Record| match by_stem.get(stem(&record.id)).map(Vec::as_slice) {
        Some([at]) if wanted.get(stem(&record.id)) == Some(&1) => Some(*at),
        _ => None,
    };
    gold.iter().zip(exact).map(|(record, exact)| exact.or_else(|| by_name(record))).collect()
}

fn stem(id: &str) -> &str {
    Path::new(id).file_stem().and_then(|stem| stem.to_str()).unwrap_or(id)
}

/// The record with its offsets in the unit in which `gold` counts.
fn in_unit_of(gold: &Record, mut record: Record) -> Result<Record> {
    if record.offset_unit == gold.offset_unit {
        return Ok(record);
    }
    let Some(text) = gold.text.as_deref().or(record.text.as_deref()) else {
        return Err(Error::document(format!(
            "offsets of document `{}` count {} in gold and {} in the prediction, and neither record carries the text",
            gold.id,
            unit_name(gold.offset_unit),
            unit_name(record.offset_unit)
        ))
        .help("write the predictions with the same --offset-unit, or with --with-text"));
    };
    let (from, to) = (OffsetTable::new(text, record.offset_unit), OffsetTable::new(text, gold.offset_unit));
    let convert = |span: &mut SpanRecord| {
        if let (Some(start), Some(end)) = (from.to_byte(span.start), from.to_byte(span.end)) {
            (span.start, span.end) = (to.from_byte(start), to.from_byte(end));
        }
    };
    spans_mut(&mut record).for_each(convert);
    record.offset_unit = gold.offset_unit;
    Ok(record)
}

fn unit_name(unit: OffsetUnit) -> &'static str {
    match unit {
        OffsetUnit::Char => "characters",
        OffsetUnit::Byte => "bytes",
        OffsetUnit::Utf16 => "UTF-16 units",
    }
}

fn spans_mut(record: &mut Record) -> impl Iterator<Item = &mut SpanRecord> {
    let entities = record.entities.iter_mut().flatten().map(|entity| &mut entity.span);
    let quotes = record.quotes.iter_mut().flatten().flat_map(|quote| {
        let mention = quote.speaker.as_mut().and_then(|speaker| speaker.mention.as_mut());
        quote.parts.iter_mut().chain(quote.cue.as_mut()).chain(mention)
    });
    entities.chain(quotes)
}

/// Places where a predicted span's surface is not in the gold text: the sign of another text or another unit.
fn misplaced(gold: &Record, record: &Record) -> Vec<String> {
    let Some(text) = &gold.text else { return Vec::new() };
    let table = OffsetTable::new(text, record.offset_unit);
    let fits = |span: &SpanRecord| match (table.to_byte(span.start), table.to_byte(span.end)) {
        (Some(start), Some(end)) => text.get(start..end) == Some(span.text.as_str()),
        _ => false,
    };
    let entities = record.entities.iter().flatten().map(|entity| &entity.span);
    let parts = record.quotes.iter().flatten().flat_map(|quote| &quote.parts);
    let bad = entities.chain(parts).filter(|span| !fits(span));
    bad.map(|span| format!("{}#{}-{}", gold.id, span.start, span.end)).collect()
}

/// Where a quote stands, for lists: `id#start-end` of its extent.
pub fn place(id: &str, quote: &QuoteRecord) -> String {
    let start = quote.parts.iter().map(|part| part.start).min().unwrap_or(0);
    let end = quote.parts.iter().map(|part| part.end).max().unwrap_or(0);
    format!("{id}#{start}-{end}")
}

/// Half-open ranges of the parts of a quote.
pub fn ranges(quote: &QuoteRecord) -> Vec<(usize, usize)> {
    quote.parts.iter().map(|part| (part.start, part.end)).collect()
}

/// Whether `path` is a folder or a file whose first line is a JSON object: records rather than columns.
///
/// # Errors
/// When it cannot be read.
pub fn are_records(path: &Path) -> Result<bool> {
    if path.is_dir() {
        return Ok(true);
    }
    match lines(path)?.next() {
        Some(line) => Ok(line?.1.trim_start().starts_with('{')),
        None => Ok(false),
    }
}
