//! Tags of words to spans of words and back.

use crate::entities::tags::{Position, Tag};
use std::ops::Range;

/// Words that make up an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WordSpan {
    /// The words, by index.
    pub words: Range<usize>,
    /// The type.
    pub kind: String,
}

/// The entities that tags of any scheme mark.
///
/// The repair rule is that of the CoNLL-2003 scorer: an `I-` or `E-` that continues nothing (at the start, after `O`, or
/// after another type) begins an entity, and an entity that nothing ends goes on until the next one begins or `O` comes.
///
/// ```
/// use detente::entities::spans_of_tags;
/// let spans = spans_of_tags(&["B-PER", "I-PER", "I-LOC", "O", "B-LOC", "B-LOC"]);
/// let words: Vec<_> = spans.iter().map(|s| (s.words.clone(), s.kind.as_str())).collect();
/// assert_eq!(words, [(0..2, "PER"), (2..3, "LOC"), (4..5, "LOC"), (5..6, "LOC")]);
/// ```
pub fn spans_of_tags<S: AsRef<str>>(tags: &[S]) -> Vec<WordSpan> {
    spans(tags.iter().map(|tag| Tag::parse(tag.as_ref())))
}

/// As [`spans_of_tags`], for parsed tags.
pub(super) fn spans<'a>(tags: impl Iterator<Item = Tag<'a>>) -> Vec<WordSpan> {
    let mut spans: Vec<WordSpan> = Vec::new();
    // Whether the last span may go on.
    let mut open = false;
    for (word, tag) in tags.enumerate() {
        let Tag::Part(position, kind) = tag else {
            open = false;
            continue;
        };
        let begins = matches!(position, Position::Begin | Position::Single);
        match spans.last_mut().filter(|span| open && !begins && span.kind == kind) {
            Some(span) => span.words.end = word + 1,
            None => spans.push(WordSpan { words: word..word + 1, kind: kind.to_string() }),
        }
        open = matches!(position, Position::Begin | Position::Inside);
    }
    spans
}

/// BIO tags of `words` words; later spans win where spans overlap.
///
/// ```
/// use detente::entities::{bio_tags, spans_of_tags};
/// let tags = ["O", "S-LOC", "B-PER", "E-PER"];
/// assert_eq!(bio_tags(4, &spans_of_tags(&tags)), ["O", "B-LOC", "B-PER", "I-PER"]);
/// ```
pub fn bio_tags(words: usize, spans: &[WordSpan]) -> Vec<String> {
    let mut tags = vec!["O".to_string(); words];
    for span in spans {
        for (i, tag) in tags.iter_mut().enumerate().take(span.words.end).skip(span.words.start) {
            let prefix = if i == span.words.start { "B" } else { "I" };
            *tag = format!("{prefix}-{}", span.kind);
        }
    }
    tags
}
