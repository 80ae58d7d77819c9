//! DeBERTa-v2 and v3 (He et al. 2021, "DeBERTa: Decoding-enhanced BERT with Disentangled Attention").
//!
//! `rust-bert` 0.23 has this architecture, but its attention between content and position differs from the published
//! one (no square root in the scale, no shift of the relative position, whole-number division in the buckets), so that
//! its logits are not those of PyTorch. This one's are; parameters have the names that transformers gives them.

use super::activation::{Activation, activation};
use super::block::{Block, BlockConfig};
use super::model::{Batch, Head};
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer};
use tch::nn::{self, Module, Path};
use tch::{Device, Kind, Tensor};

/// The keys of `config.json` that matter here; what is left out has the value that transformers assumes.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DebertaV2Config {
    vocab_size: i64,
    hidden_size: i64,
    num_hidden_layers: i64,
    num_attention_heads: i64,
    intermediate_size: i64,
    max_position_embeddings: i64,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    #[serde(default)]
    type_vocab_size: i64,
    #[serde(default = "norm_eps")]
    layer_norm_eps: f64,
    embedding_size: Option<i64>,
    position_biased_input: Option<bool>,
    #[serde(default)]
    relative_attention: bool,
    max_relative_positions: Option<i64>,
    position_buckets: Option<i64>,
    #[serde(default)]
    share_att_key: bool,
    #[serde(default, deserialize_with = "names")]
    pos_att_type: Vec<String>,
    #[serde(default, deserialize_with = "names")]
    norm_rel_ebd: Vec<String>,
    conv_kernel_size: Option<i64>,
    conv_groups: Option<i64>,
    conv_act: Option<String>,
    pooler_hidden_act: Option<String>,
    pooler_dropout: Option<f64>,
    cls_dropout: Option<f64>,
}

fn gelu() -> String {
    "gelu".into()
}

fn tenth() -> f64 {
    0.1
}

fn norm_eps() -> f64 {
    1e-7
}

/// Names in a list, or in one string between `|`.
fn names<'de, D: Deserializer<'de>>(value: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Names>::deserialize(value)? {
        None => Vec::new(),
        Some(Names::One(text)) => text.split('|').map(|name| name.trim().to_lowercase()).collect(),
        Some(Names::Many(names)) => names,
    })
}

impl DebertaV2Config {
    /// The farthest relative position that is told from others.
    fn max_relative(&self) -> i64 {
        self.max_relative_positions.filter(|n| *n > 0).unwrap_or(self.max_position_embeddings)
    }

    fn buckets(&self) -> Option<i64> {
        self.position_buckets.filter(|n| *n > 0)
    }

    /// Relative positions to either side that have an embedding.
    fn span(&self) -> i64 {
        self.buckets().unwrap_or(self.max_relative())
    }

    fn attends(&self, kind: &str) -> bool {
        self.relative_attention && self.pos_att_type.iter().any(|name| name == kind)
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

    fn norm(&self, path: Path) -> nn::LayerNorm {
        nn::layer_norm(
            path,
            vec![self.hidden_size],
            nn::LayerNormConfig { eps: self.layer_norm_eps, ..Default::default() },
        )
    }

    fn linear(&self, path: Path) -> nn::Linear {
        nn::linear(path, self.hidden_size, self.hidden_size, Default::default())
    }
}

/// The model with its head.
pub(crate) struct DebertaV2 {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    /// Embeddings of relative positions, and their norm.
    relative: Option<(nn::Embedding, Option<nn::LayerNorm>)>,
    conv: Option<Conv>,
    pooler: Option<Pooler>,
    classifier: nn::Linear,
    classifier_dropout: f64,
    config: DebertaV2Config,
}

impl DebertaV2 {
    /// The model that `config` describes, with random weights registered under `path`.
    pub(crate) fn new(path: &Path, config: DebertaV2Config, head: Head, labels: i64) -> Result<Self> {
        if config.num_attention_heads < 1 || config.hidden_size % config.num_attention_heads != 0 {
            return Err(Error::model("hidden_size is no multiple of num_attention_heads"));
        }
        let base = path / "deberta";
        let encoder = &base / "encoder";
        let relative = config.relative_attention.then(|| {
            let width = 2 * config.span();
            let table = nn::embedding(&encoder / "rel_embeddings", width, config.hidden_size, Default::default());
            let normed = config.norm_rel_ebd.iter().any(|name| name == "layer_norm");
            (table, normed.then(|| config.norm(&encoder / "LayerNorm")))
        });
        let layers = (0..config.num_hidden_layers).map(|i| Layer::new(&(&encoder / "layer" / i), &config));
        Ok(DebertaV2 {
            embeddings: Embeddings::new(&(&base / "embeddings"), &config),
            layers: layers.collect::<Result<_>>()?,
            relative,
            conv: Conv::new(&(&encoder / "conv"), &config)?,
            pooler: (head == Head::Sequence).then(|| Pooler::new(&(path / "pooler"), &config)).transpose()?,
            classifier: nn::linear(path / "classifier", config.hidden_size, labels, Default::default()),
            classifier_dropout: config.cls_dropout.unwrap_or(config.hidden_dropout_prob),
            config,
        })
    }

