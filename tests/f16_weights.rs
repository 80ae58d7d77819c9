//! What storing weights as f16 costs. The f32 weights that were rounded are gone; so each stored weight is moved at random
//! within what rounding can have taken from it, and the logits of both are compared on the articles of `datasets/wire`.
//! (`detente train` compares with the f32 weights themselves and writes what it finds to `training.json`.)
#![cfg(feature = "libtorch")]

use detente::encoder::rust_bert::{EngineOptions, RustBert};
use detente::encoder::{Encoder, Input, batches};
use detente::text::segment::{paragraphs, words};
use detente::tokens::Tokens;
use ndarray::Array2;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Windows of the first articles, as the model reads them.
fn inputs(folder: &Path) -> Vec<Input> {
    let tokens = Tokens::from_folder(folder).unwrap();
    let records = std::fs::read_to_string(root().join("datasets/wire/wire.jsonl")).unwrap();
    let of_article = |line: &str| -> Vec<Input> {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = record["text"].as_str().unwrap();
        let words: Vec<_> = paragraphs(text).into_iter().flat_map(|p| words(text, p)).collect();
        tokens.windows(text, &words).unwrap().into_iter().map(|window| window.input).collect()
    };
    records.lines().take(8).flat_map(of_article).collect()
}

/// The weight before it was rounded, or another that rounds to the same: half a unit in the last place to either side.
fn unrounded(weight: &Tensor) -> Tensor {
    let weight = weight.to_kind(Kind::Float);
    // The smallest exponent is that of f16's subnormal numbers.
    let exponent = weight.abs().clamp_min(2f64.powi(-14)).log2().floor();
    let half_unit = Tensor::from(2f32).pow(&(exponent - 11));
    &weight + (weight.rand_like() * 2 - 1) * half_unit
}

/// A copy of the model with such weights.
fn twin(folder: &Path, to: &Path) -> PathBuf {
    std::fs::copy(folder.join("config.json"), to.join("config.json")).unwrap();
    let stored = Tensor::read_safetensors(folder.join("model.safetensors")).unwrap();
    let moved: Vec<(String, Tensor)> = stored.into_iter().map(|(name, w)| (name, unrounded(&w))).collect();
    Tensor::write_safetensors(&moved, to.join("model.safetensors")).unwrap();
    to.to_path_buf()
}

fn logits(folder: &Path, inputs: &[Input]) -> Vec<Array2<f32>> {
    let model = RustBert::load(folder, &EngineOptions::default()).unwrap();
    assert!(!model.labels().is_empty());
    batches::logits(&model, inputs, 2048).unwrap()
}

fn likeliest(row: ndarray::ArrayView1<f32>) -> Option<usize> {
    row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class)
}

#[test]
fn storing_f16_changes_hardly_any_label() {
    tch::manual_seed(1);
    for name in ["entities", "quotes", "stance"] {
        let folder = root().join("models").join(name);
        let inputs = inputs(&folder);
        let temporary = tempfile::tempdir().unwrap();
        let (stored, exact) = (logits(&folder, &inputs), logits(&twin(&folder, temporary.path()), &inputs));
        let (mut largest, mut rows, mut same) = (0f32, 0, 0);
        for (a, b) in stored.iter().zip(&exact) {
            largest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(largest, f32::max);
            for (a, b) in a.rows().into_iter().zip(b.rows()) {
                rows += 1;
                same += usize::from(likeliest(a) == likeliest(b));
            }
        }
        println!("{name}: logits differ by at most {largest:.1e}, {same} of {rows} labels are the same");
        assert!(largest > 0.0 && largest < 0.2, "{name}: {largest}");
        assert!(same * 1000 >= rows * 995, "{name}: {same} of {rows}");
    }
}
