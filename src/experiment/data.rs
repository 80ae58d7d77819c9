//! The rows of an experiment.

use super::spec::{Data, Experiment, TaskKind};
use crate::error::{Error, Result};
use crate::evaluate::rows;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// One text with its class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Unique within its split.
    pub id: String,
    /// What is never split, and what intervals resample.
    pub document: String,
    /// The text.
    pub text: String,
    /// What stands before and after it, where the data say.
    pub context: Option<(String, String)>,
    /// Number of its class.
    pub class: usize,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// As the experiment names it.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Rows in it that have a class.
    pub rows: usize,
    /// Rows left out because their label has no class.
    pub left_out: usize,
}

/// The rows of all splits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// To learn from; with folds, all.
    pub train: Vec<Row>,
    /// To choose among epochs.
    pub dev: Vec<Row>,
    /// To score; none with folds.
    pub test: Vec<Row>,
    /// The files they came from.
    pub sources: Vec<Source>,
}

impl Rows {
    /// Reads the files of `experiment`.
    ///
    /// # Errors
    /// Names file and line of the first row that cannot be read, has no text, or whose label is no class.
    pub fn read(experiment: &Experiment) -> Result<Self> {
        let mut sources = Vec::new();
        let mut split = |files: &[PathBuf]| -> Result<Vec<Row>> {
            let mut rows = Vec::new();
            for file in files {
                let (mut more, source) = read(file, experiment)?;
                rows.append(&mut more);
                sources.push(source);
            }
            number_again(&mut rows);
            Ok(rows)
        };
        let data = &experiment.data;
        let (train, dev, test) = (split(&data.train)?, split(&data.dev)?, split(&data.test)?);
        if train.is_empty() {
            return Err(Error::usage("no training row has a class").help("look at `data.label` and `data.labels`"));
        }
        Ok(Rows { train, dev, test, sources })
    }

    /// Rows to score whose very text is also in the training rows.
    pub fn leaked(&self) -> usize {
        let seen: std::collections::HashSet<&str> = self.train.iter().map(|row| row.text.as_str()).collect();
        self.test.iter().filter(|row| seen.contains(row.text.as_str())).count()
    }
}

fn read(path: &Path, experiment: &Experiment) -> Result<(Vec<Row>, Source)> {
    let bytes = std::fs::read(path).map_err(|e| {
        Error::usage(e.to_string()).in_file(path).help("paths count from the folder in which the command is started")
    })?;
    let mut found = Vec::new();
    let mut left_out = 0;
    for (line, fields) in rows::fields_under(path, &experiment.data.columns)? {
        match row(&fields, line, experiment).map_err(|error| error.in_file(path).at_line(line))? {
            Some(row) => found.push(row),
            None => left_out += 1,
        }
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let source = Source { path: path.to_path_buf(), sha256, rows: found.len(), left_out };
    Ok((found, source))
}

/// The row that `fields` hold; none where the label has no class.
fn row(fields: &Map<String, Value>, line: u64, experiment: &Experiment) -> Result<Option<Row>> {
    let data = &experiment.data;
    let field = |name: &Option<String>, usual: &[&str]| match name {
        Some(name) => rows::text(fields, &[name]),
        None => rows::text(fields, usual),
    };
    let label = field(&data.label, &["label"])
        .ok_or_else(|| missing(data.label.as_deref().unwrap_or("label"), "data.label"))?;
    let Some(class) = class(&label, data, experiment.task)? else { return Ok(None) };
    let text =
        field(&data.text, &["text"]).ok_or_else(|| missing(data.text.as_deref().unwrap_or("text"), "data.text"))?;
    let id = field(&data.id, &["id"]).unwrap_or_else(|| line.to_string());
    let document = field(&data.document, &["doc", "document"]).unwrap_or_else(|| id.clone());
    let beside = |name: &Option<String>| name.as_ref().and_then(|name| rows::text(fields, &[name])).unwrap_or_default();
    let context = (data.left.is_some() || data.right.is_some()).then(|| (beside(&data.left), beside(&data.right)));
    Ok(Some(Row { id, document, text, context, class }))
}

fn missing(field: &str, setting: &str) -> Error {
    Error::document(format!("this row has no `{field}`")).help(format!("name the field with `{setting}`"))
}

fn class(label: &str, data: &Data, task: TaskKind) -> Result<Option<usize>> {
    let label = if task == TaskKind::Stance { label.trim().to_ascii_lowercase() } else { label.trim().to_string() };
    let name = if data.labels.is_empty() { Some(&label) } else { data.labels.get(&label) };
    let Some(name) = name else { return Ok(None) };
    data.classes.iter().position(|class| class == name).map(Some).ok_or_else(|| {
        Error::document(format!("`{label}` is no class"))
            .help("name it in `data.classes`, or say in `data.labels` which class each label has")
    })
}

/// Ids that occur twice get their place behind them, so that predictions can be told apart.
fn number_again(rows: &mut [Row]) {
    let mut seen = std::collections::HashSet::new();
    for (at, row) in rows.iter_mut().enumerate() {
        if !seen.insert(row.id.clone()) {
            row.id = format!("{}#{}", row.id, at + 1);
        }
    }
}
