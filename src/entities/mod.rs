//! From the logits of a token classification model to named entities.
//!
//! ```text
//! windows' logits ─vote→ log-probabilities of a word's labels ─merge→ of all words ─viterbi→ tags ─spans→ entities
//! ```

pub(crate) mod merge;
mod spans;
mod tagger;
pub mod tags;
mod viterbi;
mod vote;

pub use spans::{WordSpan, bio_tags, spans_of_tags};
pub use tagger::{Decoder, EntityTagger, SentenceWindows, TaggedSentence};
