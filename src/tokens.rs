//! The tokenization layer over [`tokenizers`]: text and its words in, windows of word pieces out.
//!
//! A text is encoded as it stands, not word by word, so that a piece's offsets point into the original whatever the
//! normalizer does to letters. Each piece then belongs to the word it overlaps most, a lone space piece (`▁`, `Ġ`) to the
//! word right after it. Windows hold whole words, overlap
//! by a configurable number of pieces, and end at a sentence where one is near.

use crate::document::Span;
use crate::encoder::Input;
use crate::error::{Error, Result};
use serde_json::Value;
use std::ops::Range;
use std::path::Path;
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{Encoding, Token, Tokenizer};

/// Longer texts are encoded in stretches of about this many bytes, cut between words, so that memory stays bounded.
const STRETCH_BYTES: usize = 64 * 1024;

/// The space before a word, where it is a piece of its own: the word's first, as in training on words that are split.
const SPACE_PIECES: [&str; 2] = ["▁", "Ġ"];

/// How long windows are and how far they overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowOptions {
    /// Longest window in tokens, special tokens included; the model's own limit holds where it is smaller.
    pub max_tokens: usize,
    /// At most so many pieces at the end of a window are read again at the start of the next; at most half a window.
    pub overlap_tokens: usize,
}

impl Default for WindowOptions {
    /// 256 tokens, 48 of them shared: attention costs the square of the length, and names rarely need more context.
    fn default() -> Self {
        WindowOptions { max_tokens: 256, overlap_tokens: 48 }
    }
}

/// What a model reads at once, and which word each token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    /// Ids and token types, special tokens included.
    pub input: Input,
    /// Per token the index of its word among the words given; none for special tokens and for text outside words.
    pub word_of: Vec<Option<u32>>,
    /// First word of the window.
    pub first_word: usize,
    /// Last word of the window, itself included.
    pub last_word: usize,
    /// Words (0 or 1) of which only the first pieces fit, because the word alone is longer than a window.
    pub truncated: usize,
}

/// Windows over words that were given split, with the text they were joined to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordWindows {
    /// The words, joined by one space.
    pub text: String,
    /// Where each word stands in `text`.
    pub spans: Vec<Span>,
    /// The windows over them.
    pub windows: Vec<Window>,
}

/// A pair of texts as a model for sequence classification reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairInput {
    /// Ids and token types, special tokens included.
    pub input: Input,
    /// Pieces that did not fit; they are missing from the end of the second text, then of the first.
    pub truncated: usize,
}

/// What token types tell the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenTypes {
    /// The segment, 0 throughout a single text.
    Segment,
    /// The case of the word, see [`word_case`].
    Case,
    /// The same, and 4 more for the word at which a paragraph starts: line ends leave no piece of their own.
    CaseAndBreak,
}

/// The tokenizer of one model folder.
///
/// Special tokens are added by the tokenizer's own post-processor; their names in a text (`[SEP]`) are read as plain
/// letters, never as control tokens. Truncation and padding that `tokenizer.json` carries are switched off.
///
/// ```no_run
/// use detente::document::Span;
/// use detente::tokens::Tokens;
/// # fn main() -> detente::error::Result<()> {
/// let tokens = Tokens::from_folder("models/entities".as_ref())?;
/// let text = "Ministers met in Port Lavel.";
/// let words = [Span::new(0, 9), Span::new(10, 13), Span::new(14, 16), Span::new(17, 21), Span::new(22, 27), Span::new(27, 28)];
/// for window in tokens.windows(text, &words)? {
///     assert_eq!(window.input.ids.len(), window.word_of.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Tokens {
    tokenizer: Tokenizer,
    prefix: Vec<i64>,
    suffix: Vec<i64>,
    /// Special tokens around and between the two texts of a pair.
    pair_specials: usize,
    /// What stands for letters that spell a special token; some vocabularies hold those as ordinary pieces.
    unknown: Option<i64>,
    model_max_tokens: usize,
    segments: bool,
    token_types: TokenTypes,
    options: WindowOptions,
}

