//! Windows over text and words, with one tokenizer of each kind.

mod tiny_tokenizers;

use detente::document::Span;
use detente::tokens::{Tokens, WindowOptions, join_words};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

fn tokens(tokenizer: &Value, config: &Value) -> Tokens {
    let dir = tempfile::tempdir().unwrap();
    tiny_tokenizers::write(dir.path(), tokenizer, config);
    Tokens::from_folder(dir.path()).unwrap()
}

static KINDS: LazyLock<Vec<(&str, Tokens)>> = LazyLock::new(|| {
    tiny_tokenizers::all().into_iter().map(|(name, tokenizer, config)| (name, tokens(&tokenizer, &config))).collect()
});

fn all_kinds() -> Vec<(&'static str, Tokens)> {
    KINDS.clone()
}

/// Words as a segmenter would give them: no white space.
fn words(text: &str) -> Vec<Span> {
    let bounds = text.split_word_bound_indices().filter(|(_, w)| !w.trim().is_empty());
    bounds.map(|(start, w)| Span::new(start, start + w.len())).collect()
}

#[test]
fn each_piece_belongs_to_the_word_it_came_from() {
    let (_, tokenizer, config) = tiny_tokenizers::all().remove(0);
    let tokens = tokens(&tokenizer, &config);
    // Decomposed accent, non-breaking space, emoji, CRLF.
    let text = "Cafe\u{301}\u{a0}talks 🕊\r\nport";
    let words = words(text);
    assert_eq!(words.iter().map(|w| w.of(text)).collect::<Vec<_>>(), ["Cafe\u{301}", "talks", "🕊", "port"]);
    let windows = tokens.windows(text, &words).unwrap();
    assert_eq!(windows.len(), 1);
    // [CLS] c ##a ##f ##e talk ##s [UNK] port [SEP]
    let word_of: Vec<Option<u32>> = windows[0].word_of.clone();
    assert_eq!(
        word_of,
        [None, Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(2), Some(3), None],
        "{:?}",
        windows[0].input.ids
    );
}

#[test]
fn a_lone_space_piece_is_the_first_of_its_word() {
    for (name, tokens) in all_kinds() {
        let text = "a 🕊  z\nx";
        let window = &tokens.windows(text, &words(text)).unwrap()[0];
        let of: Vec<u32> = window.word_of.iter().flatten().copied().collect();
        let pieces = [0, 1, 2, 3].map(|word| of.iter().filter(|w| **w == word).count());
        let expected = match name {
            // Ġ and four bytes; of two spaces only the second touches the word; a line end is no space.
            "roberta" => [1, 5, 2, 1],
            // ▁ a ▁ [UNK] ▁ ▁ z [UNK] x, where the line end is unknown.
            "deberta-v2" => [2, 2, 2, 1],
            _ => [1, 1, 1, 1],
        };
        assert_eq!(pieces, expected, "{name}: {:?}", window.word_of);
    }
}

#[test]
fn truncation_and_padding_of_the_file_are_switched_off() {
    for (name, tokens) in all_kinds() {
        let text = "the talks ".repeat(12);
        let windows = tokens.windows(&text, &words(&text)).unwrap();
        assert!(windows[0].input.ids.len() > 16, "{name}");
        let short = tokens.windows("the", &words("the")).unwrap();
        assert!(short[0].input.ids.len() <= 5, "{name}: {:?}", short[0].input.ids);
    }
}

#[test]
fn special_tokens_written_in_a_text_are_only_letters() {
    for (name, tokens) in all_kinds() {
        let specials = tokens.windows("a", &words("a")).unwrap()[0].input.ids.clone();
        let (cls, sep) = (specials[0], specials[specials.len() - 1]);
        for text in ["a [SEP] b [CLS]", "a </s> b <s>"] {
            let input = &tokens.windows(text, &words(text)).unwrap()[0].input;
            let inner = &input.ids[1..input.ids.len() - 1];
            assert!(!inner.contains(&cls) && !inner.contains(&sep), "{name}: {text}: {inner:?}");
            let pair = tokens.pair(text, text, 64).unwrap().input.ids;
            let added = pair.iter().filter(|id| **id == cls || **id == sep).count();
            assert_eq!(added, if name == "roberta" { 4 } else { 3 }, "{name}: {text}: {pair:?}");
        }
    }
}

#[test]
fn roberta_cannot_use_two_of_its_positions() {
    let limits: Vec<usize> = all_kinds().iter().map(|(_, tokens)| tokens.model_max_tokens()).collect();
    assert_eq!(limits, [64, 64, 64]);
}

#[test]
fn a_word_longer_than_a_window_is_cut_and_counted() {
    for (name, tokens) in all_kinds() {
        let text = format!("the {} talks", "x7".repeat(45));
        let spans = [Span::new(0, 3), Span::new(4, 94), Span::new(95, 100)];
        let windows = tokens.windows(&text, &spans).unwrap();
        assert_eq!(windows.iter().map(|w| w.truncated).sum::<usize>(), 1, "{name}");
        assert!(windows.iter().all(|w| w.input.ids.len() <= 64), "{name}");
        assert_eq!(windows.last().unwrap().last_word, 2, "{name}");
    }
}

