//! The likeliest valid sequence of tags (Viterbi over words, independent but for which tag may follow which).

use crate::entities::tags::{LabelSet, Tag};

/// What a forbidden step costs: more than any valid path, so that one is taken only where there is no valid path.
const FORBIDDEN: f64 = -1e6;

/// The steps between the labels of a model.
pub struct Viterbi {
    outside: Option<usize>,
    first: Vec<f64>,
    last: Vec<f64>,
    /// `between[next][before]`.
    between: Vec<Vec<f64>>,
}

impl Viterbi {
    /// What may follow what in `labels`.
    pub fn new(labels: &LabelSet) -> Self {
        let tags = labels.tags();
        let cost = |before, next| if labels.allows(before, next) { 0.0 } else { FORBIDDEN };
        Viterbi {
            outside: tags.iter().position(|tag| *tag == Tag::Outside),
            first: tags.iter().map(|tag| cost(None, Some(*tag))).collect(),
            last: tags.iter().map(|tag| cost(Some(*tag), None)).collect(),
            between: tags.iter().map(|n| tags.iter().map(|b| cost(Some(*b), Some(*n))).collect()).collect(),
        }
    }

    /// Label indices of the likeliest valid sequence, from the log-probabilities of each word's labels; a word without
    /// them is outside of entities.
    pub fn decode(&self, words: &[Option<Vec<f32>>]) -> Vec<usize> {
        if words.is_empty() {
            return Vec::new();
        }
        let mut scores = self.first.clone();
        let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(words.len());
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                let steps: Vec<(usize, f64)> = self.between.iter().map(|costs| best_of(&scores, costs)).collect();
                came_from.push(steps.iter().map(|step| step.0).collect());
                scores = steps.into_iter().map(|step| step.1).collect();
            }
            for (label, score) in scores.iter_mut().enumerate() {
                *score += self.emission(word.as_deref(), label);
            }
        }
        let mut label = best_of(&scores, &self.last).0;
        let mut path = vec![label];
        for from in came_from.iter().rev() {
            label = from[label];
            path.push(label);
        }
        path.reverse();
        path
    }

    fn emission(&self, word: Option<&[f32]>, label: usize) -> f64 {
        match (word, self.outside) {
            (Some(word), _) => word.get(label).copied().map_or(FORBIDDEN, f64::from),
            (None, Some(outside)) if label != outside => FORBIDDEN,
            (None, _) => 0.0,
        }
    }
}

/// The index and value of the largest sum, the first of equals.
fn best_of(scores: &[f64], costs: &[f64]) -> (usize, f64) {
    let sums = scores.iter().zip(costs).map(|(score, cost)| score + cost).enumerate();
    sums.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(labels: &[&str]) -> LabelSet {
        LabelSet::new(&labels.iter().map(|l| l.to_string()).collect::<Vec<_>>(), None).unwrap()
    }

    /// All sequences of `labels` labels, `words` long.
    fn sequences(labels: usize, words: usize) -> Vec<Vec<usize>> {
        (0..words).fold(vec![vec![]], |all, _| {
            all.iter().flat_map(|s| (0..labels).map(move |l| [s.as_slice(), &[l]].concat())).collect()
        })
    }

    fn is_valid(set: &LabelSet, path: &[usize]) -> bool {
        let tags: Vec<Option<Tag>> =
            [None].into_iter().chain(path.iter().map(|l| Some(set.tags()[*l]))).chain([None]).collect();
        tags.windows(2).all(|pair| set.allows(pair[0], pair[1]))
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_all_sequences_finds(
            scores in proptest::collection::vec(proptest::collection::vec(-8f32..0.0, 5), 1..5),
            bioes in any::<bool>(),
        ) {
            let bio = ["O", "B-A", "I-A", "B-B", "I-B"];
            let set = set(if bioes { &["O", "B-A", "I-A", "E-A", "S-A"] } else { &bio });
            let score = |path: &[usize]| path.iter().zip(&scores).map(|(l, s)| f64::from(s[*l])).sum::<f64>();
            let all = sequences(5, scores.len());
            let valid = all.iter().filter(|path| is_valid(&set, path));
            let best = valid.max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
            let words: Vec<_> = scores.iter().cloned().map(Some).collect();
            let found = Viterbi::new(&set).decode(&words);
            prop_assert!(is_valid(&set, &found));
            prop_assert!((score(&found) - score(best)).abs() < 1e-4);
        }
    }

    #[test]
    fn a_word_without_votes_is_outside_and_ends_an_entity() {
        let viterbi = Viterbi::new(&set(&["O", "B-A", "I-A"]));
        let inside = || Some(vec![-9.0, -1.0, -0.5]);
        assert_eq!(viterbi.decode(&[inside(), None, inside()]), [1, 0, 1]);
        assert_eq!(viterbi.decode(&[inside(), inside(), inside()]), [1, 2, 2]);
        assert_eq!(viterbi.decode(&[]), [0; 0]);
    }

    #[test]
    fn without_a_valid_path_there_is_still_an_answer() {
        assert_eq!(Viterbi::new(&set(&["B-A", "I-A", "E-A"])).decode(&[Some(vec![-1.0, -2.0, -3.0])]).len(), 1);
        assert_eq!(Viterbi::new(&set(&["B-A", "I-A"])).decode(&[None, None]), [0, 0]);
    }
}
