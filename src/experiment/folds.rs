//! Whole documents into folds with alike shares of the classes, and nested subsets of training rows.

use super::data::Row;
use indexmap::IndexMap;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Documents with how many rows of each class they hold, in the order in which they are first seen.
fn documents(rows: &[Row], classes: usize) -> IndexMap<&str, Vec<f64>> {
    let mut documents: IndexMap<&str, Vec<f64>> = IndexMap::new();
    for row in rows {
        let counts = documents.entry(&row.document).or_insert_with(|| vec![0.0; classes]);
        counts.iter_mut().skip(row.class).take(1).for_each(|count| *count += 1.0);
    }
    documents
}

/// The fold of each row, from 0; rows of a document share one.
///
/// Documents with the most uneven classes come first, each into the fold that then keeps the classes' shares most even
/// among folds, or into the smallest of equal ones: scikit-learn's `StratifiedGroupKFold`. The seed shuffles documents
/// before; without one they keep their order.
pub fn stratified(rows: &[Row], classes: usize, folds: usize, seed: Option<u64>) -> Vec<usize> {
    let documents = documents(rows, classes);
    let totals = sums(documents.values(), classes);
    let mut order: Vec<(&str, &Vec<f64>)> = documents.iter().map(|(name, counts)| (*name, counts)).collect();
    if let Some(seed) = seed {
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    }
    order.sort_by(|(_, a), (_, b)| deviation(b).total_cmp(&deviation(a)));
    let mut filled = vec![vec![0.0; classes]; folds];
    let mut fold_of: IndexMap<&str, usize> = IndexMap::new();
    for (name, counts) in order {
        let fold = best_fold(&filled, counts, &totals);
        filled
            .iter_mut()
            .skip(fold)
            .take(1)
            .flat_map(|fold| fold.iter_mut().zip(counts))
            .for_each(|(sum, n)| *sum += n);
        fold_of.insert(name, fold);
    }
    rows.iter().map(|row| fold_of.get(row.document.as_str()).copied().unwrap_or(0)).collect()
}

fn sums<'a>(counts: impl Iterator<Item = &'a Vec<f64>>, classes: usize) -> Vec<f64> {
    counts.fold(vec![0.0; classes], |sums, counts| sums.iter().zip(counts).map(|(a, b)| a + b).collect())
}

fn best_fold(filled: &[Vec<f64>], counts: &[f64], totals: &[f64]) -> usize {
    let (mut best, mut least, mut smallest) = (0, f64::INFINITY, f64::INFINITY);
    for (fold, held) in filled.iter().enumerate() {
        let with = |class: usize, other: usize, rows: &[f64]| {
            let added = if other == fold { counts.get(class).copied().unwrap_or(0.0) } else { 0.0 };
            rows.get(class).copied().unwrap_or(0.0) + added
        };
        let of_class = totals.iter().enumerate().filter(|(_, total)| **total > 0.0).map(|(class, total)| {
            let shares: Vec<f64> =
                filled.iter().enumerate().map(|(other, rows)| with(class, other, rows) / total).collect();
            deviation(&shares)
        });
        let unevenness = of_class.sum::<f64>() / totals.len() as f64;
        let rows: f64 = held.iter().sum();
        // As numpy's isclose: sums that differ in the last digits only are equal.
        let equal = (unevenness - least).abs() <= 1e-8 + 1e-5 * least.abs();
        if unevenness < least || (equal && rows < smallest) {
            (best, least, smallest) = (fold, unevenness, rows);
        }
    }
    best
}

/// Standard deviation, of the whole population.
fn deviation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}

/// Rows of whole documents, in random order of documents, until there are `size` of them; a smaller size gives a subset
/// of what a larger one gives. The last document may go over by a few rows.
pub fn subset(rows: Vec<Row>, size: usize, seed: u64) -> Vec<Row> {
    let mut names: Vec<&str> = documents(&rows, 0).into_keys().collect();
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut sizes: IndexMap<&str, usize> = IndexMap::new();
    rows.iter().for_each(|row| *sizes.entry(&row.document).or_default() += 1);
    let mut taken = std::collections::HashSet::new();
    let mut held = 0;
    for name in names {
        if held >= size {
            break;
        }
        held += sizes.get(name).copied().unwrap_or(0);
        taken.insert(name.to_string());
    }
    rows.into_iter().filter(|row| taken.contains(&row.document)).collect()
}

/// `rows` without about `share` of them, and those, both of whole documents with alike classes.
pub fn held_out(rows: Vec<Row>, classes: usize, share: f64, seed: u64) -> (Vec<Row>, Vec<Row>) {
    if share <= 0.0 {
        return (rows, Vec::new());
    }
    let folds = (1.0 / share).round().max(2.0) as usize;
    let fold_of = stratified(&rows, classes, folds, Some(seed));
    let (held, kept): (Vec<_>, Vec<_>) = rows.into_iter().zip(fold_of).partition(|(_, fold)| *fold == 0);
    let rows = |pairs: Vec<(Row, usize)>| pairs.into_iter().map(|(row, _)| row).collect();
    (rows(kept), rows(held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(of: &[(u8, usize)]) -> Vec<Row> {
        let row = |(at, (document, class)): (usize, &(u8, usize))| Row {
            id: at.to_string(),
            document: document.to_string(),
            class: *class,
            ..Row::default()
        };
        of.iter().enumerate().map(row).collect()
    }

    proptest! {
        #[test]
        fn no_document_is_split_and_every_row_has_a_fold(
            of in prop::collection::vec((0u8..12, 0usize..3), 1..60),
            folds in 2usize..6,
            seed in any::<u64>(),
        ) {
            let rows = rows(&of);
            let fold_of = stratified(&rows, 3, folds, Some(seed));
            prop_assert_eq!(fold_of.len(), rows.len());
            prop_assert!(fold_of.iter().all(|fold| *fold < folds));
            for (a, fold) in rows.iter().zip(&fold_of) {
                for (b, other) in rows.iter().zip(&fold_of) {
                    prop_assert!(a.document != b.document || fold == other);
                }
            }
        }

        #[test]
        fn smaller_training_sets_lie_inside_larger_ones(
            of in prop::collection::vec((0u8..12, 0usize..3), 1..60),
            small in 0usize..30,
            more in 0usize..30,
            seed in any::<u64>(),
        ) {
            let rows = rows(&of);
            let (small, large) = (subset(rows.clone(), small, seed), subset(rows.clone(), small + more, seed));
            prop_assert!(small.iter().all(|row| large.contains(row)));
        }
    }

    #[test]
    fn held_out_documents_are_about_the_share() {
        let rows = rows(&(0..200u8).map(|at| (at, usize::from(at % 4 == 0))).collect::<Vec<_>>());
        let (kept, held) = held_out(rows, 2, 0.1, 7);
        assert_eq!((kept.len(), held.len()), (180, 20));
        assert_eq!(held.iter().filter(|row| row.class == 1).count(), 5);
    }
}
