//! The documents of all sources, one after the other, each with an id of its own.

use crate::document::Document;
use crate::error::{Error, ErrorKind, Result};
use crate::io::archive::{self, Container, Member, Members};
use crate::io::compression::{Bytes, Compression, Counted, decompressed, sampled};
use crate::io::fields::{FieldNames, Row};
use crate::io::source::{Format, Skipped, Source, sources, unread, unsupported};
use crate::io::{charset, columnar, delimited, html, json, jsonl, text};
use encoding_rs::{Encoding, UTF_8};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Bytes by which a stream without a name is told.
const SAMPLE: usize = 4 << 10;
/// Bytes by which compressed files and Arrow files are told.
const MAGIC_BYTES: usize = 8;

/// How documents are read.
#[derive(Clone)]
pub struct ReadOptions {
    /// The format of all files; none means that names and first bytes tell.
    pub format: Option<Format>,
    /// Which fields of a row hold what.
    pub fields: FieldNames,
    /// The encoding of all files; none means that it is detected.
    pub encoding: Option<&'static Encoding>,
    /// What is too much.
    pub limits: Limits,
    /// Told of everything that the user may want to know and that is no error.
    pub on_notice: Arc<dyn Fn(Notice) + Send + Sync>,
    /// Counts the bytes read, before decompression, while reading goes on.
    pub bytes_read: Arc<AtomicU64>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            format: None,
            fields: FieldNames::default(),
            encoding: None,
            limits: Limits::default(),
            on_notice: Arc::new(|_| {}),
            bytes_read: Arc::default(),
        }
    }
}

/// Where reading stops for its own protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text of a document, in bytes.
    pub document_bytes: usize,
    /// Longest line or row, in bytes.
    pub line_bytes: usize,
    /// Most bytes that one compressed byte may become.
    pub expansion: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { document_bytes: 8 << 20, line_bytes: 32 << 20, expansion: 250 }
    }
}

/// What is worth telling though it is no error.
#[derive(Debug)]
pub enum Notice {
    /// A file in a folder was left out.
    Skipped(Skipped),
    /// A file was not in UTF-8.
    Encoding {
        /// Which file.
        file: PathBuf,
        /// What it was read as.
        encoding: &'static str,
    },
    /// The id of a row was taken; it got another.
    DuplicateId {
        /// The row's own id.
        id: String,
        /// The id it got.
        given: String,
    },
}

/// A document that could not be read.
#[derive(Debug)]
pub struct Unread {
    /// The id it would have had.
    pub id: String,
    /// Path or address.
    pub source: Option<String>,
    /// Why.
    pub error: Error,
}

impl From<Box<Unread>> for Error {
    fn from(unread: Box<Unread>) -> Error {
        unread.error
    }
}

/// Streams the documents of files, folders, archives and standard input, in order; never holds more than a few rows.
///
/// ```
/// use detente::io::{Documents, ReadOptions};
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("a.jsonl"), "{\"id\": \"7\", \"text\": \"Talks resumed.\"}\n{\"text\": 1}\n")?;
/// let mut documents = Documents::open(vec![folder.path().join("a.jsonl")], ReadOptions::default());
/// let first = documents.next().expect("two rows").expect("the first is sound");
/// assert_eq!((first.id.as_str(), first.text.as_str()), ("7", "Talks resumed."));
/// let second = documents.next().expect("two rows").expect_err("its text is a number");
/// assert_eq!(second.error.without_help(), format!("{}: field `text` is a number, not text", second.id.replace("#2", ":2")));
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Documents {
    options: ReadOptions,
    sources: Box<dyn Iterator<Item = Result<Source, Skipped>> + Send>,
    archive: Option<(PathBuf, Members)>,
    current: Option<(Place, Rows)>,
    ids: Ids,
}

/// The rows of one file, numbered from 1; the file itself is the one row where the number is none.
type Rows = Box<dyn Iterator<Item = (Option<u64>, Row)> + Send>;

/// Where rows are from.
struct Place {
    /// How messages call it: a path, `-`, or `archive.zip/path/in/it`.
    path: PathBuf,
    /// Whether the path leads anywhere.
    is_address: bool,
}

