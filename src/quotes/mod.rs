//! Quotes: who said what.

pub mod tags;
