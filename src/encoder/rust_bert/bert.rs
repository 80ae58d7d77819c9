//! BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019) on libtorch's fused kernels.
//!
//! `rust-bert` 0.23 has both, built from single operations: its GELU is four passes over the widest tensor, its attention
//! writes all scores to memory, and its layer norms have one epsilon, whatever the folder says. These use libtorch's
//! `gelu` and `scaled_dot_product_attention` and the folder's epsilon. `benches/throughput.rs` prints what that brings;
//! parameters have the names that transformers gives them.

use super::block::{Block, BlockConfig};
use super::model::{Batch, Head};
use crate::error::{Error, Result};
use serde::Deserialize;
use tch::nn::{self, Path};
use tch::{Kind, Tensor};

/// The keys of `config.json` that matter here; what is left out has the value that transformers assumes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BertConfig {
    model_type: String,
    vocab_size: i64,
    hidden_size: i64,
    num_hidden_layers: i64,
    num_attention_heads: i64,
    intermediate_size: i64,
    max_position_embeddings: i64,
    #[serde(default = "two")]
    type_vocab_size: i64,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    classifier_dropout: Option<f64>,
    #[serde(default = "norm_eps")]
    layer_norm_eps: f64,
    #[serde(default)]
    pad_token_id: Option<i64>,
    position_embedding_type: Option<String>,
}

fn two() -> i64 {
    2
}

fn gelu() -> String {
    "gelu".into()
}

fn tenth() -> f64 {
    0.1
}

fn norm_eps() -> f64 {
    1e-12
}

impl BertConfig {
    fn is_roberta(&self) -> bool {
        self.model_type == "roberta"
    }

    fn norm(&self, path: Path) -> nn::LayerNorm {
        let config = nn::LayerNormConfig { eps: self.layer_norm_eps, ..Default::default() };
        nn::layer_norm(path, vec![self.hidden_size], config)
    }

    fn linear(&self, path: Path, from: i64, to: i64) -> nn::Linear {
        nn::linear(path, from, to, Default::default())
    }

    fn block(&self) -> BlockConfig<'_> {
        BlockConfig {
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            activation: &self.hidden_act,
            dropout: self.hidden_dropout_prob,
            layer_norm_eps: self.layer_norm_eps,
        }
    }

    fn check(&self) -> Result<()> {
        if self.num_attention_heads < 1 || self.hidden_size % self.num_attention_heads != 0 {
            return Err(Error::model("hidden_size is no multiple of num_attention_heads"));
        }
        match self.position_embedding_type.as_deref() {
            None | Some("absolute") => Ok(()),
            Some(other) => Err(Error::model(format!("position_embedding_type `{other}`"))
                .help("only absolute positions can be read; deberta-v2 has relative ones")),
        }
    }
}

/// The model with its head.
pub(crate) struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    classifier: Classifier,
    dropout: f64,
}

impl Bert {
    /// The model that `config` describes, with random weights registered under `path`.
    pub(crate) fn new(path: &Path, config: &BertConfig, head: Head, labels: i64) -> Result<Self> {
        config.check()?;
        let base = path / config.model_type.as_str();
        let layers = (0..config.num_hidden_layers).map(|i| Layer::new(&(&base / "encoder" / "layer" / i), config));
        Ok(Bert {
            embeddings: Embeddings::new(&(&base / "embeddings"), config),
            layers: layers.collect::<Result<_>>()?,
            classifier: Classifier::new(path, &base, config, head, labels),
            dropout: config.classifier_dropout.unwrap_or(config.hidden_dropout_prob),
        })
    }

    /// Logits `[inputs × tokens × labels]` for a token head, `[inputs × labels]` for a sequence head.
    pub(crate) fn forward(&self, batch: &Batch, train: bool) -> Tensor {
        let mut hidden = self.embeddings.forward(batch, train);
        let mask = attention_mask(batch, hidden.kind());
        for layer in &self.layers {
            hidden = layer.forward(&hidden, &mask, train);
        }
        self.classifier.forward(&hidden, self.dropout, train)
    }
}

/// What is added to the attention scores `[inputs × 1 × 1 × tokens]`: nothing where a token stands, the smallest number where
/// there is padding.
fn attention_mask(batch: &Batch, kind: Kind) -> Tensor {
    let padding = batch.mask.eq(0).unsqueeze(1).unsqueeze(2);
    // Finite, and within bf16: a row of infinities would make softmax divide by nothing.
    padding.zeros_like().to_kind(kind).masked_fill(&padding, -3e38)
}

struct Embeddings {
    word: nn::Embedding,
    position: nn::Embedding,
    token_type: nn::Embedding,
    norm: nn::LayerNorm,
    first_position: i64,
    /// RoBERTa has one token type; pair segments are told by separators alone.
    one_type: bool,
    dropout: f64,
}

