//! How a sum is divided so that nothing of it is lost: step 8.

use std::cmp::Reverse;

/// Divides a sum in proportion to some amounts. Each gets the floor of its exact share. What is then left goes out in single
/// units: by the largest fraction, then to the larger amount, then to the one that stands first, which is the lowest id.
///
/// Neither the sum nor an amount is below zero, and their products fit: both come from 64 bits. Where the amounts are
/// nothing, nothing is divided.
pub(crate) fn allocated(sum: i128, amounts: &[i128]) -> Vec<i128> {
    let whole: i128 = amounts.iter().sum();
    if whole <= 0 {
        return vec![0; amounts.len()];
    }
    let mut shares: Vec<i128> = amounts.iter().map(|amount| sum * amount / whole).collect();
    let mut rest = sum - shares.iter().sum::<i128>();
    let mut turns: Vec<usize> = (0..amounts.len()).collect();
    turns.sort_by_key(|turn| (Reverse(sum * amounts[*turn] % whole), Reverse(amounts[*turn]), *turn));
    for turn in turns {
        if rest == 0 {
            break;
        }
        shares[turn] += 1;
        rest -= 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_that_are_left_go_to_the_largest_fraction_then_amount_then_first() {
        assert_eq!(allocated(1_000, &[5_097, 4_990, 1_470]), [441, 432, 127]);
        assert_eq!(allocated(1_000, &[3_289, 4_980, 1_470]), [338, 511, 151]);
        assert_eq!(allocated(600, &[500, 700]), [250, 350]);
        assert_eq!(allocated(2, &[1, 1, 1]), [1, 1, 0], "lower ids first");
        assert_eq!(allocated(1, &[2, 6]), [0, 1], "the larger fraction");
        assert_eq!(allocated(2, &[1, 3]), [0, 2], "equal fractions: the larger amount");
        assert_eq!(allocated(5, &[0, 0]), [0, 0]);
        assert_eq!(allocated(5, &[]), [] as [i128; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn nothing_is_lost_and_nobody_gets_more_than_it_has(amounts in prop::collection::vec(0_i64..=i64::MAX / 20, 1..20), part in 0..=1_000_000_i128) {
            let amounts: Vec<i128> = amounts.into_iter().map(i128::from).collect();
            let whole: i128 = amounts.iter().sum();
            let sum = whole * part / 1_000_000;
            let shares = allocated(sum, &amounts);
            prop_assert_eq!(shares.iter().sum::<i128>(), sum);
            for (share, amount) in shares.iter().zip(&amounts) {
                prop_assert!((0..=*amount).contains(share));
            }
        }
    }
}
