//! One thin file per command: arguments and help, then one call into the library.
//!
//! A new command is one line in [`Command`], one line in [`Command::run`], and a file with its `Args`.

mod adjudicate;
mod agree;
mod articles;
mod classify;
mod compare;
mod convert;
mod doctor;
mod entities;
mod evaluate;
mod experiment;
mod models;
mod options;
mod predict;
mod progress;
mod quotes;
mod stance;
mod stop;
#[cfg(feature = "libtorch")]
mod train;

use clap::{Parser, Subcommand};
use detente::error::Result;
use std::process::ExitCode;

/// Finds who said what in news articles, and labels each quote conciliatory or firm.
#[derive(Debug, Parser)]
#[command(
    name = "detente",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 all done; 1 done, but some documents failed; 2 wrong usage or unreadable configuration;\n\
                  3 a model or the engine cannot be loaded; 130 interrupted, what was finished is kept.\n\
                  `detente COMMAND --help` tells more about each command."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order in which help lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find names, quotes and speakers in articles, and the stance of each quote
    Classify(classify::ClassifyArgs),
    /// Find people, organisations, places and other names
    Entities(entities::EntitiesArgs),
    /// Find quotes and their speakers; needs no model
    Quotes(quotes::QuotesArgs),
    /// Read the stance of quotes that are rows of a file
    Stance(stance::StanceArgs),
    /// Compare predictions with hand labels
    Evaluate(evaluate::EvaluateArgs),
    /// Measure how far annotators agree
    Agree(agree::AgreeArgs),
    /// Make one label of several annotators', and list what a person must decide
    Adjudicate(adjudicate::AdjudicateArgs),
    /// Tell whether one set of predictions is better than another
    Compare(compare::CompareArgs),
    /// Make, report and repeat experiments: cross-validation, seeds, grids, learning curves
    Experiment(experiment::ExperimentArgs),
    /// Turn annotations of one tool into those of another
    Convert(convert::ConvertArgs),
    /// Fine-tune a model from a configuration
    #[cfg(feature = "libtorch")]
    Train(train::TrainArgs),
    /// List and check model folders
    Models(models::ModelsArgs),
    /// Say what is there, what is missing, and how to mend it
    Doctor(doctor::DoctorArgs),
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// Whatever stops the command as a whole; its kind decides the exit code.
    pub fn run(self) -> Result<Outcome> {
        match self {
            Command::Classify(args) => args.run(),
            Command::Entities(args) => args.run(),
            Command::Quotes(args) => args.run(),
            Command::Stance(args) => args.run(),
            Command::Evaluate(args) => args.run(),
            Command::Agree(args) => args.run(),
            Command::Adjudicate(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Experiment(args) => args.run(),
            Command::Convert(args) => args.run(),
            #[cfg(feature = "libtorch")]
            Command::Train(args) => args.run(),
            Command::Models(args) => args.run(),
            Command::Doctor(args) => args.run(),
        }
    }
}

/// How a command that came to its end went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done (exit code 0).
    Done,
    /// Done, but some documents or rows failed, or a check found fault (exit code 1).
    SomeFailed,
}

impl Outcome {
    /// What the shell is told.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Outcome::Done => 0,
            Outcome::SomeFailed => 1,
        })
    }
}
