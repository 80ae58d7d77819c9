//! A document as annotation tools see it: labelled stretches of text, with attributes, and links between them.

use crate::document::Span;
use indexmap::IndexMap;

/// An annotated document; all spans are byte spans of `text`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marked {
    /// The document's id.
    pub id: String,
    /// Path or address.
    pub source: Option<String>,
    /// Title, as given.
    pub title: Option<String>,
    /// Date, as given.
    pub date: Option<String>,
    /// The text that all spans point into.
    pub text: String,
    /// The labelled stretches.
    pub marks: Vec<Mark>,
    /// What joins them.
    pub links: Vec<Link>,
    /// Whether a model made them, and no person has looked at them.
    pub predicted: bool,
}

/// A labelled stretch of text, in several parts where it is discontinuous.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mark {
    /// The label, for instance `PER` or `quote`.
    pub label: String,
    /// Byte spans of the text, in order, at least one.
    pub parts: Vec<Span>,
    /// Name and value, for instance `kind` and `direct`.
    pub attributes: IndexMap<String, String>,
    /// How sure the model is that made it.
    pub score: Option<f64>,
}

/// A directed, labelled link between two marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the second is to the first, for instance `cue`.
    pub role: String,
    /// Index of the first mark.
    pub from: usize,
    /// Index of the second.
    pub to: usize,
}

impl Mark {
    /// A mark with nothing but its label and where it stands.
    pub fn new(label: impl Into<String>, parts: Vec<Span>) -> Self {
        Mark { label: label.into(), parts, ..Mark::default() }
    }

    /// From the start of the first part to the end of the last.
    pub fn extent(&self) -> Span {
        let start = self.parts.first().map_or(0, |part| part.start);
        Span::new(start, self.parts.last().map_or(start, |part| part.end))
    }

    /// The words of all parts, joined by one space.
    pub fn surface(&self, text: &str) -> String {
        self.parts.iter().map(|part| part.of(text)).collect::<Vec<_>>().join(" ")
    }
}

impl Marked {
    /// The same document for tools whose marks have one part: each further part is a mark `label` of its own, linked
    /// from the first with the role `label`.
    pub fn contiguous(&self, label: &str) -> Marked {
        let mut whole = self.clone();
        for from in 0..self.marks.len() {
            let rest = match whole.marks.get_mut(from) {
                Some(mark) if mark.parts.len() > 1 => mark.parts.split_off(1),
                _ => continue,
            };
            for part in rest {
                whole.links.push(Link { role: label.into(), from, to: whole.marks.len() });
                whole.marks.push(Mark::new(label, vec![part]));
            }
        }
        whole
    }

    /// The words of the document in sentences, none of which runs over the edge of a mark.
    ///
    /// White space is in no word; words of all sentences together hold everything else.
    pub fn words(&self) -> Vec<Vec<Span>> {
        use crate::text::segment::{paragraphs, sentences, words};
        let mut edges: Vec<usize> =
            self.marks.iter().flat_map(|mark| &mark.parts).flat_map(|part| [part.start, part.end]).collect();
        edges.sort_unstable();
        let cut = |word: Span| {
            let inside =
                edges.partition_point(|edge| *edge <= word.start)..edges.partition_point(|edge| *edge < word.end);
            let mut bounds: Vec<usize> = edges.get(inside).unwrap_or_default().to_vec();
            bounds.dedup();
            let starts = std::iter::once(word.start).chain(bounds.clone());
            starts
                .zip(bounds.into_iter().chain([word.end]))
                .map(|(start, end)| Span::new(start, end))
                .collect::<Vec<_>>()
        };
        let of_sentence = |sentence: Span| words(&self.text, sentence).into_iter().flat_map(cut).collect::<Vec<_>>();
        let all = paragraphs(&self.text).into_iter().flat_map(|paragraph| sentences(&self.text, paragraph));
        all.map(of_sentence).filter(|words| !words.is_empty()).collect()
    }
}

/// The indexes of the words that a span touches, among words in order.
pub fn touched(words: &[Span], span: Span) -> std::ops::Range<usize> {
    let start = words.partition_point(|word| word.end <= span.start);
    let end = words.partition_point(|word| word.start < span.end);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_marks_end() {
        let mark = |start, end| Mark::new("X", vec![Span::new(start, end)]);
        let document =
            Marked { text: "Nordianland won.\n\nYes".into(), marks: vec![mark(0, 6), mark(0, 7)], ..Marked::default() };
        let words: Vec<Vec<&str>> = document
            .words()
            .iter()
            .map(|sentence| sentence.iter().map(|word| word.of(&document.text)).collect())
            .collect();
        assert_eq!(words, [vec!["Nordia", "n", "land", "won", "."], vec!["Yes"]]);
    }

    #[test]
    fn further_parts_become_linked_marks() {
        let quote = Mark::new("quote", vec![Span::new(0, 2), Span::new(4, 6)]);
        let whole =
            Marked { text: "aa bb cc".into(), marks: vec![quote], ..Marked::default() }.contiguous("quote-part");
        assert_eq!(whole.marks.len(), 2);
        assert_eq!(whole.links, [Link { role: "quote-part".into(), from: 0, to: 1 }]);
    }
}
