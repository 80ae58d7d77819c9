//! Where results go: standard output, or a file that appears under its name only when it is whole.
//!
//! A long run writes `NAME.partial` and beside it a journal with one line a batch: how many documents are done, how many
//! bytes they take, and a hash of what was read. Killed at any moment, the run goes on from the last line of the journal
//! whose bytes are there; what was torn is cut off. The finished file is converted (Parquet) and compressed (endings
//! `.gz`, `.zst`, `.bz2`) on its way to its name.

use crate::error::{Error, ErrorKind, Result};
use crate::io::compression::Compression;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;

/// How often what is written is forced onto the disk, for the case that the machine itself dies.
const SYNC_EVERY: Duration = Duration::from_secs(30);

/// What was done when a batch was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What was counted so far.
    #[serde(flatten)]
    pub counts: crate::pipeline::Counts,
    /// Hash of everything read so far.
    pub input: String,
    /// Length of the output.
    #[serde(default)]
    pub bytes: u64,
    /// Length of the list of failures.
    #[serde(default)]
    pub errors: u64,
}

/// A destination for results.
pub struct Output {
    writer: BufWriter<Destination>,
    /// What messages call it.
    name: PathBuf,
    bytes: u64,
    last_sync: Instant,
}

enum Destination {
    /// Standard output or a device.
    Direct(Box<dyn Write + Send>),
    /// Deleted unless finished.
    Temporary(NamedTempFile),
    /// Kept when the run dies.
    Partial { file: File, journal: File },
}

/// How a run that may be resumed begins.
pub enum Start<Sink> {
    /// From the beginning.
    Fresh(Sink),
    /// After the documents that the checkpoint counts.
    Resumed(Sink, Checkpoint),
    /// The output is there already, whole.
    Finished,
}

impl<Sink> Start<Sink> {
    /// The same start with what `with` makes of the sink.
    ///
    /// # Errors
    /// Those of `with`.
    pub fn try_map<Other>(self, with: impl FnOnce(Sink, Option<&Checkpoint>) -> Result<Other>) -> Result<Start<Other>> {
        Ok(match self {
            Start::Fresh(sink) => Start::Fresh(with(sink, None)?),
            Start::Resumed(sink, done) => Start::Resumed(with(sink, Some(&done))?, done),
            Start::Finished => Start::Finished,
        })
    }
}

/// Makes the finished file of another format out of what was written.
pub type Convert<'a> = &'a dyn Fn(File, File) -> Result<()>;

impl Output {
    /// Standard output.
    pub fn stdout() -> Self {
        Self::new(Destination::Direct(Box::new(io::stdout())), Path::new("standard output"))
    }

