//! `detente compare`: is one set of predictions better than another.

use super::Outcome;
use super::evaluate::ReportArgs;
use clap::{Args, ValueEnum};
use detente::error::Result;
use detente::evaluate::resample::Bootstrap;
use detente::evaluate::{comparison, conll, entities, quotes, records, rows, stance};
use detente::report::Report;
use std::path::{Path, PathBuf};

/// Compare predictions for the same gold: exact McNemar, paired bootstrap and permutation by document.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The predictions of each system: rows (JSONL, CSV), records, or CoNLL for entities
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The hand-labelled file
    #[arg(long, value_name = "FILE")]
    gold: PathBuf,
    /// What the predictions are about
    #[arg(long, value_name = "TASK", value_enum, default_value_t = Task::Stance)]
    task: Task,
    /// Compares stance on gold conciliatory or firm rows only, by the more probable of the two
    #[arg(long)]
    two_way: bool,
    /// Scores entity type FROM as type TO; `O` leaves it out. May be repeated
    #[arg(long = "map", value_name = "FROM=TO")]
    map: Vec<String>,
    /// Column of the gold tag in CoNLL files, from 1; without it the last one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    gold_column: Option<u16>,
    /// Column of the predicted tag in CoNLL files, from 1; without it the last one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pred_column: Option<u16>,
    #[command(flatten)]
    output: ReportArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Task {
    /// Stance labels: accuracy and macro F1
    Stance,
    /// Entities with the same bounds and type: precision, recall and F1
    Entities,
    /// Contents of quotes that overlap by half: precision, recall and F1
    Quotes,
}

impl CompareArgs {
    /// Prints the comparison, and writes it where asked.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit each other, a report that cannot be written.
    pub fn run(self) -> Result<Outcome> {
        self.output.check()?;
        let bootstrap = self.output.bootstrap();
        let report = match self.task {
            Task::Stance => self.stance(&bootstrap)?,
            Task::Entities => self.entities(&bootstrap)?,
            Task::Quotes => comparison::evaluate_spans(&quotes::compare(&self.meetings()?), &bootstrap)?,
        };
        self.output.show(&report)?;
        Ok(Outcome::Done)
    }

    fn stance(&self, bootstrap: &Bootstrap) -> Result<Report> {
        let gold = rows::read(&self.gold, rows::Side::Gold)?;
        let mut systems = Vec::new();
        for file in &self.files {
            let predicted = rows::read(file, rows::Side::Predicted)?;
            systems.push((self.name(file), rows::meet(gold.clone(), predicted)?));
        }
        comparison::evaluate(&stance::comparison(&systems, self.two_way), bootstrap)
    }

    fn entities(&self, bootstrap: &Bootstrap) -> Result<Report> {
        let names = entities::TypeNames::new(&self.map)?;
        let compared = if records::are_records(&self.gold)? {
            entities::compare_records(&self.meetings()?, &names)
        } else {
            let gold = conll::read(&self.gold, self.gold_column.map(usize::from))?;
            let column = self.pred_column.map(usize::from);
            let systems = self.files.iter().map(|file| Ok((self.name(file), conll::read(file, column)?)));
            entities::compare_conll(&gold, &systems.collect::<Result<Vec<_>>>()?, &names)?
        };
        comparison::evaluate_spans(&compared, bootstrap)
    }

    /// The gold records with those of each system.
    fn meetings(&self) -> Result<Vec<(String, records::Meeting)>> {
        let meeting =
            |file: &PathBuf| Ok((self.name(file), records::meet(records::read(&self.gold)?, records::read(file)?)?));
        self.files.iter().map(meeting).collect()
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
