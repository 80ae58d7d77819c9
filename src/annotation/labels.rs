//! The project's record as marks and links, and back.
//!
//! A name is a mark whose label is its type. A quote is a mark `quote` with the attributes `kind`, `stance`, `speaker`
//! (the name), `role`, `country`, `evidence`, `no_speaker` and `flags`; the word of saying is a mark `cue`, the words that
//! name the speaker a mark `speaker`, and the quote is linked to both. Where a tool has no attributes, kind and stance
//! stand in the label: `quote:direct:firm`. A name type that is one of these words is written `entity-cue`.

use super::marks::{Link, Mark, Marked};
use super::notes::{Notes, Problem};
use crate::document::{QuoteKind, Span, StanceLabel, Usage};
use crate::record::{EntityRecord, QuoteRecord, Record, SCHEMA, SpanRecord, SpeakerRecord, StanceRecord};
use crate::text::offsets::{OffsetTable, OffsetUnit};
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::path::Path;

/// Label of a quote.
pub const QUOTE: &str = "quote";
/// Label of each further part of a quote, in tools without discontinuous spans.
pub const PART: &str = "quote-part";
/// Label of the word of saying.
pub const CUE: &str = "cue";
/// Label of the words that name the speaker.
pub const SPEAKER: &str = "speaker";

/// The attributes of a quote, and the values of those that have a fixed list.
pub const ATTRIBUTES: [(&str, &[&str]); 8] = [
    ("kind", &["direct", "indirect", "mixed"]),
    ("stance", &["conciliatory", "firm", "neutral"]),
    ("speaker", &[]),
    ("role", &[]),
    ("country", &[]),
    ("evidence", &["exact", "short_name", "title", "pronoun", "carried_over", "metonym"]),
    ("no_speaker", &["no_attribution", "unnamed", "unresolved_pronoun"]),
    ("flags", &["unclosed"]),
];

/// What a mark is to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Quote,
    Part,
    Cue,
    Speaker,
    Entity,
}

/// What a label means; the labels of attribution corpora (`Content`, `Source`) are understood too.
fn role(label: &str) -> Role {
    let first = label.split([':', '/']).next().unwrap_or_default();
    match first.trim().to_ascii_lowercase().replace('_', "-").as_str() {
        "quote" | "quotation" | "content" => Role::Quote,
        "quote-part" => Role::Part,
        "cue" => Role::Cue,
        "speaker" | "source" => Role::Speaker,
        _ => Role::Entity,
    }
}

/// Whether a label is the type of a name.
pub fn is_name(label: &str) -> bool {
    role(label) == Role::Entity
}

/// The label of a name's type: itself, unless that means part of a quote.
pub(super) fn label_of_kind(kind: &str) -> String {
    match role(kind_of_label(kind)) {
        Role::Entity => kind.to_string(),
        _ => format!("entity-{kind}"),
    }
}

/// The reverse: `entity-` goes where what follows would mean part of a quote.
fn kind_of_label(label: &str) -> &str {
    match label.strip_prefix("entity-") {
        Some(rest) if role(rest) != Role::Entity || kind_of_label(rest) != rest => rest,
        _ => label,
    }
}

/// The marks of `record`, whose offsets point into `text`.
///
/// A span whose surface is not what the text has there becomes a problem of `file`, with `row`.
pub fn marks(record: &Record, text: &str, file: &Path, row: u64, notes: &mut Notes) -> Marked {
    let mut marks = MarksOf {
        table: OffsetTable::new(text, record.offset_unit),
        marked: Marked {
            id: record.id.clone(),
            source: record.source.clone(),
            title: record.title.clone(),
            date: record.date.clone(),
            text: text.to_string(),
            predicted: !record.models.is_empty(),
            ..Marked::default()
        },
        shared: HashMap::new(),
        file,
        row,
        notes,
    };
    record.entities.iter().flatten().for_each(|entity| marks.entity(entity));
    record.quotes.iter().flatten().for_each(|quote| marks.quote(quote));
    marks.marked
}

