//! Partial credit for entities: the four schemes of SemEval-2013 task 9.1, counted as the nervaluate package does.

use super::classes::share;
use super::conll::Chunk;

/// What makes a predicted entity right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Bounds and type.
    Strict,
    /// Bounds, whatever the type.
    Exact,
    /// Bounds; an overlap counts half.
    Partial,
    /// Type, with some overlap.
    Type,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Scheme; 4] = [Scheme::Strict, Scheme::Exact, Scheme::Partial, Scheme::Type];

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Strict => "strict",
            Scheme::Exact => "exact",
            Scheme::Partial => "partial",
            Scheme::Type => "type",
        }
    }

    fn is_right(self, gold: &Chunk, predicted: &Chunk) -> bool {
        let bounds = gold.start == predicted.start && gold.end == predicted.end;
        match self {
            Scheme::Strict => bounds && gold.kind == predicted.kind,
            Scheme::Exact | Scheme::Partial => bounds,
            Scheme::Type => gold.kind == predicted.kind && overlaps(gold, predicted),
        }
    }
}

/// Places in [`count`]'s answer: right, wrong, half right, missed, spurious.
pub const OUTCOMES: [&str; 5] = ["correct", "incorrect", "partial", "missed", "spurious"];

/// Counts the outcomes of one sentence or document, in the order of [`OUTCOMES`].
///
/// Predictions are taken in order; each takes a gold entity that is left: one for which it is right, else the first that
/// it overlaps.
pub fn count(scheme: Scheme, gold: &[&Chunk], predicted: &[&Chunk]) -> [f64; 5] {
    let mut left: Vec<&Chunk> = gold.to_vec();
    let mut outcomes = [0.0; 5];
    for prediction in predicted {
        let right = best(scheme, &left, prediction);
        let taken = right.or_else(|| left.iter().position(|gold| overlaps(gold, prediction)));
        let outcome = match (right, taken, scheme) {
            (Some(_), _, _) => 0,
            (None, Some(_), Scheme::Partial) => 2,
            (None, Some(_), _) => 1,
            (None, None, _) => 4,
        };
        outcomes[outcome] += 1.0;
        if let Some(at) = taken {
            left.remove(at);
        }
    }
    outcomes[3] = left.len() as f64;
    outcomes
}

/// The gold entity for which `prediction` is right; by type alone the one with the nearest bounds.
fn best(scheme: Scheme, left: &[&Chunk], prediction: &Chunk) -> Option<usize> {
    let right = left.iter().enumerate().filter(|(_, gold)| scheme.is_right(gold, prediction));
    let distance = |gold: &Chunk| gold.start.abs_diff(prediction.start) + gold.end.abs_diff(prediction.end);
    right.min_by_key(|(_, gold)| distance(gold)).map(|(at, _)| at)
}

/// Whether the two share at least a hundredth of the gold entity.
fn overlaps(gold: &Chunk, predicted: &Chunk) -> bool {
    let shared = gold.end.min(predicted.end).saturating_sub(gold.start.max(predicted.start));
    shared > 0 && shared * 100 >= gold.end.saturating_sub(gold.start)
}

/// Precision, recall and F1 of counted outcomes; what is half right counts half.
pub fn figures([correct, incorrect, partial, missed, spurious]: [f64; 5]) -> [f64; 3] {
    let right = correct + partial / 2.0;
    let precision = share(right, correct + incorrect + partial + spurious);
    let recall = share(right, correct + incorrect + partial + missed);
    [precision, recall, share(2.0 * precision * recall, precision + recall)]
}
