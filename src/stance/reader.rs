//! A stance model with its tokenizer: texts in, stance out.

use crate::document::Stance;
use crate::encoder::Encoder;
use crate::error::{Error, Result};
use crate::stance::{Scorer, StanceText};
use crate::tokens::{PairInput, Tokens};
use ndarray::Array2;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Reads the stance of quotes with one model; shared by all threads.
#[derive(Clone)]
pub struct StanceReader {
    tokens: Tokens,
    encoder: Arc<dyn Encoder>,
    scorer: Scorer,
}

impl StanceReader {
    /// The reader of the model in folder `dir`, which `encoder` runs.
    ///
    /// The temperature comes from `"detente": {"temperature": t}` in `config.json`; without it, it is 1.
    ///
    /// # Errors
    /// When the folder cannot be read or its labels are not those of a stance model.
    pub fn load(dir: &Path, encoder: Arc<dyn Encoder>) -> Result<StanceReader> {
        let tokens = Tokens::from_folder(dir)?;
        let scorer = Scorer::new(encoder.labels(), temperature(dir)?).map_err(|e| e.in_file(dir))?;
        Ok(StanceReader { tokens, encoder, scorer })
    }

    /// Whether the label may be neutral; see [`Scorer::allow_neutral`].
    pub fn allow_neutral(mut self, allow: bool) -> StanceReader {
        self.scorer = self.scorer.allow_neutral(allow);
        self
    }

    /// The engine that runs the model.
    pub fn encoder(&self) -> &Arc<dyn Encoder> {
        &self.encoder
    }

    /// What the model reads of a quote; as much as it can take, and what was left out is counted.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn input(&self, text: &StanceText) -> Result<PairInput> {
        let (quote, context) = text.pair();
        self.tokens.pair(&quote, &context, self.tokens.model_max_tokens().min(self.encoder.max_tokens()))
    }

    /// What the model's answer (`[1 × labels]`) to an input means.
    ///
    /// # Errors
    /// When a number is missing or not finite.
    pub fn stance(&self, logits: &Array2<f32>) -> Result<Stance> {
        let row: Vec<f32> = logits.rows().into_iter().next().map(|row| row.to_vec()).unwrap_or_default();
        self.scorer.stance(&row)
    }
}

fn temperature(dir: &Path) -> Result<f32> {
    let file = dir.join("config.json");
    let text = std::fs::read_to_string(&file).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
    let config: Value = serde_json::from_str(&text).map_err(|e| Error::model(e.to_string()).in_file(&file))?;
    match config.pointer("/detente/temperature") {
        None => Ok(1.0),
        Some(value) => value
            .as_f64()
            .map(|t| t as f32)
            .ok_or_else(|| Error::model("`detente.temperature` is not a number").in_file(&file)),
    }
}
