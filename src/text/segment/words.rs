//! Words as CoNLL-2003 and the Penn Treebank cut them.

use super::abbreviations::stop_after;
use crate::document::Span;
use unicode_segmentation::UnicodeSegmentation;

/// The words of `text` within `span`, in order; together they cover everything but white space.
///
/// Cut as CoNLL-2003 cuts: punctuation stands apart; "U.S." and "anti-Russian", "1,000", "9/16" and addresses are one
/// word; "Moscow's" is "Moscow" and "'s", "don't" is "do" and "n't". A cluster of letter and combining marks is never
/// cut. A missing space after a full stop ("signed.Putin") does not glue two sentences together.
///
/// ```
/// use detente::{document::Span, text::segment::words};
/// let text = "Moscow's anti-U.S. line cost $1,000.";
/// let found: Vec<&str> = words(text, Span::new(0, text.len())).iter().map(|w| w.of(text)).collect();
/// assert_eq!(found, ["Moscow", "'s", "anti-U.S.", "line", "cost", "$", "1,000", "."]);
/// ```
pub fn words(text: &str, span: Span) -> Vec<Span> {
    let surface = span.of(text);
    let mut found = Vec::with_capacity(surface.len() / 5);
    let mut chunk_start = None;
    for (at, c) in surface.char_indices().chain([(surface.len(), ' ')]) {
        match (c.is_whitespace(), chunk_start) {
            (false, None) => chunk_start = Some(at),
            (true, Some(start)) => {
                let chunk = surface.get(start..at).unwrap_or("");
                cut_chunk(chunk, surface.get(at..).unwrap_or(""), span.start + start, &mut found);
                chunk_start = None;
            }
            _ => {}
        }
    }
    found
}

/// What a character cluster is to the cutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a word.
    Letter,
    /// Part of a word when digits surround it, and the like.
    Joiner(char),
    /// A mark that stands apart.
    Mark(char),
}

/// A character cluster of a chunk: where it starts and what it is.
#[derive(Debug, Clone, Copy)]
struct Cluster {
    at: usize,
    class: Class,
    first: char,
}

/// Cuts a chunk without white space that starts at byte `offset`; `rest` is what follows it.
fn cut_chunk(chunk: &str, rest: &str, offset: usize, found: &mut Vec<Span>) {
    let clusters = clusters(chunk);
    let address_end = address_end(chunk);
    let end_of = |i: usize| clusters.get(i).map_or(chunk.len(), |c| c.at);
    let mut i = 0;
    while let Some(cluster) = clusters.get(i) {
        let start = cluster.at;
        let next = match cluster.class {
            _ if start < address_end => clusters.partition_point(|c| c.at < address_end),
            Class::Letter => word_end(chunk, &clusters, i),
            // ".545"
            Class::Joiner('.') if i == 0 && clusters.get(1).is_some_and(|c| c.first.is_numeric()) => {
                word_end(chunk, &clusters, i + 1)
            }
            Class::Joiner(c) | Class::Mark(c) => mark_end(&clusters, i, c),
        };
        // Text that was cut before: a clitic that stands alone stays whole.
        let next = if i == 0 && clitic_len(chunk) == chunk.len() { clusters.len() } else { next };
        let mut end = end_of(next);
        let mut after = next;
        if cluster.class == Class::Letter && keeps_stop(chunk, &clusters, i, next, rest) {
            after = next + 1;
            end = end_of(after);
        }
        push_word(chunk, start, end, offset, found);
        i = after.max(i + 1);
    }
}

fn clusters(chunk: &str) -> Vec<Cluster> {
    let cluster = |at: usize, first: char| Cluster { at, class: class_of(first), first };
    if chunk.is_ascii() {
        return chunk.char_indices().map(|(at, c)| cluster(at, c)).collect();
    }
    chunk.grapheme_indices(true).filter_map(|(at, g)| g.chars().next().map(|c| cluster(at, c))).collect()
}

