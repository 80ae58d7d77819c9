//! The bag-of-words baseline: TF-IDF of words and letters with logistic regression.
//!
//! A model that does not beat it has learned nothing that word counts do not show. Features and objective are those of
//! scikit-learn's `TfidfVectorizer` (words 1–2 grams; letters 2–5 grams within words; logarithmic counts; at least two
//! training rows; each kind scaled to length 1) and `LogisticRegression` (C = 1), so that figures can be repeated there.
//! The regression is fitted here because well-kept crates for it want dense features, which are too many.

use rayon::prelude::*;
use regex::Regex;
use std::collections::HashMap;

/// What stands in protocols.
pub const DESCRIPTION: &str = "bag of words: TF-IDF (words 1-2 grams, letters 2-5 grams, sublinear, in at least 2 rows) \
                               with logistic regression (C = 1) on the quote alone";

/// A trained baseline.
#[derive(Debug, Clone)]
pub struct BagOfWords {
    words: Vocabulary,
    letters: Vocabulary,
    classes: usize,
    /// Row by row a weight a feature, then the intercepts: `(features + 1) × classes`.
    weights: Vec<f64>,
}

/// A text as (feature, value) pairs in ascending order of features.
type Sparse = Vec<(u32, f64)>;

impl BagOfWords {
    /// Trains on `texts` with class numbers below `classes`; none when there are fewer than two classes in use.
    ///
    /// ```
    /// use detente::evaluate::baseline::BagOfWords;
    /// let texts = ["we are ready to talk", "we will never yield", "ready to talk at last", "never shall we yield"];
    /// let model = BagOfWords::train(&texts, &[0, 1, 0, 1], 2).unwrap();
    /// assert!(model.probabilities(&["they are ready to talk"])[0][0] > 0.5);
    /// ```
    pub fn train(texts: &[&str], labels: &[usize], classes: usize) -> Option<Self> {
        let mut used: Vec<usize> = labels.iter().copied().filter(|label| *label < classes).collect();
        used.sort_unstable();
        used.dedup();
        if used.len() < 2 || texts.len() != labels.len() {
            return None;
        }
        let word_lists: Vec<_> = texts.par_iter().map(|text| word_grams(text)).collect();
        let letter_lists: Vec<_> = texts.par_iter().map(|text| letter_grams(text)).collect();
        let words = Vocabulary::of(&word_lists);
        let letters = Vocabulary::of(&letter_lists);
        let lists = word_lists.iter().zip(&letter_lists);
        let rows: Vec<Sparse> = lists.map(|(w, l)| joined(&words, w, &letters, l)).collect();
        let problem = Problem { rows: &rows, labels, features: words.len() + letters.len(), classes };
        let weights = minimise(&problem);
        Some(BagOfWords { words, letters, classes, weights })
    }

    /// The probability of each class for each text.
    pub fn probabilities(&self, texts: &[&str]) -> Vec<Vec<f64>> {
        let features = self.words.len() + self.letters.len();
        let row = |text: &&str| {
            let row = joined(&self.words, &word_grams(text), &self.letters, &letter_grams(text));
            softmax(&scores(&self.weights, features, self.classes, &row))
        };
        texts.par_iter().map(row).collect()
    }
}

/// Features with their inverse document frequency.
#[derive(Debug, Clone, Default)]
struct Vocabulary {
    features: HashMap<String, (u32, f64)>,
}

impl Vocabulary {
    /// The grams that at least two texts hold.
    fn of(lists: &[Vec<String>]) -> Self {
        let mut frequency: HashMap<&str, (usize, usize)> = HashMap::new();
        for (text, grams) in lists.iter().enumerate() {
            for gram in grams {
                let (count, last) = frequency.entry(gram).or_insert((0, usize::MAX));
                if *last != text {
                    (*count, *last) = (*count + 1, text);
                }
            }
        }
        let mut kept: Vec<(&str, usize)> = frequency
            .into_iter()
            .filter(|(_, (count, _))| *count >= 2)
            .map(|(gram, (count, _))| (gram, count))
            .collect();
        kept.sort_unstable();
        let texts = lists.len() as f64;
        let feature = |(number, (gram, count)): (usize, (&str, usize))| {
            (gram.to_string(), (number as u32, ((1.0 + texts) / (1.0 + count as f64)).ln() + 1.0))
        };
        Vocabulary { features: kept.into_iter().enumerate().map(feature).collect() }
    }