#[test]
fn case_of_words_goes_into_the_token_types() {
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 4, "detente": {"token_types": "case"}});
    let tokens = tokens(&tiny_tokenizers::word_piece(), &config);
    let given = tokens.windows_of_words(&["the", "Minister", "PEACE", "iPort"]).unwrap();
    // [CLS] the minister peace i ##p ##o ##r ##t [SEP]
    assert_eq!(given.windows[0].input.type_ids, [0, 0, 1, 2, 3, 3, 3, 3, 3, 0]);
    assert_eq!(given.text, "the Minister PEACE iPort");
    assert_eq!(given.spans[3].of(&given.text), "iPort");
}

#[test]
fn sentences_stay_whole_where_possible() {
    let (_, tokenizer, config) = tiny_tokenizers::all().remove(0);
    let options = WindowOptions { max_tokens: 14, overlap_tokens: 0 };
    let tokens = tokens(&tokenizer, &config).with_options(options).unwrap();
    let text = "the talks the peace. the minister the peace. the port.";
    let breaks = [0, 21, 45];
    let windows = tokens.windows_with_breaks(text, &words(text), &breaks).unwrap();
    let ranges: Vec<_> = windows.iter().map(|w| (w.first_word, w.last_word)).collect();
    assert_eq!(ranges, [(0, 9), (10, 12)]);
}

#[test]
fn pairs_have_the_form_the_model_was_trained_on() {
    let kinds = all_kinds();
    let ids = |name: &str| {
        let tokens = &kinds.iter().find(|(n, _)| *n == name).unwrap().1;
        tokens.pair("the", "the", 64).unwrap().input
    };
    let bert = ids("bert");
    assert_eq!(bert.type_ids, [0, 0, 0, 1, 1]);
    assert_eq!((bert.ids[0], bert.ids[2], bert.ids[4]), (2, 3, 3));
    let roberta = ids("roberta");
    // <s> t he </s> </s> t he </s>
    assert_eq!(roberta.type_ids, [0; 8]);
    assert_eq!((roberta.ids[3], roberta.ids[4], roberta.ids[7]), (2, 2, 2));
    // DeBERTa has no token types: zeros, whatever the post-processor says.
    assert_eq!(ids("deberta-v2").type_ids, [0; 5]);
}

#[test]
fn a_pair_loses_the_end_of_the_second_text_first() {
    let (_, tokenizer, config) = tiny_tokenizers::all().remove(0);
    let tokens = tokens(&tokenizer, &config);
    let whole = tokens.pair("the port", "peace the port", 64).unwrap();
    assert_eq!((whole.input.ids.len(), whole.truncated), (8, 0));
    let cut = tokens.pair("the port", "peace the port", 6).unwrap();
    assert_eq!((cut.input.ids.len(), cut.truncated), (6, 2));
    assert_eq!(cut.input.ids[..5], whole.input.ids[..5]);
    let cut_twice = tokens.pair("the port", "peace the port", 4).unwrap();
    assert_eq!((cut_twice.input.ids.len(), cut_twice.truncated), (4, 4));
    assert!(tokens.pair("the port", "peace", 3).is_err());
}

#[test]
fn wrong_folders_and_options_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Tokens::from_folder(dir.path()).unwrap_err().to_string().contains("config.json"));
    tiny_tokenizers::write(dir.path(), &json!({"model": 1}), &json!({}));
    assert!(Tokens::from_folder(dir.path()).unwrap_err().to_string().contains("tokenizer.json"));
    tiny_tokenizers::write(
        dir.path(),
        &tiny_tokenizers::word_piece(),
        &json!({"type_vocab_size": 2, "detente": {"token_types": "case"}}),
    );
    assert!(Tokens::from_folder(dir.path()).unwrap_err().to_string().contains("type_vocab_size"));
    let (_, tokens) = all_kinds().remove(0);
    assert!(tokens.clone().with_options(WindowOptions { max_tokens: 2, overlap_tokens: 0 }).is_err());
    assert!(tokens.clone().with_options(WindowOptions { max_tokens: 32, overlap_tokens: 20 }).is_err());
    for words in [[(0, 9), (9, 9)], [(0, 2), (2, 3)], [(3, 4), (0, 1)], [(0, 1), (0, 1)]] {
        assert!(tokens.windows("aß b", &words.map(|(s, e)| Span::new(s, e))).is_err(), "{words:?}");
    }
}

#[test]
fn no_words_no_windows() {
    for (name, tokens) in all_kinds() {
        assert_eq!(tokens.windows("", &[]).unwrap(), [], "{name}");
        assert_eq!(tokens.windows(" \u{a0}\r\n", &[]).unwrap(), [], "{name}");
    }
}

