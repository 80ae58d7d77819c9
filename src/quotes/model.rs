//! The quote model: windows of a text in, spans of content, cue and source out, each with its probability.
//!
//! ```text
//! windows' logits ─merge→ a word's labels ─sides together→ roles ─viterbi→ spans ─linker→ attributions
//! ```

use super::linker::{Bias, Linker, Reading};
use super::tags::{Attribution, KINDS, Role, Side, labels};
use crate::document::Span;
use crate::encoder::{Encoder, Input, batches};
use crate::entities::{Decoder, merge};
use crate::error::{Error, Result};
use crate::text::segment;
use crate::tokens::{Tokens, Window};
use ndarray::Array2;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Tokens in one batch where the tagger itself calls the engine.
const BATCH_TOKENS: usize = 4096;

/// A text's words and where its paragraphs and sentences start: what model and linker read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Byte spans of the words, in order.
    pub spans: Vec<Span>,
    /// The paragraph of each word.
    pub paragraph: Vec<u32>,
    /// The sentence of each word, counted through the text.
    pub sentence: Vec<u32>,
    /// Byte offsets at which paragraphs start.
    pub breaks: Vec<usize>,
}

impl Words {
    /// Splits `text`.
    pub fn of(text: &str) -> Words {
        let mut words = Words { spans: Vec::new(), paragraph: Vec::new(), sentence: Vec::new(), breaks: Vec::new() };
        let mut sentences = 0;
        for (number, paragraph) in segment::paragraphs(text).into_iter().enumerate() {
            words.breaks.push(paragraph.start);
            for sentence in segment::sentences(text, paragraph) {
                words.spans.extend(segment::words(text, sentence));
                words.paragraph.resize(words.spans.len(), number as u32);
                words.sentence.resize(words.spans.len(), sentences);
                sentences += 1;
            }
        }
        words
    }

    /// From the first byte of the first of `range` to the last of the last.
    pub fn span(&self, range: &Range<usize>) -> Option<Span> {
        let inside = self.spans.get(range.clone())?;
        Some(Span::new(inside.first()?.start, inside.last()?.end))
    }
}

/// A stretch of words with a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it does.
    pub role: Role,
    /// Its words.
    pub words: Range<usize>,
    /// Mean probability of its role over its words.
    pub score: f32,
    /// Probability that its cue follows, given its role; one half for cues.
    pub before: f32,
}

/// An attribution that the model found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its spans.
    pub attribution: Attribution,
    /// The probability that its content is a quote with about these bounds.
    pub confidence: f32,
}

/// Finds attributions with one model; shared by all threads.
#[derive(Clone)]
pub struct QuoteTagger {
    tokens: Tokens,
    encoder: Arc<dyn Encoder>,
    linker: Arc<Linker>,
}

impl QuoteTagger {
    /// The model in `folder`, which `encoder` runs; windows are as long as those it was trained on.
    ///
    /// # Errors
    /// When the folder is not that of a quote model, or has no linker.
    pub fn from_folder(folder: &Path, encoder: Arc<dyn Encoder>) -> Result<QuoteTagger> {
        QuoteTagger::with_linker(folder, encoder, Linker::from_folder(folder)?)
    }

    /// As [`QuoteTagger::from_folder`], with a linker that is not the folder's: for a model whose linker is to be trained.
    ///
    /// # Errors
    /// When the folder is not that of a quote model.
    pub fn with_linker(folder: &Path, encoder: Arc<dyn Encoder>, linker: Linker) -> Result<QuoteTagger> {
        if encoder.labels() != labels() {
            return Err(Error::model("the labels are not those of a quote model").in_file(folder));
        }
        Ok(QuoteTagger { tokens: Tokens::from_folder(folder)?, encoder, linker: Arc::new(linker) })
    }

    /// The engine that runs the model.
    pub fn encoder(&self) -> &Arc<dyn Encoder> {
        &self.encoder
    }

    /// What the model reads of `text`.
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn windows(&self, text: &str, words: &Words) -> Result<Vec<Window>> {
        self.tokens.windows_with_breaks(text, &words.spans, &words.breaks)
    }

    /// The spans of content, cue and source, in order of position, from the logits of the text's windows.
    ///
    /// # Errors
    /// When logits and windows do not fit together, or a number is not finite.
    pub fn parts(words: &Words, windows: &[Window], logits: &[Array2<f32>], bias: &Bias) -> Result<Vec<Part>> {
        let votes = merge::merge(words.spans.len(), windows, logits, 1 + 2 * KINDS.len())?;
        let roles: Vec<Array2<f32>> = logits.iter().map(|l| roles_of(l, bias)).collect();
        let ends: Vec<usize> = words.breaks.iter().map(|b| words.spans.partition_point(|w| w.start < *b)).collect();
        let found = Decoder::new(&role_labels())?.scored_spans(words.spans.len(), windows, &roles, &ends)?;
        let part = |(span, score): (crate::entities::WordSpan, f32)| {
            let role = ROLES.iter().find(|(_, name)| *name == span.kind).map(|(role, _)| *role)?;
            let before = before(role, votes.get(span.words.clone()).unwrap_or_default());
            Some(Part { role, words: span.words, score, before })
        };
        Ok(found.into_iter().filter_map(part).collect())
    }