fn class_of(c: char) -> Class {
    match c {
        '.' | ',' | ':' | '/' | '&' | '\'' | '’' | '-' | '‐' | '‑' | '@' | '_' | '–' | '*' | '+' => {
            Class::Joiner(c)
        }
        // Invisible joiners and soft hyphens belong to the word they stand in.
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Class::Joiner(c),
        _ if c.is_alphanumeric() => Class::Letter,
        _ => Class::Mark(c),
    }
}

/// The index after the word that starts with cluster `start`.
fn word_end(chunk: &str, clusters: &[Cluster], start: usize) -> usize {
    let mut i = start + 1;
    loop {
        match (clusters.get(i).map(|c| c.class), clusters.get(i + 1)) {
            (Some(Class::Letter), _) => i += 1,
            (Some(Class::Joiner(joiner)), Some(next))
                if next.class == Class::Letter && joins(chunk, clusters, start, i, joiner) =>
            {
                i += 2;
            }
            // Currency codes: the "US$" of "US$5".
            (Some(Class::Mark('$')), _) if i - start <= 3 && clusters.get(start..i).is_some_and(all_capitals) => {
                return i + 1;
            }
            _ => return i,
        }
    }
}

fn all_capitals(clusters: &[Cluster]) -> bool {
    clusters.iter().all(|c| c.first.is_ascii_uppercase())
}

/// Whether the joiner at `i` binds the letters on its sides into one word that starts at cluster `start`.
fn joins(chunk: &str, clusters: &[Cluster], start: usize, i: usize, joiner: char) -> bool {
    let (Some(before), Some(here), Some(after)) = (clusters.get(i - 1), clusters.get(i), clusters.get(i + 1)) else {
        return false;
    };
    let digits = before.first.is_numeric() && after.first.is_numeric();
    match joiner {
        '.' if before.first.is_numeric() => digits,
        '.' => {
            // "signed.Putin" is two sentences; "St.Petersburg", "U.S" and "Amazon.com" are one word.
            let begin = clusters.get(start).map_or(0, |c| c.at);
            let run = chunk.get(begin..here.at).unwrap_or("").rsplit('.').next().unwrap_or("").chars().count();
            !(run >= 3 && before.first.is_lowercase() && after.first.is_uppercase())
        }
        ',' | ':' | '/' | '–' | '*' | '+' => digits,
        '&' => before.first.is_uppercase() && after.first.is_uppercase(),
        _ => true,
    }
}

/// The index after the mark at `i`: runs of stops, hyphens and doubled quotes are one word.
fn mark_end(clusters: &[Cluster], i: usize, mark: char) -> usize {
    let run = |most: usize| clusters.iter().skip(i).take(most).take_while(|c| c.first == mark).count();
    match mark {
        '.' | '-' => i + run(usize::MAX),
        '\'' | '`' if run(3) == 2 => i + 2,
        _ => i + 1,
    }
}

/// Whether the word of clusters `start..end` keeps the full stop after it.
fn keeps_stop(chunk: &str, clusters: &[Cluster], start: usize, end: usize, rest: &str) -> bool {
    let (Some(first), Some(stop)) = (clusters.get(start), clusters.get(end)) else { return false };
    if stop.first != '.' || clusters.get(end + 1).is_some_and(|c| c.first == '.') {
        return false;
    }
    let word = chunk.get(first.at..stop.at).unwrap_or("");
    let tail = word.rsplit(['-', '‑']).next().unwrap_or(word);
    let number_follows = || rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
    stop_after(tail).is_some() || (matches!(word, "No" | "Nos" | "no" | "p" | "pp" | "Art" | "Sec") && number_follows())
}

/// Where a web or mail address at the start of the chunk ends, without the punctuation after it; else 0.
fn address_end(chunk: &str) -> usize {
    let is_address = ["http://", "https://", "www."].iter().any(|head| chunk.starts_with(head));
    if is_address {
        chunk.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '"', '\'', '”', '’', '»']).len()
    } else {
        0
    }
}

