//! What `classify`, `entities` and `quotes` share: articles in, records out.

use super::Outcome;
use super::options::{FlowArgs, ModelArgs, ReadArgs, TableOf, WriteArgs};
use super::progress::Progress;
use super::stop;
use clap::Args;
use detente::error::{Error, ErrorKind, Result};
use detente::io::failures::Failures;
use detente::io::output::{Checkpoint, Output, Start};
use detente::io::read::{Documents, ReadOptions};
use detente::io::source::{check_paths, total_bytes};
use detente::io::write::{RecordFormat, RecordSink};
use detente::pipeline::memory::Memory;
use detente::pipeline::{Counts, Pipeline, Stream};
use detente::record::{ModelStamp, RecordWriter};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What the commands over articles take.
#[derive(Debug, Args)]
pub struct ArticleArgs {
    /// Files, folders, archives, patterns like 'news/*.jsonl', or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub models: ModelArgs,
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub write: WriteArgs,
    #[command(flatten)]
    pub flow: FlowArgs,
}

/// One run over articles.
pub struct ArticleRun<'a> {
    /// Name of the command, for the settings of a resumable run.
    pub command: &'static str,
    pub articles: &'a ArticleArgs,
    /// What tables hold unless the user says otherwise.
    pub table: TableOf,
    /// Everything else that decides what records hold.
    pub settings: Value,
}

impl ArticleRun<'_> {
    /// Checks what can be checked before models are loaded.
    pub fn check(&self) -> Result<RecordFormat> {
        let write = &self.articles.write;
        check_paths(&self.articles.paths)?;
        if write.errors.is_some() && write.errors == write.output {
            return Err(Error::usage("--errors and --output name the same file").help("choose another --errors"));
        }
        write.record_format(self.table)
    }

    /// Runs to the end, or to the first Ctrl-C.
    pub fn run(self, pipeline: &Pipeline, models: &[ModelStamp]) -> Result<Outcome> {
        let format = self.check()?;
        let Some((mut sink, done)) = self.begin(format, models)? else {
            return Ok(Outcome::Done);
        };
        let ArticleArgs { paths, write, .. } = self.articles;
        let options = self.articles.read.options();
        let progress = Arc::new(self.progress(&options, done.as_ref()));
        let listener = progress.clone();
        let on_notice = Arc::new(move |notice| listener.notice(&notice));
        let bytes_read = progress.bytes_read();
        let documents = Documents::open(paths.clone(), ReadOptions { on_notice, bytes_read, ..options });
        let stream = Stream {
            analyse: &|documents| pipeline.run(documents),
            records: RecordWriter { unit: write.offset_unit.offset_unit(), with_text: write.with_text, models },
            threads: self.articles.models.threads(),
            queue: self.articles.flow.queue(self.articles.models.threads()),
            waited: AtomicU64::new(0),
            memory: Memory::default(),
            stop: stop::on_signals("finishing the documents in flight; once more ends at once")?,
            on_progress: &|counts| progress.update(counts),
            on_failure: &|record| progress.failure(record),
        };
        let counts = stream.run(documents, &mut sink, done.as_ref()).map_err(|e| self.left_behind(e, &sink))?;
        sink.finish()?;
        if !self.on_terminal() || counts.failed > 0 {
            progress.summary(&counts, stream.memory.reused(), stream.waited_share(progress.elapsed()));
        }
        Ok(outcome(&counts))
    }

    /// Whether the results go to the terminal.
    fn on_terminal(&self) -> bool {
        self.articles.write.output.is_none() && std::io::stdout().is_terminal()
    }

    fn progress(&self, options: &ReadOptions, done: Option<&Checkpoint>) -> Progress {
        let write = &self.articles.write;
        let before = done.map(|done| done.counts).unwrap_or_default();
        let total = total_bytes(&self.articles.paths, options.format);
        Progress::new(write.progress, write.quiet, self.on_terminal(), total, before)
    }

    /// The sink, and what an earlier run has put there; none if all is done already.
    fn begin(&self, format: RecordFormat, models: &[ModelStamp]) -> Result<Option<(RecordSink, Option<Checkpoint>)>> {
        let write = &self.articles.write;
        let start = match &write.output {
            None => Start::Fresh(RecordSink::begin(format, Output::stdout())?),
            Some(path) => RecordSink::resumable(format, path, &self.all_settings(format, models), write.resume)?,
        };
        let (sink, done) = match start {
            Start::Fresh(sink) => (sink, None),
            Start::Resumed(sink, done) => (sink, Some(done)),
            Start::Finished => {
                let path = write.output.as_deref().unwrap_or(Path::new("the output"));
                eprintln!("{} is finished already; without --resume it is made anew", path.display());
                return Ok(None);
            }
        };
        let listed = done.as_ref().map_or(0, |done| done.errors);
        let failures = write.errors.as_deref().map(|path| Failures::open(path, listed)).transpose()?;
        Ok(Some((sink.with_failures(failures), done)))
    }

    /// What must be the same for two runs to write the same records.
    fn all_settings(&self, format: RecordFormat, models: &[ModelStamp]) -> Map<String, Value> {
        let (read, write) = (&self.articles.read, &self.articles.write);
        let pairs = [
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("command", json!(self.command)),
            ("format", json!(format!("{format:?}"))),
            ("models", json!(models)),
            ("offset-unit", json!(write.offset_unit.offset_unit())),
            ("with-text", json!(write.with_text)),
            ("errors", json!(write.errors)),
            ("input-format", json!(read.input_format.map(|f| format!("{f:?}")))),
            ("text-field", json!(read.text_field)),
            ("id-field", json!(read.id_field)),
            ("title-field", json!(read.title_field)),
            ("date-field", json!(read.date_field)),
            ("encoding", json!(read.encoding.map(|e| e.name()))),
            ("max-document-size", json!(read.max_document_size)),
            ("max-line-size", json!(read.max_line_size)),
            ("max-expansion", json!(read.max_expansion)),
        ];
        let own = self.settings.as_object().cloned().unwrap_or_default();
        pairs.into_iter().map(|(name, value)| (name.to_string(), value)).chain(own).collect()
    }

    /// Says where the finished part of an interrupted run is.
    fn left_behind(&self, error: Error, sink: &RecordSink) -> Error {
        match sink.partial() {
            Some(partial) if error.kind == ErrorKind::Interrupted => {
                error.help(format!("they are in {}: add --resume to go on", partial.display()))
            }
            _ => error,
        }
    }
}

fn outcome(counts: &Counts) -> Outcome {
    if counts.failed == 0 { Outcome::Done } else { Outcome::SomeFailed }
}
