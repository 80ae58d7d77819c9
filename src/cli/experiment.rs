//! `detente experiment`: runs that can be repeated, and the report of them.

use super::evaluate::ReportArgs;
use super::{Outcome, stop};
use clap::{Args, Subcommand};
use detente::error::{Error, ErrorKind, Result};
use detente::experiment::data::Rows;
use detente::experiment::run::{self, Figures, Runner};
use detente::experiment::spec::Experiment;
use detente::experiment::{Told, plan, summary};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Cross-validation, repeated seeds, grids and learning curves from a TOML file.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make all runs of an experiment that are not there yet
    Run(RunArgs),
    /// Print the table of an experiment's finished runs
    Report(SummaryArgs),
    /// Make one finished run again and say whether it gives the same figures
    Repeat(RepeatArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The experiment (see datasets/experiments for examples)
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    /// Folder of the runs [default: runs/NAME]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Makes the runs of this setting only; may be repeated
    #[arg(long = "setting", value_name = "NAME")]
    settings: Vec<String>,
    /// Keeps the trained models in the folders of their runs
    #[arg(long)]
    keep_models: bool,
}

#[derive(Debug, Args)]
struct SummaryArgs {
    /// Folder of the experiment's runs
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    output: ReportArgs,
}

#[derive(Debug, Args)]
struct RepeatArgs {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    folder: PathBuf,
    /// Folder for the new run [default: one that is thrown away]
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// The experiment's own file, kept beside its runs.
const FILE: &str = "experiment.toml";

impl ExperimentArgs {
    /// Runs, reports or repeats.
    ///
    /// # Errors
    /// When the file or its data cannot be read, a training fails, or a report cannot be written.
    pub fn run(self) -> Result<Outcome> {
        match self.what {
            What::Run(args) => args.run(),
            What::Report(args) => args.run(),
            What::Repeat(args) => args.run(),
        }
    }
}

impl RunArgs {
    fn run(self) -> Result<Outcome> {
        let experiment = Experiment::read(&self.file)?;
        let mut runs = plan::runs(&experiment)?;
        if let Some(unknown) = self.settings.iter().find(|name| runs.iter().all(|run| run.setting.name != **name)) {
            let mut names: Vec<&str> = runs.iter().map(|run| run.setting.name.as_str()).collect();
            names.dedup();
            return Err(Error::usage(format!("there is no setting `{unknown}`"))
                .help(format!("settings are {}", names.join("; "))));
        }
        runs.retain(|run| self.settings.is_empty() || self.settings.contains(&run.setting.name));
        let rows = Rows::read(&experiment)?;
        let folder = self.output.unwrap_or_else(|| Path::new("runs").join(plan::slug(&experiment.name)));
        let runner = Runner { experiment: &experiment, rows: &rows, folder: &folder, keep_models: self.keep_models };
        runner.check(&runs)?;
        std::fs::create_dir_all(&folder).map_err(|e| Error::from(e).in_file(&folder))?;
        std::fs::copy(&self.file, folder.join(FILE)).map_err(|e| Error::from(e).in_file(&folder))?;
        let stop = stop::on_signals("finishing the run in flight; once more ends at once")?;
        for (at, run) in runs.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted, format!("{at} of {} runs are finished", runs.len()))
                    .help("the same command goes on where it stopped"));
            }
            runner.run(run, &mut |told| tell(&told, at + 1, runs.len()))?;
        }
        eprintln!("for the table: detente experiment report {}", folder.display());
        Ok(Outcome::Done)
    }
}

fn tell(told: &Told, at: usize, of: usize) {
    match told {
        Told::Before(folder) => eprintln!("run {at} of {of}: {} is there", folder.display()),
        Told::Starts(folder) => eprintln!("run {at} of {of}: {}", folder.display()),
        Told::Line(line) => eprintln!("    {line}"),
        Told::Done(_, figures) => eprintln!("    {}", said(figures)),
    }
}

fn said(figures: &Figures) -> String {
    let shown =
        |name: &str| figures.get(name).copied().flatten().map_or("–".to_string(), |value| format!("{value:.3}"));
    format!("macro F1 {}, accuracy {}", shown("macro_f1"), shown("accuracy"))
}

impl SummaryArgs {
    fn run(self) -> Result<Outcome> {
        self.output.check()?;
        let file = self.folder.join(FILE);
        if !file.is_file() {
            return Err(Error::usage(format!("there is no {FILE}"))
                .in_file(&self.folder)
                .help("name the folder that `detente experiment run` wrote"));
        }
        let experiment = Experiment::read(&file)?;
        let runs = run::finished(&self.folder)?;
        self.output.show(&summary::report(&experiment, &runs, &self.output.bootstrap())?)?;
        Ok(Outcome::Done)
    }
}

impl RepeatArgs {
    fn run(self) -> Result<Outcome> {
        let thrown_away = tempfile::tempdir()?;
        let output = self.output.as_deref().unwrap_or_else(|| thrown_away.path());
        let repeated = run::repeat(&self.folder, output, &mut |told| {
            if let Told::Line(line) = told {
                eprintln!("{line}");
            }
        })?;
        repeated.changes().iter().for_each(|change| eprintln!("note: {change}"));
        let differences = repeated.differences();
        if differences.is_empty() {
            println!("The same {} figures: {}.", repeated.now.figures.len(), said(&repeated.now.figures));
            return Ok(Outcome::Done);
        }
        println!("{} of {} figures differ:", differences.len(), repeated.before.figures.len());
        let shown = |figure: Option<f64>| figure.map_or("undefined".to_string(), |value| value.to_string());
        for (name, before, now) in differences {
            println!("  {name}: was {}, now {}", shown(before), shown(now));
        }
        Ok(Outcome::SomeFailed)
    }
}
