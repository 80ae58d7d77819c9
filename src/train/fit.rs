//! The training loop, the same for every task.

use super::checkpoint::{Checkpoint, Progress};
use super::config::Training;
use super::optimizer::AdamW;
use super::rounding::{self, Rounding};
use super::{Example, IGNORED, Target, schedule};
use crate::encoder::rust_bert::{RustBert, weights};
use crate::encoder::{Encoder, Input};
use crate::error::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::{Duration, Instant};
use tch::{Kind, Reduction, Tensor};

/// What a task hands to [`fit`].
pub struct Task<'a> {
    /// Settings of the run.
    pub settings: &'a Training,
    /// `config.json` of the model to be, with its labels.
    pub config: serde_json::Value,
    /// The training examples, one list an epoch, over again when there are more epochs. The lists are the same data cut in
    /// different ways; most tasks have one.
    pub examples: Vec<Vec<Example>>,
    /// How much each class counts in the loss; all alike when none.
    pub class_weights: Option<Vec<f32>>,
    /// Scores a model on the development set; higher is better.
    pub score: &'a dyn Fn(&dyn Encoder) -> Result<f64>,
}

impl Task<'_> {
    /// What epoch `number`, from 0, learns from.
    fn of_epoch(&self, number: usize) -> &[Example] {
        self.examples.get(number % self.examples.len().max(1)).map_or(&[], Vec::as_slice)
    }

    /// Steps of the epochs before epoch `number`.
    fn steps_before(&self, number: usize) -> usize {
        (0..number).map(|epoch| self.of_epoch(epoch).len().div_ceil(self.settings.batch_size.max(1))).sum()
    }
}

/// What happens during a run, for whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A run starts, or goes on after `epochs_done`.
    Start {
        /// Examples in the training set.
        examples: usize,
        /// Steps of the whole run.
        steps: usize,
        /// Epochs a former, interrupted run has finished.
        epochs_done: usize,
    },
    /// A step is done.
    Step {
        /// Steps so far.
        step: usize,
        /// Steps of the whole run.
        steps: usize,
        /// Running mean of the loss.
        loss: f64,
        /// What the rest will take.
        left: Duration,
    },
    /// An epoch is done and scored.
    Epoch {
        /// Number, from 1.
        epoch: usize,
        /// Mean loss of its steps.
        loss: f64,
        /// Score on dev.
        score: f64,
        /// Whether it is the best so far.
        best: bool,
    },
}

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Score on dev after each epoch.
    pub scores: Vec<f64>,
    /// The epoch whose weights were kept, from 1.
    pub best_epoch: usize,
    /// What storing the kept weights as f16 cost; none for runs from before this was measured.
    #[serde(default)]
    pub rounding: Option<Rounding>,
    /// Seconds of this (not of an interrupted earlier) run.
    pub seconds: f64,
    /// Training examples.
    pub examples: usize,
    /// Number format, device and threads, as they were.
    pub engine: String,
}

/// Trains; the best model by dev score ends up in `settings.output` (weights as f16, configuration, tokenizer).
///
/// An interrupted run goes on at its last finished epoch when called again with the same settings and data.
/// The same seed, settings, data, threads and libtorch give the same weights.
///
/// # Errors
/// When the base model cannot be loaded, nothing can be written, or the loss is no longer a number.
pub fn fit(task: &Task, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let started = Instant::now();
    let settings = task.settings;
    if task.examples.is_empty() || task.examples.iter().any(Vec::is_empty) {
        return Err(Error::usage("there is no training example").help("check the data paths of the configuration"));
    }
    let threads = settings.threads.unwrap_or_else(rayon::current_num_threads);
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1));
    tch::manual_seed(settings.seed as i64);
    let mut model = RustBert::for_training(&settings.base, task.config.clone(), settings.device)?;
    let mut optimizer = AdamW::new(model.parameters(), settings);
    model.set_precision(settings.precision);

    let checkpoint = Checkpoint::in_folder(&settings.output.join("unfinished"));
    let fingerprint = fingerprint(task);
    let mut progress = match checkpoint.progress(&fingerprint)? {
        Some(progress) => {
            checkpoint.restore(&mut optimizer, &progress)?;
            progress
        }
        None => Progress { fingerprint, epochs: 0, steps: 0, scores: Vec::new(), rounding: None },
    };
    let steps = task.steps_before(settings.epochs);
    let examples = task.of_epoch(0);
    show(&Event::Start { examples: examples.len(), steps, epochs_done: progress.epochs });

    while progress.epochs < settings.epochs && !out_of_patience(&progress.scores, settings.patience) {
        let loss = epoch(task, &model, &mut optimizer, progress.epochs, show)?;
        optimizer.show_average();
        let score = (task.score)(&model)?;
        let best = progress.scores.iter().all(|&s| score > s);
        if best {
            save(&optimizer, task, &settings.output)?;
            progress.rounding = Some(rounding::measure(&optimizer, settings, &task.config, examples)?);
        }
        optimizer.show_master();
        progress.epochs += 1;
        progress.steps = optimizer.steps;
        progress.scores.push(score);
        checkpoint.save(&optimizer, &progress)?;
        show(&Event::Epoch { epoch: progress.epochs, loss, score, best });
    }
    checkpoint.clear();
    Ok(Outcome {
        best_epoch: best_epoch(&progress.scores),
        scores: progress.scores,
        rounding: progress.rounding,
        seconds: started.elapsed().as_secs_f64(),
        examples: examples.len(),
        engine: format!("{} on {}, {threads} threads", settings.precision, settings.device),
    })
}

