//! The architectures behind one `forward`: `rust-bert`'s DistilBERT, and own ones where its are slow or wrong.

use super::bert::{Bert, BertConfig};
use super::deberta_v2::{DebertaV2, DebertaV2Config};
use crate::encoder::Input;
use crate::error::{Error, Result};
use rust_bert::distilbert::{DistilBertConfig, DistilBertForTokenClassification, DistilBertModelClassifier};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor, nn};

/// What a model says of its input: a label for each token, or one for the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Token,
    Sequence,
}

/// A folder's `config.json`.
pub(crate) struct ModelConfig {
    file: PathBuf,
    /// All keys, for those that only some architectures have.
    pub(crate) json: Value,
}

impl ModelConfig {
    pub(crate) fn from_folder(folder: &Path) -> Result<Self> {
        let file = folder.join("config.json");
        let text = std::fs::read_to_string(&file).map_err(|e| {
            Error::model(e.to_string()).in_file(&file).help("see `detente models list` for the folders that are there")
        })?;
        let json = serde_json::from_str(&text).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
        Ok(ModelConfig { file, json })
    }

    /// A changed configuration that belongs to no file yet.
    pub(crate) fn from_json(json: Value) -> Self {
        ModelConfig { file: PathBuf::from("config.json"), json }
    }

    fn text(&self, key: &str) -> &str {
        self.json.get(key).and_then(Value::as_str).unwrap_or("")
    }

    fn number(&self, key: &str, default: i64) -> i64 {
        self.json.get(key).and_then(Value::as_i64).unwrap_or(default)
    }

    fn parse<C: DeserializeOwned>(&self) -> Result<C> {
        let mut json = self.json.clone();
        if let Some(keys) = json.as_object_mut() {
            for (key, value) in assumed(self.text("model_type")) {
                keys.entry(*key).or_insert_with(|| (*value).into());
            }
        }
        serde_json::from_value(json).map_err(|e| Error::model(e.to_string()).in_file(&self.file))
    }

    /// The task, from the name of the class that wrote the folder.
    pub(crate) fn head(&self) -> Result<Head> {
        let class = self.json.pointer("/architectures/0").and_then(Value::as_str).unwrap_or("");
        match class {
            _ if class.ends_with("ForTokenClassification") => Ok(Head::Token),
            _ if class.ends_with("ForSequenceClassification") => Ok(Head::Sequence),
            _ => Err(Error::model(format!("`architectures` is `{class}`, not a token or sequence classifier"))
                .in_file(&self.file)),
        }
    }

    /// Label names in the order of their numbers.
    pub(crate) fn labels(&self) -> Result<Vec<String>> {
        let wrong = || Error::model("`id2label` does not number the labels from 0").in_file(&self.file);
        let map = self.json.get("id2label").and_then(Value::as_object).ok_or_else(wrong)?;
        (0..map.len())
            .map(|i| map.get(&i.to_string()).and_then(Value::as_str).map(str::to_string).ok_or_else(wrong))
            .collect()
    }

    /// Usable input length: RoBERTa counts positions from the padding id on.
    pub(crate) fn max_tokens(&self) -> usize {
        let positions = self.number("max_position_embeddings", 512);
        let reserved = if self.text("model_type") == "roberta" { self.pad_id() + 1 } else { 0 };
        usize::try_from(positions - reserved).unwrap_or(0)
    }

    pub(crate) fn pad_id(&self) -> i64 {
        self.number("pad_token_id", 0)
    }
}

/// Keys that `rust-bert` insists on and that transformers leaves out of some folders; they matter for training or not
/// at all.
fn assumed(model_type: &str) -> &'static [(&'static str, bool)] {
    match model_type {
        "distilbert" => &[("tie_weights_", true), ("sinusoidal_pos_embds", false)],
        _ => &[],
    }
}

