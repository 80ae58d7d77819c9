//! `detente quotes`: who said what.

use super::Outcome;
use super::articles::ArticleRun;
use super::options::{ReadArgs, TableOf, WriteArgs};
use clap::{Args, ValueEnum};
use detente::error::Result;
use detente::pipeline::{Pipeline, QuoteChoice};
use serde_json::json;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Finds quotes and their speakers; needs no model.
#[derive(Debug, Args)]
pub struct QuotesArgs {
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Which quotes are looked for
    #[arg(long, value_name = "WHICH", default_value = "all", value_enum)]
    quotes: Which,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    write: WriteArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// All words in quotation marks
    Direct,
    /// Also reported speech with quoted words
    All,
}

impl Which {
    pub fn choice(self) -> QuoteChoice {
        match self {
            Which::Direct => QuoteChoice::Direct,
            Which::All => QuoteChoice::All,
        }
    }
}

impl QuotesArgs {
    /// Writes a record of each article.
    ///
    /// # Errors
    /// When nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        let pipeline = Pipeline { quotes: self.quotes.choice(), ..Pipeline::default() };
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok());
        let run = ArticleRun {
            command: "quotes",
            paths: self.paths,
            read: &self.read,
            write: &self.write,
            threads: threads.map_or(1, NonZeroUsize::get),
            table: TableOf::Quotes,
            settings: json!({"quotes": format!("{:?}", self.quotes)}),
        };
        run.run(&pipeline, &[])
    }
}