impl Tokens {
    /// Reads `tokenizer.json` and `config.json` of a Hugging Face model folder.
    ///
    /// From `config.json` come the longest input (`max_position_embeddings`; RoBERTa counts positions from the padding
    /// id on, so two of them are never used), whether the model tells segments apart (`type_vocab_size`), and this
    /// project's own key `"detente": {"token_types": "case"}`, with which token types hold the case of each word
    /// (`"case+break"`: and which words start a paragraph).
    ///
    /// # Errors
    /// When a file is missing or not what it should be.
    pub fn from_folder(dir: &Path) -> Result<Tokens> {
        let config = read_config(dir)?;
        let file = dir.join("tokenizer.json");
        let tokenizer = Tokenizer::from_file(&file).map_err(|e| {
            Error::model(format!("the tokenizer cannot be read: {e}"))
                .in_file(&file)
                .help("a model folder needs the tokenizer.json of a fast tokenizer; transformers writes it with save_pretrained")
        })?;
        Tokens::new(tokenizer, &config).map_err(|e| e.in_file(dir))
    }

    /// From a tokenizer and the model's configuration as JSON; see [`Tokens::from_folder`].
    ///
    /// # Errors
    /// When the tokenizer's post-processor fails, or the configuration contradicts itself.
    pub fn new(mut tokenizer: Tokenizer, config: &Value) -> Result<Tokens> {
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(tokenizer_error)?;
        tokenizer.set_encode_special_tokens(true);
        let (prefix, suffix) = special_tokens(&tokenizer)?;
        let nothing = Encoding::default();
        let pair = tokenizer.post_process(nothing.clone(), Some(nothing), true).map_err(tokenizer_error)?;
        let tokens = Tokens {
            prefix,
            suffix,
            pair_specials: pair.len(),
            unknown: ["[UNK]", "<unk>"].iter().find_map(|name| tokenizer.token_to_id(name)).map(i64::from),
            model_max_tokens: model_max_tokens(config),
            segments: type_vocab_size(config) >= 2,
            token_types: token_types(config)?,
            options: window_options(config),
            tokenizer,
        };
        if tokens.max_tokens() <= tokens.pair_specials.max(tokens.prefix.len() + tokens.suffix.len()) {
            return Err(Error::model("max_position_embeddings or max_tokens leaves no room beside the special tokens"));
        }
        Ok(tokens)
    }

    /// The same tokenizer with windows of another size.
    ///
    /// # Errors
    /// When a window would have no room beside the special tokens, or more than half of it would be overlap.
    pub fn with_options(mut self, options: WindowOptions) -> Result<Tokens> {
        self.options = options;
        if self.max_tokens() <= self.prefix.len() + self.suffix.len() {
            return Err(Error::usage(format!("a window of {} tokens leaves no room for text", options.max_tokens)));
        }
        if options.overlap_tokens > self.capacity() / 2 {
            return Err(Error::usage(format!(
                "an overlap of {} tokens is more than half of a window of {}",
                options.overlap_tokens,
                self.max_tokens()
            )));
        }
        Ok(self)
    }

    /// The longest window or pair in tokens, special tokens included: the smaller of the option and the model's limit.
    pub fn max_tokens(&self) -> usize {
        self.options.max_tokens.min(self.model_max_tokens)
    }

    /// The longest input the model can read, special tokens included.
    pub fn model_max_tokens(&self) -> usize {
        self.model_max_tokens
    }

    /// Windows over `text`, whose words stand at `words` (in order, without overlaps).
    ///
    /// Every word is in at least one window. A word that yields no piece (a lone control character, for instance) is
    /// inside a window's word range, but no token points at it. A text without words has no windows.
    ///
    /// # Errors
    /// When the words are no spans of the text, or the tokenizer fails.
    pub fn windows(&self, text: &str, words: &[Span]) -> Result<Vec<Window>> {
        self.windows_with_breaks(text, words, &[])
    }

