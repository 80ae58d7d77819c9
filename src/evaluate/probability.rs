//! Scores of probabilities: how good they are as odds, as a ranking, and as a measure of certainty.
//!
//! Log loss, ROC AUC and average precision are scikit-learn's. The Brier score is the one of several classes (Brier
//! 1950): the squared distance to the truth summed over classes, 0 to 2. The expected calibration error takes the most
//! probable class in bins of equal width (Guo et al. 2017).

use super::resample::{Bootstrap, Estimate};
use super::rows::PROBABILITY_STEP;

/// One row with probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast<P> {
    /// Number of its document.
    pub document: usize,
    /// Gold class.
    pub gold: usize,
    /// Probability of each class (an array or a vector); they sum to 1.
    pub probabilities: P,
}

impl<P: AsRef<[f64]>> Forecast<P> {
    /// The most probable class, the first of several equal ones, and its probability.
    pub fn chosen(&self) -> (usize, f64) {
        let mut best = (0, f64::NEG_INFINITY);
        for (class, &probability) in self.probabilities.as_ref().iter().enumerate() {
            if probability > best.1 {
                best = (class, probability);
            }
        }
        best
    }

    fn of_gold(&self) -> f64 {
        self.of_class(self.gold)
    }

    fn of_class(&self, class: usize) -> f64 {
        self.probabilities.as_ref().get(class).copied().unwrap_or(0.0)
    }

    fn is_right(&self) -> bool {
        self.chosen().0 == self.gold
    }
}

/// Bins of the expected calibration error.
pub const BINS: usize = 10;

/// Shares of the most certain rows for which accuracy is given.
pub const COVERAGES: [f64; 6] = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5];

/// Names of the first figures of [`Forecasts::estimates`].
pub const OVERALL: [&str; 3] = ["log_loss", "brier_score", "expected_calibration_error"];

/// Rows with probabilities, sorted once in all the ways that the figures need.
#[derive(Debug, Clone)]
pub struct Forecasts {
    rows: Vec<Judged>,
    /// Below this a probability counts as this much in the log loss.
    floor: f64,
    /// Rows by falling probability of each class: document, whether it is the class, whether the next row differs.
    rankings: Vec<Vec<Ranked>>,
    /// Rows by falling certainty: document, whether it is right.
    certainty: Vec<(usize, bool)>,
}

/// What a row adds to the sums.
#[derive(Debug, Clone, Copy)]
struct Judged {
    document: usize,
    log_loss: f64,
    squared_distance: f64,
    confidence: f64,
    bin: usize,
    right: f64,
}