/// The first epoch with the highest score, from 1.
fn best_epoch(scores: &[f64]) -> usize {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter().position(|&s| s == best).map_or(0, |i| i + 1)
}

fn out_of_patience(scores: &[f64], patience: usize) -> bool {
    patience > 0 && scores.len() >= best_epoch(scores) + patience
}

/// A hash of everything that the weights depend on.
fn fingerprint(task: &Task) -> String {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_string(task.settings).unwrap_or_default());
    hash.update(task.config.to_string());
    hash.update(format!("{:?}", task.class_weights));
    for example in task.examples.iter().flatten() {
        hash.update(format!("{example:?}"));
    }
    hex::encode(hash.finalize())
}

/// One pass over the data; the mean loss.
fn epoch(
    task: &Task,
    model: &RustBert,
    optimizer: &mut AdamW,
    number: usize,
    show: &mut dyn FnMut(&Event),
) -> Result<f64> {
    let settings = task.settings;
    // Seeded anew for each epoch, so that a resumed run draws what the uninterrupted one would have drawn.
    let seed = settings.seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
    tch::manual_seed(seed as i64);
    let examples = task.of_epoch(number);
    let batches = bucketed(examples, settings.batch_size.max(1), &mut ChaCha8Rng::seed_from_u64(seed));
    let (first, steps) = (task.steps_before(number), task.steps_before(settings.epochs));
    let (started, count) = (Instant::now(), batches.len());
    let (mut sum, mut recent) = (0.0, f64::NAN);
    for (done, batch) in batches.iter().enumerate() {
        let batch: Vec<&Example> = batch.iter().filter_map(|&i| examples.get(i)).collect();
        let step = first + done;
        let loss = loss(model, &batch, task.class_weights.as_deref())?;
        // Gradients are asked for rather than left in the parameters: nothing to zero, nothing to add up.
        let gradients = Tensor::f_run_backward(&[&loss], &optimizer.weights(), false, false)
            .map_err(|e| Error::model(e.to_string()))?;
        let value = loss.double_value(&[]);
        if !value.is_finite() {
            return Err(Error::model(format!("the loss is {value} at step {}", step + 1)).help("lower learning_rate"));
        }
        optimizer.step(&gradients, settings.learning_rate * schedule::rate(step, steps, settings.warm_up));
        sum += value;
        recent = if recent.is_nan() { value } else { 0.98 * recent + 0.02 * value };
        let left = started.elapsed().div_f64((done + 1) as f64).mul_f64((steps - step - 1) as f64);
        show(&Event::Step { step: step + 1, steps, loss: recent, left });
    }
    Ok(sum / count.max(1) as f64)
}

