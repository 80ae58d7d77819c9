//! `detente entities`: people, organisations, places and other names.

use super::Outcome;
use super::articles::ArticleRun;
use super::options::{InputFormat, ModelArgs, ReadArgs, TableOf, WriteArgs};
use clap::Args;
use detente::error::{Error, Result};
use detente::io::output::Output;
use detente::io::source::check_paths;
use detente::pipeline::{Pipeline, columns};
use serde_json::json;
use std::path::PathBuf;

/// Finds names; with --input-format conll tags tokens that are split already and writes the columns back.
#[derive(Debug, Args)]
pub struct EntitiesArgs {
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    write: WriteArgs,
}

impl EntitiesArgs {
    /// Writes a record of each article, or the columns with one more.
    ///
    /// # Errors
    /// When a model cannot be loaded, nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        if self.read.input_format == Some(InputFormat::Conll) {
            return self.tag_columns();
        }
        let run = ArticleRun {
            command: "entities",
            paths: self.paths,
            read: &self.read,
            write: &self.write,
            threads: self.models.threads(),
            table: TableOf::Entities,
            settings: json!({"precision": self.models.precision}),
        };
        run.check()?;
        let (tagger, stamp) = self.models.entities()?;
        let batch_tokens = self.models.batch_tokens;
        run.run(&Pipeline { entities: Some(tagger), batch_tokens, ..Pipeline::default() }, &[stamp])
    }

    fn tag_columns(self) -> Result<Outcome> {
        check_paths(&self.paths)?;
        let [path] = self.paths.as_slice() else {
            return Err(Error::usage("one CoNLL file at a time").help("call it once for each file"));
        };
        self.models.use_threads()?;
        let (tagger, _) = self.models.entities()?;
        let mut output = match &self.write.output {
            Some(path) => Output::file(path)?,
            None => Output::stdout(),
        };
        let counts = columns::tag(path, &self.read.options(), &tagger, &mut output)?;
        output.finish()?;
        if !self.write.quiet {
            eprintln!("{} sentences, {} tokens tagged", counts.sentences, counts.tokens);
        }
        Ok(Outcome::Done)
    }
}
