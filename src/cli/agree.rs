//! `detente agree`: how far annotators agree.

use super::Outcome;
use super::evaluate::ReportArgs;
use clap::{Args, ValueEnum};
use detente::error::Result;
use detente::evaluate::unitizing::{self, What};
use detente::evaluate::{agreement, ratings};
use std::path::PathBuf;

/// Agreement between annotators: percent, Cohen, Fleiss, Krippendorff, Gwet, with bootstrap intervals over documents.
#[derive(Debug, Args)]
pub struct AgreeArgs {
    /// One file an annotator (JSONL or CSV rows with `id` and `label`), or one file whose rows carry `annotators`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Compares spans instead of labels: records, one file an annotator, or a folder of brat stand-off
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "order")]
    spans: Option<SpansOf>,
    /// The labels from one end of their scale to the other; stance labels and numbers are ordered without it.
    #[arg(long, value_name = "LABEL,LABEL,…", value_delimiter = ',')]
    order: Vec<String>,
    #[command(flatten)]
    output: ReportArgs,
}

/// Spans that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SpansOf {
    /// Entities, by type
    Entities,
    /// Content, cue and source of quotes
    Quotes,
}

impl SpansOf {
    fn what(self) -> What {
        match self {
            SpansOf::Entities => What::Entities,
            SpansOf::Quotes => What::Quotes,
        }
    }
}

impl AgreeArgs {
    /// Prints the agreement, and writes it where asked.
    ///
    /// # Errors
    /// Files that cannot be read, fewer than two annotators, a report that cannot be written.
    pub fn run(self) -> Result<Outcome> {
        self.output.check()?;
        let bootstrap = self.output.bootstrap();
        if let Some(what) = self.spans {
            let (annotators, continua) = unitizing::read(&self.files, what.what())?;
            self.output.show(&unitizing::evaluate(&annotators, &continua, &bootstrap)?)?;
            return Ok(Outcome::Done);
        }
        let ratings = ratings::read(&self.files, &self.order)?;
        self.output.show(&agreement::evaluate(&ratings, &bootstrap)?)?;
        Ok(Outcome::Done)
    }
}