impl Judged {
    fn new<P: AsRef<[f64]>>(row: &Forecast<P>, floor: f64) -> Self {
        let (_, confidence) = row.chosen();
        Judged {
            document: row.document,
            log_loss: -row.of_gold().clamp(floor, 1.0 - floor).ln(),
            squared_distance: squared_distance(row),
            confidence,
            // A bin holds its upper end but not its lower one.
            bin: ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1,
            right: f64::from(row.is_right()),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Ranked {
    document: usize,
    positive: bool,
    last_of_ties: bool,
}

impl Forecasts {
    /// Sorts `rows`, whose probabilities are those of `classes` classes.
    pub fn new<P: AsRef<[f64]>>(rows: &[Forecast<P>], classes: usize) -> Self {
        let rankings = (0..classes).map(|class| ranking(rows, class)).collect();
        let mut order: Vec<(usize, f64, bool)> =
            rows.iter().map(|row| (row.document, row.chosen().1, row.is_right())).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let certainty = order.into_iter().map(|(document, _, right)| (document, right)).collect();
        let floor = floor(rows);
        Forecasts { floor, rankings, certainty, rows: rows.iter().map(|row| Judged::new(row, floor)).collect() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Below this a probability counts as this much in the log loss: half the last digit written, so that a rounded 0
    /// is not taken for certainty; where probabilities carry more than three decimals, scikit-learn's 2.2e-16.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// The figures of [`OVERALL`], then ROC AUC and average precision of each class, then accuracy at [`COVERAGES`].
    pub fn estimates(&self, documents: usize, bootstrap: &Bootstrap) -> Vec<Estimate> {
        let figures = OVERALL.len() + 2 * self.rankings.len() + COVERAGES.len();
        bootstrap.estimates(documents, figures, |weights, out| {
            let overall = self.overall(weights);
            let ranked = self.rankings.iter().flat_map(|ranking| area_and_precision(ranking, weights));
            let covered = self.covered(weights);
            let values = overall.into_iter().chain(ranked).chain(covered);
            out.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        })
    }

    fn overall(&self, weights: &[f64]) -> [f64; 3] {
        let (mut total, mut log_loss, mut brier) = (0.0, 0.0, 0.0);
        for row in &self.rows {
            let weight = weight(weights, row.document);
            if weight > 0.0 {
                total += weight;
                log_loss += weight * row.log_loss;
                brier += weight * row.squared_distance;
            }
        }
        let error: f64 = self.bins(weights).iter().map(|bin| (bin.right - bin.confidence).abs()).sum();
        [log_loss / total, brier / total, error / total]
    }

    /// The calibration bins of the whole sample.
    pub fn all_bins(&self) -> [Bin; BINS] {
        let documents = self.rows.iter().map(|row| row.document + 1).max().unwrap_or(0);
        self.bins(&vec![1.0; documents])
    }

    fn bins(&self, weights: &[f64]) -> [Bin; BINS] {
        let mut bins = [Bin::default(); BINS];
        for row in &self.rows {
            let weight = weight(weights, row.document);
            if let Some(bin) = bins.get_mut(row.bin) {
                bin.rows += weight;
                bin.confidence += weight * row.confidence;
                bin.right += weight * row.right;
            }
        }
        bins
    }

    /// Accuracy of the most certain rows, for each share in [`COVERAGES`].
    fn covered(&self, weights: &[f64]) -> Vec<f64> {
        let total: f64 = self.certainty.iter().map(|(document, _)| weight(weights, *document)).sum();
        let mut wanted: Vec<f64> = COVERAGES.iter().map(|share| (share * total).round().max(1.0)).collect();
        let mut accuracies = Vec::with_capacity(COVERAGES.len());
        let (mut rows, mut right) = (0.0, 0.0);
        for (document, is_right) in &self.certainty {
            let weight = weight(weights, *document);
            // The last document may be needed in part only.
            while let Some(&next) = wanted.last()
                && rows + weight >= next
            {
                accuracies.push((right + (next - rows) * f64::from(*is_right)) / next);
                wanted.pop();
            }
            rows += weight;
            right += weight * f64::from(*is_right);
        }
        accuracies.resize(COVERAGES.len(), f64::NAN);
        accuracies.reverse();
        accuracies
    }
}

/// What fell into a bin, as sums.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Rows.
    pub rows: f64,
    /// Sum of the probabilities of the chosen class.
    pub confidence: f64,
    /// Rows whose chosen class is right.
    pub right: f64,
}

fn weight(weights: &[f64], document: usize) -> f64 {
    weights.get(document).copied().unwrap_or(0.0)
}

fn squared_distance<P: AsRef<[f64]>>(row: &Forecast<P>) -> f64 {
    let truth = |class: usize| f64::from(class == row.gold);
    row.probabilities.as_ref().iter().enumerate().map(|(class, p)| (p - truth(class)).powi(2)).sum()
}

fn floor<P: AsRef<[f64]>>(rows: &[Forecast<P>]) -> f64 {
    let whole = |p: &f64| (p / PROBABILITY_STEP - (p / PROBABILITY_STEP).round()).abs() < 1e-6;
    let rounded = rows.iter().flat_map(|row| row.probabilities.as_ref()).all(whole);
    if rounded { PROBABILITY_STEP / 2.0 } else { f64::EPSILON }
}

fn ranking<P: AsRef<[f64]>>(rows: &[Forecast<P>], class: usize) -> Vec<Ranked> {
    let score = |row: &Forecast<P>| row.of_class(class);
    let mut order: Vec<&Forecast<P>> = rows.iter().collect();
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let next = order.iter().skip(1).map(|row| Some(score(row))).chain([None]);
    let ranked = order.iter().zip(next).map(|(row, next)| Ranked {
        document: row.document,
        positive: row.gold == class,
        last_of_ties: next != Some(score(row)),
    });
    ranked.collect()
}

/// Area under the ROC curve and average precision; NaN where a side is missing.
fn area_and_precision(ranking: &[Ranked], weights: &[f64]) -> [f64; 2] {
    let (mut positives, mut negatives, mut area, mut precision) = (0.0, 0.0, 0.0, 0.0);
    let (mut tied_positives, mut tied_negatives) = (0.0, 0.0);
    for row in ranking {
        let weight = weight(weights, row.document);
        if row.positive {
            tied_positives += weight;
        } else {
            tied_negatives += weight;
        }
        if row.last_of_ties {
            area += tied_negatives * (positives + tied_positives / 2.0);
            positives += tied_positives;
            negatives += tied_negatives;
            if positives + negatives > 0.0 {
                precision += tied_positives * positives / (positives + negatives);
            }
            (tied_positives, tied_negatives) = (0.0, 0.0);
        }
    }
    [area / (positives * negatives), precision / positives]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecasts(rows: &[(usize, [f64; 2])]) -> Forecasts {
        let row = |(document, (gold, probabilities)): (usize, &(usize, [f64; 2]))| Forecast {
            document,
            gold: *gold,
            probabilities: *probabilities,
        };
        Forecasts::new(&rows.iter().enumerate().map(row).collect::<Vec<_>>(), 2)
    }

    #[test]
    fn without_rows_or_with_one_class_nothing_panics() {
        let none = Bootstrap { resamples: 10, ..Bootstrap::default() };
        assert!(forecasts(&[]).estimates(0, &none).iter().all(|e| e.value.is_none()));
        let one = forecasts(&[(0, [0.9, 0.1]), (0, [0.4, 0.6])]).estimates(2, &none);
        assert_eq!(one[3].value, None, "no ROC curve without a second class");
        assert_eq!(one[4].value, Some(1.0), "every row is the class");
    }

    #[test]
    fn leaving_out_the_uncertain_raises_accuracy_where_certainty_is_worth_something() {
        let rows = [(0, [0.9, 0.1]), (1, [0.2, 0.8]), (0, [0.4, 0.6]), (1, [0.55, 0.45])];
        let estimates = forecasts(&rows).estimates(4, &Bootstrap { resamples: 0, ..Bootstrap::default() });
        let covered: Vec<f64> = estimates[7..].iter().filter_map(|e| e.value).collect();
        assert_eq!(covered, [0.5, 0.5, 2.0 / 3.0, 2.0 / 3.0, 1.0, 1.0]);
    }

    #[test]
    fn a_rounded_zero_is_not_certainty() {
        assert_eq!(forecasts(&[(1, [1.0, 0.0])]).floor(), 0.0005);
        assert_eq!(forecasts(&[(1, [0.1234, 0.8766])]).floor(), f64::EPSILON);
    }
}
