//! Offsets of a tool to bytes: in which unit it counts, found by trying all three against the words, and what does not
//! fit.
//!
//! Tools count characters (Python), UTF-16 units (JavaScript, Java) or bytes, often without saying so, and the difference
//! shows only after the first emoji. Every span whose words the file gives votes for the units in which the text has these
//! words there; spans without words vote, more quietly, for units in which they begin and end with a word.

use super::marks::{Link, Mark, Marked};
use super::notes::{Notes, Problem};
use crate::document::Span;
use crate::text::offsets::{OffsetTable, OffsetUnit};
use indexmap::IndexMap;
use std::collections::HashMap;
use std::path::Path;

/// A document as a file gives it, offsets in a unit yet unknown.
#[derive(Debug, Clone, Default)]
pub struct Unplaced {
    /// The document's id.
    pub id: String,
    /// Path or address.
    pub source: Option<String>,
    /// Title, as given.
    pub title: Option<String>,
    /// Date, as given.
    pub date: Option<String>,
    /// The text that the offsets point into.
    pub text: String,
    /// Line, row or task in the file, from 1.
    pub row: u64,
    /// The labelled stretches.
    pub marks: Vec<RawMark>,
    /// What joins them, by their ids.
    pub links: Vec<RawLink>,
    /// Words with offsets that are no annotation, such as tokens: they too tell the unit.
    pub tokens: Vec<RawMark>,
    /// Whether a model made the marks, and no person has looked at them.
    pub predicted: bool,
}

/// A labelled stretch as a file gives it.
#[derive(Debug, Clone, Default)]
pub struct RawMark {
    /// What links call it.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Start and end of each part.
    pub parts: Vec<(usize, usize)>,
    /// The words that stand there, as the file says.
    pub surface: Option<String>,
    /// Name and value.
    pub attributes: IndexMap<String, String>,
    /// How sure the model is that made it.
    pub score: Option<f64>,
    /// Line, row or task in the file, from 1.
    pub row: u64,
}

/// A link between two marks as a file gives it.
#[derive(Debug, Clone)]
pub struct RawLink {
    /// What the second is to the first.
    pub role: String,
    /// Id of the first.
    pub from: String,
    /// Id of the second.
    pub to: String,
    /// Line, row or task in the file, from 1.
    pub row: u64,
}

/// How well the spans of a file fit its texts in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Fit {
    /// Spans whose words stand there exactly.
    pub exact: usize,
    /// Spans whose words stand there but for white space.
    pub spaced: usize,
    /// Spans without given words that begin and end with a word.
    pub edges: usize,
}

/// All units, the one that is tried first first.
pub const UNITS: [OffsetUnit; 3] = [OffsetUnit::Char, OffsetUnit::Utf16, OffsetUnit::Byte];

/// The unit in which most spans fit; of equals `usual`, then characters.
pub fn unit_of<'a>(documents: impl IntoIterator<Item = &'a Unplaced> + Clone, usual: OffsetUnit) -> OffsetUnit {
    let in_order = std::iter::once(usual).chain(UNITS).rev();
    in_order.max_by_key(|unit| fit(documents.clone(), *unit)).unwrap_or(usual)
}

/// How well all spans fit in `unit`.
pub fn fit<'a>(documents: impl IntoIterator<Item = &'a Unplaced>, unit: OffsetUnit) -> Fit {
    let mut fit = Fit::default();
    for document in documents {
        let table = OffsetTable::new(&document.text, unit);
        for mark in document.marks.iter().chain(&document.tokens) {
            let Some(parts) = bytes_of(mark, &document.text, &table) else { continue };
            match &mark.surface {
                Some(surface) => {
                    let found = words_of(&parts, &document.text);
                    fit.exact += usize::from(found == *surface);
                    fit.spaced += usize::from(same_letters(&found, surface));
                }
                None => fit.edges += usize::from(parts.iter().all(|part| is_worded(*part, &document.text))),
            }
        }
    }
    fit
}

