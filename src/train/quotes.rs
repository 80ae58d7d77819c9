//! Training data and dev score of the quote model: annotated articles in, windows of tagged pieces out.

use super::config::Training;
use super::fit::{Event, Outcome, Task, fit};
use super::{Example, IGNORED, Target, card};
use crate::encoder::{Encoder, Input, batches};
use crate::error::Result;
use crate::io::brat::{self, Article};
use crate::quotes::model::Words;
use crate::quotes::tags::{self, Role};
use crate::tokens::{Tokens, Window, WindowOptions};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `detente train quotes --config` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteTraining {
    /// Settings all tasks share.
    pub training: Training,
    /// What to learn from: folders of brat stand-off, see [`brat::read_articles`].
    pub train: Vec<PathBuf>,
    /// What chooses the best epoch: the mean of the word F1 of content, source and cue.
    pub dev: Vec<PathBuf>,
    /// Longest windows of each epoch, over again when there are more epochs: the text is cut at other places each time, so
    /// that the model does not learn where a window ends. Only `max_tokens` when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epoch_tokens: Vec<usize>,
    /// Pieces in a window when the model is used; by default as many as in training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_tokens: Option<usize>,
    /// Pieces at the end of a window that are read again in the next, when the model is used.
    #[serde(default)]
    pub overlap_tokens: usize,
    /// Articles of the training set from which the linker learns.
    #[serde(default = "linker_articles")]
    pub linker_articles: usize,
    /// What the card says of data, licence and use.
    #[serde(default)]
    pub card: card::CardText,
}

fn linker_articles() -> usize {
    280
}

/// Trains and writes the model.
///
/// # Errors
/// As [`fit`], and when data cannot be read.
pub fn train(settings: &QuoteTraining, show: &mut dyn FnMut(&Event)) -> Result<Outcome> {
    let config = model_config(settings)?;
    let tokens = super::config::base_tokens(&settings.training, &config)?;
    let longest = settings.training.max_tokens;
    let lengths = if settings.epoch_tokens.is_empty() { &[longest][..] } else { &settings.epoch_tokens };
    let (train, dev) = (articles(&settings.train)?, articles(&settings.dev)?);
    let examples = lengths.iter().map(|l| examples(&tokens, &train, *l)).collect::<Result<_>>()?;
    let dev = self::examples(&tokens, &dev, longest)?;
    let score = |encoder: &dyn Encoder| mean_word_f1(encoder, &dev);
    let task = Task { settings: &settings.training, config, examples, class_weights: None, score: &score };
    let outcome = fit(&task, show)?;
    card::write(&settings.training.output, "quotes", settings, &settings.card, &outcome)?;
    Ok(outcome)
}

/// The base model's configuration with the task's labels, and case and paragraph starts as token types.
fn model_config(settings: &QuoteTraining) -> Result<serde_json::Value> {
    let training = &settings.training;
    let mut config = super::config::base_config(training, "BertForTokenClassification", &tags::labels())?;
    if let Some(keys) = config.as_object_mut() {
        keys.insert("type_vocab_size".into(), 8.into());
        let own = serde_json::json!({
            "task": "quotes", "token_types": "case+break",
            "max_tokens": settings.window_tokens.unwrap_or(training.max_tokens), "overlap_tokens": settings.overlap_tokens,
        });
        keys.insert("detente".into(), own);
    }
    Ok(config)
}

/// The articles of all `folders`.
pub(super) fn articles(folders: &[PathBuf]) -> Result<Vec<Article>> {
    let mut articles = Vec::new();
    for folder in folders {
        articles.extend(brat::read_articles(folder)?);
    }
    Ok(articles)
}

/// Windows of whole paragraphs as far as they go; only the first piece of a word learns.
fn examples(tokens: &Tokens, articles: &[Article], max_tokens: usize) -> Result<Vec<Example>> {
    let tokens = tokens.clone().with_options(WindowOptions { max_tokens, overlap_tokens: 0 })?;
    let mut examples = Vec::new();
    for article in articles {
        examples.extend(article_examples(&tokens, article)?);
    }
    Ok(examples)
}

