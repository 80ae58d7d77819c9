//! Which words of content one cue has: a stretch before it and one after it, out of the pieces that were joined to it.

use super::linker::Reading;
use super::model::Part;
use super::tags::Role;
use crate::document::Span;
use std::ops::Range;

/// Words that may stand between two pieces of one stretch: the model broke it where annotators did not.
const MOST_BETWEEN: usize = 1;
/// The same where they are nothing but a comma and a conjunction: `Nordia refused, but Karvonia is ready`.
const MOST_JOINING: usize = 2;
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
        add(reading, if part.words.start < cue.words.start { &mut before } else { &mut after }, part, *logit);
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
    let mut kept: Vec<Stretch> = [of_side(&before, &after), of_side(&after, &before)].into_iter().flatten().collect();
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
fn add(reading: &Reading, stretches: &mut Vec<Stretch>, part: &Part, logit: f64) {
    let score = f64::from(part.score);
    match stretches.last_mut().filter(|s| goes_on(reading, s.words.end..part.words.start)) {
        Some(last) => {
            last.words.end = part.words.end;
            last.score = (last.score + score) / 2.0;
            last.logit = last.logit.max(logit);
        }
        None => stretches.push(Stretch { words: part.words.clone(), score, logit }),
    }
}

/// Whether what stands between two pieces does not part them; a quote in marks begins a piece of its own.
fn goes_on(reading: &Reading, mut between: Range<usize>) -> bool {
    if !between.is_empty() && opens(word(reading, between.end)) {
        return false;
    }
    let joins = |at: usize| matches!(word(reading, at), "," | ";" | "but" | "and" | "or" | "yet" | "while");
    between.len() <= MOST_BETWEEN || (between.len() <= MOST_JOINING && between.all(joins))
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

/// Without commas and dashes at the ends, which belong to the reporter's sentence, and without a conjunction, relative
/// or article at the end, which nothing follows.
fn without_loose_ends(reading: &Reading, mut words: Range<usize>) -> Range<usize> {
    let loose = |at: usize| matches!(word(reading, at), "," | ";" | ":" | "—" | "–" | "―" | "-" | "--");
    let dangles = |at: usize| {
        matches!(
            word(reading, at),
            "and"
                | "but"
                | "or"
                | "nor"
                | "while"
                | "when"
                | "whereas"
                | "although"
                | "though"
                | "because"
                | "as"
                | "if"
                | "who"
                | "which"
                | "whose"
                | "whom"
                | "that"
                | "than"
                | "the"
                | "a"
                | "an"
        )
    };
    while words.len() > 1 && (loose(words.end - 1) || (words.len() > 2 && dangles(words.end - 1))) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotes::model::Words;

    /// The content of the cue `cue` from the pieces that `pieces` names by their words, all with one logit.
    fn content(text: &str, cue: &str, pieces: &[&str]) -> Vec<String> {
        let words = Words::of(text);
        let part = |role: Role, surface: &str| {
            let start = text.find(surface).unwrap();
            let first = words.spans.partition_point(|w| w.end <= start);
            let end = words.spans.partition_point(|w| w.start < start + surface.len());
            Part { role, words: first..end, score: 0.9, before: 0.5 }
        };
        let parts: Vec<Part> = pieces.iter().map(|p| part(Role::Content, p)).collect();
        let reading = Reading { text, words: &words, parts: &parts };
        let joined: Vec<(usize, f64)> = (0..parts.len()).map(|at| (at, 1.0)).collect();
        let found = of_cue(&reading, &part(Role::Cue, cue), &joined);
        found.iter().map(|s| words.span(&s.words).unwrap().of(text).to_string()).collect()
    }

    #[test]
    fn the_nearest_stretch_on_each_side_counts() {
        let text = "The marsh is wide. Patrols will begin in May, according to the guard, in daylight only. Far away it rained.";
        let found = content(
            text,
            "according to",
            &["The marsh", "Patrols will begin in May,", "in daylight only", "it rained"],
        );
        assert_eq!(found, ["Patrols will begin in May", "in daylight only"]);
    }

    #[test]
    fn pieces_with_nothing_between_are_one() {
        let text = "Lind said the border, but also the bridge and the road would stay shut while talks go on.";
        let found = content(text, "said", &["the border", "also the bridge", "and the road would stay shut while"]);
        assert_eq!(found, ["the border, but also the bridge and the road would stay shut"]);
    }

    #[test]
    fn what_a_quote_in_marks_goes_on_with_stands_in_marks() {
        let text = "\"We hope,\" she said of the talks in Selva, \"for peace.\"";
        assert_eq!(
            content(text, "said", &["\"We hope,\"", "the talks in Selva", "\"for peace.\""]),
            ["\"We hope,\"", "\"for peace.\""]
        );
        assert_eq!(content(text, "said", &["\"We hope,\"", "the talks in Selva"]), ["\"We hope,\""]);
    }

    #[test]
    fn a_dash_signs_and_a_colon_announces() {
        let text = "“We stay.” ― Ana Ruiz\n\nOsk said:\n\nThe dam is full.";
        let words = Words::of(text);
        let at = |surface: &str| words.spans.iter().position(|w| w.of(text) == surface).unwrap();
        let part = |role, words| Part { role, words, score: 0.9, before: 0.5 };
        let parts = [
            part(Role::Content, 0..at("”") + 1),
            part(Role::Source, at("Ana")..at("Ruiz") + 1),
            part(Role::Source, at("Osk")..at("Osk") + 1),
            part(Role::Cue, at("said")..at(":") + 1),
            part(Role::Content, at("The")..at("full") + 1),
        ];
        let reading = Reading { text, words: &words, parts: &parts };
        let signed = with_signatures(&reading);
        assert_eq!(signed.len(), 6);
        assert_eq!(signed[1].words, at("―")..at("―") + 1);
        assert_eq!(announcing_cue(&reading, &parts[4]), Some(3));
        assert_eq!(announcing_cue(&reading, &parts[0]), None);
    }
}
