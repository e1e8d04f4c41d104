//! How a fraction of a minor unit becomes a whole one: half up, symmetric about zero.

/// A whole, in the parts per million that rates are given in.
pub(crate) const MILLION: i128 = 1_000_000;

/// The whole number that is closest to a fraction; of two that are equally close the one further from zero. A denominator
/// of zero or less counts as 1.
pub(crate) const fn rounded(numerator: i128, denominator: i128) -> i128 {
    let denominator = if denominator < 1 { 1 } else { denominator };
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    // Not `2 * rest`, which might not fit.
    let is_up = rest.unsigned_abs() >= denominator.unsigned_abs() - rest.unsigned_abs();
    if rest == 0 || !is_up { quotient } else { quotient + numerator.signum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_goes_away_from_zero() {
        let cases =
            [(5, 10, 1), (-5, 10, -1), (15, 10, 2), (25, 10, 3), (-25, 10, -3), (24, 10, 2), (26, 10, 3), (0, 7, 0)];
        for (numerator, denominator, expected) in cases {
            assert_eq!(rounded(numerator, denominator), expected, "{numerator}/{denominator}");
        }
        assert_eq!(rounded(i128::MAX, 1), i128::MAX);
        assert_eq!(rounded(i128::MIN, i128::MAX), -1);
    }

    /// The worked example breaks with the rounding that floating point and some databases have.
    #[test]
    fn half_even_would_be_wrong() {
        let half_even = |numerator: i128, denominator: i128| {
            let floor = numerator.div_euclid(denominator);
            match (2 * numerator.rem_euclid(denominator)).cmp(&denominator) {
                std::cmp::Ordering::Less => floor,
                std::cmp::Ordering::Greater => floor + 1,
                std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
            }
        };
        assert_eq!((rounded(3_870 * 150_000, MILLION), half_even(3_870 * 150_000, MILLION)), (581, 580));
        assert_eq!((rounded(1_050 * 50_000, MILLION), half_even(1_050 * 50_000, MILLION)), (53, 52));
    }
}
