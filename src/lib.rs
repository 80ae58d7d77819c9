//! Finds who said what in news articles, names the people, organisations and places, and labels each quote
//! conciliatory or firm.

pub mod annotation;
pub mod document;
pub mod encoder;
pub mod entities;
pub mod error;
pub mod evaluate;
pub mod experiment;
pub mod io;
pub mod models;
pub mod pipeline;
pub mod quotes;
pub mod record;
pub mod report;
pub mod stance;
pub mod text;
pub mod tokens;
#[cfg(feature = "libtorch")]
pub mod train;
