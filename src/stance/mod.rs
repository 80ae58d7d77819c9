//! The stance of a quote: what the model reads ([`input`], [`context`]), what its answer means ([`scorer`]), and which words
//! it rests on ([`occlusion`]).

pub mod context;
pub mod input;
pub mod occlusion;
mod reader;
pub mod scorer;

pub use input::{StanceText, pair_texts};
pub use reader::StanceReader;
pub use scorer::Scorer;
