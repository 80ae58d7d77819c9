//! Whether one system is better than another on the same rows.
//!
//! Three answers that belong together: the exact McNemar test (1947) on rows, the paired bootstrap interval of the
//! difference, and the paired permutation test, the latter two by document, because quotes of one article are not
//! independent. With more than two systems p values are corrected after Holm (1979).

use super::classes::{Confusion, share};
use super::resample::{Bootstrap, Counts, Estimate};
use crate::error::{Error, Result};
use crate::report::{Cell, Report, Section, Table, title};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// A row that every system answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is called in lists.
    pub id: String,
    /// Number of its document.
    pub document: usize,
    /// Its words, for the lists of fixed and broken answers.
    pub text: String,
    /// Gold class.
    pub gold: usize,
    /// The class that each system gave.
    pub answers: Vec<usize>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Names of the systems.
    pub systems: Vec<String>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// How many documents the rows stand in.
    pub documents: usize,
    /// The rows.
    pub rows: Vec<Row>,
}

/// The spans of a document that were to be found, and what each system made of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanDocument {
    /// The gold spans.
    pub gold: Vec<GoldSpan>,
    /// How many spans each system predicted.
    pub predicted: Vec<usize>,
}

/// A span that was to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldSpan {
    /// What it is called in lists.
    pub id: String,
    /// Its words, with its type where it has one.
    pub text: String,
    /// Whether each system found it.
    pub found: Vec<bool>,
}

/// Systems that look for spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanComparison {
    /// Names of the systems.
    pub systems: Vec<String>,
    /// What a span must have to be found.
    pub criterion: String,
    /// The documents.
    pub documents: Vec<SpanDocument>,
}

/// The figures of a system whose differences are tested; the last is the one that claims are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// Accuracy and macro F1 from the cells of a confusion matrix of so many classes.
    Classes(usize),
    /// Precision, recall and F1 from right, gold and predicted spans.
    Spans,
}

impl Measure {
    fn names(self) -> &'static [&'static str] {
        match self {
            Measure::Classes(_) => &["accuracy", "macro_f1"],
            Measure::Spans => &["precision", "recall", "f1"],
        }
    }

    fn figures(self, cells: Vec<f64>) -> Vec<f64> {
        match self {
            Measure::Classes(classes) => {
                let confusion = Confusion::from_cells(classes, cells);
                vec![confusion.accuracy(), confusion.macro_mean(Confusion::f1)]
            }
            Measure::Spans => {
                let cell = |at: usize| cells.get(at).copied().unwrap_or(0.0);
                let (right, gold, predicted) = (cell(0), cell(1), cell(2));
                vec![share(right, predicted), share(right, gold), share(2.0 * right, gold + predicted)]
            }
        }
    }
}

/// What all tests are made from.
struct Systems<'a> {
    names: &'a [String],
    documents: usize,
    measure: Measure,
    /// Of each system, by document.
    counts: Vec<Counts>,
    answered: Vec<Answered>,
}

/// Something that every system got right or wrong.
struct Answered {
    /// What it is called, and what gold says.
    gold: String,
    text: String,
    /// What each system says, and whether that is right.
    answers: Vec<(String, bool)>,
}

/// Below this p value a difference is called one.
const LEVEL: f64 = 0.05;

/// Two-sided p value of the exact McNemar test on the rows that only one of two systems gets right; 1 without such rows.
///
/// ```
/// use detente::evaluate::comparison::mcnemar;
/// assert!((mcnemar(1, 9) - 0.021484375).abs() < 1e-12);
/// assert_eq!(mcnemar(0, 0), 1.0);
/// ```
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let rows = (only_first + only_second) as f64;
    // ln(n choose k) grows step by step from k = 0; the power of one half keeps every term in range.
    let (mut ln_choose, mut tail) = (0.0f64, 0.0);
    for k in 0..=only_first.min(only_second) {
        tail += (ln_choose - rows * std::f64::consts::LN_2).exp();
        ln_choose += (rows - k as f64).ln() - (k as f64 + 1.0).ln();
    }
    (2.0 * tail).min(1.0)
}

