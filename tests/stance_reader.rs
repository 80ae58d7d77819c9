//! What a stance model reads and what its answer means.

mod tiny_tokenizers;

use detente::document::{Evidence, NoSpeaker, Quote, QuoteKind, Span, Speaker, StanceLabel};
use detente::encoder::{Encoder, Input};
use detente::error::{ErrorKind, Result};
use detente::stance::{Scorer, StanceReader, StanceText, context};
use ndarray::{Array2, array};
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

struct FixedLabels(Vec<String>);

impl Encoder for FixedLabels {
    fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>> {
        Ok(inputs.iter().map(|_| array![[0.5, 2.0, 0.0]]).collect())
    }
    fn labels(&self) -> &[String] {
        &self.0
    }
    fn max_tokens(&self) -> usize {
        24
    }
}

fn reader(labels: &[&str], detente: serde_json::Value) -> Result<StanceReader> {
    let dir = tempfile::tempdir().unwrap();
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2, "detente": detente});
    tiny_tokenizers::write(dir.path(), &tiny_tokenizers::word_piece(), &config);
    StanceReader::load(dir.path(), Arc::new(FixedLabels(labels.iter().map(|l| l.to_string()).collect())))
}

fn quote(text: &str, parts: &[&str], cue: Option<&str>) -> Quote {
    let find = |s: &str| text.find(s).map(|at| Span::new(at, at + s.len())).unwrap();
    Quote {
        kind: QuoteKind::Direct,
        parts: parts.iter().map(|p| find(p)).collect(),
        cue: cue.map(find),
        speaker: Err(NoSpeaker::NoAttribution),
        confidence: 1.0,
        flags: vec![],
        stance: None,
    }
}

#[test]
fn context_is_cut_at_words_and_names_paragraphs() {
    let text = "Talks stall\n\nThe ministry answered on Monday. “We will wait,” Ana Ruiz said. “Then we sign.” More was not said.\n\nThe end.";
    let paragraphs = detente::text::segment::paragraphs(text);
    let quote = quote(text, &["We will wait,", "Then we sign."], Some("said"));
    let context = context::of_quote(text, &paragraphs, Some("Port Lavel talks"), &quote);
    assert_eq!(context.quote, "We will wait, Then we sign.");
    assert_eq!(context.left, "[Port Lavel talks] Talks stall | The ministry answered on Monday.");
    assert_eq!(context.right, "Ana Ruiz said. More was not said.");
    assert_eq!(context.speaker, None);
}

#[test]
fn context_of_a_long_text_is_short() {
    let text = format!("{}\n\n\"Never,\" he said {}", "before ".repeat(100), "after ".repeat(100));
    let paragraphs = detente::text::segment::paragraphs(&text);
    let context = context::of_quote(&text, &paragraphs, None, &quote(&text, &["Never,"], Some("said")));
    assert!((190..=203).contains(&context.left.chars().count()), "{}", context.left);
    assert!(context.left.starts_with("before ") && context.left.ends_with("before |"), "{:?}", context.left);
    assert!((150..=160).contains(&context.right.chars().count()), "{}", context.right);
    assert!(context.right.starts_with("he said after") && context.right.ends_with(" after"));
}

#[test]
fn a_speaker_without_a_cue_is_named() {
    let text = "Kremlin: Talks will go on";
    let mut quote = quote(text, &["Talks will go on"], None);
    quote.speaker = Ok(Speaker {
        mention: None,
        name: "Ana Ruiz".into(),
        role: None,
        country: None,
        evidence: Evidence::CarriedOver,
    });
    let context = context::of_quote(text, &[Span::new(0, text.len())], None, &quote);
    assert_eq!(context.text().pair().1, "Kremlin: Ana Ruiz said: …");
}

#[test]
fn a_speaker_named_already_is_not_named_twice() {
    let text = StanceText { quote: " a\n b ", left: "x\u{a0} Ruiz:", right: "y", speaker: Some("Ruiz") };
    assert_eq!(text.pair(), ("a b".into(), "x Ruiz: … y".into()));
}

#[test]
fn the_label_is_one_of_two_unless_neutral_is_allowed() {
    let labels = ["conciliatory", "firm", "neutral"].map(String::from);
    let scorer = Scorer::new(&labels, 1.0).unwrap();
    for (logits, two_way, three_way) in [
        ([3.0, 1.0, 0.0], StanceLabel::Conciliatory, StanceLabel::Conciliatory),
        ([1.0, 3.0, 0.0], StanceLabel::Firm, StanceLabel::Firm),
        ([1.0, 2.0, 9.0], StanceLabel::Firm, StanceLabel::Neutral),
        ([1.0, 1.0, 1.0], StanceLabel::Conciliatory, StanceLabel::Conciliatory),
    ] {
        assert_eq!(scorer.stance(&logits).unwrap().label, two_way, "{logits:?}");
        assert_eq!(scorer.clone().allow_neutral(true).stance(&logits).unwrap().label, three_way, "{logits:?}");
    }
}

