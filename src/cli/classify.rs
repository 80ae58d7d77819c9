//! `detente classify`: who said what, how, and who and what occurs.

use super::Outcome;
use super::articles::{ArticleArgs, ArticleRun};
use super::options::TableOf;
use super::quotes::Which;
use clap::Args;
use detente::error::Result;
use detente::pipeline::Pipeline;
use serde_json::json;

/// Reads articles; writes of each its names, its quotes with their speakers, and the stance of each quote.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    detente classify articles/                               read them on the terminal\n  \
    detente classify news.jsonl.gz -o records.jsonl.zst      one record a document\n  \
    detente classify articles/ --table quotes -o quotes.csv  one row a quote\n  \
    detente classify news.tar.gz -o news.sqlite              a database of documents, quotes and names\n  \
    detente classify news.jsonl -o records.jsonl --resume    go on after an interruption")]
pub struct ClassifyArgs {
    /// Allow the label neutral, where it is the most probable of the three
    #[arg(long)]
    neutral: bool,
    /// Which quotes are looked for
    #[arg(long, value_name = "WHICH", default_value = "all", value_enum)]
    quotes: Which,
    #[command(flatten)]
    articles: ArticleArgs,
}

impl ClassifyArgs {
    /// Writes a record of each article.
    ///
    /// # Errors
    /// When a model cannot be loaded, nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        let models = &self.articles.models;
        let settings = json!({
            "quotes": format!("{:?}", self.quotes),
            "neutral": self.neutral,
            "precision": models.precision,
        });
        let run = ArticleRun { command: "classify", articles: &self.articles, table: TableOf::Quotes, settings };
        run.check()?;
        let (tagger, entities) = models.entities()?;
        let quotes = self.quotes.model(models)?;
        let (reader, stance) = models.stance(self.neutral)?;
        let (reported, quotes) = quotes.unzip();
        let pipeline = Pipeline {
            entities: Some(tagger),
            quotes: self.quotes.choice(),
            reported,
            stance: Some(reader),
            batch_tokens: models.batch_tokens(),
        };
        let stamps: Vec<_> = [Some(entities), quotes, Some(stance)].into_iter().flatten().collect();
        run.run(&pipeline, &stamps)
    }
}