struct MarksOf<'a> {
    table: OffsetTable,
    marked: Marked,
    /// Cues and speakers that a mark stands for already: quotes may share them.
    shared: HashMap<(&'static str, Span), usize>,
    file: &'a Path,
    row: u64,
    notes: &'a mut Notes,
}

impl MarksOf<'_> {
    fn span(&mut self, span: &SpanRecord) -> Option<Span> {
        let bytes = self.table.to_byte(span.start).zip(self.table.to_byte(span.end));
        let bytes = bytes.map(|(start, end)| Span::new(start, end)).filter(|bytes| bytes.start < bytes.end);
        let found = bytes.and_then(|bytes| self.marked.text.get(bytes.range()));
        if found == Some(span.text.as_str()) {
            return bytes;
        }
        self.notes.problems.push(Problem {
            span: Some((span.start, span.end)),
            expected: Some(span.text.clone()),
            found: found.map(str::to_string),
            ..Problem::new(self.file, "the text has other words there").at(self.row).of(&self.marked.id)
        });
        None
    }

    fn entity(&mut self, entity: &EntityRecord) {
        let Some(span) = self.span(&entity.span) else { return };
        self.marked.marks.push(Mark { score: entity.score, ..Mark::new(label_of_kind(&entity.kind), vec![span]) });
    }

    fn quote(&mut self, quote: &QuoteRecord) {
        let parts: Vec<Span> = quote.parts.iter().filter_map(|part| self.span(part)).collect();
        if parts.is_empty() {
            return;
        }
        let at = self.marked.marks.len();
        let attributes = attributes(quote);
        self.marked.marks.push(Mark { attributes, score: quote.confidence, ..Mark::new(QUOTE, parts) });
        let mention = quote.speaker.as_ref().and_then(|speaker| speaker.mention.as_ref());
        for (label, span) in [(CUE, quote.cue.as_ref()), (SPEAKER, mention)] {
            if let Some(span) = span.and_then(|span| self.span(span)) {
                self.join(at, label, span);
            }
        }
        if quote.stance.as_ref().is_some_and(|stance| stance.conciliatory.is_some()) {
            self.notes.leave_out("the probabilities of a stance (the label stays)", &self.marked.id);
        }
    }

    fn join(&mut self, from: usize, label: &'static str, span: Span) {
        let marks = &mut self.marked.marks;
        let to = *self.shared.entry((label, span)).or_insert_with(|| {
            marks.push(Mark::new(label, vec![span]));
            marks.len() - 1
        });
        self.marked.links.push(Link { role: label.into(), from, to });
    }
}

fn attributes(quote: &QuoteRecord) -> IndexMap<String, String> {
    let speaker = quote.speaker.as_ref();
    let flags: Vec<String> = quote.flags.iter().filter_map(name).collect();
    let values = [
        name(&quote.kind),
        quote.stance.as_ref().map(|stance| stance.label.as_str().to_string()),
        speaker.map(|s| s.name.clone()),
        speaker.and_then(|s| s.role.clone()),
        speaker.and_then(|s| s.country.clone()),
        speaker.and_then(|s| s.evidence.as_ref()).and_then(name),
        quote.no_speaker.as_ref().and_then(name),
        (!flags.is_empty()).then(|| flags.join(" ")),
    ];
    let named = ATTRIBUTES.iter().zip(values).filter_map(|((attribute, _), value)| Some((*attribute, value?)));
    named.map(|(attribute, value)| (attribute.to_string(), value)).collect()
}

/// The word that JSON has for a plain enum.
fn name(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => Some(name),
        _ => None,
    }
}

fn value<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::String(name.trim().to_ascii_lowercase())).ok()
}

