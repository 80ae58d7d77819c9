//! The tokenization layer over `tokenizers`.
