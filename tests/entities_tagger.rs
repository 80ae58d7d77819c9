//! From logits to entities, with models that are functions of the word pieces.

mod tiny_tokenizers;

use detente::document::Span;
use detente::encoder::{Encoder, Input};
use detente::entities::tags::Scheme;
use detente::entities::{Decoder, EntityTagger, WordSpan, bio_tags, spans_of_tags};
use detente::error::Result;
use detente::tokens::{Tokens, Window, WindowOptions};
use ndarray::{Array2, array};
use proptest::prelude::*;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use unicode_segmentation::UnicodeSegmentation;

/// A model whose label for a piece depends on the piece and the one before, as `label_of` says.
struct Lookup {
    labels: Vec<String>,
    label_of: fn(before: i64, id: i64) -> usize,
}

impl Encoder for Lookup {
    fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>> {
        let logits = |input: &Input| {
            let mut logits = Array2::zeros((input.ids.len(), self.labels.len()));
            for (i, id) in input.ids.iter().enumerate() {
                let before = if i == 0 { 0 } else { input.ids[i - 1] };
                logits[[i, (self.label_of)(before, *id)]] = 4.0;
            }
            logits
        };
        Ok(inputs.iter().map(logits).collect())
    }
    fn labels(&self) -> &[String] {
        &self.labels
    }
    fn max_tokens(&self) -> usize {
        64
    }
}

static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2});
    Tokens::new(serde_json::from_value(tiny_tokenizers::word_piece()).unwrap(), &config).unwrap()
});

fn tokens() -> Tokens {
    TOKENS.clone()
}

fn tagger(labels: &[&str], label_of: fn(i64, i64) -> usize) -> EntityTagger {
    let labels = labels.iter().map(|l| l.to_string()).collect();
    EntityTagger::new(tokens(), Arc::new(Lookup { labels, label_of })).unwrap()
}

/// The id of a piece of the tiny vocabulary.
fn id_of(word: &str) -> i64 {
    TOKENS.windows_of_words(&[word]).unwrap().windows[0].input.ids[1]
}

fn words(text: &str) -> Vec<Span> {
    text.split_word_bound_indices()
        .filter(|(_, w)| !w.trim().is_empty())
        .map(|(start, w)| Span::new(start, start + w.len()))
        .collect()
}

fn entities(tagger: &EntityTagger, text: &str, breaks: &[usize]) -> Vec<(String, String)> {
    let words = words(text);
    let windows = tagger.windows(text, &words).unwrap();
    let inputs: Vec<Input> = windows.iter().map(|w| w.input.clone()).collect();
    let logits = tagger.encoder().logits(&inputs).unwrap();
    let found = tagger.decode_with_breaks(&words, &windows, &logits, breaks).unwrap();
    found.into_iter().map(|e| (e.kind, e.span.of(text).to_string())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(k, t)| (k.to_string(), t.to_string())).collect()
}

/// Words that start with `p` begin a place, `m` a person, `t` goes on with whatever there is; `p` `m` `t` are pieces of
/// the tiny vocabulary.
fn by_first_letter(labels: [usize; 4]) -> impl Fn(i64) -> usize {
    let ids = ["p", "m", "t"].map(id_of);
    move |id| ids.iter().position(|known| *known == id).map_or(labels[3], |at| labels[at])
}

