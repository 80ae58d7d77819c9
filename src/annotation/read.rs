//! Files of annotation tools to records.

use super::marks::Marked;
use super::notes::{Notes, Problem};
use super::place::{Fit, Place, Unplaced, fit, unit_name, unit_of};
use super::{Format, brat, conll, doccano, label_studio, labels, prodigy, table, webanno};
use crate::error::{Error, Result};
use crate::io::charset::decode;
use crate::io::compression::decompressed;
use crate::io::delimited::Table;
use crate::io::read::{Documents, Limits, Objects, ReadOptions, RowStream, open_path, open_rows, stream_error};
use crate::io::source;
use crate::record::{ModelStamp, Record};
use crate::text::offsets::OffsetUnit;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How annotations are read.
#[derive(Debug, Clone, Default)]
pub struct ReadSettings {
    /// The format of all files; none means that names and contents tell.
    pub format: Option<Format>,
    /// The unit of all offsets; none means that it is found by trying.
    pub unit: Option<OffsetUnit>,
    /// Only what this person annotated, where a file tells.
    pub annotator: Option<String>,
    /// Also what no person has confirmed.
    pub predictions: bool,
    /// The texts, for files that do not hold them.
    pub articles: Articles,
}

/// Texts by the id of their document.
#[derive(Debug, Clone, Default)]
pub struct Articles {
    by_id: HashMap<String, String>,
    /// File names without ending that only one id has.
    by_name: HashMap<String, Option<String>>,
}

impl Articles {
    /// The articles of files and folders.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(paths: Vec<PathBuf>) -> Result<Articles> {
        let mut articles = Articles::default();
        for document in Documents::open(paths, ReadOptions::default()) {
            let document = document?;
            articles.insert(&document.id, document.text);
        }
        Ok(articles)
    }

    fn insert(&mut self, id: &str, text: String) {
        let first = |entry: &mut Option<String>| *entry = None;
        self.by_name.entry(stem(id).to_string()).and_modify(first).or_insert_with(|| Some(id.to_string()));
        self.by_id.insert(id.to_string(), text);
    }

    /// The text of a document by id, else by the id's file name where only one article has it.
    pub fn get(&self, id: &str) -> Option<&str> {
        let by_name = || self.by_name.get(stem(id)).and_then(Option::as_ref).and_then(|id| self.by_id.get(id));
        self.by_id.get(id).or_else(by_name).map(String::as_str)
    }
}

/// The file name of an id without the ending of a text file.
fn stem(id: &str) -> &str {
    let name = id.rsplit(['/', '\\']).next().unwrap_or(id);
    name.strip_suffix(".txt").unwrap_or(name)
}

/// One file that is read, and how.
pub struct Source<'a> {
    /// The file.
    pub path: &'a Path,
    /// Only what this person annotated.
    pub annotator: Option<&'a str>,
    /// Also what no person has confirmed.
    pub predictions: bool,
    articles: &'a Articles,
}

impl Source<'_> {
    /// The document's id where the file is the document: its name without ending; for INCEpTION's exports
    /// (`annotation/DOCUMENT/PERSON.tsv`) the folder's.
    pub fn name(&self) -> String {
        let name = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let folder = self.path.parent().filter(|_| person(self.path).is_some());
        folder.and_then(name).or_else(|| name(self.path)).unwrap_or_default()
    }

    /// The text of a document among the articles given.
    pub fn article(&self, id: &str) -> Option<&str> {
        self.articles.get(id)
    }

    /// The JSON objects of the file, with line or number.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn objects(&self) -> Result<Objects> {
        objects(self.path)
    }

    /// The file as a table.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn table(&self) -> Result<Table> {
        match open_rows(self.path, &ReadOptions::default())? {
            RowStream::Table(table) => Ok(table),
            RowStream::Objects(_) => Err(Error::document("this is JSON, not a table")),
        }
    }
}

/// Who annotated a file of an INCEpTION export.
fn person(path: &Path) -> Option<String> {
    let kind = path.parent()?.parent()?.file_name()?.to_str()?;
    matches!(kind, "annotation" | "curation")
        .then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))?
}

fn objects(path: &Path) -> Result<Objects> {
    match open_rows(path, &ReadOptions::default())? {
        RowStream::Objects(objects) => Ok(objects),
        RowStream::Table(_) => Err(Error::document("this is a table, not JSON")),
    }
}

/// The text of a file, decompressed and in UTF-8.
///
/// # Errors
/// When it cannot be read, or is no text.
pub fn text_of(path: &Path) -> Result<String> {
    let place = |error: Error| error.in_file(path);
    let mut bytes = Vec::new();
    let stream = decompressed(open_path(path).map_err(place)?, Limits::default().expansion);
    let mut stream = stream.map_err(stream_error).map_err(place)?;
    stream.read_to_end(&mut bytes).map_err(stream_error).map_err(place)?;
    Ok(decode(&bytes, None).map_err(place)?.0)
}

