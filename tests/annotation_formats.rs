//! Files as the annotation tools write them, good and bad, and the way from `classify` to gold.
//!
//! The samples in `tests/annotation` are written for this project in the shapes that the tools document: Label Studio's
//! task format (<https://labelstud.io/guide/task_format>), doccano's import and export examples
//! (<https://doccano.github.io/doccano/tutorial/>), Prodigy's interfaces
//! (<https://prodi.gy/docs/api-interfaces>), brat's stand-off (<https://brat.nlplab.org/standoff.html>), INCEpTION's
//! WebAnno TSV 3.3 (<https://inception-project.github.io>, user guide), and CoNLL-2003.

use assert_cmd::Command;
use detente::annotation::{Articles, Notes, ReadSettings, read};
use detente::record::Record;
use predicates::str::contains;
use std::path::{Path, PathBuf};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/annotation").join(name)
}

fn read_sample(name: &str, settings: ReadSettings) -> (Vec<Record>, Notes) {
    read(&[sample(name)], &settings).unwrap()
}

/// A record in a line a fact, surfaces sliced out of the text by the offsets.
fn facts(record: &Record) -> Vec<String> {
    let text: Vec<char> = record.text.as_ref().unwrap().chars().collect();
    let words = |span: &detente::record::SpanRecord| {
        let slice: String = text[span.start..span.end].iter().collect();
        assert_eq!(slice, span.text);
        slice
    };
    let mut facts: Vec<String> =
        record.entities.iter().flatten().map(|name| format!("{} {}", name.kind, words(&name.span))).collect();
    for quote in record.quotes.iter().flatten() {
        let parts: Vec<String> = quote.parts.iter().map(words).collect();
        let stance = quote.stance.as_ref().map(|stance| stance.label.as_str()).unwrap_or("-");
        facts.push(format!("{:?} {stance}: {}", quote.kind, parts.join(" | ")));
        facts.push(format!("cue {}", quote.cue.as_ref().map(words).unwrap_or_default()));
        let speaker = quote.speaker.as_ref().unwrap();
        let mention = speaker.mention.as_ref().map(words).unwrap_or_default();
        facts.push(format!("speaker {mention}, {}", speaker.role.as_deref().unwrap_or("-")));
    }
    facts
}

const NAMES: [&str; 3] = ["LOC Lorn", "PER Mira Tovesen", "LOC Nordia"];

fn expected(quote: &'static str, speaker: &'static str) -> Vec<&'static str> {
    NAMES.into_iter().chain([quote, "cue said", speaker]).collect()
}

const TWO_PARTS: &str = "Direct conciliatory: We are ready, | Come and see.";

#[test]
fn label_studios_first_finished_annotation_is_read() {
    let (records, notes) = read_sample("label_studio.json", ReadSettings::default());
    assert_eq!(records.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["talks"]);
    assert_eq!(records[0].title.as_deref(), Some("Talks"));
    assert_eq!(facts(&records[0]), expected(TWO_PARTS, "speaker Mira Tovesen, Foreign Minister"));
    assert_eq!(notes.problems, []);
    assert!(
        notes.remarks[0].ends_with("1 documents, offsets count UTF-16 units, 7 of 7 words stand where it says"),
        "{:?}",
        notes.remarks
    );
    let left_out: Vec<&String> = notes.left_out.keys().collect();
    assert_eq!(
        left_out,
        [
            "a further annotation of a task (choose one with --annotator)",
            "a document with nothing but a prediction (--predictions reads it)"
        ]
    );
}

#[test]
fn label_studios_annotators_can_be_told_apart() {
    let stance = |annotator: &str| {
        let settings = ReadSettings { annotator: Some(annotator.into()), ..ReadSettings::default() };
        let (records, _) = read_sample("label_studio.json", settings);
        records[0].quotes.as_ref().unwrap()[0].stance.as_ref().unwrap().label.as_str()
    };
    assert_eq!((stance("1"), stance("2")), ("conciliatory", "firm"));
}

#[test]
fn label_studios_predictions_are_read_when_asked_for() {
    let settings = ReadSettings { predictions: true, ..ReadSettings::default() };
    let (records, _) = read_sample("label_studio.json", settings);
    assert_eq!(facts(&records[1]), ["LOC Nordia"]);
    assert_eq!(records[1].entities.as_ref().unwrap()[0].score, Some(0.91));
    assert_eq!(records[1].models.len(), 1, "a model made it");
}