#[test]
fn long_runs_of_one_sign_are_read_to_their_end() {
    for unit in ["a", "a ", "e\u{301}", "\u{301}", "🕊", ".", "[SEP]", "\u{a0}", "▁", "ab\n", "\u{0}"] {
        let text = unit.repeat(50_000 / unit.len());
        let all = Span::new(0, text.len());
        let spans = detente::text::segment::words(&text, all);
        for (name, tokens) in all_kinds() {
            let windows = tokens.windows(&text, &spans).unwrap();
            assert!(windows.iter().all(|w| w.input.ids.len() <= 64));
            tokens.pair(&text, &text, 64).unwrap();
            assert!(windows.last().is_none_or(|w| w.last_word + 1 == spans.len()), "{name} {unit:?}");
        }
    }
}

/// Text with what breaks tokenizers: accents, combining marks, emoji, odd spaces, line ends, scripts, control characters.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[A-Za-z]{1,9}",
        1 => "[ÀÉßŁŞİıǅﬁ①½ñ]{1,4}",
        1 => "[a-z]\u{301}[a-z]\u{308}\u{323}",
        1 => "(🕊|👩‍👩‍👧|🇺🇳|❤\u{fe0f}|和平会谈|सन्धि|سلام|мир)",
        1 => "[.,;:!?\"“”’'«»—–()\\[\\]$%&]{1,3}",
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{ad}\u{200b}-\u{200f}\u{feff}\u{fffd}]{1,2}",
        1 => "(\\[SEP\\]|<s>|\\[UNK\\]|##s|▁|Ġ)",
        1 => "\\PC{1,6}",
    ];
    let space = prop_oneof![6 => Just(" "), 1 => Just(""), 1 => Just("\r\n"), 1 => Just("\u{a0}"), 1 => Just("\n\n"), 1 => Just("  ")];
    proptest::collection::vec((word, space), 0..60)
        .prop_map(|list| list.into_iter().flat_map(|(w, s)| [w, s.to_string()]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_hold_every_word_whole(text in text(), max_tokens in 8usize..64, overlap in 0usize..32, every in 1usize..9) {
        let words = words(&text);
        let breaks: Vec<usize> = words.iter().step_by(every).map(|w| w.start).collect();
        for (name, tokens) in all_kinds() {
            let overlap_tokens = overlap.min((max_tokens - 2) / 2);
            let tokens = tokens.with_options(WindowOptions { max_tokens, overlap_tokens }).unwrap();
            let windows = tokens.windows_with_breaks(&text, &words, &breaks).unwrap();
            let mut next = 0;
            for window in &windows {
                let length = window.input.ids.len();
                prop_assert!(length <= max_tokens, "{}", name);
                prop_assert_eq!(length, window.word_of.len());
                prop_assert_eq!(length, window.input.type_ids.len());
                prop_assert!(window.first_word <= next && window.last_word >= next, "{}: a word is left out", name);
                next = window.last_word + 1;
                let of: Vec<u32> = window.word_of.iter().flatten().copied().collect();
                prop_assert!(of.is_sorted());
                prop_assert!(of.iter().all(|w| (window.first_word..=window.last_word).contains(&(*w as usize))));
            }
            prop_assert_eq!(next, words.len());
            // A word reads the same in every window that holds it, unless one was too short for it.
            if windows.iter().all(|w| w.truncated == 0) {
                let mut seen: std::collections::HashMap<u32, Vec<i64>> = Default::default();
                for window in &windows {
                    let mut here: std::collections::HashMap<u32, Vec<i64>> = Default::default();
                    for (id, word) in window.input.ids.iter().zip(&window.word_of) {
                        if let Some(word) = word { here.entry(*word).or_default().push(*id); }
                    }
                    for (word, ids) in here {
                        prop_assert_eq!(seen.entry(word).or_insert_with(|| ids.clone()), &ids, "{}", name);
                    }
                }
            }
        }
    }

    // Unigram joins unknown letters of neighbouring words to one piece, so all letters here are known ones.
    #[test]
    fn words_that_are_letters_have_pieces(text in "([A-Za-z]{1,8}[ \u{a0}\r\n]{1,2}){1,20}") {
        let words = words(&text);
        for (name, tokens) in all_kinds() {
            let windows = tokens.windows(&text, &words).unwrap();
            for word in 0..words.len() as u32 {
                prop_assert!(windows.iter().any(|w| w.word_of.contains(&Some(word))), "{}: {:?}", name, words[word as usize].of(&text));
            }
        }
    }

    #[test]
    fn pairs_never_grow_too_long_and_lose_nothing_uncounted(first in text(), second in text(), max_tokens in 6usize..64) {
        for (name, tokens) in all_kinds() {
            let pair = tokens.pair(&first, &second, max_tokens).unwrap();
            prop_assert!(pair.input.ids.len() <= max_tokens, "{}", name);
            prop_assert_eq!(pair.input.ids.len(), pair.input.type_ids.len());
            prop_assert!(pair.truncated == 0 || pair.input.ids.len() == max_tokens, "{}", name);
        }
    }

    #[test]
    fn joined_words_stand_where_their_spans_say(words in proptest::collection::vec("\\PC{0,5}", 0..20)) {
        let (text, spans) = join_words(&words);
        for (word, span) in words.iter().zip(&spans) {
            prop_assert_eq!(span.of(&text), word);
        }
    }
}
