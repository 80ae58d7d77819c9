//! One-to-one matching of spans by intersection over union.

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// The characters of a span that may have several parts: half-open ranges.
pub(super) type Ranges = Vec<(usize, usize)>;

/// A gold span and the predicted one that was assigned to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Index in gold.
    pub gold: usize,
    /// Index in the predictions.
    pub predicted: usize,
    /// Their intersection over union.
    pub iou: f64,
}

/// Intersection over union of two sets of half-open ranges, each taken as the set of its characters.
///
/// ```
/// use detente::evaluate::matching::iou;
/// assert_eq!(iou(&[(0, 10), (20, 30)], &[(5, 10), (20, 30)]), 0.75);
/// assert_eq!(iou(&[], &[]), 0.0);
/// ```
pub fn iou(a: &[(usize, usize)], b: &[(usize, usize)]) -> f64 {
    let (a, b) = (disjoint(a), disjoint(b));
    let shared: usize = a.iter().flat_map(|x| b.iter().map(|y| overlap(*x, *y))).sum();
    let union = size(&a) + size(&b) - shared;
    if union == 0 { 0.0 } else { shared as f64 / union as f64 }
}

/// Share of the characters of `of` that `by` covers; 0 of nothing.
pub fn coverage(of: &[(usize, usize)], by: &[(usize, usize)]) -> f64 {
    let (of, by) = (disjoint(of), disjoint(by));
    let shared: usize = of.iter().flat_map(|x| by.iter().map(|y| overlap(*x, *y))).sum();
    if size(&of) == 0 { 0.0 } else { shared as f64 / size(&of) as f64 }
}

/// The same characters as ascending ranges that neither touch nor hold nothing.
fn disjoint(ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut sorted: Vec<_> = ranges.iter().copied().filter(|(start, end)| start < end).collect();
    sorted.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn size(ranges: &[(usize, usize)]) -> usize {
    ranges.iter().map(|(start, end)| end - start).sum()
}

fn overlap(a: (usize, usize), b: (usize, usize)) -> usize {
    a.1.min(b.1).saturating_sub(a.0.max(b.0))
}

/// The one-to-one assignment with the largest sum of intersection over union, among pairs that reach `threshold`
/// (Kuhn–Munkres); ordered by gold index.
pub fn assign(gold: &[Vec<(usize, usize)>], predicted: &[Vec<(usize, usize)>], threshold: f64) -> Vec<Match> {
    let mut candidates = Vec::new();
    for (g, gold_ranges) in gold.iter().enumerate() {
        for (p, predicted_ranges) in predicted.iter().enumerate() {
            let iou = iou(gold_ranges, predicted_ranges);
            if iou > 0.0 && iou >= threshold {
                candidates.push(Match { gold: g, predicted: p, iou });
            }
        }
    }
    let mut matches: Vec<Match> = groups(candidates, gold.len()).into_iter().flat_map(|group| best(&group)).collect();
    matches.sort_unstable_by_key(|m| m.gold);
    matches
}

/// Candidates that compete with each other, group by group; groups are small, so that the cubic assignment is cheap.
fn groups(candidates: Vec<Match>, gold: usize) -> Vec<Vec<Match>> {
    let predicted = candidates.iter().map(|m| m.predicted + 1).max().unwrap_or(0);
    let mut parent: Vec<usize> = (0..gold + predicted).collect();
    for candidate in &candidates {
        let (a, b) = (root(&mut parent, candidate.gold), root(&mut parent, gold + candidate.predicted));
        if let Some(slot) = parent.get_mut(a) {
            *slot = b;
        }
    }
    let mut groups: std::collections::BTreeMap<usize, Vec<Match>> = std::collections::BTreeMap::new();
    for candidate in candidates {
        groups.entry(root(&mut parent, candidate.gold)).or_default().push(candidate);
    }
    groups.into_values().collect()
}

fn root(parent: &mut [usize], mut node: usize) -> usize {
    while let Some(&up) = parent.get(node)
        && up != node
    {
        // Halving the path keeps trees flat.
        let above = parent.get(up).copied().unwrap_or(up);
        if let Some(slot) = parent.get_mut(node) {
            *slot = above;
        }
        node = above;
    }
    node
}

/// The best assignment inside one group.
fn best(group: &[Match]) -> Vec<Match> {
    if let [only] = group {
        return vec![*only];
    }
    let mut gold: Vec<usize> = group.iter().map(|m| m.gold).collect();
    let mut predicted: Vec<usize> = group.iter().map(|m| m.predicted).collect();
    for side in [&mut gold, &mut predicted] {
        side.sort_unstable();
        side.dedup();
    }
    // The algorithm wants whole numbers and no more rows than columns.
    let size = gold.len().max(predicted.len());
    let mut weights = Matrix::new(size, size, 0i64);
    for m in group {
        if let (Ok(row), Ok(column)) = (gold.binary_search(&m.gold), predicted.binary_search(&m.predicted))
            && let Some(weight) = weights.get_mut((row, column))
        {
            *weight = (m.iou * SCALE).round() as i64;
        }
    }
    let (_, columns) = kuhn_munkres(&weights);
    let chosen = columns.iter().enumerate().filter_map(|(row, &column)| {
        let (g, p) = (gold.get(row)?, predicted.get(column)?);
        group.iter().find(|m| m.gold == *g && m.predicted == *p).copied()
    });
    chosen.collect()
}

/// Steps of one thousand-millionth: finer than any two intersections over union of real spans differ.
const SCALE: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_assignment_is_the_best_one_and_not_the_first_come() {
        let gold = vec![vec![(0, 10)], vec![(4, 14)]];
        let predicted = vec![vec![(3, 13)], vec![(0, 9)]];
        let matches = assign(&gold, &predicted, 0.5);
        let pairs: Vec<_> = matches.iter().map(|m| (m.gold, m.predicted)).collect();
        assert_eq!(pairs, [(0, 1), (1, 0)]);
    }

    #[test]
    fn one_long_span_is_matched_once_only() {
        let gold = vec![vec![(0, 10)], vec![(10, 19)]];
        assert_eq!(assign(&gold, &[vec![(0, 19)]], 0.5).len(), 1);
    }

    fn spans() -> impl Strategy<Value = Vec<Vec<(usize, usize)>>> {
        let part = (0usize..20, 0usize..6).prop_map(|(start, length)| (start, start + length));
        prop::collection::vec(prop::collection::vec(part, 0..3), 0..5)
    }

    /// The largest sum over all assignments, by trying them all.
    fn exhaustive(gold: &[Vec<(usize, usize)>], predicted: &[Vec<(usize, usize)>], used: &mut Vec<usize>) -> f64 {
        let Some((first, rest)) = gold.split_first() else { return 0.0 };
        let mut best = exhaustive(rest, predicted, used);
        for (p, ranges) in predicted.iter().enumerate() {
            let iou = iou(first, ranges);
            if iou >= 0.3 && !used.contains(&p) {
                used.push(p);
                best = best.max(iou + exhaustive(rest, predicted, used));
                used.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_other_assignment_is_better(gold in spans(), predicted in spans()) {
            let matches = assign(&gold, &predicted, 0.3);
            let sum: f64 = matches.iter().map(|m| m.iou).sum();
            prop_assert!((sum - exhaustive(&gold, &predicted, &mut Vec::new())).abs() < 1e-6);
            let mut used: Vec<_> = matches.iter().map(|m| m.predicted).collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), matches.len());
        }
    }
}
