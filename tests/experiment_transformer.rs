//! An experiment that fine-tunes a transformer: a tiny one, so that it takes seconds.
#![cfg(feature = "libtorch")]

use assert_cmd::Command;
use predicates::str::contains;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const EXPERIMENT: &str = r#"
name = "codes"
task = "labels"
[data]
train = ["train.tsv"]
test = ["test.tsv"]
columns = ["text", "code"]
label = "code"
classes = ["none", "cooperation", "conflict"]
labels = { 0 = "none", 1 = "cooperation", 4 = "conflict" }
[protocol]
dev_share = 0.2
[[settings]]
name = "tiny"
model = "transformer"
base = "BASE"
epochs = 2
learning_rate = 1e-3
batch_size = 8
max_tokens = 32
smoothing = 0.1
threads = 1
"#;

fn detente(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("detente").unwrap();
    command.current_dir(folder).arg("experiment").args(words);
    command
}

#[test]
fn a_fine_tuned_transformer_is_scored_recorded_and_repeated() {
    let folder = TempDir::new().unwrap();
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/models/bert-pairs");
    let file = EXPERIMENT.replace("BASE", &base.to_string_lossy());
    fs::write(folder.path().join("codes.toml"), &file).unwrap();
    let row = |at: usize| {
        let (text, code) =
            [("the plan was read", 0), ("they agreed to meet", 1), ("they shelled the bridge", 4)][at % 3];
        format!("{text} {}\t{code}\n", at % 4)
    };
    fs::write(folder.path().join("train.tsv"), (0..60).map(row).collect::<String>()).unwrap();
    fs::write(folder.path().join("test.tsv"), (0..12).map(row).collect::<String>()).unwrap();
    detente(folder.path(), &["run", "codes.toml"]).assert().success().stderr(contains("epoch 2: loss"));

    let run = folder.path().join("runs/codes/tiny/seed-1");
    let record: serde_json::Value = serde_json::from_str(&fs::read_to_string(run.join("run.json")).unwrap()).unwrap();
    assert_eq!((&record["rows"]["train"], &record["rows"]["dev"]), (&48.into(), &12.into()));
    assert_eq!(record["dev_scores"].as_array().unwrap().len(), 2);
    assert_eq!(record["base_model"]["name"], "bert-pairs");
    assert!(record["model_hash"].is_string() && !run.join("model").exists(), "the model is hashed and thrown away");
    let predictions = fs::read_to_string(run.join("predictions.jsonl")).unwrap();
    for line in predictions.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let sum: f64 = row["probabilities"].as_object().unwrap().values().filter_map(serde_json::Value::as_f64).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{line}");
    }
    assert_eq!(predictions.lines().count(), 12);
    detente(folder.path(), &["repeat", "runs/codes/tiny/seed-1"]).assert().success().stdout(contains("The same"));

    fs::write(folder.path().join("wrong.toml"), file.replace("threads = 1", "treads = 1")).unwrap();
    detente(folder.path(), &["run", "wrong.toml"]).assert().code(2).stderr(contains("treads"));
}
