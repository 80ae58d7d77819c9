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

/// The left context of a claim that is reported rather than quoted, as the training data give paraphrases: it names the
/// speaker, and no other words of the article stand around.
///
/// ```
/// use detente::stance::input::claim_context;
/// assert_eq!(claim_context(Some("Premier Ana Ruiz")), "[TASS headline; claim of Premier Ana Ruiz]");
/// assert_eq!(claim_context(None), "[TASS headline; claim]");
/// ```
pub fn claim_context(speaker: Option<&str>) -> String {
    match speaker.map(str::trim).filter(|s| !s.is_empty()) {
        Some(speaker) => format!("[{CLAIM} of {speaker}]"),
        None => format!("[{CLAIM}]"),
    }
}

/// What paraphrases are called in the training data.
const CLAIM: &str = "TASS headline; claim";

/// Words of a cue that say no more than that something is said.
const PLAIN: &str = "said says say saying told tells tell telling added adds adding noted notes noting stated states \
    stating explained explains explaining announced announces announcing reported reports reporting remarked commented \
    observed mentioned recalled recalling wrote writes writing concluded concludes continued pointed out according to in \
    the words of view opinion";
/// Words that stand beside them.
const BESIDE: &str = "a also and are as be been by earlier had has have he her his in is it later many now of on once she \
    so still that then they times today was were yesterday i we reporters journalists \
    monday tuesday wednesday thursday friday saturday sunday";

/// Whether a cue tells how something is meant ("refused", "promised", "warned") and not only that it is said.
///
/// ```
/// use detente::stance::input::tells;
/// assert!(tells("has so far refused") && tells("warned"));
/// assert!(!tells("told reporters on Monday") && !tells("According to"));
/// ```
pub fn tells(cue: &str) -> bool {
    let is_in = |list: &str, word: &str| list.split_whitespace().any(|w| w == word);
    let words = cue.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase);
    words.into_iter().any(|word| !is_in(PLAIN, &word) && !is_in(BESIDE, &word))
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
