//! `detente entities`: people, organisations, places and other names.

use super::Outcome;
use super::articles::{ArticleArgs, ArticleRun};
use super::options::TableOf;
use clap::Args;
use detente::error::{Error, Result};
use detente::io::output::Output;
use detente::io::source::{Format, check_paths};
use detente::pipeline::{Pipeline, columns};
use serde_json::json;

/// Finds names; with --input-format conll tags tokens that are split already and writes the columns back.
#[derive(Debug, Args)]
pub struct EntitiesArgs {
    #[command(flatten)]
    articles: ArticleArgs,
}

impl EntitiesArgs {
    /// Writes a record of each article, or the columns with one more.
    ///
    /// # Errors
    /// When a model cannot be loaded, nothing can be read or written, or the run is interrupted.
    pub fn run(self) -> Result<Outcome> {
        if self.articles.read.input_format == Some(Format::Conll) {
            return self.tag_columns();
        }
        let models = &self.articles.models;
        let settings = json!({"precision": models.precision});
        let run = ArticleRun { command: "entities", articles: &self.articles, table: TableOf::Entities, settings };
        run.check()?;
        let (tagger, stamp) = models.entities()?;
        let batch_tokens = models.batch_tokens();
        run.run(&Pipeline { entities: Some(tagger), batch_tokens, ..Pipeline::default() }, &[stamp])
    }

    fn tag_columns(self) -> Result<Outcome> {
        let ArticleArgs { paths, models, read, write, .. } = self.articles;
        check_paths(&paths)?;
        let [path] = paths.as_slice() else {
            return Err(Error::usage("one CoNLL file at a time").help("call it once for each file"));
        };
        models.use_threads()?;
        let (tagger, _) = models.entities()?;
        let mut output = match &write.output {
            Some(path) => Output::file(path)?,
            None => Output::stdout(),
        };
        let counts = columns::tag(path, &read.options(), &tagger, &mut output)?;
        output.finish()?;
        if !write.quiet {
            eprintln!("{} sentences, {} tokens tagged", counts.sentences, counts.tokens);
        }
        Ok(Outcome::Done)
    }
}
