//! One error type: what went wrong, where, and the way out.

use std::fmt;
use std::path::{Path, PathBuf};

/// What kind of failure an [`Error`] is; it decides the exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Wrong usage or an unreadable configuration (exit code 2).
    Usage,
    /// A model or the engine cannot be loaded (exit code 3).
    Model,
    /// One document or row cannot be read or processed (exit code 1 at the end of the run).
    Document,
    /// Reading or writing failed for the run as a whole (exit code 1).
    Io,
    /// The run was interrupted; what was finished is kept (exit code 130).
    Interrupted,
    /// Whoever read the output went away (`detente … | head`): the end, but no failure (exit code 0).
    ClosedPipe,
}

impl ErrorKind {
    /// The exit code of a command that ends with this kind of error.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::ClosedPipe => 0,
            ErrorKind::Document | ErrorKind::Io => 1,
            ErrorKind::Usage => 2,
            ErrorKind::Model => 3,
            ErrorKind::Interrupted => 130,
        }
    }

    /// The word that stands in error records.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Model => "model",
            ErrorKind::Document => "document",
            ErrorKind::Io => "io",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::ClosedPipe => "closed pipe",
        }
    }
}

/// What went wrong, where (file, line or row, byte offset), and the way out.
///
/// ```
/// use detente::error::Error;
/// let error = Error::document("`text` is missing").in_file("news.jsonl").at_line(7).help("name the field with --text-field");
/// assert_eq!(error.to_string(), "news.jsonl:7: `text` is missing (name the field with --text-field)");
/// ```
#[derive(Debug)]
pub struct Error {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// What went wrong, in one sentence without a full stop.
    pub message: String,
    /// The file in which it happened.
    pub file: Option<PathBuf>,
    /// The line or row in that file, from 1.
    pub line: Option<u64>,
    /// The byte offset in that file, from 0.
    pub offset: Option<u64>,
    /// What the user can do about it.
    pub help: Option<String>,
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), file: None, line: None, offset: None, help: None }
    }

    /// Wrong usage or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// A model or the engine cannot be loaded.
    pub fn model(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Model, message)
    }

    /// One document or row is bad.
    pub fn document(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Document, message)
    }

    /// Reading or writing failed.
    pub fn io(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Io, message)
    }

    /// Adds the file in which it happened, unless one is known already.
    pub fn in_file(mut self, file: impl AsRef<Path>) -> Self {
        self.file.get_or_insert_with(|| file.as_ref().to_path_buf());
        self
    }

    /// Adds the line or row, from 1, unless one is known already.
    pub fn at_line(mut self, line: u64) -> Self {
        self.line.get_or_insert(line);
        self
    }

    /// Adds the byte offset, from 0, unless one is known already.
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.offset.get_or_insert(offset);
        self
    }

    /// Adds the way out.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What went wrong and where, without the way out.
    pub fn without_help(&self) -> String {
        let mut said = String::new();
        // Writing to a string cannot fail.
        let _ = self.write_place_and_message(&mut said);
        said
    }

    /// The exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }
}

impl Error {
    fn write_place_and_message(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        } else if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}", self.message)?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_place_and_message(f)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Error::new(ErrorKind::ClosedPipe, "whoever read the output went away"),
            _ => Error::io(error.to_string()),
        }
    }
}
