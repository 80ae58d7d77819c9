//! The reporter's own words: an article as a row of words and quotes, with the ends of its sentences.

use super::marks::Marked;
use crate::document::Span;
use crate::text::segment::{sentences, words};

/// What separates an item from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// Nothing: the sentence goes on.
    None,
    /// A quote that ends like a sentence, then a capital letter: the sentence may go on (`"Why?" Lee asked.`).
    Soft,
    /// The end of a sentence.
    Sentence,
    /// The end of a paragraph.
    Paragraph,
}

/// A word of the reporter's, or a quote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Where it stands; of a quote, with its marks.
    pub span: Span,
    /// Index of the quote, if it is one.
    pub quote: Option<usize>,
    /// What ends before it.
    pub before: Break,
}

/// An article as a row of items.
pub(super) struct Article<'a> {
    /// The text all spans point into.
    pub text: &'a str,
    /// Its paragraphs in order.
    pub paragraphs: &'a [Span],
    /// Words and quotes in order.
    pub items: Vec<Item>,
}

impl<'a> Article<'a> {
    /// Reads `text`, whose quotes are `marked`.
    pub fn new(text: &'a str, paragraphs: &'a [Span], marked: &[Marked]) -> Self {
        let mut outer: Vec<(Span, usize)> =
            marked.iter().enumerate().flat_map(|(i, m)| m.outer.iter().map(move |span| (*span, i))).collect();
        outer.sort_by_key(|(span, _)| span.start);
        let mut article = Article { text, paragraphs, items: Vec::new() };
        let mut rest = outer.as_slice();
        for paragraph in paragraphs {
            let inside = rest.partition_point(|(span, _)| span.start < paragraph.end);
            let (here, later) = rest.split_at(inside);
            article.push_paragraph(*paragraph, here);
            rest = later;
        }
        article
    }

    fn push_paragraph(&mut self, paragraph: Span, quotes: &[(Span, usize)]) {
        let first = self.items.len();
        let mut start = paragraph.start;
        for (span, index) in quotes {
            self.push_words(Span::new(start, span.start));
            self.items.push(Item { span: *span, quote: Some(*index), before: Break::None });
            start = span.end;
        }
        self.push_words(Span::new(start, paragraph.end));
        self.set_breaks(paragraph, quotes, first);
    }

    fn push_words(&mut self, span: Span) {
        let found = words(self.text, span);
        self.items.extend(found.into_iter().map(|span| Item { span, quote: None, before: Break::None }));
    }

    fn set_breaks(&mut self, paragraph: Span, quotes: &[(Span, usize)], first: usize) {
        let mut at = first;
        let mut next_quote = quotes.iter().peekable();
        for sentence in sentences(self.text, paragraph) {
            while next_quote.next_if(|(span, _)| span.end <= sentence.start).is_some() {}
            if next_quote.peek().is_some_and(|(span, _)| span.start < sentence.start) {
                continue;
            }
            while self.items.get(at).is_some_and(|item| item.span.start < sentence.start) {
                at += 1;
            }
            let after_quote = at > first && self.items.get(at - 1).is_some_and(|item| item.quote.is_some());
            if let Some(item) = self.items.get_mut(at) {
                item.before = if after_quote { Break::Soft } else { Break::Sentence };
            }
        }
        if let Some(item) = self.items.get_mut(first) {
            item.before = Break::Paragraph;
        }
    }

    /// The surface of item `i`; empty past the end and for quotes.
    pub fn word(&self, i: usize) -> &'a str {
        match self.items.get(i) {
            Some(item) if item.quote.is_none() => item.span.of(self.text),
            _ => "",
        }
    }

    /// The surface of the item before item `i`.
    pub fn word_before(&self, i: usize) -> &'a str {
        i.checked_sub(1).map_or("", |before| self.word(before))
    }

    /// The surface in lower case.
    pub fn lower(&self, i: usize) -> String {
        self.word(i).to_lowercase()
    }

    /// What ends before item `i`; past the end, the paragraph.
    pub fn before(&self, i: usize) -> Break {
        self.items.get(i).map_or(Break::Paragraph, |item| item.before)
    }

    /// The quote that item `i` is.
    pub fn quote(&self, i: usize) -> Option<usize> {
        self.items.get(i).and_then(|item| item.quote)
    }

    /// From the first byte of item `start` to the last of item `end - 1`.
    pub fn span(&self, start: usize, end: usize) -> Span {
        let from = self.items.get(start).map_or(0, |item| item.span.start);
        Span::new(from, end.checked_sub(1).and_then(|i| self.items.get(i)).map_or(from, |item| item.span.end))
    }

    /// Whether item `i` is a word that begins with a capital letter.
    pub fn is_capital(&self, i: usize) -> bool {
        self.word(i).starts_with(char::is_uppercase)
    }

    /// Whether item `i` begins a sentence: nothing of the reporter's stands before it there.
    pub fn begins_sentence(&self, i: usize) -> bool {
        self.before(i) >= Break::Soft || matches!(self.word_before(i), ":" | "—" | "–" | "--" | "/")
    }
}
