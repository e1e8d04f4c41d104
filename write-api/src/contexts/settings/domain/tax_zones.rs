//! Where which taxes are due, and the rules of that.

use super::{
    Setting,
    policy::{MAX_TITLE, a_class_has_a_name, areas_are_on_the_map_and_distinct},
};
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::{
    events::settings::{SettingKind, TaxRate, TaxZone},
    place::Area,
};
use std::collections::{BTreeMap, HashSet};

/// The most taxes of a zone.
const MAX_RATES: usize = 50;
/// The most characters of who gets a tax.
const MAX_JURISDICTION: usize = 64;
/// All of a price, in parts per million.
const WHOLE: u32 = 1_000_000;

impl Content for TaxZone {
    const WORDS: Words = Words {
        kind: SettingKind::TaxZone.as_str(),
        aggregate: SettingKind::TaxZone.aggregate(),
        define: "define_tax_zone",
        remove: "remove_tax_zone",
    };

    fn check(&self, findings: &mut Findings) {
        areas_are_on_the_map_and_distinct(findings, &self.areas);
        findings.count("/rates", self.rates.len(), MAX_RATES);
        let rates = &self.rates[..self.rates.len().min(MAX_RATES)];
        for (index, rate) in rates.iter().enumerate() {
            a_rate_can_be_told(findings, index, rate);
        }
        a_tax_is_due_once(findings, rates);
        a_class_is_not_taxed_beyond_its_price(findings, rates);
        if let Some(class) = &self.shipping_class {
            a_class_has_a_name(findings, "/shipping_class", class);
        }
    }

    events_of!(SettingsEvent in settings: TaxZoneDefined, TaxZoneRemoved);
}

impl Setting for TaxZone {
    const MOST: usize = 250;

    fn own_areas(&self) -> &[Area] {
        &self.areas
    }
}

fn a_rate_can_be_told(findings: &mut Findings, index: usize, rate: &TaxRate) {
    let at = |name: &str| format!("/rates/{index}/{name}");
    a_class_has_a_name(findings, at("class"), &rate.class);
    findings.line(|| at("jurisdiction"), &rate.jurisdiction, MAX_JURISDICTION);
    findings.line(|| at("title"), &rate.title, MAX_TITLE);
    if rate.rate_ppm > WHOLE {
        findings.add(at("rate_ppm"), format!("0 to {WHOLE} parts per million are allowed"));
    }
}

fn a_tax_is_due_once(findings: &mut Findings, rates: &[TaxRate]) {
    let mut seen = HashSet::new();
    for (index, rate) in rates.iter().enumerate() {
        if !seen.insert((&rate.class, &rate.jurisdiction, &rate.title)) {
            findings.add(format!("/rates/{index}"), "the zone has this tax on this class already");
        }
    }
}

/// Several taxes on one class add up.
fn a_class_is_not_taxed_beyond_its_price(findings: &mut Findings, rates: &[TaxRate]) {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for rate in rates.iter().filter(|rate| rate.rate_ppm <= WHOLE) {
        let sum = sums.entry(&rate.class).or_default();
        *sum += u64::from(rate.rate_ppm);
    }
    for (class, sum) in sums.into_iter().filter(|(_, sum)| *sum > u64::from(WHOLE)) {
        let detail = format!("the taxes on `{class}` make {sum} parts per million; at most {WHOLE} are allowed");
        findings.add("/rates", detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;
    use schemas::events::settings::TaxMode;

    fn rate(class: &str, title: &str, rate_ppm: u32) -> TaxRate {
        TaxRate { class: class.into(), jurisdiction: "DE".into(), title: title.into(), rate_ppm }
    }

    fn zone(rates: Vec<TaxRate>) -> TaxZone {
        let area = Area { country: Some("DE".into()), region: None, postal_prefix: None };
        TaxZone { areas: vec![area], mode: TaxMode::Inclusive, rates, shipping_class: None }
    }

    fn pointers(zone: TaxZone) -> Vec<String> {
        Checked::parse(zone).err().unwrap_or_default().into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn rates_that_break_a_rule_are_pointed_at() {
        let all = vec![rate("standard", "VAT", 190_000), rate("standard", "Levy", 810_000), rate("reduced", "VAT", 0)];
        assert_eq!(pointers(zone(all)), [""; 0]);
        for (rates, pointer) in [
            (vec![rate("standard", "VAT", 1_000_001)], "/rates/0/rate_ppm"),
            (vec![rate("Standard", "VAT", 1)], "/rates/0/class"),
            (vec![rate("standard", "", 1)], "/rates/0/title"),
            (vec![TaxRate { jurisdiction: " DE".into(), ..rate("standard", "VAT", 1) }], "/rates/0/jurisdiction"),
            (vec![rate("standard", "VAT", 1), rate("standard", "VAT", 2)], "/rates/1"),
            (vec![rate("standard", "VAT", 600_000), rate("standard", "Levy", 400_001)], "/rates"),
        ] {
            assert_eq!(pointers(zone(rates)), [pointer]);
        }
        let many = (0..51).map(|number| rate("standard", &format!("t{number}"), 1)).collect();
        assert_eq!(pointers(zone(many)), ["/rates"]);
        assert_eq!(pointers(TaxZone { shipping_class: Some(String::new()), ..zone(vec![]) }), ["/shipping_class"]);
    }
}