    /// As [`Tokens::windows`], with byte offsets (in order) where sentences or paragraphs start: a window ends at the
    /// last of them that leaves it at least half full, and the overlap starts at one where it can.
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn windows_with_breaks(&self, text: &str, words: &[Span], breaks: &[usize]) -> Result<Vec<Window>> {
        check_words(text, words)?;
        let pieces = self.pieces(text, words, STRETCH_BYTES)?;
        let breaks: Vec<usize> = breaks.iter().map(|b| words.partition_point(|w| w.start < *b)).collect();
        let overlap = self.options.overlap_tokens.min(self.capacity() / 2);
        let plan = plan_windows(&pieces.bounds, self.capacity(), overlap, &breaks);
        Ok(plan.into_iter().map(|range| self.window(text, words, &pieces, range, &breaks)).collect())
    }

    /// Windows over words that are split already, as in CoNLL files: they are joined by a space and go the same way as
    /// text.
    ///
    /// # Errors
    /// As [`Tokens::windows`].
    pub fn windows_of_words<S: AsRef<str>>(&self, words: &[S]) -> Result<WordWindows> {
        let (text, spans) = join_words(words);
        let windows = self.windows(&text, &spans)?;
        Ok(WordWindows { text, spans, windows })
    }

    /// Two texts as one input: `[CLS] first [SEP] second [SEP]` and what corresponds to it in other models, token types
    /// 0 and 1 where the model knows two of them.
    ///
    /// What does not fit into `max_tokens` (or the model's limit) is cut from the end of `second`, then of `first`, and
    /// counted.
    ///
    /// # Errors
    /// When `max_tokens` leaves no room for text, or the tokenizer fails.
    pub fn pair(&self, first: &str, second: &str, max_tokens: usize) -> Result<PairInput> {
        let max_tokens = max_tokens.min(self.model_max_tokens);
        let Some(room) = max_tokens.checked_sub(self.pair_specials).filter(|room| *room > 0) else {
            return Err(Error::usage(format!("{max_tokens} tokens leave no room for a pair of texts")));
        };
        let mut first = self.tokenizer.encode(first, false).map_err(tokenizer_error)?;
        let mut second = self.tokenizer.encode(second, false).map_err(tokenizer_error)?;
        let truncated = cut(&mut first, room) + cut(&mut second, room.saturating_sub(first.len()));
        let pair = self.tokenizer.post_process(first, Some(second), true).map_err(tokenizer_error)?;
        let type_ids = if self.segments { to_i64(pair.get_type_ids()) } else { vec![0; pair.len()] };
        let ids = pair.get_ids().iter().zip(pair.get_special_tokens_mask());
        let ids = ids.map(|(id, special)| if *special == 1 { i64::from(*id) } else { self.as_text(*id) }).collect();
        Ok(PairInput { input: Input { ids, type_ids }, truncated })
    }

    /// One text as one input: `[CLS] text [SEP]` and what corresponds to it in other models, token types 0.
    ///
    /// What does not fit into `max_tokens` (or the model's limit) is cut from its end, and counted.
    ///
    /// # Errors
    /// When `max_tokens` leaves no room for text, or the tokenizer fails.
    pub fn single(&self, text: &str, max_tokens: usize) -> Result<PairInput> {
        let max_tokens = max_tokens.min(self.model_max_tokens);
        let specials = self.prefix.len() + self.suffix.len();
        let Some(room) = max_tokens.checked_sub(specials).filter(|room| *room > 0) else {
            return Err(Error::usage(format!("{max_tokens} tokens leave no room for a text")));
        };
        let mut encoding = self.tokenizer.encode(text, false).map_err(tokenizer_error)?;
        let truncated = cut(&mut encoding, room);
        let pieces = encoding.get_ids().iter().map(|id| self.as_text(*id)).collect();
        let ids = [&self.prefix, &pieces, &self.suffix].map(Vec::as_slice).concat();
        Ok(PairInput { input: Input { type_ids: vec![0; ids.len()], ids }, truncated })
    }