/// Endings that stand apart, with either apostrophe.
const CLITICS: [&str; 7] = ["n't", "'s", "'re", "'ve", "'ll", "'d", "'m"];

fn push_word(chunk: &str, start: usize, end: usize, offset: usize, found: &mut Vec<Span>) {
    let word = chunk.get(start..end).unwrap_or("");
    let clitic = clitic_len(word);
    if clitic > 0 && clitic < word.len() {
        found.push(Span::new(offset + start, offset + end - clitic));
        found.push(Span::new(offset + end - clitic, offset + end));
    } else {
        found.push(Span::new(offset + start, offset + end));
    }
}

/// Bytes of the clitic at the end of `word`, 0 if there is none.
fn clitic_len(word: &str) -> usize {
    let tail_start = word.char_indices().rev().take(3).last().map_or(0, |(at, _)| at);
    let tail = word.get(tail_start..).unwrap_or("");
    let plain = tail.replace('’', "'").to_ascii_lowercase();
    CLITICS.iter().find(|c| plain.ends_with(**c)).map_or(0, |clitic| {
        let kept = plain.chars().count() - clitic.chars().count();
        tail.chars().skip(kept).map(char::len_utf8).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<&str> {
        words(text, Span::new(0, text.len())).iter().map(|w| w.of(text)).collect()
    }

    #[test]
    fn words_are_cut_as_in_conll() {
        for (text, expected) in [
            ("The U.S. and U.N.", "The|U.S.|and|U.N."),
            ("anti-Russian 10-12, 9/16", "anti-Russian|10-12|,|9/16"),
            ("Moscow’s (TASS/Reuters).", "Moscow|’s|(|TASS|/|Reuters|)|."),
            ("don't can’t they're I'm", "do|n't|ca|n’t|they|'re|I|'m"),
            ("US$5 C$3.20 £1,000.50", "US$|5|C$|3.20|£|1,000.50"),
            (".545 ...5", ".545|...|5"),
            ("J. Smith of S&P, Inc. said", "J.|Smith|of|S&P|,|Inc.|said"),
            ("Really?!... yes--no—never", "Really|?|!|...|yes|--|no|—|never"),
            ("peace so far.Putin left", "peace|so|far|.|Putin|left"),
            ("see https://a.org/x?y=1, a@b.org.", "see|https://a.org/x?y=1|,|a@b.org|."),
            ("Moscow 's did n’t", "Moscow|'s|did|n’t"),
            ("O'Brien's 6'2\" '90s", "O'Brien|'s|6'2|\"|'|90s"),
            ("5% in 2012.", "5|%|in|2012|."),
            ("(No. 5) No.", "(|No.|5|)|No|."),
            ("a\u{a0}b\r\nc", "a|b|c"),
            ("peace🕊now e\u{301}te\u{301}", "peace|🕊|now|e\u{301}te\u{301}"),
            ("👩‍👩‍👧 ok", "👩‍👩‍👧|ok"),
            ("“Hang them”", "“|Hang|them|”"),
        ] {
            assert_eq!(cut(text).join("|"), expected);
        }
    }

    proptest! {
        #[test]
        fn words_cover_all_but_white_space(text in "\\PC{0,60}|[a-zA-Zé .,'’\"-–\u{301}\u{200d}🕊\u{a0}\r\n$&/0-9]{0,80}") {
            let mut end = 0;
            for word in words(&text, Span::new(0, text.len())) {
                prop_assert!(word.start >= end && !word.is_empty());
                prop_assert_eq!(text.get(end..word.start).map(str::trim), Some(""));
                prop_assert!(!word.of(&text).contains(char::is_whitespace));
                end = word.end;
            }
            prop_assert_eq!(text.get(end..).map(str::trim), Some(""));
        }
    }
}
