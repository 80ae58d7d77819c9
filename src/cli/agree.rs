//! `detente agree`: how far annotators agree.

use super::Outcome;
use super::evaluate::ReportArgs;
use clap::Args;
use detente::error::Result;
use detente::evaluate::{agreement, ratings};
use std::path::PathBuf;

/// Agreement between annotators: percent, Cohen, Fleiss, Krippendorff, Gwet, with bootstrap intervals over documents.
#[derive(Debug, Args)]
pub struct AgreeArgs {
    /// One file an annotator (JSONL or CSV rows with `id` and `label`), or one file whose rows carry `annotators`.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The labels from one end of their scale to the other; stance labels and numbers are ordered without it.
    #[arg(long, value_name = "LABEL,LABEL,…", value_delimiter = ',')]
    order: Vec<String>,
    #[command(flatten)]
    output: ReportArgs,
}

impl AgreeArgs {
    /// Prints the agreement, and writes it where asked.
    ///
    /// # Errors
    /// Files that cannot be read, fewer than two annotators, a report that cannot be written.
    pub fn run(self) -> Result<Outcome> {
        self.output.check()?;
        let ratings = ratings::read(&self.files, &self.order)?;
        self.output.show(&agreement::evaluate(&ratings, &self.output.bootstrap())?)?;
        Ok(Outcome::Done)
    }
}
