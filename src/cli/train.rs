//! `detente train`: fine-tunes a model from a TOML configuration.

use super::Outcome;
use clap::{Args, ValueEnum};
use detente::error::Result;
use detente::train::fit::Event;
use detente::train::{config, entities, linker, quotes, stance};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// Fine-tunes a model.
///
/// An interrupted run goes on at its last finished epoch when it is started again with the same configuration and data.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// What to train
    task: TrainTask,
    /// The configuration (see the bundled models' `training.toml` for examples)
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TrainTask {
    /// Named entities, from CoNLL files
    Entities,
    /// Content, cue and source of quotes, from brat stand-off
    Quotes,
    /// How a quote model's finds are joined, with the configuration it was trained by
    Linker,
    /// Stance, from JSONL rows of labelled quotes
    Stance,
}

impl TrainArgs {
    /// Trains and writes the model folder.
    ///
    /// # Errors
    /// When configuration or data cannot be read, or the model cannot be written.
    pub fn run(self) -> Result<Outcome> {
        let mut show = Progress::new();
        let mut tell = |event: &Event| show.event(event);
        let outcome = match self.task {
            TrainTask::Entities => entities::train(&config::read(&self.config)?, &mut tell)?,
            TrainTask::Linker => return link(&config::read(&self.config)?),
            TrainTask::Quotes => {
                let settings = config::read(&self.config)?;
                let outcome = quotes::train(&settings, &mut tell)?;
                link(&settings)?;
                outcome
            }
            TrainTask::Stance => stance::train(&config::read(&self.config)?, &mut tell)?,
        };
        let best = outcome.scores.get(outcome.best_epoch.saturating_sub(1)).copied().unwrap_or(0.0);
        eprintln!("kept epoch {} with dev score {best:.4}, after {:.0} s", outcome.best_epoch, outcome.seconds);
        Ok(Outcome::Done)
    }
}

/// Trains the linker of a quote model.
fn link(settings: &quotes::QuoteTraining) -> Result<Outcome> {
    let outcome = linker::train(settings)?;
    let percent = |f1: f64| 100.0 * f1;
    eprintln!(
        "linked; F1 on dev: content {:.1} overlapping, {:.1} exact; whole attributions {:.1} overlapping",
        percent(outcome.content),
        percent(outcome.exact),
        percent(outcome.whole)
    );
    Ok(Outcome::Done)
}

/// A bar on a terminal, a line now and then in a log.
struct Progress {
    bar: ProgressBar,
    said: usize,
}

impl Progress {
    fn new() -> Self {
        Progress { bar: ProgressBar::no_length(), said: 0 }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Start { examples, steps, epochs_done } => {
                self.say(&format!("{examples} examples, {steps} steps, {epochs_done} epochs done before"));
                let style = ProgressStyle::with_template("{bar:30} step {pos}/{len} {msg}");
                self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                self.bar.set_length(*steps as u64);
            }
            Event::Step { step, steps, loss, left } => {
                self.bar.set_position(*step as u64);
                let message = format!("loss {loss:.4}, {} left", HumanDuration(*left));
                self.bar.set_message(message.clone());
                let tenth = 20 * step / steps.max(&1);
                if self.bar.is_hidden() && tenth > self.said {
                    self.said = tenth;
                    eprintln!("step {step}/{steps}: {message}");
                }
            }
            Event::Epoch { epoch, loss, score, best } => {
                let mark = if *best { " (best so far, saved)" } else { "" };
                self.say(&format!("epoch {epoch}: loss {loss:.4}, dev score {score:.4}{mark}"));
            }
        }
    }

    fn say(&self, line: &str) {
        if self.bar.is_hidden() { eprintln!("{line}") } else { self.bar.println(line) }
    }
}
