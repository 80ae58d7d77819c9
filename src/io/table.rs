//! Records as tables: one row a quote or an entity, the same columns in CSV, Parquet and SQLite.

use crate::document::{QuoteKind, StanceLabel};
use crate::record::{EntityRecord, QuoteRecord, Record};
use crate::text::offsets::OffsetUnit;
use serde::Serialize;

/// Which rows a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// One a quote.
    Quotes,
    /// One an entity.
    Entities,
}

/// One quote; the order of the fields is that of the columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuoteRow<'a> {
    /// The document's id.
    pub id: &'a str,
    /// Path or address.
    pub source: Option<&'a str>,
    /// Title field, as given.
    pub title: Option<&'a str>,
    /// Date field, as given.
    pub date: Option<&'a str>,
    /// Number of the quote in its document, from 1.
    pub quote: usize,
    /// Where its first part begins.
    pub start: Option<usize>,
    /// Where its last part ends.
    pub end: Option<usize>,
    /// The words of all parts, joined by one space.
    pub text: String,
    /// Direct, indirect or mixed.
    pub kind: QuoteKind,
    /// The fullest name that the article gives.
    pub speaker: Option<&'a str>,
    /// The words that name the speaker beside the quote.
    pub mention: Option<&'a str>,
    /// Title or role as given.
    pub role: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<&'a str>,
    /// How the speaker was found, or why there is none.
    pub evidence: Option<String>,
    /// The word of saying.
    pub cue: Option<&'a str>,
    /// How sure the finder is.
    pub confidence: Option<f64>,
    /// What is doubtful, separated by blanks.
    pub flags: String,
    /// `start-end` of each part, separated by blanks.
    pub parts: String,
    /// The unit of all offsets.
    pub offset_unit: OffsetUnit,
    /// The label.
    pub stance_label: Option<StanceLabel>,
    /// Conciliatory − firm.
    pub stance_score: Option<f64>,
    /// Probability.
    pub stance_conciliatory: Option<f64>,
    /// Probability.
    pub stance_firm: Option<f64>,
    /// Probability.
    pub stance_neutral: Option<f64>,
}

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

/// One entity; the order of the fields is that of the columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityRow<'a> {
    /// The document's id.
    pub id: &'a str,
    /// Path or address.
    pub source: Option<&'a str>,
    /// Title field, as given.
    pub title: Option<&'a str>,
    /// Date field, as given.
    pub date: Option<&'a str>,
    /// Type name.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its surface.
    pub text: &'a str,
    /// How sure the model is.
    pub score: Option<f64>,
    /// The unit of the offsets.
    pub offset_unit: OffsetUnit,
}

/// The columns of a table of entities.
pub const ENTITY_COLUMNS: [&str; 10] =
    ["id", "source", "title", "date", "type", "start", "end", "text", "score", "offset_unit"];

/// The rows of a record's quotes.
pub fn quote_rows(record: &Record) -> impl Iterator<Item = QuoteRow<'_>> {
    record.quotes.iter().flatten().enumerate().map(|(i, quote)| quote_row(record, i + 1, quote))
}

/// The rows of a record's entities.
pub fn entity_rows(record: &Record) -> impl Iterator<Item = EntityRow<'_>> {
    record.entities.iter().flatten().map(|entity| entity_row(record, entity))
}

fn quote_row<'a>(record: &'a Record, number: usize, quote: &'a QuoteRecord) -> QuoteRow<'a> {
    let speaker = quote.speaker.as_ref();
    let stance = quote.stance.as_ref();
    let words: Vec<&str> = quote.parts.iter().map(|p| p.text.as_str()).collect();
    let found = speaker.and_then(|s| s.evidence.as_ref()).map(name_of);
    QuoteRow {
        id: &record.id,
        source: record.source.as_deref(),
        title: record.title.as_deref(),
        date: record.date.as_deref(),
        quote: number,
        start: quote.parts.first().map(|p| p.start),
        end: quote.parts.last().map(|p| p.end),
        text: words.join(" "),
        kind: quote.kind,
        speaker: speaker.map(|s| s.name.as_str()),
        mention: speaker.and_then(|s| s.mention.as_ref()).map(|m| m.text.as_str()),
        role: speaker.and_then(|s| s.role.as_deref()),
        country: speaker.and_then(|s| s.country.as_deref()),
        evidence: found.or_else(|| quote.no_speaker.as_ref().map(name_of)),
        cue: quote.cue.as_ref().map(|c| c.text.as_str()),
        confidence: quote.confidence,
        flags: quote.flags.iter().map(name_of).collect::<Vec<_>>().join(" "),
        parts: quote.parts.iter().map(|p| format!("{}-{}", p.start, p.end)).collect::<Vec<_>>().join(" "),
        offset_unit: record.offset_unit,
        stance_label: stance.map(|s| s.label),
        stance_score: stance.and_then(|s| s.score),
        stance_conciliatory: stance.and_then(|s| s.conciliatory),
        stance_firm: stance.and_then(|s| s.firm),
        stance_neutral: stance.and_then(|s| s.neutral),
    }
}

fn entity_row<'a>(record: &'a Record, entity: &'a EntityRecord) -> EntityRow<'a> {
    EntityRow {
        id: &record.id,
        source: record.source.as_deref(),
        title: record.title.as_deref(),
        date: record.date.as_deref(),
        kind: &entity.kind,
        start: entity.span.start,
        end: entity.span.end,
        text: &entity.span.text,
        score: entity.score,
        offset_unit: record.offset_unit,
    }
}

/// The name that JSON gives a plain enum, so that tables and records use the same words.
pub fn name_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::full_record;

    #[test]
    fn columns_are_the_fields_of_the_rows() {
        let record = full_record();
        let keys = |row: serde_json::Value| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let quote = serde_json::to_value(quote_rows(&record).next().unwrap()).unwrap();
        assert_eq!(keys(quote), QUOTE_COLUMNS);
        let entity = serde_json::to_value(entity_rows(&record).next().unwrap()).unwrap();
        assert_eq!(keys(entity), ENTITY_COLUMNS);
    }
}
