//! Training data and dev score of the stance model: labelled quotes in, pairs of quote and context out.

use super::config::Training;
use super::fit::{Event, Outcome, Task, fit};
use super::{Example, Target, card, temperature};
use crate::document::StanceLabel;
use crate::encoder::rust_bert::{EngineOptions, RustBert};
use crate::encoder::{Encoder, Input, batches};
use crate::error::{Error, Result};
use crate::stance::input::pair_texts;
use crate::tokens::Tokens;
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// What `detente train stance --config` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StanceTraining {
    /// Settings all tasks share.
    pub training: Training,
    /// What to learn from.
    pub train: Vec<Source>,
    /// What chooses the best epoch (the mean of three-way and two-way macro F1) and fits the temperature.
    pub dev: PathBuf,
    /// Probability taken from the label and spread over all classes, where every annotator was sure.
    #[serde(default)]
    pub smoothing_sure: f32,
    /// The same where one was not.
    #[serde(default)]
    pub smoothing_unsure: f32,
    /// Share of rows that are also learned without their context, so that bare quotes are understood too; 0 to 1.
    #[serde(default)]
    pub bare: f32,
    /// What the card says of data, licence and use.
    #[serde(default)]
    pub card: card::CardText,
}

/// A JSONL file of labelled quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// How much its rows count.
    #[serde(default = "full")]
    pub weight: f32,
}

fn full() -> f32 {
    1.0
}

/// One labelled quote.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Row {
    pub(crate) quote: String,
    #[serde(default)]
    pub(crate) left: String,
    #[serde(default)]
    pub(crate) right: String,
    pub(crate) label: StanceLabel,
    #[serde(default)]
    pub(crate) annotators: Vec<StanceLabel>,
    #[serde(default)]
    pub(crate) sure: Vec<u8>,
}

/// Trains, fits the temperature on dev, and writes the model.
///
/// # Errors
/// As [`fit`], and when data cannot be read.
pub fn train(settings: &StanceTraining, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let labels: Vec<String> = StanceLabel::ALL.iter().map(|l| l.as_str().to_string()).collect();
    let mut config = super::config::base_config(&settings.training, "BertForSequenceClassification", &labels)?;
    if let Some(keys) = config.as_object_mut() {
        keys.insert(
            "detente".into(),
            serde_json::json!({"task": "stance", "max_tokens": settings.training.max_tokens}),
        );
    }
    let tokens = super::config::base_tokens(&settings.training, &config)?;
    let max_tokens = settings.training.max_tokens;

    let mut examples = Vec::new();
    for source in &settings.train {
        for (number, row) in read(&source.path)?.into_iter().enumerate() {
            let target = Target::Classes(settings.target(&row));
            examples.push(Example {
                input: input(&tokens, &row, max_tokens)?,
                target: target.clone(),
                weight: source.weight,
            });
            if is_chosen(number, settings.bare) && !(row.left.is_empty() && row.right.is_empty()) {
                let bare = Row { left: String::new(), right: String::new(), ..row };
                examples.push(Example { input: input(&tokens, &bare, max_tokens)?, target, weight: source.weight });
            }
        }
    }
    let dev = read(&settings.dev)?;
    let inputs: Vec<Input> = dev.iter().map(|r| input(&tokens, r, max_tokens)).collect::<Result<_>>()?;
    let gold: Vec<usize> = dev.iter().map(|r| class_of(r.label)).collect();
    let score = |encoder: &dyn Encoder| Ok(dev_score(&gold, &logits(encoder, &inputs)?));
    let task = Task { settings: &settings.training, config, examples, class_weights: None, score: &score };
    let outcome = fit(&task, show)?;

    let folder = &settings.training.output;
    let options = EngineOptions { device: settings.training.device, ..Default::default() };
    let best = RustBert::load(folder, &options)?;
    store_temperature(folder, temperature::fit(&logits(&best, &inputs)?, &gold))?;
    card::write(folder, "stance", settings, &settings.card, &outcome)?;
    Ok(outcome)
}

