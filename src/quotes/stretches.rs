//! Which words of content one cue has: a stretch before it and one after it, out of the pieces that were joined to it.

use super::linker::Reading;
use super::model::Part;
use super::tags::Role;
use crate::document::Span;
use std::ops::Range;

/// Words that may stand between two pieces of one stretch: the model broke it where annotators did not.
const MOST_BETWEEN: usize = 1;
/// Of two stretches around a cue, one with a lower logit than this belongs elsewhere.
const LEAST_LOGIT: f64 = 0.0;
/// A cue announces the next paragraph from so near its colon, in words.
const ANNOUNCES: usize = 8;
/// What stands for the probability of a dash as cue.
const SIGNATURE_SCORE: f32 = 0.6;

/// A stretch of content.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stretch {
    /// Its words.
    pub words: Range<usize>,
    /// Mean probability of content over its pieces.
    pub score: f64,
    /// The best logit of a piece for the cue.
    pub logit: f64,
}

/// The stretches of content of `cue`, at most one on either side, from the pieces (index and logit) joined to it.
///
/// On each side it is the nearest one; but what a quote in marks goes on with after its cue stands in marks too:
/// `"We hope," she said of the talks, "for peace."`
pub(super) fn of_cue(reading: &Reading, cue: &Part, pieces: &[(usize, f64)]) -> Vec<Stretch> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (at, logit) in pieces {
        let Some(part) = reading.parts.get(*at) else { continue };
        add(if part.words.start < cue.words.start { &mut before } else { &mut after }, part, *logit);
    }
    before.reverse();
    let of_side = |own: &[Stretch], other: &[Stretch]| -> Option<Stretch> {
        let other_marked = other.first().is_some_and(|o| is_marked(reading, &o.words));
        match own.first() {
            Some(near) if other_marked && !starts_marked(reading, &near.words) => {
                own.iter().find(|s| is_marked(reading, &s.words)).cloned()
            }
            near => near.cloned(),
        }
    };
    let mut kept: Vec<Stretch> =
        [of_side(&before, &after), of_side(&after, &before)].into_iter().flatten().collect();
    if let [one, two] = &kept[..]
        && one.logit.min(two.logit) < LEAST_LOGIT
    {
        let weaker = usize::from(two.logit < one.logit);
        kept.remove(weaker);
    }
    kept.iter_mut().for_each(|s| s.words = without_loose_ends(reading, s.words.clone()));
    kept
}

/// Adds a piece to the last stretch, or begins a new one.
fn add(stretches: &mut Vec<Stretch>, part: &Part, logit: f64) {
    let score = f64::from(part.score);
    match stretches.last_mut().filter(|s| part.words.start <= s.words.end + MOST_BETWEEN) {
        Some(last) => {
            last.words.end = part.words.end;
            last.score = (last.score + score) / 2.0;
            last.logit = last.logit.max(logit);
        }
        None => stretches.push(Stretch { words: part.words.clone(), score, logit }),
    }
}

fn word<'a>(reading: &Reading<'a>, at: usize) -> &'a str {
    reading.words.spans.get(at).map_or("", |span: &Span| span.of(reading.text))
}

/// Whether a word is a mark that may open a quote.
pub(super) fn opens(word: &str) -> bool {
    matches!(word, "\"" | "“" | "''" | "``" | "«" | "„")
}

/// Whether a word is a mark that may close a quote.
pub(super) fn closes(word: &str) -> bool {
    matches!(word, "\"" | "”" | "''" | "»" | "“")
}

fn starts_marked(reading: &Reading, words: &Range<usize>) -> bool {
    opens(word(reading, words.start))
}

/// Whether marks stand at both ends, the closing one perhaps before or after a comma.
fn is_marked(reading: &Reading, words: &Range<usize>) -> bool {
    let end = words.end.saturating_sub(2).max(words.start)..words.end + 1;
    starts_marked(reading, words) && end.into_iter().any(|at| closes(word(reading, at)))
}

/// Without commas and dashes at the ends, which belong to the reporter's sentence.
fn without_loose_ends(reading: &Reading, mut words: Range<usize>) -> Range<usize> {
    let loose = |at: usize| matches!(word(reading, at), "," | ";" | ":" | "—" | "–" | "―" | "-" | "--");
    while words.len() > 1 && loose(words.end - 1) {
        words.end -= 1;
    }
    while words.len() > 1 && loose(words.start) {
        words.start += 1;
    }
    words
}

/// The parts, and a cue for each dash between a quote and who signs for it: `"We stay." — Ana Ruiz`.
pub(super) fn with_signatures(reading: &Reading) -> Vec<Part> {
    let mut parts = reading.parts.to_vec();
    let begins = |role: Role, at: usize| reading.parts.iter().find(|p| p.role == role && p.words.start == at);
    let contents = reading.parts.iter().filter(|p| p.role == Role::Content);
    parts.extend(contents.filter_map(|content| {
        let dash = content.words.end;
        let source = begins(Role::Source, dash + 1)?;
        let signs = is_marked(reading, &content.words) || ends_paragraph(reading, source.words.end);
        let is_cue = signs && is_dash(word(reading, dash)) && begins(Role::Cue, dash).is_none();
        is_cue.then(|| Part { role: Role::Cue, words: dash..dash + 1, score: SIGNATURE_SCORE, before: 0.5 })
    }));
    parts.sort_by_key(|p| p.words.start);
    parts
}

fn is_dash(word: &str) -> bool {
    matches!(word, "―" | "—" | "–" | "-" | "--")
}

fn paragraph(reading: &Reading, at: usize) -> Option<u32> {
    reading.words.paragraph.get(at).copied()
}

fn ends_paragraph(reading: &Reading, end: usize) -> bool {
    end.checked_sub(1).is_some_and(|last| paragraph(reading, last) != paragraph(reading, end))
}

/// The cue at the end of the paragraph before content that begins one, where a colon follows it: `She said:¶"We stay."`
pub(super) fn announcing_cue(reading: &Reading, content: &Part) -> Option<usize> {
    let start = content.words.start;
    let last = start.checked_sub(1)?;
    let before = paragraph(reading, last);
    if before == paragraph(reading, start) || !word(reading, last).ends_with(':') {
        return None;
    }
    let near = |p: &Part| paragraph(reading, p.words.start) == before && p.words.end + ANNOUNCES >= start;
    reading.parts.iter().rposition(|p| p.role == Role::Cue && p.words.end <= start && near(p))
}
