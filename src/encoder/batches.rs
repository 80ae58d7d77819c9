//! Batches by token budget from length-sorted inputs, so that little is padding; the original order comes back.

use crate::encoder::{Encoder, Input};
use crate::error::Result;
use ndarray::Array2;
use rayon::prelude::*;

/// Indices of `inputs` in batches of similar length: padded to its longest input, no batch holds more than `batch_tokens`
/// tokens (but always one input); an engine may pad a few tokens more. Longest first, so that the last batches of
/// parallel workers are short.
pub fn plan(lengths: &[usize], batch_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |i: usize| lengths.get(i).copied().unwrap_or(0);
    order.sort_by_key(|&i| std::cmp::Reverse(length(i)));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for i in order {
        match batches.last_mut() {
            // The first of a batch is its longest: it sets the padded width.
            Some(batch) if (batch.len() + 1) * batch.first().map_or(0, |&f| length(f)) <= batch_tokens => batch.push(i),
            _ => batches.push(vec![i]),
        }
    }
    batches
}

/// Logits of all `inputs`, in their order; batches run in parallel on rayon's threads.
///
/// # Errors
/// The first error of the engine.
pub fn logits(encoder: &dyn Encoder, inputs: &[Input], batch_tokens: usize) -> Result<Vec<Array2<f32>>> {
    let lengths: Vec<usize> = inputs.iter().map(|i| i.ids.len()).collect();
    let done: Vec<(Vec<usize>, Vec<Array2<f32>>)> = plan(&lengths, batch_tokens)
        .into_par_iter()
        .map(|batch| {
            let rows: Vec<Input> = batch.iter().filter_map(|&i| inputs.get(i).cloned()).collect();
            encoder.logits(&rows).map(|out| (batch, out))
        })
        .collect::<Result<_>>()?;
    let mut ordered: Vec<(usize, Array2<f32>)> =
        done.into_iter().flat_map(|(batch, out)| batch.into_iter().zip(out)).collect();
    ordered.sort_by_key(|(i, _)| *i);
    Ok(ordered.into_iter().map(|(_, out)| out).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_input_is_in_one_batch_within_budget(lengths in prop::collection::vec(1usize..300, 0..80), budget in 1usize..2000) {
            let batches = plan(&lengths, budget);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
            for batch in batches {
                let width = batch.iter().map(|&i| lengths[i]).max().unwrap();
                prop_assert!(batch.len() == 1 || width * batch.len() <= budget);
            }
        }
    }
}