/// The byte spans of a mark; none when a part is empty, outside of the text, or begins or ends inside a character.
fn bytes_of(mark: &RawMark, text: &str, table: &OffsetTable) -> Option<Vec<Span>> {
    let part = |&(start, end): &(usize, usize)| {
        let span = Span::new(table.to_byte(start)?, table.to_byte(end)?);
        text.get(span.range()).filter(|words| !words.is_empty()).map(|_| span)
    };
    let parts: Option<Vec<Span>> = mark.parts.iter().map(part).collect();
    parts.filter(|parts| !parts.is_empty())
}

fn words_of(parts: &[Span], text: &str) -> String {
    parts.iter().map(|part| part.of(text)).collect::<Vec<_>>().join(" ")
}

/// Whether two surfaces differ in nothing but white space, also where a tool wrote a line end as `\n`.
fn same_letters(a: &str, b: &str) -> bool {
    let letters = |words: &str| -> String {
        words.replace("\\r", "").replace("\\n", "").chars().filter(|c| !c.is_whitespace()).collect()
    };
    a == b || letters(a) == letters(b)
}

/// Whether a span begins and ends with a word, not inside one and not with white space.
fn is_worded(span: Span, text: &str) -> bool {
    let words = span.of(text);
    let before = text.get(..span.start).and_then(|t| t.chars().next_back());
    let after = text.get(span.end..).and_then(|t| t.chars().next());
    let glued =
        |a: Option<char>, b: Option<char>| a.zip(b).is_some_and(|(a, b)| a.is_alphanumeric() && b.is_alphanumeric());
    words.trim() == words && !glued(before, words.chars().next()) && !glued(words.chars().next_back(), after)
}

/// Where offsets are placed: the file they come from and the unit they count in.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// For messages.
    pub file: &'a Path,
    /// The unit of all offsets.
    pub unit: OffsetUnit,
}

impl Place<'_> {
    /// The document with byte spans; what does not fit becomes a problem and is left out.
    pub fn document(&self, unplaced: Unplaced, notes: &mut Notes) -> Marked {
        let table = OffsetTable::new(&unplaced.text, self.unit);
        let mut marks = Vec::new();
        let mut index: HashMap<&str, Option<usize>> = HashMap::new();
        for mark in &unplaced.marks {
            let parts = self.parts(mark, &unplaced, &table, notes);
            if index.insert(&mark.id, parts.as_ref().map(|_| marks.len())).is_some() {
                let problem = Problem::new(self.file, format!("the id `{}` occurs twice", mark.id));
                notes.problems.push(problem.at(mark.row).of(&unplaced.id));
            }
            if let Some(parts) = parts {
                let (label, attributes) = (mark.label.clone(), mark.attributes.clone());
                marks.push(Mark { label, parts, attributes, score: mark.score });
            }
        }
        for token in &unplaced.tokens {
            self.parts(token, &unplaced, &table, notes);
        }
        let links = unplaced.links.iter().filter_map(|link| self.link(link, &index, &unplaced.id, notes)).collect();
        Marked {
            id: unplaced.id.clone(),
            source: unplaced.source.clone(),
            title: unplaced.title.clone(),
            date: unplaced.date.clone(),
            predicted: unplaced.predicted,
            marks,
            links,
            text: unplaced.text,
        }
    }

    fn parts(&self, mark: &RawMark, document: &Unplaced, table: &OffsetTable, notes: &mut Notes) -> Option<Vec<Span>> {
        let parts = bytes_of(mark, &document.text, table);
        let found = parts.as_ref().map(|parts| words_of(parts, &document.text));
        let fits = match (&found, &mark.surface) {
            (Some(found), Some(surface)) => same_letters(found, surface),
            (found, _) => found.is_some(),
        };
        if fits {
            return parts.map(|mut parts| {
                parts.sort();
                parts
            });
        }
        let mut message = match &found {
            Some(_) => "the text has other words there".to_string(),
            None => {
                format!("there is no such span in the text, which has {} {}", table.from_byte(usize::MAX), self.units())
            }
        };
        if let Some((start, end)) = mark.surface.as_deref().and_then(|surface| only(surface, &document.text)) {
            message += &format!("; they stand at {}-{}", table.from_byte(start), table.from_byte(end));
        }
        notes.problems.push(Problem {
            span: mark.parts.first().zip(mark.parts.last()).map(|(first, last)| (first.0, last.1)),
            expected: mark.surface.clone(),
            found,
            ..Problem::new(self.file, message).at(mark.row).of(&document.id)
        });
        None
    }

    fn link(&self, link: &RawLink, index: &HashMap<&str, Option<usize>>, id: &str, notes: &mut Notes) -> Option<Link> {
        match (index.get(link.from.as_str()), index.get(link.to.as_str())) {
            (Some(Some(from)), Some(Some(to))) => Some(Link { role: link.role.clone(), from: *from, to: *to }),
            (Some(_), Some(_)) => {
                notes.leave_out("a relation of a span that does not fit", id);
                None
            }
            (from, _) => {
                let missing = if from.is_none() { &link.from } else { &link.to };
                let message =
                    format!("the relation `{}` names `{missing}`, which is no span of this document", link.role);
                notes.problems.push(Problem::new(self.file, message).at(link.row).of(id));
                None
            }
        }
    }

    fn units(&self) -> &'static str {
        unit_name(self.unit)
    }
}

