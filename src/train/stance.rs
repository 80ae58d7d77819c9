//! Training data and dev score of the stance model: labelled quotes in, pairs of quote and context out.

use super::config::Training;
use super::fit::{Event, Outcome};
use super::{card, classes};
use crate::document::StanceLabel;
use crate::error::{Error, Result};
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
/// As [`classes::train`], and when data cannot be read.
pub fn train(settings: &StanceTraining, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let labels: Vec<String> = StanceLabel::ALL.iter().map(|l| l.as_str().to_string()).collect();
    let sources = settings.train.iter().map(|source| Ok((read(&source.path)?, source.weight)));
    let sources: Vec<(Vec<Row>, f32)> = sources.collect::<Result<_>>()?;
    let train: Vec<classes::Labelled> =
        sources.iter().flat_map(|(rows, weight)| settings.labelled(rows, *weight)).collect();
    let dev = read(&settings.dev)?;
    let dev: Vec<classes::Judged> =
        dev.iter().map(|row| classes::Judged { text: text(row), class: row.label as usize }).collect();
    let job = classes::Job {
        training: &settings.training,
        task: "stance",
        classes: &labels,
        train: &train,
        dev: &dev,
        score: &dev_score,
    };
    let outcome = classes::train(&job, show)?;
    card::write(&settings.training.output, "stance", settings, &settings.card, &outcome)?;
    Ok(outcome)
}

fn text(row: &Row) -> classes::Text<'_> {
    classes::Text { text: &row.quote, context: Some((&row.left, &row.right)) }
}

impl StanceTraining {
    fn labelled<'a>(&self, rows: &'a [Row], weight: f32) -> Vec<classes::Labelled<'a>> {
        let learned = |row: &'a Row| classes::Labelled { text: text(row), target: self.target(row), weight };
        rows.iter().map(learned).collect()
    }

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

/// The mean of three-way and two-way macro F1: who reports both should choose by both.
pub(crate) fn dev_score(gold: &[usize], logits: &[Vec<f32>]) -> f64 {
    let sides = |logits: &[f32]| logits.iter().copied().take(StanceLabel::Neutral as usize).collect::<Vec<f32>>();
    let sided = gold.iter().zip(logits).filter(|(gold, _)| **gold < StanceLabel::Neutral as usize);
    let (two_gold, two): (Vec<usize>, Vec<Vec<f32>>) = sided.map(|(gold, row)| (*gold, sides(row))).unzip();
    f64::midpoint(classes::macro_f1(gold, logits), classes::macro_f1(&two_gold, &two))
}
