//! `stance` on rows and `entities` on CoNLL columns: what comes in comes out as it was, with the answer beside it.

mod hash_encoder;
mod tiny_tokenizers;

use detente::entities::EntityTagger;
use detente::io::output::Output;
use detente::io::read::ReadOptions;
use detente::pipeline::{BATCH_TOKENS, columns, rows};
use detente::stance::StanceReader;
use detente::tokens::Tokens;
use hash_encoder::encoder;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::Path;

fn model_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"model_type": "bert", "max_position_embeddings": 64, "type_vocab_size": 2});
    tiny_tokenizers::write(folder.path(), &tiny_tokenizers::word_piece(), &config);
    folder
}

/// The rows written, and what was said of those that failed, without the folder's name.
fn stance(name: &str, rows: &str, quote_field: &str) -> (String, rows::RowCounts, Vec<String>) {
    let folder = model_folder();
    let labels = ["conciliatory", "firm", "neutral"];
    let reader = StanceReader::load(folder.path(), encoder(&labels, false)).unwrap();
    let (path, out) = (folder.path().join(name), folder.path().join("out"));
    std::fs::write(&path, rows).unwrap();
    let failures = RefCell::new(Vec::new());
    let place = format!("{}/", folder.path().display());
    let on_failure = |error: &detente::error::Error| failures.borrow_mut().push(error.to_string().replace(&place, ""));
    let task = rows::StanceRows { reader: &reader, quote_field, batch_tokens: BATCH_TOKENS, on_failure: &on_failure };
    let mut output = Output::file(&out).unwrap();
    let counts = task.run(&path, &ReadOptions::default(), &mut output).unwrap();
    output.finish().unwrap();
    (std::fs::read_to_string(out).unwrap(), counts, failures.into_inner())
}

#[test]
fn json_rows_keep_their_fields_and_get_a_stance() {
    let rows = "{\"z\": 1.50, \"quote\": \"We can talk.\", \"a\": [1]}\n{\"quote\": 7}\nno row\n{\"quote\": \"Never!\", \"speaker\": \"Lind\"}\n";
    let (written, counts, failures) = stance("rows.jsonl", rows, "quote");
    let written: Vec<Value> = written.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((counts.read, counts.written, counts.failed), (4, 4, 2));
    let keys: Vec<&String> = written[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["z", "quote", "a", "stance"]);
    for row in [&written[0], &written[3]] {
        let number = |name: &str| row["stance"][name].as_f64().unwrap();
        assert!((number("conciliatory") + number("firm") + number("neutral") - 1.0).abs() < 1e-9);
        assert!((number("conciliatory") - number("firm") - number("score")).abs() < 1e-9);
        let label = if number("firm") > number("conciliatory") { "firm" } else { "conciliatory" };
        assert_eq!(row["stance"]["label"], label);
    }
    assert_eq!((&written[1]["quote"], &written[1]["stance"]), (&json!(7), &Value::Null));
    assert_eq!(
        failures,
        ["rows.jsonl:2: `quote` is a number, not text", "rows.jsonl:3: not valid JSON: expected ident in column 2"]
    );
    assert_eq!(written[2]["error"]["kind"], "document");
}

#[test]
fn tables_keep_their_columns_and_get_five() {
    let rows = "id;said;stance_label\n1;\"We can; talk.\";old\n2;;\n3;Never!;old\n";
    let (written, counts, failures) = stance("rows.csv", rows, "said");
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "id;said;stance_label;stance_score;stance_conciliatory;stance_firm;stance_neutral");
    assert!(lines[1].starts_with("1;\"We can; talk.\";") && !lines[1].contains("old"), "{}", lines[1]);
    assert_eq!(lines[2], "2;;;;;;");
    assert_eq!((lines.len(), counts.read, counts.written, counts.failed), (4, 3, 3, 1));
    assert_eq!(failures, ["rows.csv:3: the quote is empty"]);
}

#[test]
fn many_rows_keep_their_order() {
    let rows: String =
        (0..3000).map(|i| format!("{{\"id\": {i}, \"quote\": \"We can talk {}.\"}}\n", i % 50)).collect();
    let (written, counts, _) = stance("rows.jsonl", &rows, "quote");
    assert_eq!(counts.written, 3000);
    let written: Vec<Value> = written.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    for (i, row) in written.iter().enumerate() {
        assert_eq!(row["id"], i);
        assert_eq!(row["stance"], written[i % 50]["stance"], "the same quote has the same stance");
    }
}

fn tag(path: &Path, tagger: &EntityTagger) -> String {
    let out = path.with_extension("out");
    let mut output = Output::file(&out).unwrap();
    columns::tag(path, &ReadOptions::default(), tagger, &mut output).unwrap();
    output.finish().unwrap();
    std::fs::read_to_string(out).unwrap()
}

#[test]
fn columns_get_one_more_and_blank_lines_stay() {
    let folder = model_folder();
    let tags = encoder(&["O", "B-PER", "I-PER", "B-LOC", "I-LOC"], true);
    let tagger = EntityTagger::new(Tokens::from_folder(folder.path()).unwrap(), tags).unwrap();
    let sentence = "Envoys\tX\nmet\tY\nin\tZ\nPort\tX\nLavel\tX\n\n";
    let conll = ["-DOCSTART-\tX\n\n", &sentence.repeat(300), "-DOCSTART-\tX\n\n\n", sentence].concat();
    let path = folder.path().join("tokens.conll");
    std::fs::write(&path, &conll).unwrap();
    let tagged = tag(&path, &tagger);
    assert_eq!(tagged.lines().count(), conll.lines().count());
    let valid = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"];
    let mut found = 0;
    for (was, is) in conll.lines().zip(tagged.lines()) {
        match is.strip_prefix(was) {
            Some("") => assert!(was.is_empty() || was.starts_with("-DOCSTART-"), "{was}"),
            Some(tag) => {
                assert!(valid.contains(&tag.trim_start_matches('\t')), "{is}");
                found += usize::from(!tag.ends_with('O'));
            }
            None => panic!("{was:?} became {is:?}"),
        }
    }
    assert!(found > 0);
}
