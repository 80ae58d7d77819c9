//! Sentences: ended by . ! ? … with what closes after them, abbreviations known.

use super::abbreviations::{Stop, stop_after};
use super::words::words;
use crate::document::Span;

/// The sentences of `paragraph`, in order; together they cover all its words.
///
/// A sentence ends after `.`, `!`, `?` or `…` and the quotation marks or brackets that close right after it, when what
/// follows can begin a sentence. Titles ("Gen."), initials, decimals and abbreviations do not end it, "U.S.", "Inc."
/// or "Oct." only when a word follows that begins sentences.
///
/// ```
/// use detente::{document::Span, text::segment::sentences};
/// let text = "\"We signed.\" He met J. Smith of Acme Inc. on Oct. 3. The U.S. did not object.";
/// let found: Vec<&str> = sentences(text, Span::new(0, text.len())).iter().map(|s| s.of(text)).collect();
/// assert_eq!(found, ["\"We signed.\"", "He met J. Smith of Acme Inc. on Oct. 3.", "The U.S. did not object."]);
/// ```
pub fn sentences(text: &str, paragraph: Span) -> Vec<Span> {
    let words = words(text, paragraph);
    let mut found = Vec::new();
    let mut start: Option<usize> = None;
    let mut i = 0;
    while let Some(word) = words.get(i) {
        let begin = *start.get_or_insert(word.start);
        if word.of(text).ends_with(['.', '!', '?', '…', '。', '！', '？']) {
            let last = last_closer(text, &words, i);
            if ends_sentence(text, &words, i, last) {
                found.push(Span::new(begin, words.get(last).map_or(word.end, |w| w.end)));
                start = None;
            }
            i = last;
        }
        i += 1;
    }
    if let (Some(begin), Some(last)) = (start, words.last()) {
        found.push(Span::new(begin, last.end));
    }
    found
}

/// The index of the last mark that closes right after the stop at word `i`; `i` itself if none does.
fn last_closer(text: &str, words: &[Span], i: usize) -> usize {
    let mut last = i;
    while let (Some(this), Some(next)) = (words.get(last), words.get(last + 1)) {
        if this.end != next.start || !is_closer(next.of(text)) {
            break;
        }
        last += 1;
    }
    last
}

/// Whether the stop at word `i`, closed up to word `last`, ends the sentence.
fn ends_sentence(text: &str, words: &[Span], i: usize, last: usize) -> bool {
    let (Some(stop), Some(end), Some(next)) = (words.get(i), words.get(last), words.get(last + 1)) else { return true };
    let surface = stop.of(text);
    let closed = last > i;
    // "signed.Putin": the space is missing, the sentence has ended all the same.
    let glued = surface == "." && !closed && next.of(text).starts_with(char::is_uppercase);
    (next.start > end.end || glued)
        && can_begin(text, words, last + 1)
        && !goes_on(text, surface, closed, words, last + 1)
}

/// What may close after a full stop and before the space.
fn is_closer(word: &str) -> bool {
    matches!(word, "\"" | "''" | "'" | "”" | "’" | "»" | ")" | "]" | "“" | "." | "!" | "?" | "…")
}

/// Whether the word at `i` can begin a sentence: marks that open are looked through.
fn can_begin(text: &str, words: &[Span], i: usize) -> bool {
    let first = words.iter().skip(i).take(4).map(|w| w.of(text)).find(|w| w.chars().any(char::is_alphanumeric));
    match first.and_then(|w| w.chars().next()) {
        Some(c) => !c.is_lowercase(),
        None => true,
    }
}

/// Whether an abbreviation that ends with a stop leads on to the word at `next`.
fn goes_on(text: &str, surface: &str, closed: bool, words: &[Span], next: usize) -> bool {
    let Some(abbreviation) = surface.strip_suffix('.').filter(|w| !w.is_empty() && !closed) else { return false };
    if abbreviation.ends_with('.') {
        return false;
    }
    let tail = abbreviation.rsplit(['-', '‑']).next().unwrap_or(abbreviation);
    let following = words.get(next).map_or("", |w| w.of(text));
    match stop_after(tail) {
        Some(Stop::Inside) => !BEGINNERS.contains(&following) || tail.chars().count() > 1,
        Some(Stop::Either) => !BEGINNERS.contains(&following) && !matches!(following, "\"" | "“" | "«" | "„"),
        // "No. 5"
        None => true,
    }
}

/// Words that, capitalised, begin sentences rather than names.
const BEGINNERS: &[&str] = &[
    "A",
    "After",
    "All",
    "Also",
    "Although",
    "An",
    "And",
    "Another",
    "Any",
    "As",
    "At",
    "Because",
    "Before",
    "Both",
    "But",
    "By",
    "Despite",
    "During",
    "Each",
    "Earlier",
    "Even",
    "For",
    "From",
    "Had",
    "He",
    "Her",
    "Here",
    "His",
    "How",
    "However",
    "I",
    "If",
    "In",
    "Instead",
    "It",
    "Its",
    "Last",
    "Later",
    "Many",
    "Meanwhile",
    "More",
    "Most",
    "My",
    "No",
    "Nor",
    "Not",
    "Now",
    "Of",
    "On",
    "Once",
    "One",
    "Only",
    "Or",
    "Other",
    "Others",
    "Our",
    "Over",
    "She",
    "Since",
    "So",
    "Some",
    "Still",
    "Such",
    "That",
    "The",
    "Their",
    "Then",
    "There",
    "These",
    "They",
    "This",
    "Those",
    "Though",
    "Through",
    "To",
    "Under",
    "Until",
    "We",
    "What",
    "When",
    "Where",
    "Which",
    "While",
    "Who",
    "Why",
    "With",
    "Without",
    "Yet",
    "You",
    "Your",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text, Span::new(0, text.len())).iter().map(|s| s.of(text)).collect()
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        for (text, expected) in [
            ("Mr. Brown met Gen. Lee. They ate.", 2),
            ("The U.S. Senate voted. It met in the U.S. The vote was 3.5 to 2.", 3),
            ("On Oct. 18 J. R. Smith left. He came at 5 p.m. Monday.", 2),
            ("\"We signed.\" He left.", 2),
            ("“Will we sign?” he asked.", 1),
            ("He said: “We signed.” Then he left.", 2),
            ("Peace... perhaps. Or not!", 2),
            ("It ended. 12 people left.", 2),
            ("No peace treaty so far.Putin says so.", 2),
            ("Acme Inc. said so. He asked why he and I. She left.", 3),
            ("(He left.) [She stayed.] “Why?”", 3),
            ("one two three", 1),
            ("", 0),
            ("SOCHI, October 18. /TASS/. The premier spoke.", 3),
        ] {
            assert_eq!(cut(text).len(), expected, "{:?}", cut(text));
        }
    }

    proptest! {
        #[test]
        fn sentences_cover_all_words_in_order(text in "\\PC{0,60}|[a-zA-Z .!?…\"”’\u{301}🕊\u{a0}\r\n)(]{0,80}") {
            let span = Span::new(0, text.len());
            let mut end = 0;
            for sentence in sentences(&text, span) {
                prop_assert!(sentence.start >= end && !sentence.is_empty());
                prop_assert_eq!(text.get(end..sentence.start).map(str::trim), Some(""));
                end = sentence.end;
            }
            prop_assert_eq!(text.get(end..).map(str::trim), Some(""));
        }
    }
}
