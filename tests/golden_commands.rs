//! What `classify`, `entities` and `stance` print with the bundled models, word for word. Processors differ in the last
//! digits of a probability, so numbers with a fraction are compared to one decimal; everything else must be the same.
#![cfg(feature = "libtorch")]

use assert_cmd::Command;
use regex::{Captures, Regex};
use std::path::Path;

fn detente(arguments: &[&str], input: Option<&str>) -> String {
    let mut command = Command::cargo_bin("detente").expect("the binary is built by the test run");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    let output = command.write_stdin(input.unwrap_or_default()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    rounded(&String::from_utf8(output.stdout).unwrap())
}

/// Numbers with at least two decimals, to one; the model's hash is left to `detente models list`.
fn rounded(text: &str) -> String {
    let number = Regex::new(r"[-+]?\d+\.\d\d+").unwrap();
    let text = number.replace_all(text, |found: &Captures| {
        let value: f64 = found[0].parse().unwrap();
        let value = format!("{value:.1}");
        if value == "-0.0" { "0.0".to_string() } else { value }
    });
    Regex::new(r#""hash":"[0-9a-f]{16}""#).unwrap().replace_all(&text, r#""hash":"…""#).into_owned()
}

#[test]
fn classify_prints_records_and_tables() {
    let file = "datasets/demo/border-talks.txt";
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).is_file());
    insta::assert_snapshot!("classify_record", detente(&["classify", file, "--format", "jsonl"], None));
    insta::assert_snapshot!("classify_quotes", detente(&["classify", file, "--table", "quotes", "--neutral"], None));
    insta::assert_snapshot!("classify_entities", detente(&["classify", file, "--table", "entities"], None));
}

#[test]
fn entities_tags_pre_split_tokens() {
    // Columns and blank lines stay; the tag is appended.
    let tokens = "-DOCSTART- -X- O\n\nNordian JJ B-MISC\nminister NN O\nMira NNP B-PER\nTovesen NNP I-PER\nleft VBD O\n\
                  Port NNP B-LOC\nSelva NNP I-LOC\n. . O\n\nThe DT O\nEuropean NNP B-ORG\nUnion NNP I-ORG\nwaited VBD O\n. . O\n";
    insta::assert_snapshot!("entities_conll", detente(&["entities", "--input-format", "conll", "-"], Some(tokens)));
}

#[test]
fn stance_keeps_every_field_and_adds_its_own() {
    let rows = "{\"id\": 7, \"quote\": \"We are ready to sit down with them at any time and discuss every proposal,\", \"left\": \"\", \
                \"right\": \"the minister said.\", \"note\": {\"kept\": [1, 2.5]}}\n\
                {\"id\": 8, \"quote\": \"We will never recognise this illegal annexation and will respond with tough sanctions,\", \
                \"right\": \"the president said.\"}\n";
    insta::assert_snapshot!("stance_jsonl", detente(&["stance", "-"], Some(rows)));
    let table = "note;quote;right\na;\"We are ready to sit down with them at any time; we will discuss every proposal,\";the minister said.\n";
    insta::assert_snapshot!("stance_csv", detente(&["stance", "--input-format", "csv", "-"], Some(table)));
}
