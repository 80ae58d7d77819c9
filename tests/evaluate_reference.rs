//! Scores against the reference implementations: values made by `scripts/reference_scores.py`.

use detente::evaluate::agreement::{self, Item, Ratings};
use detente::evaluate::baseline::BagOfWords;
use detente::evaluate::calibration::{Calibrator, Curve, Method, Sigmoid};
use detente::evaluate::classes::{self, Labelled, OVERALL};
use detente::evaluate::comparison::{self, Comparison};
use detente::evaluate::conll::{self, ConllFile, Sentence};
use detente::evaluate::entities::{self, Settings};
use detente::evaluate::probability::{Forecast, Forecasts};
use detente::evaluate::resample::{Bootstrap, Interval};
use detente::evaluate::schemes;
use detente::report::Cell;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::Path;

const NO_INTERVALS: Bootstrap = Bootstrap { resamples: 0, seed: 0, confidence: 0.95, interval: Interval::Percentile };

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
    schemes: BTreeMap<String, [u64; 5]>,
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
    let settings = Settings { bootstrap: NO_INTERVALS, ..Settings::default() };
    for case in reference::<Vec<TagCase>>("tags.json") {
        let (gold, predicted) = (conll_file(&case.gold), conll_file(&case.predicted));
        let report = entities::evaluate_conll(&gold, &predicted, &settings).unwrap();
        for (section, expected) in [("strict", &case.strict), ("conlleval", &case.conlleval)] {
            for (average, theirs) in expected {
                for (column, theirs) in ["precision", "recall", "f1"].iter().zip(theirs) {
                    let what = format!("{} {section} {average} {column}", case.name);
                    assert_close(&what, report.value(section, "scores", average, column), Some(*theirs), 1e-9);
                }
            }
        }
        for (scheme, outcomes) in &case.schemes {
            for (outcome, count) in schemes::OUTCOMES.iter().zip(outcomes) {
                let ours = report.cell("schemes", "scores", scheme, outcome);
                assert_eq!(ours, Some(&Cell::Count(*count)), "{} {scheme} {outcome}", case.name);
            }
        }
    }
}

#[derive(Deserialize)]
struct ProbabilityCase {
    name: String,
    gold: Vec<usize>,
    probabilities: Vec<[f64; 3]>,
    log_loss: f64,
    brier: f64,
    calibration_error: f64,
    classes: Vec<[Option<f64>; 2]>,
}

#[test]
fn probability_scores_are_those_of_scikit_learn() {
    for case in reference::<Vec<ProbabilityCase>>("probabilities.json") {
        let rows = case.gold.iter().zip(&case.probabilities).enumerate();
        let rows = rows.map(|(document, (&gold, &probabilities))| Forecast { document, gold, probabilities });
        let rows: Vec<Forecast<[f64; 3]>> = rows.collect();
        let estimates = Forecasts::new(&rows, 3).estimates(case.gold.len(), &NO_INTERVALS);
        let overall = [case.log_loss, case.brier, case.calibration_error].map(Some);
        for (at, theirs) in overall.into_iter().chain(case.classes.into_iter().flatten()).enumerate() {
            assert_close(&format!("{} figure {at}", case.name), estimates[at].value, theirs, 1e-9);
        }
    }
}

#[derive(Deserialize)]
struct AgreementCase {
    name: String,
    labels: Vec<Vec<Option<usize>>>,
    coefficients: BTreeMap<String, f64>,
}

#[test]
fn agreement_is_that_of_irrcac_krippendorff_and_scikit_learn() {
    for case in reference::<Vec<AgreementCase>>("agreement.json") {
        let item = |(at, labels): (usize, Vec<Option<usize>>)| Item {
            id: at.to_string(),
            document: at.to_string(),
            text: String::new(),
            labels,
        };
        let ratings = Ratings {
            classes: ["0", "1", "2"].map(String::from).to_vec(),
            ordered: true,
            annotators: case.labels[0].iter().enumerate().map(|(at, _)| at.to_string()).collect(),
            items: case.labels.into_iter().enumerate().map(item).collect(),
        };
        let report = agreement::evaluate(&ratings, &NO_INTERVALS).unwrap();
        for (name, theirs) in case.coefficients {
            let ours = report.value("agreement", "coefficients", &name, "value");
            assert_close(&format!("{} {name}", case.name), ours, Some(theirs), 1e-9);
        }
    }
}

#[derive(Deserialize)]
struct ComparisonCases {
    mcnemar: Vec<(u64, u64, f64)>,
    holm: Vec<(Vec<f64>, Vec<f64>)>,
    permutation: PermutationCase,
}

