//! Rules that more than one kind of setting keeps, one sentence each.

use crate::domain::{Name, validation::Findings};
use schemas::{
    money::Currency,
    place::{Area, Place, countries::is_country},
};
use std::collections::HashSet;

/// The most characters of what people read.
pub const MAX_TITLE: usize = 100;
/// The largest amount, in minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;
/// The most currencies that something is stated in.
pub const MAX_CURRENCIES: usize = 50;
/// The most areas of a tax zone or a shipping method.
const MAX_AREAS: usize = 500;
/// The most characters of a postal code, and of what one begins with.
const MAX_POSTAL: usize = 12;

fn is_code(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn a_country_is_known(findings: &mut Findings, base: &str, country: &str) {
    if !is_country(country) {
        findings.add(format!("{base}/country"), "two capital letters of ISO 3166-1, or XK, are expected, such as DE");
    }
}

fn a_region_is_a_code(findings: &mut Findings, base: &str, region: Option<&str>) {
    if region.is_some_and(|region| !is_code(region, 3)) {
        let detail =
            "the second part of a code of ISO 3166-2 is expected, 1 to 3 capital letters and digits, such as CA";
        findings.add(format!("{base}/region"), detail);
    }
}

fn a_postal_code_has_no_blanks(findings: &mut Findings, pointer: String, code: Option<&str>) {
    let is_plain = |code: &str| {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=MAX_POSTAL).contains(&code.len()) && code.bytes().all(allowed)
    };
    if code.is_some_and(|code| !is_plain(code)) {
        let detail = format!("1 to {MAX_POSTAL} capital letters, digits and hyphens are allowed, without blanks");
        findings.add(pointer, detail);
    }
}

/// A place is in a country that there is.
pub fn a_place_is_on_the_map(findings: &mut Findings, base: &str, place: &Place) {
    a_country_is_known(findings, base, &place.country);
    a_region_is_a_code(findings, base, place.region.as_deref());
    a_postal_code_has_no_blanks(findings, format!("{base}/postal_code"), place.postal_code.as_deref());
}

/// Areas are parts of countries that there are, and none is named twice.
pub fn areas_are_on_the_map_and_distinct(findings: &mut Findings, areas: &[Area]) {
    if !(1..=MAX_AREAS).contains(&areas.len()) {
        findings.add("/areas", format!("1 to {MAX_AREAS} areas are allowed, {} were given", areas.len()));
    }
    let mut seen = HashSet::new();
    for (index, area) in areas.iter().enumerate().take(MAX_AREAS) {
        let base = format!("/areas/{index}");
        match &area.country {
            Some(country) => a_country_is_known(findings, &base, country),
            None if area.region.is_some() || area.postal_prefix.is_some() => {
                findings.add(format!("{base}/country"), "a region or postal code is of a country, which is missing");
            }
            None => {}
        }
        a_region_is_a_code(findings, &base, area.region.as_deref());
        a_postal_code_has_no_blanks(findings, format!("{base}/postal_prefix"), area.postal_prefix.as_deref());
        if !seen.insert(area) {
            findings.add(base, "the area stands here twice");
        }
    }
}

/// A tax class has a name like any other.
pub fn a_class_has_a_name(findings: &mut Findings, pointer: impl Into<String>, class: &str) {
    if let Err(reason) = Name::parse(class) {
        findings.add(pointer, reason);
    }
}

/// Whatever is stated by currency is stated in each once.
pub fn currencies_are_distinct(
    findings: &mut Findings,
    base: &str,
    member: &str,
    currencies: impl ExactSizeIterator<Item = Currency>,
) {
    findings.count(base, currencies.len(), MAX_CURRENCIES);
    let mut seen = HashSet::new();
    for (index, currency) in currencies.enumerate().take(MAX_CURRENCIES) {
        if !seen.insert(currency) {
            findings.add(format!("{base}/{index}{member}"), format!("{currency} stands here twice"));
        }
    }
}

/// An amount is not below zero, and not beyond what sums of it can hold.
pub fn an_amount_is_bounded(findings: &mut Findings, pointer: impl FnOnce() -> String, amount: i64) {
    if !(0..=MAX_AMOUNT).contains(&amount) {
        findings.add(pointer(), format!("0 to {MAX_AMOUNT} minor units are allowed"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(check: impl FnOnce(&mut Findings)) -> Vec<String> {
        let mut findings = Findings::default();
        check(&mut findings);
        findings.done().err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    }

    fn area(country: Option<&str>, region: Option<&str>, postal: Option<&str>) -> Area {
        let [country, region, postal_prefix] = [country, region, postal].map(|part| part.map(str::to_owned));
        Area { country, region, postal_prefix }
    }

    #[test]
    fn areas_that_break_a_rule_are_pointed_at() {
        let all = [
            area(None, None, None),
            area(Some("DE"), None, None),
            area(Some("XK"), None, Some("10")),
            area(Some("US"), Some("CA"), None),
            area(Some("US"), Some("CA"), Some("94-A")),
        ];
        assert_eq!(pointers(|findings| areas_are_on_the_map_and_distinct(findings, &all)), [""; 0]);
        for (wrong, pointer) in [
            (area(Some("de"), None, None), "/areas/0/country"),
            (area(Some("EU"), None, None), "/areas/0/country"),
            (area(Some(""), None, None), "/areas/0/country"),
            (area(None, Some("CA"), None), "/areas/0/country"),
            (area(None, None, Some("9")), "/areas/0/country"),
            (area(Some("US"), Some(""), None), "/areas/0/region"),
            (area(Some("US"), Some("ca"), None), "/areas/0/region"),
            (area(Some("US"), Some("CALI"), None), "/areas/0/region"),
            (area(Some("GB"), None, Some("SW1A 1")), "/areas/0/postal_prefix"),
            (area(Some("GB"), None, Some("")), "/areas/0/postal_prefix"),
            (area(Some("GB"), None, Some("1234567890123")), "/areas/0/postal_prefix"),
        ] {
            let found = pointers(|findings| areas_are_on_the_map_and_distinct(findings, std::slice::from_ref(&wrong)));
            assert_eq!(found, [pointer], "{wrong}");
        }
        let twice = vec![area(Some("DE"), None, None); 2];
        assert_eq!(pointers(|findings| areas_are_on_the_map_and_distinct(findings, &twice)), ["/areas/1"]);
        assert_eq!(pointers(|findings| areas_are_on_the_map_and_distinct(findings, &[])), ["/areas"]);
        let many: Vec<Area> = (0..501).map(|n| area(Some("DE"), None, Some(&n.to_string()))).collect();
        assert_eq!(pointers(|findings| areas_are_on_the_map_and_distinct(findings, &many)), ["/areas"]);
    }

    #[test]
    fn a_place_that_breaks_a_rule_is_pointed_at() {
        let place = |country: &str, region: &str, code: &str| Place {
            country: country.to_owned(),
            region: Some(region.to_owned()),
            postal_code: Some(code.to_owned()),
        };
        let found = |place| pointers(|findings| a_place_is_on_the_map(findings, "/home", &place));
        assert_eq!(found(place("US", "CA", "94105")), [""; 0]);
        assert_eq!(found(place("", "ca", "94 105")), ["/home/country", "/home/region", "/home/postal_code"]);
    }
}
