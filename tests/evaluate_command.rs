//! `detente evaluate` as a user calls it.

use assert_cmd::Command;
use predicates::str::contains;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn evaluate(&self, task: &str, gold: &str, pred: &str) -> Command {
        let mut command = Command::cargo_bin("detente").unwrap();
        command.args(["evaluate", task, "--gold"]).arg(self.path(gold)).arg("--pred").arg(self.path(pred));
        command
    }

    /// The JSON report of an evaluation.
    fn report(&self, mut command: Command) -> serde_json::Value {
        let path = self.path("report.json");
        command.arg("--report").arg(&path).assert().success();
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }
}

const GOLD: &str = r#"{"id": "a", "quote": "q", "label": "c", "doc": "1", "sure": [1, 1]}
{"id": "b", "quote": "q", "label": "f", "doc": "1", "sure": [1, 0]}
{"id": "c", "quote": "q", "label": "n", "doc": "2", "sure": [1, 1]}
{"id": "d", "quote": "q", "label": "f", "doc": "3", "sure": [1, 1]}
"#;

/// As `detente stance` writes them: the gold label is still there, the prediction stands in `stance`.
const PREDICTED: &str = r#"{"id": "d", "label": "f", "stance": {"label": "neutral", "score": -0.1, "conciliatory": 0.2, "firm": 0.3, "neutral": 0.5}}
{"id": "a", "label": "c", "stance": {"label": "conciliatory", "score": 0.8, "conciliatory": 0.9, "firm": 0.1, "neutral": 0.0}}
{"id": "b", "label": "f", "stance": {"label": "conciliatory", "score": 0.1, "conciliatory": 0.5, "firm": 0.4, "neutral": 0.1}}
{"id": "x", "label": "f", "stance": {"label": "firm", "score": -1.0, "conciliatory": 0.0, "firm": 1.0, "neutral": 0.0}}
"#;

#[test]
fn stance_rows_meet_by_id_and_the_prediction_is_not_the_gold_label() {
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("pred.jsonl", PREDICTED)]);
    let report = folder.report(folder.evaluate("stance", "gold.jsonl", "pred.jsonl"));
    let value =
        |section: &str, row: &str| report["sections"][section]["scores"][row]["model"]["value"].as_f64().unwrap();
    assert!((value("three_way", "accuracy") - 1.0 / 3.0).abs() < 1e-12);
    // Two-way: a conciliatory right, b wrong, d firm since 0.3 is more than 0.2.
    assert!((value("two_way", "accuracy") - 2.0 / 3.0).abs() < 1e-12);
    assert!((value("two_way_sure", "accuracy") - 1.0).abs() < 1e-12);
    assert_eq!(report["lists"]["gold without prediction"], serde_json::json!(["c"]));
    assert_eq!(report["lists"]["prediction without gold"], serde_json::json!(["x"]));
}

#[test]
fn csv_columns_and_json_objects_give_the_same_figures() {
    let csv = "id,stance_label,stance_score,stance_conciliatory,stance_firm,stance_neutral\n\
               d,neutral,-0.1,0.2,0.3,0.5\na,conciliatory,0.8,0.9,0.1,0.0\nb,conciliatory,0.1,0.5,0.4,0.1\nx,firm,-1,0,1,0\n";
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("pred.jsonl", PREDICTED), ("pred.csv", csv)]);
    let from_json = folder.report(folder.evaluate("stance", "gold.jsonl", "pred.jsonl"));
    let from_csv = folder.report(folder.evaluate("stance", "gold.jsonl", "pred.csv"));
    assert_eq!(from_json["sections"], from_csv["sections"]);
}

