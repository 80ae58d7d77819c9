//! An entity model with its tokenizer: text or words in, entities out.

use crate::document::{Entity, Span};
use crate::encoder::{Encoder, Input, batches};
use crate::entities::merge;
use crate::entities::spans::{WordSpan, bio_tags, spans};
use crate::entities::tags::{LabelSet, Scheme, Tag};
use crate::entities::viterbi::Viterbi;
use crate::error::{Error, Result};
use crate::tokens::{Tokens, Window, WordWindows, join_words};
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// Tokens in one batch where the tagger itself calls the engine.
const BATCH_TOKENS: usize = 4096;

/// A sentence of words with a tag each, as CoNLL files give them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaggedSentence {
    /// The words.
    pub words: Vec<String>,
    /// Their tags.
    pub tags: Vec<String>,
}

/// Turns logits of windows into entities: one vote a word (its first piece), overlapping windows merged by centre, the
/// likeliest valid sequence of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoder {
    labels: LabelSet,
}

impl Decoder {
    /// A decoder for a model with these labels, in the order of its logits; the scheme is told from them.
    ///
    /// # Errors
    /// When there is no label.
    pub fn new(labels: &[String]) -> Result<Decoder> {
        Ok(Decoder { labels: LabelSet::new(labels, None)? })
    }

    /// A decoder for labels of a known scheme, where the names alone mislead: some models have `B-` labels, but use
    /// them as IOB1 does.
    ///
    /// # Errors
    /// When there is no label.
    pub fn with_scheme(labels: &[String], scheme: Scheme) -> Result<Decoder> {
        Ok(Decoder { labels: LabelSet::new(labels, Some(scheme))? })
    }

    /// The entities among `words` words, of which `windows` were read with these `logits` (`[tokens × labels]` each).
    ///
    /// # Errors
    /// When logits and windows do not fit together, or a number is not finite.
    pub fn word_spans(&self, words: usize, windows: &[Window], logits: &[Array2<f32>]) -> Result<Vec<WordSpan>> {
        let scored = self.scored_spans(words, windows, logits, &[])?;
        Ok(scored.into_iter().map(|(span, _)| span).collect())
    }

    /// As [`Decoder::word_spans`], each with its score: the mean over its words of the probability of its type, at
    /// whatever position. No entity runs across the words `ends` (in order), at which paragraphs or sentences start.
    ///
    /// # Errors
    /// As [`Decoder::word_spans`].
    pub fn scored_spans(
        &self,
        words: usize,
        windows: &[Window],
        logits: &[Array2<f32>],
        ends: &[usize],
    ) -> Result<Vec<(WordSpan, f32)>> {
        let votes = merge::merge(words, windows, logits, self.labels.labels().len())?;
        let viterbi = Viterbi::new(&self.labels);
        let tags = self.labels.tags();
        let mut found = Vec::new();
        for range in stretches(words, ends) {
            let votes = votes.get(range.clone()).unwrap_or_default();
            let path = viterbi.decode(votes).into_iter().filter_map(|label| tags.get(label).copied());
            for mut span in spans(path) {
                let score = score(&span, &tags, votes);
                span.words = span.words.start + range.start..span.words.end + range.start;
                found.push((span, score));
            }
        }
        Ok(found)
    }
}

/// The stretches of words between `ends`.
fn stretches(words: usize, ends: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    let ends = ends.iter().copied().chain([words]).filter(|end| *end <= words);
    let stretch = |end: usize| (start < end).then(|| std::mem::replace(&mut start, end)..end);
    ends.filter_map(stretch).collect()
}

/// Mean over the span's words of the probability of its type.
fn score(span: &WordSpan, tags: &[Tag], votes: &[Option<Vec<f32>>]) -> f32 {
    let of_kind = |vote: &Vec<f32>| {
        let parts = tags.iter().zip(vote).filter(|(tag, _)| tag.kind() == Some(&span.kind));
        parts.map(|(_, log)| log.exp()).sum::<f32>().min(1.0)
    };
    let votes = votes.get(span.words.clone()).unwrap_or_default();
    votes.iter().flatten().map(of_kind).sum::<f32>() / votes.len().max(1) as f32
}

/// Finds named entities with one model; shared by all threads.
///
/// ```no_run
/// use detente::encoder::Encoder;
/// use detente::entities::EntityTagger;
/// use detente::text::segment::{paragraphs, words};
/// use detente::tokens::Tokens;
/// # fn main() -> detente::error::Result<()> {
/// # let encoder: std::sync::Arc<dyn Encoder> = todo!();
/// let tagger = EntityTagger::new(Tokens::from_folder("models/entities".as_ref())?, encoder)?;
/// let text = "Ana Ruiz met envoys of Vantia in Port Lavel.";
/// let words: Vec<_> = paragraphs(text).into_iter().flat_map(|p| words(text, p)).collect();
/// let windows = tagger.windows(text, &words)?;
/// let inputs: Vec<_> = windows.iter().map(|w| w.input.clone()).collect();
/// for entity in tagger.decode(&words, &windows, &tagger.encoder().logits(&inputs)?)? {
///     println!("{} {}", entity.kind, entity.span.of(text));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct EntityTagger {
    tokens: Tokens,
    encoder: Arc<dyn Encoder>,
    decoder: Decoder,
}

