//! CoNLL columns: one token a line with its IOB2 tag, a blank line after each sentence, `-DOCSTART-` before each document.
//!
//! It holds names that do not overlap, nothing else, and no text: read back without the articles, tokens are joined by
//! spaces. See <https://www.clips.uantwerpen.be/conll2003/ner/>.

use super::labels;
use super::marks::{Marked, touched};
use super::notes::{Notes, Problem};
use super::place::{RawMark, Unplaced};
use super::read::{Source, text_of};
use crate::document::Span;
use crate::entities::{WordSpan, bio_tags, spans_of_tags};
use crate::error::Result;

/// The documents of a file: one from each `-DOCSTART-` line to the next, whose second column, where it is no part of the
/// CoNLL-2003 line, is the id.
///
/// # Errors
/// When the file cannot be read, or a token has no tag.
pub fn read(source: &Source, notes: &mut Notes) -> Result<Vec<Unplaced>> {
    let text = text_of(source.path)?;
    let mut documents = Vec::new();
    for (row, id, lines) in chapters(&text) {
        let number = documents.len() + 1;
        let id = id.map_or_else(|| format!("{}#{number}", source.name()), str::to_string);
        let sentences = match crate::io::conll::parse(&lines) {
            Ok(sentences) => sentences,
            Err(error) => {
                let line = error.line.map_or(row, |line| row + line - 1);
                notes.problems.push(Problem::from_error(source.path, &error).at(line).of(&id));
                continue;
            }
        };
        let mut document = Unplaced { id: id.clone(), row, ..Unplaced::default() };
        let article = source.article(&id);
        let mut words = Aligned { article, text: String::new(), at: 0 };
        for sentence in &sentences {
            let Some(spans) = sentence.words.iter().map(|word| words.place(word)).collect::<Option<Vec<Span>>>() else {
                let problem = Problem::new(source.path, "a token does not stand in the article where it should");
                notes.problems.push(Problem { expected: words.expected(&sentence.words), ..problem.at(row).of(&id) });
                break;
            };
            words.end_sentence();
            for span in spans_of_tags(&sentence.tags) {
                let of = spans.get(span.words).and_then(|s| Some((s.first()?.start, s.last()?.end)));
                document.marks.extend(of.map(|place| RawMark {
                    id: document.marks.len().to_string(),
                    label: span.kind,
                    parts: vec![place],
                    row,
                    ..RawMark::default()
                }));
            }
        }
        document.text = article.map_or(words.text, str::to_string);
        documents.push(document);
    }
    Ok(documents)
}

/// The lines of each document with the number of their first, and its id.
fn chapters(text: &str) -> Vec<(u64, Option<&str>, String)> {
    let mut found: Vec<(u64, Option<&str>, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.starts_with("-DOCSTART-") {
            let id = line.split('\t').nth(1).map(str::trim).filter(|id| !matches!(*id, "" | "O" | "-X-"));
            found.push((number + 1, id, String::new()));
        } else {
            if found.is_empty() {
                found.push((number, None, String::new()));
            }
            found.last_mut().into_iter().for_each(|(.., lines)| *lines += &format!("{line}\n"));
        }
    }
    found.retain(|(_, id, lines)| id.is_some() || !lines.trim().is_empty());
    found
}

/// Tokens in the article, or the text that they make.
struct Aligned<'a> {
    article: Option<&'a str>,
    text: String,
    /// Where the next token is looked for in the article.
    at: usize,
}

impl Aligned<'_> {
    /// Where a token stands: next in the article after white space, or at the end of the text that grows.
    fn place(&mut self, word: &str) -> Option<Span> {
        let Some(article) = self.article else {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push(' ');
            }
            let start = self.text.len();
            self.text += word;
            return Some(Span::new(start, self.text.len()));
        };
        let rest = article.get(self.at..)?.trim_start();
        let start = article.len() - rest.len();
        let span = Span::new(start, start + word.len());
        self.at = rest.starts_with(word).then_some(span.end)?;
        Some(span)
    }

    fn end_sentence(&mut self) {
        if self.article.is_none() {
            self.text.push('\n');
        }
    }

    /// The first token that is not next in the article.
    fn expected(&mut self, words: &[String]) -> Option<String> {
        words.iter().find(|word| self.place(word).is_none()).cloned()
    }
}

/// The names of `documents`, one token a line.
pub fn write(documents: &[Marked], notes: &mut Notes) -> Vec<u8> {
    let mut lines = String::new();
    for document in documents {
        let mut document = document.clone();
        labels::lose_scores(&mut document, "CoNLL", notes);
        labels::lose_metadata(&mut document, "CoNLL", notes);
        keep_names(&mut document, notes);
        if document.id.contains(char::is_whitespace) {
            notes.leave_out("CoNLL cannot hold white space in an id", &document.id);
        }
        let id: String = document.id.split_whitespace().collect::<Vec<_>>().join("_");
        lines += &format!("-DOCSTART-\t{id}\tO\n\n");
        let sentences = document.words();
        for mark in &document.marks {
            if !sentences.iter().any(|words| holds(words, mark.extent())) {
                notes.leave_out(
                    "CoNLL cannot hold a name over several sentences, or white space at its edges",
                    &document.id,
                );
            }
        }
        for words in sentences {
            let spans = document
                .marks
                .iter()
                .map(|mark| WordSpan { words: touched(&words, mark.extent()), kind: mark.label.clone() });
            let spans: Vec<WordSpan> = spans.filter(|span| !span.words.is_empty()).collect();
            for (word, tag) in words.iter().zip(bio_tags(words.len(), &spans)) {
                lines += &format!("{}\t{tag}\n", word.of(&document.text));
            }
            lines.push('\n');
        }
    }
    lines.into_bytes()
}

/// Whether a span begins and ends with words of this sentence.
fn holds(words: &[Span], span: Span) -> bool {
    words.get(touched(words, span)).and_then(|w| Some(Span::new(w.first()?.start, w.last()?.end))) == Some(span)
}

/// Leaves names that do not overlap; of two that do, the longer.
fn keep_names(document: &mut Marked, notes: &mut Notes) {
    let id = document.id.clone();
    let mut names = Vec::new();
    for mark in document.marks.drain(..) {
        if labels::is_name(&mark.label) {
            names.push(mark);
        } else {
            notes.leave_out(format!("CoNLL cannot hold a {}", mark.label), &id);
        }
    }
    document.links.clear();
    names.sort_by_key(|mark| (std::cmp::Reverse(mark.extent().len()), mark.extent().start));
    for mark in names {
        let spaced = mark.label.contains(char::is_whitespace);
        if spaced || document.marks.iter().any(|kept| kept.extent().overlaps(mark.extent())) {
            let why = if spaced { "a type with white space" } else { "a name that overlaps with a longer one" };
            notes.leave_out(format!("CoNLL cannot hold {why}"), &id);
        } else {
            document.marks.push(mark);
        }
    }
    document.marks.sort_by_key(super::marks::Mark::extent);
}