    /// A file that replaces `path` when it is finished, and leaves it as it was if it never is.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn file(path: &Path) -> Result<Self> {
        if let Some(device) = open_device(path)? {
            return Ok(device);
        }
        let temporary = NamedTempFile::new_in(folder_of(path)).map_err(|e| cannot_create(path, &e))?;
        Ok(Self::new(Destination::Temporary(temporary), path))
    }

    /// A file that a later run can go on with; `settings` are what must not change between the two.
    ///
    /// # Errors
    /// When nothing can be written there; when an unfinished file is there and `resume` is not set; when it is set and
    /// the settings differ.
    pub fn resumable(path: &Path, settings: &Map<String, Value>, resume: bool) -> Result<Start<Self>> {
        if let Some(device) = open_device(path)? {
            return Ok(Start::Fresh(device));
        }
        let (partial, journal) = (partial_path(path), journal_path(path));
        match find_unfinished(path, resume)? {
            Unfinished::None => return Self::begin(path, settings).map(Start::Fresh),
            Unfinished::Whole => {
                // The run may have been killed after the file got its name.
                let _ = fs::remove_file(journal);
                return Ok(Start::Finished);
            }
            Unfinished::Partial => {}
        }
        let journal = fs::read_to_string(&journal).unwrap_or_default();
        let mut lines = journal.lines();
        let before: Option<Map<String, Value>> = lines.next().and_then(|line| serde_json::from_str(line).ok());
        let Some(before) = before else {
            // Killed before the first line of the journal was whole: nothing was done.
            return Self::begin(path, settings).map(Start::Fresh);
        };
        check_settings(&before, settings).map_err(|e| e.in_file(&partial))?;
        let length = partial.metadata().map_or(0, |m| m.len());
        let done: Vec<Checkpoint> = lines
            .map_while(|line| serde_json::from_str::<Checkpoint>(line).ok())
            .take_while(|checkpoint| checkpoint.bytes <= length)
            .collect();
        match done.last() {
            Some(last) => Self::go_on(path, settings, &done).map(|output| Start::Resumed(output, last.clone())),
            None => Self::begin(path, settings).map(Start::Fresh),
        }
    }

    fn begin(path: &Path, settings: &Map<String, Value>) -> Result<Self> {
        let file = File::create(partial_path(path)).map_err(|e| cannot_create(path, &e))?;
        let mut journal = File::create(journal_path(path)).map_err(|e| cannot_create(path, &e))?;
        write_line(&mut journal, settings).map_err(|e| write_error(path, e))?;
        Ok(Self::new(Destination::Partial { file, journal }, path))
    }

    fn go_on(path: &Path, settings: &Map<String, Value>, done: &[Checkpoint]) -> Result<Self> {
        let bytes = done.last().map_or(0, |c| c.bytes);
        let reopen = || -> io::Result<(File, File)> {
            let mut file = OpenOptions::new().write(true).open(partial_path(path))?;
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            // The journal is written anew beside the old one: it too may have been torn.
            let fresh = journal_path(path).with_extension("journal.new");
            let mut journal = File::create(&fresh)?;
            write_line(&mut journal, settings)?;
            done.iter().try_for_each(|checkpoint| write_line(&mut journal, checkpoint))?;
            fs::rename(&fresh, journal_path(path))?;
            Ok((file, journal))
        };
        let (file, journal) = reopen().map_err(|e| cannot_create(path, &e))?;
        let mut output = Self::new(Destination::Partial { file, journal }, path);
        output.bytes = bytes;
        Ok(output)
    }

    fn new(destination: Destination, name: &Path) -> Self {
        let writer = BufWriter::with_capacity(64 << 10, destination);
        Output { writer, name: name.to_path_buf(), bytes: 0, last_sync: Instant::now() }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When the disk is full, the reader of a pipe went away, and the like.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.writer.write_all(bytes).map_err(|e| self.write_error(e))
    }

    /// Hands on what was written so far, and notes it in the journal if there is one.
    ///
    /// # Errors
    /// As for [`Output::write`].
    pub fn checkpoint(&mut self, checkpoint: Checkpoint) -> Result<()> {
        self.writer.flush().map_err(|e| self.write_error(e))?;
        let checkpoint = Checkpoint { bytes: self.bytes, ..checkpoint };
        let sync = self.last_sync.elapsed() > SYNC_EVERY;
        let noted = match self.writer.get_mut() {
            Destination::Partial { file, journal } => {
                let synced = if sync { file.sync_data() } else { Ok(()) };
                synced.and_then(|()| write_line(journal, &checkpoint))
            }
            _ => Ok(()),
        };
        if sync {
            self.last_sync = Instant::now();
        }
        noted.map_err(|e| self.write_error(e))
    }

    /// The unfinished file that stays if the run ends here.
    pub fn partial(&self) -> Option<PathBuf> {
        matches!(self.writer.get_ref(), Destination::Partial { .. }).then(|| partial_path(&self.name))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// As for [`Output::write`].
    pub fn finish(self) -> Result<()> {
        self.finish_as(None)
    }

    /// Converts what was written, if it has to be, and gives the result its name.
    ///
    /// # Errors
    /// As for [`Output::write`], and those of the conversion.
    pub fn finish_as(mut self, convert: Option<Convert>) -> Result<()> {
        let name = self.name.clone();
        self.writer.flush().map_err(|e| self.write_error(e))?;
        let (destination, _) = self.writer.into_parts();
        match destination {
            Destination::Direct(mut stream) => stream.flush().map_err(|e| write_error(&name, e)),
            Destination::Temporary(file) => {
                if publish(file.path(), &name, convert)? {
                    // Nothing is left to delete.
                    let _ = file.into_temp_path().keep();
                }
                Ok(())
            }
            Destination::Partial { file, .. } => {
                let partial = partial_path(&name);
                file.sync_all().map_err(|e| write_error(&name, e))?;
                if !publish(&partial, &name, convert).map_err(|e| resumable_error(&name, e))? {
                    fs::remove_file(&partial).map_err(|e| write_error(&name, e))?;
                }
                fs::remove_file(journal_path(&name)).map_err(|e| write_error(&name, e))
            }
        }
    }

    fn write_error(&self, error: io::Error) -> Error {
        let error = write_error(&self.name, error);
        if self.partial().is_some() { resumable_error(&self.name, error) } else { error }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Destination::Direct(stream) => stream.write(bytes),
            Destination::Temporary(file) => file.write(bytes),
            Destination::Partial { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Destination::Direct(stream) => stream.flush(),
            Destination::Temporary(file) => file.flush(),
            Destination::Partial { file, .. } => file.flush(),
        }
    }
}