    /// The attributions of a text, in order of their first content, from the logits of its windows.
    ///
    /// # Errors
    /// As [`QuoteTagger::parts`].
    pub fn decode(&self, text: &str, words: &Words, windows: &[Window], logits: &[Array2<f32>]) -> Result<Vec<Found>> {
        let parts = Self::parts(words, windows, logits, &self.linker.bias)?;
        Ok(self.linker.link(&Reading { text, words, parts: &parts }))
    }

    /// The attributions of a text, computed at once.
    ///
    /// # Errors
    /// When the engine fails, and as [`QuoteTagger::decode`].
    pub fn find(&self, text: &str) -> Result<Vec<Found>> {
        let (words, windows, logits) = self.read(text)?;
        self.decode(text, &words, &windows, &logits)
    }

    /// The words of a text, what the model reads of it, and what it says.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn read(&self, text: &str) -> Result<(Words, Vec<Window>, Vec<Array2<f32>>)> {
        let words = Words::of(text);
        let windows = self.windows(text, &words)?;
        let inputs: Vec<Input> = windows.iter().map(|w| w.input.clone()).collect();
        let logits = batches::logits(self.encoder.as_ref(), &inputs, BATCH_TOKENS)?;
        Ok((words, windows, logits))
    }
}

const ROLES: [(Role, &str); 3] = [(Role::Content, "CONTENT"), (Role::Source, "SOURCE"), (Role::Cue, "CUE")];

/// The labels without sides.
fn role_labels() -> Vec<String> {
    let tags = ROLES.iter().flat_map(|(_, name)| [format!("B-{name}"), format!("I-{name}")]);
    std::iter::once("O".to_string()).chain(tags).collect()
}

/// The columns of the model's labels that make up each label without side.
const COLUMNS: [&[usize]; 7] = [&[0], &[1, 3], &[2, 4], &[5, 7], &[6, 8], &[9], &[10]];

/// Logits of roles: both sides of a role together, as probabilities add up, and the role's bias.
fn roles_of(logits: &Array2<f32>, bias: &Bias) -> Array2<f32> {
    let bias = [0.0, bias.content, bias.content, bias.source, bias.source, bias.cue, bias.cue];
    Array2::from_shape_fn((logits.nrows(), COLUMNS.len()), |(row, role)| {
        let columns = COLUMNS.get(role).copied().unwrap_or_default();
        let values = columns.iter().map(|c| logits.get((row, *c)).copied().unwrap_or(f32::NEG_INFINITY));
        log_sum(values) + bias.get(role).copied().unwrap_or(0.0)
    })
}

fn log_sum(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let top = values.clone().fold(f32::NEG_INFINITY, f32::max);
    if top.is_finite() { top + values.map(|v| (v - top).exp()).sum::<f32>().ln() } else { top }
}

/// The probability that the cue follows, from the words' log-probabilities of both sides.
fn before(role: Role, votes: &[Option<Vec<f32>>]) -> f32 {
    let mass = |side: Side| -> f32 {
        let Some(kind) = KINDS.iter().position(|k| *k == (role, Some(side))) else { return 0.5 };
        let of_word = |vote: &Vec<f32>| -> f32 {
            [1 + 2 * kind, 2 + 2 * kind].iter().filter_map(|l| vote.get(*l)).map(|p| p.exp()).sum()
        };
        votes.iter().flatten().map(of_word).sum()
    };
    let (before, after) = (mass(Side::Before), mass(Side::After));
    if before + after > 0.0 { before / (before + after) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_add_up_as_probabilities_do() {
        let mut logits = Array2::from_elem((1, 11), 0.0f32);
        logits[(0, 1)] = 1.0;
        let roles = roles_of(&logits, &Bias::default());
        let total: f32 = logits.iter().map(|l| l.exp()).sum();
        let again: f32 = roles.iter().map(|l| l.exp()).sum();
        assert!((total - again).abs() < 1e-4);
        assert!((roles[(0, 1)].exp() - (1f32.exp() + 1.0)).abs() < 1e-5);
    }

    #[test]
    fn the_side_is_that_of_the_words_together() {
        let vote = |b: f32, a: f32| {
            let mut vote = vec![-20.0; 11];
            (vote[2], vote[4]) = (b.ln(), a.ln());
            Some(vote)
        };
        assert!((before(Role::Content, &[vote(0.6, 0.2), None, vote(0.3, 0.1)]) - 0.75).abs() < 1e-4);
        assert_eq!(before(Role::Cue, &[]), 0.5);
    }

    #[test]
    fn words_know_paragraph_and_sentence() {
        let words = Words::of("One two. Three.\n\nFour.");
        assert_eq!(words.paragraph, [0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(words.sentence, [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(words.breaks, [0, 17]);
    }
}
