//! Activation functions by the names that `config.json` uses.

use crate::error::{Error, Result};
use tch::Tensor;

pub(super) type Activation = fn(&Tensor) -> Tensor;

pub(super) fn activation(name: &str) -> Result<Activation> {
    match name {
        "gelu" => Ok(|x| x.gelu("none")),
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Ok(|x| x.gelu("tanh")),
        "relu" => Ok(Tensor::relu),
        "silu" | "swish" => Ok(Tensor::silu),
        "tanh" => Ok(Tensor::tanh),
        other => Err(Error::model(format!("unknown activation `{other}`")).help("gelu, relu, silu and tanh are known")),
    }
}
