//! Paragraphs, sentences and words as byte spans of the text as it was given.
//!
//! All three return spans on character boundaries, in order, without overlap, and read their text once.
//!
//! ```
//! use detente::text::segment::{paragraphs, sentences, words};
//! let text = "Talks end\n\nGen. Lee met the U.S. envoy. \"We didn't sign,\" he said.";
//! let body = paragraphs(text)[1];
//! let found = sentences(text, body);
//! assert_eq!(found[0].of(text), "Gen. Lee met the U.S. envoy.");
//! let tokens: Vec<&str> = words(text, found[1]).iter().map(|w| w.of(text)).collect();
//! assert_eq!(tokens, ["\"", "We", "did", "n't", "sign", ",", "\"", "he", "said", "."]);
//! ```

mod abbreviations;
mod paragraphs;
mod sentences;
mod words;

pub use paragraphs::paragraphs;
pub use sentences::sentences;
pub use words::words;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Span;

    #[test]
    fn long_runs_of_one_sign_are_read_to_their_end() {
        for unit in ["!", "\"", "''", ".", "a.", "a. \"", "A", "-", "\n", "e\u{301}", "’s", "1,"] {
            let text = unit.repeat(1_000_000 / unit.len());
            let all = Span::new(0, text.len());
            for spans in [paragraphs(&text), sentences(&text, all), words(&text, all)] {
                assert_eq!(spans.last().map(|s| s.end), Some(text.trim_end().len()).filter(|e| *e > 0), "{unit:?}");
            }
        }
    }
}