/// Records out of `paths`, files or folders, with all that there is to tell of them.
///
/// What cannot be read is a problem in the notes and costs nothing else.
///
/// # Errors
/// When a path is not there.
///
/// ```
/// use detente::annotation::{ReadSettings, read};
/// # let folder = tempfile::tempdir()?;
/// let file = folder.path().join("corrected.jsonl");
/// std::fs::write(&file, "{\"id\": 7, \"text\": \"🕊 over Nordia\", \"label\": [[7, 13, \"LOC\"]]}\n")?;
/// let (records, notes) = read(&[file], &ReadSettings::default())?;
/// let names = records[0].entities.as_deref().unwrap_or_default();
/// assert_eq!((names[0].span.start, names[0].span.text.as_str()), (7, "Nordia"));
/// assert!(notes.problems.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read(paths: &[PathBuf], settings: &ReadSettings) -> Result<(Vec<Record>, Notes)> {
    source::check_paths(paths)?;
    let mut reading = Reading { settings, notes: Notes::default(), records: Vec::new() };
    paths.iter().for_each(|path| reading.path(path));
    reading.finish()
}

struct Reading<'a> {
    settings: &'a ReadSettings,
    notes: Notes,
    records: Vec<Record>,
}

/// A file's documents, with the unit that the file's own reader found.
struct FromFile {
    file: PathBuf,
    format: Format,
    documents: Vec<Unplaced>,
    unit: Option<OffsetUnit>,
}

