//! How taxes of several rates are divided over lines so that both the sums of lines and those of rates stay.

use std::cmp::Reverse;

/// A row for each sum of `rows`, a column for each of `columns`; both have the same sum. Each field is the exact share, rounded
/// up or down, so that every row and every column adds up.
///
/// Each row begins with the floors of its shares. What it lacks it takes, a unit each, from the columns that lack most: the
/// order of Gale and Ryser, in which nothing is ever left over.
pub(crate) fn filled(rows: &[i128], columns: &[i128]) -> Vec<Vec<i128>> {
    let whole: i128 = columns.iter().sum();
    if whole == 0 {
        return vec![vec![0; columns.len()]; rows.len()];
    }
    let floor = |row: i128, column: i128| row * column / whole;
    let lacking = |column: &i128| column - rows.iter().map(|row| floor(*row, *column)).sum::<i128>();
    let mut lacks: Vec<i128> = columns.iter().map(lacking).collect();
    let fill = |row: &i128| {
        let mut fields: Vec<i128> = columns.iter().map(|column| floor(*row, *column)).collect();
        let missing = row - fields.iter().sum::<i128>();
        let mut turns: Vec<usize> = (0..columns.len()).collect();
        turns.sort_by_key(|turn| (Reverse(lacks[*turn]), *turn));
        for (turn, _) in turns.into_iter().zip(0..missing) {
            fields[turn] += 1;
            lacks[turn] -= 1;
        }
        fields
    };
    rows.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::allocation::allocated;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn rows_and_columns_add_up(rows in prop::collection::vec(0_i128..2_000, 1..12), rates in prop::collection::vec(0_i128..200_000, 1..5)) {
            let whole: i128 = rows.iter().sum();
            prop_assume!(rates.iter().sum::<i128>() > 0);
            let columns = allocated(whole, &rates);
            let fields = filled(&rows, &columns);
            for (row, sum) in fields.iter().zip(&rows) {
                prop_assert_eq!(row.iter().sum::<i128>(), *sum);
                prop_assert!(row.iter().all(|field| *field >= 0));
            }
            for (place, sum) in columns.iter().enumerate() {
                prop_assert_eq!(fields.iter().map(|row| row[place]).sum::<i128>(), *sum);
            }
        }
    }
}
