//! What a paragraph holds besides sentences: datelines and the halves of headlines.

use super::article::{Article, Break};
use super::attribution::{Attribution, Place, Said};
use super::gazetteer;
use super::names::{Mention, MentionKind};
use super::{Draft, marks::Marked};
use crate::document::{QuoteKind, Span};
use regex::Regex;
use std::sync::LazyLock;

/// `PORT SELVA, March 3. /NORDIA PRESS/.`, `HALWICK (NP) —`, `AMBREY, 14 January —`: a place in capitals, perhaps a date,
/// and the agency or a dash.
static DATELINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let place = r"\p{Lu}[\p{Lu}\p{M}.'’]+(?:[ -][\p{Lu}][\p{Lu}\p{M}.'’]*){0,3}";
    let date = r"(?:,\s*(?:[\p{Lu}\d][\p{L}\d.]*,?\s*){1,6}?)?";
    let end = r"(?:\.?\s*/[^/\n]{2,40}/\.?|\s*\([^)\n]{2,40}\)\s*(?:—|–|-+)|\s*(?:—|–|--|-\s))";
    Regex::new(&format!("^\\s*{place}{date}{end}\\s*")).ok()
});

/// At least so many bytes follow a dateline in its paragraph; a headline in capitals has fewer.
const LEAST_AFTER: usize = 40;
/// The most words of a name under a headline, and the fewest of its claim.
const LONGEST_NAME: usize = 6;
const SHORTEST_CLAIM: usize = 3;
/// Headlines stand among so many first paragraphs.
const FIRST_PARAGRAPHS: usize = 3;

/// The first byte after the dateline that `paragraph` begins with.
pub(super) fn dateline_end(text: &str, paragraph: Span) -> Option<usize> {
    let found = DATELINE.as_ref()?.find(paragraph.of(text))?;
    let end = paragraph.start + found.end();
    (end + LEAST_AFTER <= paragraph.end).then_some(end)
}

/// The claims of headlines that name their speaker: `Border to open in May — Lind`, `Kremlin: no date for talks`.
///
/// A headline is a paragraph without a full stop at its end; the name must be all that stands beside the dash or the
/// colon, and must come again in the article unless it is an office or a known place.
fn headlines(article: &Article, mentions: &[Mention]) -> Vec<Draft> {
    let first = article.paragraphs.iter().take(FIRST_PARAGRAPHS).filter(|p| may_be_headline(article.text, **p));
    first.filter_map(|paragraph| headline(article, mentions, *paragraph)).collect()
}

/// Whether one of the first paragraphs has the form of a headline with its speaker.
pub(super) fn may_hold_headline(text: &str, paragraphs: &[Span]) -> bool {
    paragraphs.iter().take(FIRST_PARAGRAPHS).any(|p| may_be_headline(text, *p))
}

fn may_be_headline(text: &str, paragraph: Span) -> bool {
    let line = paragraph.of(text).trim_end();
    line.contains([':', '—', '–', '―', '-']) && !line.ends_with(['.', '!', '?', '"', '”', ',', ';'])
}

fn headline(article: &Article, mentions: &[Mention], paragraph: Span) -> Option<Draft> {
    let first = article.items.partition_point(|item| item.span.start < paragraph.start);
    let end = article.items.partition_point(|item| item.span.start < paragraph.end);
    let items = first..end;
    if items.clone().any(|i| article.quote(i).is_some() || (i > first && article.before(i) > Break::None)) {
        return None;
    }
    let dash = items.clone().rev().find(|i| matches!(article.word(*i), "—" | "–" | "―" | "--" | "-"));
    let (claim, name, at) = match dash {
        Some(at) => (first..at, at + 1..end, at),
        None => {
            let at = items.clone().find(|i| article.word(*i) == ":")?;
            (at + 1..end, first..at, at)
        }
    };
    let speaks = |m: &&Mention| {
        m.items == name
            && m.kind != MentionKind::Pronoun
            && m.kind != MentionKind::Other
            && comes_again(article, mentions, m, paragraph)
    };
    let mention = mentions.iter().find(speaks)?;
    if claim.len() < SHORTEST_CLAIM || name.len() > LONGEST_NAME {
        return None;
    }
    let attribution = Attribution {
        cue: None,
        at,
        end: name.end.max(at + 1),
        said: Said::By(mention.clone()),
        place: if name.start > at { Place::Dash } else { Place::Colon },
        unquoted_content: false,
        plain: true,
    };
    Some(Draft {
        parts: vec![article.span(claim.start, claim.end)],
        kind: QuoteKind::Indirect,
        first: claim.start,
        last: claim.end - 1,
        attribution: Some(attribution),
        confidence: 0.8,
        unclosed: false,
        continues: false,
    })
}

