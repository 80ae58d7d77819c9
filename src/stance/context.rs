//! The words around a quote in its article, in the form in which the training data give them.

use crate::document::{Quote, QuoteKind, Span};
use crate::stance::StanceText;
use crate::stance::input::{claim_context, tells};

/// At most so many characters before the quote.
const LEFT_CHARS: usize = 200;
/// At most so many characters after it.
const RIGHT_CHARS: usize = 160;
/// At most so many characters of the article's title.
const TITLE_CHARS: usize = 90;
/// Stands between paragraphs.
const PARAGRAPH_MARKER: &str = " | ";

/// A quote's words and surroundings, owned; [`QuoteContext::text`] is what the model is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuoteContext {
    /// The words of all parts.
    pub quote: String,
    /// Title in brackets, then up to 200 characters before the quote; paragraphs are set apart by ` | `.
    pub left: String,
    /// What stands between the parts, then up to 160 characters after the quote, to the end of its paragraph.
    pub right: String,
    /// The speaker, where no cue beside the quote names one.
    pub speaker: Option<String>,
}

impl QuoteContext {
    /// As the model's input takes it.
    pub fn text(&self) -> StanceText<'_> {
        StanceText { quote: &self.quote, left: &self.left, right: &self.right, speaker: self.speaker.as_deref() }
    }
}

/// The surroundings of `quote` in the article `text` with the given `paragraphs` and title.
///
/// Indirect and mixed quotes are read as the training data give paraphrases: the claim with the cue that tells how it is
/// meant ("refused to take down its tower"), and who makes it; the words around say little that the cue does not.
pub fn of_quote(text: &str, paragraphs: &[Span], title: Option<&str>, quote: &Quote) -> QuoteContext {
    if quote.kind != QuoteKind::Direct {
        return of_claim(text, quote);
    }
    let extent = quote.extent();
    let left = left_of(text, paragraphs, extent.start);
    let title = title.map(str::trim).filter(|t| !t.is_empty());
    QuoteContext {
        quote: quote.words(text),
        left: match title {
            Some(title) => format!("[{}] {left}", first_chars(title, TITLE_CHARS)),
            None => left,
        },
        right: right_of(text, paragraphs, quote),
        speaker: quote.speaker.as_ref().ok().filter(|_| quote.cue.is_none()).map(|s| s.name.clone()),
    }
}

fn of_claim(text: &str, quote: &Quote) -> QuoteContext {
    let words = quote.words(text);
    let claim = words.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    let claim = claim.strip_prefix("that ").unwrap_or(claim);
    let cue = quote.cue.map(|cue| cue.of(text)).filter(|cue| tells(cue));
    let speaker = quote.speaker.as_ref().ok().map(|s| match &s.role {
        Some(role) if !s.name.contains(role.as_str()) => format!("{role} {}", s.name),
        _ => s.name.clone(),
    });
    QuoteContext {
        quote: cue.map_or(claim.to_string(), |cue| format!("{cue} {claim}")),
        left: claim_context(speaker.as_deref()),
        right: String::new(),
        speaker: None,
    }
}

/// The last words before byte `end`, without the opening mark.
fn left_of(text: &str, paragraphs: &[Span], end: usize) -> String {
    let mut pieces = Vec::new();
    let mut room = LEFT_CHARS;
    let before = paragraphs.partition_point(|p| p.start <= end);
    for paragraph in paragraphs.iter().take(before).rev() {
        let part = Span::new(paragraph.start, paragraph.end.min(end)).of(text);
        let part = if pieces.is_empty() { part.trim_end_matches(is_mark_or_space) } else { part.trim() };
        let kept = last_chars(part, room);
        pieces.push(kept);
        room = room.saturating_sub(kept.chars().count());
        if room == 0 || kept.len() < part.len() {
            break;
        }
    }
    pieces.reverse();
    pieces.join(PARAGRAPH_MARKER).trim_start_matches(PARAGRAPH_MARKER).trim_end().to_string()
}

/// What stands between the parts of the quote and after it within its paragraph, without closing marks.
fn right_of(text: &str, paragraphs: &[Span], quote: &Quote) -> String {
    let start = quote.extent().end;
    let paragraph = paragraphs.partition_point(|p| p.start <= start).checked_sub(1).and_then(|i| paragraphs.get(i));
    let after = Span::new(start, paragraph.map_or(text.len(), |p| p.end.max(start))).of(text);
    let gaps = quote.parts.windows(2).map(|pair| match pair {
        [one, next] => Span::new(one.end, next.start).of(text),
        _ => "",
    });
    let pieces: Vec<&str> =
        gaps.chain([after]).map(|gap| gap.trim_matches(is_mark_or_space)).filter(|gap| !gap.is_empty()).collect();
    first_chars(&pieces.join(" "), RIGHT_CHARS).to_string()
}

/// Quotation marks of all kinds, and white space.
fn is_mark_or_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '«' | '»' | '‹' | '›')
}

/// The first `limit` characters, without a word cut in two.
fn first_chars(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        None => text,
        Some((end, c)) => {
            let cut = text.get(..end).unwrap_or("");
            let whole = if c.is_whitespace() { Some(end) } else { cut.rfind(char::is_whitespace) };
            whole.and_then(|end| text.get(..end)).unwrap_or(cut).trim_end()
        }
    }
}

/// The last `limit` characters, without a word cut in two.
fn last_chars(text: &str, limit: usize) -> &str {
    let Some(start) = limit.checked_sub(1).and_then(|last| text.char_indices().rev().nth(last)).map(|(start, _)| start)
    else {
        return if limit == 0 { "" } else { text };
    };
    let cut = text.get(start..).unwrap_or("");
    let starts_word = start == 0 || text.get(..start).is_some_and(|before| before.ends_with(char::is_whitespace));
    let whole = if starts_word { Some(cut) } else { cut.find(char::is_whitespace).and_then(|at| cut.get(at..)) };
    whole.unwrap_or(cut).trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_cut_in_two() {
        assert_eq!(first_chars("one two three", 9), "one two");
        assert_eq!(first_chars("one two three", 7), "one two");
        assert_eq!(first_chars("one", 7), "one");
        assert_eq!(first_chars("éééé", 2), "éé");
        assert_eq!(last_chars("one two three", 7), "three");
        assert_eq!(last_chars("one two three", 9), "two three");
        assert_eq!(last_chars("one", 7), "one");
        assert_eq!(last_chars("one", 0), "");
        assert_eq!(last_chars("éééé", 2), "éé");
    }
}