/// The record of an annotated document, offsets in `unit`, with its text.
///
/// What has no place in a record is counted in `notes`; what is none of the values a field may have is a problem of
/// `file`.
pub fn record(marked: &Marked, unit: OffsetUnit, file: &Path, notes: &mut Notes) -> Record {
    let mut reader = RecordOf { marked, table: OffsetTable::new(&marked.text, unit), file, notes };
    let mut entities = reader.entities();
    let mut quotes = reader.quotes();
    reader.unjoined();
    entities.sort_by_key(|entity| (entity.span.start, entity.span.end));
    quotes.sort_by_key(|quote| quote.parts.first().map(|part| (part.start, part.end)));
    Record {
        schema: SCHEMA.into(),
        id: marked.id.clone(),
        source: marked.source.clone(),
        title: marked.title.clone(),
        date: marked.date.clone(),
        dateline: None,
        text: Some(marked.text.clone()),
        offset_unit: unit,
        entities: Some(entities),
        quotes: Some(quotes),
        usage: Usage::default(),
        models: Vec::new(),
        error: None,
    }
}

struct RecordOf<'a> {
    marked: &'a Marked,
    table: OffsetTable,
    file: &'a Path,
    notes: &'a mut Notes,
}

impl<'a> RecordOf<'a> {
    fn span(&self, span: Span) -> SpanRecord {
        SpanRecord {
            start: self.table.from_byte(span.start),
            end: self.table.from_byte(span.end),
            text: span.of(&self.marked.text).to_string(),
        }
    }

    fn problem(&mut self, mark: &Mark, message: String) {
        let span = self.span(mark.extent());
        let problem = Problem::new(self.file, message).of(&self.marked.id);
        self.notes.problems.push(Problem { span: Some((span.start, span.end)), ..problem });
    }

    fn entities(&mut self) -> Vec<EntityRecord> {
        let mut entities = Vec::new();
        for mark in self.marked.marks.iter().filter(|mark| role(&mark.label) == Role::Entity) {
            if mark.parts.len() > 1 {
                self.problem(mark, format!("a name in several parts ({}) has no place in a record", mark.label));
                continue;
            }
            for attribute in mark.attributes.keys() {
                self.notes.leave_out(format!("the attribute `{attribute}` of names"), &self.marked.id);
            }
            let kind = kind_of_label(&mark.label).to_string();
            entities.push(EntityRecord { kind, span: self.span(mark.extent()), score: mark.score });
        }
        entities
    }

    fn quotes(&mut self) -> Vec<QuoteRecord> {
        let quotes = self.marked.marks.iter().enumerate().filter(|(_, mark)| role(&mark.label) == Role::Quote);
        quotes.map(|(at, mark)| self.quote(at, mark)).collect()
    }

    fn quote(&mut self, at: usize, mark: &Mark) -> QuoteRecord {
        let given = self.attributes(mark);
        let mut parts = mark.parts.clone();
        parts.extend(self.joined(at, Role::Part).flat_map(|part| part.parts.clone()));
        parts.sort();
        parts.dedup();
        let cue = self.one(at, mark, Role::Cue, "the word of saying");
        let mention = self.one(at, mark, Role::Speaker, "the words that name the speaker");
        let kind = given.get("kind").and_then(|kind| value(kind)).unwrap_or_else(|| {
            self.notes.leave_out("the kind of a quote: told from its quotation marks", &self.marked.id);
            kind_by_marks(&self.marked.text, &parts)
        });
        let name = given.get("speaker").cloned().or_else(|| mention.map(|m| m.of(&self.marked.text).to_string()));
        let speaker = name.map(|name| SpeakerRecord {
            mention: mention.map(|m| self.span(m)),
            name,
            role: given.get("role").cloned(),
            country: given.get("country").cloned(),
            evidence: given.get("evidence").and_then(|evidence| value(evidence)),
        });
        let flags = given.get("flags").map(|flags| flags.split_whitespace().filter_map(value).collect());
        let stance = given.get("stance").and_then(|label| StanceLabel::parse(label));
        QuoteRecord {
            kind,
            parts: parts.into_iter().map(|part| self.span(part)).collect(),
            cue: cue.map(|cue| self.span(cue)),
            no_speaker: if speaker.is_none() { given.get("no_speaker").and_then(|why| value(why)) } else { None },
            speaker,
            confidence: mark.score,
            flags: flags.unwrap_or_default(),
            stance: stance.map(|label| StanceRecord {
                label,
                score: None,
                conciliatory: None,
                firm: None,
                neutral: None,
            }),
        }
    }

