//! Whether one system is better than another on the same rows.
//!
//! Three answers that belong together: the exact McNemar test (1947) on rows, the paired bootstrap interval of the
//! difference, and the paired permutation test, the latter two by document, because quotes of one article are not
//! independent. With more than two systems p values are corrected after Holm (1979).

use super::classes::{Confusion, Labelled};
use super::resample::{Bootstrap, Counts, Estimate};
use crate::error::{Error, Result};
use crate::report::{Cell, Report, Section, Table};
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

/// The figures whose difference is tested.
const FIGURES: [&str; 2] = ["accuracy", "macro_f1"];

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

/// Compares all pairs of systems.
///
/// # Errors
/// Usage when there are fewer than two.
pub fn evaluate(comparison: &Comparison, bootstrap: &Bootstrap) -> Result<Report> {
    let systems = comparison.systems.len();
    if systems < 2 {
        return Err(Error::usage("a comparison needs the predictions of at least two systems"));
    }
    let counts: Vec<Counts> = (0..systems).map(|system| counted(comparison, system)).collect();
    let pairs: Vec<Pair> = (0..systems)
        .flat_map(|first| (first + 1..systems).map(move |second| (first, second)))
        .map(|(first, second)| compared(comparison, &counts, first, second, bootstrap))
        .collect();
    let corrected: Vec<Vec<f64>> = (0..FIGURES.len())
        .map(|figure| holm(&pairs.iter().filter_map(|p| p.permutation.get(figure).copied()).collect::<Vec<_>>()))
        .collect();
    let mut report = Report::new("comparison");
    let mut sentences = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        let holm: Vec<f64> = corrected.iter().filter_map(|figure| figure.get(at).copied()).collect();
        report.sections.push(section(comparison, pair, &holm));
        sentences.push(claim(comparison, pair, &holm));
        list_changes(&mut report, comparison, pair);
    }
    report.verdict = sentences.join(" ");
    state_protocol(&mut report, comparison, bootstrap);
    Ok(report)
}

fn counted(comparison: &Comparison, system: usize) -> Counts {
    let classes = comparison.classes.len();
    let mut counts = Counts::new(classes * classes);
    for row in labelled(comparison, system).filter(|row| row.gold < classes && row.predicted < classes) {
        counts.add(row.document, row.gold * classes + row.predicted, 1.0);
    }
    counts
}

fn labelled(comparison: &Comparison, system: usize) -> impl Iterator<Item = Labelled> {
    comparison.rows.iter().filter_map(move |row| {
        let predicted = *row.answers.get(system)?;
        Some(Labelled { document: row.document, gold: row.gold, predicted })
    })
}

fn figures(cells: Vec<f64>, classes: usize) -> [f64; 2] {
    let confusion = Confusion::from_cells(classes, cells);
    [confusion.accuracy(), confusion.macro_mean(Confusion::f1)]
}

fn compared(comparison: &Comparison, counts: &[Counts], first: usize, second: usize, bootstrap: &Bootstrap) -> Pair {
    let classes = comparison.classes.len();
    let empty = Counts::default();
    let (a, b) = (counts.get(first).unwrap_or(&empty), counts.get(second).unwrap_or(&empty));
    let estimates = bootstrap.estimates(comparison.documents, 3 * FIGURES.len(), |weights, out| {
        let (one, other) = (figures(a.total(weights), classes), figures(b.total(weights), classes));
        for (slots, (one, other)) in out.as_chunks_mut::<3>().0.iter_mut().zip(one.into_iter().zip(other)) {
            *slots = [one, other, other - one];
        }
    });
    let mut answers = [0; 4];
    for (one, other) in labelled(comparison, first).zip(labelled(comparison, second)) {
        let outcome = 2 * usize::from(one.predicted != one.gold) + usize::from(other.predicted != other.gold);
        answers[outcome] += 1;
    }
    Pair {
        first,
        second,
        figures: estimates.as_chunks::<3>().0.to_vec(),
        permutation: permutation(a, b, comparison, bootstrap).to_vec(),
        mcnemar: mcnemar(answers[1], answers[2]),
        answers,
    }
}

