//! Transcripts: paragraphs that begin with the name of who speaks and a colon.

use super::lexicon::{self as lex, is_in};
use super::marks::Marked;
use crate::document::Span;

/// A paragraph that somebody speaks in a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// The speaker's name as it stands before the colon.
    pub label: Span,
    /// What is said: the rest of the paragraph, or a later paragraph of the same turn.
    pub words: Span,
    /// Whether it is a later paragraph.
    pub continued: bool,
}

/// How many labelled paragraphs make a transcript.
const ENOUGH: usize = 3;
/// The longest label, in bytes and in words.
const LONGEST_LABEL: usize = 90;
const LABEL_WORDS: usize = 10;

/// The paragraphs spoken in `text`, if it is a transcript: at least three begin with a label. A turn lasts until the
/// next label or a line that does not end as speech ends; text in quotation marks after a label is left to the marks.
pub(super) fn turns(text: &str, paragraphs: &[Span]) -> Vec<Turn> {
    let mut labels: Vec<Option<Span>> = paragraphs.iter().map(|p| label(text, *p)).collect();
    // "Premier: no deal" over an article is a headline.
    if let Some(headline) = labels.first_mut() {
        *headline = None;
    }
    let (Some(first), Some(last)) = (labels.iter().position(Option::is_some), labels.iter().rposition(Option::is_some))
    else {
        return Vec::new();
    };
    if labels.iter().flatten().count() < ENOUGH {
        return Vec::new();
    }
    // What follows the last label is still speech where the document is nothing but a transcript.
    let end = if first * 3 <= paragraphs.len() { paragraphs.len() } else { last + 1 };
    let mut found = Vec::new();
    let mut speaking = None;
    for (paragraph, label) in paragraphs.iter().zip(labels).take(end) {
        let (label, words, continued) = match (label, speaking) {
            (Some(label), _) => (label, Span::new(label.end + 1, paragraph.end).trimmed(text), false),
            (None, Some(label)) if is_speech(paragraph.of(text)) => (label, *paragraph, true),
            _ => {
                speaking = None;
                continue;
            }
        };
        speaking = Some(label);
        if !words.is_empty() {
            found.push(Turn { label, words, continued });
        }
    }
    found
}

/// The marked stretches that no turn holds: what is quoted inside speech is part of it.
pub(super) fn outside(marked: Vec<Marked>, turns: &[Turn]) -> Vec<Marked> {
    marked.into_iter().filter(|m| !hold(turns, &m.outer)).collect()
}

/// Whether one of `spans` lies in a turn.
pub(super) fn hold(turns: &[Turn], spans: &[Span]) -> bool {
    spans.iter().any(|span| {
        let next = turns.partition_point(|turn| turn.words.end <= span.start);
        turns.get(next).is_some_and(|turn| turn.words.overlaps(*span))
    })
}

/// Whether nobody in particular is meant by a label: "Question:", "Remark:".
pub(super) fn is_anonymous(label: &str) -> bool {
    let first = label.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    matches!(
        first.to_lowercase().as_str(),
        "question"
            | "questions"
            | "answer"
            | "remark"
            | "remarks"
            | "reply"
            | "response"
            | "q"
            | "a"
            | "voice"
            | "voices"
            | "retort"
            | "exclamation"
    )
}

/// The label of a paragraph: capitalised words and role words before a colon that white space and speech follow.
fn label(text: &str, paragraph: Span) -> Option<Span> {
    let surface = paragraph.of(text);
    let colon = surface.bytes().take(LONGEST_LABEL).position(|b| b == b':')?;
    let (name, rest) = (surface.get(..colon)?, surface.get(colon + 1..)?);
    let speech = rest.trim_start();
    let spoken = rest.starts_with(char::is_whitespace)
        && speech.starts_with(|c: char| c.is_uppercase() || c.is_numeric() || "(<[…".contains(c))
        && is_speech(speech)
        && speech.split_whitespace().take(40).filter(|w| w.contains(char::is_alphabetic)).count() > 1;
    (spoken && is_label(name)).then(|| Span::new(paragraph.start, paragraph.start + colon))
}

fn is_label(name: &str) -> bool {
    let bare = name.split('(').next().unwrap_or(name).trim();
    let words: Vec<&str> = bare.split_whitespace().collect();
    let name_word = |w: &&str| {
        let lower = w.to_lowercase();
        w.starts_with(char::is_uppercase)
            || lex::is_role(w)
            || is_in(&lex::MODIFIERS, w)
            || is_in(&lex::PARTICLES, w)
            || matches!(lower.as_str(), "of" | "the" | "and" | "for")
    };
    let plain = |w: &&str| w.chars().all(|c| c.is_alphanumeric() || ".-'’&,".contains(c));
    let begins = words
        .first()
        .is_some_and(|w| w.starts_with(char::is_uppercase) && (!is_in(&lex::FUNCTION, w) || is_anonymous(w)));
    begins && words.len() <= LABEL_WORDS && words.iter().all(name_word) && words.iter().all(plain)
}

/// Whether a paragraph ends as speech does.
fn is_speech(paragraph: &str) -> bool {
    let direction = paragraph.starts_with('(') && paragraph.trim_end_matches('.').ends_with(')');
    !direction
        && paragraph.contains(char::is_alphanumeric)
        && !paragraph.starts_with(['*', '#', '<', '_'])
        && paragraph
            .trim_end_matches(['"', '”', '’', '\'', ')', ']', '»'])
            .ends_with(['.', '!', '?', '…', ':', ';', ',', '–', '—', '>'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::segment::paragraphs;

    fn said(text: &str) -> Vec<(&str, &str)> {
        turns(text, &paragraphs(text)).iter().map(|t| (t.label.of(text), t.words.of(text))).collect()
    }

    #[test]
    fn labelled_paragraphs_are_speech() {
        let text = "Meeting with the envoy\n\nPremier of Nordia Anna Lind: Good afternoon to you.\n\nLet us begin.\n\nIvo Berg: We are ready.\n\n\
                    Question: Is there a date?\n\nPublished in section: News\n\nDate: May 3";
        assert_eq!(
            said(text),
            [
                ("Premier of Nordia Anna Lind", "Good afternoon to you."),
                ("Premier of Nordia Anna Lind", "Let us begin."),
                ("Ivo Berg", "We are ready."),
                ("Question", "Is there a date?"),
            ]
        );
    }

    #[test]
    fn an_article_with_a_colon_is_no_transcript() {
        assert!(said("Lind: no deal before spring.\n\nThe talks ended on Monday.\n\nHe said: it rained.").is_empty());
    }
}