    /// The attributes of a quote, from its label too, without those that are none.
    fn attributes(&mut self, mark: &Mark) -> IndexMap<String, String> {
        let mut given = mark.attributes.clone();
        for word in mark.label.split([':', '/']).skip(1).filter(|word| !word.trim().is_empty()) {
            let fitting = ATTRIBUTES.iter().take(2).find(|(_, values)| values.contains(&lower(word).as_str()));
            match fitting {
                Some((attribute, _)) => _ = given.entry(attribute.to_string()).or_insert_with(|| lower(word)),
                None => self.problem(mark, format!("`{word}` in the label `{}` is no kind and no stance", mark.label)),
            }
        }
        let known = |name: &str| ATTRIBUTES.iter().find(|(attribute, _)| *attribute == name);
        given.retain(|attribute, value| match known(attribute) {
            None => {
                self.notes.leave_out(format!("the attribute `{attribute}` of quotes"), &self.marked.id);
                false
            }
            Some((_, [])) => !value.trim().is_empty(),
            Some((_, values)) => {
                let fits = value.split_whitespace().all(|word| values.contains(&lower(word).as_str()));
                if !fits {
                    self.problem(mark, format!("`{value}` is no {attribute}; it may be {}", values.join(", ")));
                }
                fits
            }
        });
        given
    }

    /// The marks of a role that are linked with mark `at`, in whatever direction the link was drawn.
    fn joined(&self, at: usize, wished: Role) -> impl Iterator<Item = &'a Mark> + use<'a> {
        let marked = self.marked;
        marked.links.iter().filter_map(move |link| {
            let other = if link.from == at { link.to } else { link.from };
            let touches = link.from == at || link.to == at;
            let mark = marked.marks.get(other).filter(|_| touches)?;
            // A name may be linked as the speaker itself.
            let named =
                wished == Role::Speaker && role(&mark.label) == Role::Entity && role(&link.role) == Role::Speaker;
            (role(&mark.label) == wished || named).then_some(mark)
        })
    }

    /// The only span of a role that belongs to a quote.
    fn one(&mut self, at: usize, quote: &Mark, wished: Role, what: &str) -> Option<Span> {
        let mut spans: Vec<Span> = self.joined(at, wished).flat_map(|mark| mark.parts.clone()).collect();
        spans.sort();
        spans.dedup();
        if spans.len() > 1 {
            self.problem(quote, format!("{what} stands in {} places; the first is kept", spans.len()));
        }
        spans.first().copied()
    }

    /// Counts what belongs to no quote, and links that mean nothing here.
    fn unjoined(&mut self) {
        let marked = self.marked;
        let role_at = |at: usize| marked.marks.get(at).map(|mark| role(&mark.label));
        let mut joined = vec![false; marked.marks.len()];
        for link in &marked.links {
            let ends = [role_at(link.from), role_at(link.to)];
            let quotes = ends.iter().filter(|end| **end == Some(Role::Quote)).count();
            let helper = ends.iter().any(|end| matches!(end, Some(Role::Part | Role::Cue | Role::Speaker)));
            if quotes == 1 && (helper || role(&link.role) == Role::Speaker) {
                for at in [link.from, link.to] {
                    joined.get_mut(at).into_iter().for_each(|joined| *joined = true);
                }
            } else {
                self.notes.leave_out(format!("the relation `{}`", link.role), &marked.id);
            }
        }
        for (mark, joined) in marked.marks.iter().zip(joined) {
            if !joined && matches!(role(&mark.label), Role::Part | Role::Cue | Role::Speaker) {
                self.notes.leave_out(format!("a mark `{}` that is linked with no quote", mark.label), &marked.id);
            }
        }
    }
}

