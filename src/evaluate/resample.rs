//! Bootstrap intervals: whole documents are drawn with replacement, because quotes of one article resemble each other.
//!
//! A resample is a weight for each document (how often it was drawn). Statistics that are functions of counts keep one
//! small row of counts a document ([`Counts`]), so that a resample costs one weighted sum.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

/// A figure with its bootstrap interval; `None` where it is not defined (no rows, one class, a single document).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Estimate {
    /// On all documents.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

impl Estimate {
    /// A figure without an interval; NaN means undefined.
    pub fn point(value: f64) -> Self {
        Estimate { value: value.is_finite().then_some(value), low: None, high: None }
    }
}

/// Which values of the resamples bound an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interval {
    /// The quantiles at both tails (Efron and Tibshirani 1993, chapter 13).
    #[default]
    Percentile,
    /// The quantiles corrected for bias and skew: BCa (Efron 1987), with the jackknife over documents. Where it is not
    /// defined (no spread, all resamples on one side of the figure), the percentile interval.
    Bca,
}

impl Interval {
    /// Its name in protocols.
    pub fn as_str(self) -> &'static str {
        match self {
            Interval::Percentile => "percentile",
            Interval::Bca => "BCa",
        }
    }
}

/// How intervals are made.
///
/// The same seed gives the same interval on every machine and with any number of threads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// How many resamples; 0 gives figures without intervals.
    pub resamples: u32,
    /// Seed of the ChaCha8 generator; resample `i` reads its stream `i`.
    pub seed: u64,
    /// Coverage of the interval, such as 0.95.
    pub confidence: f64,
    /// Which values of the resamples bound the interval.
    pub interval: Interval,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { resamples: 10_000, seed: 42, confidence: 0.95, interval: Interval::Percentile }
    }
}

impl Bootstrap {
    /// The estimates of `figures` statistics over `documents` documents.
    ///
    /// `statistic` reads one weight a document and writes `figures` values, NaN where a value is not defined; resamples
    /// in which it is not defined are left out of its interval.
    ///
    /// ```
    /// use detente::evaluate::resample::Bootstrap;
    /// let right = [1.0, 1.0, 0.0, 1.0];
    /// let estimates = Bootstrap::default().estimates(4, 1, |weights, out| {
    ///     let hits: f64 = weights.iter().zip(right).map(|(w, r)| w * r).sum();
    ///     out[0] = hits / weights.iter().sum::<f64>();
    /// });
    /// assert_eq!(estimates[0].value, Some(0.75));
    /// assert_eq!(estimates[0].high, Some(1.0));
    /// ```
    pub fn estimates<F>(&self, documents: usize, figures: usize, statistic: F) -> Vec<Estimate>
    where
        F: Fn(&[f64], &mut [f64]) + Sync,
    {
        let mut point = vec![f64::NAN; figures];
        statistic(&vec![1.0; documents], &mut point);
        let samples = self.samples(documents, figures, &statistic);
        let left_out = match self.interval {
            Interval::Bca if !samples.is_empty() => jackknife(documents, figures, &statistic),
            _ => Vec::new(),
        };
        let column =
            |rows: &[Vec<f64>], figure: usize| rows.iter().filter_map(|row| row.get(figure).copied()).collect();
        (0..figures)
            .map(|figure| {
                let value = point.get(figure).copied().unwrap_or(f64::NAN);
                self.interval(value, column(&samples, figure), column(&left_out, figure))
            })
            .collect()
    }

    /// The values of `statistic` on each resample, in the order of resamples; empty for fewer than two documents.
    pub fn samples<F>(&self, documents: usize, figures: usize, statistic: &F) -> Vec<Vec<f64>>
    where
        F: Fn(&[f64], &mut [f64]) + Sync,
    {
        if documents < 2 || figures == 0 {
            return Vec::new();
        }
        (0..self.resamples)
            .into_par_iter()
            .map_init(
                || vec![0.0; documents],
                |weights, resample| {
                    self.draw(resample, weights);
                    let mut values = vec![f64::NAN; figures];
                    statistic(weights, &mut values);
                    values
                },
            )
            .collect()
    }