    /// The id of a piece of text, which is never one that the post-processor adds.
    fn as_text(&self, id: u32) -> i64 {
        let id = i64::from(id);
        let special = self.prefix.contains(&id) || self.suffix.contains(&id);
        self.unknown.filter(|_| special).unwrap_or(id)
    }

    /// Pieces that fit into a window beside the special tokens.
    fn capacity(&self) -> usize {
        self.max_tokens().saturating_sub(self.prefix.len() + self.suffix.len())
    }

    /// The pieces of the whole text with their words, encoded in stretches of about `stretch_bytes`.
    fn pieces(&self, text: &str, words: &[Span], stretch_bytes: usize) -> Result<Pieces> {
        let mut pieces = Pieces { bounds: vec![0], ..Default::default() };
        let mut first = 0;
        for (range, end) in stretches(text, words, stretch_bytes) {
            let (Some(stretch), Some(inside)) = (text.get(range.clone()), words.get(first..end)) else {
                return Err(not_a_word(range.start));
            };
            let encoding = self.tokenizer.encode(stretch, false).map_err(tokenizer_error)?;
            pieces.ids.extend(encoding.get_ids().iter().map(|id| self.as_text(*id)));
            pieces.add(&encoding, range.start, inside, first);
            first = end;
        }
        Ok(pieces)
    }

    /// The window of the words `range`; `breaks` are the words at which a paragraph starts.
    fn window(&self, text: &str, words: &[Span], pieces: &Pieces, range: Range<usize>, breaks: &[usize]) -> Window {
        let from = pieces.bounds[range.start];
        let to = pieces.bounds[range.end].min(from + self.capacity());
        let case = |word: usize| words.get(word).map_or(0, |w| word_case(w.of(text)));
        let token_type = |word: &Option<u32>| match (self.token_types, word.map(|w| w as usize)) {
            (TokenTypes::Case, Some(word)) => case(word),
            (TokenTypes::CaseAndBreak, Some(word)) => {
                case(word) + if breaks.binary_search(&word).is_ok() { 4 } else { 0 }
            }
            _ => 0,
        };
        let word_of =
            [&vec![None; self.prefix.len()], &pieces.words[from..to], &vec![None; self.suffix.len()]].concat();
        let input = Input {
            ids: [&self.prefix, &pieces.ids[from..to], &self.suffix].concat(),
            type_ids: word_of.iter().map(token_type).collect(),
        };
        let truncated = usize::from(to < pieces.bounds[range.end]);
        Window { input, word_of, first_word: range.start, last_word: range.end - 1, truncated }
    }
}

/// The case of a word as a token type: 0 lower, 1 Title, 2 UPPER, 3 mIxed.
///
/// Only letters that have case count. None of them, or no capital: 0. The first a capital and no other: 1, so a lone
/// capital ("A", "F-16") is Title. Two or more, all capitals ("NATO", "U.S."): 2. All else ("iPhone", "McDonald",
/// "anti-Russian"): 3.
///
/// ```
/// use detente::tokens::word_case;
/// let cases = ["talks", "42", "Minister", "A", "U.S.", "McDonald"].map(word_case);
/// assert_eq!(cases, [0, 0, 1, 1, 2, 3]);
/// ```
pub fn word_case(word: &str) -> i64 {
    let mut cased = word.chars().filter(|c| c.is_uppercase() || c.is_lowercase()).map(char::is_uppercase);
    let Some(first) = cased.next() else { return 0 };
    let (upper, lower) = cased.fold((0, 0), |(u, l), is_upper| if is_upper { (u + 1, l) } else { (u, l + 1) });
    match (first, upper, lower) {
        (false, 0, _) => 0,
        (true, 0, _) => 1,
        (true, _, 0) => 2,
        _ => 3,
    }
}

