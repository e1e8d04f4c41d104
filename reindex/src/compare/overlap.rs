//! How much two rankings agree.

/// Rank-biased overlap of two rankings without repetitions, extrapolated beyond their ends (Webber, Moffat, Zobel: "A
/// similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 32), for `p` between 0 and 1: 1 for equal
/// rankings, 0 for disjoint ones. Two empty rankings are equal.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "places in a ranking")]
pub fn rank_biased<T: PartialEq>(a: &[T], b: &[T], p: f64) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.is_empty() {
        return 1.0;
    }
    if short.is_empty() {
        return 0.0;
    }
    // How many of the first `depth` of one are among those of the other.
    let agree = |depth: usize| {
        let within = &short[..depth.min(short.len())];
        within.iter().filter(|item| long[..depth].contains(item)).count() as f64
    };
    let (s, l) = (short.len(), long.len());
    let at_short = agree(s);
    let mut sum = 0.0;
    for depth in 1..=l {
        sum += agree(depth) / depth as f64 * p.powi(i32::try_from(depth).unwrap_or(i32::MAX));
    }
    for depth in s + 1..=l {
        sum += at_short * (depth - s) as f64 / (s * depth) as f64 * p.powi(i32::try_from(depth).unwrap_or(i32::MAX));
    }
    let end = (agree(l) - at_short) / l as f64 + at_short / s as f64;
    (1.0 - p) / p * sum + end * p.powi(i32::try_from(l).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::rank_biased;

    fn close(found: f64, wanted: f64) {
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    }

    #[test]
    fn equal_rankings_agree_and_disjoint_ones_do_not() {
        close(rank_biased(&[1, 2, 3], &[1, 2, 3], 0.9), 1.0);
        close(rank_biased(&[1, 2, 3], &[4, 5, 6], 0.9), 0.0);
        close(rank_biased::<u8>(&[], &[], 0.9), 1.0);
        close(rank_biased(&[1], &[], 0.9), 0.0);
    }

    #[test]
    fn the_top_counts_most_and_order_of_arguments_nothing() {
        let base = [1, 2, 3, 4, 5];
        let (top, bottom) = (rank_biased(&base, &[2, 1, 3, 4, 5], 0.9), rank_biased(&base, &[1, 2, 3, 5, 4], 0.9));
        assert!(top < bottom && bottom < 1.0, "{top} {bottom}");
        close(rank_biased(&base, &[1, 9, 2], 0.9), rank_biased(&[1, 9, 2], &base, 0.9));
        // By hand, p = 0.5: agreements 1, 1/2 and two places: (1-p)/p * (0.5 + 0.125) + 0.5 * 0.25.
        close(rank_biased(&[1, 2], &[1, 3], 0.5), 0.625 + 0.125);
    }
}
