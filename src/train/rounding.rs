//! What storing the weights as f16 costs: the same inputs through the exact and through the stored weights.

use super::Example;
use super::classes::likeliest;
use super::config::Training;
use super::optimizer::AdamW;
use crate::encoder::rust_bert::{EngineOptions, RustBert};
use crate::encoder::{Input, batches};
use crate::error::Result;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Inputs that are compared: enough for a maximum that no longer moves, few enough to cost seconds.
const INPUTS: usize = 128;
const BATCH_TOKENS: usize = 2048;

/// How far the logits of the stored f16 weights are from those of the exact f32 weights, both computed in f32.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rounding {
    /// Inputs compared.
    pub inputs: usize,
    /// Rows of logits compared: tokens, or inputs for sequence classification.
    pub rows: usize,
    /// Largest difference of a logit.
    pub largest_difference: f64,
    /// Rows whose most probable label is the same.
    pub same_label: usize,
}

/// Compares the averaged weights that `optimizer` holds with the model stored in `settings.output`.
///
/// # Errors
/// When the stored model cannot be read.
pub(crate) fn measure(
    optimizer: &AdamW,
    settings: &Training,
    config: &serde_json::Value,
    examples: &[Example],
) -> Result<Rounding> {
    let exact = RustBert::for_training(&settings.base, config.clone(), settings.device)?;
    optimizer.copy_average(exact.parameters());
    let options = EngineOptions { device: settings.device, ..Default::default() };
    let stored = RustBert::load(&settings.output, &options)?;
    let inputs: Vec<Input> = examples.iter().take(INPUTS).map(|e| e.input.clone()).collect();
    let exact = batches::logits(&exact, &inputs, BATCH_TOKENS)?;
    let stored = batches::logits(&stored, &inputs, BATCH_TOKENS)?;
    Ok(compare(&exact, &stored))
}

fn compare(exact: &[Array2<f32>], stored: &[Array2<f32>]) -> Rounding {
    let mut found = Rounding { inputs: exact.len(), rows: 0, largest_difference: 0.0, same_label: 0 };
    for (exact, stored) in exact.iter().zip(stored) {
        for (a, b) in exact.rows().into_iter().zip(stored.rows()) {
            let difference = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
            found.largest_difference = found.largest_difference.max(difference);
            found.rows += 1;
            found.same_label += usize::from(likeliest(a) == likeliest(b));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_largest_difference_and_the_changed_labels_are_told() {
        let exact = [array![[1.0, 2.0], [3.0, 0.0]], array![[0.5, 0.4]]];
        let stored = [array![[1.25, 2.0], [3.0, 0.0]], array![[0.375, 0.4]]];
        let found = compare(&exact, &stored);
        assert_eq!(found, Rounding { inputs: 2, rows: 3, largest_difference: 0.25, same_label: 2 });
    }
}
