//! `detente convert`: annotations from one tool's format to another's.

use super::Outcome;
use super::options::Unit;
use clap::{Args, ValueEnum};
use detente::annotation::{Articles, Format, Notes, ReadSettings, WriteSettings, Written, read, setup, write};
use detente::error::{Error, Result};
use detente::io::output::Output;
use detente::io::source::check_paths;
use detente::io::write::{RecordFormat, json_line};
use detente::record::Record;
use std::path::{Path, PathBuf};

/// Problems shown on the terminal; --problems writes all.
const SHOWN: usize = 20;

/// Turns annotations of one tool into those of another: from `classify` to your annotation tool and back as gold.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    detente classify news/ --with-text -o found.jsonl\n  \
    detente convert found.jsonl --to label-studio -o tasks.json --setup labels.xml\n  \
    detente convert export.json --to records -o gold.jsonl          corrected, as gold for `detente evaluate`\n  \
    detente convert export.json --annotator 2 --only quotes --to csv -o two.csv    for `detente agree one.csv two.csv`")]
pub struct ConvertArgs {
    /// Files or folders with annotations
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Format of the input; by default names and contents tell
    #[arg(long, value_name = "FORMAT", value_enum)]
    from: Option<Format>,
    /// Format of the output
    #[arg(long, value_name = "FORMAT", value_enum)]
    to: Format,
    /// File for the result, for brat and webanno a folder [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// The articles (files or folders), where the input does not hold their texts
    #[arg(long, value_name = "PATH")]
    articles: Vec<PathBuf>,
    /// Only what this person annotated
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Read also what no person has confirmed
    #[arg(long)]
    predictions: bool,
    /// Only names or only quotes
    #[arg(long, value_name = "WHAT", value_enum)]
    only: Option<Only>,
    /// Unit of the input's offsets; by default all three are tried
    #[arg(long, value_name = "UNIT", value_enum)]
    input_unit: Option<Unit>,
    /// Unit of the output's offsets [default: the tool's own]
    #[arg(long, value_name = "UNIT", value_enum)]
    offset_unit: Option<Unit>,
    /// File for what the tool must be told of the labels: Label Studio's configuration, doccano's and Prodigy's labels
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
    /// JSONL file for everything that does not fit: file, row, span, expected, found
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
    /// No summary, only errors
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Entities,
    Quotes,
}

impl ConvertArgs {
    /// Writes the annotations in the other format.
    ///
    /// # Errors
    /// When a path is not there, or nothing can be written.
    pub fn run(self) -> Result<Outcome> {
        let format = self.to;
        if format.is_folder() && self.output.is_none() {
            return Err(Error::usage(format!("{} is a folder of files", format.title())).help("name it with --output"));
        }
        check_paths(&self.articles)?;
        let (mut records, mut notes) = read(&self.paths, &self.read_settings()?)?;
        records.iter_mut().for_each(|record| self.keep(record));
        let settings = WriteSettings {
            format,
            unit: self.offset_unit.map(Unit::offset_unit),
            delimiter: RecordFormat::delimiter(self.output.as_deref()),
        };
        match (write(&records, &settings, &mut notes)?, &self.output) {
            (Written::File(bytes), Some(path)) => write_file(path, &bytes)?,
            (Written::File(bytes), None) => write_out(Output::stdout(), &bytes)?,
            (Written::Folder(files), Some(folder)) => write_folder(folder, &files)?,
            (Written::Folder(_), None) => {}
        }
        self.write_setup(&records, format)?;
        self.write_problems(&notes)?;
        self.tell(&records, &notes);
        Ok(if notes.problems.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
    }

    fn read_settings(&self) -> Result<ReadSettings> {
        Ok(ReadSettings {
            format: self.from,
            unit: self.input_unit.map(Unit::offset_unit),
            annotator: self.annotator.clone(),
            predictions: self.predictions,
            articles: Articles::read(self.articles.clone())?,
        })
    }

    fn keep(&self, record: &mut Record) {
        match self.only {
            Some(Only::Entities) => record.quotes = None,
            Some(Only::Quotes) => record.entities = None,
            None => {}
        }
    }

    fn write_setup(&self, records: &[Record], format: Format) -> Result<()> {
        let Some(path) = &self.setup else { return Ok(()) };
        match setup(records, format)? {
            Some(text) => write_file(path, text.as_bytes()),
            None => Err(Error::usage(format!("{} needs no set-up file", format.title())).help("leave out --setup")),
        }
    }

    fn write_problems(&self, notes: &Notes) -> Result<()> {
        let Some(path) = &self.problems else { return Ok(()) };
        let mut lines = Vec::new();
        for problem in &notes.problems {
            lines.extend(json_line(problem)?);
        }
        write_file(path, &lines)
    }

    /// Says on standard error what does not fit, what was left out, and what was done.
    fn tell(&self, records: &[Record], notes: &Notes) {
        notes.problems.iter().take(SHOWN).for_each(|problem| eprintln!("{problem}"));
        let more = notes.problems.len().saturating_sub(SHOWN);
        if more > 0 {
            eprintln!("… and {more} more that do not fit (--problems FILE lists all)");
        }
        if self.quiet {
            return;
        }
        notes.remarks.iter().for_each(|remark| eprintln!("{remark}"));
        for (what, left_out) in &notes.left_out {
            eprintln!("left out: {what}: {} times, first in {}", left_out.count, left_out.first);
        }
        let names: usize = records.iter().map(|record| record.entities.iter().flatten().count()).sum();
        let quotes: usize = records.iter().map(|record| record.quotes.iter().flatten().count()).sum();
        let problems = notes.problems.len();
        eprintln!("{} documents, {names} names, {quotes} quotes; {problems} things did not fit", records.len());
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_out(Output::file(path)?, bytes)
}

fn write_out(mut output: Output, bytes: &[u8]) -> Result<()> {
    output.write(bytes)?;
    output.finish()
}

/// Writes the files of a folder; what is there already may hold somebody's work and is not replaced.
fn write_folder(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).exists()) {
        return Err(Error::usage("there is such a file already")
            .in_file(folder.join(name))
            .help("choose another folder"));
    }
    std::fs::create_dir_all(folder).map_err(|error| Error::from(error).in_file(folder))?;
    files.iter().try_for_each(|(name, bytes)| write_file(&folder.join(name), bytes))
}
