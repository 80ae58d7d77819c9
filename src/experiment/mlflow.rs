//! The layout of MLflow's file store, so that people can look at runs in the tool they know:
//! `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri EXPERIMENT/mlruns` (newer versions of MLflow want the variable;
//! `mlflow migrate-filestore` takes the runs into a database).
//!
//! `mlruns/<experiment>/meta.yaml`, and in `mlruns/<experiment>/<run>/` again `meta.yaml`, a file a parameter in
//! `params/`, a tag in `tags/`, and in `metrics/` lines of `<milliseconds> <value> <step>`. JSON strings are YAML.

use super::run::{Config, Figures, RunRecord};
use crate::error::{Error, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// MLflow's number of a finished run, and of a source that is a local program.
const FINISHED: u8 = 3;
const LOCAL: u8 = 4;

/// Writes the run in `folder` into the store under the experiment's folder `root`; what an earlier one left is replaced.
pub(super) fn write(root: &Path, folder: &Path, config: &Config, record: &RunRecord, figures: &Figures) -> Result<()> {
    let store = root.join("mlruns");
    let experiment = experiment_id(&config.experiment.name);
    let place = store.join(&experiment);
    let run = hex(&format!("{}{}", record.fingerprint, folder.display()));
    let run = run.get(..32).unwrap_or(&run);
    let run_place = place.join(run);
    if run_place.exists() {
        std::fs::remove_dir_all(&run_place).map_err(|e| Error::from(e).in_file(&run_place))?;
    }
    let ended = record.started + (record.seconds * 1000.0) as u64;
    file(&place.join("meta.yaml"), &yaml(&experiment_meta(config, &experiment, &place, record.started)))?;
    let meta = [
        ("artifact_uri", json!(uri(folder))),
        ("end_time", json!(ended)),
        ("entry_point_name", json!("")),
        ("experiment_id", json!(experiment)),
        ("lifecycle_stage", json!("active")),
        ("run_id", json!(run)),
        ("run_name", json!(run_name(config))),
        ("run_uuid", json!(run)),
        ("source_name", json!("")),
        ("source_type", json!(LOCAL)),
        ("source_version", json!("")),
        ("start_time", json!(record.started)),
        ("status", json!(FINISHED)),
        ("tags", json!([])),
        ("user_id", json!("")),
    ];
    file(&run_place.join("meta.yaml"), &yaml(&meta))?;
    for (name, value) in params(config) {
        file(&run_place.join("params").join(name), &value)?;
    }
    let tags = [
        ("mlflow.runName", run_name(config)),
        ("mlflow.source.git.commit", record.program.commit.clone()),
        ("detente.version", record.program.version.clone()),
        ("detente.fingerprint", record.fingerprint.clone()),
    ];
    for (name, value) in tags {
        file(&run_place.join("tags").join(name), &value)?;
    }
    // The run's own folder holds the files; MLflow wants its usual one to be there all the same.
    let artifacts = run_place.join("artifacts");
    std::fs::create_dir_all(&artifacts).map_err(|e| Error::from(e).in_file(&artifacts))?;
    let metrics = run_place.join("metrics");
    for (name, value) in figures.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        file(&metrics.join(name), &format!("{ended} {value} 0\n"))?;
    }
    let epochs = record.dev_scores.iter().zip(1..).map(|(score, epoch)| format!("{ended} {score} {epoch}\n"));
    let epochs: Vec<String> = epochs.collect();
    if epochs.is_empty() { Ok(()) } else { file(&metrics.join("dev_score"), &epochs.concat()) }
}

fn experiment_meta(config: &Config, id: &str, place: &Path, now: u64) -> [(&'static str, Value); 6] {
    [
        ("artifact_location", json!(uri(place))),
        ("creation_time", json!(now)),
        ("experiment_id", json!(id)),
        ("last_update_time", json!(now)),
        ("lifecycle_stage", json!("active")),
        ("name", json!(config.experiment.name)),
    ]
}

fn run_name(config: &Config) -> String {
    let part = &config.part;
    let mut name = format!("{}, seed {}", config.setting.name, part.seed);
    let parts = [("fold", part.fold), ("size", part.size)];
    parts.iter().filter_map(|(what, n)| Some((what, (*n)?))).for_each(|(what, n)| name += &format!(", {what} {n}"));
    name
}

fn params(config: &Config) -> Vec<(String, String)> {
    let part = &config.part;
    let number = |n: Option<usize>| n.map(|n| n.to_string());
    let own = [
        ("setting", Some(config.setting.name.clone())),
        ("model", Some(config.setting.model.to_string())),
        ("seed", Some(part.seed.to_string())),
        ("fold", number(part.fold)),
        ("size", Some(number(part.size).unwrap_or_else(|| "all".into()))),
    ];
    let options = config.setting.options.iter().map(|(name, value)| {
        (format!("option.{name}"), value.as_str().map_or_else(|| value.to_string(), str::to_string))
    });
    own.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))).chain(options).collect()
}

fn yaml(fields: &[(&str, Value)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn hex(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// MLflow's ids of experiments are numbers; the same name gives the same one.
fn experiment_id(name: &str) -> String {
    let digest = Sha256::digest(name);
    let number = digest.iter().take(7).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    // Never 0, which is MLflow's default experiment.
    (number + 1).to_string()
}

fn uri(path: &Path) -> String {
    let path: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let escaped: String = path
        .to_string_lossy()
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("file://{escaped}")
}

fn file(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::from(e).in_file(folder))?;
    }
    std::fs::write(path, text).map_err(|e| Error::from(e).in_file(path))
}
