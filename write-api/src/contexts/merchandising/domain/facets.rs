//! How facets are shown, and the rules of that.

use super::policy::a_category_is_a_slug;
use crate::domain::{
    definition::{Content, Words, events_of},
    validation::Findings,
};
use schemas::events::merchandising::{FacetDisplay, FacetOrder, FacetSetting, MerchandisingKind};
use std::collections::HashSet;

/// The most facets.
const MAX_FACETS: usize = 50;
/// The most values of a facet that are shown.
const MAX_VALUES: u32 = 100;
/// The most values that are put in order by hand.
const MAX_LISTED: usize = 500;

impl Content for FacetDisplay {
    const WORDS: Words = Words {
        kind: MerchandisingKind::Facets.as_str(),
        aggregate: MerchandisingKind::Facets.aggregate(),
        define: "define_facets",
        remove: "remove_facets",
    };

    fn check(&self, findings: &mut Findings) {
        a_category_is_a_slug(findings, "/category", self.category.as_deref());
        findings.count("/facets", self.facets.len(), MAX_FACETS);
        let mut fields = HashSet::new();
        for (index, facet) in self.facets.iter().enumerate().take(MAX_FACETS) {
            a_facet_is_of_a_field_that_is_counted(findings, index, facet);
            if !fields.insert(facet.field.as_str()) {
                findings.add(format!("/facets/{index}/field"), "another facet is of this field");
            }
            a_facet_is_bounded(findings, index, facet);
            values_are_listed_where_that_is_the_order(findings, index, facet);
        }
    }

    events_of!(MerchandisingEvent in merchandising: FacetDisplayDefined, FacetDisplayRemoved);
}

fn a_facet_is_of_a_field_that_is_counted(findings: &mut Findings, index: usize, facet: &FacetSetting) {
    let pointer = || format!("/facets/{index}/field");
    match facet.field.strip_prefix("attr.") {
        Some(name) => findings.line(pointer, name, 100),
        None if matches!(facet.field.as_str(), "brand" | "category" | "available" | "price") => {}
        None => findings
            .add(pointer(), "there is no such facet; there are brand, category, available, price and attr.<name>"),
    }
}

fn a_facet_is_bounded(findings: &mut Findings, index: usize, facet: &FacetSetting) {
    if let Some(label) = &facet.label {
        findings.line(|| format!("/facets/{index}/label"), label, 100);
    }
    if facet.limit.is_some_and(|limit| !(1..=MAX_VALUES).contains(&limit)) {
        findings.add(format!("/facets/{index}/limit"), format!("1 to {MAX_VALUES} values can be shown"));
    }
}

fn values_are_listed_where_that_is_the_order(findings: &mut Findings, index: usize, facet: &FacetSetting) {
    let base = format!("/facets/{index}/listed_values");
    if (facet.order == FacetOrder::Listed) == facet.listed_values.is_empty() {
        findings.add(base.as_str(), "values are listed where the order is `listed`, and only there");
    }
    findings.count(&base, facet.listed_values.len(), MAX_LISTED);
    let mut seen = HashSet::new();
    for (place, value) in facet.listed_values.iter().enumerate().take(MAX_LISTED) {
        findings.line(|| format!("{base}/{place}"), value, 300);
        if !seen.insert(value) {
            findings.add(format!("{base}/{place}"), "the value is listed already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::Checked;

    fn facet(field: &str) -> FacetSetting {
        let (order, listed_values) = (FacetOrder::Count, Vec::new());
        FacetSetting { field: field.into(), label: None, limit: None, order, listed_values, hidden: false }
    }

    fn display(facets: Vec<FacetSetting>) -> FacetDisplay {
        FacetDisplay { category: None, facets }
    }

    #[test]
    fn facets_that_break_a_rule_are_pointed_at() {
        let listed = |values: &[&str]| FacetSetting {
            order: FacetOrder::Listed,
            listed_values: values.iter().map(|value| (*value).to_owned()).collect(),
            ..facet("attr.size")
        };
        let all = ["brand", "category", "available", "price", "attr.colour"].map(facet);
        assert!(Checked::parse(display([all.to_vec(), vec![listed(&["S", "M"])]].concat())).is_ok());
        for (facets, pointer) in [
            (vec![facet("colour")], "/facets/0/field"),
            (vec![facet("attr.")], "/facets/0/field"),
            (vec![facet("brand"), facet("brand")], "/facets/1/field"),
            (vec![FacetSetting { limit: Some(0), ..facet("brand") }], "/facets/0/limit"),
            (vec![FacetSetting { limit: Some(101), ..facet("brand") }], "/facets/0/limit"),
            (vec![FacetSetting { label: Some(String::new()), ..facet("brand") }], "/facets/0/label"),
            (vec![listed(&[])], "/facets/0/listed_values"),
            (vec![FacetSetting { order: FacetOrder::Value, ..listed(&["S"]) }], "/facets/0/listed_values"),
            (vec![listed(&["S", "S"])], "/facets/0/listed_values/1"),
            ((0..51).map(|number| facet(&format!("attr.a{number}"))).collect(), "/facets"),
        ] {
            let errors = Checked::parse(display(facets)).expect_err(pointer);
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
        }
        let wrong = FacetDisplay { category: Some("A B".into()), facets: vec![] };
        assert_eq!(Checked::parse(wrong).expect_err("refused")[0].pointer, "/category");
    }
}