#[test]
fn labels_come_in_any_order_and_temperature_softens() {
    let reader = reader(&["LABEL_F".trim_start_matches("LABEL_"), "n", "c"], json!({"temperature": 2.0})).unwrap();
    let stance = reader.stance(&array![[2.0, 0.0, 4.0]]).unwrap();
    // softmax of (4, 2, 0) / 2 = (2, 1, 0)
    for (found, expected) in [(stance.conciliatory, 0.665_241), (stance.firm, 0.244_728), (stance.neutral, 0.090_031)] {
        assert!((found - expected).abs() < 1e-5, "{stance:?}");
    }
    assert!((stance.score() - 0.420_512).abs() < 1e-5);
}

#[test]
fn a_two_way_model_never_says_neutral() {
    let reader = reader(&["firm", "conciliatory"], json!({})).unwrap().allow_neutral(true);
    let stance = reader.stance(&array![[1.0, 1.0]]).unwrap();
    assert_eq!((stance.conciliatory, stance.firm, stance.neutral), (0.5, 0.5, 0.0));
}

#[test]
fn a_folder_with_other_labels_is_refused() {
    for labels in [&["LABEL_0", "LABEL_1"][..], &["firm", "neutral"], &["c", "f", "c"], &[]] {
        let error = reader(labels, json!({})).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Model);
        assert!(error.help.unwrap().contains("id2label"));
    }
    assert!(reader(&["c", "f"], json!({"temperature": "hot"})).is_err());
    assert!(reader(&["c", "f"], json!({"temperature": 0})).is_err());
}

#[test]
fn the_encoders_limit_holds_and_what_is_cut_is_counted() {
    let reader = reader(&["c", "f", "n"], json!({})).unwrap();
    let words = "the ".repeat(30);
    let input = reader.input(&StanceText { quote: &words, ..Default::default() }).unwrap();
    // 24 − 3 special tokens leave 21 of 30, and the marker of the second text.
    assert_eq!((input.input.ids.len(), input.truncated), (24, 10));
    assert!(reader.stance(&array![[f32::NAN, 0.0, 0.0]]).is_err());
    assert!(reader.stance(&Array2::zeros((0, 3))).is_err());
}

proptest! {
    #[test]
    fn probabilities_sum_to_one(logits in proptest::array::uniform3(-50f32..50.0), temperature in 0.05f32..20.0) {
        let labels = ["conciliatory", "firm", "neutral"].map(String::from);
        let stance = Scorer::new(&labels, temperature).unwrap().stance(&logits).unwrap();
        prop_assert!((stance.conciliatory + stance.firm + stance.neutral - 1.0).abs() < 1e-5);
        prop_assert!((-1.0..=1.0).contains(&stance.score()));
        prop_assert_eq!(stance.label == StanceLabel::Firm, stance.firm > stance.conciliatory);
    }

    #[test]
    fn no_context_is_a_panic(text in "[\\PC\n\"“” ]{0,80}", start in 0usize..80, length in 0usize..40) {
        let start = text.floor_char_boundary(start.min(text.len()));
        let end = text.floor_char_boundary((start + length).min(text.len()));
        let mut quote = quote("x", &["x"], None);
        quote.parts = vec![Span::new(start, end)];
        let context = context::of_quote(&text, &detente::text::segment::paragraphs(&text), Some(&text), &quote);
        prop_assert!(context.left.chars().count() <= 300 && context.right.chars().count() <= 160);
    }
}

#[test]
fn reported_speech_is_read_with_the_cue_that_tells_how_it_is_meant() {
    let text = "Premier Ana Ruiz has refused to open the dam. She said that \"all doors\" are open.";
    let speaker = |role: Option<&str>| {
        let (name, role) = ("Ana Ruiz".to_string(), role.map(String::from));
        Ok(Speaker { mention: None, name, role, country: None, evidence: Evidence::Exact })
    };
    let mut refused = quote(text, &["to open the dam"], Some("has refused"));
    (refused.kind, refused.speaker) = (QuoteKind::Indirect, speaker(Some("Premier")));
    let mut said = quote(text, &["that \"all doors\" are open"], Some("said"));
    (said.kind, said.speaker) = (QuoteKind::Mixed, speaker(None));
    let mut nobody = refused.clone();
    nobody.speaker = Err(NoSpeaker::Unnamed);
    let pair = |quote| context::of_quote(text, &[Span::new(0, text.len())], Some("Title"), quote).text().pair();
    assert_eq!(
        pair(&refused),
        ("has refused to open the dam".into(), "[TASS headline; claim of Premier Ana Ruiz] …".into())
    );
    assert_eq!(pair(&said), ("\"all doors\" are open".into(), "[TASS headline; claim of Ana Ruiz] …".into()));
    assert_eq!(pair(&nobody).1, "[TASS headline; claim] …");
}