/// Words joined by one space, and where each stands.
pub fn join_words<S: AsRef<str>>(words: &[S]) -> (String, Vec<Span>) {
    let mut text = String::new();
    let mut spans = Vec::with_capacity(words.len());
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            text.push(' ');
        }
        let start = text.len();
        text.push_str(word.as_ref());
        spans.push(Span::new(start, text.len()));
    }
    (text, spans)
}

/// The pieces of a text, in order.
#[derive(Debug, Default, PartialEq)]
struct Pieces {
    ids: Vec<i64>,
    words: Vec<Option<u32>>,
    /// Word `w` has the pieces `bounds[w]..bounds[w + 1]`; pieces outside words stand with the word that follows, at
    /// the end with the last.
    bounds: Vec<usize>,
}

impl Pieces {
    /// Gives a stretch's pieces to its `words`; it starts at byte `start`, its first word is word `first` of the text.
    fn add(&mut self, encoding: &Encoding, start: usize, words: &[Span], first: usize) {
        let mut near = 0;
        for (token, (from, to)) in encoding.get_tokens().iter().zip(encoding.get_offsets()) {
            let piece = Span::new(start + from, start + to);
            let mut word = most_overlapped(words, &mut near, piece);
            if word.is_none() && SPACE_PIECES.contains(&token.as_str()) {
                word = words.get(near).filter(|w| w.start == piece.end).map(|_| near);
            }
            self.words.push(word.map(|w| (first + w) as u32));
            if let Some(word) = word {
                self.close_words_before(first + word);
                self.bounds.push(self.words.len());
            }
        }
        self.close_words_before(first + words.len());
        if let Some(last) = self.bounds.last_mut() {
            *last = self.words.len();
        }
    }

    /// Words before `word` have got what they will get; those that were passed over have nothing.
    fn close_words_before(&mut self, word: usize) {
        self.bounds.truncate(word + 1);
        let end = self.bounds.last().copied().unwrap_or(0);
        self.bounds.resize(word + 1, end);
    }
}

/// The word that shares most bytes with `piece`, the first of equals; `near` moves on past words that end before it.
fn most_overlapped(words: &[Span], near: &mut usize, piece: Span) -> Option<usize> {
    while words.get(*near).is_some_and(|w| w.end <= piece.start) {
        *near += 1;
    }
    let shared = |w: &Span| w.end.min(piece.end).saturating_sub(w.start.max(piece.start));
    let candidates = words.iter().enumerate().skip(*near).take_while(|(_, w)| w.start < piece.end);
    let best =
        candidates.map(|(i, w)| (i, shared(w))).reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    // A later piece never belongs to an earlier word, whatever order a normalizer gives.
    *near = best.0;
    (best.1 > 0).then_some(best.0)
}

/// Cuts a text into stretches of about `bytes`: byte range, and one past the last word inside.
///
/// A cut is made before a line break once `bytes` are full, before any white space at twice that, between any two words
/// at four times; before white space, because there every tokenizer starts anew.
fn stretches(text: &str, words: &[Span], bytes: usize) -> Vec<(Range<usize>, usize)> {
    let mut all = Vec::new();
    let mut start = 0;
    for (i, pair) in words.windows(2).enumerate() {
        let [word, next] = pair else { continue };
        let length = word.end.saturating_sub(start);
        let gap = Span::new(word.end, next.start).of(text);
        let full = if gap.contains(['\n', '\r']) {
            1
        } else if gap.starts_with(char::is_whitespace) {
            2
        } else {
            4
        };
        if length >= bytes * full {
            all.push((start..word.end, i + 1));
            start = word.end;
        }
    }
    if !words.is_empty() {
        all.push((start..text.len(), words.len()));
    }
    all
}