/// Where `surface` stands, if it stands in `text` only once.
fn only(surface: &str, text: &str) -> Option<(usize, usize)> {
    let mut places = text.match_indices(surface).filter(|_| !surface.is_empty());
    match (places.next(), places.next()) {
        (Some((start, words)), None) => Some((start, start + words.len())),
        _ => None,
    }
}

/// How messages call a unit.
pub fn unit_name(unit: OffsetUnit) -> &'static str {
    match unit {
        OffsetUnit::Char => "characters",
        OffsetUnit::Byte => "bytes",
        OffsetUnit::Utf16 => "UTF-16 units",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "🕊 Né said. Lorn 🕊 agreed.";

    fn raw(parts: &[(usize, usize)], surface: Option<&str>) -> RawMark {
        RawMark { parts: parts.to_vec(), surface: surface.map(Into::into), row: 7, ..RawMark::default() }
    }

    fn document(marks: Vec<RawMark>) -> Unplaced {
        Unplaced { id: "d".into(), text: TEXT.into(), marks, ..Unplaced::default() }
    }

    #[test]
    fn the_unit_is_the_one_in_which_the_words_stand_there() {
        for (start, unit) in [(11, OffsetUnit::Char), (12, OffsetUnit::Utf16), (15, OffsetUnit::Byte)] {
            for surface in [Some("Lorn"), None] {
                let documents = [document(vec![raw(&[(start, start + 4)], surface)])];
                assert_eq!(unit_of(&documents, OffsetUnit::Char), unit, "{start} {surface:?}");
            }
        }
    }

    #[test]
    fn of_equal_units_the_usual_one_is_taken() {
        let documents = [Unplaced { text: "Lorn".into(), marks: vec![raw(&[(0, 4)], None)], ..Unplaced::default() }];
        for unit in UNITS {
            assert_eq!(unit_of(&documents, unit), unit);
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_the_place_where_it_stands() {
        let mut notes = Notes::default();
        let place = Place { file: Path::new("a.json"), unit: OffsetUnit::Char };
        let marks = vec![
            raw(&[(12, 16)], Some("Lorn")),
            raw(&[(20, 99)], None),
            raw(&[(3, 3)], None),
            RawMark { id: "x".into(), ..raw(&[(2, 4)], Some("Né")) },
        ];
        let marked = place.document(document(marks), &mut notes);
        assert_eq!(marked.marks.iter().map(|m| m.surface(TEXT)).collect::<Vec<_>>(), ["Né"]);
        let said: Vec<String> = notes.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said[0],
            "a.json:7: 12-16: the text has other words there; they stand at 11-15: expected \"Lorn\", found \"orn \""
        );
        assert!(
            said.contains(&"a.json:7: 20-99: there is no such span in the text, which has 25 characters".to_string()),
            "{said:?}"
        );
    }
}
