//! Fine-tuning in Rust: the models of [`crate::encoder::rust_bert`], libtorch's gradients.
//!
//! A task (`entities`, `stance`, `quotes`) turns its data into [`Example`]s and scores a development set; [`fit`] does the rest.

mod card;
mod checkpoint;
pub mod classes;
pub mod config;
pub mod entities;
pub mod fit;
pub mod linker;
mod optimizer;
pub mod quotes;
pub mod rounding;
mod schedule;
pub mod stance;
mod temperature;

use crate::encoder::Input;

/// What the model should say of an example.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One class a token; −100 where nothing is learned (special tokens, later pieces of a word).
    Tokens(Vec<i64>),
    /// A probability for each class of the whole input; they sum to 1.
    Classes(Vec<f32>),
}

/// The class that marks a token from which nothing is learned.
pub const IGNORED: i64 = -100;

/// One input with what the model should say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// What the model reads.
    pub input: Input,
    /// What it should say.
    pub target: Target,
    /// How much it counts; 1 is normal.
    pub weight: f32,
}