/// Pipes, terminals and `/dev/null` are written as they stand: nothing may take their name.
fn open_device(path: &Path) -> Result<Option<Output>> {
    if is_regular(path)? {
        return Ok(None);
    }
    let device = OpenOptions::new().write(true).open(path).map_err(|e| cannot_create(path, &e))?;
    Ok(Some(Output::new(Destination::Direct(Box::new(device)), path)))
}

/// Whether `path` is a file that may be replaced, or free for one; otherwise it is a pipe or another device.
///
/// # Errors
/// When it is a folder or read-only.
pub(super) fn is_regular(path: &Path) -> Result<bool> {
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(Error::usage("this is a folder")
            .in_file(path)
            .help("--output names a file, for instance records.jsonl")),
        Ok(found) if !found.is_file() => Ok(false),
        Ok(found) if found.permissions().readonly() => {
            Err(Error::usage("the file is read-only").in_file(path).help("choose another --output"))
        }
        _ => Ok(true),
    }
}

/// What earlier runs left of an output.
pub(super) enum Unfinished {
    /// Nothing that counts.
    None,
    /// A part.
    Partial,
    /// All of it.
    Whole,
}

/// Looks for what an earlier run left of `path`.
///
/// # Errors
/// When there is an unfinished file and `resume` is not set.
pub(super) fn find_unfinished(path: &Path, resume: bool) -> Result<Unfinished> {
    let partial = partial_path(path);
    match (partial.exists(), resume) {
        (false, true) if path.exists() => Ok(Unfinished::Whole),
        (false, _) => Ok(Unfinished::None),
        (true, true) => Ok(Unfinished::Partial),
        (true, false) => Err(Error::usage("an earlier run was not finished")
            .in_file(partial)
            .help("--resume goes on with it; delete the file to start anew")),
    }
}

/// Moves `whole` to `path`, converted if asked and compressed if its ending says so; true if `whole` itself was moved.
pub(super) fn publish(whole: &Path, path: &Path, convert: Option<Convert>) -> Result<bool> {
    let failed = |e| write_error(path, e);
    // Names that a run killed in the middle leaves to the next, which writes over them.
    let (converted, packed) = (with_suffix(path, ".partial.converted"), with_suffix(path, ".partial.packed"));
    let mut current = whole;
    if let Some(convert) = convert {
        let target = File::create(&converted).map_err(failed)?;
        convert(File::open(current).map_err(failed)?, target).map_err(|e| removing(&converted, e))?;
        current = &converted;
    }
    if Compression::of_name(path) != Compression::None {
        pack(current, &packed, Compression::of_name(path)).map_err(|e| removing(&packed, failed(e)))?;
        if current != whole {
            fs::remove_file(current).map_err(failed)?;
        }
        current = &packed;
    }
    File::open(current).and_then(|file| file.sync_all()).and_then(|()| fs::rename(current, path)).map_err(failed)?;
    Ok(current == whole)
}

/// The error, once the file it left half done is gone: on a full disk it would be in the way.
fn removing(path: &Path, error: Error) -> Error {
    let _ = fs::remove_file(path);
    error
}

fn pack(from: &Path, to: &Path, compression: Compression) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(from)?);
    let mut packed = File::create(to)?;
    match compression {
        Compression::Zstd => zstd::stream::copy_encode(&mut reader, &mut packed, 3)?,
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(&mut packed, bzip2::Compression::default());
            io::copy(&mut reader, &mut encoder)?;
            encoder.finish()?;
        }
        Compression::Gzip | Compression::None => {
            let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::default());
            io::copy(&mut reader, &mut encoder)?;
            encoder.finish()?;
        }
    }
    packed.sync_all()
}

/// Compares the settings of two runs.
///
/// # Errors
/// When they differ; it names each that does, with both values.
pub(super) fn check_settings(before: &Map<String, Value>, now: &Map<String, Value>) -> Result<()> {
    let shown = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
    let added = now.keys().filter(|name| !before.contains_key(*name));
    let changed: Vec<String> = before
        .keys()
        .chain(added)
        .filter(|name| before.get(*name) != now.get(*name))
        .map(|name| format!("{name} was {} and is {} now", shown(before.get(name)), shown(now.get(name))))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("cannot be resumed with other settings: {}", changed.join("; ")))
        .help("use the settings of the first run, or delete the file to start anew"))
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}

pub(super) fn partial_path(path: &Path) -> PathBuf {
    with_suffix(path, ".partial")
}

