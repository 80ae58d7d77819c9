//! Text as it was given: paragraphs, sentences, words and offsets, always pointing into the original.

pub mod dateline;
pub mod offsets;
pub mod segment;