    /// Logits `[inputs × tokens × labels]` for a token head, `[inputs × labels]` for a sequence head.
    pub(crate) fn forward(&self, batch: &Batch, train: bool) -> Tensor {
        let embedded = self.embeddings.forward(batch, train);
        let positions = self.positions(batch.ids.size()[1], batch.ids.device());
        let key_mask = batch.mask.to_kind(Kind::Bool);
        let mask = key_mask.unsqueeze(1).unsqueeze(2).logical_and(&key_mask.unsqueeze(1).unsqueeze(-1));
        let mut hidden = embedded.shallow_clone();
        for (i, layer) in self.layers.iter().enumerate() {
            hidden = layer.forward(&hidden, &mask, positions.as_ref(), train);
            if let (0, Some(conv)) = (i, &self.conv) {
                hidden = conv.forward(&embedded, &hidden, &key_mask, train);
            }
        }
        let features = self.pooler.as_ref().map_or_else(|| hidden.shallow_clone(), |p| p.forward(&hidden, train));
        features.dropout(self.classifier_dropout, train).apply(&self.classifier)
    }

    fn positions(&self, tokens: i64, device: Device) -> Option<Positions> {
        let (table, norm) = self.relative.as_ref()?;
        let embeddings = norm.as_ref().map_or_else(|| table.ws.shallow_clone(), |norm| norm.forward(&table.ws));
        let distances = relative_positions(tokens, self.config.buckets(), self.config.max_relative(), device);
        Some(Positions { embeddings, distances })
    }
}

/// What attention knows of relative positions.
struct Positions {
    /// `[2 · span × hidden]`.
    embeddings: Tensor,
    /// `[tokens × tokens]`: query minus key, far ones in buckets.
    distances: Tensor,
}

/// Query minus key; with buckets, half of them are single steps and the rest grow with the logarithm of the distance.
fn relative_positions(tokens: i64, buckets: Option<i64>, max: i64, device: Device) -> Tensor {
    let steps = Tensor::arange(tokens, (Kind::Int64, device));
    let distance = steps.unsqueeze(-1) - steps.unsqueeze(0);
    let Some(middle) = buckets.map(|b| b / 2) else { return distance };
    let near = distance.abs().lt(middle);
    let far = distance.abs().to_kind(Kind::Float).clamp_min(middle as f64);
    // In 32 bits as in PyTorch: the ceiling of a number that is nearly whole must fall alike.
    let widest = Tensor::from((max - 1) as f32 / middle as f32).to_device(device).log();
    let bucket = ((far / middle as f64).log() / widest * (middle - 1) as f64).ceil() + middle as f64;
    let bucketed = (bucket * distance.sign()).to_kind(Kind::Int64);
    // At exactly `middle` both agree.
    distance.where_self(&near, &bucketed)
}

struct Embeddings {
    word: nn::Embedding,
    position: Option<nn::Embedding>,
    token_type: Option<nn::Embedding>,
    project: Option<nn::Linear>,
    norm: nn::LayerNorm,
    dropout: f64,
}

impl Embeddings {
    fn new(path: &Path, config: &DebertaV2Config) -> Self {
        let size = config.embedding_size.unwrap_or(config.hidden_size);
        let table = |name: &str, rows: i64| nn::embedding(path / name, rows, size, Default::default());
        let no_bias = nn::LinearConfig { bias: false, ..Default::default() };
        let biased = config.position_biased_input.unwrap_or(true);
        Embeddings {
            word: table("word_embeddings", config.vocab_size),
            position: biased.then(|| table("position_embeddings", config.max_position_embeddings)),
            token_type: (config.type_vocab_size > 0).then(|| table("token_type_embeddings", config.type_vocab_size)),
            project: (size != config.hidden_size)
                .then(|| nn::linear(path / "embed_proj", size, config.hidden_size, no_bias)),
            norm: config.norm(path / "LayerNorm"),
            dropout: config.hidden_dropout_prob,
        }
    }

