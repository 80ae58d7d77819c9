//! `detente quotes` as a user sees it: records, table, view, the same facts in each.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;

const ARTICLE: &str = "Talks on the harbour\n\n\
    “We are ready 🕊 to talk,” Premier Anna Lind said on Monday, “and we will bring the maps.”\n\n\
    \"Not one metre will be given up,\" Defence Minister Oskar Brandt told reporters.\n";

fn quotes(arguments: &[&str], path: &Path) -> (String, String) {
    let mut command = Command::cargo_bin("detente").expect("the binary is built by the test run");
    let (folder, name) = (path.parent().unwrap(), path.file_name().unwrap());
    let command = command.current_dir(folder).args(["quotes", "--quotes", "direct"]);
    let output = command.args(arguments).arg(name).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn article() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("harbour.txt");
    std::fs::write(&path, ARTICLE).unwrap();
    (folder, path)
}

#[test]
fn the_record_the_table_and_the_view_tell_the_same() {
    let (_folder, path) = article();
    let cases: [(&str, &[&str]); 3] =
        [("record", &["--format", "jsonl"]), ("table", &["--table", "quotes"]), ("view", &["--format", "table"])];
    for (name, arguments) in cases {
        insta::assert_snapshot!(name, quotes(arguments, &path).0);
    }
}

#[test]
fn offsets_count_in_the_unit_asked_for() {
    let (_folder, path) = article();
    for unit in ["char", "byte", "utf16"] {
        let (out, _) = quotes(&["--offset-unit", unit, "--with-text"], &path);
        let record: Value = serde_json::from_str(&out).unwrap();
        let text = record["text"].as_str().unwrap();
        assert_eq!(text, ARTICLE);
        for part in record["quotes"].as_array().unwrap().iter().flat_map(|q| q["parts"].as_array().unwrap()) {
            let range = part["start"].as_u64().unwrap() as usize..part["end"].as_u64().unwrap() as usize;
            let surface = match unit {
                "byte" => text[range].to_string(),
                "char" => text.chars().skip(range.start).take(range.len()).collect(),
                _ => String::from_utf16(&text.encode_utf16().collect::<Vec<_>>()[range]).unwrap(),
            };
            assert_eq!(surface, part["text"].as_str().unwrap(), "{unit}");
        }
    }
}

#[test]
fn endings_choose_format_and_compression() {
    let (folder, path) = article();
    let (plain, _) = quotes(&["--format", "jsonl"], &path);
    for (name, expected) in
        [("out.jsonl", &plain), ("out.jsonl.zst", &plain), ("out.csv", &quotes(&["--format", "csv"], &path).0)]
    {
        let out = folder.path().join(name);
        let (stdout, stderr) = quotes(&["-o", out.to_str().unwrap()], &path);
        assert_eq!(stdout, "");
        assert!(stderr.starts_with("1 document read, 1 record written, 0 failed\n2 quotes in "), "{stderr}");
        let raw = std::fs::read(&out).unwrap();
        let text = if name.ends_with("zst") { zstd::decode_all(&raw[..]).unwrap() } else { raw };
        assert_eq!(&String::from_utf8(text).unwrap(), expected, "{name}");
    }
}

#[test]
fn quiet_is_quiet() {
    let (_folder, path) = article();
    assert_eq!(quotes(&["--quiet"], &path).1, "");
}