    /// Draws as many documents as there are, with replacement, and leaves how often each was drawn in `weights`.
    fn draw(&self, resample: u32, weights: &mut [f64]) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(resample));
        weights.fill(0.0);
        let documents = weights.len();
        for _ in 0..documents {
            let drawn = random.random_range(0..documents as u32);
            if let Some(weight) = weights.get_mut(drawn as usize) {
                *weight += 1.0;
            }
        }
    }

    /// The interval of `values`, those of the resamples, beside the figure `value` of the whole sample; BCa needs the
    /// values with each document left out in turn.
    pub fn interval(&self, value: f64, mut values: Vec<f64>, left_out: Vec<f64>) -> Estimate {
        values.retain(|v| v.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        let mut estimate = Estimate::point(value);
        if estimate.value.is_some() {
            let corrected = match self.interval {
                Interval::Percentile => None,
                Interval::Bca => bca_shares(value, &values, &left_out, tail),
            };
            let [low, high] = corrected.unwrap_or([tail, 1.0 - tail]);
            estimate.low = percentile(&values, low);
            estimate.high = percentile(&values, high);
        }
        estimate
    }
}

/// The values of `statistic` with each document left out in turn.
fn jackknife<F>(documents: usize, figures: usize, statistic: &F) -> Vec<Vec<f64>>
where
    F: Fn(&[f64], &mut [f64]) + Sync,
{
    (0..documents)
        .into_par_iter()
        .map_init(
            || vec![1.0; documents],
            |weights, out| {
                let mut values = vec![f64::NAN; figures];
                set(weights, out, 0.0);
                statistic(weights, &mut values);
                set(weights, out, 1.0);
                values
            },
        )
        .collect()
}

fn set(weights: &mut [f64], document: usize, to: f64) {
    weights.iter_mut().skip(document).take(1).for_each(|weight| *weight = to);
}

/// Where in ascending `values` the ends of the BCa interval lie, as shares; none where that is not defined.
fn bca_shares(value: f64, values: &[f64], left_out: &[f64], tail: f64) -> Option<[f64; 2]> {
    let normal = Normal::standard();
    let below = values.partition_point(|v| *v < value) + values.partition_point(|v| *v <= value);
    let share = below as f64 / (2.0 * values.len() as f64);
    let skew = acceleration(left_out)?;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let bias = normal.inverse_cdf(share);
    let end = |tail: f64| {
        let z = bias + normal.inverse_cdf(tail);
        normal.cdf(bias + z / (1.0 - skew * z))
    };
    Some([end(tail), end(1.0 - tail)])
}

/// Skew of the figure's influence over documents; none where leaving one out never changes it.
fn acceleration(left_out: &[f64]) -> Option<f64> {
    let left_out: Vec<f64> = left_out.iter().copied().filter(|value| value.is_finite()).collect();
    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let power = |power: i32| left_out.iter().map(|value| (mean - value).powi(power)).sum::<f64>();
    let skew = power(3) / (6.0 * power(2).powf(1.5));
    skew.is_finite().then_some(skew)
}

/// The `share` quantile of ascending `values`, interpolated linearly as numpy does; none of nothing.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let place = share.clamp(0.0, 1.0) * values.len().checked_sub(1)? as f64;
    let low = *values.get(place.floor() as usize)?;
    let high = *values.get(place.ceil() as usize)?;
    Some(low + (high - low) * place.fract())
}

/// One row of counts for each document that has any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    width: usize,
    rows: indexmap::IndexMap<usize, usize>,
    cells: Vec<f64>,
}

impl Counts {
    /// `width` counts a document, none counted yet.
    pub fn new(width: usize) -> Self {
        Counts { width, ..Counts::default() }
    }

