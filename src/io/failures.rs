//! The list of documents that failed: one JSON object a line, with place and reason.
//!
//! ```json
//! {"id":"news.jsonl#7","source":"news.jsonl","file":"news.jsonl","line":7,"offset":null,"kind":"document",
//!  "reason":"field `text` is null, not text","help":"name the right field with --text-field"}
//! ```
//!
//! It is written under a name of its own (`NAME.partial`) until the run is finished, and a resumed run cuts it to the
//! length that its last checkpoint tells, so it holds each failure once.

use crate::error::{Error, Result};
use crate::io::output::{cannot_create, is_regular, partial_path, write_error};
use crate::io::write::json_line;
use crate::record::Record;
use serde::Serialize;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A list of failures that is being written.
pub struct Failures {
    path: PathBuf,
    writer: BufWriter<File>,
    bytes: u64,
}

#[derive(Serialize)]
struct Failure<'a> {
    id: &'a str,
    source: Option<&'a str>,
    file: Option<String>,
    line: Option<u64>,
    offset: Option<u64>,
    kind: &'a str,
    reason: &'a str,
    help: Option<&'a str>,
}

impl Failures {
    /// An empty list, or of one that an earlier run has begun its first `bytes`.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn open(path: &Path, bytes: u64) -> Result<Self> {
        if !is_regular(path)? {
            return Err(Error::usage("this is no file")
                .in_file(path)
                .help("--errors names a file, for instance errors.jsonl"));
        }
        let partial = partial_path(path);
        let reopen = || -> io::Result<File> {
            if bytes > 0 && !partial.exists() && path.exists() {
                // Killed between the end of this list and that of the results.
                fs::rename(path, &partial)?;
            }
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&partial)?;
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = reopen().map_err(|e| cannot_create(path, &e))?;
        Ok(Failures { path: path.to_path_buf(), writer: BufWriter::new(file), bytes })
    }

    /// Adds the document of `record`, which failed with `error`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, record: &Record, error: &Error) -> Result<()> {
        let line = json_line(&Failure {
            id: &record.id,
            source: record.source.as_deref(),
            file: error.file.as_ref().map(|file| file.display().to_string()),
            line: error.line,
            offset: error.offset,
            kind: error.kind.as_str(),
            reason: &error.message,
            help: error.help.as_deref(),
        })?;
        self.bytes += line.len() as u64;
        self.writer.write_all(&line).map_err(|e| write_error(&self.path, e))
    }

    /// Hands on what was added, and says how long the list is now, in bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<u64> {
        self.writer.flush().map_err(|e| write_error(&self.path, e))?;
        Ok(self.bytes)
    }

    /// Gives the list its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        let done = self.writer.get_ref().sync_all().and_then(|()| fs::rename(partial_path(&self.path), &self.path));
        done.map_err(|e| write_error(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_list_holds_each_failure_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.jsonl");
        let error = Error::document("no text").in_file("news.jsonl").at_line(7).help("name it");
        let record = Record::failed("a", None, &error);
        let mut list = Failures::open(&path, 0).unwrap();
        list.write(&record, &error).unwrap();
        let bytes = list.flush().unwrap();
        list.write(&record, &error).unwrap();
        list.finish().unwrap();
        // The results were not finished: their checkpoint tells of one failure.
        let mut list = Failures::open(&path, bytes).unwrap();
        list.write(&Record::failed("b", None, &error), &error).unwrap();
        list.finish().unwrap();
        let line = |id: &str| {
            format!(
                "{{\"id\":\"{id}\",\"source\":null,\"file\":\"news.jsonl\",\"line\":7,\"offset\":null,\
                 \"kind\":\"document\",\"reason\":\"no text\",\"help\":\"name it\"}}\n"
            )
        };
        assert_eq!(fs::read_to_string(&path).unwrap(), line("a") + &line("b"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
