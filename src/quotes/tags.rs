//! The labels of the quote model: one a word, which says its role and on which side its cue stands.
//!
//! The side makes the tags joint: a part of content or a source says not only what it is but where it belongs, which
//! is most of what joining them to attributions needs. The two parts of a split quote lie on either side of one cue.

use crate::document::Span;

/// An attribution: what was said, by whom, and the words that say so. Spans in order; most sets hold one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// What was said.
    pub content: Vec<Span>,
    /// Who said it; empty where nobody is named.
    pub source: Vec<Span>,
    /// The words of saying.
    pub cue: Vec<Span>,
}

/// What a stretch of words does in an attribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What was said.
    Content,
    /// Who said it.
    Source,
    /// The words of saying.
    Cue,
}

/// Where a stretch stands relative to its cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Its cue follows.
    Before,
    /// Its cue precedes.
    After,
}

/// What a tag says of a stretch: its role, and its side unless it is a cue.
pub type Kind = (Role, Option<Side>);

/// The kinds in the order of their labels.
pub const KINDS: [Kind; 5] = [
    (Role::Content, Some(Side::Before)),
    (Role::Content, Some(Side::After)),
    (Role::Source, Some(Side::Before)),
    (Role::Source, Some(Side::After)),
    (Role::Cue, None),
];

/// The model's labels: `O`, then `B-` and `I-` of each of [`KINDS`].
///
/// ```
/// assert_eq!(detente::quotes::tags::labels()[..3], ["O", "B-CONTENT-BEFORE", "I-CONTENT-BEFORE"]);
/// ```
pub fn labels() -> Vec<String> {
    let tags = KINDS.iter().flat_map(|kind| ["B", "I"].map(|prefix| format!("{prefix}-{}", name(*kind))));
    std::iter::once("O".to_string()).chain(tags).collect()
}

fn name(kind: Kind) -> &'static str {
    match kind {
        (Role::Content, Some(Side::After)) => "CONTENT-AFTER",
        (Role::Content, _) => "CONTENT-BEFORE",
        (Role::Source, Some(Side::After)) => "SOURCE-AFTER",
        (Role::Source, _) => "SOURCE-BEFORE",
        (Role::Cue, _) => "CUE",
    }
}

/// The label of each word, as an index into [`labels`]. Where spans overlap, cues win over sources, sources over content.
pub fn tag_words(words: &[Span], attributions: &[Attribution]) -> Vec<usize> {
    let mut tags = vec![0; words.len()];
    for role in [Role::Content, Role::Source, Role::Cue] {
        for attribution in attributions {
            for (kind, span) in attribution.kinds().filter(|((r, _), _)| *r == role) {
                let at = KINDS.iter().position(|k| *k == kind).unwrap_or(0);
                for (i, word) in words_of(words, span).enumerate() {
                    if let Some(tag) = tags.get_mut(word) {
                        *tag = 1 + 2 * at + usize::from(i > 0);
                    }
                }
            }
        }
    }
    tags
}

/// Indices of the words that lie in `span` with more than half of their bytes.
pub fn words_of(words: &[Span], span: Span) -> std::ops::Range<usize> {
    let inside = |word: &Span| 2 * word.end.min(span.end).saturating_sub(word.start.max(span.start)) > word.len();
    let first = words.partition_point(|w| w.end <= span.start);
    let end = words.partition_point(|w| w.start < span.end);
    let from = words.get(first).map_or(first, |w| first + usize::from(!inside(w)));
    let to = end.checked_sub(1).and_then(|i| words.get(i)).map_or(end, |w| end - usize::from(!inside(w)));
    from..to.max(from)
}

impl Attribution {
    /// Its spans with what their tags say.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, Span)> + '_ {
        let cue = self.cue.first().map_or(0, |c| c.start);
        let side = move |span: &Span| Some(if span.start < cue { Side::Before } else { Side::After });
        let content = self.content.iter().map(move |s| ((Role::Content, side(s)), *s));
        let source = self.source.iter().map(move |s| ((Role::Source, side(s)), *s));
        content.chain(source).chain(self.cue.iter().map(|s| ((Role::Cue, None), *s)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::segment;

    fn tags(text: &str, attribution: &[(&str, Role)]) -> Vec<String> {
        let words = segment::words(text, Span::new(0, text.len()));
        let mut of = Attribution::default();
        for (surface, role) in attribution {
            let start = text.find(surface).unwrap();
            let span = Span::new(start, start + surface.len());
            match role {
                Role::Content => of.content.push(span),
                Role::Source => of.source.push(span),
                Role::Cue => of.cue.push(span),
            }
        }
        let names = labels();
        tag_words(&words, &[of]).into_iter().map(|t| names[t].clone()).collect()
    }

    #[test]
    fn a_split_quote_has_a_part_on_either_side() {
        let parts =
            [("We hope", Role::Content), ("for peace", Role::Content), ("Lee", Role::Source), ("said", Role::Cue)];
        let found = tags("\"We hope\", said Lee, \"for peace\".", &parts);
        let side = ["O", "B-CONTENT-BEFORE", "I-CONTENT-BEFORE", "O", "O", "B-CUE", "B-SOURCE-AFTER", "O", "O"];
        assert_eq!(found, [&side[..], &["B-CONTENT-AFTER", "I-CONTENT-AFTER", "O", "O"]].concat());
    }

    #[test]
    fn a_word_belongs_where_most_of_it_lies() {
        let words = [Span::new(0, 4), Span::new(5, 9), Span::new(10, 14)];
        assert_eq!(words_of(&words, Span::new(0, 7)), 0..1);
        assert_eq!(words_of(&words, Span::new(1, 8)), 0..2);
        assert!(words_of(&words, Span::new(4, 5)).is_empty());
        assert_eq!(words_of(&words, Span::new(6, 30)), 1..3);
        assert!(words_of(&[], Span::new(6, 30)).is_empty());
    }
}
