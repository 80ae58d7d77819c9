//! What `classify`, `entities` and `quotes` share: articles in, records out.

use super::Outcome;
use super::options::{ReadArgs, TableOf, WriteArgs};
use super::progress::Progress;
use super::stop;
use detente::error::{Error, ErrorKind, Result};
use detente::io::output::{Checkpoint, Output, Start};
use detente::io::read::{Documents, ReadOptions};
use detente::io::source::{check_paths, total_bytes};
use detente::io::write::{RecordFormat, RecordSink};
use detente::pipeline::{Counts, Pipeline, Stream};
use detente::record::{ModelStamp, RecordWriter};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

/// One run over articles.
pub struct ArticleRun<'a> {
    /// Name of the command, for the settings of a resumable run.
    pub command: &'static str,
    pub paths: Vec<PathBuf>,
    pub read: &'a ReadArgs,
    pub write: &'a WriteArgs,
    pub threads: usize,
    /// What tables hold unless the user says otherwise.
    pub table: TableOf,
    /// Everything else that decides what records hold.
    pub settings: Value,
}

impl ArticleRun<'_> {
    /// Checks what can be checked before models are loaded.
    pub fn check(&self) -> Result<RecordFormat> {
        check_paths(&self.paths)?;
        self.write.record_format(self.table)
    }

    /// Runs to the end, or to the first Ctrl-C.
    pub fn run(self, pipeline: &Pipeline, models: &[ModelStamp]) -> Result<Outcome> {
        let format = self.check()?;
        let Some((mut sink, done)) = self.begin(format, models)? else {
            return Ok(Outcome::Done);
        };
        let options = self.read.options();
        let on_terminal = self.write.output.is_none() && std::io::stdout().is_terminal();
        let total = total_bytes(&self.paths, options.format);
        let before = done.as_ref().map(|done| done.counts).unwrap_or_default();
        let progress = Arc::new(Progress::new(self.write.quiet, on_terminal, total, before));
        let listener = progress.clone();
        let on_notice = Arc::new(move |notice| listener.notice(&notice));
        let bytes_read = progress.bytes_read();
        let documents = Documents::open(self.paths.clone(), ReadOptions { on_notice, bytes_read, ..options });
        let stream = Stream {
            analyse: &|documents| pipeline.run(documents),
            records: RecordWriter {
                unit: self.write.offset_unit.offset_unit(),
                with_text: self.write.with_text,
                models,
            },
            threads: self.threads,
            stop: stop::on_signals("finishing the documents in flight; once more ends at once")?,
            on_progress: &|counts| progress.update(counts),
            on_failure: &|record| progress.failure(record),
        };
        let counts = stream.run(documents, &mut sink, done.as_ref()).map_err(|e| self.left_behind(e, &sink))?;
        sink.finish()?;
        if !on_terminal || counts.failed > 0 {
            progress.summary(&counts);
        }
        Ok(outcome(&counts))
    }

    /// The sink, and what an earlier run has put there; none if all is done already.
    fn begin(&self, format: RecordFormat, models: &[ModelStamp]) -> Result<Option<(RecordSink, Option<Checkpoint>)>> {
        let Some(path) = &self.write.output else {
            return Ok(Some((RecordSink::begin(format, Output::stdout())?, None)));
        };
        match Output::resumable(path, &self.all_settings(format, models), self.write.resume)? {
            Start::Fresh(output) => Ok(Some((RecordSink::begin(format, output)?, None))),
            Start::Resumed(output, done) => Ok(Some((RecordSink::go_on(format, output), Some(done)))),
            Start::Finished => {
                eprintln!("{} is finished already; without --resume it is made anew", path.display());
                Ok(None)
            }
        }
    }

    /// What must be the same for two runs to write the same records.
    fn all_settings(&self, format: RecordFormat, models: &[ModelStamp]) -> Map<String, Value> {
        let read = self.read;
        let pairs = [
            ("version", json!(env!("CARGO_PKG_VERSION"))),
            ("command", json!(self.command)),
            ("format", json!(format!("{format:?}"))),
            ("models", json!(models)),
            ("offset-unit", json!(self.write.offset_unit.offset_unit())),
            ("with-text", json!(self.write.with_text)),
            ("input-format", json!(read.input_format.map(|f| format!("{f:?}")))),
            ("text-field", json!(read.text_field)),
            ("encoding", json!(read.encoding.map(|e| e.name()))),
            ("settings", self.settings.clone()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// Says where the finished part of an interrupted run is.
    fn left_behind(&self, error: Error, sink: &RecordSink) -> Error {
        match sink.output().partial() {
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
