//! Token windows in, logits out: the boundary behind which an engine runs a transformer.
//!
//! `rust_bert` runs them on libtorch. Nothing outside this module and `train` knows libtorch.

pub mod batches;
#[cfg(feature = "libtorch")]
pub mod rust_bert;

use crate::error::Result;
use ndarray::Array2;

/// What a transformer reads: word pieces of one window with special tokens, and their token types.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    /// Vocabulary ids, special tokens included.
    pub ids: Vec<i64>,
    /// Token type of each id (segment of a pair, or word case).
    pub type_ids: Vec<i64>,
}

/// An engine that holds one model.
///
/// Implementations keep what design asks of all stages: the answer for one input does not depend on what else is in
/// the batch, and inputs may come in any order.
pub trait Encoder: Send + Sync {
    /// Logits of each input, in the order given: `[tokens × labels]` for token classification (special tokens included),
    /// `[1 × labels]` for sequence classification.
    ///
    /// # Errors
    /// When the engine fails, for instance out of memory on a GPU.
    fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>>;

    /// Label names in the order of the logits' columns.
    fn labels(&self) -> &[String];

    /// The longest input it can read, in tokens, special tokens included.
    fn max_tokens(&self) -> usize;
}