    fn len(&self) -> usize {
        self.features.len()
    }

    /// TF-IDF values of length 1, features counted from `first`.
    fn vector(&self, grams: &[String], first: u32) -> Sparse {
        let mut counts: HashMap<u32, (f64, f64)> = HashMap::new();
        for (number, idf) in grams.iter().filter_map(|gram| self.features.get(gram)) {
            counts.entry(*number).or_insert((0.0, *idf)).0 += 1.0;
        }
        let mut row: Sparse = counts.into_iter().map(|(f, (n, idf))| (first + f, (1.0 + n.ln()) * idf)).collect();
        // A fixed order keeps sums, and so answers, the same from run to run.
        row.sort_unstable_by_key(|(feature, _)| *feature);
        let length = row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        row.iter_mut().for_each(|(_, value)| *value /= length);
        row
    }
}

fn joined(words: &Vocabulary, word_grams: &[String], letters: &Vocabulary, letter_grams: &[String]) -> Sparse {
    let mut row = words.vector(word_grams, 0);
    row.extend(letters.vector(letter_grams, words.len() as u32));
    row
}

/// Words of two or more letters or digits, lower case, and pairs of neighbours.
fn word_grams(text: &str) -> Vec<String> {
    static WORD: std::sync::LazyLock<Option<Regex>> = std::sync::LazyLock::new(|| Regex::new(r"\b\w\w+\b").ok());
    let text = text.to_lowercase();
    let words: Vec<&str> = WORD.iter().flat_map(|word| word.find_iter(&text)).map(|found| found.as_str()).collect();
    let pairs = words.iter().zip(words.iter().skip(1)).map(|(a, b)| format!("{a} {b}"));
    words.iter().map(|word| word.to_string()).chain(pairs).collect()
}

/// Runs of 2 to 5 characters within words that carry a space at both ends; a word shorter than the run counts once.
fn letter_grams(text: &str) -> Vec<String> {
    let mut grams = Vec::new();
    for word in text.to_lowercase().split_whitespace() {
        let letters: Vec<char> = std::iter::once(' ').chain(word.chars()).chain([' ']).collect();
        for length in 2..=5 {
            if letters.len() <= length {
                grams.push(letters.iter().collect());
                break;
            }
            grams.extend(letters.windows(length).map(|run| run.iter().collect::<String>()));
        }
    }
    grams
}

/// What is minimised: the summed log loss and half the squared weights (intercepts are free).
struct Problem<'a> {
    rows: &'a [Sparse],
    labels: &'a [usize],
    features: usize,
    classes: usize,
}

/// Rows in one piece of work: fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 512;

impl Problem<'_> {
    fn loss_and_gradient(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let chunks: Vec<(f64, Vec<f64>)> = self
            .rows
            .par_chunks(CHUNK)
            .zip(self.labels.par_chunks(CHUNK))
            .map(|(r, l)| self.chunk(weights, r, l))
            .collect();
        let mut loss = 0.0;
        let mut gradient = vec![0.0; weights.len()];
        for (part, partial) in chunks {
            loss += part;
            gradient.iter_mut().zip(partial).for_each(|(sum, value)| *sum += value);
        }
        let penalised = self.features * self.classes;
        for (slope, weight) in gradient.iter_mut().zip(weights).take(penalised) {
            loss += 0.5 * weight * weight;
            *slope += weight;
        }
        (loss, gradient)
    }

    fn chunk(&self, weights: &[f64], rows: &[Sparse], labels: &[usize]) -> (f64, Vec<f64>) {
        let mut loss = 0.0;
        let mut gradient = vec![0.0; weights.len()];
        for (row, &label) in rows.iter().zip(labels) {
            let mut error = softmax(&scores(weights, self.features, self.classes, row));
            if let Some(probability) = error.get_mut(label) {
                loss -= probability.max(f64::MIN_POSITIVE).ln();
                *probability -= 1.0;
            }
            let intercept = std::iter::once((self.features as u32, 1.0));
            for (feature, value) in row.iter().copied().chain(intercept) {
                let slots = gradient.iter_mut().skip(feature as usize * self.classes);
                slots.zip(&error).for_each(|(slot, error)| *slot += value * error);
            }
        }
        (loss, gradient)
    }
}