#[test]
fn doccanos_relations_join_quotes() {
    let (records, notes) = read_sample("doccano_relations.jsonl", ReadSettings::default());
    assert_eq!(facts(&records[0]), expected(TWO_PARTS, "speaker Mira Tovesen, -"));
    assert_eq!((records[0].id.as_str(), notes.problems.len(), notes.left_out.len()), ("talks", 0, 0));
}

#[test]
fn doccanos_old_utf16_offsets_are_told_by_the_edges_of_words() {
    let (records, notes) = read_sample("doccano_labels.jsonl", ReadSettings::default());
    assert_eq!(facts(&records[0]), NAMES);
    assert!(notes.remarks[0].contains("offsets count UTF-16 units"), "{:?}", notes.remarks);
    assert_eq!(notes.left_out.keys().collect::<Vec<_>>(), ["doccano's comments"]);
    assert_eq!(records[1].id, "2");
}

#[test]
fn prodigys_accepted_tasks_are_read() {
    let (records, notes) = read_sample("prodigy.jsonl", ReadSettings::default());
    assert_eq!(records.len(), 1);
    assert_eq!(facts(&records[0]), expected(TWO_PARTS, "speaker Mira Tovesen, -"));
    assert_eq!(notes.problems, []);
    assert_eq!(
        notes.left_out.keys().collect::<Vec<_>>(),
        [
            "a task with the answer `ignore`",
            "a task that nobody has answered (--predictions reads it)",
            "a further version of a document (choose one with --annotator)"
        ]
    );
    let settings = ReadSettings { annotator: Some("gold-bo".into()), ..ReadSettings::default() };
    assert_eq!(facts(&read_sample("prodigy.jsonl", settings).0[0]), NAMES);
}

#[test]
fn brats_discontinuous_spans_attributes_and_notes_are_read() {
    let (records, notes) = read_sample("brat", ReadSettings::default());
    assert_eq!(facts(&records[0]), expected(TWO_PARTS, "speaker Mira Tovesen, Foreign Minister"));
    assert_eq!(notes.problems, []);
    assert_eq!(
        notes.left_out.keys().collect::<Vec<_>>(),
        ["a note of an annotator", "brat's normalizations and equivalences"]
    );
}

#[test]
fn what_brat_is_given_the_reader_of_attributions_understands_too() {
    let text = "“Né,\r\nnever”, Ann said.";
    let record: Record = serde_json::from_value(serde_json::json!({
        "schema": "detente.record/1", "id": "x", "text": text,
        "quotes": [{"kind": "direct", "parts": [{"start": 1, "end": 11, "text": "Né,\r\nnever"}],
                    "cue": {"start": 18, "end": 22, "text": "said"}, "speaker": null}],
    }))
    .unwrap();
    let settings =
        detente::annotation::WriteSettings { format: detente::annotation::Format::Brat, unit: None, delimiter: b',' };
    let mut notes = Notes::default();
    let detente::annotation::Written::Folder(files) =
        detente::annotation::write(&[record], &settings, &mut notes).unwrap()
    else {
        panic!("brat is a folder")
    };
    let ann = String::from_utf8(files[1].1.clone()).unwrap();
    assert_eq!(ann.lines().next(), Some("T1\tquote 1 4;6 11\tNé, never"));
    let spans = detente::io::brat::parse(text, &ann).unwrap().spans;
    assert_eq!(spans["T2"].parts[0].of(text), "said");
}

#[test]
fn inceptions_export_is_read_from_its_folder() {
    let (records, notes) = read_sample("inception", ReadSettings::default());
    assert_eq!(records[0].id, "talks");
    assert_eq!(facts(&records[0]), expected("Direct conciliatory: We are ready,", "speaker Mira Tovesen, -"));
    assert_eq!(notes.problems, []);
    assert_eq!(notes.left_out.keys().collect::<Vec<_>>(), ["the layer POS"]);
}

#[test]
fn conll_makes_a_text_of_its_tokens() {
    let (records, notes) = read_sample("names.conll", ReadSettings::default());
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].text.as_deref(), Some("Talks in Lorn\nMira Tovesen of Nordia .\n"));
    assert_eq!(facts(&records[0]), NAMES);
    assert_eq!((records[1].id.as_str(), notes.problems.len()), ("names#2", 0));
}

