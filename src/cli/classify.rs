//! `detente classify`: who said what, how, and who and what occurs.

use super::Outcome;
use super::articles::ArticleRun;
use super::options::{ModelArgs, ReadArgs, TableOf, WriteArgs};
use super::quotes::Which;
use clap::Args;
use detente::error::Result;
use detente::pipeline::Pipeline;
use serde_json::json;
use std::path::PathBuf;

/// Reads articles; writes of each its names, its quotes with their speakers, and the stance of each quote.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    detente classify articles/                               read them on the terminal\n  \
    detente classify news.jsonl.gz -o records.jsonl.zst      one record a document\n  \
    detente classify articles/ --table quotes -o quotes.csv  one row a quote\n  \
    detente classify news.jsonl -o records.jsonl --resume    go on after an interruption")]
pub struct ClassifyArgs {
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Allow the label neutral, where it is the most probable of the three
    #[arg(long)]
    neutral: bool,
    /// Which quotes are looked for
    #[arg(long, value_name = "WHICH", default_value = "all", value_enum)]
    quotes: Which,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    write: WriteArgs,
}

impl ClassifyArgs {
    /// Writes a record of each article.
    ///
    /// # Errors
    /// When a model cannot be loaded, nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        let run = ArticleRun {
            command: "classify",
            paths: self.paths,
            read: &self.read,
            write: &self.write,
            threads: self.models.threads(),
            table: TableOf::Quotes,
            settings: json!({
                "quotes": format!("{:?}", self.quotes),
                "neutral": self.neutral,
                "precision": self.models.precision,
            }),
        };
        run.check()?;
        let (tagger, entities) = self.models.entities()?;
        let quotes = self.quotes.model(&self.models)?;
        let (reader, stance) = self.models.stance(self.neutral)?;
        let (reported, quotes) = quotes.unzip();
        let pipeline = Pipeline {
            entities: Some(tagger),
            quotes: self.quotes.choice(),
            reported,
            stance: Some(reader),
            batch_tokens: self.models.batch_tokens,
        };
        let stamps: Vec<_> = [Some(entities), quotes, Some(stance)].into_iter().flatten().collect();
        run.run(&pipeline, &stamps)
    }
}