#[test]
fn degenerate_stance_files_give_a_sentence_and_no_panic() {
    let not_a_number = r#"{"id": "a", "stance": {"label": "c", "conciliatory": null, "firm": "NaN", "neutral": -1}}"#;
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("empty.jsonl", ""), ("nan.jsonl", not_a_number)]);
    folder.evaluate("stance", "gold.jsonl", "empty.jsonl").assert().success().stdout(contains("nothing is defined"));
    folder.evaluate("stance", "empty.jsonl", "empty.jsonl").assert().success().stdout(contains("nothing is defined"));
    folder.evaluate("stance", "gold.jsonl", "nan.jsonl").assert().success().stdout(contains("only their labels count"));
}

#[test]
fn an_unreadable_row_is_named_with_its_line() {
    let bad_label = format!("{GOLD}{{\"id\": \"e\", \"label\": \"hostile\"}}\n");
    let torn = format!("{GOLD}{{\"id\": \"e\", \"lab");
    let twice = format!("{GOLD}{GOLD}");
    let folder = Folder::new(&[
        ("bad.jsonl", &bad_label),
        ("torn.jsonl", &torn),
        ("twice.jsonl", &twice),
        ("pred.jsonl", PREDICTED),
    ]);
    let fails = |gold: &str, message: &str| {
        folder.evaluate("stance", gold, "pred.jsonl").assert().code(1).stderr(contains(message.to_string()));
    };
    fails("bad.jsonl", "bad.jsonl:5: `hostile` is no stance label");
    fails("torn.jsonl", "torn.jsonl:5: this row is no JSON object");
    fails("twice.jsonl", "the id `a` occurs twice in the gold");
    fails("missing.jsonl", "missing.jsonl");
}

#[test]
fn a_report_in_an_unknown_format_is_wrong_usage() {
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("pred.jsonl", PREDICTED)]);
    folder.evaluate("stance", "gold.jsonl", "pred.jsonl").args(["--report", "x.docx"]).assert().code(2);
}

#[test]
fn entity_types_of_other_data_sets_are_scored_under_one_name() {
    let gold = "Putin\tB-person\nvisited\tO\nNew\tB-LOC\nYork\tI-LOC\n\nThe\tO\nFed\tB-Organization\nMay\tB-Date\n";
    let predicted =
        "Putin\tx\tB-PER\nvisited\tx\tO\nNew\tx\tB-GPE\nYork\tx\tI-GPE\n\nThe\tx\tO\nFed\tx\tI-ORG\nMay\tx\tO\n";
    let folder = Folder::new(&[("gold.txt", gold), ("pred.txt", predicted)]);
    let mut command = folder.evaluate("entities", "gold.txt", "pred.txt");
    command.args(["--map", "Date=O"]);
    let report = folder.report(command);
    let f1 = |section: &str| report["sections"][section]["scores"]["micro"]["f1"]["value"].as_f64().unwrap();
    assert!((f1("strict") - 0.8).abs() < 1e-12, "the I-ORG that opens nothing is passed over");
    assert!((f1("conlleval") - 1.0).abs() < 1e-12, "conlleval lets it open a span");
}

#[test]
fn files_with_other_words_are_refused_with_both_lines() {
    let folder = Folder::new(&[("gold.txt", "A O\nB O\n"), ("pred.txt", "A O\nC O\n"), ("short.txt", "A O\n")]);
    let fails = |pred: &str, message: &str| {
        folder.evaluate("entities", "gold.txt", pred).assert().code(1).stderr(contains(message.to_string()));
    };
    fails("pred.txt", "gold has `B` in line 2 where the predictions have `C` in line 2");
    fails("short.txt", "the sentence's end");
}

const RECORD: &str = r#"{"schema": "detente.record/1", "id": "1", "text": "“We agree,” said Mira Osk, “but later.” Osk warned that time runs out.", "entities": [{"type": "PER", "start": 17, "end": 25, "text": "Mira Osk"}, {"type": "PER", "start": 40, "end": 43, "text": "Osk"}], "quotes": [{"kind": "direct", "parts": [{"start": 1, "end": 10, "text": "We agree,"}, {"start": 28, "end": 38, "text": "but later."}], "cue": {"start": 12, "end": 16, "text": "said"}, "speaker": {"mention": {"start": 17, "end": 25, "text": "Mira Osk"}, "name": "Mira Osk", "evidence": "exact"}, "stance": {"label": "conciliatory"}}, {"kind": "indirect", "parts": [{"start": 51, "end": 70, "text": "that time runs out."}], "cue": {"start": 44, "end": 50, "text": "warned"}, "speaker": {"mention": {"start": 40, "end": 43, "text": "Osk"}, "name": "Mira Osk", "evidence": "short_name"}, "stance": {"label": "firm"}}]}"#;

