//! `detente experiment` as a user calls it, with the bag of words, which needs no engine.

use assert_cmd::Command;
use detente::experiment::data::Row;
use detente::experiment::folds;
use predicates::str::contains;
use serde::Deserialize;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Quotes of invented ministers: two rows a document, words that speak for their class, now and then the other way.
fn quotes(documents: usize) -> String {
    let words = [
        ["we are ready to talk", "an open hand to Nordia", "we offer to meet again"],
        ["we will never yield", "Tashvar must leave now", "we refuse every demand"],
        ["the figures come on Monday", "the report has nine pages", "the plan was read aloud"],
    ];
    let mut rows = String::new();
    for document in 0..documents {
        for row in 0..2 {
            let at = document * 2 + row;
            let class = at % 3;
            let said = words[if at % 7 == 0 { (class + 1) % 3 } else { class }][at % 2];
            let label = ["c", "f", "n"][class];
            rows += &format!(
                "{{\"id\": \"{at}\", \"doc\": \"d{document}\", \"quote\": \"{said}, number {}\", \"label\": \"{label}\"}}\n",
                at % 5
            );
        }
    }
    rows
}

const EXPERIMENT: &str = r#"
name = "border talks"
task = "stance"
[data]
train = ["quotes.jsonl"]
[protocol]
folds = 3
seeds = [1, 2]
sizes = [20]
[[settings]]
name = "bag of words"
model = "bag_of_words"
[[published]]
system = "somebody"
figure = "macro_f1"
value = 0.5
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("quotes.jsonl"), quotes(30)).unwrap();
        fs::write(folder.path().join("talks.toml"), EXPERIMENT).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn detente(&self, words: &[&str]) -> Command {
        let mut command = Command::cargo_bin("detente").unwrap();
        command.current_dir(self.0.path()).arg("experiment").args(words);
        command
    }

    fn report(&self) -> serde_json::Value {
        let words = ["report", "runs/border-talks", "--resamples", "200", "--report", "report.json"];
        self.detente(&words).assert().success();
        serde_json::from_str(&fs::read_to_string(self.path("report.json")).unwrap()).unwrap()
    }
}

const RUN: &str = "runs/border-talks/bag-of-words/seed-1-fold-2";

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn runs_leave_folders_that_say_all_and_go_on_where_they_stopped() {
    let folder = Folder::new();
    folder.detente(&["run", "talks.toml"]).assert().success().stderr(contains("run 12 of 12"));
    let record = json(&folder.path(RUN).join("run.json"));
    assert_eq!(record["rows"]["train"], 40);
    assert_eq!(record["rows"]["test"], 20);
    assert_eq!(record["data"][0]["sha256"].as_str().unwrap().len(), 64);
    assert!(!record["program"]["commit"].as_str().unwrap().is_empty());
    let predictions = fs::read_to_string(folder.path(RUN).join("predictions.jsonl")).unwrap();
    assert_eq!(predictions.lines().count(), 20);
    assert!(!predictions.contains("ready to talk"), "predictions carry no text");

    // What is there is not made again; what is missing or torn is.
    let scores = folder.path(RUN).join("scores.json");
    let before = fs::metadata(&scores).unwrap().modified().unwrap();
    let torn = folder.path("runs/border-talks/bag-of-words/seed-2-fold-1");
    fs::rename(&torn, torn.with_extension("partial")).unwrap();
    fs::write(torn.with_extension("partial").join("predictions.jsonl"), "{\"id\": \"1\", \"doc").unwrap();
    folder.detente(&["run", "talks.toml"]).assert().success().stderr(contains("seed-1-fold-2 is there"));
    assert_eq!(fs::metadata(&scores).unwrap().modified().unwrap(), before);
    assert_eq!(folder.report()["sections"]["settings"]["runs"]["finished"]["bag of words"], 6);
}

#[test]
fn the_report_has_every_row_once_a_seed_a_learning_curve_and_the_figures_of_others() {
    let folder = Folder::new();
    folder.detente(&["run", "talks.toml"]).assert().success();
    let report = folder.report();
    let scores = &report["sections"]["settings"]["scores"];
    let (mut accuracy, mut rows) = (0.0, 0.0);
    for seed in [1, 2] {
        for fold in 1..=3 {
            let run = folder.path(&format!("runs/border-talks/bag-of-words/seed-{seed}-fold-{fold}"));
            let n = json(&run.join("run.json"))["rows"]["test"].as_f64().unwrap();
            accuracy += n * json(&run.join("scores.json"))["accuracy"].as_f64().unwrap();
            rows += n;
        }
    }
    assert_eq!(rows, 120.0, "30 documents of two rows under each of two seeds");
    assert!((scores["accuracy"]["bag of words"]["value"].as_f64().unwrap() - accuracy / rows).abs() < 1e-12);
    assert!(scores["two_way_macro_f1"]["bag of words"]["low"].is_number());
    let curve = report["sections"]["learning_curve"]["macro_f1"].as_object().unwrap();
    assert_eq!(curve.keys().collect::<Vec<_>>(), ["20", "40"]);
    assert_eq!(report["sections"]["published"]["figures"]["somebody"]["published"]["value"], 0.5);
    assert!(report["notes"].as_array().unwrap().is_empty(), "{}", report["notes"]);
}

