//! What a conversion has to tell: what does not fit, and what a format cannot hold.

use crate::error::Error;
use indexmap::IndexMap;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something in the input that could not be read as it stands; it is not in the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Line, row or task in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The document's id, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Start and end as the file gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// The words that the file says stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The words that the text has there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Problem {
    /// A problem of `file` as a whole.
    pub fn new(file: &Path, message: impl Into<String>) -> Self {
        Problem {
            file: file.to_path_buf(),
            row: None,
            document: None,
            span: None,
            message: message.into(),
            expected: None,
            found: None,
        }
    }

    /// Adds the line, row or task.
    pub fn at(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Adds the document.
    pub fn of(mut self, document: &str) -> Self {
        self.document = Some(document.into());
        self
    }

    /// What an error says, at its line.
    pub fn from_error(file: &Path, error: &Error) -> Self {
        let plain = Error { file: None, line: None, ..Error::new(error.kind, error.message.clone()) };
        let plain = Error { offset: error.offset, help: error.help.clone(), ..plain };
        Problem { row: error.line, ..Problem::new(file, plain.to_string()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(row) = self.row {
            write!(f, ":{row}")?;
        }
        write!(f, ": ")?;
        if let Some((start, end)) = self.span {
            write!(f, "{start}-{end}: ")?;
        }
        write!(f, "{}", self.message)?;
        let shown = |words: &str| format!("{:?}", crate::io::text::shortened(words, 60));
        if let Some(expected) = &self.expected {
            write!(f, ": expected {}", shown(expected))?;
        }
        if let Some(found) = &self.found {
            write!(f, ", found {}", shown(found))?;
        }
        Ok(())
    }
}

/// How often something was left out, and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// How often.
    pub count: usize,
    /// The first document it was left out of.
    pub first: String,
}

/// Everything that a person should know of a conversion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// What does not fit, in the order of the input.
    pub problems: Vec<Problem>,
    /// What the formats on either side cannot hold, by what it is.
    pub left_out: IndexMap<String, LeftOut>,
    /// What was found out, in sentences.
    pub remarks: Vec<String>,
}

impl Notes {
    /// Counts something of `document` that is left out.
    pub fn leave_out(&mut self, what: impl Into<String>, document: &str) {
        let entry = self.left_out.entry(what.into());
        entry.or_insert_with(|| LeftOut { count: 0, first: document.into() }).count += 1;
    }
}