fn journal_path(path: &Path) -> PathBuf {
    with_suffix(path, ".partial.journal")
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn cannot_create(path: &Path, error: &io::Error) -> Error {
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Error::usage(format!("the folder {} is not there", folder.display()))
            .in_file(path)
            .help("make it first");
    }
    Error::usage(format!("cannot be written: {}", reason(error))).in_file(path).help("choose another --output")
}

/// Says that what was finished is kept.
pub(super) fn resumable_error(path: &Path, error: Error) -> Error {
    if error.kind != ErrorKind::Io {
        return error;
    }
    let partial = partial_path(path);
    error.help(format!("what was finished is in {}: mend the cause, then add --resume", partial.display()))
}

pub(super) fn write_error(path: &Path, error: io::Error) -> Error {
    match Error::from(error) {
        error if error.kind == ErrorKind::ClosedPipe => error,
        error => {
            let message = error.message.split(" (os error").next().unwrap_or_default().to_lowercase();
            Error::io(format!("writing failed: {message}")).in_file(path)
        }
    }
}

/// The system's words without its number.
fn reason(error: &io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn settings(unit: &str) -> Map<String, Value> {
        [("offset unit".to_string(), Value::from(unit))].into_iter().collect()
    }

    fn checkpoint(read: u64) -> Checkpoint {
        let counts = crate::pipeline::Counts { read, ..Default::default() };
        Checkpoint { counts, input: format!("hash of {read}"), bytes: 0, errors: 0 }
    }

    fn fresh(path: &Path) -> Output {
        match Output::resumable(path, &settings("char"), true).unwrap() {
            Start::Fresh(output) => output,
            _ => panic!("there was nothing before"),
        }
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        fs::write(&path, "old").unwrap();
        let mut output = Output::file(&path).unwrap();
        output.write(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        drop(output);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        let mut output = Output::file(&path).unwrap();
        output.write(b"new").unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn endings_compress() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out.jsonl.gz", "out.jsonl.zst", "out.jsonl.bz2"] {
            let path = folder.path().join(name);
            let mut output = fresh(&path);
            output.write(b"{}\n").unwrap();
            output.finish().unwrap();
            let raw = fs::read(&path).unwrap();
            assert_eq!(Compression::of_magic(&raw), Compression::of_name(&path));
            let mut text = String::new();
            let raw = Box::new(io::Cursor::new(raw));
            crate::io::compression::decompressed(raw, 250).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "{}\n");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_killed_run_goes_on_where_the_journal_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = fresh(&path);
        output.write(b"one\n").unwrap();
        output.checkpoint(checkpoint(1)).unwrap();
        output.write(b"two\nthr").unwrap();
        output.writer.flush().unwrap();
        drop(output);
        fs::write(journal_path(&path), fs::read_to_string(journal_path(&path)).unwrap() + "{\"torn").unwrap();

        let refused = Output::resumable(&path, &settings("char"), false).err().expect("not without --resume");
        assert!(refused.to_string().contains("an earlier run was not finished"), "{refused}");
        let refused = Output::resumable(&path, &settings("byte"), true).err().expect("not with other settings");
        assert!(refused.to_string().contains(r#"offset unit was "char" and is "byte" now"#), "{refused}");

        let Start::Resumed(mut output, at) = Output::resumable(&path, &settings("char"), true).unwrap() else {
            panic!("one document is done")
        };
        assert_eq!(at, Checkpoint { bytes: 4, ..checkpoint(1) });
        output.write(b"two\n").unwrap();
        output.checkpoint(checkpoint(2)).unwrap();
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(matches!(Output::resumable(&path, &settings("char"), true).unwrap(), Start::Finished));
    }

    #[test]
    fn the_journal_never_runs_ahead_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = fresh(&path);
        for (i, word) in ["one\n", "two\n", "three\n"].into_iter().enumerate() {
            output.write(word.as_bytes()).unwrap();
            output.checkpoint(checkpoint(i as u64 + 1)).unwrap();
        }
        drop(output);
        // The machine died before the end of the file reached the disk.
        File::options().write(true).open(partial_path(&path)).unwrap().set_len(9).unwrap();
        let Start::Resumed(output, at) = Output::resumable(&path, &settings("char"), true).unwrap() else {
            panic!("two documents are done")
        };
        assert_eq!((at.counts.read, at.bytes, output.bytes), (2, 8, 8));
    }

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let error = Output::file(folder.path()).err().unwrap();
        assert!(error.to_string().contains("this is a folder"), "{error}");
        let error = Output::file(&folder.path().join("missing/out.jsonl")).err().unwrap();
        assert!(error.to_string().contains("is not there (make it first)"), "{error}");
    }
}
