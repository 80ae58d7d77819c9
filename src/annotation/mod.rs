//! Annotations of other tools: reading them into records, and writing records for them.
//!
//! ```text
//! file ─label_studio|doccano|prodigy|brat|webanno|conll|table→ Unplaced ─place→ Marked ─labels→ Record
//! Record ─labels→ Marked ─label_studio|doccano|prodigy|brat|webanno|conll|table→ file
//! ```
//!
//! | | names | quotes | parts of a quote | cue, speaker | kind, stance | name, role … of a speaker |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | Label Studio | yes | yes | linked regions | linked regions | choices of a region | choices and text areas |
//! | doccano (relations) | yes | yes | linked spans | linked spans | in the label | no |
//! | doccano (labels) | yes | yes | spans, unlinked | spans, unlinked | in the label | no |
//! | Prodigy | yes | yes | linked spans | linked spans | in the label | `attributes` of a span |
//! | brat | yes | yes | one discontinuous span | relations | attributes | a note |
//! | WebAnno TSV | yes | yes | relations | relations | features | features |
//! | CoNLL | without overlap | no | no | no | no | no |
//! | CSV | yes | yes | yes | yes | yes | yes |
//!
//! Whatever a format cannot hold is counted in [`Notes`], and so is all that does not fit when it comes back.

pub mod brat;
pub mod conll;
pub mod doccano;
pub mod files;
pub mod label_studio;
pub mod labels;
pub mod marks;
pub mod notes;
pub mod place;
pub mod prodigy;
pub mod read;
pub mod table;
pub mod webanno;
pub mod write;

pub use notes::{LeftOut, Notes, Problem};
pub use read::{Articles, ReadSettings, read};
pub use write::{WriteSettings, Written, setup, write};

use crate::error::{Error, Result};
use crate::text::offsets::OffsetUnit;
use std::path::Path;

/// What annotations are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// The project's own records, one a line
    Records,
    /// Label Studio JSON
    LabelStudio,
    /// doccano JSONL with relations
    Doccano,
    /// doccano JSONL for sequence labelling
    DoccanoLabels,
    /// Prodigy JSONL
    Prodigy,
    /// brat stand-off, a folder
    Brat,
    /// CoNLL columns (names only)
    Conll,
    /// WebAnno TSV 3 for INCEpTION, a folder
    #[value(name = "webanno")]
    WebAnno,
    /// One row a name or a quote
    Csv,
}

impl Format {
    /// How messages call it.
    pub fn title(self) -> &'static str {
        match self {
            Format::Records => "records",
            Format::LabelStudio => "Label Studio",
            Format::Doccano | Format::DoccanoLabels => "doccano",
            Format::Prodigy => "Prodigy",
            Format::Brat => "brat",
            Format::Conll => "CoNLL",
            Format::WebAnno => "WebAnno TSV",
            Format::Csv => "CSV",
        }
    }

    /// The unit in which the tool counts.
    pub fn unit(self) -> OffsetUnit {
        match self {
            Format::LabelStudio => label_studio::UNIT,
            Format::WebAnno => webanno::UNIT,
            Format::Doccano | Format::DoccanoLabels => doccano::UNIT,
            Format::Prodigy => prodigy::UNIT,
            Format::Brat => brat::UNIT,
            Format::Csv => table::UNIT,
            Format::Records | Format::Conll => OffsetUnit::Char,
        }
    }

    /// Whether it may be written in `unit`: brat, WebAnno TSV and CoNLL leave no choice.
    pub fn counts_in(self, unit: OffsetUnit) -> bool {
        !matches!(self, Format::Brat | Format::WebAnno | Format::Conll) || self.unit() == unit
    }

    /// Whether it keeps each document in files of its own.
    pub fn is_folder(self) -> bool {
        matches!(self, Format::Brat | Format::WebAnno)
    }

    /// The formats that a file's ending allows.
    pub fn of_ending(path: &Path) -> &'static [Format] {
        use Format::{Brat, Conll, Csv, Doccano, DoccanoLabels, LabelStudio, Prodigy, Records, WebAnno};
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let name = [".gz", ".zst", ".bz2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("ann") => &[Brat],
            Some("conll" | "bio" | "iob" | "iob2") => &[Conll],
            Some("csv") => &[Csv],
            Some("tsv") => &[WebAnno, Csv],
            Some("json" | "jsonl" | "ndjson") => &[Records, LabelStudio, Doccano, DoccanoLabels, Prodigy],
            _ => &[],
        }
    }

    /// The format of a file, told by its ending and its first lines.
    ///
    /// # Errors
    /// When it cannot be read or told.
    pub fn of_file(path: &Path) -> Result<Format> {
        let unknown = || Error::document("its format cannot be told").help("name it with --from");
        match Format::of_ending(path) {
            [] => Err(unknown()),
            [only] => Ok(*only),
            [Format::WebAnno, ..] => {
                let text = read::text_of(path).map_err(|error| Error { file: None, ..error })?;
                Ok(if text.starts_with("#FORMAT=WebAnno") { Format::WebAnno } else { Format::Csv })
            }
            _ => read::format_of_object(&read::first_object(path)?).ok_or_else(unknown),
        }
    }
}
