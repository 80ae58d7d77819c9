//! Scores of labels: what can be read off a confusion matrix.
//!
//! Definitions and the value of an empty fraction (0) are scikit-learn's. Averages over classes are taken over the
//! classes that occur in gold or predictions, as scikit-learn does when it is given no list of labels.

use super::resample::{Bootstrap, Counts, Estimate};

/// Counts of (gold, predicted) pairs over a fixed list of classes.
///
/// ```
/// use detente::evaluate::classes::Confusion;
/// let confusion = Confusion::of(2, [(0, 0), (0, 0), (0, 1), (1, 1)]);
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.f1(0), 0.8);
/// assert_eq!(confusion.kappa(), 0.5);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Confusion {
    classes: usize,
    cells: Vec<f64>,
}

impl Confusion {
    /// Counts `pairs` of class numbers; a pair with a number of `classes` or more is ignored.
    pub fn of(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = Counts::new(classes * classes);
        pairs.into_iter().for_each(|(gold, predicted)| {
            if gold < classes && predicted < classes {
                counts.add(0, gold * classes + predicted, 1.0);
            }
        });
        Confusion::from_cells(classes, counts.all())
    }

    /// From its cells, row by row (a row is a gold class).
    pub fn from_cells(classes: usize, cells: Vec<f64>) -> Self {
        Confusion { classes, cells }
    }

    /// Rows with this gold class and this prediction.
    pub fn cell(&self, gold: usize, predicted: usize) -> f64 {
        self.cells.get(gold * self.classes + predicted).copied().unwrap_or(0.0)
    }

    /// Rows of gold class `class`.
    pub fn gold(&self, class: usize) -> f64 {
        (0..self.classes).map(|predicted| self.cell(class, predicted)).sum()
    }

    /// Rows predicted as `class`.
    pub fn predicted(&self, class: usize) -> f64 {
        (0..self.classes).map(|gold| self.cell(gold, class)).sum()
    }

    /// All rows.
    pub fn total(&self) -> f64 {
        self.cells.iter().sum()
    }

    /// Share of rows on the diagonal; NaN without rows.
    pub fn accuracy(&self) -> f64 {
        self.right() / self.total()
    }

    /// Share of the rows predicted as `class` that are it.
    pub fn precision(&self, class: usize) -> f64 {
        share(self.cell(class, class), self.predicted(class))
    }

    /// Share of the rows of gold `class` that were predicted so.
    pub fn recall(&self, class: usize) -> f64 {
        share(self.cell(class, class), self.gold(class))
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self, class: usize) -> f64 {
        share(2.0 * self.cell(class, class), self.gold(class) + self.predicted(class))
    }

    /// Mean of `score` over the classes that occur; NaN without rows.
    pub fn macro_mean(&self, score: impl Fn(&Self, usize) -> f64) -> f64 {
        let present = (0..self.classes).filter(|&k| self.gold(k) + self.predicted(k) > 0.0);
        let (sum, count) = present.fold((0.0, 0.0), |(sum, count), k| (sum + score(self, k), count + 1.0));
        sum / count
    }

    /// Mean of F1 weighted by the gold rows of each class; NaN without rows.
    pub fn weighted_f1(&self) -> f64 {
        (0..self.classes).map(|k| self.gold(k) * self.f1(k)).sum::<f64>() / self.total()
    }

    /// Mean recall over the classes that occur in gold; NaN without rows.
    pub fn balanced_accuracy(&self) -> f64 {
        let present: Vec<f64> = (0..self.classes).filter(|&k| self.gold(k) > 0.0).map(|k| self.recall(k)).collect();
        present.iter().sum::<f64>() / present.len() as f64
    }

    /// Matthews' correlation coefficient for any number of classes (Gorodkin 2004); 0 where one side is constant.
    pub fn mcc(&self) -> f64 {
        let total = self.total();
        if total == 0.0 {
            return f64::NAN;
        }
        let (mut chance, mut gold, mut predicted) = (0.0, 0.0, 0.0);
        for k in 0..self.classes {
            chance += self.gold(k) * self.predicted(k);
            gold += self.gold(k).powi(2);
            predicted += self.predicted(k).powi(2);
        }
        let spread = (total * total - gold) * (total * total - predicted);
        share(self.right() * total - chance, spread.max(0.0).sqrt())
    }

    /// Cohen's kappa (1960); NaN where both sides are one and the same constant, since agreement by chance is then sure.
    pub fn kappa(&self) -> f64 {
        let total = self.total();
        let chance: f64 = (0..self.classes).map(|k| self.gold(k) * self.predicted(k)).sum::<f64>() / (total * total);
        let agreement = self.accuracy();
        if chance == 1.0 { f64::NAN } else { (agreement - chance) / (1.0 - chance) }
    }