#[test]
fn records_that_agree_are_perfect_in_every_task() {
    let folder = Folder::new(&[("gold.jsonl", RECORD)]);
    let entities = folder.report(folder.evaluate("entities", "gold.jsonl", "gold.jsonl"));
    assert_eq!(entities["sections"]["strict"]["scores"]["micro"]["f1"]["value"], 1.0);
    let quotes = folder.report(folder.evaluate("quotes", "gold.jsonl", "gold.jsonl"));
    for row in ["content_exact", "cue_overlap", "source_exact", "attribution_exact"] {
        assert_eq!(quotes["sections"]["spans"]["scores"][row]["f1"]["value"], 1.0, "{row}");
    }
    assert_eq!(quotes["sections"]["speakers"]["accuracy"]["speaker_name"]["accuracy"]["value"], 1.0);
    assert_eq!(quotes["sections"]["gender_gap_tracker"]["coverage"]["0.8"]["f1"]["value"], 1.0);
    let stance = folder.report(folder.evaluate("stance", "gold.jsonl", "gold.jsonl"));
    assert_eq!(stance["sections"]["three_way"]["scores"]["accuracy"]["model"]["value"], 1.0);
}

#[test]
fn a_document_without_prediction_counts_as_not_found() {
    let other = RECORD.replace("\"id\": \"1\"", "\"id\": \"2\"");
    let gold = format!("{RECORD}\n{other}\n");
    let folder = Folder::new(&[("gold.jsonl", &gold), ("pred.jsonl", RECORD)]);
    let quotes = folder.report(folder.evaluate("quotes", "gold.jsonl", "pred.jsonl"));
    assert_eq!(quotes["sections"]["spans"]["scores"]["content_overlap"]["recall"]["value"], 0.5);
    assert_eq!(quotes["sections"]["spans"]["scores"]["content_overlap"]["precision"]["value"], 1.0);
    assert_eq!(quotes["lists"]["gold documents without prediction (all in them counts as not found)"][0], "2");
}

#[test]
fn predicted_offsets_in_another_unit_are_converted_through_the_text() {
    let bytes = r#"{"schema": "detente.record/1", "id": "1", "offset_unit": "byte", "entities": [{"type": "PER", "start": 21, "end": 29, "text": "Mira Osk"}], "quotes": []}"#;
    let folder = Folder::new(&[("gold.jsonl", RECORD), ("pred.jsonl", bytes)]);
    let report = folder.report(folder.evaluate("entities", "gold.jsonl", "pred.jsonl"));
    assert_eq!(report["sections"]["strict"]["scores"]["micro"]["precision"]["value"], 1.0);
    assert!(report["lists"].as_object().unwrap().is_empty(), "{}", report["lists"]);
}