#[derive(Deserialize)]
struct PermutationCase {
    documents: Vec<usize>,
    gold: Vec<usize>,
    systems: [Vec<usize>; 2],
    p: BTreeMap<String, f64>,
}

#[test]
fn tests_of_two_systems_are_those_of_statsmodels_and_of_all_arrangements() {
    let cases: ComparisonCases = reference("comparison.json");
    for (only_first, only_second, p) in cases.mcnemar {
        assert_close("McNemar", Some(comparison::mcnemar(only_first, only_second)), Some(p), 1e-9);
    }
    for (p_values, corrected) in cases.holm {
        for (ours, theirs) in comparison::holm(&p_values).into_iter().zip(corrected) {
            assert_close("Holm", Some(ours), Some(theirs), 1e-9);
        }
    }
    let case = cases.permutation;
    let row = |at: usize| comparison::Row {
        id: at.to_string(),
        document: case.documents[at],
        text: String::new(),
        gold: case.gold[at],
        answers: case.systems.iter().map(|answers| answers[at]).collect(),
    };
    let input = Comparison {
        systems: ["a", "b"].map(String::from).to_vec(),
        classes: ["0", "1", "2"].map(String::from).to_vec(),
        documents: 10,
        rows: (0..case.gold.len()).map(row).collect(),
    };
    let report = comparison::evaluate(&input, &Bootstrap::default()).unwrap();
    for (score, theirs) in case.p {
        let Some(Cell::PValue(ours)) = report.cell("a against b", "scores", &score, "p_permutation") else { panic!() };
        // Ten thousand random arrangements against all of them: three standard errors.
        let error = 3.0 * (theirs * (1.0 - theirs) / 10_000.0).sqrt();
        assert!((ours - theirs).abs() < error + 1e-4, "{score}: {ours} is not near {theirs}");
    }
}

#[derive(Deserialize)]
struct CalibrationCases {
    curves: Vec<CurveCase>,
    gold: Vec<usize>,
    probabilities: Vec<[f64; 3]>,
    temperature: f64,
}

#[derive(Deserialize)]
struct CurveCase {
    scores: Vec<f64>,
    labels: Vec<bool>,
    asked: Vec<f64>,
    isotonic: Vec<f64>,
    sigmoid: Vec<f64>,
}

#[test]
fn calibrations_are_those_of_scikit_learn_and_scipy() {
    let cases: CalibrationCases = reference("calibration.json");
    for case in cases.curves {
        let points: Vec<(f64, bool)> = case.scores.into_iter().zip(case.labels).collect();
        let (curve, sigmoid) = (Curve::fit(&points), Sigmoid::fit(&points));
        for ((x, isotonic), platt) in case.asked.iter().zip(case.isotonic).zip(case.sigmoid) {
            assert_close(&format!("isotonic at {x}"), Some(curve.at(*x)), Some(isotonic), 1e-6);
            // Both stop near the minimum of the same convex function.
            assert_close(&format!("sigmoid at {x}"), Some(sigmoid.at(*x)), Some(platt), 1e-4);
        }
    }
    let rows = cases.gold.iter().zip(&cases.probabilities);
    let rows: Vec<_> = rows.map(|(&gold, &probabilities)| Forecast { document: 0, gold, probabilities }).collect();
    let Some(Calibrator::Temperature(ours)) = Calibrator::fit(Method::Temperature, &rows) else { panic!() };
    assert_close("temperature", Some(ours), Some(cases.temperature), 1e-4);
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

#[derive(Deserialize)]
struct IntervalCase {
    name: String,
    value: f64,
    resamples: Vec<f64>,
    left_out: Vec<f64>,
    bca: [f64; 2],
    percentile: [f64; 2],
}

/// The same resamples give scipy's intervals; values by `scripts/reference_intervals.py`.
#[test]
fn intervals_are_those_of_scipy() {
    for case in reference::<Vec<IntervalCase>>("intervals.json") {
        for (interval, [low, high]) in [(Interval::Bca, case.bca), (Interval::Percentile, case.percentile)] {
            let bootstrap = Bootstrap { interval, ..Bootstrap::default() };
            let ours = bootstrap.interval(case.value, case.resamples.clone(), case.left_out.clone());
            assert_close(&format!("{} {interval:?} low", case.name), ours.low, Some(low), 1e-9);
            assert_close(&format!("{} {interval:?} high", case.name), ours.high, Some(high), 1e-9);
        }
    }
}