/// A file to be read.
struct Input {
    /// How messages call it.
    path: PathBuf,
    /// The file on the disk that has just these bytes, if there is one.
    file: Option<PathBuf>,
    /// What is in it, decompressed.
    bytes: Bytes,
}

impl Documents {
    /// The documents that `paths` (files, folders, patterns, `-`) hold.
    pub fn open(paths: Vec<PathBuf>, options: ReadOptions) -> Self {
        let sources = Box::new(sources(paths, options.format));
        Documents { options, sources, archive: None, current: None, ids: Ids::default() }
    }

    /// Begins with the rows of a source, or with the files of an archive.
    fn begin(&mut self, source: &Source) {
        let place = Place { path: source.path().to_path_buf(), is_address: *source != Source::Stdin };
        let opened = self.input(source).and_then(|mut input| match container_of(&mut input) {
            Some(container) => {
                self.archive = Some((place.path.clone(), self.members(container, input)?));
                Ok(None)
            }
            None => self.rows(input).map(Some),
        });
        self.current = match opened {
            Ok(rows) => rows.map(|rows| (place, rows)),
            Err(error) => Some((place, one(Row::bare(Err(error))))),
        };
    }

    /// Begins with a file in an archive, unless it is none that is read.
    fn begin_member(&mut self, archive: &Path, member: Member) {
        let inner = member.path.unwrap_or_default();
        let path = PathBuf::from(format!("{}/{}", archive.display(), inner.display()));
        let whole = inner.as_os_str().is_empty();
        if inner.iter().any(|part| part.to_string_lossy().starts_with('.')) {
            return;
        }
        let nested =
            Container::of_name(&inner).map(|_| "an archive inside an archive; unpack it to read it".to_string());
        if let Some(reason) = nested.or_else(|| unread(&inner, self.options.format)).filter(|_| !whole) {
            (self.options.on_notice)(Notice::Skipped(Skipped { path, reason }));
            return;
        }
        let path = if whole { archive.to_path_buf() } else { path };
        let rows = member.bytes.and_then(|bytes| {
            let bytes = decompressed(bytes, self.options.limits.expansion).map_err(stream_error)?;
            self.rows(Input { path: path.clone(), file: None, bytes })
        });
        let rows = rows.unwrap_or_else(|error| one(Row::bare(Err(error))));
        self.current = Some((Place { path, is_address: true }, rows));
    }

    fn input(&self, source: &Source) -> Result<Input> {
        let mut raw: Bytes = Box::new(Counted { inner: open(source)?, count: self.options.bytes_read.clone() });
        let compressed = Compression::of_magic(&start_of(&mut raw, MAGIC_BYTES)) != Compression::None;
        let path = source.path().to_path_buf();
        let file = Some(path.clone()).filter(|path| !compressed && *source != Source::Stdin && path.is_file());
        let bytes = decompressed(raw, self.options.limits.expansion).map_err(stream_error)?;
        Ok(Input { path, file, bytes })
    }

    fn members(&self, container: Container, input: Input) -> Result<Members> {
        match container {
            Container::Tar => Ok(archive::tar(input.bytes)),
            Container::Zip => {
                let file = seekable(input)?;
                let length = file.metadata().map_or(0, |m| m.len());
                let counted = Counted { inner: file, count: self.options.bytes_read.clone() };
                Ok(archive::zip(counted, length, self.options.limits.expansion))
            }
        }
    }

    fn rows(&self, mut input: Input) -> Result<Rows> {
        let limits = self.options.limits;
        let wished = self.options.encoding;
        match format_of(&input.path, &self.options, &mut input.bytes) {
            Format::Text => {
                let (text, encoding) = text::read(input.bytes, wished, limits.document_bytes)?;
                self.note_encoding(&input.path, encoding);
                Ok(one(Row::bare(Ok(text))))
            }
            Format::Html => {
                let (page, encoding) = html::read(input.bytes, wished, limits.document_bytes)?;
                self.note_encoding(&input.path, encoding);
                Ok(one(Row { title: page.title, date: page.date, extracted: true, ..Row::bare(Ok(page.text)) }))
            }
            Format::Parquet => {
                let count = self.options.bytes_read.clone();
                numbered(columnar::parquet(seekable(input)?, &self.options.fields, limits, count)?)
            }
            Format::Arrow => numbered(self.arrow_rows(input)?),
            format => {
                let (bytes, encoding) = charset::transcoded(input.bytes, wished)?;
                self.note_encoding(&input.path, encoding);
                self.rows_of_text(format, bytes)
            }
        }
    }

