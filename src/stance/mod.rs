//! The stance of a quote: what the model reads of it, and the scorer that turns logits into a label.

pub mod input;
