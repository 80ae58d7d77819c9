//! The vocabulary every stage speaks: documents, spans, entities, quotes, speakers, stance.
//!
//! Inside the program a [`Span`] counts bytes of the document's text and lies on character boundaries, so that
//! `&text[span.range()]` is the surface. What is written counts in the unit the user asked for (see
//! [`record`](crate::record)).

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One article as it was given; nothing rewrites `text`, offsets point into it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Unique within the run: the file's path, the row's `id`, or `source#row`.
    pub id: String,
    /// Where it came from: a path or an address.
    pub source: Option<String>,
    /// Title field of the row, if it stands apart from the text.
    pub title: Option<String>,
    /// Date field of the row, as given.
    pub date: Option<String>,
    /// The text all offsets point into.
    pub text: String,
    /// Whether the text was taken out of something else, a web page: then nobody but the record has it.
    pub extracted: bool,
}

impl Document {
    /// A document of `text` with no more than an id.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Document { id: id.into(), text: text.into(), ..Default::default() }
    }
}

/// A half-open range of bytes of a document's text, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`, in bytes.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// As a range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The surface in `text`; empty if the span does not lie in it.
    pub fn of(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or("")
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the two share at least one byte.
    pub fn overlaps(self, other: Span) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly inside.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The span without white space at its ends.
    pub fn trimmed(self, text: &str) -> Span {
        let surface = self.of(text);
        let start = self.start + (surface.len() - surface.trim_start().len());
        Span::new(start, start + surface.trim().len())
    }
}

/// A named entity: where, of what type, how sure.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Where it stands.
    pub span: Span,
    /// The model's type name, for the bundled model `PER`, `ORG`, `LOC` or `MISC`.
    pub kind: String,
    /// Mean probability of the chosen type over its words, in [0, 1].
    pub score: f32,
}

/// How the words of a quote are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuoteKind {
    /// All of it stands between quotation marks (or after a speaker label, as in a transcript).
    Direct,
    /// None of it does: reported speech.
    Indirect,
    /// Reported speech with quoted words inside.
    Mixed,
}

impl QuoteKind {
    /// The name that records use.
    pub fn as_str(self) -> &'static str {
        match self {
            QuoteKind::Direct => "direct",
            QuoteKind::Indirect => "indirect",
            QuoteKind::Mixed => "mixed",
        }
    }
}

/// What a quote's boundaries leave in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuoteFlag {
    /// The opening mark is never closed; the quote ends with its paragraph.
    Unclosed,
}

/// How the speaker of a quote was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The mention is the full name.
    Exact,
    /// The mention is a short form of a name that the article gives in full.
    ShortName,
    /// The mention is a title or role ("the Russian leader").
    Title,
    /// The mention is a pronoun.
    Pronoun,
    /// No mention beside this quote: the speaker of the quote before goes on.
    CarriedOver,
    /// A place that speaks for its government ("Moscow", "the Kremlin").
    Metonym,
}

impl Evidence {
    /// The name that records use.
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Exact => "exact",
            Evidence::ShortName => "short_name",
            Evidence::Title => "title",
            Evidence::Pronoun => "pronoun",
            Evidence::CarriedOver => "carried_over",
            Evidence::Metonym => "metonym",
        }
    }
}

/// Who said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    /// The words that name the speaker beside this quote; none when carried over.
    pub mention: Option<Span>,
    /// The fullest name the article gives, or the mention itself.
    pub name: String,
    /// Title or role as the article gives it ("Russian President").
    pub role: Option<String>,
    /// ISO 3166-1 alpha-2 code, where the article or the gazetteer tells.
    pub country: Option<String>,
    /// How it was found.
    pub evidence: Evidence,
}

/// Why a quote has no speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoSpeaker {
    /// No attribution stands near the quote.
    NoAttribution,
    /// There is an attribution, but it names nobody ("it was said").
    Unnamed,
    /// A pronoun that nothing before it resolves.
    UnresolvedPronoun,
}

/// A stretch of speech with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The words said, without the marks; several where an attribution splits them.
    pub parts: Vec<Span>,
    /// Direct, indirect or mixed.
    pub kind: QuoteKind,
    /// The word of saying ("said", "according to").
    pub cue: Option<Span>,
    /// The speaker, or why there is none.
    pub speaker: std::result::Result<Speaker, NoSpeaker>,
    /// How sure the finder is that this is a quote with these bounds, in [0, 1].
    pub confidence: f32,
    /// What is doubtful about the bounds.
    pub flags: Vec<QuoteFlag>,
    /// The stance, once it was read.
    pub stance: Option<Stance>,
}

impl Quote {
    /// From the first byte of the first part to the last byte of the last.
    pub fn extent(&self) -> Span {
        let start = self.parts.first().map_or(0, |p| p.start);
        Span::new(start, self.parts.last().map_or(start, |p| p.end))
    }

    /// The words of all parts, joined by one space.
    pub fn words(&self, text: &str) -> String {
        self.parts.iter().map(|p| p.of(text)).collect::<Vec<_>>().join(" ")
    }
}

/// The three classes, in the order in which probabilities are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StanceLabel {
    /// Gives ground, offers, holds the door open.
    #[serde(alias = "c")]
    Conciliatory,
    /// Holds ground, pushes.
    #[serde(alias = "f")]
    Firm,
    /// Neither.
    #[serde(alias = "n")]
    Neutral,
}

impl StanceLabel {
    /// All labels, in the order of probabilities.
    pub const ALL: [StanceLabel; 3] = [StanceLabel::Conciliatory, StanceLabel::Firm, StanceLabel::Neutral];

    /// The full name.
    pub fn as_str(self) -> &'static str {
        match self {
            StanceLabel::Conciliatory => "conciliatory",
            StanceLabel::Firm => "firm",
            StanceLabel::Neutral => "neutral",
        }
    }

    /// Reads a full name or its first letter, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "c" | "conciliatory" => Some(StanceLabel::Conciliatory),
            "f" | "firm" => Some(StanceLabel::Firm),
            "n" | "neutral" => Some(StanceLabel::Neutral),
            _ => None,
        }
    }
}

/// Calibrated probabilities of the three classes (they sum to 1) and the label chosen from them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    /// The label shown.
    pub label: StanceLabel,
    /// Probability of conciliatory.
    pub conciliatory: f32,
    /// Probability of firm.
    pub firm: f32,
    /// Probability of neutral.
    pub neutral: f32,
}

impl Stance {
    /// `conciliatory − firm`, in [−1, 1].
    pub fn score(&self) -> f32 {
        self.conciliatory - self.firm
    }
}

/// What reading a document cost, and whether anything was left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Word pieces read by the models, overlaps counted once per window.
    pub tokens: u64,
    /// Windows read by the models.
    pub windows: u64,
    /// Quotes or words that a model's length limit cut off.
    pub truncated: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        self.tokens += other.tokens;
        self.windows += other.windows;
        self.truncated += other.truncated;
    }
}
