//! `detente adjudicate`: a consensus of annotators.

use super::Outcome;
use clap::Args;
use detente::error::{Error, Result};
use detente::evaluate::adjudication::{self, Decided};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Make a consensus file: the label that more than half of the annotators gave, and what a person must decide.
///
/// The rows keep the fields of the first file that has them; `label` is the consensus (null where there is none),
/// `annotators` holds all labels, `how` is agree, majority, adjudicated, undecided or too_few.
#[derive(Debug, Args)]
pub struct AdjudicateArgs {
    /// One file an annotator (JSONL or CSV rows with `id` and `label`), or one file whose rows carry `annotators`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// File for the consensus, JSONL [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes the rows that a person must decide to FILE, to be given back with --decisions once `label` is filled in
    #[arg(long, value_name = "FILE")]
    to_decide: Option<PathBuf>,
    /// What a person decided: rows with `id` and `label`; rows without a label are still open
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// A row with fewer labels than this goes to a person
    #[arg(long, value_name = "N", default_value_t = 2)]
    least: usize,
}

/// How many open rows are listed on standard error.
const SHOWN: usize = 20;

impl AdjudicateArgs {
    /// Writes the consensus, and says what is open.
    ///
    /// # Errors
    /// Files that cannot be read or written, decisions about rows that are not there.
    pub fn run(self) -> Result<Outcome> {
        let decided = adjudication::decide(&self.files, self.decisions.as_deref(), self.least)?;
        let open: Vec<&Decided> = decided.iter().filter(|row| !row.how.is_decided()).collect();
        match &self.output {
            Some(path) => write(path, &lines(decided.iter())?)?,
            None => std::io::stdout().write_all(lines(decided.iter())?.as_bytes())?,
        }
        if let Some(path) = &self.to_decide {
            write(path, &lines(open.iter().copied())?)?;
        }
        eprint!("{}", said(&decided, &open));
        Ok(Outcome::Done)
    }
}

fn lines<'a>(rows: impl Iterator<Item = &'a Decided>) -> Result<String> {
    let mut text = String::new();
    for row in rows {
        let line = serde_json::to_string(&row.fields).map_err(|e| Error::io(e.to_string()))?;
        text += &(line + "\n");
    }
    Ok(text)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(|e| Error::from(e).in_file(path))
}

/// Counts, then the first open rows with the labels they have.
fn said(decided: &[Decided], open: &[&Decided]) -> String {
    let mut counts: indexmap::IndexMap<&str, usize> = indexmap::IndexMap::new();
    decided.iter().for_each(|row| *counts.entry(row.how.as_str()).or_default() += 1);
    let counts: Vec<String> = counts.iter().map(|(how, count)| format!("{count} {}", how.replace('_', " "))).collect();
    let mut text = format!("{} rows: {}\n", decided.len(), counts.join(", "));
    if !open.is_empty() {
        let _ = writeln!(text, "a person must decide {}:", open.len());
    }
    for row in open.iter().take(SHOWN) {
        let words = |name: &str| row.fields.get(name).map(plain).unwrap_or_default();
        let quote: String = [words("quote"), words("text")].concat().chars().take(80).collect();
        let _ = writeln!(text, "  {}: {}: {quote}", words("id"), words("annotators"));
    }
    if open.len() > SHOWN {
        let _ = writeln!(text, "  … and {} more", open.len() - SHOWN);
    }
    text
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "–".into(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" / "),
        other => other.to_string(),
    }
}
