//! Quotes: who said what.

pub mod linker;
pub mod model;
pub mod tags;