/// Whether the article speaks again of whom the headline names; roles and known places need not come again.
fn comes_again(article: &Article, mentions: &[Mention], mention: &Mention, headline: Span) -> bool {
    let surface = |m: &Mention| m.span.of(article.text);
    let known = mention.kind == MentionKind::Role || gazetteer::place(surface(mention)).is_some();
    let last = |m: &Mention| surface(m).split_whitespace().next_back().unwrap_or("").to_string();
    let name = last(mention);
    known || mentions.iter().any(|m| !headline.overlaps(m.span) && last(m) == name)
}

/// `drafts` with the claims of headlines in the place of whatever else was read in their paragraphs.
pub(super) fn with_headlines(
    article: &Article,
    mentions: &[Mention],
    marked: &[Marked],
    mut drafts: Vec<Draft>,
) -> Vec<Draft> {
    for headline in headlines(article, mentions) {
        let Some(claim) = headline.parts.first().copied() else { continue };
        let own = |d: &Draft| d.parts.iter().any(|p| p.overlaps(claim));
        if marked.iter().any(|m| m.parts.iter().any(|p| p.overlaps(claim))) {
            continue;
        }
        drafts.retain(|d| !own(d));
        drafts.push(headline);
    }
    drafts.sort_by_key(|d| d.parts.first().map(|p| p.start));
    drafts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotes::find;

    #[test]
    fn datelines_end_where_the_sentence_begins() {
        let rest = "Nordian envoys met their neighbours for the third time.";
        for dateline in [
            "PORT SELVA, March 3. /NORDIA PRESS/. ",
            "ST. LETHGRAD, May 26. /NP/. ",
            "HALWICK, 14 January — ",
            "AMBREY (NP) - ",
            "DRUN, Karvonia, Sept 5 (Nordia Press) — ",
            "LETHGRAD — ",
            "",
        ] {
            let text = format!("{dateline}{rest}");
            let end = dateline_end(&text, Span::new(0, text.len()));
            assert_eq!(end.unwrap_or(0), dateline.len(), "{dateline:?}");
        }
        for text in
            ["NORDIA WINS - OFFICIAL", "U.S. troops left, the ministry of defence of the republic said on Monday."]
        {
            assert_eq!(dateline_end(text, Span::new(0, text.len())), None, "{text}");
        }
    }

    #[test]
    fn a_headline_is_its_speakers_claim() {
        let body = "\n\nNordian Premier Anna Lind met envoys of the neighbours on Monday.";
        for (headline, claim, name) in [
            ("Border to open in May — Lind", "Border to open in May", "Anna Lind"),
            ("Lind: border to open in May", "border to open in May", "Anna Lind"),
            ("No date for talks yet - prime minister", "No date for talks yet", "Anna Lind"),
        ] {
            let text = format!("{headline}{body}");
            let quotes = find(&text);
            let shown: Vec<(&str, &str)> = quotes
                .iter()
                .map(|q| (q.parts[0].of(&text), q.speaker.as_ref().map_or("", |s| s.name.as_str())))
                .collect();
            assert_eq!(shown, [(claim, name)], "{headline}");
        }
    }

    #[test]
    fn other_lines_with_a_dash_are_no_claims() {
        let body = "\n\nNordian Premier Anna Lind met envoys of the neighbours on Monday.";
        for line in [
            "Border talks — third round in May",
            "Osk to visit in May — Brandt",
            "It rained in Selva — Lind stayed at home.",
            "Analysis: what comes next",
            "Football: club to play without fans",
        ] {
            assert_eq!(find(&format!("{line}{body}")), [], "{line}");
        }
    }
}
