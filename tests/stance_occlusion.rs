//! Which words drive a stance, with an engine whose reasons are known.

mod tiny_tokenizers;

use detente::document::StanceLabel;
use detente::encoder::{Encoder, Input};
use detente::error::{Error, Result};
use detente::stance::occlusion::{Influence, Part, influences};
use detente::stance::{StanceReader, StanceText};
use ndarray::{Array2, array};
use serde_json::json;
use std::sync::Arc;

/// Is sure of conciliatory when it reads one word, and fails at another.
struct OneWord {
    labels: Vec<String>,
    peace: i64,
    port: i64,
}

impl Encoder for OneWord {
    fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>> {
        if inputs.iter().any(|input| input.ids.contains(&self.port)) {
            return Err(Error::model("this word is too much"));
        }
        let answer =
            |input: &Input| if input.ids.contains(&self.peace) { array![[3.0, 0.0]] } else { array![[0.0, 0.0]] };
        Ok(inputs.iter().map(answer).collect())
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn max_tokens(&self) -> usize {
        64
    }
}

fn reader() -> StanceReader {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tiny_tokenizers::word_piece();
    let id = |word: &str| tokenizer["model"]["vocab"][word].as_i64().unwrap();
    let labels = ["conciliatory", "firm"].map(String::from).to_vec();
    let engine = OneWord { labels, peace: id("peace"), port: id("port") };
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2});
    tiny_tokenizers::write(folder.path(), &tokenizer, &config);
    StanceReader::load(folder.path(), Arc::new(engine)).unwrap()
}

fn text<'a>(left: &'a str, quote: &'a str, right: &'a str) -> StanceText<'a> {
    StanceText { quote, left, right, speaker: None }
}

#[test]
fn the_word_that_decides_has_all_the_weight_wherever_it_stands() {
    let asked = [
        (text("the minister", "talk peace the", "said"), StanceLabel::Conciliatory),
        (text("peace", "the", ""), StanceLabel::Firm),
        (text("", "peace", "peace"), StanceLabel::Conciliatory),
        (text("", "", ""), StanceLabel::Firm),
    ];
    for batch_tokens in [1, 16, 4096] {
        let found: Vec<Vec<Influence>> =
            influences(&reader(), &asked, batch_tokens).into_iter().map(Result::unwrap).collect();
        let decisive = |words: &[Influence]| -> Vec<(Part, String, f64)> {
            let felt = words.iter().filter(|word| word.change.unwrap().abs() > 1e-6);
            felt.map(|word| (word.part, word.word.clone(), (word.change.unwrap() * 1e3).round() / 1e3)).collect()
        };
        // From e³ / (e³ + 1) to one half.
        assert_eq!(decisive(&found[0]), [(Part::Quote, "peace".to_string(), 0.453)]);
        assert_eq!(decisive(&found[1]), [(Part::Left, "peace".to_string(), -0.453)]);
        assert!(decisive(&found[2]).is_empty(), "the same word is still there: {:?}", found[2]);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [6, 2, 2, 0]);
    }
}

#[test]
fn a_text_that_fails_costs_no_other() {
    let asked = [(text("", "peace", ""), StanceLabel::Firm), (text("", "the port", ""), StanceLabel::Firm)];
    let found = influences(&reader(), &asked, 4096);
    assert!(found[0].is_ok());
    assert!(found[1].as_ref().unwrap_err().message.contains("too much"));
}

#[test]
fn what_is_too_long_to_be_tried_is_still_told() {
    let long = "talk ".repeat(500);
    let found = influences(&reader(), &[(text("", &long, ""), StanceLabel::Firm)], 4096).remove(0).unwrap();
    assert_eq!(found.len(), 500);
    assert!(found[399].change.is_some() && found[400].change.is_none());
}