/// Holm's step-down correction of p values, in their order.
///
/// ```
/// use detente::evaluate::comparison::holm;
/// assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut corrected = vec![1.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, (place, p)) in order.into_iter().enumerate() {
        largest = largest.max((p * (p_values.len() - rank) as f64).min(1.0));
        if let Some(slot) = corrected.get_mut(place) {
            *slot = largest;
        }
    }
    corrected
}

/// What was found out about two systems.
struct Pair {
    first: usize,
    second: usize,
    /// Of each figure: first, second, second − first.
    figures: Vec<[Estimate; 3]>,
    /// Of each figure: p value of the permutation test.
    permutation: Vec<f64>,
    /// Rows: both right, only the first, only the second, neither.
    answers: [u64; 4],
    mcnemar: f64,
}

/// Compares all pairs of systems that label rows.
///
/// # Errors
/// Usage when there are fewer than two.
pub fn evaluate(comparison: &Comparison, bootstrap: &Bootstrap) -> Result<Report> {
    let classes = comparison.classes.len();
    let class = |at: usize| comparison.classes.get(at).cloned().unwrap_or_default();
    let answered = comparison.rows.iter().map(|row| Answered {
        gold: format!("{}: gold {}", row.id, class(row.gold)),
        text: row.text.clone(),
        answers: row.answers.iter().map(|answer| (class(*answer), *answer == row.gold)).collect(),
    });
    let systems = Systems {
        names: &comparison.systems,
        documents: comparison.documents,
        measure: Measure::Classes(classes),
        counts: (0..comparison.systems.len()).map(|system| counted(comparison, system)).collect(),
        answered: answered.collect(),
    };
    let mut report = compare(&systems, bootstrap)?;
    report.state("rows", "those that gold labels and every system answers");
    state_protocol(&mut report, &systems, bootstrap);
    Ok(report)
}

/// Compares all pairs of systems that look for spans, on the same gold documents.
///
/// # Errors
/// Usage when there are fewer than two.
pub fn evaluate_spans(comparison: &SpanComparison, bootstrap: &Bootstrap) -> Result<Report> {
    let said = |found: &bool| (if *found { "found" } else { "missed" }.to_string(), *found);
    let answered = comparison.documents.iter().flat_map(|document| &document.gold).map(|span| Answered {
        gold: span.id.clone(),
        text: span.text.clone(),
        answers: span.found.iter().map(said).collect(),
    });
    let systems = Systems {
        names: &comparison.systems,
        documents: comparison.documents.len(),
        measure: Measure::Spans,
        counts: (0..comparison.systems.len()).map(|system| counted_spans(comparison, system)).collect(),
        answered: answered.collect(),
    };
    let mut report = compare(&systems, bootstrap)?;
    report.state("rows", format!("gold spans; found: {}", comparison.criterion));
    state_protocol(&mut report, &systems, bootstrap);
    Ok(report)
}

fn compare(systems: &Systems, bootstrap: &Bootstrap) -> Result<Report> {
    let count = systems.names.len();
    if count < 2 {
        return Err(Error::usage("a comparison needs the predictions of at least two systems"));
    }
    let pairs: Vec<Pair> = (0..count)
        .flat_map(|first| (first + 1..count).map(move |second| (first, second)))
        .map(|(first, second)| compared(systems, first, second, bootstrap))
        .collect();
    let corrected: Vec<Vec<f64>> = (0..systems.measure.names().len())
        .map(|figure| holm(&pairs.iter().filter_map(|p| p.permutation.get(figure).copied()).collect::<Vec<_>>()))
        .collect();
    let mut report = Report::new("comparison");
    let mut sentences = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        let holm: Vec<f64> = corrected.iter().filter_map(|figure| figure.get(at).copied()).collect();
        report.sections.push(section(systems, pair, &holm));
        sentences.push(claim(systems, pair, &holm));
        list_changes(&mut report, systems, pair);
    }
    report.verdict = sentences.join(" ");
    Ok(report)
}

fn counted(comparison: &Comparison, system: usize) -> Counts {
    let classes = comparison.classes.len();
    let mut counts = Counts::new(classes * classes);
    for row in &comparison.rows {
        if let Some(answer) = row.answers.get(system).filter(|answer| **answer < classes && row.gold < classes) {
            counts.add(row.document, row.gold * classes + answer, 1.0);
        }
    }
    counts
}