impl Reading<'_> {
    fn path(&mut self, path: &Path) {
        let mut files = Vec::new();
        for file in self.files(path) {
            match self.file(&file) {
                Ok(read) => files.extend(read),
                Err(error) => self.notes.problems.push(Problem::from_error(&file, &error)),
            }
        }
        if files.is_empty() {
            return;
        }
        let unit = self.unit(path, &files);
        for of_file in files {
            let place = Place { file: &of_file.file, unit: of_file.unit.unwrap_or(unit) };
            for document in of_file.documents {
                let mut marked = place.document(document, &mut self.notes);
                if of_file.format == Format::Brat {
                    brat::heal(&mut marked);
                }
                self.document(&marked, &of_file.file);
            }
        }
    }

    /// The files of a folder that may hold annotations.
    fn files(&mut self, path: &Path) -> Vec<PathBuf> {
        if !path.is_dir() {
            return vec![path.to_path_buf()];
        }
        let wanted = |file: &Path| match self.settings.format {
            Some(format) => Format::of_ending(file).contains(&format),
            None => !Format::of_ending(file).is_empty(),
        };
        let hidden =
            |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let entries = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry));
        let (mut files, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_file() && wanted(entry.path()) => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => failed.push(Problem::new(path, error.to_string())),
            }
        }
        self.notes.problems.extend(failed);
        if files.is_empty() {
            self.notes.problems.push(Problem::new(path, "the folder holds no file with annotations"));
        }
        files
    }

    fn file(&mut self, file: &Path) -> Result<Option<FromFile>> {
        let format = match self.settings.format {
            Some(format) => format,
            None => Format::of_file(file)?,
        };
        let annotator = self.settings.annotator.as_deref();
        if format == Format::WebAnno
            && annotator.is_some()
            && person(file).as_deref().is_some_and(|p| Some(p) != annotator)
        {
            return Ok(None);
        }
        let source =
            Source { path: file, annotator, predictions: self.settings.predictions, articles: &self.settings.articles };
        let notes = &mut self.notes;
        let (documents, unit) = match format {
            Format::Records => {
                self.read_records(&source)?;
                return Ok(None);
            }
            Format::LabelStudio => (label_studio::read(&source, notes)?, None),
            Format::Doccano | Format::DoccanoLabels => (doccano::read(&source, notes)?, None),
            Format::Prodigy => (prodigy::read(&source, notes)?, None),
            Format::Brat => (brat::read(&source, notes)?, None),
            Format::Csv => (table::read(&source, notes)?, None),
            // Tokens are counted in bytes of the text they make or stand in.
            Format::Conll => (conll::read(&source, notes)?, Some(OffsetUnit::Byte)),
            Format::WebAnno => {
                let (documents, unit) = webanno::read(&source, self.settings.unit, notes)?;
                (documents, Some(unit))
            }
        };
        Ok(Some(FromFile { file: file.to_path_buf(), format, documents, unit }))
    }

    /// The unit of all files of one path, said for people.
    fn unit(&mut self, path: &Path, files: &[FromFile]) -> OffsetUnit {
        let usual = files.first().map_or(OffsetUnit::Char, |file| file.format.unit());
        let documents = files.iter().filter(|file| file.unit.is_none()).flat_map(|file| &file.documents);
        let unit = self.settings.unit.unwrap_or_else(|| unit_of(documents.clone(), usual));
        let own = files.first().and_then(|file| file.unit).filter(|_| files.len() == 1);
        let all = files.iter().flat_map(|file| &file.documents);
        if files.iter().all(|file| file.format != Format::Conll) {
            self.notes.remarks.push(remark(path, all, own.unwrap_or(unit)));
        }
        unit
    }

    fn document(&mut self, marked: &Marked, file: &Path) {
        let mut record = labels::record(marked, OffsetUnit::Char, file, &mut self.notes);
        if marked.predicted {
            // Who made it is not known, but that it was no person.
            record.models.push(ModelStamp { name: "unknown".into(), hash: String::new() });
        }
        self.records.push(record);
    }

    fn read_records(&mut self, source: &Source) -> Result<()> {
        for (row, object) in source.objects()? {
            let record = object.and_then(|object| {
                serde_json::from_value::<Record>(Value::Object(object))
                    .map_err(|error| Error::document(format!("this is no record: {error}")))
            });
            match record {
                Ok(record) => self.record(record, source, row),
                Err(error) => {
                    self.notes.problems.push(Problem { row: Some(row), ..Problem::from_error(source.path, &error) })
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, mut record: Record, source: &Source, row: u64) {
        if record.error.is_some() {
            return self.notes.leave_out("a document that failed", &record.id);
        }
        if record.text.is_none() {
            record.text = source.article(&record.id).map(str::to_string);
        }
        match &record.text {
            Some(text) => {
                // Only to see whether all spans are what they say; what is left out is said when it is written.
                let mut said = Notes::default();
                labels::marks(&record, text, source.path, row, &mut said);
                self.notes.problems.extend(said.problems);
                self.records.push(record);
            }
            None => {
                let message =
                    "the record holds no text: write it with --with-text, or name the articles with --articles";
                self.notes.problems.push(Problem::new(source.path, message).at(row).of(&record.id));
            }
        }
    }

    /// Each document once; kinds of annotation that no document has are none, rather than empty.
    fn finish(mut self) -> Result<(Vec<Record>, Notes)> {
        let mut seen = HashSet::new();
        let notes = &mut self.notes;
        self.records.retain(|record| {
            let first = seen.insert(record.id.clone());
            if !first {
                notes.leave_out("a further version of a document (choose one with --annotator)", &record.id);
            }
            first
        });
        let any_entities = self.records.iter().any(|record| record.entities.iter().flatten().next().is_some());
        let any_quotes = self.records.iter().any(|record| record.quotes.iter().flatten().next().is_some());
        if any_entities != any_quotes {
            for record in &mut self.records {
                record.entities = record.entities.take().filter(|_| any_entities);
                record.quotes = record.quotes.take().filter(|_| any_quotes);
            }
        }
        Ok((self.records, self.notes))
    }
}

fn remark<'a>(path: &Path, documents: impl IntoIterator<Item = &'a Unplaced> + Clone, unit: OffsetUnit) -> String {
    let worded =
        documents.clone().into_iter().flat_map(|d| d.marks.iter().chain(&d.tokens)).filter(|m| m.surface.is_some());
    let (count, worded) = (documents.clone().into_iter().count(), worded.count());
    let Fit { spaced, .. } = fit(documents.clone(), unit);
    let others = super::place::UNITS.iter().filter(|other| **other != unit);
    let told = others.clone().all(|other| fit(documents.clone(), *other) < fit(documents.clone(), unit));
    let words = if worded > 0 { format!(", {spaced} of {worded} words stand where it says") } else { String::new() };
    let tie = if told { "" } else { " (other units fit as well)" };
    format!("{}: {count} documents, offsets count {}{tie}{words}", path.display(), unit_name(unit))
}

/// Which of the JSON formats an object is of.
pub(super) fn format_of_object(object: &Map<String, Value>) -> Option<Format> {
    let schema = object.get("schema").and_then(Value::as_str).unwrap_or_default();
    if schema.starts_with("detente.record/") {
        Some(Format::Records)
    } else if label_studio::is_task(object) {
        Some(Format::LabelStudio)
    } else if doccano::is_row(object) {
        Some(Format::Doccano)
    } else if prodigy::is_task(object) {
        Some(Format::Prodigy)
    } else {
        None
    }
}

/// The first object of a file of JSON.
pub(super) fn first_object(path: &Path) -> Result<Map<String, Value>> {
    match objects(path)?.next() {
        Some((number, object)) => object.map_err(|error| error.at_line(number)),
        None => Err(Error::document("there is nothing in it")),
    }
}