    /// Adds `amount` to count `cell` of `document`; a cell outside the row is ignored.
    pub fn add(&mut self, document: usize, cell: usize, amount: f64) {
        let next = self.rows.len();
        let row = *self.rows.entry(document).or_insert(next);
        self.cells.resize(self.rows.len() * self.width, 0.0);
        if cell < self.width
            && let Some(count) = self.cells.get_mut(row * self.width + cell)
        {
            *count += amount;
        }
    }

    /// How many documents have counts.
    pub fn documents(&self) -> usize {
        self.rows.len()
    }

    /// The sum over documents, each taken as often as its weight says.
    pub fn total(&self, weights: &[f64]) -> Vec<f64> {
        let weight = |document: &usize| weights.get(*document).copied().unwrap_or(0.0);
        self.sum(self.rows.keys().map(weight))
    }

    /// The sum over all documents.
    pub fn all(&self) -> Vec<f64> {
        self.sum(std::iter::repeat_n(1.0, self.rows.len()))
    }

    fn sum(&self, weights: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut total = vec![0.0; self.width];
        for (row, weight) in self.cells.chunks_exact(self.width.max(1)).zip(weights) {
            if weight > 0.0 {
                total.iter_mut().zip(row).for_each(|(sum, count)| *sum += weight * count);
            }
        }
        total
    }
}

/// Numbers documents in the order in which they are first seen.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    names: indexmap::IndexSet<String>,
}

impl Documents {
    /// The number of `name`.
    pub fn number(&mut self, name: &str) -> usize {
        match self.names.get_index_of(name) {
            Some(number) => number,
            None => self.names.insert_full(name.to_string()).0,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_the_number_of_threads_does_not() {
        let mean = |weights: &[f64], out: &mut [f64]| {
            out[0] = weights.iter().enumerate().map(|(i, w)| w * i as f64).sum::<f64>() / weights.len() as f64;
        };
        let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let one = single.install(|| bootstrap.estimates(50, 1, mean));
        assert_eq!(one, bootstrap.estimates(50, 1, mean));
        assert_ne!(one, Bootstrap { seed: 7, ..bootstrap }.estimates(50, 1, mean));
    }

    #[test]
    fn the_interval_of_a_mean_is_near_the_normal_one() {
        // Values 0..99: standard error of the mean is 28.866 / 10.
        let estimate = Bootstrap::default().estimates(100, 1, |weights, out| {
            out[0] = weights.iter().enumerate().map(|(i, w)| w * i as f64).sum::<f64>() / 100.0;
        })[0];
        assert_eq!(estimate.value, Some(49.5));
        assert!((estimate.low.unwrap() - (49.5 - 1.96 * 2.8866)).abs() < 0.25, "{estimate:?}");
        assert!((estimate.high.unwrap() - (49.5 + 1.96 * 2.8866)).abs() < 0.25, "{estimate:?}");
    }

    #[test]
    fn bca_without_spread_falls_back_to_percentiles() {
        let bca = Bootstrap { interval: Interval::Bca, resamples: 200, ..Bootstrap::default() };
        let constant = bca.estimates(20, 1, |_, out| out[0] = 0.5)[0];
        assert_eq!(constant, Estimate { value: Some(0.5), low: Some(0.5), high: Some(0.5) });
        // The largest value: no resample lies above it.
        let largest = bca.estimates(20, 1, |weights, out| {
            out[0] = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0) as f64;
        })[0];
        assert!(largest.high <= Some(19.0) && largest.low.is_some(), "{largest:?}");
    }

    #[test]
    fn nothing_and_a_single_document_have_no_interval() {
        let size = |weights: &[f64], out: &mut [f64]| out[0] = weights.iter().sum();
        assert_eq!(Bootstrap::default().estimates(0, 1, size)[0], Estimate::point(0.0));
        assert_eq!(Bootstrap::default().estimates(1, 1, size)[0], Estimate::point(1.0));
    }

    #[test]
    fn percentiles_are_numpys() {
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