/// Right, gold and predicted spans.
fn counted_spans(comparison: &SpanComparison, system: usize) -> Counts {
    let mut counts = Counts::new(3);
    for (at, document) in comparison.documents.iter().enumerate() {
        // Matching is one to one: as many predictions are right as gold spans are found.
        let right = document.gold.iter().filter(|span| span.found.get(system) == Some(&true)).count();
        let predicted = document.predicted.get(system).copied().unwrap_or(0);
        let cells = [right, document.gold.len(), predicted];
        cells.iter().enumerate().for_each(|(cell, amount)| counts.add(at, cell, *amount as f64));
    }
    counts
}

fn compared(systems: &Systems, first: usize, second: usize, bootstrap: &Bootstrap) -> Pair {
    let empty = Counts::default();
    let (a, b) = (systems.counts.get(first).unwrap_or(&empty), systems.counts.get(second).unwrap_or(&empty));
    let measure = systems.measure;
    let estimates = bootstrap.estimates(systems.documents, 3 * measure.names().len(), |weights, out| {
        let (one, other) = (measure.figures(a.total(weights)), measure.figures(b.total(weights)));
        for (slots, (one, other)) in out.as_chunks_mut::<3>().0.iter_mut().zip(one.into_iter().zip(other)) {
            *slots = [one, other, other - one];
        }
    });
    let mut answers = [0; 4];
    for answered in &systems.answered {
        let wrong = |system: usize| usize::from(answered.answers.get(system).is_none_or(|(_, right)| !right));
        answers[2 * wrong(first) + wrong(second)] += 1;
    }
    Pair {
        first,
        second,
        figures: estimates.as_chunks::<3>().0.to_vec(),
        permutation: permutation(a, b, systems, bootstrap),
        mcnemar: mcnemar(answers[1], answers[2]),
        answers,
    }
}

/// Two-sided p values of the paired permutation test: in each round a coin decides for every document whether the two
/// systems exchange their answers (Good 2005); the observed arrangement counts as one of them.
fn permutation(a: &Counts, b: &Counts, systems: &Systems, bootstrap: &Bootstrap) -> Vec<f64> {
    let measure = systems.measure;
    let differences = |one: Vec<f64>, other: Vec<f64>| -> Vec<f64> {
        measure.figures(one).into_iter().zip(measure.figures(other)).map(|(one, other)| (other - one).abs()).collect()
    };
    if bootstrap.resamples == 0 || systems.answered.is_empty() {
        return vec![f64::NAN; measure.names().len()];
    }
    let observed = differences(a.all(), b.all());
    let as_extreme: Vec<Vec<bool>> = (0..bootstrap.resamples)
        .into_par_iter()
        .map(|round| {
            let kept = coins(bootstrap.seed, round, systems.documents);
            let swapped: Vec<f64> = kept.iter().map(|kept| 1.0 - kept).collect();
            let mixed = |one: &Counts, other: &Counts| {
                one.total(&kept).iter().zip(other.total(&swapped)).map(|(x, y)| x + y).collect::<Vec<f64>>()
            };
            let by_chance = differences(mixed(a, b), mixed(b, a));
            // Equal differences may differ in the last digit.
            by_chance.iter().zip(&observed).map(|(chance, observed)| *chance >= observed - 1e-12).collect()
        })
        .collect();
    (0..observed.len())
        .map(|at| {
            let extreme = as_extreme.iter().filter(|round| round.get(at) == Some(&true)).count() as f64;
            (extreme + 1.0) / (f64::from(bootstrap.resamples) + 1.0)
        })
        .collect()
}

/// For each document 1 or 0, by a fair coin.
fn coins(seed: u64, round: u32, documents: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Streams below 2³² belong to the bootstrap.
    random.set_stream((1 << 32) + u64::from(round));
    (0..documents).map(|_| f64::from(u8::from(random.random::<bool>()))).collect()
}

fn names<'a>(systems: &'a Systems, pair: &Pair) -> (&'a str, &'a str) {
    let name = |at: usize| systems.names.get(at).map_or("", String::as_str);
    (name(pair.first), name(pair.second))
}

