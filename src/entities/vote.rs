//! One vote a word: the distribution of its first piece.
//!
//! Models for token classification are trained on the first piece of each word and on nothing else, so the other
//! pieces' logits mean nothing; averaging them in would add noise.

use crate::error::{Error, Result};
use crate::tokens::Window;
use ndarray::{Array2, ArrayView1};

/// Log-probabilities of the labels of each word that has a piece in the window, in order.
///
/// # Errors
/// When the logits are not `[tokens × labels]` finite numbers.
pub fn votes(window: &Window, logits: &Array2<f32>, labels: usize) -> Result<Vec<(usize, Vec<f32>)>> {
    if logits.dim() != (window.word_of.len(), labels) {
        return Err(Error::document(format!(
            "the entity model gave {:?} numbers for {} tokens and {labels} labels",
            logits.dim(),
            window.word_of.len()
        )));
    }
    let mut votes: Vec<(usize, Vec<f32>)> = Vec::new();
    for (word, row) in window.word_of.iter().zip(logits.rows()) {
        let Some(word) = word.map(|w| w as usize) else { continue };
        if votes.last().is_none_or(|(last, _)| *last != word) {
            votes.push((word, log_softmax(row)?));
        }
    }
    Ok(votes)
}

fn log_softmax(logits: ArrayView1<f32>) -> Result<Vec<f32>> {
    if logits.iter().any(|l| !l.is_finite()) {
        return Err(Error::document("the entity model gave a number that is not finite"));
    }
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|l| (l - max).exp()).sum();
    Ok(logits.iter().map(|l| l - max - sum.ln()).collect())
}
