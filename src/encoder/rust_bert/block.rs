//! What every layer of BERT and its kin does with the result of its attention: a residual connection, a feed-forward
//! network, and another residual connection, each normed (Vaswani et al. 2017, section 3.1, post-norm).

use super::activation::{Activation, activation};
use crate::error::Result;
use tch::Tensor;
use tch::nn::{self, Path};

/// The sizes and settings of a block.
pub(super) struct BlockConfig<'a> {
    pub(super) hidden_size: i64,
    pub(super) intermediate_size: i64,
    pub(super) activation: &'a str,
    pub(super) dropout: f64,
    pub(super) layer_norm_eps: f64,
}

/// Everything in a layer but its attention; parameters have the names that transformers gives them.
pub(super) struct Block {
    attended: Residual,
    intermediate: nn::Linear,
    activation: Activation,
    output: Residual,
}

impl Block {
    pub(super) fn new(layer: &Path, config: &BlockConfig) -> Result<Self> {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Block {
            attended: Residual::new(&(layer / "attention" / "output"), hidden, config),
            intermediate: nn::linear(layer / "intermediate" / "dense", hidden, inner, Default::default()),
            activation: activation(config.activation)?,
            output: Residual::new(&(layer / "output"), inner, config),
        })
    }

    /// `hidden` is what the layer was given, `context` what its attention made of it; both `[inputs × tokens × hidden]`.
    pub(super) fn forward(&self, context: &Tensor, hidden: &Tensor, train: bool) -> Tensor {
        let attended = self.attended.forward(context, hidden, train);
        let inner = (self.activation)(&attended.apply(&self.intermediate));
        self.output.forward(&inner, &attended, train)
    }
}

/// A linear layer whose result is added to what came in, normed.
struct Residual {
    dense: nn::Linear,
    norm: nn::LayerNorm,
    dropout: f64,
}

impl Residual {
    fn new(path: &Path, size: i64, config: &BlockConfig) -> Self {
        let norm = nn::LayerNormConfig { eps: config.layer_norm_eps, ..Default::default() };
        Residual {
            dense: nn::linear(path / "dense", size, config.hidden_size, Default::default()),
            norm: nn::layer_norm(path / "LayerNorm", vec![config.hidden_size], norm),
            dropout: config.dropout,
        }
    }

    fn forward(&self, inner: &Tensor, before: &Tensor, train: bool) -> Tensor {
        (inner.apply(&self.dense).dropout(self.dropout, train) + before).apply(&self.norm)
    }
}
