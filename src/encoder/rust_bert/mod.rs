//! Transformers on libtorch: `rust-bert`'s DistilBERT, own BERT, RoBERTa and DeBERTa-v2 where its are slow or wrong.
//!
//! The only place besides `train` that knows libtorch.

mod activation;
mod bert;
mod block;
mod deberta_v2;
pub mod device;
pub(crate) mod model;
pub(crate) mod weights;

use crate::encoder::{Encoder, Input};
use crate::error::{Error, Result};
use device::{Device, Precision};
use model::{Batch, Head, Model, ModelConfig};
use ndarray::{Array2, Array3};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tch::{Kind, nn};

/// How to run a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineOptions {
    /// Where it runs.
    pub device: Device,
    /// In which number format.
    pub precision: Precision,
}

/// A model of a Hugging Face folder (`config.json`, `model.safetensors` or `rust_model.ot`) on libtorch.
///
/// BERT, DistilBERT, RoBERTa and DeBERTa-v2/v3, for token or sequence classification.
pub struct RustBert {
    model: Model,
    head: Head,
    labels: Vec<String>,
    max_tokens: usize,
    pad_id: i64,
    device: tch::Device,
    // The model holds shallow handles to these.
    parameters: nn::VarStore,
}

// SAFETY: tch marks tensors `Send` but not `Sync` because they can be changed through `&self`. Through a shared
// reference this type only runs the model under `no_grad` in evaluation mode, which reads parameters, and libtorch allows
// concurrent reads. Training changes parameters, but between scorings, on one thread. The activation functions inside
// are plain `fn` pointers.
unsafe impl Sync for RustBert {}
// SAFETY: the same; no part is tied to the thread that made it.
unsafe impl Send for RustBert {}

impl RustBert {
    /// Loads the model in `folder`.
    ///
    /// # Errors
    /// When a file is missing or unreadable, the architecture is not supported, a weight is missing or of another
    /// shape, or the device is not there.
    ///
    /// ```no_run
    /// use detente::encoder::{Encoder, rust_bert::{EngineOptions, RustBert}};
    /// let model = RustBert::load("models/entities".as_ref(), &EngineOptions::default())?;
    /// println!("{:?}", model.labels());
    /// # Ok::<(), detente::error::Error>(())
    /// ```
    pub fn load(folder: &Path, options: &EngineOptions) -> Result<Self> {
        let config = ModelConfig::from_folder(folder)?;
        let (mut model, missing) = Self::with_weights(&config, folder, options.device, &|_| false)?;
        if !missing.is_empty() {
            return Err(Error::model(format!("weights are missing: {}", shortened(&missing)))
                .in_file(folder)
                .help("the folder must hold a fine-tuned model, not only its base; see `detente models check`"));
        }
        // Batches run in parallel on threads of their own; libtorch's would fight them for the same cores.
        tch::set_num_threads(1);
        model.parameters.freeze();
        model.set_precision(options.precision);
        Ok(model)
    }

    /// A model of `config` that starts from the weights of `base`; what `base` lacks starts at random, and so does the head
    /// where `base` was trained for other labels.
    pub(crate) fn for_training(base: &Path, config: serde_json::Value, device: Device) -> Result<Self> {
        let config = ModelConfig::from_json(config);
        let same_labels = ModelConfig::from_folder(base)?.labels().ok() == config.labels().ok();
        let fresh = |name: &str| !same_labels && HEADS.iter().any(|head| name.starts_with(head));
        let (model, missing) = Self::with_weights(&config, base, device, &fresh)?;
        match missing.iter().find(|name| !HEADS.iter().chain(&POOLERS).any(|head| name.starts_with(head))) {
            None => Ok(model),
            Some(name) => Err(Error::model(format!("`{name}` is missing in the base model")).in_file(base)),
        }
    }

