//! The dateline of a wire story: where and when it was written, and by which agency ("SOCHI, October 18. /TASS/.").

use crate::document::Span;
use regex::Regex;
use std::sync::LazyLock;

/// Paragraphs from the top in which a dateline may stand: a title and a line of its own may come before.
const PARAGRAPHS: usize = 4;

/// A dateline as it stands in the text; nothing is cut out, the text keeps its offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dateline {
    /// All of it, with the separator at its end.
    pub span: Span,
    /// The place.
    pub place: Option<Span>,
    /// The date.
    pub date: Option<Span>,
    /// The agency.
    pub agency: Option<Span>,
}

static DATELINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let month = r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)";
    let date = format!(r"(?P<date>{month} \d{{1,2}}(?:, \d{{4}})?|\d{{1,2}} {month}(?:,? \d{{4}})?)");
    // Capitals, and behind a comma a country or state in its usual form.
    let place =
        r"(?P<place>\p{Lu}[\p{Lu}.'’-]+(?: \p{Lu}[\p{Lu}.'’-]*){0,3}(?:, \p{Lu}[\p{L}.]*(?: \p{Lu}[\p{L}.]*)?)??)";
    let agency = r"\p{Lu}[\p{L}.&-]*(?: \p{Lu}[\p{L}.&-]*){0,3}";
    let dash = r"\s*(?:—|–|―|--|-)\s";
    let credit = format!(r"[.,]?\s*(?:\((?P<agency>{agency})\)|/(?P<slashed>{agency})/)\.?(?P<tail>{dash}|\s|$)");
    Regex::new(&format!(r"^{place}(?:,? {date})?(?:{credit}|(?P<bare>{dash}|\.\s))")).ok()
});

/// Words in capitals that begin a paragraph and are no place.
const NO_PLACES: [&str; 14] = [
    "BREAKING",
    "UPDATE",
    "EXCLUSIVE",
    "ANALYSIS",
    "OPINION",
    "QUESTION",
    "ANSWER",
    "NEWS",
    "CORRECTION",
    "FACTBOX",
    "TIMELINE",
    "EXPLAINER",
    "VIDEO",
    "WATCH",
];

/// The dateline of a story; none where there is none.
///
/// ```
/// use detente::text::dateline::dateline;
/// let text = "PORT LAVEL, October 18. /NOVA/. Envoys met again.";
/// let found = dateline(text).expect("it begins with one");
/// assert_eq!(found.place.map(|p| p.of(text)), Some("PORT LAVEL"));
/// assert_eq!(found.date.map(|d| d.of(text)), Some("October 18"));
/// assert_eq!(found.agency.map(|a| a.of(text)), Some("NOVA"));
/// ```
pub fn dateline(text: &str) -> Option<Dateline> {
    let mut start = 0;
    let mut paragraphs = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() {
            let indent = line.len() - line.trim_start().len();
            if let Some(found) = at(line.get(indent..)?, start + indent) {
                return Some(found);
            }
            paragraphs += 1;
        }
        if paragraphs == PARAGRAPHS {
            return None;
        }
        start += line.len();
    }
    None
}

/// The dateline at the beginning of `line`, which stands at `offset`.
fn at(line: &str, offset: usize) -> Option<Dateline> {
    let found = DATELINE.as_ref()?.captures(line)?;
    let of = |name: &str| found.name(name).map_or("", |part| part.as_str());
    let place = of("place");
    if place.chars().filter(|c| c.is_uppercase()).count() < 3
        || NO_PLACES.contains(&place.split([' ', ',']).next().unwrap_or_default())
    {
        return None;
    }
    let dated = !of("date").is_empty();
    // Without a date, an abbreviation explained in brackets looks like an agency, and a hyphen like a dash.
    let credited = !of("slashed").is_empty() || (!of("agency").is_empty() && (dated || !of("tail").trim().is_empty()));
    let ended = !of("bare").is_empty() && (dated || !matches!(of("bare").trim(), "." | "-"));
    if !credited && !ended {
        return None;
    }
    let span = |name: &str| found.name(name).map(|m| Span::new(offset + m.start(), offset + m.end()));
    let whole = found.get(0)?.as_str().trim_end();
    Some(Dateline {
        span: Span::new(offset, offset + whole.len()),
        place: span("place"),
        date: span("date"),
        agency: span("agency").or_else(|| span("slashed")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        let found = dateline(text)?;
        let of = |span: Option<Span>| span.map_or("·", |s| s.of(text)).to_string();
        Some(format!("{} | {} | {}", of(found.place), of(found.date), of(found.agency)))
    }

    #[test]
    fn the_forms_of_the_agencies_are_read() {
        let cases = [
            ("SOCHI, October 18. /TASS/. The president", "SOCHI | October 18 | TASS"),
            ("MOSCOW, Oct 18 (Reuters) - The talks", "MOSCOW | Oct 18 | Reuters"),
            ("WASHINGTON (AP) — The talks", "WASHINGTON | · | AP"),
            ("PORT-AU-PRINCE, Haiti (AP) -- The talks", "PORT-AU-PRINCE, Haiti | · | AP"),
            ("BEIJING, March 3 (Xinhua) -- The talks", "BEIJING | March 3 | Xinhua"),
            ("NEW YORK, 5 May 2031 (AFP) - The talks", "NEW YORK | 5 May 2031 | AFP"),
            ("TEHRAN, Jan. 5 (MNA) – The talks", "TEHRAN | Jan. 5 | MNA"),
            ("KYIV, Ukraine — The talks", "KYIV, Ukraine | · | ·"),
            ("BERLIN — The talks", "BERLIN | · | ·"),
            ("ST. PETERSBURG, June 16, 2031. /TASS/. The talks", "ST. PETERSBURG | June 16, 2031 | TASS"),
            ("WASHINGTON, D.C. — The talks", "WASHINGTON, D.C. | · | ·"),
            ("Talks resume\n\nBy Ann Lee\n\n  ÅNGBY, May 1 (Nova News) – The talks", "ÅNGBY | May 1 | Nova News"),
            ("PORT LAVEL, May 1. The talks", "PORT LAVEL | May 1 | ·"),
        ];
        for (text, expected) in cases {
            assert_eq!(said(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "Talks resumed.",
            "BREAKING — Talks resumed.",
            "NATO said on Monday that the talks go on.",
            "US President Lind — who had left — came back.",
            "UN (United Nations) envoys met.",
            "NATO (North Atlantic Treaty Organization) envoys met.",
            "MOSCOW - the city - waited.",
            "A. B. Lee said so.",
            "QUESTION – What now?",
            "THE TALKS RESUMED. Envoys met.",
            "MOSCOW will not sign.",
            "I — who else — said so.",
            "a\nb\nc\nd\nMOSCOW, May 1 (AP) - too late",
            "",
            "\n\n",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn the_span_is_all_of_it_and_the_text_goes_on_behind() {
        let text = "Title\n\nSOCHI, October 18. /TASS/. The talks 🕊";
        let found = dateline(text).unwrap();
        assert_eq!(found.span.of(text), "SOCHI, October 18. /TASS/.");
        assert_eq!(&text[found.span.end..], " The talks 🕊");
    }
}