    fn arrow_rows(&self, mut input: Input) -> Result<columnar::Rows> {
        if !start_of(&mut input.bytes, MAGIC_BYTES).starts_with(b"ARROW1") {
            return columnar::arrow_stream(input.bytes, &self.options.fields, self.options.limits);
        }
        let counted = Counted { inner: seekable(input)?, count: self.options.bytes_read.clone() };
        columnar::arrow_file(counted, &self.options.fields, self.options.limits)
    }

    fn rows_of_text(&self, format: Format, bytes: Bytes) -> Result<Rows> {
        let fields = self.options.fields.clone();
        let max = self.options.limits.line_bytes;
        let from_object = move |(number, object): (u64, Result<_>)| match object {
            Ok(object) => (Some(number), fields.row(object)),
            Err(error) => (Some(number), Row::bare(Err(error))),
        };
        let delimiter = (format == Format::Tsv).then_some(b'\t');
        match format {
            Format::Jsonl => Ok(Box::new(jsonl::Objects::new(bytes, max).map(from_object))),
            Format::Json => Ok(Box::new(json::Objects::new(bytes, max).map(from_object))),
            Format::Csv | Format::Tsv => {
                let table = delimited::Table::new(bytes, delimiter, max)?;
                numbered(delimited::Documents::new(table, &self.options.fields)?)
            }
            _ => Err(Error::usage("tokens in CoNLL columns are no articles")
                .help("`detente entities --input-format conll` tags them")),
        }
    }

    fn note_encoding(&self, path: &Path, encoding: &'static Encoding) {
        if encoding != UTF_8 && self.options.encoding.is_none() {
            let file = path.to_path_buf();
            (self.options.on_notice)(Notice::Encoding { file, encoding: encoding.name() });
        }
    }

    fn document(&mut self, place: &Place, number: Option<u64>, row: Row) -> Result<Document, Box<Unread>> {
        let path = place.path.to_string_lossy().into_owned();
        let numbered = match number {
            Some(number) => format!("{path}#{number}"),
            None => path.clone(),
        };
        let own_id = row.id.unwrap_or(numbered);
        let id = self.ids.unique(&own_id);
        if id != own_id {
            (self.options.on_notice)(Notice::DuplicateId { id: own_id, given: id.clone() });
        }
        let source = row.source.or_else(|| place.is_address.then_some(path));
        let text = row.text.and_then(|text| checked(text, self.options.limits.document_bytes));
        match text {
            Ok(text) => Ok(Document { id, source, title: row.title, date: row.date, text, extracted: row.extracted }),
            Err(error) => {
                let error = error.in_file(&place.path);
                let error = match row.line.or(number) {
                    Some(number) if error.kind == ErrorKind::Document => error.at_line(number),
                    _ => error,
                };
                Err(Box::new(Unread { id, source, error }))
            }
        }
    }
}

impl Iterator for Documents {
    type Item = Result<Document, Box<Unread>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((place, mut rows)) = self.current.take()
                && let Some((number, row)) = rows.next()
            {
                let document = self.document(&place, number, row);
                self.current = Some((place, rows));
                return Some(document);
            }
            if let Some((path, mut members)) = self.archive.take()
                && let Some(member) = members.next()
            {
                self.begin_member(&path, member);
                self.archive = Some((path, members));
                continue;
            }
            match self.sources.next()? {
                Ok(source) => self.begin(&source),
                Err(skipped) => (self.options.on_notice)(Notice::Skipped(skipped)),
            }
        }
    }
}

/// A file that is one document.
fn one(row: Row) -> Rows {
    Box::new(std::iter::once((None, row)))
}

