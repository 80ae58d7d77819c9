//! Every name in `--report FILE.json` stands in the schema that `detente evaluate --schema` prints.

mod json_schema;

use assert_cmd::Command;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Folder(TempDir::new().unwrap());
        let (gold, pred) = stance_rows("a");
        let (other_gold, other_pred) = stance_rows("b");
        let train = "Osk\tB-PER\n\nDrun\tB-ORG\n";
        let conll = "Osk\tB-PER\nmet\tO\n\nDrun\tB-LOC\nLorn\tB-ORG\n";
        let found = "Osk\tO\nmet\tO\n\nDrun\tB-LOC\nLorn\tB-PER\n";
        let ratings: String = (0..6)
            .map(|at| {
                format!(
                    "{{\"id\": \"{at}\", \"doc\": \"{}\", \"annotators\": {}}}\n",
                    at / 2,
                    ["[\"c\", \"c\"]", "[\"f\", \"n\"]"][at % 2]
                )
            })
            .collect();
        let files = [
            ("gold.jsonl", gold.as_str()),
            ("pred.jsonl", &pred),
            ("other-gold.jsonl", &other_gold),
            ("other-pred.jsonl", &other_pred),
            ("train.txt", train),
            ("gold.txt", conll),
            ("found.txt", found),
            ("record.jsonl", RECORD),
            ("ratings.jsonl", &ratings),
            ("experiment.toml", EXPERIMENT),
        ];
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder.write("brat/text/talks.txt", "\"We agree,\" said Mira Osk.\n");
        let marks = "T1\tContent 0 11\t\"We agree,\"\nT2\tCue 12 16\tsaid\nT3\tSource 17 25\tMira Osk\nE1\tCue:T2 Content:T1 Source:T3\n";
        folder.write("brat/attributions/talks_one.ann", marks);
        folder.write("brat/attributions/talks_two.ann", marks);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn detente(&self, line: &str) -> Command {
        let mut command = Command::cargo_bin("detente").unwrap();
        command.current_dir(self.0.path()).args(line.split_whitespace());
        command
    }

    fn report(&self, line: &str) -> Value {
        self.detente(&format!("{line} --resamples 20 --report report.json")).assert().success();
        serde_json::from_str(&fs::read_to_string(self.0.path().join("report.json")).unwrap()).unwrap()
    }
}

/// Rows that fill every breakdown, some of them unsure, with probabilities.
fn stance_rows(document: &str) -> (String, String) {
    let (mut gold, mut predicted) = (String::new(), String::new());
    for at in 0..30 {
        let (side, other) = (at % 3, at % 2);
        let label = ["c", "f", "n"][side];
        let quote = ["we offer talks", "we refuse it", "the plan was read"][side].repeat(1 + at % 20);
        let (source, speaker) = (["lorn", "drun"][other], ["Osk", "Aldane"][other]);
        let (kind, date) = (["direct", "mixed"][other], ["2021-05-01", "2022-05-01"][other]);
        let row = json!({
            "id": format!("{at}"), "doc": format!("{document}{}", at / 2), "label": label, "quote": quote,
            "source": source, "speaker": speaker, "kind": kind, "date": date, "sure": [1, u8::from(at % 4 == 0)],
        });
        let right = if at % 5 == 0 { (at + 1) % 3 } else { at % 3 };
        let share = |class: usize| if class == right { 0.8 } else { 0.1 };
        let label = ["conciliatory", "firm", "neutral"][right];
        let stance = json!({"id": format!("{at}"), "stance": {
            "label": label, "conciliatory": share(0), "firm": share(1), "neutral": share(2),
        }});
        gold += &format!("{row}\n");
        predicted += &format!("{stance}\n");
    }
    (gold, predicted)
}

