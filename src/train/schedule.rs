//! The learning rate over a run: linear warm-up, then linear decay to zero.

/// Share of the highest rate at `step` (from 0) of `total`, rising over the first `warm_up` (a share of `total`).
pub(crate) fn rate(step: usize, total: usize, warm_up: f64) -> f64 {
    let rise = (warm_up * total as f64).ceil().max(1.0);
    let now = step as f64 + 1.0;
    if now <= rise {
        now / rise
    } else {
        ((total as f64 - step as f64) / (total as f64 - rise).max(1.0)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn rises_then_falls_to_nearly_zero() {
        let rates: Vec<f64> = (0..100).map(|s| rate(s, 100, 0.1)).collect();
        assert_eq!(rates[9], 1.0);
        assert!(rates[..10].windows(2).all(|w| w[0] < w[1]) && rates[10..].windows(2).all(|w| w[0] > w[1]));
        assert!(rates[99] > 0.0 && rates[99] < 0.02);
    }
}