fn scores(weights: &[f64], features: usize, classes: usize, row: &Sparse) -> Vec<f64> {
    let mut scores: Vec<f64> = weights.iter().skip(features * classes).copied().collect();
    for (feature, value) in row {
        let weights = weights.iter().skip(*feature as usize * classes);
        scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += value * weight);
    }
    scores
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// How many past steps L-BFGS remembers, and how many it takes at most.
const MEMORY: usize = 10;
const STEPS: usize = 500;
/// The largest slope at which the minimum counts as reached.
const TOLERANCE: f64 = 1e-5;

/// Minimises by L-BFGS (Nocedal and Wright 2006, algorithm 7.4) with backtracking.
fn minimise(problem: &Problem) -> Vec<f64> {
    let mut weights = vec![0.0; (problem.features + 1) * problem.classes];
    let (mut loss, mut gradient) = problem.loss_and_gradient(&weights);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for _ in 0..STEPS {
        if gradient.iter().fold(0.0f64, |largest, slope| largest.max(slope.abs())) < TOLERANCE {
            break;
        }
        let direction = direction(&gradient, &memory);
        let Some((next, next_loss, next_gradient)) = step(problem, &weights, loss, &gradient, &direction) else {
            break;
        };
        let moved: Vec<f64> = next.iter().zip(&weights).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        // Without positive curvature the step would spoil the approximation.
        if dot(&moved, &turned) > 0.0 {
            memory.push((moved, turned));
            if memory.len() > MEMORY {
                memory.remove(0);
            }
        }
        (weights, loss, gradient) = (next, next_loss, next_gradient);
    }
    weights
}

/// The quasi-Newton direction downhill.
fn direction(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut steps = Vec::with_capacity(memory.len());
    for (moved, turned) in memory.iter().rev() {
        let step = dot(moved, &direction) / dot(moved, turned);
        direction.iter_mut().zip(turned).for_each(|(d, t)| *d -= step * t);
        steps.push(step);
    }
    let scale = memory.last().map_or(1.0 / dot(gradient, gradient).sqrt().max(1.0), |(m, t)| dot(m, t) / dot(t, t));
    direction.iter_mut().for_each(|d| *d *= scale);
    for ((moved, turned), step) in memory.iter().zip(steps.into_iter().rev()) {
        let back = dot(turned, &direction) / dot(moved, turned);
        direction.iter_mut().zip(moved).for_each(|(d, m)| *d += (step - back) * m);
    }
    direction
}

/// The first of ever shorter steps that lowers the loss enough (Armijo); none when even the shortest does not.
fn step(
    problem: &Problem,
    weights: &[f64],
    loss: f64,
    gradient: &[f64],
    direction: &[f64],
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let slope = dot(gradient, direction);
    let lengths = std::iter::successors(Some(1.0), |length| Some(length * 0.5)).take(30);
    for length in lengths {
        let next: Vec<f64> = weights.iter().zip(direction).map(|(w, d)| w + length * d).collect();
        let (next_loss, next_gradient) = problem.loss_and_gradient(&next);
        if next_loss <= loss + 1e-4 * length * slope {
            return Some((next, next_loss, next_gradient));
        }
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_within_words_and_short_words_once() {
        assert_eq!(letter_grams("a  bc"), [" a", "a ", " a ", " b", "bc", "c ", " bc", "bc ", " bc "]);
        assert_eq!(
            word_grams("We'll TALK, we talk"),
            ["we", "ll", "talk", "we", "talk", "we ll", "ll talk", "talk we", "we talk"]
        );
    }

    #[test]
    fn one_class_cannot_be_learned() {
        assert!(BagOfWords::train(&["a", "b"], &[1, 1], 3).is_none());
        assert!(BagOfWords::train(&[], &[], 3).is_none());
    }

    #[test]
    fn a_text_without_known_words_gets_the_intercepts() {
        let model = BagOfWords::train(&["yes indeed", "yes indeed", "not so"], &[0, 0, 1], 2).unwrap();
        let answer = &model.probabilities(&["", "\u{1F54A}"]);
        assert_eq!(answer[0], answer[1]);
        assert!((answer[0].iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
