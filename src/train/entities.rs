//! Training data and dev score of the entity model: tagged words in, windows of tagged pieces out.

use super::config::Training;
use super::fit::{Event, Outcome, Task, fit};
use super::{Example, IGNORED, Target, card};
use crate::encoder::{Encoder, batches};
use crate::entities::{EntityTagger, TaggedSentence};
use crate::error::{Error, Result};
use crate::io::conll;
use crate::tokens::{Tokens, Window, WindowOptions, join_words};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// What `detente train entities --config` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityTraining {
    /// Settings all tasks share.
    pub training: Training,
    /// Entity types the model learns, in the order of their labels.
    pub types: Vec<String>,
    /// Pieces at the end of a window that are read again in the next, when scoring.
    #[serde(default = "overlap")]
    pub overlap_tokens: usize,
    /// What to learn from.
    pub train: Vec<Source>,
    /// What chooses the best epoch: the mean of the F1 of all sources.
    pub dev: Vec<Source>,
    /// What the card says of data, licence and use.
    #[serde(default)]
    pub card: card::CardText,
}

fn overlap() -> usize {
    48
}

/// Tagged words: a CoNLL file, or a folder of them, each a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Name in the card.
    pub name: String,
    /// File or folder.
    pub path: PathBuf,
    /// Which part of a folder: files are split by the hash of their names.
    #[serde(default)]
    pub split: Option<Split>,
    /// The model's type for each type of the data; a type that is not named counts as no entity.
    pub map: BTreeMap<String, String>,
    /// How much its examples count.
    #[serde(default = "full")]
    pub weight: f32,
    /// Files whose first line is an address, not text.
    #[serde(default)]
    pub skip_first_sentence: bool,
}

fn full() -> f32 {
    1.0
}

/// A part of a folder, by the first byte of SHA-256 over the file's name: below 26 test (about a tenth), below 51 dev,
/// the rest train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by.
    Dev,
    /// To report.
    Test,
}

impl Split {
    /// The part in which a file of this name falls.
    pub fn of_name(name: &str) -> Split {
        match Sha256::digest(name.as_bytes()).first() {
            Some(0..26) => Split::Test,
            Some(26..51) => Split::Dev,
            _ => Split::Train,
        }
    }
}

/// Sentences of one document with their tags in the model's types.
type DocumentTags = Vec<TaggedSentence>;

/// Trains and writes the model.
///
/// # Errors
/// As [`fit`], and when data cannot be read.
pub fn train(settings: &EntityTraining, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let labels = labels(&settings.types);
    let config = model_config(settings, &labels)?;
    let tokens = open_tokens(settings, &config)?;
    let label_of: BTreeMap<&str, i64> = labels.iter().zip(0..).map(|(l, i)| (l.as_str(), i)).collect();

    let mut examples = Vec::new();
    for source in &settings.train {
        for document in source.read()? {
            examples.extend(document_examples(&tokens, &document, &label_of, source.weight)?);
        }
    }
    let dev: Vec<Vec<DocumentTags>> = settings.dev.iter().map(Source::read).collect::<Result<_>>()?;
    let scored = tokens.with_options(WindowOptions {
        max_tokens: settings.training.max_tokens,
        overlap_tokens: settings.overlap_tokens,
    })?;
    let score = |encoder: &dyn Encoder| mean_f1(encoder, &scored, &dev);
    let task =
        Task { settings: &settings.training, config, examples: vec![examples], class_weights: None, score: &score };
    let outcome = fit(&task, show)?;
    card::write(&settings.training.output, "entities", settings, &settings.card, &outcome)?;
    Ok(outcome)
}

/// `O`, then `B-` and `I-` of each type.
fn labels(types: &[String]) -> Vec<String> {
    let tags = types.iter().flat_map(|t| [format!("B-{t}"), format!("I-{t}")]);
    std::iter::once("O".to_string()).chain(tags).collect()
}

/// The base model's configuration with the task's labels and word case as token types.
fn model_config(settings: &EntityTraining, labels: &[String]) -> Result<serde_json::Value> {
    let training = &settings.training;
    let mut config = super::config::base_config(training, "BertForTokenClassification", labels)?;
    if let Some(keys) = config.as_object_mut() {
        keys.insert("type_vocab_size".into(), 4.into());
        let own = serde_json::json!({
            "task": "entities", "token_types": "case",
            "max_tokens": training.max_tokens, "overlap_tokens": settings.overlap_tokens,
        });
        keys.insert("detente".into(), own);
    }
    Ok(config)
}

/// The base model's tokenizer; windows of training do not overlap.
fn open_tokens(settings: &EntityTraining, config: &serde_json::Value) -> Result<Tokens> {
    let tokens = super::config::base_tokens(&settings.training, config)?;
    tokens.with_options(WindowOptions { max_tokens: settings.training.max_tokens, overlap_tokens: 0 })
}

