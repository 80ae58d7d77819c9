//! Reading documents and writing records: one file per format.
//!
//! ```text
//! paths ─source→ files ─compression→ bytes ─charset→ UTF-8 ─text|jsonl|json|delimited→ rows ─read→ Document
//! Record ─write→ JSONL | CSV table | view ─output→ file or standard output
//! ```
//!
//! Everything streams: a reader holds one row at a time, whatever the size of the file.

pub mod brat;
pub mod charset;
pub mod columns;
pub mod compression;
pub mod conll;
pub mod delimited;
pub mod fields;
pub mod json;
pub mod jsonl;
pub mod output;
pub mod read;
pub mod source;
pub mod text;
pub mod view;
pub mod write;

pub use read::{Documents, Notice, ReadOptions, Unread};
