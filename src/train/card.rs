//! The card of a trained model: data, settings, scores, licence, how to repeat.

use super::fit::Outcome;
use super::rounding::Rounding;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;

/// What only the person who trains can say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardText {
    /// What it does, in one sentence.
    #[serde(default)]
    pub summary: String,
    /// Where the data comes from and under what licence, one entry a line.
    #[serde(default)]
    pub data: Vec<String>,
    /// The base model and its licence.
    #[serde(default)]
    pub base: String,
    /// Licence of the weights.
    #[serde(default)]
    pub licence: String,
    /// What it should not be used for, and where it is weak.
    #[serde(default)]
    pub limits: Vec<String>,
}

/// Writes `README.md`, `training.toml` and `training.json` into the model's folder.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write<T: Serialize>(
    folder: &Path,
    task: &str,
    settings: &T,
    text: &CardText,
    outcome: &Outcome,
) -> Result<()> {
    let failed = |e: &dyn std::fmt::Display| Error::io(e.to_string()).in_file(folder);
    let settings = toml::to_string_pretty(settings).map_err(|e| failed(&e))?;
    let log = serde_json::to_string_pretty(outcome).map_err(|e| failed(&e))?;
    std::fs::write(folder.join("training.toml"), &settings).map_err(|e| failed(&e))?;
    std::fs::write(folder.join("training.json"), log + "\n").map_err(|e| failed(&e))?;
    std::fs::write(folder.join("README.md"), card(folder, task, text, outcome)).map_err(|e| failed(&e))
}

fn rounding(rounding: &Rounding) -> String {
    format!(
        ": beside the f32 weights, on {} inputs, logits differ by at most {:.1e} and {} of {} labels are the same",
        rounding.inputs, rounding.largest_difference, rounding.same_label, rounding.rows
    )
}

fn card(folder: &Path, task: &str, text: &CardText, outcome: &Outcome) -> String {
    let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or(task);
    let mut card = format!("# {name}\n\n{}\n\n", text.summary);
    let _ = writeln!(card, "* Task: {task}\n* Base model: {}\n* Licence: {}\n\n## Data\n", text.base, text.licence);
    text.data.iter().for_each(|line| card += &format!("* {line}\n"));
    let scores_list: Vec<String> = outcome.scores.iter().map(|s| format!("{s:.4}")).collect();
    let _ = writeln!(
        card,
        "\n## Training\n\n{} examples; {}. Dev score after each epoch: {}; epoch {} was kept. \
         Weights are stored as f16{}.\nSettings: `training.toml`; figures: `training.json`. To repeat: \
         `detente train {task} --config {}`.\n",
        outcome.examples,
        outcome.engine,
        scores_list.join(", "),
        outcome.best_epoch,
        outcome.rounding.as_ref().map_or_else(String::new, rounding),
        folder.join("training.toml").display(),
    );
    let _ = writeln!(
        card,
        "Figures on held-out data, with the commands that print them, stand in the project's README.\n\n## Limits\n"
    );
    text.limits.iter().for_each(|line| card += &format!("* {line}\n"));
    card
}
