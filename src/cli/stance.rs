//! `detente stance`: rows with a quote in, the same rows with its stance out.

use super::Outcome;
use super::options::ModelArgs;
use clap::Args;
use detente::error::Result;
use detente::io::output::Output;
use detente::io::read::ReadOptions;
use detente::io::source::{Format, check_paths};
use detente::pipeline::rows;
use std::path::PathBuf;

/// Reads rows with a `quote` (and, if there, `left`, `right`, `speaker`); writes the same rows with the stance of each.
#[derive(Debug, Args)]
#[command(after_help = "JSONL rows get an object `stance`; CSV rows get the columns stance_label, stance_score, \
    stance_conciliatory, stance_firm, stance_neutral.")]
pub struct StanceArgs {
    /// A JSONL, JSON, CSV or TSV file, or - for standard input
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// Format of the file; by default its name and first bytes tell
    #[arg(long, value_name = "FORMAT", value_enum)]
    input_format: Option<Format>,
    /// Field or column of the quote
    #[arg(long, value_name = "NAME", default_value = "quote")]
    quote_field: String,
    /// Allow the label neutral, where it is the most probable of the three
    #[arg(long)]
    neutral: bool,
    /// File for the rows [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// No summary, only errors
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    models: ModelArgs,
}

impl StanceArgs {
    /// Writes the rows with their stance.
    ///
    /// # Errors
    /// When the model cannot be loaded, or nothing can be read or written.
    pub fn run(self) -> Result<Outcome> {
        check_paths(std::slice::from_ref(&self.path))?;
        self.models.use_threads()?;
        let (reader, _) = self.models.stance(self.neutral)?;
        let mut output = match &self.output {
            Some(path) => Output::file(path)?,
            None => Output::stdout(),
        };
        let options = ReadOptions { format: self.input_format, ..ReadOptions::default() };
        let task = rows::StanceRows {
            reader: &reader,
            quote_field: &self.quote_field,
            batch_tokens: self.models.batch_tokens(),
            on_failure: &|error| eprintln!("failed: {error}"),
        };
        let counts = task.run(&self.path, &options, &mut output)?;
        output.finish()?;
        if !self.quiet {
            eprintln!("{} rows read, {} written, {} failed", counts.read, counts.written, counts.failed);
        }
        Ok(if counts.failed == 0 { Outcome::Done } else { Outcome::SomeFailed })
    }
}
