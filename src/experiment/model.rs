//! Trains the model of a setting and asks it about the rows to score.

use super::data::Row;
use super::spec::{Experiment, ModelKind, Setting};
use crate::error::{Error, Result};
use crate::evaluate::baseline::BagOfWords;
use std::path::{Path, PathBuf};

/// Rows to train on, to choose by and to score.
pub(super) struct Split {
    pub(super) train: Vec<Row>,
    /// Empty where the model has nothing to choose.
    pub(super) dev: Vec<Row>,
    pub(super) test: Vec<Row>,
}

/// What a trained model says.
pub(super) struct Answers {
    /// The probability of each class for each row to score.
    pub(super) probabilities: Vec<Vec<f64>>,
    /// Score on the development rows after each epoch.
    pub(super) dev_scores: Vec<f64>,
    /// Hash of the trained model folder, where there is one.
    pub(super) model_hash: Option<String>,
}

impl ModelKind {
    /// Whether it chooses among epochs by rows held out of training.
    pub(super) fn needs_dev(self) -> bool {
        self == ModelKind::Transformer
    }
}

/// The folder of the model that training starts from, where there is one.
pub(super) fn base(setting: &Setting) -> Option<PathBuf> {
    setting.options.get("base").and_then(toml::Value::as_str).map(PathBuf::from)
}

/// Trains on `split` and answers its rows; a transformer is written to `folder`, from where an interrupted training
/// goes on.
///
/// # Errors
/// When options are unknown, the engine or base model is missing, or training fails.
pub(super) fn answers(
    experiment: &Experiment,
    setting: &Setting,
    seed: u64,
    split: &Split,
    folder: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<Answers> {
    match setting.model {
        ModelKind::BagOfWords => bag_of_words(experiment, setting, split),
        ModelKind::Transformer => transformer(experiment, setting, seed, split, folder, say),
    }
}

fn bag_of_words(experiment: &Experiment, setting: &Setting, split: &Split) -> Result<Answers> {
    if let Some((option, _)) = setting.options.iter().next() {
        return Err(Error::usage(format!(
            "`{option}` is no option of bag_of_words, in the setting `{}`",
            setting.name
        )));
    }
    let texts = |rows: &[Row]| rows.iter().map(|row| row.text.clone()).collect::<Vec<_>>();
    let (train, test) = (texts(&split.train), texts(&split.test));
    let labels: Vec<usize> = split.train.iter().map(|row| row.class).collect();
    let train: Vec<&str> = train.iter().map(String::as_str).collect();
    let test: Vec<&str> = test.iter().map(String::as_str).collect();
    let model = BagOfWords::train(&train, &labels, experiment.classes().len())
        .ok_or_else(|| Error::document("the training rows hold fewer than two classes"))?;
    Ok(Answers { probabilities: model.probabilities(&test), dev_scores: Vec::new(), model_hash: None })
}

#[cfg(not(feature = "libtorch"))]
fn transformer(
    _: &Experiment,
    setting: &Setting,
    _: u64,
    _: &Split,
    _: &Path,
    _: &mut dyn FnMut(&str),
) -> Result<Answers> {
    Err(Error::model(format!("the setting `{}` needs the engine, and this build has none", setting.name))
        .help("build with `make build`, or choose others with --setting"))
}

#[cfg(feature = "libtorch")]
fn transformer(
    experiment: &Experiment,
    setting: &Setting,
    seed: u64,
    split: &Split,
    folder: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<Answers> {
    use super::spec::TaskKind;
    use crate::train::fit::Event;
    use crate::train::{classes, stance};
    let (training, smoothing) = training(setting, seed, folder)?;
    let labels = experiment.classes();
    let text = |row: &'_ Row| -> (String, Option<(String, String)>) { (row.text.clone(), row.context.clone()) };
    let owned = |rows: &[Row]| rows.iter().map(text).collect::<Vec<_>>();
    let (train, dev, test) = (owned(&split.train), owned(&split.dev), owned(&split.test));
    let train: Vec<classes::Labelled> = train
        .iter()
        .zip(&split.train)
        .map(|(text, row)| classes::Labelled {
            text: borrowed(text),
            target: classes::smoothed(row.class, labels.len(), smoothing),
            weight: 1.0,
        })
        .collect();
    let dev: Vec<classes::Judged> = dev
        .iter()
        .zip(&split.dev)
        .map(|(text, row)| classes::Judged { text: borrowed(text), class: row.class })
        .collect();
    let is_stance = experiment.task == TaskKind::Stance && labels.len() == 3;
    let job = classes::Job {
        training: &training,
        task: if is_stance { "stance" } else { "labels" },
        classes: labels,
        train: &train,
        dev: &dev,
        score: if is_stance { &stance::dev_score } else { &classes::macro_f1 },
    };
    let outcome = classes::train(&job, &mut |event| {
        if let Event::Epoch { epoch, loss, score, best } = event {
            let mark = if *best { ", the best so far" } else { "" };
            say(&format!("epoch {epoch}: loss {loss:.4}, dev score {score:.4}{mark}"));
        }
    })?;
    let test: Vec<classes::Text> = test.iter().map(borrowed).collect();
    Ok(Answers {
        probabilities: classes::probabilities(&training, &test)?,
        dev_scores: outcome.scores,
        model_hash: Some(crate::models::stamp(folder)?.hash),
    })
}

#[cfg(feature = "libtorch")]
fn borrowed((text, context): &(String, Option<(String, String)>)) -> crate::train::classes::Text<'_> {
    let context = context.as_ref().map(|(left, right)| (left.as_str(), right.as_str()));
    crate::train::classes::Text { text, context }
}

/// The options as settings of a training run, and the smoothing of its targets.
#[cfg(feature = "libtorch")]
fn training(setting: &Setting, seed: u64, folder: &Path) -> Result<(crate::train::config::Training, f32)> {
    let mut options = setting.options.clone();
    let smoothing = match options.remove("smoothing") {
        None => 0.0,
        Some(value) => value.as_float().filter(|share| (0.0..1.0).contains(share)).ok_or_else(|| {
            Error::usage(format!("`smoothing` of the setting `{}` must lie between 0.0 and 1.0", setting.name))
        })?,
    };
    options.insert("output".into(), folder.to_string_lossy().into_owned().into());
    options.insert("seed".into(), toml::Value::Integer(i64::try_from(seed).unwrap_or(i64::MAX)));
    let training = options.try_into().map_err(|e: toml::de::Error| {
        Error::usage(format!("in the setting `{}`: {}", setting.name, e.to_string().trim()))
    })?;
    Ok((training, smoothing as f32))
}

/// Whether the options of `setting` can be understood, before hours of work.
pub(super) fn check(setting: &Setting) -> Result<()> {
    #[cfg(feature = "libtorch")]
    if setting.model == ModelKind::Transformer {
        training(setting, 0, Path::new("model"))?;
    }
    match base(setting) {
        None if setting.model == ModelKind::Transformer => {
            Err(Error::usage(format!("the setting `{}` names no `base` model", setting.name)))
        }
        _ => Ok(()),
    }
}
