//! Probabilities that mean what they say: calibration fitted on other documents than the scored ones.
//!
//! Temperature scaling (Guo et al. 2017) keeps the order of classes; Platt's sigmoid (1999, with his smoothed targets) and
//! isotonic regression (Zadrozny and Elkan 2002) are fitted class against rest and scaled to sum 1, as scikit-learn does.

use super::probability::Forecast;

/// A way to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One divisor of all log probabilities.
    Temperature,
    /// A sigmoid over the log odds of each class.
    Platt,
    /// A step function that never falls, for each class, with straight lines between its steps.
    Isotonic,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 3] = [Method::Temperature, Method::Platt, Method::Isotonic];

    /// Its name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Temperature => "temperature",
            Method::Platt => "platt",
            Method::Isotonic => "isotonic",
        }
    }
}

/// A fitted calibration of `K` classes.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibrator<const K: usize> {
    /// The temperature: above 1 it takes certainty away.
    Temperature(f64),
    /// The sigmoid of each class.
    Platt([Sigmoid; K]),
    /// The curve of each class.
    Isotonic([Curve; K]),
}

/// The least probability whose logarithm is taken.
const FLOOR: f64 = 1e-6;

impl<const K: usize> Calibrator<K> {
    /// Fits `method` to `rows`; none without rows.
    pub fn fit(method: Method, rows: &[Forecast<[f64; K]>]) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let of_class = |class: usize, row: &Forecast<[f64; K]>| row.probabilities.get(class).copied().unwrap_or(0.0);
        Some(match method {
            Method::Temperature => Calibrator::Temperature(temperature(rows)),
            Method::Platt => Calibrator::Platt(std::array::from_fn(|class| {
                let points: Vec<_> = rows.iter().map(|r| (log_odds(of_class(class, r)), r.gold == class)).collect();
                Sigmoid::fit(&points)
            })),
            Method::Isotonic => Calibrator::Isotonic(std::array::from_fn(|class| {
                let points: Vec<_> = rows.iter().map(|r| (of_class(class, r), r.gold == class)).collect();
                Curve::fit(&points)
            })),
        })
    }

    /// Calibrated probabilities; they sum to 1.
    pub fn apply(&self, probabilities: [f64; K]) -> [f64; K] {
        let mut class = 0..;
        normalised(probabilities.map(|p| {
            let class = class.next().unwrap_or(0);
            match self {
                Calibrator::Temperature(temperature) => p.max(FLOOR).powf(1.0 / temperature),
                Calibrator::Platt(sigmoids) => sigmoids.get(class).map_or(p, |sigmoid| sigmoid.at(log_odds(p))),
                Calibrator::Isotonic(curves) => curves.get(class).map_or(p, |curve| curve.at(p)),
            }
        }))
    }
}

fn log_odds(probability: f64) -> f64 {
    let p = probability.clamp(FLOOR, 1.0 - FLOOR);
    (p / (1.0 - p)).ln()
}

/// Scaled to sum 1; the same for each class where all are 0.
fn normalised<const K: usize>(values: [f64; K]) -> [f64; K] {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 { values.map(|value| value / sum) } else { [1.0 / K as f64; K] }
}

/// The temperature with the least log loss, between 0.05 and 20, by golden section over its logarithm.
fn temperature<const K: usize>(rows: &[Forecast<[f64; K]>]) -> f64 {
    let loss = |ln: f64| -> f64 {
        let calibrator = Calibrator::Temperature(ln.exp());
        rows.iter().map(|row| -calibrator.apply(row.probabilities).get(row.gold).copied().unwrap_or(FLOOR).ln()).sum()
    };
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
    while high - low > 1e-7 {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if loss(left) < loss(right) {
            high = right;
        } else {
            low = left;
        }
    }
    ((low + high) / 2.0).exp()
}

/// `1 / (1 + exp(slope · x + offset))`: the slope is negative where larger scores mean the class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sigmoid {
    /// Platt's A.
    pub slope: f64,
    /// Platt's B.
    pub offset: f64,
}

impl Sigmoid {
    /// The sigmoid through `points` (score, whether it is the class) by Newton's method.
    pub fn fit(points: &[(f64, bool)]) -> Self {
        let positives = points.iter().filter(|(_, positive)| *positive).count() as f64;
        let negatives = points.len() as f64 - positives;
        // Platt's targets keep a separable sample from an infinite slope.
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
        let target = |positive: bool| if positive { high } else { low };
        let start = ((negatives + 1.0) / (positives + 1.0)).ln();
        let mut best = Sigmoid { slope: 0.0, offset: start };
        let loss = |sigmoid: &Sigmoid| -> f64 {
            points
                .iter()
                .map(|&(x, positive)| {
                    let z = sigmoid.slope * x + sigmoid.offset;
                    // log(1 + e^z) without overflow.
                    z.max(0.0) + (-z.abs()).exp().ln_1p() - (1.0 - target(positive)) * z
                })
                .sum()
        };
        for _ in 0..100 {
            let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
            for &(x, positive) in points {
                let p = best.at(x);
                let (error, curvature) = (target(positive) - p, p * (1.0 - p));
                g = [g[0] + error * x, g[1] + error];
                h = [h[0] + curvature * x * x, h[1] + curvature * x, h[2] + curvature];
            }
            if g[0].abs().max(g[1].abs()) < 1e-9 {
                break;
            }
            let (a, c) = (h[0] + 1e-12, h[2] + 1e-12);
            let determinant = a * c - h[1] * h[1];
            let step = [-(c * g[0] - h[1] * g[1]) / determinant, -(a * g[1] - h[1] * g[0]) / determinant];
            let before = loss(&best);
            let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0)).take(40);
            let shorter =
                lengths.map(|l| Sigmoid { slope: best.slope + l * step[0], offset: best.offset + l * step[1] });
            match shorter.into_iter().find(|next| loss(next) < before) {
                Some(next) => best = next,
                None => break,
            }
        }
        best
    }

    /// Its value at `x`.
    pub fn at(&self, x: f64) -> f64 {
        1.0 / (1.0 + (self.slope * x + self.offset).exp())
    }
}

