//! Reading documents and writing records: one file per format.
//!
//! ```text
//! paths ─source→ files ─compression, archive→ bytes ─charset→ UTF-8 ─text|html|jsonl|json|delimited→ rows ─read→ Document
//!                                                └─columnar→ rows ────────────────────────────────────────┘
//! Record ─write→ JSONL | CSV table | Parquet | view ─output→ file or standard output
//!              └→ SQLite
//! ```
//!
//! Everything streams: a reader holds one row at a time, whatever the size of the file.

pub mod archive;
mod arrow_lengths;
pub mod brat;
pub mod charset;
pub mod columnar;
pub mod columns;
pub mod compression;
pub mod conll;
pub mod delimited;
pub mod failures;
pub mod fields;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod output;
pub mod parquet;
pub mod read;
pub mod source;
pub mod sqlite;
pub mod table;
pub mod text;
pub mod view;
pub mod write;

pub use read::{Documents, Notice, ReadOptions, Unread};