    fn with_weights(
        config: &ModelConfig,
        folder: &Path,
        device: Device,
        fresh: &dyn Fn(&str) -> bool,
    ) -> Result<(Self, Vec<String>)> {
        let device = device.open()?;
        let head = config.head()?;
        let parameters = nn::VarStore::new(device);
        let model = Model::new(&parameters.root(), config, head)?;
        let missing = weights::load(&parameters, folder, fresh)?;
        let (labels, max_tokens, pad_id) = (config.labels()?, config.max_tokens(), config.pad_id());
        Ok((RustBert { model, head, labels, max_tokens, pad_id, device, parameters }, missing))
    }

    pub(crate) fn set_precision(&mut self, precision: Precision) {
        if precision == Precision::Bf16 {
            self.parameters.bfloat16();
        }
    }

    pub(crate) fn parameters(&self) -> &nn::VarStore {
        &self.parameters
    }

    /// Logits with dropout and gradients: `[inputs × tokens × labels]`, `[inputs × labels]` for sequence classification.
    pub(crate) fn train_logits(&self, inputs: &[Input]) -> Result<tch::Tensor> {
        let batch = self.batch(inputs);
        catch_unwind(AssertUnwindSafe(|| self.model.forward(&batch, true))).map_err(engine_error)?
    }

    fn batch(&self, inputs: &[Input]) -> Batch {
        Batch::new(inputs, self.pad_id, self.device, self.max_tokens)
    }
}

/// Where the parameters of a head live: these a base model need not have.
const HEADS: [&str; 2] = ["classifier", "pre_classifier"];
/// The same of a part that only sequence classification has; a base model's own is of use.
const POOLERS: [&str; 2] = ["pooler", "bert.pooler"];

/// The first names of a list and how many more there are.
fn shortened(names: &[String]) -> String {
    let shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 3 { format!("{shown} and {} more", names.len() - 3) } else { shown }
}

impl Encoder for RustBert {
    fn logits(&self, inputs: &[Input]) -> Result<Vec<Array2<f32>>> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let longest = inputs.iter().map(|i| i.ids.len()).max().unwrap_or(0);
        if longest > self.max_tokens || inputs.iter().any(|i| i.ids.is_empty()) {
            return Err(Error::model(format!(
                "an input of {longest} tokens; the model reads 1 to {}",
                self.max_tokens
            )));
        }
        // libtorch's errors (a token id out of range, memory) arrive as panics of tch.
        let all = catch_unwind(AssertUnwindSafe(|| self.forward(inputs))).map_err(engine_error)??;
        let rows = |i: usize, n: usize| all.slice(ndarray::s![i, ..n, ..]).to_owned();
        Ok(match self.head {
            Head::Token => inputs.iter().enumerate().map(|(i, input)| rows(i, input.ids.len())).collect(),
            Head::Sequence => (0..inputs.len()).map(|i| rows(i, 1)).collect(),
        })
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn max_tokens(&self) -> usize {
        self.max_tokens
    }
}

impl RustBert {
    /// Logits `[inputs × tokens × labels]`, one row of tokens for sequence classification.
    fn forward(&self, inputs: &[Input]) -> Result<Array3<f32>> {
        let batch = self.batch(inputs);
        let logits = tch::no_grad(|| self.model.forward(&batch, false))?;
        let logits = if self.head == Head::Sequence { logits.unsqueeze(1) } else { logits };
        let logits = logits.to_kind(Kind::Float).to_device(tch::Device::Cpu).contiguous();
        let shape = match logits.size().as_slice() {
            &[a, b, c] => (a as usize, b as usize, c as usize),
            other => return Err(Error::model(format!("logits of shape {other:?}"))),
        };
        let mut values = vec![0f32; logits.numel()];
        let count = values.len();
        logits.copy_data(&mut values, count);
        Array3::from_shape_vec(shape, values).map_err(|e| Error::model(e.to_string()))
    }
}

/// What a panic inside libtorch said, as an error.
pub(crate) fn engine_error(panic: Box<dyn std::any::Any + Send>) -> Error {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("the engine failed");
    let first = text.lines().next().unwrap_or(text);
    let error = Error::model(format!("libtorch: {first}"));
    if text.contains("out of memory") || text.contains("not enough memory") {
        return error.help("lower --batch-tokens");
    }
    error
}
