//! `detente quotes`: who said what.

use super::Outcome;
use super::articles::{ArticleArgs, ArticleRun};
use super::options::{ModelArgs, TableOf};
use clap::{Args, ValueEnum};
use detente::error::Result;
use detente::pipeline::{Pipeline, QuoteChoice};
use detente::quotes::model::QuoteTagger;
use detente::record::ModelStamp;
use serde_json::json;

/// Finds quotes and their speakers; `--quotes direct` needs no model.
#[derive(Debug, Args)]
pub struct QuotesArgs {
    /// Which quotes are looked for
    #[arg(long, value_name = "WHICH", default_value = "all", value_enum)]
    quotes: Which,
    #[command(flatten)]
    articles: ArticleArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// All words in quotation marks
    Direct,
    /// Also reported speech, with quoted words or without
    All,
}

impl Which {
    pub fn choice(self) -> QuoteChoice {
        match self {
            Which::Direct => QuoteChoice::Direct,
            Which::All => QuoteChoice::All,
        }
    }

    /// The quote model, where reported speech is looked for.
    pub fn model(self, models: &ModelArgs) -> Result<Option<(QuoteTagger, ModelStamp)>> {
        match self {
            Which::Direct => Ok(None),
            Which::All => models.quotes(),
        }
    }
}

impl QuotesArgs {
    /// Writes a record of each article.
    ///
    /// # Errors
    /// When nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        let models = &self.articles.models;
        let settings = json!({"quotes": format!("{:?}", self.quotes), "precision": models.precision});
        let run = ArticleRun { command: "quotes", articles: &self.articles, table: TableOf::Quotes, settings };
        run.check()?;
        let (reported, stamp) = self.quotes.model(models)?.unzip();
        let batch_tokens = models.batch_tokens();
        let pipeline = Pipeline { quotes: self.quotes.choice(), reported, batch_tokens, ..Pipeline::default() };
        run.run(&pipeline, stamp.as_slice())
    }
}