impl StanceTraining {
    /// The label with some doubt: spread evenly, and toward the annotators' votes where they differed.
    fn target(&self, row: &Row) -> Vec<f32> {
        let doubt = if row.sure.iter().all(|&s| s == 1) { self.smoothing_sure } else { self.smoothing_unsure };
        let votes = row.annotators.len().max(1) as f32;
        let differ = row.annotators.iter().any(|a| *a != row.label);
        StanceLabel::ALL
            .iter()
            .map(|class| {
                let own = f32::from(*class == row.label);
                let voted = row.annotators.iter().filter(|a| *a == class).count() as f32 / votes;
                let base = if differ { 0.5 * own + 0.5 * voted } else { own };
                (1.0 - doubt) * base + doubt / StanceLabel::ALL.len() as f32
            })
            .collect()
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<Row>> {
    let file = std::fs::File::open(path)
        .map_err(|e| Error::usage(e.to_string()).in_file(path).help("the configuration names where the data lies"))?;
    let mut rows = Vec::new();
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let at = |e: &dyn std::fmt::Display| Error::usage(e.to_string()).in_file(path).at_line(number as u64 + 1);
        rows.push(serde_json::from_str(&line.map_err(|e| at(&e))?).map_err(|e| at(&e))?);
    }
    Ok(rows)
}

fn input(tokens: &Tokens, row: &Row, max_tokens: usize) -> Result<Input> {
    let (quote, context) = pair_texts(&row.quote, &row.left, &row.right);
    Ok(tokens.pair(&quote, &context, max_tokens)?.input)
}

/// Chooses `share` of all row numbers, evenly spread.
fn is_chosen(number: usize, share: f32) -> bool {
    let chosen_before = |n: usize| (n as f64 * f64::from(share)).floor();
    chosen_before(number + 1) > chosen_before(number)
}

fn class_of(label: StanceLabel) -> usize {
    StanceLabel::ALL.iter().position(|l| *l == label).unwrap_or(0)
}

/// Logits of each input, in the order of [`StanceLabel::ALL`].
fn logits(encoder: &dyn Encoder, inputs: &[Input]) -> Result<Vec<[f32; 3]>> {
    let rows = batches::logits(encoder, inputs, 4096)?;
    Ok(rows.iter().map(|r| std::array::from_fn(|c| r.get((0, c)).copied().unwrap_or(f32::NEG_INFINITY))).collect())
}

/// The mean of three-way and two-way macro F1: who reports both should choose by both.
fn dev_score(gold: &[usize], logits: &[[f32; 3]]) -> f64 {
    let three: Vec<usize> = logits.iter().map(|l| likeliest(l)).collect();
    let sided = || gold.iter().zip(logits).filter(|(g, _)| **g < 2);
    let two_gold: Vec<usize> = sided().map(|(g, _)| *g).collect();
    let two: Vec<usize> = sided().map(|(_, l)| usize::from(l[1] > l[0])).collect();
    f64::midpoint(macro_f1(gold, &three, 3), macro_f1(&two_gold, &two, 2))
}

fn likeliest(logits: &[f32]) -> usize {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0)
}

fn macro_f1(gold: &[usize], predicted: &[usize], classes: usize) -> f64 {
    let count =
        |f: &dyn Fn(usize, usize) -> bool| gold.iter().zip(predicted).filter(|(g, p)| f(**g, **p)).count() as f64;
    let f1 = |c: usize| {
        let both = count(&|g, p| g == c && p == c);
        2.0 * both / (count(&|g, _| g == c) + count(&|_, p| p == c)).max(1.0)
    };
    (0..classes).map(f1).sum::<f64>() / classes as f64
}

fn store_temperature(folder: &Path, temperature: f64) -> Result<()> {
    let file = folder.join("config.json");
    let failed = |e: &dyn std::fmt::Display| Error::io(e.to_string()).in_file(&file);
    let text = std::fs::read_to_string(&file).map_err(|e| failed(&e))?;
    let mut config: serde_json::Value = serde_json::from_str(&text).map_err(|e| failed(&e))?;
    if let Some(keys) = config.get_mut("detente").and_then(|d| d.as_object_mut()) {
        keys.insert("temperature".into(), ((temperature * 1e4).round() / 1e4).into());
    }
    let text = serde_json::to_string_pretty(&config).map_err(|e| failed(&e))?;
    std::fs::write(&file, text + "\n").map_err(|e| failed(&e))
}
