//! Overlapping windows merged by centre: a word's distribution comes from the window in which it stands furthest from
//! an edge behind which there is more text, where the model sees most of its surroundings.

use crate::entities::vote::votes;
use crate::error::{Error, Result};
use crate::tokens::Window;
use ndarray::Array2;

/// Log-probabilities of the labels of each of `words` words; none for words without a piece.
///
/// # Errors
/// When the logits do not fit the windows, or a window the words.
pub fn merge(words: usize, windows: &[Window], logits: &[Array2<f32>], labels: usize) -> Result<Vec<Option<Vec<f32>>>> {
    if windows.len() != logits.len() {
        return Err(Error::document(format!("{} windows, but logits of {}", windows.len(), logits.len())));
    }
    let mut best: Vec<Option<(usize, Vec<f32>)>> = vec![None; words];
    for (window, logits) in windows.iter().zip(logits) {
        for (word, vote) in votes(window, logits, labels)? {
            let depth = depth(window, word, words);
            let best = best.get_mut(word).ok_or_else(|| Error::document("a window of another text"))?;
            if best.as_ref().is_none_or(|(so_far, _)| depth > *so_far) {
                *best = Some((depth, vote));
            }
        }
    }
    Ok(best.into_iter().map(|best| best.map(|(_, vote)| vote)).collect())
}

/// Words between `word` and the nearer edge of its window; the ends of the text are no edges.
fn depth(window: &Window, word: usize, words: usize) -> usize {
    let left = if window.first_word == 0 { usize::MAX } else { word.saturating_sub(window.first_word) };
    let right = if window.last_word + 1 >= words { usize::MAX } else { window.last_word.saturating_sub(word) };
    left.min(right)
}