fn numbered(rows: impl Iterator<Item = (u64, Row)> + Send + 'static) -> Result<Rows> {
    Ok(Box::new(rows.map(|(number, row)| (Some(number), row))))
}

/// The kind of archive that an input is, by its name, or by its first bytes where the name tells nothing.
fn container_of(input: &mut Input) -> Option<Container> {
    if Format::of_name(&input.path).is_some() {
        return None;
    }
    Container::of_name(&input.path).or_else(|| Container::of_start(&start_of(&mut input.bytes, SAMPLE)))
}

/// The input as a file that can be read in any order.
fn seekable(input: Input) -> Result<File> {
    match input.file {
        Some(path) => open_file(&path),
        None => archive::spooled(input.bytes),
    }
}

/// Objects with their line or row, from 1.
pub type Objects = Box<dyn Iterator<Item = (u64, Result<Map<String, Value>>)> + Send>;

/// The rows of one file, as they stand.
pub enum RowStream {
    /// Of a JSON or JSONL file, with their numbers.
    Objects(Objects),
    /// Of a CSV or TSV file.
    Table(delimited::Table),
}

/// Opens a file of rows (`-`: standard input), decompressed and in UTF-8.
///
/// # Errors
/// When it cannot be read or holds no rows.
pub fn open_rows(path: &Path, options: &ReadOptions) -> Result<RowStream> {
    let mut bytes = decompressed(open_path(path)?, options.limits.expansion).map_err(stream_error)?;
    let format = format_of(path, options, &mut bytes);
    let (bytes, _) = charset::transcoded(bytes, options.encoding)?;
    let max = options.limits.line_bytes;
    match format {
        Format::Jsonl => Ok(RowStream::Objects(Box::new(jsonl::Objects::new(bytes, max)))),
        Format::Json => Ok(RowStream::Objects(Box::new(json::Objects::new(bytes, max)))),
        Format::Csv => delimited::Table::new(bytes, None, max).map(RowStream::Table),
        Format::Tsv => delimited::Table::new(bytes, Some(b'\t'), max).map(RowStream::Table),
        _ => Err(Error::usage("this file holds no rows").help("give JSONL or CSV, or name it with --input-format")),
    }
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be opened.
pub fn open_path(path: &Path) -> Result<Bytes> {
    open(&if path.as_os_str() == "-" { Source::Stdin } else { Source::Named(path.to_path_buf()) })
}

/// The format that the options, the name or the first bytes tell.
fn format_of(path: &Path, options: &ReadOptions, bytes: &mut Bytes) -> Format {
    let told = options.format.or_else(|| Format::of_name(path));
    told.unwrap_or_else(|| Format::of_start(&start_of(bytes, SAMPLE)))
}

/// The first bytes of a stream, which stays as it was.
fn start_of(bytes: &mut Bytes, wanted: usize) -> Vec<u8> {
    let (start, whole) = sampled(std::mem::replace(bytes, Box::new(io::empty())), wanted);
    *bytes = whole;
    start
}

fn open(source: &Source) -> Result<Bytes> {
    match source {
        Source::Stdin => Ok(Box::new(io::stdin())),
        Source::Named(path) | Source::Found(path) => Ok(Box::new(open_file(path)?)),
    }
}

fn open_file(path: &Path) -> Result<File> {
    if let Some(kind) = unsupported(path) {
        return Err(Error::document(format!("{kind} is not read")).help("extract the text first"));
    }
    File::open(path).map_err(|e| Error::document(format!("cannot be opened: {}", reason(&e))))
}

/// An article must have text, and not too much of it.
fn checked(text: String, max_bytes: usize) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::document("there is no text in it"));
    }
    if text.len() > max_bytes {
        return Err(text::too_long(max_bytes));
    }
    Ok(text)
}

/// The error behind a stream's error; decoders carry ours inside.
pub fn stream_error(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => ours,
        Err(error) => Error::document(format!("cannot be read: {}", reason(&error))),
    }
}

