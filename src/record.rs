//! What is written: one JSON object a document, one a line, offsets in the unit asked for.

use crate::document::{
    Document, Entity, Evidence, NoSpeaker, Quote, QuoteFlag, QuoteKind, Span, Stance, StanceLabel, Usage,
};
use crate::text::dateline::{Dateline, dateline};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use serde::{Deserialize, Serialize};

/// The version of the record's shape; it stands first in every record.
pub const SCHEMA: &str = "detente.record/1";

/// A stretch of the document's text in the record's offset unit, with its surface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanRecord {
    /// First character (or byte, or UTF-16 unit).
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// `text[start..end]` of the document.
    pub text: String,
}

/// One entity of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntityRecord {
    /// Type name, for the bundled model `PER`, `ORG`, `LOC` or `MISC`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands.
    #[serde(flatten)]
    pub span: SpanRecord,
    /// How sure, in [0, 1]; absent in gold records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// The speaker of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeakerRecord {
    /// The words that name the speaker beside this quote.
    pub mention: Option<SpanRecord>,
    /// The fullest name the article gives.
    pub name: String,
    /// Title or role as given.
    #[serde(default)]
    pub role: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
    /// How it was found; absent in gold records that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// The stance of a quote; gold records hold the label only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StanceRecord {
    /// The label.
    pub label: StanceLabel,
    /// `conciliatory − firm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conciliatory: Option<f64>,
    /// Probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firm: Option<f64>,
    /// Probability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutral: Option<f64>,
}

/// One quote of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuoteRecord {
    /// Direct, indirect or mixed.
    pub kind: QuoteKind,
    /// The words said, without marks.
    pub parts: Vec<SpanRecord>,
    /// The word of saying.
    pub cue: Option<SpanRecord>,
    /// The speaker, or null with `no_speaker`.
    pub speaker: Option<SpeakerRecord>,
    /// Why there is no speaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_speaker: Option<NoSpeaker>,
    /// How sure the finder is; absent in gold records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What is doubtful.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<QuoteFlag>,
    /// The stance, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stance: Option<StanceRecord>,
}

/// Name and hash of a model that made a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelStamp {
    /// Folder name.
    pub name: String,
    /// SHA-256 over configuration, tokenizer and weights, its first 16 hex digits.
    pub hash: String,
}

/// Why a document has no results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// `document`, `io`, …
    pub kind: String,
    /// What and where, and the way out.
    pub message: String,
}

/// A dateline; its parts are stretches of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatelineRecord {
    /// Where ("SOCHI").
    pub place: Option<SpanRecord>,
    /// When, as given ("October 18").
    pub date: Option<SpanRecord>,
    /// By whom ("TASS").
    pub agency: Option<SpanRecord>,
}

/// Everything found in one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: String,
    /// The document's id.
    pub id: String,
    /// Path or address.
    #[serde(default)]
    pub source: Option<String>,
    /// Title field, as given.
    #[serde(default)]
    pub title: Option<String>,
    /// Date field, as given.
    #[serde(default)]
    pub date: Option<String>,
    /// Where, when and by which agency the story was written, where it says so at its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dateline: Option<DatelineRecord>,
    /// The text that offsets point into: in gold records, with `--with-text`, and where it was taken out of a web page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The unit of all offsets.
    #[serde(default)]
    pub offset_unit: OffsetUnit,
    /// Entities in order of position; null where they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<EntityRecord>>,
    /// Quotes in order of position; null where they were not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<Vec<QuoteRecord>>,
    /// What reading cost.
    #[serde(default)]
    pub usage: Usage,
    /// The models that made it.
    #[serde(default)]
    pub models: Vec<ModelStamp>,
    /// Why there are no results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
}

impl Record {
    /// A record that says why `id` has no results.
    pub fn failed(id: &str, source: Option<&str>, error: &crate::error::Error) -> Record {
        Record {
            schema: SCHEMA.into(),
            id: id.into(),
            source: source.map(Into::into),
            title: None,
            date: None,
            dateline: None,
            text: None,
            offset_unit: OffsetUnit::Char,
            entities: None,
            quotes: None,
            usage: Usage::default(),
            models: Vec::new(),
            error: Some(ErrorRecord { kind: error.kind.as_str().into(), message: error.to_string() }),
        }
    }
}

/// Turns results with byte spans into a record in the wished unit.
pub struct RecordWriter<'a> {
    /// Unit of the offsets written.
    pub unit: OffsetUnit,
    /// Whether the record carries the text.
    pub with_text: bool,
    /// The models that made the results.
    pub models: &'a [ModelStamp],
}

