//! Stripe's minor units, which are not those of ISO 4217 for every currency (its guide "Supported currencies").

use schemas::money::{Currency, Money};

/// Currencies without decimals. It counts MGA among them, of which ISO has two.
const NONE: [&str; 14] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF"];
/// Also without, in the same list.
const PACIFIC: &str = "XPF";
/// Currencies with three, of which the last has to be 0.
const THREE: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];
/// Currencies that it doesn't take, with three by ISO.
const NOT_TAKEN: [&str; 2] = ["IQD", "LYD"];
/// Currencies written with two decimals that have to be 00, though there are none.
const HOLLOW: [&str; 2] = ["ISK", "UGX"];
/// The largest amount, in its units: eight digits.
const MOST: i64 = 99_999_999;
/// The smallest amounts, in its units; 1 for all others.
const LEAST: [(&str, i64); 22] = [
    ("AED", 200),
    ("AUD", 50),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("USD", 50),
];

/// A sum that Stripe doesn't take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAmount {
    /// It has no such currency.
    #[error("Stripe does not take {0}")]
    Currency(Currency),
    /// The sum has a part that its units don't.
    #[error("Stripe takes no {0}: the sum has to be a multiple of {1} minor units")]
    Part(Money, i64),
    /// It is too small.
    #[error("Stripe takes no less than {0}")]
    TooSmall(Money),
    /// It is too large, or below zero.
    #[error("Stripe takes no {0}")]
    TooLarge(Money),
}

/// Decimals, as Stripe writes a currency.
fn decimals(currency: Currency) -> Option<u32> {
    let code = currency.code();
    if NOT_TAKEN.contains(&code) {
        return None;
    }
    Some(match code {
        _ if NONE.contains(&code) || code == PACIFIC => 0,
        _ if THREE.contains(&code) => 3,
        _ => 2,
    })
}

/// A multiple of what Stripe's amounts have to be, in its units.
fn step(currency: Currency) -> i64 {
    match currency.code() {
        code if HOLLOW.contains(&code) => 100,
        code if THREE.contains(&code) => 10,
        _ => 1,
    }
}

/// A sum in Stripe's units.
///
/// # Errors
/// [`NoAmount`]
pub fn theirs(money: Money) -> Result<i64, NoAmount> {
    let Money { amount, currency } = money;
    let (ours, theirs) = (currency.exponent(), decimals(currency).ok_or(NoAmount::Currency(currency))?);
    let step = step(currency);
    let converted = if theirs >= ours {
        amount.checked_mul(10_i64.pow(theirs - ours)).ok_or(NoAmount::TooLarge(money))?
    } else {
        let unit = 10_i64.pow(ours - theirs);
        if amount % unit != 0 {
            return Err(NoAmount::Part(money, unit));
        }
        amount / unit
    };
    if converted % step != 0 {
        return Err(NoAmount::Part(money, step));
    }
    if (0..=MOST).contains(&converted) { Ok(converted) } else { Err(NoAmount::TooLarge(money)) }
}

/// The sum of an amount in Stripe's units.
///
/// # Errors
/// [`NoAmount`]
pub fn ours(amount: i64, currency: Currency) -> Result<Money, NoAmount> {
    let (ours, theirs) = (currency.exponent(), decimals(currency).ok_or(NoAmount::Currency(currency))?);
    let whole = Money { amount, currency };
    let converted = if theirs <= ours {
        amount.checked_mul(10_i64.pow(ours - theirs)).ok_or(NoAmount::TooLarge(whole))?
    } else {
        let unit = 10_i64.pow(theirs - ours);
        if amount % unit != 0 {
            return Err(NoAmount::Part(whole, unit));
        }
        amount / unit
    };
    Ok(Money { amount: converted, currency })
}

/// Whether an amount in Stripe's units is one that it takes.
///
/// # Errors
/// [`NoAmount::TooSmall`]
pub fn is_enough(currency: Currency, theirs: i64) -> Result<(), NoAmount> {
    let least = LEAST.iter().find(|(code, _)| *code == currency.code()).map_or(1, |(_, least)| *least);
    if theirs >= least {
        return Ok(());
    }
    Err(NoAmount::TooSmall(ours(least, currency)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(amount: i64, code: &str) -> Money {
        Money { amount, currency: code.parse().expect("a code") }
    }

    #[test]
    fn the_units_of_a_provider_are_its_own() {
        // M03
        for (amount, code, expected) in [
            (3_800, "UGX", 380_000),
            (2_000, "ISK", 200_000),
            (500, "JPY", 500),
            (1_230, "KWD", 1_230),
            (100, "MGA", 1),
        ] {
            let sum = money(amount, code);
            assert_eq!(theirs(sum), Ok(expected), "{code}");
            assert_eq!(ours(expected, sum.currency), Ok(sum), "{code}");
        }
        assert_eq!(theirs(money(1_234, "KWD")), Err(NoAmount::Part(money(1_234, "KWD"), 10)));
        assert!(theirs(money(150, "MGA")).is_err() && theirs(money(1_000, "IQD")).is_err());
        assert!(ours(380_050, "UGX".parse().expect("a code")).is_err());
        assert!(theirs(money(i64::MAX, "ISK")).is_err() && theirs(money(-1, "USD")).is_err());
    }

    #[test]
    fn too_little_is_told_with_the_least() {
        let refused = is_enough("USD".parse().expect("a code"), 49);
        assert_eq!(refused.expect_err("too little").to_string(), "Stripe takes no less than 0.50 USD");
        assert!(is_enough("CLP".parse().expect("a code"), 1).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_taken_comes_back_the_same(amount in 0_i64..10_000_000, code in "USD|JPY|KWD|UGX|ISK|MGA|EUR|XPF") {
            let sum = money(amount, &code);
            if let Ok(converted) = theirs(sum) {
                prop_assert_eq!(ours(converted, sum.currency), Ok(sum));
            }
        }
    }
}