/// A curve that never falls, given by its corners; level outside them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    corners: Vec<(f64, f64)>,
}

impl Curve {
    /// The curve through `points` (score, whether it is the class) with the least squared error: pool adjacent violators.
    pub fn fit(points: &[(f64, bool)]) -> Self {
        let mut sorted: Vec<(f64, f64)> = points.iter().map(|&(x, positive)| (x, f64::from(positive))).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Blocks: their scores (first, last), sum and number of points; equal scores are one block from the start.
        let mut blocks: Vec<Block> = Vec::new();
        for (x, y) in sorted {
            match blocks.last_mut() {
                Some(block) if block.last == x && block.first == x => block.add(y, 1.0, x),
                _ => blocks.push(Block { first: x, last: x, sum: y, points: 1.0 }),
            }
        }
        let mut pooled: Vec<Block> = Vec::new();
        for mut block in blocks {
            while let Some(before) = pooled.pop_if(|before| before.mean() >= block.mean()) {
                block = Block { first: before.first, ..block }.with(before.sum, before.points);
            }
            pooled.push(block);
        }
        Curve { corners: pooled.iter().flat_map(|b| [(b.first, b.mean()), (b.last, b.mean())]).collect() }
    }

    /// Its value at `x`, on a straight line between corners.
    pub fn at(&self, x: f64) -> f64 {
        let next = self.corners.partition_point(|corner| corner.0 < x);
        let before = next.checked_sub(1).and_then(|at| self.corners.get(at));
        match (before, self.corners.get(next)) {
            (Some(a), Some(b)) => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
            (Some(end), None) | (None, Some(end)) => end.1,
            (None, None) => 0.0,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Block {
    first: f64,
    last: f64,
    sum: f64,
    points: f64,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.points
    }

    fn add(&mut self, sum: f64, points: f64, last: f64) {
        (self.sum, self.points, self.last) = (self.sum + sum, self.points + points, last);
    }

    fn with(mut self, sum: f64, points: f64) -> Self {
        let last = self.last;
        self.add(sum, points, last);
        self
    }
}

/// The least probability of `class` from which on the rows chosen have at least the wished precision, as large a group of
/// them as possible; none where no group reaches it.
///
/// ```
/// use detente::evaluate::calibration::threshold;
/// let scored = [(0.9, true), (0.8, true), (0.7, false), (0.6, true), (0.5, false)];
/// assert_eq!(threshold(&scored, 0.75), Some(0.6));
/// assert_eq!(threshold(&scored, 0.9), Some(0.8));
/// assert_eq!(threshold(&[(0.9, false)], 0.5), None);
/// ```
pub fn threshold(scored: &[(f64, bool)], precision: f64) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best) = (0.0, None);
    for (at, (score, is_right)) in sorted.iter().enumerate() {
        right += f64::from(*is_right);
        let ends = sorted.get(at + 1).is_none_or(|next| next.0 < *score);
        if ends && right / (at as f64 + 1.0) >= precision {
            best = Some(*score);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn overconfident() -> Vec<Forecast<[f64; 3]>> {
        // Says 0.98 and is right in four of five.
        let row = |at: usize| Forecast {
            document: at,
            gold: usize::from(at.is_multiple_of(5)),
            probabilities: [0.98, 0.01, 0.01],
        };
        (0..50).map(row).collect()
    }

    #[test]
    fn every_method_takes_false_certainty_away() {
        for method in Method::ALL {
            let calibrator = Calibrator::fit(method, &overconfident()).unwrap();
            let calibrated = calibrator.apply([0.98, 0.01, 0.01]);
            assert!((calibrated[0] - 0.8).abs() < 0.05, "{method:?}: {calibrated:?}");
            assert!((calibrated.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(Calibrator::<3>::fit(Method::Platt, &[]), None);
    }

    proptest! {
        #[test]
        fn whatever_is_fitted_the_answers_are_probabilities(
            rows in prop::collection::vec((0usize..3, 0u32..5, 0u32..5, 0u32..5), 1..30),
            asked in (0u32..5, 0u32..5, 0u32..5),
        ) {
            let probabilities = |a: u32, b: u32, c: u32| normalised([a, b, c].map(f64::from));
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(gold, a, b, c)| Forecast { document: 0, gold, probabilities: probabilities(a, b, c) })
                .collect();
            for method in Method::ALL {
                let calibrated = Calibrator::fit(method, &rows).unwrap().apply(probabilities(asked.0, asked.1, asked.2));
                prop_assert!(calibrated.iter().all(|p| (0.0..=1.0).contains(p)), "{method:?} {calibrated:?}");
                prop_assert!((calibrated.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn the_isotonic_curve_never_falls(points in prop::collection::vec((0u32..20, any::<bool>()), 1..40)) {
            let points: Vec<_> = points.into_iter().map(|(x, positive)| (f64::from(x) / 20.0, positive)).collect();
            let curve = Curve::fit(&points);
            let values: Vec<f64> = (0..=40).map(|x| curve.at(f64::from(x) / 40.0)).collect();
            prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1] + 1e-12), "{values:?}");
        }
    }
}
