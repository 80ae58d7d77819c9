//! The options that commands share: each is defined once, here.

use clap::{Args, ValueEnum};
use detente::encoder::Encoder;
use detente::entities::EntityTagger;
use detente::error::{Error, Result};
use detente::io::fields::FieldNames;
use detente::io::read::{Limits, ReadOptions};
use detente::io::source::{Format, ending, unsupported};
use detente::io::table::Table;
use detente::io::view::Style;
use detente::io::write::RecordFormat;
use detente::models;
use detente::pipeline::{BATCH_TOKENS, GPU_BATCH_TOKENS, Queue};
use detente::quotes::model::QuoteTagger;
use detente::record::ModelStamp;
use detente::stance::StanceReader;
use detente::text::offsets::OffsetUnit;
use detente::tokens::Tokens;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is read, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub struct ReadArgs {
    /// Format of all files; by default their names and first bytes tell
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub input_format: Option<Format>,
    /// Field or column of the text [default: text, body or content]
    #[arg(long, value_name = "NAME")]
    pub text_field: Option<String>,
    /// Field or column of the id [default: id or url]
    #[arg(long, value_name = "NAME")]
    pub id_field: Option<String>,
    /// Field or column of the title [default: title or headline]
    #[arg(long, value_name = "NAME")]
    pub title_field: Option<String>,
    /// Field or column of the date [default: date or published]
    #[arg(long, value_name = "NAME")]
    pub date_field: Option<String>,
    /// Encoding of all files, for instance windows-1252; by default it is detected
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Longest text of a document
    #[arg(long, value_name = "SIZE", default_value = "8MiB", value_parser = size)]
    pub max_document_size: usize,
    /// Longest line or row
    #[arg(long, value_name = "SIZE", default_value = "32MiB", value_parser = size)]
    pub max_line_size: usize,
    /// Most bytes that one byte of a compressed file may become
    #[arg(long, value_name = "N", default_value_t = 250)]
    pub max_expansion: u64,
}

impl ReadArgs {
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.input_format,
            fields: FieldNames {
                text: self.text_field.clone(),
                id: self.id_field.clone(),
                date: self.date_field.clone(),
                title: self.title_field.clone(),
            },
            encoding: self.encoding,
            limits: Limits {
                document_bytes: self.max_document_size,
                line_bytes: self.max_line_size,
                expansion: self.max_expansion,
            },
            ..ReadOptions::default()
        }
    }
}

/// Where models are and how they run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Models")]
pub struct ModelArgs {
    /// Folder that holds the model folders [default: DETENTE_MODELS, beside the program, ./models]
    #[arg(long, visible_alias = "model-dir", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Where models run: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: String,
    /// Number format: f32 or bf16
    #[arg(long, value_name = "FORMAT", default_value = "f32")]
    pub precision: String,
    /// Tokens in a batch [default: 2048, on a GPU 32768]
    #[arg(long, value_name = "N")]
    pub batch_tokens: Option<NonZeroUsize>,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

impl ModelArgs {
    pub fn threads(&self) -> usize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }

    /// Makes rayon's own pool as large as the user wants it, for commands that work on it.
    pub fn use_threads(&self) -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads()).build_global();
        pool.map_err(|e| Error::io(format!("threads cannot be started: {e}")))
    }

    /// Tokens in a batch: what the user wants, or what suits the device.
    pub fn batch_tokens(&self) -> usize {
        let by_device = || if self.on_gpu() { GPU_BATCH_TOKENS } else { BATCH_TOKENS };
        self.batch_tokens.map_or_else(by_device, NonZeroUsize::get)
    }

    /// Whether models will run on a GPU; a device that cannot be used is an error where a model is loaded.
    #[cfg(feature = "libtorch")]
    fn on_gpu(&self) -> bool {
        use detente::encoder::rust_bert::device::Device;
        let device = self.device.parse::<Device>().ok().and_then(|device| device.open().ok());
        device.is_some_and(|device| device.is_cuda())
    }

    #[cfg(not(feature = "libtorch"))]
    fn on_gpu(&self) -> bool {
        false
    }

    /// The entity model, with its stamp.
    pub fn entities(&self) -> Result<(EntityTagger, ModelStamp)> {
        let folder = models::find("entities", self.models.as_deref())?;
        let tagger = EntityTagger::new(Tokens::from_folder(&folder)?, self.encoder(&folder)?)?;
        Ok((tagger, models::stamp(&folder)?))
    }

    /// The quote model, with its stamp; none, and a notice, where there is no such model.
    ///
    /// Quotes in marks are found without it.
    pub fn quotes(&self) -> Result<Option<(QuoteTagger, ModelStamp)>> {
        let Ok(folder) = models::find("quotes", self.models.as_deref()) else {
            eprintln!("there is no quote model: only what stands in quotation marks is found");
            return Ok(None);
        };
        let tagger = QuoteTagger::from_folder(&folder, self.encoder(&folder)?)?;
        Ok(Some((tagger, models::stamp(&folder)?)))
    }

    /// The stance model, with its stamp.
    pub fn stance(&self, neutral: bool) -> Result<(StanceReader, ModelStamp)> {
        let folder = models::find("stance", self.models.as_deref())?;
        let reader = StanceReader::load(&folder, self.encoder(&folder)?)?.allow_neutral(neutral);
        Ok((reader, models::stamp(&folder)?))
    }

    /// The encoder of a model folder.
    #[cfg(feature = "libtorch")]
    pub fn encoder(&self, folder: &Path) -> Result<Arc<dyn Encoder>> {
        use detente::encoder::rust_bert::{EngineOptions, RustBert};
        let wrong = |option: &str, said: String| Error::usage(said).help(format!("mend {option}"));
        let options = EngineOptions {
            device: self.device.parse().map_err(|e| wrong("--device", e))?,
            precision: self.precision.parse().map_err(|e| wrong("--precision", e))?,
        };
        Ok(Arc::new(RustBert::load(folder, &options)?))
    }

    /// The encoder of a model folder: none can run here.
    #[cfg(not(feature = "libtorch"))]
    pub fn encoder(&self, folder: &Path) -> Result<Arc<dyn Encoder>> {
        Err(Error::model("this program was built without an engine, so no model can run")
            .in_file(folder)
            .help("build it with the feature `libtorch`: `make build`"))
    }
}

/// How documents travel through a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Speed and memory")]
pub struct FlowArgs {
    /// Documents that are worked on together, at most [default: 16 a thread]
    #[arg(long, value_name = "N")]
    pub chunk_documents: Option<NonZeroUsize>,
    /// So many of these chunks are read ahead, and wait for one before them: memory against waiting
    #[arg(long, value_name = "N", default_value = "4")]
    pub chunks_ahead: NonZeroUsize,
}

impl FlowArgs {
    pub fn queue(&self, threads: usize) -> Queue {
        let by_threads = Queue::for_threads(threads);
        let documents = self.chunk_documents.map_or(by_threads.documents, NonZeroUsize::get);
        Queue { documents, waiting: self.chunks_ahead.get(), ..by_threads }
    }
}

