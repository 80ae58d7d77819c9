//! What a stance model reads of a quote: the words said, and the words around them. Training and inference share it.

use std::borrow::Cow;

/// Stands for the quote within its surroundings.
const QUOTE_MARKER: &str = "…";

/// The two texts of the pair: the quote, and its context with `…` where the quote stands. White space is collapsed.
///
/// ```
/// use detente::stance::input::pair_texts;
/// let (quote, context) = pair_texts(" We are ready to talk, ", "The minister smiled.", "he said.");
/// assert_eq!((quote.as_str(), context.as_str()), ("We are ready to talk,", "The minister smiled. … he said."));
/// ```
pub fn pair_texts(quote: &str, left: &str, right: &str) -> (String, String) {
    let context = left.split_whitespace().chain([QUOTE_MARKER]).chain(right.split_whitespace());
    (joined(quote.split_whitespace()), joined(context))
}

/// A quote and the words around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StanceText<'a> {
    /// The words said, without quotation marks.
    pub quote: &'a str,
    /// What stands before; it may begin with a title in brackets and end with the speaker: `[title] The minister said:`.
    pub left: &'a str,
    /// What stands after.
    pub right: &'a str,
    /// Who says it, where the words around do not tell.
    pub speaker: Option<&'a str>,
}

impl StanceText<'_> {
    /// As [`pair_texts`]; a speaker whom neither side names is added to the left as `speaker said:`, the form that
    /// transcripts have.
    ///
    /// ```
    /// use detente::stance::StanceText;
    /// let text = StanceText { quote: "We can talk,", left: "[Summit opens]", right: "", speaker: Some("Ana Ruiz") };
    /// assert_eq!(text.pair().1, "[Summit opens] Ana Ruiz said: …");
    /// ```
    pub fn pair(&self) -> (String, String) {
        pair_texts(self.quote, &self.left_with_speaker(), self.right)
    }

    /// The left side as the model reads it: with `speaker said:` where neither side names the speaker.
    pub fn left_with_speaker(&self) -> Cow<'_, str> {
        let speaker = self.speaker.map(str::trim).filter(|s| !s.is_empty());
        match speaker.filter(|s| !self.left.contains(s) && !self.right.contains(s)) {
            Some(speaker) => Cow::Owned(format!("{} {speaker} said:", self.left)),
            None => Cow::Borrowed(self.left),
        }
    }
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}
