//! `detente models`: which model folders are there, and whether one of them can be used.

use super::Outcome;
use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use detente::error::Result;
use detente::models;
use std::path::PathBuf;

/// Lists and checks model folders.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The models that commands find, with their hashes
    List {
        /// Folder that holds the model folders
        #[arg(long, value_name = "DIR")]
        models: Option<PathBuf>,
    },
    /// Loads a model folder and runs a sentence through it
    Check {
        /// A folder as Hugging Face writes it
        folder: PathBuf,
    },
}

impl ModelsArgs {
    /// Prints the list or the result of the check.
    ///
    /// # Errors
    /// When the folder checked cannot be used; the message says why.
    pub fn run(self) -> Result<Outcome> {
        match self.action {
            Action::List { models } => list(models.as_deref()),
            Action::Check { folder } => check(&folder),
        }
    }
}

/// Columns of the table where the output is no terminal.
const PIPE_WIDTH: u16 = 100;

/// Labels without what only says where in a span a word stands (`B-PER`, `I-PER`), each once.
fn plain_labels(labels: &[String]) -> Vec<&str> {
    let mut plain: Vec<&str> = Vec::new();
    for label in labels {
        let name = ["B-", "I-", "E-", "S-"].iter().find_map(|p| label.strip_prefix(p)).unwrap_or(label);
        if !plain.contains(&name) {
            plain.push(name);
        }
    }
    plain
}

fn list(given: Option<&std::path::Path>) -> Result<Outcome> {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(PIPE_WIDTH);
    }
    table.set_header(["model", "task", "architecture", "labels", "MB", "hash", "folder"]);
    let mut outcome = Outcome::Done;
    for folder in models::list(given) {
        match models::info(&folder) {
            Ok(info) => drop(table.add_row([
                info.stamp.name,
                info.task,
                info.architecture,
                plain_labels(&info.labels).join(" "),
                format!("{:.1}", info.bytes as f64 / 1e6),
                info.stamp.hash,
                info.folder.display().to_string(),
            ])),
            Err(error) => {
                eprintln!("{error}");
                outcome = Outcome::SomeFailed;
            }
        }
    }
    println!("{table}");
    Ok(outcome)
}

#[cfg(feature = "libtorch")]
fn check(folder: &std::path::Path) -> Result<Outcome> {
    use detente::encoder::Encoder;
    use detente::encoder::rust_bert::{EngineOptions, RustBert};

    let info = models::info(folder)?;
    let model = RustBert::load(folder, &EngineOptions::default())?;
    let tokens = detente::tokens::Tokens::from_folder(folder)?;
    let input = tokens.pair("The delegations will meet again.", "The talks went on.", tokens.max_tokens())?.input;
    let logits = model.logits(&[input])?;
    let finite = logits.iter().all(|l| l.iter().all(|v| v.is_finite()));
    if !finite {
        return Err(detente::error::Error::model("the logits are not numbers").in_file(folder));
    }
    println!(
        "{} can be used: {}, {}, labels {}, reads up to {} tokens, hash {}",
        folder.display(),
        info.task,
        info.architecture,
        model.labels().join(" "),
        model.max_tokens(),
        info.stamp.hash
    );
    Ok(Outcome::Done)
}

#[cfg(not(feature = "libtorch"))]
fn check(folder: &std::path::Path) -> Result<Outcome> {
    let info = models::info(folder)?;
    println!("{}: files are there, hash {}; this build has no engine to load it", folder.display(), info.stamp.hash);
    Ok(Outcome::Done)
}