impl RecordWriter<'_> {
    /// The record of `document`; parts that were not asked for stay `None`.
    pub fn record(
        &self,
        document: &Document,
        entities: Option<&[Entity]>,
        quotes: Option<&[Quote]>,
        usage: Usage,
    ) -> Record {
        let view = TextView { text: &document.text, table: OffsetTable::new(&document.text, self.unit) };
        Record {
            schema: SCHEMA.into(),
            id: document.id.clone(),
            source: document.source.clone(),
            title: document.title.clone(),
            date: document.date.clone(),
            dateline: dateline(&document.text).map(|d| view.dateline(&d)),
            text: (self.with_text || document.extracted).then(|| document.text.clone()),
            offset_unit: self.unit,
            entities: entities.map(|list| list.iter().map(|e| view.entity(e)).collect()),
            quotes: quotes.map(|list| list.iter().map(|q| view.quote(q)).collect()),
            usage,
            models: self.models.to_vec(),
            error: None,
        }
    }
}

/// A text with the table that converts its byte offsets.
struct TextView<'a> {
    text: &'a str,
    table: OffsetTable,
}

impl TextView<'_> {
    fn span(&self, span: Span) -> SpanRecord {
        SpanRecord {
            start: self.table.from_byte(span.start),
            end: self.table.from_byte(span.end),
            text: span.of(self.text).to_string(),
        }
    }

    fn dateline(&self, dateline: &Dateline) -> DatelineRecord {
        let span = |span: Option<Span>| span.map(|s| self.span(s));
        DatelineRecord { place: span(dateline.place), date: span(dateline.date), agency: span(dateline.agency) }
    }

    fn entity(&self, entity: &Entity) -> EntityRecord {
        EntityRecord { kind: entity.kind.clone(), span: self.span(entity.span), score: Some(rounded(entity.score)) }
    }

    fn quote(&self, quote: &Quote) -> QuoteRecord {
        let speaker = quote.speaker.as_ref().ok().map(|s| SpeakerRecord {
            mention: s.mention.map(|m| self.span(m)),
            name: s.name.clone(),
            role: s.role.clone(),
            country: s.country.clone(),
            evidence: Some(s.evidence),
        });
        QuoteRecord {
            kind: quote.kind,
            parts: quote.parts.iter().map(|p| self.span(*p)).collect(),
            cue: quote.cue.map(|c| self.span(c)),
            speaker,
            no_speaker: quote.speaker.as_ref().err().copied(),
            confidence: Some(rounded(quote.confidence)),
            flags: quote.flags.clone(),
            stance: quote.stance.as_ref().map(StanceRecord::from),
        }
    }
}

impl From<&Stance> for StanceRecord {
    fn from(stance: &Stance) -> Self {
        let (c, f) = (rounded(stance.conciliatory), rounded(stance.firm));
        StanceRecord {
            label: stance.label,
            score: Some(rounded64(c - f)),
            conciliatory: Some(c),
            firm: Some(f),
            // The three written numbers sum to 1 exactly.
            neutral: Some(rounded64(1.0 - c - f)),
        }
    }
}

/// Three decimals: more would show differences of batch shape that mean nothing.
fn rounded(value: f32) -> f64 {
    rounded64(f64::from(value))
}

fn rounded64(value: f64) -> f64 {
    let value = (value * 1e3).round() / 1e3;
    // −0.0 would be written as "-0.0".
    if value == 0.0 { 0.0 } else { value }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn span(start: usize, text: &str) -> SpanRecord {
        SpanRecord { start, end: start + text.chars().count(), text: text.into() }
    }

    /// A record with every field set: who adds a field adds it here, and the schemas' tests tell where else.
    pub(crate) fn full_record() -> Record {
        let text = "“Yes,” he said. “🕊”\u{0} In Ångby Lind";
        let speaker = SpeakerRecord {
            mention: Some(span(7, "he")),
            name: "Anna Lind".into(),
            role: Some("Premier".into()),
            country: Some("VT".into()),
            evidence: Some(Evidence::Pronoun),
        };
        let stance = StanceRecord {
            label: StanceLabel::Firm,
            score: Some(-0.4),
            conciliatory: Some(0.1),
            firm: Some(0.5),
            neutral: Some(0.4),
        };
        let quote = QuoteRecord {
            kind: QuoteKind::Direct,
            parts: vec![span(1, "Yes,"), span(17, "🕊")],
            cue: Some(span(10, "said")),
            speaker: Some(speaker),
            no_speaker: Some(NoSpeaker::Unnamed),
            confidence: Some(0.97),
            flags: vec![QuoteFlag::Unclosed],
            stance: Some(stance),
        };
        Record {
            schema: SCHEMA.into(),
            id: "a#1".into(),
            source: Some("a.jsonl".into()),
            title: Some("Talks".into()),
            date: Some("2031-05-01".into()),
            dateline: Some(DatelineRecord {
                place: Some(span(22, "Ångby")),
                date: Some(span(0, "May 1")),
                agency: Some(span(0, "Nova")),
            }),
            text: Some(text.into()),
            offset_unit: OffsetUnit::Char,
            entities: Some(vec![EntityRecord { kind: "PER".into(), span: span(30, "Lind"), score: Some(0.986) }]),
            quotes: Some(vec![quote]),
            usage: Usage { tokens: 12, windows: 1, truncated: 2 },
            models: vec![ModelStamp { name: "quotes".into(), hash: "0f".into() }],
            error: Some(ErrorRecord { kind: "document".into(), message: "both, for the test".into() }),
        }
    }
}