const RECORD: &str = r#"{"schema": "detente.record/1", "id": "1", "text": "“We agree,” said Mira Osk.", "entities": [{"type": "PER", "start": 17, "end": 25, "text": "Mira Osk"}], "quotes": [{"kind": "direct", "parts": [{"start": 1, "end": 10, "text": "We agree,"}], "cue": {"start": 12, "end": 16, "text": "said"}, "speaker": {"mention": {"start": 17, "end": 25, "text": "Mira Osk"}, "name": "Mira Osk", "evidence": "exact"}}]}"#;

const EXPERIMENT: &str = r#"
name = "talks"
task = "stance"
[data]
train = ["gold.jsonl"]
[protocol]
folds = 2
seeds = [1, 2]
sizes = [10]
[[settings]]
name = "words"
model = "bag_of_words"
[[settings]]
name = "words again"
model = "bag_of_words"
[[published]]
system = "somebody"
figure = "macro_f1"
value = 0.5
"#;

/// One report of every kind.
fn reports(folder: &Folder) -> Vec<(&'static str, Value)> {
    folder.detente("experiment run experiment.toml").assert().success();
    let lines = [
        "evaluate stance --gold gold.jsonl --pred pred.jsonl --baseline-train other-gold.jsonl --precision-at 0.7 \
         --calibration-gold other-gold.jsonl --calibration-pred other-pred.jsonl --interval bca",
        "evaluate entities --gold gold.txt --pred found.txt --train train.txt",
        "evaluate entities --gold record.jsonl --pred record.jsonl",
        "evaluate quotes --gold record.jsonl --pred record.jsonl",
        "evaluate attributions --gold brat",
        "agree ratings.jsonl",
        "agree record.jsonl record.jsonl --spans entities",
        "compare pred.jsonl pred.jsonl --gold gold.jsonl",
        "compare gold.txt found.txt --gold gold.txt --task entities",
        "compare record.jsonl record.jsonl --gold record.jsonl --task quotes",
        "experiment report runs/talks",
    ];
    lines.into_iter().map(|line| (line, folder.report(line))).collect()
}

#[test]
fn every_report_fits_the_schema_and_the_schema_names_nothing_that_no_report_has() {
    let folder = Folder::new();
    let printed = folder.detente("evaluate --schema").output().unwrap().stdout;
    let schema: Value = serde_json::from_slice(&printed).unwrap();
    let mut written = BTreeSet::new();
    for (line, report) in reports(&folder) {
        let faults = json_schema::faults(&schema, &report);
        assert!(faults.is_empty(), "{line}:\n{}", faults.join("\n"));
        names(&report["sections"], &mut written);
    }
    let sections = &schema["properties"]["sections"]["properties"];
    for (section, shape) in sections.as_object().unwrap() {
        for (table, shape) in shape["properties"].as_object().unwrap() {
            let rows = shape["properties"].as_object().into_iter().flatten().map(|(row, _)| row.clone());
            for row in rows.chain([table.clone()]) {
                assert!(written.contains(&row), "{section}: the schema has `{row}`, which no report holds");
            }
        }
    }
}

#[test]
fn a_name_that_the_schema_does_not_know_is_a_fault() {
    let schema: Value = serde_json::from_str(detente::report::JSON_SCHEMA).unwrap();
    let report = |section: Value| {
        json!({"schema": "detente.report/1", "task": "stance", "verdict": "", "protocol": {}, "notes": [], "lists": {},
               "sections": section})
    };
    let figure = |value: Value| json!({"three_way": {"about": "", "scores": {"macro_f1": {"model": value}}}});
    assert!(json_schema::faults(&schema, &report(figure(json!({"value": 0.5, "low": null, "high": null})))).is_empty());
    for wrong in [
        figure(json!("0.5")),
        figure(json!({"value": 0.5})),
        json!({"four_way": {"about": ""}}),
        json!({"three_way": {"about": "", "scores": {"f2": {"model": null}}}}),
    ] {
        assert!(!json_schema::faults(&schema, &report(wrong.clone())).is_empty(), "{wrong}");
    }
}

/// Names of sections, tables and rows.
fn names(value: &Value, into: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        into.insert(name.clone());
        names(value, into);
    }
}
