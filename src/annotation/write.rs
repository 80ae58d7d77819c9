//! Records to files of annotation tools.

use super::files::NamedFile;
use super::marks::Marked;
use super::notes::Notes;
use super::{Format, brat, conll, doccano, label_studio, labels, prodigy, table, webanno};
use crate::error::{Error, Result};
use crate::io::write::json_line;
use crate::record::Record;
use crate::text::offsets::OffsetUnit;
use std::path::Path;

/// What annotations are written as.
#[derive(Debug, Clone, Copy)]
pub struct WriteSettings {
    /// The format.
    pub format: Format,
    /// The unit of offsets; none means the one in which the tool counts.
    pub unit: Option<OffsetUnit>,
    /// What separates the columns of a table.
    pub delimiter: u8,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// One file with all documents.
    File(Vec<u8>),
    /// A folder with files for each document.
    Folder(Vec<NamedFile>),
}

/// `records`, which must carry their texts, in the format of a tool.
///
/// What the format cannot hold is counted in `notes`.
///
/// # Errors
/// Usage when the format has a unit of its own and another is asked for; when a record has no text.
///
/// ```
/// use detente::annotation::{Format, Notes, WriteSettings, Written, write};
/// let record = serde_json::from_str(
///     r#"{"schema": "detente.record/1", "id": "1", "text": "Nordia won.",
///         "entities": [{"type": "LOC", "start": 0, "end": 6, "text": "Nordia"}]}"#,
/// )?;
/// let settings = WriteSettings { format: Format::Conll, unit: None, delimiter: b',' };
/// let written = write(&[record], &settings, &mut Notes::default())?;
/// assert_eq!(written, Written::File(b"-DOCSTART-\t1\tO\n\nNordia\tB-LOC\nwon\tO\n.\tO\n\n".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(records: &[Record], settings: &WriteSettings, notes: &mut Notes) -> Result<Written> {
    let format = settings.format;
    if let Some(unit) = settings.unit.filter(|unit| !format.counts_in(*unit)) {
        let name = super::place::unit_name(unit);
        return Err(Error::usage(format!("{} does not count {name}", format.title())).help("leave out --offset-unit"));
    }
    let unit = settings.unit.unwrap_or_else(|| format.unit());
    let documents = marked(records, format, notes)?;
    Ok(match format {
        Format::Records => Written::File(lines(&in_unit(&documents, records, unit))?),
        Format::Csv => Written::File(table::write(&in_unit(&documents, records, unit), settings.delimiter)?),
        Format::LabelStudio => Written::File(label_studio::write(&documents, unit)?),
        Format::Doccano => Written::File(doccano::write(&documents, doccano::Project::Relations, unit, notes)?),
        Format::DoccanoLabels => Written::File(doccano::write(&documents, doccano::Project::Labels, unit, notes)?),
        Format::Prodigy => Written::File(prodigy::write(&documents, unit)?),
        Format::Conll => Written::File(conll::write(&documents, notes)),
        Format::Brat => Written::Folder(brat::write(&documents, notes)),
        Format::WebAnno => Written::Folder(webanno::write(&documents, notes)),
    })
}

/// What a tool must be told before it can show what [`write()`] wrote: Label Studio's labelling configuration, doccano's
/// labels, the `--label` of Prodigy; none where there is nothing to tell.
///
/// # Errors
/// When a record has no text.
pub fn setup(records: &[Record], format: Format) -> Result<Option<String>> {
    let documents = marked(records, format, &mut Notes::default())?;
    let contiguous: Vec<Marked> = documents.iter().map(|document| document.contiguous(labels::PART)).collect();
    Ok(match format {
        Format::LabelStudio => Some(label_studio::configuration(&labels::used(&contiguous))),
        Format::Doccano | Format::DoccanoLabels => Some(doccano::configuration(&doccano::labels_used(&documents))?),
        Format::Prodigy => Some(prodigy::labels_used(&documents).join(",") + "\n"),
        _ => None,
    })
}

/// The records as marks; what does not fit in them was told when they were read.
fn marked(records: &[Record], format: Format, notes: &mut Notes) -> Result<Vec<Marked>> {
    let mut documents = Vec::new();
    for record in records {
        let text = record.text.as_deref().ok_or_else(|| {
            Error::document(format!("the record `{}` holds no text", record.id)).help("write it with --with-text")
        })?;
        let mut said = Notes::default();
        documents.push(labels::marks(record, text, Path::new(""), 0, &mut said));
        if format != Format::Records {
            said.left_out
                .into_iter()
                .for_each(|(what, of)| (0..of.count).for_each(|_| notes.leave_out(what.clone(), &of.first)));
        }
    }
    Ok(documents)
}

/// The records with their offsets in `unit`; those that count in it already stay as they are.
fn in_unit(documents: &[Marked], records: &[Record], unit: OffsetUnit) -> Vec<Record> {
    let convert = |(document, record): (&Marked, &Record)| {
        if record.offset_unit == unit {
            return record.clone();
        }
        let plain = labels::record(document, unit, Path::new(""), &mut Notes::default());
        Record {
            usage: record.usage,
            models: record.models.clone(),
            entities: record.entities.as_ref().and(plain.entities),
            quotes: record.quotes.as_ref().and(plain.quotes),
            ..plain
        }
    };
    documents.iter().zip(records).map(convert).collect()
}

fn lines(records: &[Record]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        lines.extend(json_line(record)?);
    }
    Ok(lines)
}