impl Embeddings {
    fn new(path: &Path, config: &BertConfig) -> Self {
        let table = |name: &str, rows: i64| nn::embedding(path / name, rows, config.hidden_size, Default::default());
        Embeddings {
            word: table("word_embeddings", config.vocab_size),
            position: table("position_embeddings", config.max_position_embeddings),
            token_type: table("token_type_embeddings", config.type_vocab_size),
            norm: config.norm(path / "LayerNorm"),
            // RoBERTa counts positions from the padding id on.
            first_position: if config.is_roberta() { config.pad_token_id.unwrap_or(1) + 1 } else { 0 },
            one_type: config.is_roberta(),
            dropout: config.hidden_dropout_prob,
        }
    }

    fn forward(&self, batch: &Batch, train: bool) -> Tensor {
        let tokens = batch.ids.size().get(1).copied().unwrap_or(0);
        let range = (self.first_position, self.first_position + tokens);
        let steps = Tensor::arange_start(range.0, range.1, (Kind::Int64, batch.ids.device()));
        let types = if self.one_type { batch.type_ids.zeros_like() } else { batch.type_ids.shallow_clone() };
        let mut embedded = batch.ids.apply(&self.word) + types.apply(&self.token_type);
        embedded += steps.apply(&self.position).unsqueeze(0);
        embedded.apply(&self.norm).dropout(self.dropout, train)
    }
}

struct Layer {
    attention: Attention,
    block: Block,
}

impl Layer {
    fn new(path: &Path, config: &BertConfig) -> Result<Self> {
        Ok(Layer {
            attention: Attention::new(&(path / "attention" / "self"), config),
            block: Block::new(path, &config.block())?,
        })
    }

    fn forward(&self, hidden: &Tensor, mask: &Tensor, train: bool) -> Tensor {
        self.block.forward(&self.attention.forward(hidden, mask, train), hidden, train)
    }
}

struct Attention {
    query: nn::Linear,
    key: nn::Linear,
    value: nn::Linear,
    heads: i64,
    dropout: f64,
}

impl Attention {
    fn new(path: &Path, config: &BertConfig) -> Self {
        let linear = |name: &str| config.linear(path / name, config.hidden_size, config.hidden_size);
        Attention {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
            heads: config.num_attention_heads,
            dropout: config.attention_probs_dropout_prob,
        }
    }

    fn forward(&self, hidden: &Tensor, mask: &Tensor, train: bool) -> Tensor {
        let by_head = |linear: &nn::Linear| {
            let projected = hidden.apply(linear);
            let (inputs, tokens, width) = projected.size3().unwrap_or((0, 0, 0));
            projected.view([inputs, tokens, self.heads, width / self.heads]).transpose(1, 2)
        };
        let (query, key, value) = (by_head(&self.query), by_head(&self.key), by_head(&self.value));
        let dropout = if train { self.dropout } else { 0.0 };
        let context = Tensor::scaled_dot_product_attention(&query, &key, &value, Some(mask), dropout, false, None);
        context.transpose(1, 2).flatten(2, 3)
    }
}

/// From hidden states to logits.
enum Classifier {
    /// Each token for itself.
    Tokens(nn::Linear),
    /// BERT: the first token through the pooler, then the classifier.
    Pooled(nn::Linear, nn::Linear),
    /// RoBERTa: the same with dropout before the first layer too.
    First(nn::Linear, nn::Linear),
}

impl Classifier {
    fn new(path: &Path, base: &Path, config: &BertConfig, head: Head, labels: i64) -> Self {
        let hidden = config.hidden_size;
        let classifier = path / "classifier";
        match head {
            Head::Token => Classifier::Tokens(config.linear(classifier, hidden, labels)),
            Head::Sequence if config.is_roberta() => Classifier::First(
                config.linear(&classifier / "dense", hidden, hidden),
                config.linear(&classifier / "out_proj", hidden, labels),
            ),
            Head::Sequence => Classifier::Pooled(
                config.linear(base / "pooler" / "dense", hidden, hidden),
                config.linear(classifier, hidden, labels),
            ),
        }
    }

    fn forward(&self, hidden: &Tensor, dropout: f64, train: bool) -> Tensor {
        match self {
            Classifier::Tokens(linear) => hidden.dropout(dropout, train).apply(linear),
            Classifier::Pooled(pooler, linear) => {
                hidden.select(1, 0).apply(pooler).tanh().dropout(dropout, train).apply(linear)
            }
            Classifier::First(dense, linear) => {
                let first = hidden.select(1, 0).dropout(dropout, train);
                first.apply(dense).tanh().dropout(dropout, train).apply(linear)
            }
        }
    }
}
