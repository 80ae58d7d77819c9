//! The stages in order.

pub mod stream;

use crate::document::{Entity, Quote, Usage};
pub use stream::{Counts, Stream};

/// What was found in one document; parts that were not asked for are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysis {
    /// Names, in order of position.
    pub entities: Option<Vec<Entity>>,
    /// Quotes, in order of position.
    pub quotes: Option<Vec<Quote>>,
    /// What reading cost.
    pub usage: Usage,
}