/// One of the architectures with its head.
pub(crate) enum Model {
    Bert(Box<Bert>),
    DistilBertToken(DistilBertForTokenClassification),
    DistilBertSequence(DistilBertModelClassifier),
    Deberta(Box<DebertaV2>),
}

impl Model {
    /// The model that `config` describes, with random weights registered under `path`.
    pub(crate) fn new(path: &nn::Path, config: &ModelConfig, head: Head) -> Result<Self> {
        config.labels()?;
        let model = match (config.text("model_type"), head) {
            ("bert" | "roberta", head) => {
                let labels = config.labels()?.len() as i64;
                Model::Bert(Box::new(Bert::new(path, &config.parse::<BertConfig>()?, head, labels)?))
            }
            ("distilbert", Head::Token) => Model::DistilBertToken(
                DistilBertForTokenClassification::new(path, &config.parse::<DistilBertConfig>()?).map_err(engine)?,
            ),
            ("distilbert", Head::Sequence) => Model::DistilBertSequence(
                DistilBertModelClassifier::new(path, &config.parse::<DistilBertConfig>()?).map_err(engine)?,
            ),
            ("deberta-v2", head) => {
                let labels = config.labels()?.len() as i64;
                Model::Deberta(Box::new(DebertaV2::new(path, config.parse::<DebertaV2Config>()?, head, labels)?))
            }
            (other, _) => {
                return Err(Error::model(format!("`model_type` is `{other}`"))
                    .in_file(&config.file)
                    .help("bert, distilbert, roberta and deberta-v2 can be read"));
            }
        };
        Ok(model)
    }

    /// Logits `[inputs × tokens × labels]` for a token head, `[inputs × labels]` for a sequence head.
    pub(crate) fn forward(&self, batch: &Batch, train: bool) -> Result<Tensor> {
        let (ids, mask) = (Some(&batch.ids), Some(&batch.mask));
        Ok(match self {
            Model::Bert(m) => m.forward(batch, train),
            Model::DistilBertToken(m) => m.forward_t(ids, mask, None, train).map_err(engine)?.logits,
            Model::DistilBertSequence(m) => m.forward_t(ids, mask, None, train).map_err(engine)?.logits,
            Model::Deberta(m) => m.forward(batch, train),
        })
    }
}

fn engine(error: rust_bert::RustBertError) -> Error {
    Error::model(error.to_string())
}

/// Inputs padded to one width, as tensors `[inputs × tokens]`.
pub(crate) struct Batch {
    pub(crate) ids: Tensor,
    pub(crate) mask: Tensor,
    pub(crate) type_ids: Tensor,
}

/// Widths are multiples of this: libtorch computes what is left over of a row of attention scores number by number, which
/// costs more than the padding (bf16: 7 to 10 % of all time).
const WIDTH_STEP: usize = 16;

impl Batch {
    /// As wide as the longest of `inputs`, rounded up as far as `most` tokens, the longest that the model reads.
    pub(crate) fn new(inputs: &[Input], pad_id: i64, device: Device, most: usize) -> Self {
        let longest = inputs.iter().map(|i| i.ids.len()).max().unwrap_or(0);
        let width = longest.next_multiple_of(WIDTH_STEP).min(most).max(longest);
        let tensor = |values: Vec<i64>, kind: Kind| {
            Tensor::from_slice(&values).view([inputs.len() as i64, width as i64]).to_kind(kind).to_device(device)
        };
        let padded = |row: &[i64], fill: i64| -> Vec<i64> {
            row.iter().copied().chain(std::iter::repeat(fill)).take(width).collect()
        };
        Batch {
            ids: tensor(inputs.iter().flat_map(|i| padded(&i.ids, pad_id)).collect(), Kind::Int64),
            mask: tensor(inputs.iter().flat_map(|i| padded(&vec![1; i.ids.len()], 0)).collect(), Kind::Int8),
            type_ids: tensor(inputs.iter().flat_map(|i| padded(&i.type_ids, 0)).collect(), Kind::Int64),
        }
    }
}