    fn forward(&self, batch: &Batch, train: bool) -> Tensor {
        let mut embedded = batch.ids.apply(&self.word);
        if let Some(position) = &self.position {
            let steps = Tensor::arange(batch.ids.size()[1], (Kind::Int64, batch.ids.device()));
            embedded += steps.apply(position).unsqueeze(0);
        }
        if let Some(token_type) = &self.token_type {
            embedded += batch.type_ids.apply(token_type);
        }
        if let Some(project) = &self.project {
            embedded = embedded.apply(project);
        }
        let mask = batch.mask.unsqueeze(-1).to_kind(embedded.kind());
        (embedded.apply(&self.norm) * mask).dropout(self.dropout, train)
    }
}

struct Layer {
    attention: Attention,
    block: Block,
}

impl Layer {
    fn new(path: &Path, config: &DebertaV2Config) -> Result<Self> {
        Ok(Layer {
            attention: Attention::new(&(path / "attention" / "self"), config),
            block: Block::new(path, &config.block())?,
        })
    }

    fn forward(&self, hidden: &Tensor, mask: &Tensor, positions: Option<&Positions>, train: bool) -> Tensor {
        self.block.forward(&self.attention.forward(hidden, mask, positions, train), hidden, train)
    }
}

/// Attention of content to content, of content to position, and of position to content.
struct Attention {
    query: nn::Linear,
    key: nn::Linear,
    value: nn::Linear,
    /// Projections of positions where they are not those of content.
    position_key: Option<nn::Linear>,
    position_query: Option<nn::Linear>,
    content_to_position: bool,
    position_to_content: bool,
    heads: i64,
    span: i64,
    dropout: f64,
    position_dropout: f64,
}

impl Attention {
    fn new(path: &Path, config: &DebertaV2Config) -> Self {
        let (c2p, p2c) = (config.attends("c2p"), config.attends("p2c"));
        let own = !config.share_att_key;
        Attention {
            query: config.linear(path / "query_proj"),
            key: config.linear(path / "key_proj"),
            value: config.linear(path / "value_proj"),
            position_key: (own && c2p).then(|| config.linear(path / "pos_key_proj")),
            position_query: (own && p2c).then(|| config.linear(path / "pos_query_proj")),
            content_to_position: c2p,
            position_to_content: p2c,
            heads: config.num_attention_heads,
            span: config.span(),
            dropout: config.attention_probs_dropout_prob,
            position_dropout: config.hidden_dropout_prob,
        }
    }

    fn forward(&self, hidden: &Tensor, mask: &Tensor, positions: Option<&Positions>, train: bool) -> Tensor {
        let query = self.by_head(&hidden.apply(&self.query));
        let key = self.by_head(&hidden.apply(&self.key));
        let value = self.by_head(&hidden.apply(&self.value));
        let kinds = 1 + i64::from(self.content_to_position) + i64::from(self.position_to_content);
        let scale = ((query.size()[3] * kinds) as f64).sqrt();
        let mut scores = query.matmul(&(key.transpose(-1, -2) / scale));
        if let Some(positions) = positions {
            scores = self.add_positions(scores, (&query, &key), positions, scale, train);
        }
        // Padding neither attends nor is attended to.
        let unseen = mask.logical_not();
        let lowest = if scores.kind() == Kind::Half { -65504.0 } else { -3.38e38 };
        let attention = scores.masked_fill(&unseen, lowest).softmax(-1, scores.kind()).masked_fill(&unseen, 0.0);
        let context = attention.dropout(self.dropout, train).matmul(&value);
        context.transpose(1, 2).contiguous().view_as(hidden)
    }

