//! Which issuer signs: by weight among those that are fit to.

/// Chooses an issuer for `draw`, uniform in 0..1: weighted among those that are fit to sign.
pub fn choose<T>(candidates: &[(T, u32)], draw: f64) -> Option<&T> {
    let total: u64 = candidates
        .iter()
        .map(|(_, weight)| u64::from(*weight))
        .sum();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of the load, not a count"
    )]
    let mut left = draw.clamp(0.0, 1.0) * total as f64;
    let mut chosen = None;
    for (candidate, weight) in candidates.iter().filter(|(_, weight)| *weight > 0) {
        chosen = Some(candidate);
        left -= f64::from(*weight);
        if left < 0.0 {
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_and_zero_takes_an_issuer_out() {
        let candidates = [("a", 3), ("off", 0), ("b", 1)];
        let drawn: Vec<&str> = (0..100)
            .filter_map(|n| choose(&candidates, f64::from(n) / 100.0).copied())
            .collect();
        assert_eq!(drawn.iter().filter(|name| **name == "a").count(), 75);
        assert_eq!(drawn.iter().filter(|name| **name == "b").count(), 25);
        assert_eq!(choose(&candidates, 1.0), Some(&"b"));
        assert_eq!(choose(&[("off", 0)], 0.5), None);
    }
}
