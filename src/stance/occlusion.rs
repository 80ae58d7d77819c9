//! Which words of a quote and of its surroundings drive its stance: occlusion.
//!
//! Each word is left out in turn, and the model reads what remains (Zeiler and Fergus 2014, section 4.2; for words Li, Monroe
//! and Jurafsky 2016, "Understanding Neural Networks through Representation Erasure"). It needs nothing of the engine but
//! answers, so it works with every [`Encoder`](crate::encoder::Encoder). Words that only work together are underrated: each is
//! missed alone.

use super::{StanceReader, StanceText};
use crate::document::{Stance, StanceLabel};
use crate::error::{Error, Result};
use crate::pipeline::encode;
use crate::tokens::PairInput;
use rayon::prelude::*;
use serde::Serialize;

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Before the quote.
    Left,
    /// In it.
    Quote,
    /// After it.
    Right,
}

/// What one word does to the probability of a label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Influence {
    /// Where the word stands.
    #[serde(rename = "in")]
    pub part: Part,
    /// The word, with the punctuation that touches it.
    pub word: String,
    /// The label's probability with all words less that without this one: positive where the word speaks for the label. None
    /// where the text is so long that the word was not tried.
    pub change: Option<f64>,
}

/// So many words of a text are tried, from its start; longer texts are read in part anyway.
const TRIED: usize = 400;

/// Texts worked on at once: their inputs are in memory together.
const AT_ONCE: usize = 16;

/// For each text and label, how each word of the text moves the probability of the label, in the order of the text.
///
/// `batch_tokens` is how many tokens the engine reads at once. The words are what white space separates; the speaker, where
/// [`StanceText::pair`] adds one, counts as words of the left side.
///
/// # Errors
/// For each text by itself, when the tokenizer or the engine fails.
pub fn influences(
    reader: &StanceReader,
    asked: &[(StanceText, StanceLabel)],
    batch_tokens: usize,
) -> Vec<Result<Vec<Influence>>> {
    asked.chunks(AT_ONCE).flat_map(|chunk| of_chunk(reader, chunk, batch_tokens)).collect()
}

fn of_chunk(
    reader: &StanceReader,
    asked: &[(StanceText, StanceLabel)],
    batch_tokens: usize,
) -> Vec<Result<Vec<Influence>>> {
    let occluded: Vec<Result<(Vec<Influence>, Vec<PairInput>)>> =
        asked.par_iter().map(|(text, _)| inputs(reader, words(text))).collect();
    let all = occluded.iter().flatten().flat_map(|(_, inputs)| inputs).map(|pair| &pair.input).collect();
    let mut logits = encode::logits(reader.encoder().as_ref(), all, batch_tokens).into_iter();
    let answered = occluded.into_iter().zip(asked).map(|(occluded, (_, label))| {
        let (words, inputs) = occluded?;
        // All of them are taken, also past an error: the next text's follow.
        let own: Vec<_> = logits.by_ref().take(inputs.len()).collect();
        let read = own.into_iter().map(|logits| Ok(probability(&reader.stance(&logits?)?, *label)));
        compared(words, read.collect::<Result<_>>()?)
    });
    answered.collect()
}

/// The words as the model is given them, with no change known yet.
fn words(text: &StanceText) -> Vec<Influence> {
    let (quote, context) = text.pair();
    let context: Vec<&str> = context.split_whitespace().collect();
    // The context is the left side, the marker that stands for the quote, and the right side.
    let after = text.right.split_whitespace().count();
    let marker = context.len().saturating_sub(after + 1);
    let word = |part| move |word: &str| Influence { part, word: word.to_string(), change: None };
    let left = context.iter().take(marker).copied().map(word(Part::Left));
    let right = context.iter().skip(marker + 1).copied().map(word(Part::Right));
    left.chain(quote.split_whitespace().map(word(Part::Quote))).chain(right).collect()
}

/// The words, and the inputs with all of them, then without each that is tried.
fn inputs(reader: &StanceReader, words: Vec<Influence>) -> Result<(Vec<Influence>, Vec<PairInput>)> {
    let without = |missing: Option<usize>| {
        let side = |part: Part| {
            let kept = words.iter().enumerate().filter(|(at, word)| word.part == part && Some(*at) != missing);
            kept.map(|(_, word)| word.word.as_str()).collect::<Vec<_>>().join(" ")
        };
        let (left, quote, right) = (side(Part::Left), side(Part::Quote), side(Part::Right));
        reader.input(&StanceText { quote: &quote, left: &left, right: &right, speaker: None })
    };
    let tried = (0..words.len().min(TRIED)).map(Some);
    let inputs = std::iter::once(None).chain(tried).map(without).collect::<Result<_>>()?;
    Ok((words, inputs))
}

fn probability(stance: &Stance, label: StanceLabel) -> f64 {
    f64::from(match label {
        StanceLabel::Conciliatory => stance.conciliatory,
        StanceLabel::Firm => stance.firm,
        StanceLabel::Neutral => stance.neutral,
    })
}

fn compared(mut words: Vec<Influence>, probabilities: Vec<f64>) -> Result<Vec<Influence>> {
    let (whole, without) =
        probabilities.split_first().ok_or_else(|| Error::model("the engine gave no answer for a text"))?;
    words.iter_mut().zip(without).for_each(|(word, without)| word.change = Some(whole - without));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_the_model_is_given() {
        let text =
            StanceText {
                quote: " Never,\n never", left: "[Talks …]", right: "… he said", speaker: Some("Ana Ruiz")
            };
        let words = words(&text);
        let of = |part| words.iter().filter(|w| w.part == part).map(|w| w.word.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(of(Part::Left), "[Talks …] Ana Ruiz said:");
        assert_eq!(of(Part::Quote), "Never, never");
        assert_eq!(of(Part::Right), "… he said");
    }
}