/// The system's words without its number.
fn reason(error: &io::Error) -> String {
    let said = error.to_string();
    said.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Keeps ids apart; holds 12 bytes an id, not the id.
#[derive(Default)]
struct Ids {
    /// Hash of the id, and how often it was asked for.
    seen: HashMap<u64, u32>,
}

impl Ids {
    fn unique(&mut self, id: &str) -> String {
        let count = self.count(id);
        if count == 1 {
            return id.to_string();
        }
        // `a`, `a~2`, and a row that calls itself `a~2`: ask until one is free.
        (count..).map(|n| format!("{id}~{n}")).find(|name| self.count(name) == 1).unwrap_or_default()
    }

    fn count(&mut self, id: &str) -> u32 {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let count = self.seen.entry(hasher.finish()).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::Mutex;

    fn said(paths: Vec<PathBuf>, options: ReadOptions) -> Vec<String> {
        Documents::open(paths, options)
            .map(|item| match item {
                Ok(d) => {
                    format!("{} {:?} {:?} {:?}", d.id, d.title.unwrap_or_default(), d.date.unwrap_or_default(), d.text)
                }
                Err(unread) => format!("{}! {}", unread.id, unread.error.without_help()),
            })
            .collect()
    }

    #[test]
    fn ids_are_unique_and_the_changes_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, "{\"id\":\"x\",\"text\":\"1\"}\n{\"id\":\"x~2\",\"text\":\"2\"}\n{\"id\":\"x\",\"text\":\"3\"}\n{\"text\":\"4\"}\n")
            .unwrap();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = notices.clone();
        let on_notice = Arc::new(move |n: Notice| heard.lock().unwrap().push(format!("{n:?}")));
        let options = ReadOptions { on_notice, ..Default::default() };
        let ids: Vec<String> = Documents::open(vec![path.clone()], options).map(|d| d.unwrap().id).collect();
        assert_eq!(ids, ["x", "x~2", "x~3", &format!("{}#4", path.display())]);
        assert_eq!(*notices.lock().unwrap(), [r#"DuplicateId { id: "x", given: "x~3" }"#]);
    }

    #[test]
    fn every_format_gives_the_same_document() {
        let folder = tempfile::tempdir().unwrap();
        let row = r#"{"id": "7", "title": "Talks", "date": "2031-05-01", "text": "“Peace,” he said."}"#;
        let table = "id,title,date,text\n7,Talks,2031-05-01,\"“Peace,” he said.\"\n";
        let files: [(&str, Vec<u8>); 6] = [
            ("a.jsonl", row.into()),
            ("b.json", format!("[\n{row}\n]").into()),
            ("c.csv", table.into()),
            (
                "d.tsv",
                table
                    .replace(",T", "\tT")
                    .replace("id,title,date,text", "id\ttitle\tdate\ttext")
                    .replace(",2", "\t2")
                    .replace("1,\"", "1\t\"")
                    .into(),
            ),
            ("e.jsonl.zst", zstd::encode_all(row.as_bytes(), 3).unwrap()),
            ("f.ndjson", encoding_rs::WINDOWS_1252.encode(row).0.into_owned()),
        ];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            assert_eq!(
                said(vec![path], ReadOptions::default()),
                [r#"7 "Talks" "2031-05-01" "“Peace,” he said.""#],
                "{name}"
            );
        }
    }

    #[test]
    fn what_fails_has_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("empty.txt"), " \n").unwrap();
        fs::write(at("page.xml"), "<p>Peace</p>").unwrap();
        fs::write(at("rows.jsonl"), "{\"id\": 9, \"text\": null}\n{\n").unwrap();
        let said = said(
            ["empty.txt", "page.xml", "rows.jsonl", "gone.txt"].map(at).to_vec(),
            ReadOptions { limits: Limits { document_bytes: 3, ..Default::default() }, ..Default::default() },
        );
        let said: Vec<String> = said.iter().map(|s| s.replace(&format!("{}/", folder.path().display()), "")).collect();
        let expected = [
            "empty.txt! empty.txt: there is no text in it",
            "page.xml! page.xml: an XML file is not read",
            "9! rows.jsonl:1: field `text` is null, not text",
            "rows.jsonl#2! rows.jsonl:2: not valid JSON: EOF while parsing an object in column 1",
            "gone.txt! gone.txt: cannot be opened: no such file or directory",
        ];
        assert_eq!(said, expected);
    }
}
