//! Measures: a number with its unit, in one spelling. `2 TB`, `2TB` and `2000 GB` are the same term.

/// A unit's spellings, the unit it is counted in, and how many of those it is.
type Unit = (&'static [&'static str], &'static str, f64);

/// Spellings in lower case. Units of one letter are read only where they follow a number at once.
const UNITS: &[Unit] = &[
    (&["kb", "kilobyte", "kilobytes"], "mb", 0.001),
    (&["mb", "megabyte", "megabytes"], "mb", 1.0),
    (&["gb", "gigabyte", "gigabytes", "gig", "gigs"], "mb", 1_000.0),
    (&["tb", "terabyte", "terabytes"], "mb", 1_000_000.0),
    (&["\"", "''", "”", "″", "inch", "inches", "in"], "inch", 1.0),
    (&["mm", "millimeter", "millimetre", "millimeters", "millimetres"], "mm", 1.0),
    (&["cm", "centimeter", "centimetre", "centimeters", "centimetres"], "mm", 10.0),
    (&["m", "meter", "metre", "meters", "metres"], "m", 1.0),
    (&["ft", "foot", "feet"], "ft", 1.0),
    (&["hz", "hertz"], "hz", 1.0),
    (&["khz"], "hz", 1e3),
    (&["mhz"], "hz", 1e6),
    (&["ghz"], "hz", 1e9),
    (&["w", "watt", "watts"], "w", 1.0),
    (&["kw", "kilowatt", "kilowatts"], "w", 1_000.0),
    (&["v", "volt", "volts"], "v", 1.0),
    (&["mah"], "mah", 1.0),
    (&["mp", "megapixel", "megapixels", "mpix"], "mp", 1.0),
    (&["dpi"], "dpi", 1.0),
    (&["g", "gram", "grams"], "g", 1.0),
    (&["kg", "kilo", "kilos", "kilogram", "kilograms"], "g", 1_000.0),
    (&["lb", "lbs", "pound", "pounds"], "lb", 1.0),
    (&["oz", "ounce", "ounces"], "oz", 1.0),
    (&["ml"], "ml", 1.0),
    (&["cl"], "ml", 10.0),
    (&["l", "liter", "litre", "liters", "litres"], "ml", 1_000.0),
];

/// The term of a measure; none if the unit is unknown. `apart` tells whether a space stood between them.
pub(super) fn measure(number: f64, unit: &str, apart: bool) -> Option<String> {
    let unit = unit.to_lowercase();
    // `in` apart is a preposition more often than a unit, and one letter may be anything.
    if apart && (unit == "in" || (unit.len() == 1 && unit != "\"")) {
        return None;
    }
    let (_, base, factor) = UNITS.iter().find(|(spellings, ..)| spellings.contains(&unit.as_str()))?;
    // Rounded, so that 0.1 + 0.2 has no tail; 15.6 stays.
    let amount = (number * factor * 1e4).round() / 1e4;
    Some(format!("{amount}{base}"))
}
