//! What a quote was made of, in the versions that counted.

use crate::outcome::{Outcome, Setting};
use schemas::quote::{Source, SourceKind};
use std::collections::BTreeSet;

/// The aggregates that lines, discounts, taxes and shipping of a quote came from; each once, in their order.
pub(crate) fn sources(setting: &Setting<'_>, outcome: &Outcome<'_>) -> Vec<Source> {
    let source = |kind, id: String, version| Source { kind, id, version };
    let mut found = BTreeSet::from([source(SourceKind::Policy, "policy".to_owned(), setting.facts.policy.version)]);
    for line in outcome.basket.lines.iter().map(|line| &line.facts) {
        found.insert(source(SourceKind::Product, line.product_id.to_string(), line.product_version));
        let sheet = line.prices.as_ref().map(|sheet| sheet.version);
        found.extend(sheet.map(|version| source(SourceKind::PriceSheet, line.variant_id.to_string(), version)));
    }
    let counted = outcome.applied.iter().map(|applied| &applied.candidate);
    found.extend(counted.map(|promotion| source(SourceKind::Promotion, promotion.name.to_owned(), promotion.version)));
    let zones = [setting.taxes.home, setting.taxes.here].into_iter().flatten();
    found.extend(zones.map(|(name, zone)| source(SourceKind::TaxZone, name.to_owned(), zone.version)));
    let methods = outcome.charges.iter();
    found.extend(methods.map(|charge| source(SourceKind::ShippingMethod, charge.method.to_owned(), charge.version)));
    found.into_iter().collect()
}
