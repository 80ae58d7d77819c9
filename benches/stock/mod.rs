//! rust-bert's own NER pipeline, as its users load it, with a model of ours.

use detente::error::{Error, Result};
use rust_bert::pipelines::common::{ModelResource, ModelType};
use rust_bert::pipelines::token_classification::{
    LabelAggregationOption, Token, TokenClassificationConfig, TokenClassificationModel,
};
use rust_bert::resources::LocalResource;
use std::path::{Path, PathBuf};

/// The files that rust-bert's pipelines want: weights and configuration as they are, the vocabulary as a list.
pub struct StockFiles {
    _folder: tempfile::TempDir,
    model: PathBuf,
    config: PathBuf,
    vocabulary: PathBuf,
}

impl StockFiles {
    pub fn new(model: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let text = std::fs::read_to_string(model.join("tokenizer.json"))?;
        let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| Error::usage(e.to_string()))?;
        let map = json.pointer("/model/vocab").and_then(|v| v.as_object()).cloned().unwrap_or_default();
        let mut words: Vec<(u64, String)> = map.into_iter().map(|(w, id)| (id.as_u64().unwrap_or(0), w)).collect();
        words.sort();
        let vocabulary = folder.path().join("vocab.txt");
        std::fs::write(&vocabulary, words.into_iter().map(|(_, w)| w + "\n").collect::<String>())?;
        let (model, config) = (model.join("model.safetensors"), model.join("config.json"));
        Ok(StockFiles { _folder: folder, model, config, vocabulary })
    }

    pub fn model(&self) -> ModelResource {
        ModelResource::Torch(Box::new(LocalResource::from(self.model.clone())))
    }

    pub fn config(&self) -> LocalResource {
        LocalResource::from(self.config.clone())
    }

    pub fn vocabulary(&self) -> LocalResource {
        LocalResource::from(self.vocabulary.clone())
    }
}

pub fn stock_error(error: rust_bert::RustBertError) -> Error {
    Error::model(error.to_string())
}

pub struct StockEntities(TokenClassificationModel);

impl StockEntities {
    pub fn load(folder: &Path) -> Result<Self> {
        let files = StockFiles::new(folder)?;
        let mut config = TokenClassificationConfig::new(
            ModelType::Bert,
            files.model(),
            files.config(),
            files.vocabulary(),
            None,
            true,
            None,
            None,
            LabelAggregationOption::First,
        );
        config.device = tch::Device::Cpu;
        TokenClassificationModel::new(config).map(StockEntities).map_err(stock_error)
    }

    /// The words of each text with their labels.
    pub fn tokens(&self, texts: &[&str]) -> Vec<Vec<Token>> {
        self.0.predict(texts, true, false)
    }
}