#[test]
fn labels_that_leave_neutral_out_are_scored_by_probability() {
    let row = |id: &str, label: &str, probabilities: &str| {
        format!(r#"{{"id": "{id}", "stance": {{"label": "{label}", {probabilities}}}}}"#)
    };
    let predicted = [
        row("a", "conciliatory", r#""conciliatory": 0.8, "firm": 0.1, "neutral": 0.1"#),
        row("b", "firm", r#""conciliatory": 0.1, "firm": 0.8, "neutral": 0.1"#),
        row("c", "firm", r#""conciliatory": 0.1, "firm": 0.2, "neutral": 0.7"#),
        row("d", "firm", r#""conciliatory": 0.1, "firm": 0.8, "neutral": 0.1"#),
    ];
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("pred.jsonl", &predicted.join("\n"))]);
    let report = folder.report(folder.evaluate("stance", "gold.jsonl", "pred.jsonl"));
    assert_eq!(report["sections"]["three_way"]["scores"]["accuracy"]["model"]["value"], 1.0);
    assert!(report["protocol"]["three-way"].as_str().unwrap().contains("leave neutral out"));
    assert_eq!(report["sections"]["probabilities"]["scores"]["roc_auc_firm"]["model"]["value"], 1.0);
}

#[test]
fn entities_seen_in_training_are_told_from_new_ones() {
    let train = "Osk\tB-PER\n\nDrun\tB-ORG\n";
    let gold = "Osk\tB-PER\nDrun\tB-LOC\nLorn\tB-LOC\n";
    let predicted = "Osk\tB-PER\nDrun\tB-ORG\nLorn\tB-LOC\n";
    let folder = Folder::new(&[("train.txt", train), ("gold.txt", gold), ("pred.txt", predicted)]);
    let mut command = folder.evaluate("entities", "gold.txt", "pred.txt");
    command.arg("--train").arg(folder.path("train.txt"));
    let scores = &folder.report(command)["sections"]["seen_in_training"]["scores"];
    assert_eq!(scores["seen"]["recall"]["value"], 1.0);
    assert_eq!(scores["seen"]["precision"]["value"], 0.5, "Drun as ORG was seen, and is wrong here");
    assert_eq!(scores["seen_as_other_type"]["recall"]["value"], 0.0);
    assert_eq!(scores["unseen"]["recall"]["value"], 1.0);
}

fn detente(folder: &Folder, words: &[&str]) -> Command {
    let mut command = Command::cargo_bin("detente").unwrap();
    command.current_dir(folder.0.path()).args(words);
    command
}

#[test]
fn annotators_in_one_file_and_in_several_agree_alike() {
    let one = r#"{"id": "a", "annotators": ["c", "c"]}
{"id": "b", "annotators": ["f", "n"]}
{"id": "c", "annotators": ["n", "n"]}
{"id": "d", "annotators": ["f"]}
"#;
    let first = "id,label\na,c\nb,f\nc,n\nd,f\n";
    let second = "id,label\nc,neutral\na,Conciliatory\nb,n\nd,\n";
    let folder = Folder::new(&[("one.jsonl", one), ("first.csv", first), ("second.csv", second)]);
    let report = |files: &[&str]| folder.report(detente(&folder, &[&["agree"], files].concat()));
    let (together, apart) = (report(&["one.jsonl"]), report(&["first.csv", "second.csv"]));
    let agreement = &together["sections"]["agreement"];
    assert_eq!(agreement["coefficients"], apart["sections"]["agreement"]["coefficients"]);
    let percent = agreement["coefficients"]["percent_agreement"]["value"]["value"].as_f64().unwrap();
    assert!((percent - 2.0 / 3.0).abs() < 1e-12);
    detente(&folder, &["agree", "first.csv"]).assert().code(2).stderr(contains("one file an annotator"));
}

#[test]
fn two_sets_of_predictions_are_compared_on_the_rows_that_both_answer() {
    let better = PREDICTED
        .replace(r#""label": "neutral""#, r#""label": "firm""#)
        .replace(r#""firm": 0.3, "neutral": 0.5"#, r#""firm": 0.5, "neutral": 0.3"#);
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("old.jsonl", PREDICTED), ("new.jsonl", &better)]);
    let command = detente(&folder, &["compare", "old.jsonl", "new.jsonl", "--gold", "gold.jsonl"]);
    let report = folder.report(command);
    assert!(report["verdict"].as_str().unwrap().contains("do not show"));
    let fixed = &report["lists"]["fixed by new.jsonl where old.jsonl differs"];
    assert_eq!(fixed.as_array().unwrap().len(), 1);
    assert!(fixed[0].as_str().unwrap().starts_with("d: gold firm, neutral → firm"));
    assert_eq!(report["sections"]["old.jsonl against new.jsonl"]["answers"]["both right"]["count"], 1);
}

/// Rows of documents called `document`, of which every fifth is wrong though each says 0.9.
fn overconfident(document: &str) -> (String, String) {
    let (mut gold, mut predicted) = (String::new(), String::new());
    for at in 0..40 {
        let label = if at % 5 == 0 { "n" } else { ["c", "f"][at % 2] };
        gold += &format!("{{\"id\": \"{at}\", \"label\": \"{label}\", \"doc\": \"{document}{at}\"}}\n");
        let (c, f) = if at % 2 == 0 { (0.9, 0.05) } else { (0.05, 0.9) };
        let label = if at % 2 == 0 { "conciliatory" } else { "firm" };
        predicted += &format!(
            "{{\"id\": \"{at}\", \"stance\": {{\"label\": \"{label}\", \"conciliatory\": {c}, \"firm\": {f}, \"neutral\": 0.05}}}}\n"
        );
    }
    (gold, predicted)
}

#[test]
fn calibration_is_fitted_on_other_documents_and_lowers_the_loss() {
    let ((gold, pred), (other_gold, other_pred)) = (overconfident("a"), overconfident("b"));
    let folder = Folder::new(&[
        ("gold.jsonl", &gold),
        ("pred.jsonl", &pred),
        ("dev.jsonl", &other_gold),
        ("devp.jsonl", &other_pred),
    ]);
    let calibrated = |gold: &str, pred: &str| {
        let mut command = folder.evaluate("stance", "gold.jsonl", "pred.jsonl");
        command.arg("--calibration-gold").arg(folder.path(gold)).arg("--calibration-pred").arg(folder.path(pred));
        command.args(["--precision-at", "0.7"]);
        command
    };
    let report = folder.report(calibrated("dev.jsonl", "devp.jsonl"));
    let scores = &report["sections"]["calibration"]["scores"]["log_loss"];
    let value = |method: &str| scores[method]["value"].as_f64().unwrap();
    for method in ["temperature", "platt", "isotonic"] {
        assert!(value(method) < value("as_given"), "{method}: {scores}");
    }
    let thresholds = &report["sections"]["calibration"]["thresholds"];
    assert_eq!(thresholds["firm"]["threshold"]["value"], 0.9);
    assert_eq!(thresholds["firm"]["precision"]["value"], 0.8);
    assert_eq!(thresholds["neutral"]["threshold"], "never reached");
    calibrated("gold.jsonl", "pred.jsonl")
        .assert()
        .code(1)
        .stderr(contains("calibrate on documents that are not scored"));
}

const DIRECT: &str = r#"{"schema": "detente.record/1", "id": "1", "text": "\"We are ready to talk about it today,\" Mira Osk said in Drun.", "quotes": [{"kind": "direct", "parts": [{"start": 1, "end": 37, "text": "We are ready to talk about it today,"}], "cue": {"start": 48, "end": 52, "text": "said"}, "speaker": {"mention": {"start": 39, "end": 47, "text": "Mira Osk"}, "name": "Mira Osk"}}]}"#;

#[test]
fn predictions_come_from_a_file_or_from_a_model_and_from_nowhere_else() {
    let folder = Folder::new(&[("gold.jsonl", GOLD), ("records.jsonl", DIRECT)]);
    let gold = folder.path("gold.jsonl");
    let gold = gold.to_str().unwrap();
    detente(&folder, &["evaluate", "stance", "--gold", gold]).assert().code(2).stderr(contains("--pred"));
    let found = folder.report(detente(&folder, &["evaluate", "quotes", "--gold", "records.jsonl", "--find"]));
    assert_eq!(found["sections"]["spans"]["scores"]["content_exact"]["f1"]["value"], 1.0);
    assert_eq!(found["sections"]["speakers"]["accuracy"]["speaker_name"]["accuracy"]["value"], 1.0);
}

#[test]
fn annotators_become_one_label_and_what_is_open_goes_to_a_person_and_back() {
    let rows = |labels: [&str; 4]| -> String {
        let row = |(at, label): (usize, &str)| {
            format!("{{\"id\": \"{at}\", \"quote\": \"quote {at}\", \"source\": \"lorn\", \"label\": \"{label}\"}}\n")
        };
        labels.into_iter().enumerate().map(row).collect()
    };
    let folder = Folder::new(&[
        ("a.jsonl", &rows(["c", "f", "c", "n"])),
        ("b.jsonl", &rows(["c", "f", "f", "n"])),
        ("c.jsonl", &rows(["c", "n", "n", ""])),
    ]);
    let words = ["adjudicate", "a.jsonl", "b.jsonl", "c.jsonl", "-o", "all.jsonl", "--to-decide", "open.jsonl"];
    detente(&folder, &words).assert().success().stderr(contains("a person must decide 1")).stderr(contains("quote 2"));
    let read = |name: &str| -> Vec<serde_json::Value> {
        let text = fs::read_to_string(folder.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = read("all.jsonl");
    let labels: Vec<_> = all.iter().map(|row| (row["label"].as_str(), row["how"].as_str().unwrap())).collect();
    let expected =
        [(Some("conciliatory"), "agree"), (Some("firm"), "majority"), (None, "undecided"), (Some("neutral"), "agree")];
    assert_eq!(labels, expected);
    assert_eq!(all[0]["source"], "lorn", "the fields of the rows are kept");
    assert_eq!(all[3]["annotators"], serde_json::json!(["neutral", "neutral", null]));

    let open = read("open.jsonl");
    assert_eq!(open.len(), 1);
    fs::write(folder.path("open.jsonl"), open[0].to_string().replace("\"label\":null", "\"label\":\"f\"")).unwrap();
    let words = ["adjudicate", "a.jsonl", "b.jsonl", "c.jsonl", "-o", "all.jsonl", "--decisions", "open.jsonl"];
    detente(&folder, &words).assert().success();
    assert_eq!((&read("all.jsonl")[2]["label"], &read("all.jsonl")[2]["how"]), (&"firm".into(), &"adjudicated".into()));

    fs::write(folder.path("stray.jsonl"), "{\"id\": \"9\", \"label\": \"f\"}\n").unwrap();
    let words = ["adjudicate", "a.jsonl", "b.jsonl", "--decisions", "stray.jsonl"];
    detente(&folder, &words).assert().code(1).stderr(contains("a decision about `9`"));
}

#[test]
fn entity_finders_and_quote_finders_are_compared_on_gold_spans() {
    let gold = "Osk\tB-PER\nmet\tO\n\nDrun\tB-LOC\nLorn\tB-ORG\n";
    let old = "Osk\tO\nmet\tO\n\nDrun\tB-LOC\nLorn\tB-PER\n";
    let new = "Osk\tB-PER\nmet\tO\n\nDrun\tB-LOC\nLorn\tB-PER\n";
    let empty = RECORD.split("\"quotes\"").next().unwrap().to_string() + "\"quotes\": []}";
    let folder = Folder::new(&[
        ("gold.txt", gold),
        ("old.txt", old),
        ("new.txt", new),
        ("gold.jsonl", RECORD),
        ("none.jsonl", &empty),
    ]);
    let words = ["compare", "old.txt", "new.txt", "--gold", "gold.txt", "--task", "entities"];
    let report = folder.report(detente(&folder, &words));
    let scores = &report["sections"]["old.txt against new.txt"]["scores"];
    assert_eq!(scores["recall"]["new.txt"]["value"], 2.0 / 3.0);
    assert_eq!(scores["precision"]["old.txt"]["value"], 0.5);
    assert_eq!(
        report["lists"]["fixed by new.txt where old.txt differs"][0],
        "line 1 (0 to 1), missed → found: PER Osk"
    );

    let words = ["compare", "none.jsonl", "gold.jsonl", "--gold", "gold.jsonl", "--task"];
    let quotes = folder.report(detente(&folder, &[&words[..], &["quotes"]].concat()));
    let scores = &quotes["sections"]["none.jsonl against gold.jsonl"]["scores"];
    assert_eq!(
        (&scores["f1"]["none.jsonl"]["value"], &scores["f1"]["gold.jsonl"]["value"]),
        (&0.0.into(), &1.0.into())
    );
    let records = folder.report(detente(&folder, &[&words[..], &["entities"]].concat()));
    assert_eq!(records["sections"]["none.jsonl against gold.jsonl"]["answers"]["both right"]["count"], 2);
}

#[test]
fn annotators_of_spans_agree_by_unitizing_alpha() {
    let other = RECORD
        .replace("\"start\": 12, \"end\": 16, \"text\": \"said\"", "\"start\": 12, \"end\": 15, \"text\": \"sai\"");
    let folder = Folder::new(&[("a.jsonl", RECORD), ("b.jsonl", &other)]);
    let report = folder.report(detente(&folder, &["agree", "a.jsonl", "b.jsonl", "--spans", "quotes"]));
    let table = &report["sections"]["unitizing"]["coefficients"];
    assert_eq!(table["content"]["krippendorff_alpha_unitizing"]["value"], 1.0);
    let cue = table["cue"]["krippendorff_alpha_unitizing"]["value"].as_f64().unwrap();
    assert!(cue > 0.9 && cue < 1.0, "{cue}");
    assert_eq!(table["all"]["spans of a.jsonl"], 7);
}

#[test]
fn bca_intervals_differ_from_percentile_ones_and_say_so() {
    let ((gold, pred), words) = (overconfident("a"), ["evaluate", "stance", "--gold", "g.jsonl", "--pred", "p.jsonl"]);
    let folder = Folder::new(&[("g.jsonl", &gold), ("p.jsonl", &pred)]);
    let report = |interval: &str| folder.report(detente(&folder, &[&words[..], &["--interval", interval]].concat()));
    let (bca, percentile) = (report("bca"), report("percentile"));
    assert!(bca["protocol"]["intervals"].as_str().unwrap().contains("BCa bootstrap"));
    let accuracy = |report: &serde_json::Value| report["sections"]["three_way"]["scores"]["accuracy"]["model"].clone();
    assert_eq!(accuracy(&bca)["value"], accuracy(&percentile)["value"]);
    assert_ne!(accuracy(&bca), accuracy(&percentile));
}

#[test]
fn empty_files_and_a_single_document_give_sentences_in_every_task() {
    let folder = Folder::new(&[("empty.jsonl", ""), ("empty.txt", ""), ("one.jsonl", RECORD), ("gold.jsonl", GOLD)]);
    for (task, file) in [("stance", "empty.jsonl"), ("quotes", "empty.jsonl"), ("entities", "empty.txt")] {
        folder.evaluate(task, file, file).assert().success().stdout(contains("fewer than two"));
        let words = ["compare", file, file, "--gold", file, "--task", task];
        detente(&folder, &words).assert().success().stdout(contains("nothing is defined"));
    }
    for task in ["quotes", "entities"] {
        folder.evaluate(task, "one.jsonl", "one.jsonl").assert().success().stdout(contains("fewer than two documents"));
    }
    let spans = ["agree", "empty.jsonl", "empty.jsonl", "--spans", "quotes"];
    detente(&folder, &spans).assert().success().stdout(contains("nothing is defined"));
    // Nobody wins a comparison with itself, and ties of p values stay ties after Holm's correction.
    let same = ["compare", "gold.jsonl", "gold.jsonl", "gold.jsonl", "--gold", "gold.jsonl"];
    detente(&folder, &same).assert().success().stdout(contains("do not show"));
}
