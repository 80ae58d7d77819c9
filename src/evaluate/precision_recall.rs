//! Precision and recall at every threshold.

/// What taking all rows from a threshold on gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// Rows with this probability or more are taken.
    pub threshold: f64,
    /// Share of the taken rows that are of the class.
    pub precision: f64,
    /// Share of the rows of the class that are taken.
    pub recall: f64,
}

/// The precision-recall curve of rows with a probability and whether they are of the class, from the highest threshold to the
/// lowest, one point a threshold; empty where no row is of the class.
///
/// The points are scikit-learn's `precision_recall_curve` in the opposite order, without its last one (precision 1, recall 0),
/// which no threshold reaches.
///
/// ```
/// use detente::evaluate::precision_recall::curve;
/// let points = curve(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]);
/// let figures: Vec<_> = points.iter().map(|p| (p.threshold, p.precision, p.recall)).collect();
/// assert_eq!(figures, [(0.8, 1.0, 0.5), (0.4, 0.5, 0.5), (0.35, 2.0 / 3.0, 1.0), (0.1, 0.5, 1.0)]);
/// ```
pub fn curve(scored: &[(f64, bool)]) -> Vec<OperatingPoint> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let of_class = sorted.iter().filter(|(_, positive)| *positive).count() as f64;
    let (mut found, mut points) = (0.0, Vec::new());
    for (at, (threshold, positive)) in sorted.iter().enumerate() {
        found += f64::from(u8::from(*positive));
        let last_of_ties = sorted.get(at + 1).is_none_or(|next| next.0 < *threshold);
        if last_of_ties && of_class > 0.0 {
            let precision = found / (at as f64 + 1.0);
            points.push(OperatingPoint { threshold: *threshold, precision, recall: found / of_class });
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_one_point_and_nothing_to_find_is_no_curve() {
        let tied = curve(&[(0.5, true), (0.5, false), (0.2, true)]);
        assert_eq!(tied.iter().map(|p| (p.precision, p.recall)).collect::<Vec<_>>(), [(0.5, 0.5), (2.0 / 3.0, 1.0)]);
        assert!(curve(&[(0.5, false)]).is_empty() && curve(&[]).is_empty());
    }
}