fn section(systems: &Systems, pair: &Pair, holm: &[f64]) -> Section {
    let (first, second) = names(systems, pair);
    let mut scores = Table::new("scores", "score", &[first, second, "difference", "p_permutation", "p_holm"]);
    for (at, name) in systems.measure.names().iter().enumerate() {
        let estimates = pair.figures.get(at).copied().unwrap_or_default();
        let p_values = [pair.permutation.get(at), holm.get(at)].map(|p| p.map_or(Cell::Empty, |p| Cell::PValue(*p)));
        scores.row(*name, estimates.map(Cell::from).into_iter().chain(p_values).collect());
    }
    let mut answers = Table::new("answers", "rows", &["count"]);
    let [both, broken, fixed, neither] = pair.answers;
    answers.row("both right", vec![Cell::Count(both)]);
    answers.row(format!("only {first} right (broken)"), vec![Cell::Count(broken)]);
    answers.row(format!("only {second} right (fixed)"), vec![Cell::Count(fixed)]);
    answers.row("both wrong", vec![Cell::Count(neither)]);
    answers.row("p of the exact McNemar test", vec![Cell::PValue(pair.mcnemar)]);
    Section {
        name: format!("{first} against {second}"),
        about: format!(
            "{} rows of {} documents; difference = {second} − {first}",
            systems.answered.len(),
            systems.documents
        ),
        tables: vec![scores, answers],
    }
}

/// What may be claimed of two systems, in a sentence.
fn claim(systems: &Systems, pair: &Pair, holm: &[f64]) -> String {
    let (first, second) = names(systems, pair);
    let figure = systems.measure.names().last().map_or_else(String::new, |name| title(name));
    let difference = pair.figures.last().map(|f| f[2]).unwrap_or_default();
    let (Some(value), Some(low), Some(high)) = (difference.value, difference.low, difference.high) else {
        return format!("Nothing can be said of {first} and {second}: there is too little to compare.");
    };
    let p = holm.last().copied().unwrap_or(f64::NAN);
    let shown = Cell::PValue(p).shown();
    if p < LEVEL && (low > 0.0 || high < 0.0) {
        let (better, worse) = if value > 0.0 { (second, first) } else { (first, second) };
        let ends = if value > 0.0 { (low, high) } else { (-high, -low) };
        let size = value.abs();
        return format!(
            "{better} is better than {worse} on this kind of data: {figure} {size:.3} higher, 95 % interval {:.3} to {:.3}, p = {shown}.",
            ends.0, ends.1
        );
    }
    if low > 0.0 || high < 0.0 {
        return format!(
            "It is not settled whether {first} and {second} differ: the interval of the {figure} difference, {low:.3} to \
             {high:.3}, leaves 0 out, but the permutation test does not (p = {shown}); label more documents."
        );
    }
    format!(
        "These rows do not show that {first} and {second} differ: {figure} differs by {value:.3}, and anything from {low:.3} \
         to {high:.3} would fit (p = {shown})."
    )
}

fn list_changes(report: &mut Report, systems: &Systems, pair: &Pair) {
    let (first, second) = names(systems, pair);
    let (mut fixed, mut broken) = (Vec::new(), Vec::new());
    for answered in &systems.answered {
        let answers = (answered.answers.get(pair.first), answered.answers.get(pair.second));
        let (Some((one, was)), Some((other, is))) = answers else { continue };
        let change = match (was, is) {
            (false, true) => &mut fixed,
            (true, false) => &mut broken,
            _ => continue,
        };
        let text: String = answered.text.chars().take(120).collect();
        change.push(format!("{}, {one} → {other}: {text}", answered.gold));
    }
    for (what, rows) in [("fixed", fixed), ("broken", broken)] {
        if !rows.is_empty() {
            report.lists.insert(format!("{what} by {second} where {first} differs"), rows);
        }
    }
}