    fn right(&self) -> f64 {
        (0..self.classes).map(|k| self.cell(k, k)).sum()
    }
}

/// `part / whole`, 0 of nothing.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// One scored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled {
    /// Number of its document.
    pub document: usize,
    /// Gold class.
    pub gold: usize,
    /// Predicted class.
    pub predicted: usize,
}

/// The figures of one system on one set of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    /// Whole-set figures, in the order of [`OVERALL`].
    pub overall: Vec<Estimate>,
    /// Precision, recall and F1 of each class.
    pub classes: Vec<[Estimate; 3]>,
    /// The counts behind them.
    pub confusion: Confusion,
    /// How many documents the rows stand in.
    pub documents: usize,
}

impl ClassScores {
    /// The whole-set figure called `name` in [`OVERALL`].
    pub fn figure(&self, name: &str) -> Estimate {
        let place = OVERALL.iter().position(|figure| *figure == name);
        place.and_then(|at| self.overall.get(at).copied()).unwrap_or_default()
    }
}

/// Names of the whole-set figures.
pub const OVERALL: [&str; 8] = [
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_f1",
    "mcc",
    "cohen_kappa",
];

/// Scores `rows` over `classes` classes, resampling `documents` documents.
pub fn score(rows: &[Labelled], classes: usize, documents: usize, bootstrap: &Bootstrap) -> ClassScores {
    let mut scores = score_groups(&[rows.to_vec()], classes, documents, bootstrap);
    // One group gives one set of scores.
    scores.remove(0)
}

/// Scores several groups of rows on the same resamples.
pub fn score_groups(
    groups: &[Vec<Labelled>],
    classes: usize,
    documents: usize,
    bootstrap: &Bootstrap,
) -> Vec<ClassScores> {
    let counts: Vec<Counts> = groups.iter().map(|rows| counted(rows, classes)).collect();
    let figures = OVERALL.len() + 3 * classes;
    let estimates = bootstrap.estimates(documents, figures * groups.len(), |weights, out| {
        for (counts, out) in counts.iter().zip(out.chunks_exact_mut(figures)) {
            write_figures(&Confusion::from_cells(classes, counts.total(weights)), out);
        }
    });
    let scores = estimates.chunks_exact(figures).zip(&counts).map(|(estimates, counts)| {
        let (overall, per_class) = estimates.split_at(OVERALL.len());
        ClassScores {
            overall: overall.to_vec(),
            classes: per_class.as_chunks::<3>().0.to_vec(),
            confusion: Confusion::from_cells(classes, counts.all()),
            documents: counts.documents(),
        }
    });
    scores.collect()
}

fn counted(rows: &[Labelled], classes: usize) -> Counts {
    let mut counts = Counts::new(classes * classes);
    for row in rows.iter().filter(|row| row.gold < classes && row.predicted < classes) {
        counts.add(row.document, row.gold * classes + row.predicted, 1.0);
    }
    counts
}

/// The figures in the order of [`OVERALL`], then precision, recall and F1 class by class.
fn write_figures(confusion: &Confusion, out: &mut [f64]) {
    let overall = [
        confusion.accuracy(),
        confusion.balanced_accuracy(),
        confusion.macro_mean(Confusion::precision),
        confusion.macro_mean(Confusion::recall),
        confusion.macro_mean(Confusion::f1),
        confusion.weighted_f1(),
        confusion.mcc(),
        confusion.kappa(),
    ];
    let classes = (0..confusion.classes).flat_map(|k| [confusion.precision(k), confusion.recall(k), confusion.f1(k)]);
    out.iter_mut().zip(overall.into_iter().chain(classes)).for_each(|(slot, value)| *slot = value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_score_is_undefined_and_never_panics() {
        let scores = score(&[], 3, 0, &Bootstrap::default());
        assert!(scores.overall.iter().all(|e| e.value.is_none()));
        assert!(scores.classes.iter().flatten().all(|e| e.value == Some(0.0)));
    }

    #[test]
    fn one_class_everywhere_leaves_kappa_undefined_and_the_rest_perfect() {
        let confusion = Confusion::of(3, [(1, 1); 5]);
        assert!(confusion.kappa().is_nan());
        assert_eq!((confusion.mcc(), confusion.accuracy(), confusion.macro_mean(Confusion::f1)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn a_class_that_nobody_used_does_not_pull_the_mean_down() {
        let confusion = Confusion::of(3, [(0, 0), (1, 1)]);
        assert_eq!(confusion.macro_mean(Confusion::f1), 1.0);
        assert_eq!(confusion.balanced_accuracy(), 1.0);
    }
}