impl EntityTagger {
    /// A tagger of the model that `encoder` runs, with that model's tokenizer.
    ///
    /// # Errors
    /// When the model has no labels, or the tokenizer's windows are longer than it can read.
    pub fn new(tokens: Tokens, encoder: Arc<dyn Encoder>) -> Result<EntityTagger> {
        if tokens.max_tokens() > encoder.max_tokens() {
            return Err(Error::model(format!(
                "windows of {} tokens are longer than the model's limit of {}",
                tokens.max_tokens(),
                encoder.max_tokens()
            )));
        }
        Ok(EntityTagger { decoder: Decoder::new(encoder.labels())?, tokens, encoder })
    }

    /// The decoder alone, for logits that come from elsewhere.
    ///
    /// # Errors
    /// When there is no label.
    pub fn decoder(labels: &[String]) -> Result<Decoder> {
        Decoder::new(labels)
    }

    /// The engine that runs the model.
    pub fn encoder(&self) -> &Arc<dyn Encoder> {
        &self.encoder
    }

    /// What the model reads of `text`, whose words stand at `words`.
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn windows(&self, text: &str, words: &[Span]) -> Result<Vec<Window>> {
        self.tokens.windows(text, words)
    }

    /// As [`EntityTagger::windows`], ending at sentences where possible.
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn windows_with_breaks(&self, text: &str, words: &[Span], breaks: &[usize]) -> Result<Vec<Window>> {
        self.tokens.windows_with_breaks(text, words, breaks)
    }

    /// The entities of a text from the logits of its windows, in order of position.
    ///
    /// # Errors
    /// When logits and windows do not fit together, or a number is not finite.
    pub fn decode(&self, words: &[Span], windows: &[Window], logits: &[Array2<f32>]) -> Result<Vec<Entity>> {
        self.decode_with_breaks(words, windows, logits, &[])
    }

    /// As [`EntityTagger::decode`]; no entity runs across the byte offsets `breaks` (in order), where paragraphs start.
    ///
    /// # Errors
    /// As [`EntityTagger::decode`].
    pub fn decode_with_breaks(
        &self,
        words: &[Span],
        windows: &[Window],
        logits: &[Array2<f32>],
        breaks: &[usize],
    ) -> Result<Vec<Entity>> {
        let ends: Vec<usize> = breaks.iter().map(|b| words.partition_point(|w| w.start < *b)).collect();
        let spans = self.decoder.scored_spans(words.len(), windows, logits, &ends)?;
        Ok(spans.into_iter().filter_map(|(span, score)| entity(words, span, score)).collect())
    }

    /// What the model reads of sentences that are split into words; see [`SentenceWindows::inputs`].
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn sentence_windows<S: AsRef<str>>(&self, sentences: &[Vec<S>]) -> Result<SentenceWindows> {
        let words: Vec<&str> = sentences.iter().flatten().map(AsRef::as_ref).collect();
        let (text, spans) = join_words(&words);
        let mut ends = vec![0];
        ends.extend(sentences.iter().scan(0, |end, sentence| {
            *end += sentence.len();
            Some(*end)
        }));
        let breaks: Vec<usize> = ends.iter().filter_map(|end| spans.get(*end)).map(|span| span.start).collect();
        let windows = self.tokens.windows_with_breaks(&text, &spans, &breaks)?;
        Ok(SentenceWindows { words: WordWindows { text, spans, windows }, ends })
    }

    /// BIO tags of the sentences from the logits of their windows.
    ///
    /// # Errors
    /// As [`EntityTagger::decode`].
    pub fn decode_sentences(&self, read: &SentenceWindows, logits: &[Array2<f32>]) -> Result<Vec<Vec<String>>> {
        let words = read.words.spans.len();
        let spans = self.decoder.scored_spans(words, &read.words.windows, logits, &read.ends)?;
        let spans: Vec<WordSpan> = spans.into_iter().map(|(span, _)| span).collect();
        let tags = bio_tags(words, &spans);
        Ok(read.ends.windows(2).map(|pair| tags.get(pair[0]..pair[1]).unwrap_or_default().to_vec()).collect())
    }

    /// BIO tags of sentences that are split into words; each sentence is read with its neighbours, as far as a window
    /// goes, but no entity runs across a sentence's end.
    ///
    /// # Errors
    /// When the tokenizer or the engine fails.
    pub fn tag_sentences<S: AsRef<str>>(&self, sentences: &[Vec<S>]) -> Result<Vec<Vec<String>>> {
        let read = self.sentence_windows(sentences)?;
        let logits = batches::logits(self.encoder.as_ref(), &read.inputs(), BATCH_TOKENS)?;
        self.decode_sentences(&read, &logits)
    }

    /// BIO tags of one sentence.
    ///
    /// # Errors
    /// As [`EntityTagger::tag_sentences`].
    pub fn tag_words<S: AsRef<str>>(&self, words: &[S]) -> Result<Vec<String>> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        Ok(self.tag_sentences(&[words])?.into_iter().next().unwrap_or_default())
    }
}

/// Windows over split sentences, and where each sentence ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentenceWindows {
    /// All words, joined, with their windows.
    pub words: WordWindows,
    /// Index of the first word of each sentence, and at last the number of words.
    pub ends: Vec<usize>,
}

impl SentenceWindows {
    /// What the model reads, one input a window.
    pub fn inputs(&self) -> Vec<Input> {
        self.words.windows.iter().map(|window| window.input.clone()).collect()
    }
}

/// From the first byte of a span's first word to the last byte of its last.
fn entity(words: &[Span], span: WordSpan, score: f32) -> Option<Entity> {
    let first = words.get(span.words.start)?;
    let last = words.get(span.words.end.checked_sub(1)?)?;
    Some(Entity { span: Span::new(first.start, last.end), kind: span.kind, score })
}