impl Source {
    /// The documents; a single file is one document.
    fn read(&self) -> Result<Vec<DocumentTags>> {
        let mut files = Vec::new();
        if self.path.is_dir() {
            for entry in std::fs::read_dir(&self.path).map_err(|e| self.error(&e))? {
                files.push(entry.map_err(|e| self.error(&e))?.path());
            }
            files.retain(|f| self.holds(f));
            files.sort();
        } else {
            files.push(self.path.clone());
        }
        files.iter().map(|f| self.read_file(f)).collect()
    }

    fn holds(&self, file: &Path) -> bool {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or("");
        self.split.is_none_or(|split| Split::of_name(name) == split)
    }

    fn read_file(&self, file: &Path) -> Result<DocumentTags> {
        let sentences = conll::read_file(file)?;
        let first = usize::from(self.skip_first_sentence);
        let mapped =
            |s: TaggedSentence| TaggedSentence { tags: s.tags.iter().map(|t| self.model_tag(t)).collect(), ..s };
        Ok(sentences.into_iter().skip(first).map(mapped).collect())
    }

    fn model_tag(&self, tag: &str) -> String {
        let mapped = tag.split_once('-').and_then(|(prefix, kind)| Some((prefix, self.map.get(kind)?)));
        mapped.map_or_else(|| "O".into(), |(prefix, kind)| format!("{prefix}-{kind}"))
    }

    fn error(&self, error: &std::io::Error) -> Error {
        Error::usage(error.to_string()).in_file(&self.path).help("the configuration names where the data lies")
    }
}

/// Words of a whole document with the offsets at which sentences start.
fn joined(document: &DocumentTags) -> (String, Vec<crate::document::Span>, Vec<usize>, Vec<&str>) {
    let words: Vec<&str> = document.iter().flat_map(|s| s.words.iter().map(String::as_str)).collect();
    let tags: Vec<&str> = document.iter().flat_map(|s| s.tags.iter().map(String::as_str)).collect();
    let (text, spans) = join_words(&words);
    let mut breaks = Vec::new();
    let mut at = 0;
    for sentence in document {
        breaks.extend(spans.get(at).map(|s| s.start));
        at += sentence.words.len();
    }
    (text, spans, breaks, tags)
}

/// Windows of whole sentences as far as they go; only the first piece of a word learns.
fn document_examples(
    tokens: &Tokens,
    document: &DocumentTags,
    label_of: &BTreeMap<&str, i64>,
    weight: f32,
) -> Result<Vec<Example>> {
    let (text, spans, breaks, tags) = joined(document);
    let windows = tokens.windows_with_breaks(&text, &spans, &breaks)?;
    Ok(windows
        .into_iter()
        .map(|w| Example { target: Target::Tokens(first_piece_targets(&w, &tags, label_of)), input: w.input, weight })
        .collect())
}

fn first_piece_targets(window: &Window, tags: &[&str], label_of: &BTreeMap<&str, i64>) -> Vec<i64> {
    let mut before = None;
    let mut target = |word: Option<u32>| {
        let first = word.filter(|w| before != Some(*w));
        before = word.or(before);
        first.and_then(|w| tags.get(w as usize)).and_then(|tag| label_of.get(tag).copied()).unwrap_or(IGNORED)
    };
    window.word_of.iter().map(|w| target(*w)).collect()
}

/// Mean over the sources of micro F1 over exact spans.
fn mean_f1(encoder: &dyn Encoder, tokens: &Tokens, sources: &[Vec<DocumentTags>]) -> Result<f64> {
    let scores: Vec<f64> = sources.iter().map(|s| micro_f1(encoder, tokens, s)).collect::<Result<_>>()?;
    Ok(scores.iter().sum::<f64>() / scores.len().max(1) as f64)
}

fn micro_f1(encoder: &dyn Encoder, tokens: &Tokens, documents: &[DocumentTags]) -> Result<f64> {
    let tagger = EntityTagger::decoder(encoder.labels())?;
    let (mut hit, mut found, mut gold) = (0, 0, 0);
    for document in documents {
        let (text, spans, breaks, tags) = joined(document);
        let windows = tokens.windows_with_breaks(&text, &spans, &breaks)?;
        let inputs: Vec<_> = windows.iter().map(|w| w.input.clone()).collect();
        let logits = batches::logits(encoder, &inputs, 4096)?;
        let starts: Vec<usize> = breaks.iter().map(|b| spans.partition_point(|w| w.start < *b)).skip(1).collect();
        let predicted = tagger.scored_spans(spans.len(), &windows, &logits, &starts)?;
        let predicted: HashSet<_> = predicted.into_iter().map(|(span, _)| span).collect();
        let truth: HashSet<_> = crate::entities::spans_of_tags(&tags).into_iter().collect();
        hit += predicted.intersection(&truth).count();
        found += predicted.len();
        gold += truth.len();
    }
    Ok(2.0 * f64::from(hit as u32) / f64::from((found + gold).max(1) as u32))
}
