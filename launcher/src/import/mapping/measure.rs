//! What a piece weighs and how long its edges are, in whole grams and millimetres.

use crate::import::repair::{Repair, Repairs};
use serde::Deserialize;

/// A unit of weight or length, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Unit {
    #[serde(rename = "mg")]
    Milligram,
    #[serde(rename = "g")]
    Gram,
    #[serde(rename = "kg")]
    Kilogram,
    #[serde(rename = "oz")]
    Ounce,
    #[serde(rename = "lb")]
    Pound,
    #[serde(rename = "mm")]
    Millimetre,
    #[serde(rename = "cm")]
    Centimetre,
    #[serde(rename = "m")]
    Metre,
    #[serde(rename = "in")]
    Inch,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Weight,
    Length,
}

impl Measure {
    /// The unit that souk keeps it in.
    const fn unit(self) -> Unit {
        match self {
            Self::Weight => Unit::Gram,
            Self::Length => Unit::Millimetre,
        }
    }

    /// The most that the write API takes.
    const fn most(self) -> i128 {
        match self {
            Self::Weight => 10_000_000,
            Self::Length => 100_000,
        }
    }
}

impl Unit {
    pub(super) const fn measures(self) -> Measure {
        match self {
            Self::Milligram | Self::Gram | Self::Kilogram | Self::Ounce | Self::Pound => Measure::Weight,
            Self::Millimetre | Self::Centimetre | Self::Metre | Self::Inch => Measure::Length,
        }
    }

    fn of(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().trim_end_matches('.') {
            "mg" => Self::Milligram,
            "g" | "gr" | "gram" | "grams" => Self::Gram,
            "kg" | "kgs" | "kilogram" | "kilograms" => Self::Kilogram,
            "oz" | "ounce" | "ounces" => Self::Ounce,
            "lb" | "lbs" | "pound" | "pounds" => Self::Pound,
            "mm" => Self::Millimetre,
            "cm" => Self::Centimetre,
            "m" => Self::Metre,
            "in" | "inch" | "inches" | "\"" => Self::Inch,
            _ => return None,
        })
    }

    /// How many grams or millimetres it is, as a fraction. Pound, ounce and inch are exact by the agreement of 1959.
    const fn fraction(self) -> (i128, i128) {
        match self {
            Self::Milligram => (1, 1_000),
            Self::Gram | Self::Millimetre => (1, 1),
            Self::Kilogram | Self::Metre => (1_000, 1),
            Self::Ounce => (28_349_523_125, 1_000_000_000),
            Self::Pound => (45_359_237, 100_000),
            Self::Centimetre => (10, 1),
            Self::Inch => (254, 10),
        }
    }
}

/// The measure that a field holds; `unit` is that of numbers without one: grams or millimetres, if absent. Zero says that it
/// is not known; what can't be read is left out.
pub(super) fn read(
    what: Measure,
    unit: Option<Unit>,
    (name, text): (&str, &str),
    repairs: &mut Repairs,
) -> Option<i64> {
    let (number, word) = split(text);
    let unit = if word.is_empty() { Some(unit.unwrap_or(what.unit())) } else { Unit::of(word) };
    let unit = unit.filter(|unit| unit.measures() == what);
    match unit.and_then(|unit| whole(number, unit)) {
        Some(0) => None,
        Some(measured) if measured <= what.most() => i64::try_from(measured).ok(),
        Some(_) | None => {
            repairs.note(Repair::Measure, name, text, "");
            None
        }
    }
}

/// The number and the unit after it.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|sign: char| !sign.is_ascii_digit() && !matches!(sign, '.' | ',')).unwrap_or(text.len());
    (text[..end].trim(), text[end..].trim())
}

/// A decimal number of a unit in whole grams or millimetres, halves rounded up; something is never nothing.
fn whole(number: &str, unit: Unit) -> Option<i128> {
    let number = match number.split_once(',') {
        // Thousands, as in prices.
        Some((_, rest)) if rest.len() == 3 || rest.contains(['.', ',']) => number.replace(',', ""),
        _ => number.replace(',', "."),
    };
    let (before, after) = number.split_once('.').unwrap_or((&number, ""));
    let after = after.trim_end_matches('0');
    let digits = format!("{before}{after}");
    if digits.len() > 18 {
        return None;
    }
    let digits: i128 = digits.parse().ok()?;
    let (numerator, denominator) = unit.fraction();
    let below = denominator * 10_i128.pow(u32::try_from(after.len()).ok()?);
    let rounded = (2 * digits * numerator + below) / (2 * below);
    Some(if digits > 0 { rounded.max(1) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(what: Measure, unit: Option<Unit>, text: &str) -> (Option<i64>, usize) {
        let mut repairs = Repairs::default();
        let read = super::read(what, unit, ("m", text), &mut repairs);
        (read, repairs.as_slice().len())
    }

    #[test]
    fn measures_become_whole_grams_and_millimetres() {
        for (unit, value, grams) in [
            (None, "250", 250),
            (Some(Unit::Kilogram), "1.25", 1_250),
            (Some(Unit::Kilogram), "0,5", 500),
            (None, "1,250 g", 1_250),
            (None, "2.5 lbs", 1_134),
            (Some(Unit::Pound), "3 oz", 85),
            (Some(Unit::Milligram), "20", 1),
            (None, "0.5", 1),
        ] {
            assert_eq!(read(Measure::Weight, unit, value), (Some(grams), 0), "{value}");
        }
        assert_eq!(read(Measure::Length, Some(Unit::Centimetre), "12.34"), (Some(123), 0));
        assert_eq!(read(Measure::Length, None, "10 in"), (Some(254), 0));
    }

    #[test]
    fn nothing_is_not_known_and_what_is_no_measure_is_left_out() {
        for value in ["0", "0.0 kg"] {
            assert_eq!(read(Measure::Weight, None, value), (None, 0));
        }
        let long = "9".repeat(40);
        for text in ["heavy", "-1", "3 cm", "11000 kg", "1.2.3", ".", "1e300", &long] {
            assert_eq!(read(Measure::Weight, None, text), (None, 1), "{text}");
        }
    }
}
