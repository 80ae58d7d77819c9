//! `detente compare`: is one set of predictions better than another.

use super::Outcome;
use super::evaluate::ReportArgs;
use clap::Args;
use detente::error::Result;
use detente::evaluate::{comparison, rows, stance};
use std::path::{Path, PathBuf};

/// Compare stance predictions on the same rows: exact McNemar, paired bootstrap and permutation by document.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The predictions of each system: rows (JSONL, CSV) or records.
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The hand-labelled file.
    #[arg(long, value_name = "FILE")]
    gold: PathBuf,
    /// Compares on gold conciliatory or firm rows only, by the more probable of the two.
    #[arg(long)]
    two_way: bool,
    #[command(flatten)]
    output: ReportArgs,
}

impl CompareArgs {
    /// Prints the comparison, and writes it where asked.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit each other, a report that cannot be written.
    pub fn run(self) -> Result<Outcome> {
        self.output.check()?;
        let gold = rows::read(&self.gold, rows::Side::Gold)?;
        let mut systems = Vec::new();
        for file in &self.files {
            let predicted = rows::read(file, rows::Side::Predicted)?;
            systems.push((self.name(file), rows::meet(gold.clone(), predicted)?));
        }
        let comparison = stance::comparison(&systems, self.two_way);
        self.output.show(&comparison::evaluate(&comparison, &self.output.bootstrap())?)?;
        Ok(Outcome::Done)
    }

    /// The file's name, or its whole path where another file has the same name.
    fn name(&self, file: &Path) -> String {
        let same = self.files.iter().filter(|other| other.file_name() == file.file_name()).count();
        match file.file_name() {
            Some(name) if same == 1 => name.to_string_lossy().into_owned(),
            _ => file.display().to_string(),
        }
    }
}
