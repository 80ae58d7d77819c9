//! The one number by which logits are divided so that probabilities mean what they say (Guo et al., 2017).

/// The temperature with the lowest mean negative log-likelihood of `gold`, between 0.1 and 10, by golden-section search
/// over its logarithm (the loss has one minimum).
pub(crate) fn fit(logits: &[Vec<f32>], gold: &[usize]) -> f64 {
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (0.1f64.ln(), 10f64.ln());
    while high - low > 1e-6 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if loss(logits, gold, left.exp()) < loss(logits, gold, right.exp()) {
            high = right;
        } else {
            low = left;
        }
    }
    f64::midpoint(low, high).exp()
}

fn loss(logits: &[Vec<f32>], gold: &[usize], temperature: f64) -> f64 {
    logits
        .iter()
        .zip(gold)
        .map(|(row, &class)| {
            let scaled = || row.iter().map(|l| f64::from(*l) / temperature);
            let top = scaled().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scaled().map(|l| (l - top).exp()).sum();
            top + sum.ln() - scaled().nth(class).unwrap_or(top)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn finds_the_temperature_that_made_the_labels() {
        // Probabilities 0.5, 0.3, 0.2 with the labels in just these shares; logits three times too large.
        let logits = [0.5f32, 0.3, 0.2].map(|p| 3.0 * p.ln()).to_vec();
        let gold: Vec<usize> = [vec![0; 50], vec![1; 30], vec![2; 20]].concat();
        let found = fit(&vec![logits; 100], &gold);
        assert!((found - 3.0).abs() < 1e-3, "{found}");
    }
}
