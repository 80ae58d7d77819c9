//! Scores against the reference implementations: values made by `scripts/reference_scores.py`.

use detente::evaluate::baseline::BagOfWords;
use detente::evaluate::classes::{self, Labelled, OVERALL};
use detente::evaluate::conll::{self, ConllFile, Sentence};
use detente::evaluate::entities::{self, TypeNames};
use detente::evaluate::resample::Bootstrap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

const NO_INTERVALS: Bootstrap = Bootstrap { resamples: 0, seed: 0, confidence: 0.95 };

fn reference<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn assert_close(what: &str, ours: Option<f64>, theirs: Option<f64>, tolerance: f64) {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < tolerance, "{what}: {ours} is not {theirs}"),
        (ours, theirs) => assert_eq!(ours, theirs, "{what}"),
    }
}

#[derive(Deserialize)]
struct LabelCase {
    name: String,
    gold: Vec<usize>,
    predicted: Vec<usize>,
    scores: BTreeMap<String, Option<f64>>,
    classes: Vec<[f64; 3]>,
}

#[test]
fn label_scores_are_those_of_scikit_learn() {
    for case in reference::<Vec<LabelCase>>("labels.json") {
        let pairs = case.gold.iter().zip(&case.predicted).enumerate();
        let rows: Vec<Labelled> =
            pairs.map(|(document, (&gold, &predicted))| Labelled { document, gold, predicted }).collect();
        let scores = classes::score(&rows, 3, rows.len(), &NO_INTERVALS);
        for (name, ours) in OVERALL.iter().zip(&scores.overall) {
            assert_close(&format!("{} {name}", case.name), ours.value, case.scores[*name], 1e-9);
        }
        for (class, (ours, theirs)) in scores.classes.iter().zip(&case.classes).enumerate() {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert_close(&format!("{} class {class}", case.name), ours.value, Some(*theirs), 1e-9);
            }
        }
    }
}

#[derive(Deserialize)]
struct TagCase {
    name: String,
    gold: Vec<Vec<String>>,
    predicted: Vec<Vec<String>>,
    strict: BTreeMap<String, [f64; 3]>,
    conlleval: BTreeMap<String, [f64; 3]>,
}

fn conll_file(sentences: &[Vec<String>]) -> ConllFile {
    let sentence = |(document, tags): (usize, &Vec<String>)| Sentence {
        line: 1,
        document,
        words: tags.iter().map(|_| "word".to_string()).collect(),
        tags: tags.clone(),
    };
    ConllFile {
        sentences: sentences.iter().enumerate().map(sentence).collect(),
        has_documents: false,
        scheme: conll::scheme(sentences.iter().map(Vec::as_slice)),
    }
}

#[test]
fn entity_scores_are_those_of_seqeval() {
    for case in reference::<Vec<TagCase>>("tags.json") {
        let (gold, predicted) = (conll_file(&case.gold), conll_file(&case.predicted));
        let report = entities::evaluate_conll(&gold, &predicted, &TypeNames::default(), &NO_INTERVALS).unwrap();
        for (section, expected) in [("strict", &case.strict), ("conlleval", &case.conlleval)] {
            for (average, theirs) in expected {
                for (column, theirs) in ["precision", "recall", "f1"].iter().zip(theirs) {
                    let what = format!("{} {section} {average} {column}", case.name);
                    assert_close(&what, report.value(section, "scores", average, column), Some(*theirs), 1e-9);
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct BaselineCase {
    train: Vec<String>,
    labels: Vec<usize>,
    test: Vec<String>,
    probabilities: Vec<[f64; 3]>,
}

#[test]
fn the_bag_of_words_baseline_is_scikit_learns() {
    let case: BaselineCase = reference("baseline.json");
    let train: Vec<&str> = case.train.iter().map(String::as_str).collect();
    let test: Vec<&str> = case.test.iter().map(String::as_str).collect();
    let ours = BagOfWords::train(&train, &case.labels, 3).unwrap().probabilities(&test);
    for ((text, ours), theirs) in test.iter().zip(&ours).zip(&case.probabilities) {
        for (ours, theirs) in ours.iter().zip(theirs) {
            // Both stop near the minimum of the same convex function.
            assert_close(text, Some(*ours), Some(*theirs), 1e-5);
        }
    }
}