/// Batches of similar length in random order: shuffled, sorted by length within stretches of fifty batches.
fn bucketed(examples: &[Example], batch_size: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.shuffle(rng);
    for stretch in order.chunks_mut(batch_size * 50) {
        stretch.sort_by_key(|&i| examples.get(i).map_or(0, |e| e.input.ids.len()));
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(batch_size).map(<[usize]>::to_vec).collect();
    batches.shuffle(rng);
    batches
}

/// Weighted mean cross-entropy of one batch.
fn loss(model: &RustBert, examples: &[&Example], class_weights: Option<&[f32]>) -> Result<Tensor> {
    let inputs: Vec<Input> = examples.iter().map(|e| e.input.clone()).collect();
    let logits = model.train_logits(&inputs)?.to_kind(Kind::Float);
    let device = logits.device();
    let classes = model.labels().len() as i64;
    let class_weights = class_weights.map(|w| Tensor::from_slice(w).to_device(device));
    let weights: Vec<f32> = examples.iter().map(|e| e.weight).collect();
    let weights = Tensor::from_slice(&weights).to_device(device);

    if examples.iter().all(|e| matches!(e.target, Target::Classes(_))) {
        let targets: Vec<f32> = examples.iter().flat_map(|e| class_targets(&e.target)).copied().collect();
        let mut targets = Tensor::from_slice(&targets).view([-1, classes]).to_device(device);
        if let Some(class_weights) = class_weights {
            targets *= class_weights;
        }
        let losses =
            -(targets * logits.log_softmax(-1, Kind::Float)).sum_dim_intlist([-1].as_slice(), false, Kind::Float);
        return Ok((losses * &weights).sum(Kind::Float) / weights.sum(Kind::Float));
    }
    let width = logits.size().get(1).copied().unwrap_or(0);
    let targets: Vec<i64> = examples.iter().flat_map(|e| token_targets(&e.target, width as usize)).collect();
    let targets = Tensor::from_slice(&targets).to_device(device);
    let losses = logits.view([-1, classes]).cross_entropy_loss(&targets, class_weights, Reduction::None, IGNORED, 0.0);
    let live = targets.ne(IGNORED).to_kind(Kind::Float) * weights.unsqueeze(1).expand([-1, width], false).reshape([-1]);
    Ok((losses * &live).sum(Kind::Float) / live.sum(Kind::Float).clamp_min(1e-6))
}

fn class_targets(target: &Target) -> &[f32] {
    match target {
        Target::Classes(probabilities) => probabilities,
        Target::Tokens(_) => &[],
    }
}

/// Targets of one row, padded to the batch's width.
fn token_targets(target: &Target, width: usize) -> Vec<i64> {
    let classes = match target {
        Target::Tokens(classes) => classes.as_slice(),
        Target::Classes(_) => &[],
    };
    classes.iter().copied().chain(std::iter::repeat(IGNORED)).take(width).collect()
}

/// Writes the averaged weights as f16 with configuration and tokenizer, each file whole or not at all.
fn save(optimizer: &AdamW, task: &Task, folder: &Path) -> Result<()> {
    let failed = |e: &dyn std::fmt::Display| Error::io(e.to_string()).in_file(folder);
    std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    let tensors: Vec<(String, Tensor)> = optimizer
        .slots
        .iter()
        .map(|s| (s.name.clone(), s.average.to_kind(Kind::Half).to_device(tch::Device::Cpu).contiguous()))
        .collect();
    let next = folder.join("next.safetensors");
    weights::write(&tensors, &next)?;
    std::fs::rename(&next, folder.join("model.safetensors")).map_err(|e| failed(&e))?;
    let config = serde_json::to_string_pretty(&task.config).map_err(|e| failed(&e))?;
    std::fs::write(folder.join("config.json"), config + "\n").map_err(|e| failed(&e))?;
    let tokenizer = "tokenizer.json";
    std::fs::copy(task.settings.base.join(tokenizer), folder.join(tokenizer)).map_err(|e| failed(&e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_take_the_lists_of_examples_in_turn() {
        let settings = "base = 'b'\noutput = 'o'\nepochs = 3\nlearning_rate = 0.1\nbatch_size = 2\nmax_tokens = 8\n";
        let settings: Training = toml::from_str(settings).unwrap();
        let example = || Example { input: Input::default(), target: Target::Tokens(Vec::new()), weight: 1.0 };
        let list = |n: usize| (0..n).map(|_| example()).collect::<Vec<_>>();
        let score = |_: &dyn Encoder| Ok(0.0);
        let config = serde_json::Value::Null;
        let task =
            Task { settings: &settings, config, examples: vec![list(3), list(5)], class_weights: None, score: &score };
        assert_eq!([0, 1, 2].map(|epoch| task.of_epoch(epoch).len()), [3, 5, 3]);
        assert_eq!([0, 1, 2, 3].map(|epoch| task.steps_before(epoch)), [0, 2, 5, 7]);
    }
}
