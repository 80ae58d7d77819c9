//! The stance of a quote: what the model reads ([`input`], [`context`]) and what its answer means ([`scorer`]).

pub mod context;
pub mod input;
mod reader;
pub mod scorer;

pub use input::{StanceText, pair_texts};
pub use reader::StanceReader;
pub use scorer::Scorer;
