//! What the stance model reads of a quote: the words said, and the words around them. Training and inference share it.

/// The two texts of the pair: the quote, and its context with `…` where the quote stands.
///
/// ```
/// use detente::stance::input::pair_texts;
/// let (quote, context) = pair_texts(" We are ready to talk, ", "The minister smiled.", "he said.");
/// assert_eq!((quote.as_str(), context.as_str()), ("We are ready to talk,", "The minister smiled. … he said."));
/// ```
pub fn pair_texts(quote: &str, left: &str, right: &str) -> (String, String) {
    (quote.trim().to_string(), format!("{} … {}", left.trim(), right.trim()).trim().to_string())
}