#[test]
fn a_table_of_others_is_read_with_its_articles() {
    let articles = Articles::read(vec![sample("articles.jsonl")]).unwrap();
    let (records, notes) = read_sample("spans.csv", ReadSettings { articles, ..ReadSettings::default() });
    assert_eq!(facts(&records[0]), NAMES);
    assert!(notes.remarks[0].contains("offsets count bytes, 3 of 3 words"), "{:?}", notes.remarks);
    let (records, notes) = read_sample("spans.csv", ReadSettings::default());
    assert_eq!((records.len(), notes.problems.len()), (0, 1));
}

/// A file and what is said of it, without its folder.
fn problems(name: &str, content: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, content).unwrap();
    std::fs::write(folder.path().join("a.txt"), "Nordia won.").unwrap();
    let (_, notes) = read(&[file], &ReadSettings::default()).unwrap();
    let place = format!("{}/", folder.path().display());
    notes.problems.iter().map(|problem| problem.to_string().replace(&place, "")).collect()
}

const TSV: &str = "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|value\n\n\n#Text=Nordia won.\n";

#[test]
fn broken_files_are_told_with_their_place() {
    let task = |result: &str| {
        format!("[{{\"data\": {{\"text\": \"Nordia won.\"}}, \"annotations\": [{{\"result\": {result}}}]}}]")
    };
    let region = |value: &str| task(&format!("[{{\"id\": \"r\", \"type\": \"labels\", \"value\": {value}}}]"));
    let doccano = |label: &str| format!("{{\"text\": \"Nordia won.\", \"label\": {label}}}\n");
    let cases: Vec<(&str, String, &str)> = vec![
        ("a.json", String::new(), "a.json: there is nothing in it"),
        ("a.jsonl", String::new(), "a.jsonl: there is nothing in it"),
        ("a.json", "[{\"data\": {\"text\": \"No".into(), "a.json:1: "),
        ("a.json", "[{\"text\": \"No\", \"label\": \"PER\"}]".into(), "a.json: its format cannot be told (name it with --from)"),
        ("a.bin", "x".into(), "a.bin: its format cannot be told (name it with --from)"),
        ("a.json", task("{}"), "a.json:1: `result` is an object, not a list"),
        ("a.json", region("{\"start\": \"0\", \"end\": 6, \"labels\": [\"LOC\"]}"), "a.json:1: the region `r` has no numbers"),
        ("a.json", region("{\"start\": -1, \"end\": 6, \"labels\": [\"LOC\"]}"), "a.json:1: the region `r` has no numbers"),
        ("a.json", region("{\"start\": 0, \"end\": 6, \"labels\": []}"), "a.json:1: the region `r` has no label"),
        (
            "a.json",
            region("{\"start\": 0, \"end\": 99, \"labels\": [\"LOC\"]}"),
            "a.json:1: 0-99: there is no such span in the text, which has 11 UTF-16 units",
        ),
        (
            "a.json",
            region("{\"start\": 1, \"end\": 7, \"text\": \"Nordia\", \"labels\": [\"LOC\"]}"),
            "a.json:1: 1-7: the text has other words there; they stand at 0-6: expected \"Nordia\", found \"ordia \"",
        ),
        (
            "a.json",
            task("[{\"type\": \"relation\", \"from_id\": \"a\", \"to_id\": \"b\", \"labels\": [\"cue\"]}]"),
            "a.json:1: the relation `cue` names `a`, which is no span of this document",
        ),
        ("a.jsonl", doccano("7"), "a.jsonl: its format cannot be told"),
        ("a.jsonl", doccano("[]") + &doccano("7"), "a.jsonl:2: `label` is a number, not a list of [start, end, label]"),
        ("a.jsonl", doccano("[[0, \"6\", \"LOC\"]]"), "a.jsonl:1: [0,\"6\",\"LOC\"] is no span"),
        ("a.jsonl", doccano("[[6, 6, \"LOC\"]]"), "a.jsonl:1: 6-6: there is no such span"),
        ("a.jsonl", doccano("[]") + "{\"text\": \"cut", "a.jsonl:2: not valid JSON"),
        ("a.jsonl", doccano("[]") + "{\"label\": []}", "a.jsonl:2: no field `text`"),
        (
            "a.jsonl",
            doccano("[[0, 6, \"quote:direct:hostile\"]]"),
            "a.jsonl: 0-6: `hostile` in the label `quote:direct:hostile` is no kind and no stance",
        ),
        (
            "a.jsonl",
            "{\"text\": \"Nordia won.\", \"answer\": \"accept\", \"spans\": [{\"start\": 0}]}".into(),
            "a.jsonl:1: {\"start\":0} has no numbers `start` and `end`, or no label",
        ),
        (
            "a.jsonl",
            "{\"text\": \"Nordia won.\", \"answer\": \"accept\", \"spans\": [], \"relations\": [{\"head\": 0, \"child\": 9, \"label\": \"cue\"}]}".into(),
            "a.jsonl:1: a relation whose head or child is no labelled span",
        ),
        ("a.ann", "T1\tLOC 0 6\tNordia\nnonsense\nT2\tLOC x y\tb\n".into(), "a.ann:3: `x y` are no pairs of offsets"),
        ("a.ann", "R1\tcue Arg1:T1\n".into(), "a.ann:1: a relation needs Arg1 and Arg2"),
        ("a.ann", "T1\tLOC 0 6\tNordia\nA1\tkind T9 direct\n".into(), "a.ann:2: the attribute `kind` names `T9`, which is no span"),
        ("a.ann", "T1\tquote 0 6\tNordia\nA1\tstance T1 hostile\n".into(), "a.ann: 0-6: `hostile` is no stance; it may be conciliatory, firm, neutral"),
        ("a.ann", "T1\tLOC 0 3;7 10\tNor won\n".into(), "a.ann: 0-10: a name in several parts (LOC) has no place in a record"),
        ("a.ann", "what\n".into(), "a.ann:1: no brat annotation"),
        ("b.ann", "T1\tLOC 0 6\tNordia\n".into(), "b.ann: cannot be opened: no such file or directory"),
        ("a.tsv", format!("{TSV}1-1\t0-6\tNordia\tLOC\t\n1-2\t7-x\twon\t_\t\n"), "a.tsv:7: `7-x` is no pair of offsets"),
        ("a.tsv", format!("{TSV}1-1\t0-6\tNordia\n"), "a.tsv:6: 3 columns, but the header declares 4"),
        ("a.tsv", format!("{TSV}1-1\t0-6\tTashvar\tLOC\t\n"), "a.tsv:6: 0-6: the text has other words there: expected \"Tashvar\", found \"Nordia\""),
        ("a.conll", "Nordia B-LOC\nwon\n".into(), "a.conll:2: a token without a tag"),
        ("a.csv", "doc,label\na,LOC\n".into(), "a.csv:1: no column `start`"),
        ("a.csv", "doc,start,end,label\na,0,6,LOC\n".into(), "a.csv:2: the table does not hold the article"),
        ("a.jsonl", "{\"schema\": \"detente.record/1\", \"id\": \"a\"}".into(), "a.jsonl:1: the record holds no text"),
        ("a.jsonl", "{\"schema\": \"detente.record/1\", \"id\": 7}".into(), "a.jsonl:1: this is no record"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, content, expected)| {
            let said = problems(name, content);
            let fits = said.iter().any(|problem| problem.starts_with(expected));
            (!fits).then(|| format!("{name} {content:?}\n  expected {expected}\n  said {said:#?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn detente() -> Command {
    Command::cargo_bin("detente").expect("the binary is built by the test run")
}

/// What `classify --with-text` would write of one article.
const FOUND: &str = r#"{"schema": "detente.record/1", "id": "a", "title": "Talks", "text": "“We are ready,” Ann said. “Not yet,” said Bo.", "entities": [{"type": "PER", "start": 16, "end": 19, "text": "Ann", "score": 0.9}], "quotes": [{"kind": "direct", "parts": [{"start": 1, "end": 14, "text": "We are ready,"}], "cue": {"start": 20, "end": 24, "text": "said"}, "speaker": {"mention": {"start": 16, "end": 19, "text": "Ann"}, "name": "Ann", "evidence": "exact"}, "confidence": 0.9, "stance": {"label": "conciliatory", "score": 0.3, "conciliatory": 0.5, "firm": 0.2, "neutral": 0.3}}, {"kind": "direct", "parts": [{"start": 27, "end": 35, "text": "Not yet,"}], "cue": null, "speaker": null, "no_speaker": "no_attribution", "confidence": 0.8, "stance": {"label": "firm", "score": -0.4, "conciliatory": 0.1, "firm": 0.5, "neutral": 0.4}}], "models": [{"name": "stance", "hash": "00"}]}
"#;

#[test]
fn from_classify_to_the_tool_and_back_as_gold() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("found.jsonl"), FOUND).unwrap();
    let convert = |arguments: &[&str]| {
        let mut command = detente();
        command.current_dir(folder.path()).arg("convert").args(arguments);
        command.assert()
    };
    convert(&["found.jsonl", "--to", "label-studio", "-o", "tasks.json", "--setup", "labels.xml"])
        .success()
        .stderr(contains("left out: the probabilities of a stance (the label stays): 2 times, first in a"))
        .stderr(contains("1 documents, 1 names, 2 quotes; 0 things did not fit"));
    let labels = std::fs::read_to_string(path("labels.xml")).unwrap();
    assert!(
        labels.contains("<Label value=\"quote\"/>") && labels.contains("<Choice value=\"conciliatory\"/>"),
        "{labels}"
    );
    // Nobody has looked at it yet.
    convert(&["tasks.json", "--to", "records"]).success().stdout("");
    // Two people correct it: the second finds the first quote firm.
    let corrected = std::fs::read_to_string(path("tasks.json")).unwrap().replace("predictions", "annotations");
    std::fs::write(path("one.json"), &corrected).unwrap();
    std::fs::write(path("two.json"), corrected.replace("\"conciliatory\"", "\"firm\"")).unwrap();
    for who in ["one", "two"] {
        let (json, jsonl, csv) = (format!("{who}.json"), format!("{who}.jsonl"), format!("{who}.csv"));
        convert(&[&json, "--to", "records", "-o", &jsonl]).success();
        convert(&[&json, "--to", "csv", "--only", "quotes", "-o", &csv]).success();
    }
    detente()
        .current_dir(folder.path())
        .args(["evaluate", "stance", "--gold", "two.jsonl", "--pred", "found.jsonl", "--resamples", "10"])
        .assert()
        .success()
        .stdout(contains("0.500"));
    detente()
        .current_dir(folder.path())
        .args(["agree", "one.csv", "two.csv", "--resamples", "10"])
        .assert()
        .success()
        .stdout(contains("2"));
}

#[test]
fn what_does_not_fit_is_listed_and_ends_with_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let row = "{\"text\": \"Nordia won.\", \"label\": [[0, 6, \"LOC\"], [7, 99, \"LOC\"]]}\n";
    std::fs::write(folder.path().join("a.jsonl"), row).unwrap();
    let mut command = detente();
    command.current_dir(folder.path()).args(["convert", "a.jsonl", "--to", "conll", "--problems", "p.jsonl"]);
    command
        .assert()
        .code(1)
        .stdout(contains("Nordia\tB-LOC"))
        .stderr(contains("a.jsonl:1: 7-99: there is no such span"));
    let listed = std::fs::read_to_string(folder.path().join("p.jsonl")).unwrap();
    let listed: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    assert_eq!((listed["row"].as_u64(), listed["span"].to_string().as_str()), (Some(1), "[7,99]"));
}

#[test]
fn a_folder_with_somebodys_work_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("found.jsonl"), FOUND).unwrap();
    let convert = || {
        let mut command = detente();
        command.current_dir(folder.path()).args(["convert", "found.jsonl", "--to", "brat", "-o", "brat"]);
        command.assert()
    };
    convert().success();
    convert().code(2).stderr(contains("there is such a file already"));
}

#[test]
fn wrong_usage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("found.jsonl"), FOUND).unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["nowhere.json", "--to", "csv"], "no such file or folder"),
        (&["found.jsonl", "--to", "brat"], "brat is a folder of files"),
        (
            &["found.jsonl", "--to", "webanno", "-o", "x", "--offset-unit", "char"],
            "WebAnno TSV does not count characters",
        ),
        (&["found.jsonl", "--to", "csv", "--setup", "x"], "CSV needs no set-up file"),
    ];
    for (arguments, said) in cases {
        detente().current_dir(folder.path()).arg("convert").args(arguments).assert().code(2).stderr(contains(said));
    }
}