#[test]
fn an_entity_is_whole_words_whatever_their_pieces_say() {
    // `port` begins a place, `peace` goes on with it; all other pieces of words say person.
    fn label(_: i64, id: i64) -> usize {
        match id {
            id if id == id_of("port") => 1,
            id if id == id_of("peace") => 2,
            id if id < 4 || id == id_of("a") => 0,
            _ => 3,
        }
    }
    let tagger = tagger(&["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], label);
    // port ##s and port ##ing are one word each.
    let found = entities(&tagger, "a Ports \u{a0}peaceing\r\na", &[]);
    assert_eq!(found, pairs(&[("LOC", "Ports \u{a0}peaceing")]));
}

#[test]
fn every_scheme_gives_the_same_entities() {
    fn plain(_: i64, id: i64) -> usize {
        by_first_letter([1, 2, 1, 0])(id)
    }
    fn bio(_: i64, id: i64) -> usize {
        by_first_letter([1, 3, 2, 0])(id)
    }
    fn bioes(before: i64, id: i64) -> usize {
        let label = by_first_letter([1, 4, 3, 0])(id);
        if label == 3 && before != id_of("p") { 2 } else { label }
    }
    let text = "a m a p t a";
    let expected = pairs(&[("PER", "m"), ("LOC", "p t")]);
    assert_eq!(entities(&tagger(&["O", "LOC", "PER"], plain), text, &[]), expected);
    assert_eq!(entities(&tagger(&["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], bio), text, &[]), expected);
    assert_eq!(entities(&tagger(&["O", "B-LOC", "I-LOC", "E-LOC", "S-PER", "S-LOC"], bioes), text, &[]), expected);
}

#[test]
fn a_break_ends_an_entity() {
    fn label(_: i64, id: i64) -> usize {
        by_first_letter([1, 3, 2, 0])(id)
    }
    let tagger = tagger(&["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], label);
    assert_eq!(entities(&tagger, "p t\n\nt a", &[]), pairs(&[("LOC", "p t\n\nt")]));
    assert_eq!(entities(&tagger, "p t\n\nt a", &[5]), pairs(&[("LOC", "p t")]));
}

#[test]
fn sentences_get_a_tag_a_word() {
    fn label(_: i64, id: i64) -> usize {
        by_first_letter([1, 3, 2, 0])(id)
    }
    let tagger = tagger(&["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], label);
    let sentences = [vec!["a", "p", "t"], vec![], vec!["t", "\u{200b}", "", "p x"], vec!["m"]];
    let tags = tagger.tag_sentences(&sentences).unwrap();
    let expected = [vec!["O", "B-LOC", "I-LOC"], vec![], vec!["O", "O", "O", "B-LOC"], vec!["B-PER"]];
    assert_eq!(tags, expected);
    assert_eq!(tagger.tag_words(&["m"]).unwrap(), ["B-PER"]);
    assert_eq!(tagger.tag_words::<&str>(&[]).unwrap(), [""; 0]);
    assert_eq!(tagger.tag_sentences::<&str>(&[]).unwrap(), [[""; 0]; 0]);
}

#[test]
fn a_word_is_read_where_it_has_most_around_it() {
    let labels = ["O", "B-X", "I-X"].map(String::from);
    let window = |first: usize, last: usize| Window {
        word_of: (first..=last).map(|w| Some(w as u32)).collect(),
        first_word: first,
        last_word: last,
        ..Default::default()
    };
    // Words 0–5 and 2–9 of 10: words 2 and 3 are deeper in the first window, 4 and 5 in the second.
    let windows = [window(0, 5), window(2, 9)];
    let all =
        |label: usize, words: usize| Array2::from_shape_fn((words, 3), |(_, l)| if l == label { 3.0 } else { 0.0 });
    let spans = Decoder::new(&labels).unwrap().word_spans(10, &windows, &[all(1, 6), all(0, 8)]).unwrap();
    let found: Vec<_> = spans.iter().map(|s| s.words.clone()).collect();
    assert_eq!(found, [0..1, 1..2, 2..3, 3..4]);
}

#[test]
fn the_score_is_the_mean_probability_of_the_type() {
    let labels = ["O", "B-X", "I-X"].map(String::from);
    let window = Window { word_of: vec![None, Some(0), Some(1), None], last_word: 1, ..Default::default() };
    let half = 2f32.ln();
    // Probabilities (O, B, I): word 0 (1/4, 1/2, 1/4), word 1 (1/8, 1/8, 3/4).
    let logits = array![[9.0, 0.0, 0.0], [0.0, half, 0.0], [0.0, 0.0, 6f32.ln()], [0.0, 9.0, 0.0]];
    let found = Decoder::new(&labels).unwrap().scored_spans(2, &[window], &[logits], &[]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, WordSpan { words: 0..2, kind: "X".into() });
    assert!((found[0].1 - (0.75 + 0.875) / 2.0).abs() < 1e-6, "{}", found[0].1);
}

#[test]
fn labels_that_mean_iob1_need_to_be_told() {
    let labels = ["O", "B-X", "I-X"].map(String::from);
    let window = Window { word_of: vec![Some(0)], ..Default::default() };
    let inside = || vec![array![[0.0, -5.0, 5.0]]];
    let bio = Decoder::new(&labels).unwrap();
    let iob1 = Decoder::with_scheme(&labels, Scheme::Iob1).unwrap();
    assert_eq!(bio.word_spans(1, std::slice::from_ref(&window), &inside()).unwrap(), []);
    assert_eq!(iob1.word_spans(1, std::slice::from_ref(&window), &inside()).unwrap().len(), 1);
}

#[test]
fn logits_that_do_not_fit_are_errors() {
    let labels = ["O", "X"].map(String::from);
    let decoder = Decoder::new(&labels).unwrap();
    let window = || [Window { word_of: vec![None, Some(0)], ..Default::default() }];
    assert!(decoder.word_spans(1, &window(), &[]).is_err());
    assert!(decoder.word_spans(1, &window(), &[Array2::zeros((1, 2))]).is_err());
    assert!(decoder.word_spans(1, &window(), &[Array2::zeros((2, 3))]).is_err());
    assert!(decoder.word_spans(0, &window(), &[Array2::zeros((2, 2))]).is_err());
    assert!(decoder.word_spans(1, &window(), &[array![[0.0, 0.0], [f32::NAN, 0.0]]]).is_err());
    assert!(Decoder::new(&[]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The model here looks at single pieces, so only merging could make a difference.
    #[test]
    fn window_size_changes_no_answer(text in "([pmtax]{1,3}[ .\n]{1,2}){1,80}", max_tokens in 10usize..64, overlap in 0usize..4) {
        fn label(_: i64, id: i64) -> usize {
            (id % 5) as usize
        }
        let labels: Vec<String> = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"].map(String::from).to_vec();
        let whole = tagger(&["O", "B-LOC", "I-LOC", "B-PER", "I-PER"], label);
        let options = WindowOptions { max_tokens, overlap_tokens: overlap };
        let cut = EntityTagger::new(tokens().with_options(options).unwrap(), Arc::new(Lookup { labels, label_of: label })).unwrap();
        prop_assert_eq!(entities(&whole, &text, &[]), entities(&cut, &text, &[]));
    }

    #[test]
    fn tags_and_spans_say_the_same(tags in proptest::collection::vec(prop_oneof!["O", "[BI]-[XY]"], 0..12)) {
        let spans = spans_of_tags(&tags);
        let written = bio_tags(tags.len(), &spans);
        prop_assert_eq!(&spans_of_tags(&written), &spans);
        for (given, written) in tags.iter().zip(&written) {
            prop_assert_eq!(given == "O", written == "O");
            prop_assert_eq!(given.get(2..), written.get(2..));
        }
    }
}