/// Word ranges of windows of at most `capacity` pieces; `breaks` are the words (in order) that start a sentence.
fn plan_windows(bounds: &[usize], capacity: usize, overlap: usize, breaks: &[usize]) -> Vec<Range<usize>> {
    let words = bounds.len() - 1;
    // One past the last word of the longest window from `start` on; one word is taken however long it is.
    let furthest = |start: usize| (bounds.partition_point(|b| *b <= bounds[start] + capacity) - 1).max(start + 1);
    let mut plan = Vec::new();
    let (mut start, mut done) = (0, 0);
    while done < words {
        let mut end = furthest(start);
        if end < words {
            let last = breaks.partition_point(|b| *b <= end).checked_sub(1).map(|i| breaks[i]);
            end = last.filter(|b| *b > done && (bounds[*b] - bounds[start]) * 2 >= capacity).unwrap_or(end);
        }
        plan.push(start..end);
        done = end;
        start = bounds.partition_point(|b| b + overlap < bounds[end]);
        let next = breaks.get(breaks.partition_point(|b| *b < start)).copied();
        start = next.filter(|b| *b < end).unwrap_or(start);
        // The next window must reach further than this one.
        while done < words && furthest(start) <= done {
            start += 1;
        }
    }
    plan
}

/// Words must be spans of the text, in order, without overlaps.
fn check_words(text: &str, words: &[Span]) -> Result<()> {
    let mut end = 0;
    for word in words {
        if word.start < end || text.get(word.range()).is_none() {
            return Err(not_a_word(word.start));
        }
        end = word.end;
    }
    Ok(())
}

fn not_a_word(start: usize) -> Error {
    Error::document("a word is no span of the text, or overlaps the word before").at_offset(start as u64)
}

/// What the post-processor puts before and after a single text.
fn special_tokens(tokenizer: &Tokenizer) -> Result<(Vec<i64>, Vec<i64>)> {
    let piece = Encoding::from_tokens(vec![Token::new(0, "x".into(), (0, 1))], 0);
    let whole = tokenizer.post_process(piece, None, true).map_err(tokenizer_error)?;
    let ids = to_i64(whole.get_ids());
    match whole.get_special_tokens_mask().iter().position(|special| *special == 0) {
        Some(at) => Ok((ids[..at].to_vec(), ids[at + 1..].to_vec())),
        None => Err(Error::model("the tokenizer's post-processor loses text")),
    }
}

/// Keeps the first `room` pieces and tells how many were lost.
fn cut(encoding: &mut Encoding, room: usize) -> usize {
    let lost = encoding.len().saturating_sub(room);
    if lost > 0 {
        encoding.truncate(room, 0, TruncationDirection::Right);
        encoding.take_overflowing();
    }
    lost
}

fn to_i64(ids: &[u32]) -> Vec<i64> {
    ids.iter().map(|id| i64::from(*id)).collect()
}

fn tokenizer_error(error: tokenizers::Error) -> Error {
    Error::document(format!("the tokenizer failed: {error}"))
}

fn read_config(dir: &Path) -> Result<Value> {
    let file = dir.join("config.json");
    let text = std::fs::read_to_string(&file).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
    serde_json::from_str(&text).map_err(|e| Error::model(format!("no valid JSON: {e}")).in_file(&file))
}

/// The longest input; 512, as almost all models have it, where the configuration does not say.
fn model_max_tokens(config: &Value) -> usize {
    let number = |key: &str| config.get(key).and_then(Value::as_u64).map(|n| n as usize);
    let positions = number("max_position_embeddings").unwrap_or(512);
    match config.get("model_type").and_then(Value::as_str) {
        Some("roberta" | "xlm-roberta" | "camembert" | "longformer") => {
            positions.saturating_sub(number("pad_token_id").unwrap_or(1) + 1)
        }
        _ => positions,
    }
}

/// The number of token types; where the configuration does not say, what the model's class assumes.
fn type_vocab_size(config: &Value) -> u64 {
    let model_type = config.get("model_type").and_then(Value::as_str);
    let default = if matches!(model_type, Some("distilbert" | "deberta" | "deberta-v2")) { 0 } else { 2 };
    config.get("type_vocab_size").and_then(Value::as_u64).unwrap_or(default)
}

