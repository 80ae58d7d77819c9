//! Fine-tuning a classifier of texts, under any classes; the stance model is one.

use super::config::{self, Training};
use super::fit::{Event, Outcome, Task, fit};
use super::{Example, Target, temperature};
use crate::encoder::rust_bert::{EngineOptions, RustBert};
use crate::encoder::{Encoder, Input, batches};
use crate::error::{Error, Result};
use crate::evaluate::classes::Confusion;
use crate::stance::input::pair_texts;
use crate::tokens::Tokens;
use std::path::Path;

/// Tokens a batch when a model is asked.
const BATCH_TOKENS: usize = 4096;

/// What the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text.
    pub text: &'a str,
    /// What stands before and after it: text and context are then read as a pair.
    pub context: Option<(&'a str, &'a str)>,
}

/// A text with what the model should say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled<'a> {
    /// What the model reads.
    pub text: Text<'a>,
    /// The probability that each class should get; they sum to 1.
    pub target: Vec<f32>,
    /// How much it counts; 1 is normal.
    pub weight: f32,
}

/// A text of the development set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged<'a> {
    /// What the model reads.
    pub text: Text<'a>,
    /// Number of its class.
    pub class: usize,
}

/// The score of an epoch from gold classes and logits on dev; higher is better.
pub type DevScore = dyn Fn(&[usize], &[Vec<f32>]) -> f64;

/// What to train.
pub struct Job<'a> {
    /// Settings of the run.
    pub training: &'a Training,
    /// What stands as the model's task in its configuration.
    pub task: &'a str,
    /// Names of the classes.
    pub classes: &'a [String],
    /// What to learn from.
    pub train: &'a [Labelled<'a>],
    /// What chooses the best epoch and fits the temperature.
    pub dev: &'a [Judged<'a>],
    /// The score of an epoch.
    pub score: &'a DevScore,
}

/// The target of `class` with `doubt` taken from it and spread evenly over all classes.
pub fn smoothed(class: usize, classes: usize, doubt: f32) -> Vec<f32> {
    (0..classes).map(|at| (1.0 - doubt) * f32::from(u8::from(at == class)) + doubt / classes as f32).collect()
}

/// Trains, fits the temperature on dev, and writes the model folder.
///
/// # Errors
/// As [`fit`], and when there is nothing to choose an epoch by.
pub fn train(job: &Job, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    if job.dev.is_empty() {
        return Err(Error::usage("there is no development row to choose the best epoch by"));
    }
    let settings = job.training;
    let mut config = config::base_config(settings, "BertForSequenceClassification", job.classes)?;
    if let Some(keys) = config.as_object_mut() {
        keys.insert("detente".into(), serde_json::json!({"task": job.task, "max_tokens": settings.max_tokens}));
    }
    let tokens = config::base_tokens(settings, &config)?;
    let example = |row: &Labelled| {
        let input = input(&tokens, row.text, settings.max_tokens)?;
        Ok(Example { input, target: Target::Classes(row.target.clone()), weight: row.weight })
    };
    let examples = job.train.iter().map(example).collect::<Result<_>>()?;
    let dev: Vec<Text> = job.dev.iter().map(|row| row.text).collect();
    let gold: Vec<usize> = job.dev.iter().map(|row| row.class).collect();
    let inputs = inputs(&tokens, &dev, settings.max_tokens)?;
    let score = |encoder: &dyn Encoder| Ok((job.score)(&gold, &logits(encoder, &inputs)?));
    let outcome = fit(&Task { settings, config, examples: vec![examples], class_weights: None, score: &score }, show)?;
    let best = load(&settings.output, settings)?;
    store_temperature(&settings.output, temperature::fit(&logits(&best, &inputs)?, &gold))?;
    Ok(outcome)
}

/// The calibrated probability of each class for each text, by the model that [`train`] wrote with `settings`.
///
/// # Errors
/// When the model cannot be loaded or a text cannot be read.
pub fn probabilities(settings: &Training, texts: &[Text]) -> Result<Vec<Vec<f64>>> {
    let folder = &settings.output;
    let config = read_config(folder)?;
    let temperature = config.pointer("/detente/temperature").and_then(serde_json::Value::as_f64).unwrap_or(1.0);
    let tokens = config::base_tokens(settings, &config)?;
    let inputs = inputs(&tokens, texts, settings.max_tokens)?;
    let rows = logits(&load(folder, settings)?, &inputs)?;
    Ok(rows.iter().map(|row| softmax(row, temperature)).collect())
}

/// Macro F1 of the likeliest classes.
pub fn macro_f1(gold: &[usize], logits: &[Vec<f32>]) -> f64 {
    let classes = logits.first().map_or(0, Vec::len);
    let pairs = gold.iter().copied().zip(logits.iter().map(likeliest));
    Confusion::of(classes, pairs).macro_mean(Confusion::f1)
}

/// The class with the highest logit.
pub fn likeliest<'a>(logits: impl IntoIterator<Item = &'a f32>) -> usize {
    logits.into_iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}

fn load(folder: &Path, settings: &Training) -> Result<RustBert> {
    RustBert::load(folder, &EngineOptions { device: settings.device, ..EngineOptions::default() })
}

fn input(tokens: &Tokens, text: Text, max_tokens: usize) -> Result<Input> {
    let read = match text.context {
        Some((left, right)) => {
            let (text, context) = pair_texts(text.text, left, right);
            tokens.pair(&text, &context, max_tokens)?
        }
        None => tokens.single(text.text, max_tokens)?,
    };
    Ok(read.input)
}

fn inputs(tokens: &Tokens, texts: &[Text], max_tokens: usize) -> Result<Vec<Input>> {
    texts.iter().map(|text| input(tokens, *text, max_tokens)).collect()
}

fn logits(encoder: &dyn Encoder, inputs: &[Input]) -> Result<Vec<Vec<f32>>> {
    let rows = batches::logits(encoder, inputs, BATCH_TOKENS)?;
    Ok(rows.iter().map(|row| row.row(0).to_vec()).collect())
}

fn softmax(logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled = || logits.iter().map(|logit| f64::from(*logit) / temperature);
    let top = scaled().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scaled().map(|logit| (logit - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn read_config(folder: &Path) -> Result<serde_json::Value> {
    let file = folder.join("config.json");
    let failed = |e: &dyn std::fmt::Display| Error::io(e.to_string()).in_file(&file);
    let text = std::fs::read_to_string(&file).map_err(|e| failed(&e))?;
    serde_json::from_str(&text).map_err(|e| failed(&e))
}

fn store_temperature(folder: &Path, temperature: f64) -> Result<()> {
    let mut config = read_config(folder)?;
    if let Some(keys) = config.get_mut("detente").and_then(|d| d.as_object_mut()) {
        keys.insert("temperature".into(), ((temperature * 1e4).round() / 1e4).into());
    }
    let file = folder.join("config.json");
    let failed = |e: &dyn std::fmt::Display| Error::io(e.to_string()).in_file(&file);
    let text = serde_json::to_string_pretty(&config).map_err(|e| failed(&e))?;
    std::fs::write(&file, text + "\n").map_err(|e| failed(&e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_is_spread_over_all_classes() {
        let target = smoothed(1, 4, 0.2);
        assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((target[1] - 0.85).abs() < 1e-6 && (target[0] - 0.05).abs() < 1e-6, "{target:?}");
    }
}
