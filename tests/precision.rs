//! bf16 is an approximation: how often it changes an answer, on the articles of `datasets/wire`.
#![cfg(feature = "libtorch")]

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn records(precision: &str) -> Vec<Value> {
    let mut command = Command::cargo_bin("detente").expect("the binary is built by the test run");
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/wire"));
    let output =
        command.args(["classify", "wire.jsonl", "--format", "jsonl", "--precision", precision]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What is compared, one text each: where it stands and what it is called.
fn answers(records: &[Value], list: &str, describe: impl Fn(&Value) -> String) -> BTreeSet<String> {
    let of_record = |record: &Value| -> Vec<String> {
        let all = record[list].as_array().unwrap();
        all.iter().map(|item| format!("{} {}", record["id"], describe(item))).collect()
    };
    records.iter().flat_map(of_record).collect()
}

/// Shared answers of all answers (Jaccard's index).
fn agreement(name: &str, a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let shared = a.intersection(b).count();
    let all = a.union(b).count();
    println!("{name}: {shared} of {all} answers are the same in f32 and bf16");
    shared as f64 / all as f64
}

#[test]
fn bf16_gives_nearly_the_same_answers() {
    let (f32, bf16) = (records("f32"), records("bf16"));
    let entity = |e: &Value| format!("{} {} {}", e["start"], e["end"], e["type"]);
    let quote = |q: &Value| format!("{} {} {}", q["parts"], q["kind"], q["speaker"]["name"]);
    let stance = |q: &Value| format!("{} {}", q["parts"], q["stance"]["label"]);
    let compare = |name, list, describe: &dyn Fn(&Value) -> String| {
        agreement(name, &answers(&f32, list, describe), &answers(&bf16, list, describe))
    };
    assert!(compare("entities", "entities", &entity) > 0.97);
    assert!(compare("quotes and speakers", "quotes", &quote) > 0.93);
    assert!(compare("quotes and stance", "quotes", &stance) > 0.93);
}
