//! What holds for every text: no panic, spans that lie in order on character boundaries and between marks, time that
//! grows with length only.

use detente::document::{Quote, QuoteKind, Span};
use detente::quotes;
use proptest::prelude::*;

/// Checks what every list of quotes keeps.
fn assert_sound(text: &str, quotes: &[Quote]) {
    let mut end = 0;
    for quote in quotes {
        assert!(!quote.parts.is_empty());
        for part in &quote.parts {
            assert!(part.start >= end && part.start < part.end, "parts overlap or are empty in {text:?}");
            assert!(text.get(part.range()).is_some_and(|s| s.trim() == s), "not a trimmed stretch of {text:?}");
            end = part.end;
        }
        assert!((0.0..=1.0).contains(&quote.confidence));
        for span in quote.cue.iter().chain(quote.speaker.iter().flat_map(|s| s.mention.iter())) {
            assert!(span.start < span.end && text.get(span.range()).is_some(), "cue or mention outside {text:?}");
            assert!(quote.parts.iter().all(|p| !p.overlaps(*span)), "cue or mention inside its own quote in {text:?}");
        }
        assert!(quote.speaker.as_ref().map_or(true, |s| !s.name.trim().is_empty()));
    }
}

/// Pieces that real articles are made of, so that random rows of them come near real text.
const PIECES: &[&str] = &[
    "\"",
    "“",
    "”",
    "„",
    "«",
    "»",
    "'",
    "’",
    "‘",
    "''",
    "``",
    "—",
    "- ",
    ", ",
    ". ",
    "? ",
    ": ",
    "\n",
    "\n\n",
    "\r\n",
    " ",
    "\u{a0}",
    "said ",
    "Anna Lind ",
    "Lind ",
    "he ",
    "she ",
    "the Russian leader ",
    "Moscow ",
    "according to ",
    "quoted as saying ",
    "adding ",
    "that ",
    "We will sign",
    "a grave mistake",
    "if they do",
    "it",
    "6'2\"",
    "'90s",
    "ministers'",
    "don't",
    "🕊",
    "e\u{301}",
    "（",
    "(",
    ")",
    "President ",
    "a spokesman for ",
    "the ministry",
    "and ",
    "who ",
    "called ",
    "…",
    "\u{200d}",
    "U.S. ",
    "Gen. ",
    "of ",
    "İ",
    "ﬁ",
];

/// `PROPTEST_CASES` fuzzes for longer.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(512);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_breaks_it(text in "\\PC{0,80}|[\\s\\S]{0,80}") {
        assert_sound(&text, &quotes::find(&text));
    }

    #[test]
    fn no_row_of_marks_and_words_breaks_it(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        let text = pieces.concat();
        assert_sound(&text, &quotes::find(&text));
    }

    #[test]
    fn text_without_marks_has_no_quotes_but_headlines(text in "[a-zA-Z ,.:\n]{0,200}") {
        prop_assert!(quotes::find(&text).iter().all(|q| q.kind == QuoteKind::Indirect && q.cue.is_none()));
    }

    #[test]
    fn a_paragraph_after_it_leaves_a_quote_alone(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..30)) {
        let first = "\"We will sign the paper,\" Anna Lind said.\n\n";
        let text = format!("{first}{}", pieces.concat());
        let found = quotes::find(&text);
        prop_assert_eq!(found[0].parts.first().copied(), Some(Span::new(1, 24)));
        let mention = found[0].speaker.as_ref().ok().and_then(|s| s.mention);
        prop_assert_eq!(mention.map(|m| m.of(&text)), Some("Anna Lind"));
    }
}

#[test]
fn long_runs_of_one_row_are_read_to_their_end() {
    let units = [
        "\"",
        "\" ",
        "“",
        "”",
        "'",
        " '",
        "' ",
        "«",
        "\"a\" ",
        "\"a\", ",
        "'a' ",
        "a",
        "a ",
        "A ",
        "\n\"",
        "\"a.\n",
        "“a ‘b ",
        "s' ",
        "5\" ",
        "\"We will go,\" he said. ",
        "He said \"we\" and ",
        "A, a doctor, ",
        "of A ",
        "Lee said that ",
        "’s ",
        "\"a\"",
        "'\"",
        "and \"b\" ",
        "the A of the B for ",
        "\"We will go.\"\n",
        ", Lee said ",
    ];
    for unit in units {
        let text = unit.repeat(400_000 / unit.len());
        assert_sound(&text, &quotes::find(&text));
    }
}

/// What random texts broke once.
#[test]
fn a_joiner_at_the_very_start_of_the_text_has_nothing_before_it() {
    for text in ["&a\"\u{8e3}", "&A \"b\"", "\"\" ''A", "of A \"b c d\"", "’s \"We go.\""] {
        assert_sound(text, &quotes::find(text));
    }
}

/// Found in 400,000 random rows of marks and words.
#[test]
fn a_quote_whose_marks_nest_wrongly_is_not_its_own_cue() {
    let text = "\"\"quoted as saying «the Russian leader We will sign«- İquoted as saying ";
    assert_sound(text, &quotes::find(text));
    let text = "if they doU.S. e\u{301}'he who 'said Moscow she )he »the ministry»ite\u{301}ﬁU.S. adding 🕊（don'tquoted as saying he quoted as \
                saying «（We will signquoted as saying ﬁof Moscow : 🕊», İquoted as saying 6'2\"she ";
    assert_sound(text, &quotes::find(text));
}