/// The windows that the model was trained on, where its configuration says so.
fn window_options(config: &Value) -> WindowOptions {
    let number = |pointer: &str| config.pointer(pointer).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let usual = WindowOptions::default();
    WindowOptions {
        max_tokens: number("/detente/max_tokens").unwrap_or(usual.max_tokens),
        overlap_tokens: number("/detente/overlap_tokens").unwrap_or(usual.overlap_tokens),
    }
}

fn token_types(config: &Value) -> Result<TokenTypes> {
    match config.pointer("/detente/token_types").and_then(Value::as_str) {
        None => Ok(TokenTypes::Segment),
        Some("case") if type_vocab_size(config) >= 4 => Ok(TokenTypes::Case),
        Some("case+break") if type_vocab_size(config) >= 8 => Ok(TokenTypes::CaseAndBreak),
        Some("case") => Err(Error::model("token types of word case need a type_vocab_size of 4")),
        Some("case+break") => Err(Error::model("token types of word case and breaks need a type_vocab_size of 8")),
        Some(other) => Err(Error::model(format!("unknown `detente.token_types`: {other:?}"))
            .help("known are \"case\" and \"case+break\"")),
    }
}

#[cfg(test)]
#[path = "../tests/tiny_tokenizers/mod.rs"]
mod tiny_tokenizers;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_read_as_the_whole_does() {
        for (name, tokenizer, config) in tiny_tokenizers::all() {
            let tokens = Tokens::new(serde_json::from_value(tokenizer).unwrap(), &config).unwrap();
            let text = "The minister talks peace, the 3 ports; Café talks. ".repeat(9);
            let text = if name == "deberta-v2" { text } else { text.replace(". ", ".\r\n\r\n") };
            let words = crate::text::segment::words(&text, Span::new(0, text.len()));
            let whole = tokens.pieces(&text, &words, text.len()).unwrap();
            let stretched = tokens.pieces(&text, &words, 20).unwrap();
            assert!(stretches(&text, &words, 20).len() > 8);
            assert_eq!(stretched, whole, "{name}");
        }
    }

    /// Each word one piece longer than the last: 1, 2, 3, …
    fn growing_bounds(words: usize) -> Vec<usize> {
        (0..=words).map(|w| w * (w + 1) / 2).collect()
    }

    #[test]
    fn windows_overlap_and_end_where_a_sentence_does() {
        let bounds: Vec<usize> = (0..=20).collect();
        assert_eq!(plan_windows(&bounds, 10, 0, &[]), [0..10, 10..20]);
        assert_eq!(plan_windows(&bounds, 10, 3, &[]), [0..10, 7..17, 14..20]);
        assert_eq!(plan_windows(&bounds, 10, 3, &[0, 7, 12]), [0..7, 4..12, 9..19, 16..20]);
        assert_eq!(plan_windows(&bounds, 10, 5, &[0, 4, 8, 12, 16]), [0..8, 4..12, 8..16, 12..20]);
        // A sentence that ends in the first half does not shorten the window.
        assert_eq!(plan_windows(&bounds, 10, 0, &[0, 4]), [0..10, 10..20]);
    }

    #[test]
    fn a_word_too_long_for_a_window_has_one_of_its_own() {
        assert_eq!(plan_windows(&[0, 2, 40, 42], 10, 4, &[]), [0..1, 1..2, 2..3]);
        assert_eq!(plan_windows(&growing_bounds(6), 5, 2, &[]), [0..2, 1..3, 3..4, 4..5, 5..6]);
    }

    #[test]
    fn a_long_text_is_cut_before_line_breaks_first() {
        let text = "aa bb\ncc dd ee ff";
        let words: Vec<Span> =
            [(0, 2), (3, 5), (6, 8), (9, 11), (12, 14), (15, 17)].map(|(s, e)| Span::new(s, e)).to_vec();
        assert_eq!(stretches(text, &words, 4), [(0..5, 2), (5..14, 5), (14..17, 6)]);
        assert_eq!(stretches(text, &words, 100), [(0..17, 6)]);
        assert_eq!(stretches(text, &[], 100), []);
    }
}
