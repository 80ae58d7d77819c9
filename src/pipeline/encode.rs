//! Inputs of many documents through one encoder, so that a failing input costs no other.

use crate::encoder::{Encoder, Input, batches};
use crate::error::{Error, Result};
use ndarray::Array2;
use rayon::prelude::*;

/// Logits of all `inputs`, in their order; batches of `batch_tokens` run in parallel on the current rayon pool.
pub fn logits(encoder: &dyn Encoder, inputs: Vec<&Input>, batch_tokens: usize) -> Vec<Result<Array2<f32>>> {
    let lengths: Vec<usize> = inputs.iter().map(|input| input.ids.len()).collect();
    let encode = |batch: Vec<usize>| {
        let rows: Vec<Input> = batch.iter().filter_map(|&i| inputs.get(i).copied().cloned()).collect();
        batch.into_iter().zip(encode_batch(encoder, &rows)).collect::<Vec<_>>()
    };
    let mut encoded: Vec<(usize, Result<Array2<f32>>)> =
        batches::plan(&lengths, batch_tokens).into_par_iter().flat_map_iter(encode).collect();
    encoded.sort_by_key(|(i, _)| *i);
    encoded.into_iter().map(|(_, logits)| logits).collect()
}

/// A batch that fails is halved and tried again: a GPU may be out of memory, or one input may be at fault.
fn encode_batch(encoder: &dyn Encoder, rows: &[Input]) -> Vec<Result<Array2<f32>>> {
    match encoder.logits(rows) {
        Ok(logits) if logits.len() == rows.len() => logits.into_iter().map(Ok).collect(),
        Ok(_) => rows.iter().map(|_| Err(Error::model("the engine lost an answer"))).collect(),
        Err(error) if rows.len() < 2 => vec![Err(error)],
        Err(_) => {
            let (first, second) = rows.split_at(rows.len() / 2);
            [first, second].into_iter().flat_map(|half| encode_batch(encoder, half)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails on batches of more than two, and on inputs that begin with 13.
    struct Fragile;

    impl Encoder for Fragile {
        fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>> {
            if inputs.len() > 2 || inputs.iter().any(|i| i.ids.first() == Some(&13)) {
                return Err(Error::model("out of memory"));
            }
            Ok(inputs.iter().map(|i| Array2::from_elem((1, 1), i.ids.first().map_or(0.0, |id| *id as f32))).collect())
        }

        fn labels(&self) -> &[String] {
            &[]
        }

        fn max_tokens(&self) -> usize {
            8
        }
    }

    #[test]
    fn a_failing_input_costs_no_other() {
        let inputs: Vec<Input> =
            (8..16).map(|id| Input { ids: vec![id; (id % 3 + 1) as usize], type_ids: Vec::new() }).collect();
        for batch_tokens in [1, 4, 100] {
            let said: Vec<String> = logits(&Fragile, inputs.iter().collect(), batch_tokens)
                .into_iter()
                .map(|r| r.map_or_else(|e| e.message, |a| a[[0, 0]].to_string()))
                .collect();
            assert_eq!(said, ["8", "9", "10", "11", "12", "out of memory", "14", "15"], "{batch_tokens}");
        }
    }
}