/// What is written, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Writing")]
pub struct WriteArgs {
    /// File for the results, compressed if it ends in .gz, .zst or .bz2 [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How results are written [default: by the ending of --output (.jsonl .csv .tsv .parquet .sqlite); table on a
    /// terminal, else jsonl]
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<OutputFormat>,
    /// Write a flat table with one row a quote or an entity, as CSV or Parquet
    #[arg(long, value_name = "WHAT", value_enum)]
    pub table: Option<TableOf>,
    /// Unit in which offsets count
    #[arg(long, value_name = "UNIT", default_value = "char", value_enum)]
    pub offset_unit: Unit,
    /// Put the text into each record
    #[arg(long)]
    pub with_text: bool,
    /// File for a list of the documents that failed, one JSON object a line with place and reason
    #[arg(long, value_name = "FILE")]
    pub errors: Option<PathBuf>,
    /// Go on with the output of a run that was interrupted
    #[arg(long, requires = "output")]
    pub resume: bool,
    /// How progress is told on standard error
    #[arg(long, value_name = "HOW", default_value = "auto", value_enum)]
    pub progress: Told,
    /// No progress and no summary, only errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// How progress is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Told {
    /// A bar on a terminal, else plain
    Auto,
    /// A line every half minute, and a summary
    Plain,
    /// One JSON object a line, every second, for programs
    Json,
    /// Only notes, failures and the summary
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For reading
    Table,
    /// One JSON record a document
    Jsonl,
    /// One row a quote or an entity
    Csv,
    /// One row a record, or with --table one row a quote or an entity
    Parquet,
    /// A database of documents, quotes and entities
    Sqlite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableOf {
    Quotes,
    Entities,
}

impl TableOf {
    fn table(self) -> Table {
        match self {
            TableOf::Quotes => Table::Quotes,
            TableOf::Entities => Table::Entities,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Unicode characters, as Python counts
    Char,
    /// Bytes of UTF-8
    Byte,
    /// UTF-16 units, as JavaScript counts
    Utf16,
}

impl Unit {
    pub fn offset_unit(self) -> OffsetUnit {
        match self {
            Unit::Char => OffsetUnit::Char,
            Unit::Byte => OffsetUnit::Byte,
            Unit::Utf16 => OffsetUnit::Utf16,
        }
    }
}

impl WriteArgs {
    /// What records become; CSV tables hold `usual` unless the user says otherwise.
    pub fn record_format(&self, usual: TableOf) -> Result<RecordFormat> {
        let format = match (self.format, self.table) {
            (Some(format), _) => format,
            (None, None) => self.likely_format()?,
            (None, Some(_)) => match self.likely_format()? {
                OutputFormat::Parquet => OutputFormat::Parquet,
                OutputFormat::Sqlite => OutputFormat::Sqlite,
                _ => OutputFormat::Csv,
            },
        };
        let table = self.table.map(TableOf::table);
        Ok(match (format, table) {
            (OutputFormat::Csv, table) => {
                RecordFormat::Csv(table.unwrap_or(usual.table()), RecordFormat::delimiter(self.output.as_deref()))
            }
            (OutputFormat::Parquet | OutputFormat::Sqlite, _) if self.output.is_none() => {
                return Err(
                    Error::usage("this format cannot be written to standard output").help("name a file with --output")
                );
            }
            (OutputFormat::Parquet, table) => RecordFormat::Parquet(table),
            (_, Some(_)) => {
                return Err(
                    Error::usage("--table writes CSV or Parquet").help("leave out --format, or choose csv or parquet")
                );
            }
            (OutputFormat::Sqlite, None) => RecordFormat::Sqlite,
            (OutputFormat::Jsonl, None) => RecordFormat::Jsonl,
            (OutputFormat::Table, None) => RecordFormat::View(self.style()),
        })
    }

    /// What the ending of the output says, or the terminal.
    fn likely_format(&self) -> Result<OutputFormat> {
        let Some(path) = &self.output else {
            return Ok(if std::io::stdout().is_terminal() { OutputFormat::Table } else { OutputFormat::Jsonl });
        };
        match ending(path).as_deref() {
            Some("csv" | "tsv") => return Ok(OutputFormat::Csv),
            Some("parquet") => return Ok(OutputFormat::Parquet),
            Some("sqlite" | "sqlite3" | "db") => return Ok(OutputFormat::Sqlite),
            _ => {}
        }
        match unsupported(path) {
            Some(kind) => Err(Error::usage(format!("{kind} cannot be written"))
                .in_file(path)
                .help("choose an --output that ends in .jsonl, .csv, .parquet or .sqlite")),
            None => Ok(OutputFormat::Jsonl),
        }
    }

    fn style(&self) -> Style {
        if self.output.is_some() {
            return Style::default();
        }
        let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        let width = terminal_size::terminal_size().map_or(Style::default().width, |(width, _)| usize::from(width.0));
        Style { width, colour }
    }
}

fn encoding(name: &str) -> Result<&'static encoding_rs::Encoding, String> {
    encoding_rs::Encoding::for_label(name.as_bytes())
        .ok_or_else(|| "no such encoding; try utf-8, utf-16le or windows-1252".to_string())
}

/// Bytes, or a number with KB, MB, GB (1000) or KiB, MiB, GiB (1024).
fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: usize = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("a size looks like 500KB or 8MiB".into()),
    };
    let number: usize = number.parse().map_err(|_| "a size looks like 500KB or 8MiB".to_string())?;
    number.checked_mul(factor).filter(|n| *n > 0).ok_or_else(|| "a size out of range".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        let cases = [("8MiB", Ok(8 << 20)), ("500 kb", Ok(500_000)), ("12", Ok(12))];
        for (text, expected) in cases {
            assert_eq!(size(text), expected, "{text}");
        }
        assert!(["", "MB", "0", "8 miles", "99999999999GiB"].into_iter().all(|text| size(text).is_err()));
    }
}