fn lower(word: &str) -> String {
    word.trim().to_ascii_lowercase()
}

/// Direct where quotation marks enclose every part, indirect where there is none, else mixed.
fn kind_by_marks(text: &str, parts: &[Span]) -> QuoteKind {
    let is_mark = |c: char| matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '‘' | '’' | '\'');
    let before = |part: &Span| text.get(..part.start).and_then(|t| t.chars().next_back()).is_some_and(is_mark);
    let after = |part: &Span| text.get(part.end..).and_then(|t| t.chars().next()).is_some_and(is_mark);
    let inside = |part: &Span| part.of(text).contains(['"', '“', '”', '„', '«', '»']);
    if parts.iter().all(|part| before(part) && after(part)) {
        QuoteKind::Direct
    } else if parts.iter().any(|part| before(part) || after(part) || inside(part)) {
        QuoteKind::Mixed
    } else {
        QuoteKind::Indirect
    }
}

/// Puts kind and stance into the labels of quotes, for tools that have labels but no attributes.
pub fn compact(marked: &mut Marked) {
    for mark in marked.marks.iter_mut().filter(|mark| mark.label == QUOTE) {
        for attribute in ["kind", "stance"] {
            if let Some(value) = mark.attributes.shift_remove(attribute) {
                mark.label = format!("{}:{value}", mark.label);
            }
        }
    }
}

/// Counts the attributes that a format without place for them loses. A speaker's name that is the linked mention itself
/// is not lost.
pub fn lose_attributes(marked: &mut Marked, format: &str, notes: &mut Notes) {
    let mut mentions: HashMap<usize, &str> = HashMap::new();
    for link in marked.links.iter().filter(|link| link.role == SPEAKER) {
        let surface = marked.marks.get(link.to).map(|mark| mark.extent().of(&marked.text));
        mentions.extend(surface.map(|surface| (link.from, surface)));
    }
    for (at, mark) in marked.marks.iter().enumerate() {
        for (attribute, value) in &mark.attributes {
            if attribute != "speaker" || mentions.get(&at) != Some(&value.as_str()) {
                notes.leave_out(format!("{format} cannot hold the {attribute} of a quote"), &marked.id);
            }
        }
    }
    marked.marks.iter_mut().for_each(|mark| mark.attributes.clear());
}

/// Counts the scores that a format without place for them loses.
pub fn lose_scores(marked: &mut Marked, format: &str, notes: &mut Notes) {
    for mark in marked.marks.iter_mut().filter(|mark| mark.score.is_some()) {
        mark.score = None;
        notes.leave_out(format!("{format} cannot hold the score of a mark"), &marked.id);
    }
}

/// Counts the title, date and address that a format without place for them loses.
pub fn lose_metadata(marked: &mut Marked, format: &str, notes: &mut Notes) {
    for (field, value) in [("title", &mut marked.title), ("date", &mut marked.date), ("source", &mut marked.source)] {
        if value.take().is_some() {
            notes.leave_out(format!("{format} cannot hold the {field} of a document"), &marked.id);
        }
    }
}

/// All labels of the marks, each once: names in order of first use, then those of quotes.
pub fn used(documents: &[Marked]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for mark in documents.iter().flat_map(|document| &document.marks) {
        if !labels.contains(&mark.label) {
            labels.push(mark.label.clone());
        }
    }
    labels.sort_by_key(|label| (role(label) != Role::Entity, label.clone()));
    labels
}