#[test]
fn a_run_is_repeated_to_the_last_digit_and_other_data_are_told() {
    let folder = Folder::new();
    folder.detente(&["run", "talks.toml"]).assert().success();
    folder.detente(&["repeat", RUN]).assert().success().stdout(contains("The same")).stderr("");

    let other = quotes(30).replace("never yield", "gladly yield");
    fs::write(folder.path("quotes.jsonl"), other).unwrap();
    let repeated = folder.detente(&["repeat", RUN]).assert().stderr(contains("is another file"));
    assert!([0, 1].contains(&repeated.get_output().status.code().unwrap()));
    let refused = folder.detente(&["run", "talks.toml"]).assert().code(2);
    refused.stderr(contains("other settings, data or base model"));
}

#[test]
fn a_fixed_split_under_other_names_is_scored_on_its_test_part() {
    let folder = Folder::new();
    let row = |at: usize| {
        let (text, code) =
            if at.is_multiple_of(2) { ("they agreed to meet", 1) } else { ("they shelled the bridge", 4) };
        format!("{text} {}\t{}\n", at % 3, if at % 10 == 9 { 7 } else { code })
    };
    fs::write(folder.path("train.tsv"), (0..40).map(row).collect::<String>()).unwrap();
    fs::write(folder.path("test.tsv"), (0..20).map(row).collect::<String>()).unwrap();
    let file = r#"
        name = "codes"
        task = "labels"
        [data]
        train = ["train.tsv"]
        test = ["test.tsv"]
        columns = ["sentence", "code"]
        text = "sentence"
        label = "code"
        classes = ["cooperation", "conflict"]
        labels = { 1 = "cooperation", 4 = "conflict" }
        [[settings]]
        name = "words"
        model = "bag_of_words"
        [[settings]]
        name = "big"
        model = "transformer"
        base = "nowhere"
        epochs = 1
        learning_rate = 1e-5
        batch_size = 8
        max_tokens = 64
    "#;
    fs::write(folder.path("codes.toml"), file).unwrap();
    folder.detente(&["run", "codes.toml", "--setting", "words"]).assert().success();
    folder.detente(&["run", "codes.toml", "--setting", "work"]).assert().code(2).stderr(contains("words; big"));
    let words = ["report", "runs/codes", "--resamples", "0", "--report", "report.json"];
    folder.detente(&words).assert().success();
    let report = json(&folder.path("report.json"));
    assert_eq!(report["sections"]["settings"]["scores"]["macro_f1"]["words"]["value"], 1.0);
    let notes = report["notes"].to_string();
    assert!(notes.contains("big on all rows: 0 of 1 runs"), "{notes}");
    assert!(notes.contains("very text of 18 scored rows"), "{notes}");
    assert!(notes.contains("6 rows have a label without a class"), "{notes}");
}

#[test]
fn mlflow_finds_its_layout() {
    let folder = Folder::new();
    folder.detente(&["run", "talks.toml"]).assert().success();
    let store = folder.path("runs/border-talks/mlruns");
    let experiment = fs::read_dir(&store).unwrap().next().unwrap().unwrap().path();
    assert!(fs::read_to_string(experiment.join("meta.yaml")).unwrap().contains("name: \"border talks\""));
    let runs: Vec<_> = fs::read_dir(&experiment).unwrap().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
    assert_eq!(runs.len(), 12);
    for run in runs {
        let metric = fs::read_to_string(run.join("metrics/macro_f1")).unwrap();
        let fields: Vec<&str> = metric.split_whitespace().collect();
        assert!(
            matches!(fields[..], [time, value, "0"] if time.len() == 13 && value.parse::<f64>().is_ok()),
            "{metric}"
        );
        assert!(run.join("artifacts").is_dir(), "MLflow passes over runs without it");
        assert_eq!(fs::read_to_string(run.join("params/model")).unwrap(), "bag_of_words");
        assert!(fs::read_to_string(run.join("meta.yaml")).unwrap().contains("status: 3\n"));
    }
}

#[derive(Deserialize)]
struct FoldCase {
    documents: Vec<usize>,
    classes: Vec<usize>,
    folds: usize,
    fold_of: Vec<usize>,
}

/// Values by `scripts/reference_folds.py`.
#[test]
fn folds_are_those_of_scikit_learn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/folds.json");
    let cases: Vec<FoldCase> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() > 3);
    for case in cases {
        let pairs = case.documents.iter().zip(&case.classes);
        let row = |(document, class): (&usize, &usize)| Row {
            document: document.to_string(),
            class: *class,
            ..Row::default()
        };
        let rows: Vec<Row> = pairs.map(row).collect();
        assert_eq!(folds::stratified(&rows, 3, case.folds, None), case.fold_of);
    }
}