/// Two-sided p values of the paired permutation test: in each round a coin decides for every document whether the two
/// systems exchange their answers (Good 2005); the observed arrangement counts as one of them.
fn permutation(a: &Counts, b: &Counts, comparison: &Comparison, bootstrap: &Bootstrap) -> [f64; 2] {
    let classes = comparison.classes.len();
    let observed = difference(figures(a.all(), classes), figures(b.all(), classes));
    if bootstrap.resamples == 0 || comparison.rows.is_empty() {
        return [f64::NAN; 2];
    }
    let as_extreme: Vec<[bool; 2]> = (0..bootstrap.resamples)
        .into_par_iter()
        .map(|round| {
            let kept = coins(bootstrap.seed, round, comparison.documents);
            let swapped: Vec<f64> = kept.iter().map(|kept| 1.0 - kept).collect();
            let mixed = |one: &Counts, other: &Counts| {
                one.total(&kept).iter().zip(other.total(&swapped)).map(|(x, y)| x + y).collect::<Vec<f64>>()
            };
            let by_chance = difference(figures(mixed(a, b), classes), figures(mixed(b, a), classes));
            // Equal differences may differ in the last digit.
            std::array::from_fn(|at| by_chance[at].abs() >= observed[at].abs() - 1e-12)
        })
        .collect();
    std::array::from_fn(|at| {
        let extreme = as_extreme.iter().filter(|round| round[at]).count() as f64;
        (extreme + 1.0) / (f64::from(bootstrap.resamples) + 1.0)
    })
}

fn difference(first: [f64; 2], second: [f64; 2]) -> [f64; 2] {
    std::array::from_fn(|at| second[at] - first[at])
}

/// For each document 1 or 0, by a fair coin.
fn coins(seed: u64, round: u32, documents: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Streams below 2³² belong to the bootstrap.
    random.set_stream((1 << 32) + u64::from(round));
    (0..documents).map(|_| f64::from(u8::from(random.random::<bool>()))).collect()
}

fn names<'a>(comparison: &'a Comparison, pair: &Pair) -> (&'a str, &'a str) {
    let name = |at: usize| comparison.systems.get(at).map_or("", String::as_str);
    (name(pair.first), name(pair.second))
}

fn section(comparison: &Comparison, pair: &Pair, holm: &[f64]) -> Section {
    let (first, second) = names(comparison, pair);
    let mut scores = Table::new("scores", "score", &[first, second, "difference", "p_permutation", "p_holm"]);
    for (at, name) in FIGURES.iter().enumerate() {
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
            comparison.rows.len(),
            comparison.documents
        ),
        tables: vec![scores, answers],
    }
}

/// What may be claimed of two systems, in a sentence.
fn claim(comparison: &Comparison, pair: &Pair, holm: &[f64]) -> String {
    let (first, second) = names(comparison, pair);
    let macro_f1 = FIGURES.len() - 1;
    let difference = pair.figures.get(macro_f1).map(|f| f[2]).unwrap_or_default();
    let (Some(value), Some(low), Some(high)) = (difference.value, difference.low, difference.high) else {
        return format!("Nothing can be said of {first} and {second}: there is too little to compare.");
    };
    let p = holm.get(macro_f1).copied().unwrap_or(f64::NAN);
    let shown = Cell::PValue(p).shown();
    if p < LEVEL && (low > 0.0 || high < 0.0) {
        let (better, worse) = if value > 0.0 { (second, first) } else { (first, second) };
        let ends = if value > 0.0 { (low, high) } else { (-high, -low) };
        let size = value.abs();
        return format!(
            "{better} is better than {worse} on this kind of data: macro F1 {size:.3} higher, 95 % interval {:.3} to {:.3}, p = {shown}.",
            ends.0, ends.1
        );
    }
    if low > 0.0 || high < 0.0 {
        return format!(
            "It is not settled whether {first} and {second} differ: the interval of the macro F1 difference, {low:.3} to \
             {high:.3}, leaves 0 out, but the permutation test does not (p = {shown}); label more documents."
        );
    }
    format!(
        "These rows do not show that {first} and {second} differ: macro F1 differs by {value:.3}, and anything from {low:.3} \
         to {high:.3} would fit (p = {shown})."
    )
}

fn list_changes(report: &mut Report, comparison: &Comparison, pair: &Pair) {
    let (first, second) = names(comparison, pair);
    let (mut fixed, mut broken) = (Vec::new(), Vec::new());
    for row in &comparison.rows {
        let (Some(&one), Some(&other)) = (row.answers.get(pair.first), row.answers.get(pair.second)) else { continue };
        let change = match (one == row.gold, other == row.gold) {
            (false, true) => &mut fixed,
            (true, false) => &mut broken,
            _ => continue,
        };
        let class = |at: usize| comparison.classes.get(at).map_or("", String::as_str);
        let text: String = row.text.chars().take(120).collect();
        change.push(format!("{}: gold {}, {} → {}: {text}", row.id, class(row.gold), class(one), class(other)));
    }
    for (what, rows) in [("fixed", fixed), ("broken", broken)] {
        if !rows.is_empty() {
            report.lists.insert(format!("{what} by {second} where {first} differs"), rows);
        }
    }
}

fn state_protocol(report: &mut Report, comparison: &Comparison, bootstrap: &Bootstrap) {
    report.state("rows", "those that gold labels and every system answers");
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
    super::state_bootstrap(report, bootstrap, comparison.documents, "documents");
    if comparison.rows.is_empty() {
        report.notes.push("no labelled gold row is answered by every system: nothing is defined".into());
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
