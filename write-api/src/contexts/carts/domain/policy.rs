//! The rules of carts, one sentence each.

use super::{
    Rejection,
    limits::{MOST_NAME, MOST_OPTION_BYTES, MOST_OPTIONS, MOST_TEXT},
};
use crate::domain::validation::{Findings, pointer_token};
use schemas::{
    cart::{Cart, CartPhase},
    events::carts::CartLine,
    ids::VariantId,
    place::{Place, countries::is_country},
};
use std::collections::BTreeMap;

/// Only an open cart changes.
pub fn a_cart_that_changes_is_open(cart: &Cart) -> Result<(), Rejection> {
    match cart.phase {
        CartPhase::Open => Ok(()),
        CartPhase::Locked => Err(Rejection::Locked(cart.checkout_id.unwrap_or_default())),
        CartPhase::CheckedOut | CartPhase::Expired => Err(Rejection::Closed),
    }
}

/// A cart has one line for each variant and set of options.
pub fn the_line_of<'a>(
    lines: &'a [CartLine],
    variant: VariantId,
    options: &BTreeMap<String, String>,
) -> Option<&'a CartLine> {
    lines.iter().find(|line| line.variant_id == variant && line.options == *options)
}

/// Options are few and short.
pub fn options_are_bounded(findings: &mut Findings, options: &BTreeMap<String, String>) {
    findings.count("/options", options.len(), MOST_OPTIONS);
    let bytes: usize = options.iter().map(|(name, text)| name.len() + text.len()).sum();
    if bytes > MOST_OPTION_BYTES {
        findings.add(
            "/options",
            format!("all of them together have at most {MOST_OPTION_BYTES} bytes, these have {bytes}"),
        );
    }
    for (name, text) in options.iter().take(MOST_OPTIONS) {
        let pointer = || format!("/options/{}", pointer_token(name));
        findings.line(pointer, name, MOST_NAME);
        if text.is_empty() {
            findings.add(pointer(), "an option that nobody wants is left out");
        }
        findings.prose(pointer, text, MOST_TEXT);
    }
}

/// A place is written as ISO 3166 has it.
pub fn a_place_is_written_as_iso_has_it(findings: &mut Findings, place: &Place) {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !is_country(&place.country) {
        findings.add("/place/country", "a country of ISO 3166-1 is expected, by its two letters, such as CO; or XK");
    }
    if place.region.as_ref().is_some_and(|region| !(1..=3).contains(&region.len()) || !plain(region)) {
        let detail =
            "1 to 3 capital letters and digits are expected: the second part of the ISO 3166-2 code, such as CA";
        findings.add("/place/region", detail);
    }
    let postal = |code: &String| (1..=16).contains(&code.len()) && plain(&code.replace('-', ""));
    if place.postal_code.as_ref().is_some_and(|code| !postal(code)) {
        findings.add("/place/postal_code", "1 to 16 letters, digits and hyphens are expected");
    }
}
