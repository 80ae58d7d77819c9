//! What stands between marks: words somebody said, or a title, a nickname, a term (scare quotes).

use super::article::{Article, Break};
use super::lexicon::{self as lex, is_in};
use super::marks::Marked;
use crate::document::Span;
use crate::text::segment::words;

/// The surface of quoted words, as far as it tells what they are.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// How many words, up to [`READ`].
    pub length: usize,
    /// Whether it has a verb or a subject of its own.
    pub clause: bool,
    /// Whether it begins with a capital letter (or a number) as a sentence does.
    pub capital: bool,
    /// Its last character, marks inside left out.
    pub tail: Option<char>,
    /// Whether all words that carry meaning are capitalised, as in a title or a name.
    pub title_case: bool,
}

/// How many words are read to tell what quoted words are.
const READ: usize = 80;

impl Content {
    /// Reads the words of `marked`.
    pub fn of(text: &str, marked: &Marked) -> Self {
        let first = marked.parts.first().map_or("", |p| p.of(text));
        let last = marked.parts.last().map_or("", |p| p.of(text));
        let head_end = first.char_indices().nth(READ * 6).map_or(first.len(), |(at, _)| at);
        let head = first.get(..head_end).unwrap_or(first);
        let list: Vec<&str> = words(head, Span::new(0, head.len()))
            .iter()
            .map(|w| w.of(head))
            .filter(|w| w.chars().any(char::is_alphanumeric))
            .take(READ)
            .collect();
        let verb = list.iter().any(|w| is_in(&lex::FINITE, w));
        let subject =
            list.len() > 2 && list.iter().any(|w| is_in(&lex::SUBJECTS, w) && !matches!(*w, "that" | "this" | "who"));
        let heavy = |w: &&&str| !is_in(&lex::FUNCTION, w) && w.chars().next().is_some_and(char::is_alphabetic);
        Content {
            length: list.len(),
            clause: verb || subject,
            capital: list.first().is_some_and(|w| !w.starts_with(char::is_lowercase)),
            tail: last.chars().rev().find(|c| !"\"'“”‘’«»)] ".contains(*c)),
            title_case: list.iter().filter(heavy).all(|w| !w.starts_with(char::is_lowercase)),
        }
    }

    /// Whether it ends as a sentence ends.
    pub fn ends(&self) -> bool {
        self.tail.is_some_and(|c| ".!?…".contains(c))
    }

    /// Whether it ends with an exclamation or question mark.
    pub fn exclaims(&self) -> bool {
        self.tail.is_some_and(|c| "!?".contains(c))
    }

    /// Whether it could stand alone as a sentence.
    pub fn is_full(&self) -> bool {
        self.clause || (self.capital && self.length > 1 && self.tail.is_some_and(|c| ".!?…,".contains(c)))
    }
}

/// Whether marked words stand between the first and the last part of a name: John "Jack" Smith.
pub(super) fn is_nickname(text: &str, marked: &Marked) -> bool {
    let extent = marked.extent();
    let inner = marked.parts.first().map_or("", |p| p.of(text));
    let before = text.get(..extent.start).and_then(|head| head.strip_suffix(' ')).unwrap_or("");
    let previous = before.rsplit(char::is_whitespace).next().unwrap_or("");
    let after = text.get(extent.end..).and_then(|tail| tail.strip_prefix(' ')).unwrap_or("");
    let is_name =
        |word: &str| word.starts_with(char::is_uppercase) && word.ends_with(|c: char| c.is_alphabetic() || c == '.');
    let next = after.split(|c: char| c.is_whitespace() || ",.;:".contains(c)).next().unwrap_or("");
    let short = inner.len() <= 40 && inner.split_whitespace().count() <= 3 && inner.ends_with(char::is_alphanumeric);
    short && is_name(previous) && is_name(next) && !is_in(&lex::FUNCTION, previous) && !is_in(&lex::FUNCTION, next)
}

/// Words after which quoted words are a title or a name.
const TITLES: &[&str] = &[
    "entitled",
    "titled",
    "named",
    "nicknamed",
    "codenamed",
    "code-named",
    "dubbed",
    "so-called",
    "book",
    "film",
    "movie",
    "song",
    "album",
    "novel",
    "series",
    "magazine",
    "newspaper",
    "poem",
    "essay",
    "musical",
    "opera",
    "documentary",
    "memoir",
    "play",
    "painting",
    "exhibition",
    "programme",
    "podcast",
    "episode",
    "single",
    "hit",
    "operation",
    "project",
    "campaign",
    "theme",
    "slogan",
    "hashtag",
    "word",
    "words",
    "term",
    "phrase",
    "headlined",
    "subtitled",
    "alias",
    "aka",
    "app",
    "brand",
    "label",
    "club",
    "band",
    "award",
];

/// Whether quoted words at item `at` are a title or the name of something.
pub(super) fn is_name(article: &Article, at: usize, content: &Content) -> bool {
    let before = if at > 0 && article.before(at) == Break::None { article.word(at - 1) } else { "" };
    let announced = TITLES.contains(&before.to_lowercase().as_str())
        && !content.ends()
        && (content.title_case || content.length <= 4);
    // On the network's "Morning Hour," the senator said …
    let placed = matches!(
        before.to_lowercase().as_str(),
        "'s" | "’s" | "the" | "of" | "on" | "in" | "at" | "a" | "an" | "his" | "her"
    );
    announced || (content.title_case && content.length <= 9 && !content.ends() && (placed || content.tail != Some(',')))
}
