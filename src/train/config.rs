//! The settings of a training run, read from TOML.

use crate::encoder::rust_bert::device::{Device, Precision};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Settings that every task shares; the task's own data settings stand beside them in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Folder of the base model.
    pub base: PathBuf,
    /// Folder the finished model is written to.
    pub output: PathBuf,
    /// Seed of shuffling, dropout and new weights.
    #[serde(default = "one")]
    pub seed: u64,
    /// Passes over the data.
    pub epochs: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Learning rate of the new classification layer, relative to the others'.
    #[serde(default = "one_f64")]
    pub head_rate: f64,
    /// Examples a step.
    pub batch_size: usize,
    /// Longest input, in tokens.
    pub max_tokens: usize,
    /// Share of all steps in which the rate rises from zero.
    #[serde(default = "tenth")]
    pub warm_up: f64,
    /// Decoupled weight decay; biases and layer norms have none.
    #[serde(default = "hundredth")]
    pub weight_decay: f64,
    /// Largest norm of the gradient.
    #[serde(default = "one_f64")]
    pub clip: f64,
    /// Decay of the moving average of weights that is scored and saved; 0 for none.
    #[serde(default)]
    pub average: f64,
    /// Dropout of hidden layers and attention; the base model's own when absent.
    #[serde(default)]
    pub dropout: Option<f64>,
    /// Stop after this many epochs without a better score on dev; 0 for never.
    #[serde(default)]
    pub patience: usize,
    /// Where to train.
    #[serde(default = "auto", with = "as_text")]
    pub device: Device,
    /// Number format of forward and backward; weights and moments stay f32.
    #[serde(default, with = "as_text")]
    pub precision: Precision,
    /// Threads of libtorch; all cores when absent.
    #[serde(default)]
    pub threads: Option<usize>,
}

fn one() -> u64 {
    1
}

fn one_f64() -> f64 {
    1.0
}

fn tenth() -> f64 {
    0.1
}

fn hundredth() -> f64 {
    0.01
}

fn auto() -> Device {
    Device::Auto
}

/// Values that are written as their `Display` and read with `FromStr`.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{fmt::Display, str::FromStr};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(reader: D) -> Result<T, D::Error> {
        String::deserialize(reader)?.parse().map_err(D::Error::custom)
    }
}

/// Reads a task's configuration.
///
/// # Errors
/// When the file is missing or a setting is unknown or of the wrong kind; the message names line and setting.
pub fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).map_err(|e| Error::usage(e.to_string()).in_file(file))?;
    toml::from_str(&text).map_err(|e| Error::usage(e.to_string().trim().to_string()).in_file(file))
}

/// The base model's `config.json` made over for a classifier of `labels`.
pub(crate) fn base_config(settings: &Training, class: &str, labels: &[String]) -> Result<serde_json::Value> {
    let file = settings.base.join("config.json");
    let text = std::fs::read_to_string(&file).map_err(|e| {
        Error::usage(e.to_string())
            .in_file(&file)
            .help("run `python3 scripts/fetch_base_model.py`, or name another base")
    })?;
    let mut config: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| Error::usage(e.to_string()).in_file(&file))?;
    let keys = config.as_object_mut().ok_or_else(|| Error::usage("not a JSON object").in_file(&file))?;
    keys.insert("architectures".into(), serde_json::json!([class]));
    let id2label = labels.iter().enumerate().map(|(i, l)| (i.to_string(), l.clone().into()));
    keys.insert("id2label".into(), serde_json::Value::Object(id2label.collect()));
    let label2id = labels.iter().enumerate().map(|(i, l)| (l.clone(), i.into()));
    keys.insert("label2id".into(), serde_json::Value::Object(label2id.collect()));
    for name in ["_name_or_path", "transformers_version", "gradient_checkpointing", "use_cache"] {
        keys.shift_remove(name);
    }
    if let Some(dropout) = settings.dropout {
        keys.insert("hidden_dropout_prob".into(), dropout.into());
        keys.insert("attention_probs_dropout_prob".into(), dropout.into());
    }
    Ok(config)
}

/// The base model's tokenizer with the new model's configuration.
pub(crate) fn base_tokens(settings: &Training, config: &serde_json::Value) -> Result<crate::tokens::Tokens> {
    let file = settings.base.join("tokenizer.json");
    let tokenizer = tokenizers::Tokenizer::from_file(&file).map_err(|e| Error::usage(e.to_string()).in_file(&file))?;
    crate::tokens::Tokens::new(tokenizer, config)
}
