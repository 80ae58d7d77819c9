//! The engine against PyTorch: tiny models of random weights and the logits that transformers gives for them, which
//! `scripts/reference_models.py` makes.
#![cfg(feature = "libtorch")]

use detente::document::Span;
use detente::encoder::rust_bert::{EngineOptions, RustBert};
use detente::encoder::{Encoder, Input};
use detente::text::segment::{paragraphs, words};
use detente::tokens::{Tokens, WindowOptions};
use ndarray::Array2;
use serde::Deserialize;
use std::path::PathBuf;

/// The folders, and how far logits may be from PyTorch's.
const MODELS: [(&str, f32); 9] = [
    ("bert-tokens", 1e-4),
    ("bert-pairs", 1e-4),
    ("distilbert-tokens", 1e-4),
    ("distilbert-pairs", 1e-4),
    ("roberta-tokens", 1e-4),
    ("roberta-pairs", 1e-4),
    // `layer_norm_eps` of 1e-5, as published RoBERTa folders have it.
    ("roberta-eps-tokens", 1e-4),
    ("deberta-v3-tokens", 1e-4),
    ("deberta-v2-pairs", 1e-4),
];

#[derive(Deserialize)]
struct Reference {
    examples: Vec<Example>,
}

#[derive(Deserialize)]
struct Example {
    text: Option<String>,
    pair: Option<(String, String)>,
    ids: Vec<i64>,
    type_ids: Vec<i64>,
    logits: Vec<Vec<f32>>,
}

impl Example {
    fn input(&self) -> Input {
        Input { ids: self.ids.clone(), type_ids: self.type_ids.clone() }
    }
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/models").join(name)
}

fn examples(name: &str) -> Vec<Example> {
    let text = std::fs::read_to_string(folder(name).join("reference.json")).unwrap();
    serde_json::from_str::<Reference>(&text).unwrap().examples
}

fn load(name: &str) -> RustBert {
    RustBert::load(&folder(name), &EngineOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The largest difference; infinite when the shapes differ.
fn difference(found: &Array2<f32>, expected: &Array2<f32>) -> f32 {
    if found.dim() != expected.dim() {
        return f32::INFINITY;
    }
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn expected(example: &Example) -> Array2<f32> {
    let flat: Vec<f32> = example.logits.iter().flatten().copied().collect();
    Array2::from_shape_vec((example.logits.len(), example.logits[0].len()), flat).unwrap()
}

#[test]
fn logits_are_those_of_pytorch() {
    let mut wrong = Vec::new();
    for (name, tolerance) in MODELS {
        let model = load(name);
        for (i, example) in examples(name).iter().enumerate() {
            let found = &model.logits(&[example.input()]).unwrap()[0];
            let difference = difference(found, &expected(example));
            println!("{name} {i}: {} tokens, largest difference {difference:.1e}", example.ids.len());
            if difference > tolerance {
                wrong.push(format!("{name} {i}: {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn padding_in_a_batch_changes_nothing() {
    let mut wrong = Vec::new();
    for (name, _) in MODELS {
        let model = load(name);
        let inputs: Vec<Input> = examples(name).iter().map(Example::input).collect();
        let together = model.logits(&inputs).unwrap();
        for (i, (input, together)) in inputs.iter().zip(&together).enumerate() {
            let difference = difference(&model.logits(std::slice::from_ref(input)).unwrap()[0], together);
            if difference > 1e-5 {
                wrong.push(format!("{name} {i}: {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn token_types_matter_where_the_model_has_them() {
    for (name, has_types) in [("bert-tokens", true), ("distilbert-tokens", false), ("roberta-tokens", false)] {
        let model = load(name);
        let input = examples(name)[0].input();
        let zeros = Input { type_ids: vec![0; input.ids.len()], ..input.clone() };
        let found = model.logits(&[input, zeros]).unwrap();
        assert_eq!(difference(&found[0], &found[1]) > 0.1, has_types, "{name}");
    }
}

#[test]
fn our_tokens_are_those_of_the_python_library() {
    for (name, _) in MODELS {
        let tokens = Tokens::from_folder(&folder(name)).unwrap();
        assert_eq!(tokens.model_max_tokens(), load(name).max_tokens(), "{name}");
        let tokens = tokens.with_options(WindowOptions { max_tokens: 192, overlap_tokens: 0 }).unwrap();
        for example in examples(name) {
            if let Some((first, second)) = &example.pair {
                let pair = tokens.pair(first, second, 192).unwrap();
                assert_eq!((pair.input.ids, pair.truncated), (example.ids, 0), "{name}");
                assert_eq!(pair.input.type_ids, example.type_ids, "{name}");
            } else if let Some(text) = &example.text {
                let words: Vec<Span> = paragraphs(text).into_iter().flat_map(|p| words(text, p)).collect();
                let windows = tokens.windows(text, &words).unwrap();
                assert_eq!(windows.len(), 1, "{name}");
                assert_eq!(windows[0].input.ids, example.ids, "{name}: {text}");
            }
        }
    }
}