    /// `[inputs × tokens × hidden]` to `[inputs × heads × tokens × hidden / heads]`.
    fn by_head(&self, hidden: &Tensor) -> Tensor {
        let (inputs, tokens) = (hidden.size()[0], hidden.size()[1]);
        hidden.view([inputs, tokens, self.heads, -1]).transpose(1, 2)
    }

    fn add_positions(
        &self,
        mut scores: Tensor,
        (query, key): (&Tensor, &Tensor),
        positions: &Positions,
        scale: f64,
        train: bool,
    ) -> Tensor {
        let embeddings = positions.embeddings.dropout(self.position_dropout, train).unsqueeze(0);
        let index = |distances: Tensor| (distances + self.span).clamp(0, 2 * self.span - 1).expand(scores.size(), true);
        let (forth, back) = (index(positions.distances.shallow_clone()), index(positions.distances.neg()));
        if self.content_to_position {
            let position = self.by_head(&embeddings.apply(self.position_key.as_ref().unwrap_or(&self.key)));
            let all = query.matmul(&position.transpose(-1, -2));
            scores += all.gather(-1, &forth, false) / scale;
        }
        if self.position_to_content {
            let position = self.by_head(&embeddings.apply(self.position_query.as_ref().unwrap_or(&self.query)));
            let all = key.matmul(&position.transpose(-1, -2));
            scores += all.gather(-1, &back, false).transpose(-1, -2) / scale;
        }
        scores
    }
}

/// The convolution beside the first layer that the largest v2 models have.
struct Conv {
    conv: nn::Conv1D,
    activation: Activation,
    norm: nn::LayerNorm,
    dropout: f64,
}

impl Conv {
    fn new(path: &Path, config: &DebertaV2Config) -> Result<Option<Self>> {
        let Some(kernel) = config.conv_kernel_size.filter(|k| *k > 0) else { return Ok(None) };
        let settings =
            nn::ConvConfig { padding: (kernel - 1) / 2, groups: config.conv_groups.unwrap_or(1), ..Default::default() };
        Ok(Some(Conv {
            conv: nn::conv1d(path / "conv", config.hidden_size, config.hidden_size, kernel, settings),
            activation: activation(config.conv_act.as_deref().unwrap_or("tanh"))?,
            norm: config.norm(path / "LayerNorm"),
            dropout: config.hidden_dropout_prob,
        }))
    }

    fn forward(&self, embedded: &Tensor, hidden: &Tensor, mask: &Tensor, train: bool) -> Tensor {
        let padding = mask.logical_not().unsqueeze(-1);
        let local = embedded.transpose(1, 2).contiguous().apply(&self.conv).transpose(1, 2);
        let local = (self.activation)(&local.masked_fill(&padding, 0.0).dropout(self.dropout, train));
        (hidden + local).apply(&self.norm).masked_fill(&padding, 0.0)
    }
}

/// The first token's state for a whole sequence.
struct Pooler {
    dense: nn::Linear,
    activation: Activation,
    dropout: f64,
}

impl Pooler {
    fn new(path: &Path, config: &DebertaV2Config) -> Result<Self> {
        Ok(Pooler {
            dense: config.linear(path / "dense"),
            activation: activation(config.pooler_hidden_act.as_deref().unwrap_or("gelu"))?,
            dropout: config.pooler_dropout.unwrap_or(0.0),
        })
    }

    fn forward(&self, hidden: &Tensor, train: bool) -> Tensor {
        (self.activation)(&hidden.select(1, 0).dropout(self.dropout, train).apply(&self.dense))
    }
}