fn state_protocol(report: &mut Report, systems: &Systems, bootstrap: &Bootstrap) {
    report.state(
        "permutation test",
        format!(
            "documents exchange the two systems' answers by chance, {} rounds, two-sided, ChaCha8 seed {}",
            bootstrap.resamples, bootstrap.seed
        ),
    );
    report.state(
        "McNemar",
        "exact, two-sided, on rows: it takes rows for independent, which quotes of one article are not",
    );
    report.state("correction", "Holm over all pairs of systems, for each score by itself");
    super::state_bootstrap(report, bootstrap, systems.documents, "documents");
    if systems.answered.is_empty() {
        report.notes.push("gold holds nothing that every system answers: nothing is defined".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(rows: &[(usize, [usize; 2])]) -> Comparison {
        let row = |(at, (gold, answers)): (usize, &(usize, [usize; 2]))| Row {
            id: at.to_string(),
            document: at,
            text: String::new(),
            gold: *gold,
            answers: answers.to_vec(),
        };
        Comparison {
            systems: vec!["old".into(), "new".into()],
            classes: vec!["c".into(), "f".into()],
            documents: rows.len(),
            rows: rows.iter().enumerate().map(row).collect(),
        }
    }

    #[test]
    fn equal_systems_are_not_called_different() {
        let report = evaluate(&comparison(&[(0, [0, 0]), (1, [0, 0]), (1, [1, 1])]), &Bootstrap::default()).unwrap();
        assert!(report.verdict.contains("do not show"), "{}", report.verdict);
        assert_eq!(report.cell("old against new", "scores", "accuracy", "p_permutation"), Some(&Cell::PValue(1.0)));
    }

    #[test]
    fn a_system_that_mends_everything_is_called_better() {
        let rows: Vec<_> = (0..40).map(|at| (at % 2, [1 - at % 2, at % 2])).collect();
        let report = evaluate(&comparison(&rows), &Bootstrap { resamples: 999, ..Bootstrap::default() }).unwrap();
        assert!(report.verdict.starts_with("new is better than old"), "{}", report.verdict);
        assert_eq!(report.lists["fixed by new where old differs"].len(), 40);
        // Only the arrangement observed and its mirror image are as extreme, and neither turns up by chance.
        assert_eq!(report.cell("old against new", "scores", "accuracy", "p_permutation"), Some(&Cell::PValue(0.001)));
    }

    #[test]
    fn a_system_that_finds_more_spans_is_called_better() {
        let span = |at: usize, found: [bool; 2]| GoldSpan {
            id: at.to_string(),
            text: "PER: Osk".into(),
            found: found.to_vec(),
        };
        // Both predict two spans a document; the old one finds one of two, the new one both.
        let document = |at: usize| SpanDocument {
            gold: vec![span(at, [true, true]), span(at, [false, true])],
            predicted: vec![2, 2],
        };
        let comparison = SpanComparison {
            systems: vec!["old".into(), "new".into()],
            criterion: "the same bounds".into(),
            documents: (0..20).map(document).collect(),
        };
        let report = evaluate_spans(&comparison, &Bootstrap { resamples: 999, ..Bootstrap::default() }).unwrap();
        assert!(report.verdict.starts_with("new is better than old"), "{}", report.verdict);
        assert_eq!(report.value("old against new", "scores", "f1", "old"), Some(0.5));
        assert_eq!(report.value("old against new", "scores", "f1", "difference"), Some(0.5));
        assert_eq!(report.lists["fixed by new where old differs"].len(), 20);
        assert_eq!(report.cell("old against new", "answers", "both right", "count"), Some(&Cell::Count(20)));
    }

    #[test]
    fn nothing_to_compare_is_a_sentence() {
        let report = evaluate(&comparison(&[]), &Bootstrap::default()).unwrap();
        assert!(report.verdict.contains("too little to compare"), "{}", report.verdict);
    }

    #[test]
    fn the_permutation_test_finds_the_exact_value() {
        // Two documents differ, both for the new system: of the four arrangements two are as extreme.
        let rows = [(0, [1, 0]), (1, [0, 1]), (0, [0, 0]), (1, [1, 1])];
        let report = evaluate(&comparison(&rows), &Bootstrap::default()).unwrap();
        let Some(Cell::PValue(p)) = report.cell("old against new", "scores", "accuracy", "p_permutation") else {
            panic!()
        };
        assert!((p - 0.5).abs() < 0.02, "{p}");
    }

    #[test]
    fn mcnemar_stays_in_range_with_many_rows() {
        let p = mcnemar(10_000, 10_400);
        assert!(p > 0.004 && p < 0.006, "{p}");
        assert_eq!(mcnemar(5, 5), 1.0);
        assert!(mcnemar(0, 100_000) < 1e-300);
    }
}
