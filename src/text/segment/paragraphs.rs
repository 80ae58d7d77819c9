//! Paragraphs: separated by line ends, or by blank lines where the text is wrapped at a fixed width.

use crate::document::Span;

/// The paragraphs of `text`, in order, without surrounding white space.
///
/// A line end ends a paragraph (agency texts put one paragraph on a line), except in a text wrapped at a fixed width
/// as old wire copy and e-mail are: there only a blank or an indented line begins a new one. A text counts as wrapped
/// when its longest line has 40 to 100 characters and nearly all lines end where the next word would not have fitted.
///
/// ```
/// use detente::text::segment::paragraphs;
/// let text = "Headline\r\n\r\nFirst.\r\nSecond.";
/// let found: Vec<&str> = paragraphs(text).iter().map(|p| p.of(text)).collect();
/// assert_eq!(found, ["Headline", "First.", "Second."]);
/// ```
pub fn paragraphs(text: &str) -> Vec<Span> {
    let lines = lines(text);
    if is_wrapped(text, &lines) { join_lines(text, &lines) } else { non_blank(text, &lines) }
}

/// The length that the longest line of a text wrapped at a fixed width has, in characters.
const WRAP_WIDTHS: std::ops::RangeInclusive<usize> = 40..=100;

/// The lines of `text` without their ends, whatever the system that wrote them.
fn lines(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if is_line_end(c) {
            found.push(Span::new(start, at));
            start = at + c.len_utf8();
        }
        // "\r\n" is one line end, not a line and a blank one.
        if c == '\n' && text.get(..at).is_some_and(|before| before.ends_with('\r')) {
            found.pop();
        }
    }
    found.push(Span::new(start, text.len()));
    found
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn non_blank(text: &str, lines: &[Span]) -> Vec<Span> {
    lines.iter().map(|line| line.trimmed(text)).filter(|line| !line.is_empty()).collect()
}

fn join_lines(text: &str, lines: &[Span]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut open = false;
    for line in lines {
        let inner = line.trimmed(text);
        let indented = inner.start > line.start;
        match found.last_mut() {
            _ if inner.is_empty() => open = false,
            Some(paragraph) if open && !indented => paragraph.end = inner.end,
            _ => {
                found.push(inner);
                open = true;
            }
        }
    }
    found
}

/// Whether line ends come from wrapping: see [`paragraphs`].
fn is_wrapped(text: &str, lines: &[Span]) -> bool {
    let joins: Vec<(&str, &str)> = lines
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] => Some((first.of(text).trim_end(), second.of(text).trim())),
            _ => None,
        })
        .filter(|(first, second)| !first.is_empty() && !second.is_empty())
        .collect();
    let width = joins.iter().map(|(first, _)| first.chars().count()).max().unwrap_or(0);
    if joins.len() < 3 || !WRAP_WIDTHS.contains(&width) {
        return false;
    }
    let full = joins.iter().filter(|(first, second)| !next_word_fits(first, second, width)).count();
    let unfinished = joins.iter().filter(|(first, _)| !first.ends_with(['.', '!', '?', '"', '”', ':'])).count();
    full * 5 >= joins.len() * 4 && unfinished * 2 > joins.len()
}

fn next_word_fits(line: &str, next: &str, width: usize) -> bool {
    let word = next.split_whitespace().next().map_or(0, |w| w.chars().count());
    line.chars().count() + 1 + word <= width
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn surfaces(text: &str) -> Vec<&str> {
        paragraphs(text).iter().map(|p| p.of(text)).collect()
    }

    #[test]
    fn every_kind_of_line_end_separates() {
        assert_eq!(surfaces("a\nb\r\nc\rd\u{2028}e\u{2029}f"), ["a", "b", "c", "d", "e", "f"]);
        assert_eq!(surfaces(" \u{a0}a b\u{a0}\n \n\n"), ["a b"]);
        assert!(surfaces("\r\n \n").is_empty());
    }

    #[test]
    fn wrapped_lines_are_joined_up_to_the_blank_line() {
        let text = "The two ministers met for three hours in the old customs house on\n\
                    Monday and agreed that the border crossing should open again before\n\
                    the winter, a spokesman for the host said.\n\n\
                    No date was given for the next round of talks, which will be held in\n\
                    the other capital if both of the parliaments agree to it by then.";
        let found = surfaces(text);
        assert_eq!(found.len(), 2);
        assert!(found[0].ends_with("host said.") && found[1].starts_with("No date"));
    }

    #[test]
    fn lists_of_short_lines_are_not_wrapped_text() {
        assert_eq!(surfaces("Open the border\nFree the crew\nPay for the damage\nSign the treaty").len(), 4);
    }

    proptest! {
        #[test]
        fn paragraphs_are_ordered_and_hold_all_visible_text(text in "[a-zé🕊\\u{301} .\"\r\n\u{a0}\u{2028}]{0,200}") {
            let mut end = 0;
            for paragraph in paragraphs(&text) {
                prop_assert!(paragraph.start >= end && !paragraph.is_empty());
                prop_assert_eq!(text.get(end..paragraph.start).map(str::trim), Some(""));
                prop_assert_eq!(paragraph.of(&text).trim(), paragraph.of(&text));
                end = paragraph.end;
            }
            prop_assert_eq!(text.get(end..).map(str::trim), Some(""));
        }
    }
}