fn article_examples(tokens: &Tokens, article: &Article) -> Result<Vec<Example>> {
    let text = &article.document.text;
    let words = Words::of(text);
    let tags = tags::tag_words(&words.spans, article.attributions());
    let windows = tokens.windows_with_breaks(text, &words.spans, &words.breaks)?;
    let example = |w: Window| Example { target: Target::Tokens(first_pieces(&w, &tags)), input: w.input, weight: 1.0 };
    Ok(windows.into_iter().map(example).collect())
}

fn first_pieces(window: &Window, tags: &[usize]) -> Vec<i64> {
    let mut before = None;
    let mut target = |word: Option<u32>| {
        let first = word.filter(|w| before != Some(*w));
        before = word.or(before);
        first.and_then(|w| tags.get(w as usize)).map_or(IGNORED, |tag| *tag as i64)
    };
    window.word_of.iter().map(|w| target(*w)).collect()
}

/// The role a label gives a word, whatever its side.
fn role_of(label: usize) -> Option<Role> {
    label.checked_sub(1).and_then(|l| tags::KINDS.get(l / 2)).map(|(role, _)| *role)
}

/// Mean over the roles of the F1 over words.
fn mean_word_f1(encoder: &dyn Encoder, dev: &[Example]) -> Result<f64> {
    let inputs: Vec<Input> = dev.iter().map(|e| e.input.clone()).collect();
    let logits = batches::logits(encoder, &inputs, 4096)?;
    let mut pairs = Vec::new();
    for (example, rows) in dev.iter().zip(&logits) {
        let Target::Tokens(gold) = &example.target else { continue };
        let learned = gold.iter().zip(rows.rows()).filter(|(g, _)| **g != IGNORED);
        pairs.extend(learned.map(|(g, row)| (role_of(*g as usize), likeliest_role(row.as_slice().unwrap_or(&[])))));
    }
    let f1 = |role: Role| {
        let gold = pairs.iter().filter(|(g, _)| *g == Some(role)).count();
        let found = pairs.iter().filter(|(_, p)| *p == Some(role)).count();
        let both = pairs.iter().filter(|(g, p)| *g == Some(role) && g == p).count();
        2.0 * both as f64 / (gold + found).max(1) as f64
    };
    Ok([Role::Content, Role::Source, Role::Cue].map(f1).iter().sum::<f64>() / 3.0)
}

/// The role whose labels have most probability together.
fn likeliest_role(logits: &[f32]) -> Option<Role> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mass = |role: Option<Role>| -> f32 {
        logits.iter().enumerate().filter(|(l, _)| role_of(*l) == role).map(|(_, x)| (x - top).exp()).sum()
    };
    let roles = [None, Some(Role::Content), Some(Role::Source), Some(Role::Cue)];
    roles.into_iter().max_by(|a, b| mass(*a).total_cmp(&mass(*b))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;

    #[test]
    fn windows_of_every_length_teach_each_word_once() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quotes");
        let text = "Ana Lind said the talks will go on. Oskar Brandt refused to come.\n\nNobody else spoke that day.";
        let article = Article { document: Document::new("1", text), annotations: Vec::new() };
        for max_tokens in [8, 16, 64] {
            let options = WindowOptions { max_tokens, overlap_tokens: 0 };
            let tokens = Tokens::from_folder(&folder).unwrap().with_options(options).unwrap();
            let examples = article_examples(&tokens, &article).unwrap();
            let learned = examples.iter().map(|e| match &e.target {
                Target::Tokens(tags) => tags.iter().filter(|tag| **tag != IGNORED).count(),
                Target::Classes(_) => 0,
            });
            assert_eq!(learned.sum::<usize>(), Words::of(text).spans.len());
        }
    }

    #[test]
    fn the_sides_of_a_role_count_together() {
        let mut logits = vec![-9.0; 11];
        (logits[0], logits[1], logits[3]) = (1.0, 0.8, 0.8);
        assert_eq!(likeliest_role(&logits), Some(Role::Content));
        logits[0] = 2.0;
        assert_eq!(likeliest_role(&logits), None);
    }
}
