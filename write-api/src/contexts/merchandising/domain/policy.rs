//! Rules that more than one kind of definition keeps, one sentence each.

use crate::domain::{Slug, validation::Findings};
use schemas::{events::merchandising::Window, filter};

/// The most characters of an address.
pub const MAX_ADDRESS: usize = 2_000;
/// The most characters of a filter.
pub const MAX_FILTER: usize = 2_000;

/// A window opens before it closes.
pub fn a_window_opens_before_it_closes(findings: &mut Findings, window: Option<&Window>) {
    if let Some((from, until)) = window.and_then(|window| window.from.zip(window.until))
        && from >= until
    {
        findings.add("/window/until", "a window must close after it opens");
    }
}

/// A category is named by its slug; whether it is there is not asked, since it may come later.
pub fn a_category_is_a_slug(findings: &mut Findings, pointer: &str, category: Option<&str>) {
    if let Some(Err(reason)) = category.map(Slug::parse) {
        findings.add(pointer, reason);
    }
}

/// A filter can be read, so that it can be applied.
pub fn a_filter_can_be_read(findings: &mut Findings, pointer: String, text: &str) {
    if text.chars().count() > MAX_FILTER || text.contains('\0') {
        findings.add(pointer, format!("a filter has at most {MAX_FILTER} characters, none of them U+0000"));
    } else if let Err(error) = filter::parse(text) {
        findings.add_at(pointer, error.position, error.reason);
    }
}

/// An address leads to the web or to a page of the shop. `//host` and `/\host` would leave the shop
/// while they look as if they did not.
pub fn an_address_is_absolute_or_from_the_root(findings: &mut Findings, pointer: String, address: &str) {
    let host = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme));
    let has_host = host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '\\']));
    let from_root = address.starts_with('/') && !address[1..].starts_with(['/', '\\']);
    let is_plain = !address.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    if !(has_host || from_root) || !is_plain || address.chars().count() > MAX_ADDRESS {
        findings.add(
            pointer,
            format!(
                "an http or https address or a path from / is expected, at most {MAX_ADDRESS} characters, no spaces"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_do_not_leave_the_shop_in_disguise() {
        let is_allowed = |address: &str| {
            let mut findings = Findings::default();
            an_address_is_absolute_or_from_the_root(&mut findings, "/url".into(), address);
            findings.done().is_ok()
        };
        for good in ["/", "/sale?x=1#y", "https://example.org", "http://example.org/a/ä"] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "sale",
            "//example.org",
            "/\\example.org",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "ftp://example.org",
            "/a b",
            "/a\n",
            &format!("/{}", "x".repeat(MAX_ADDRESS)),
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_filter_is_pointed_at() {
        let mut findings = Findings::default();
        a_filter_can_be_read(&mut findings, "/then/0/filter".into(), "brand:");
        let errors = findings.done().expect_err("refused");
        assert_eq!((errors[0].pointer.as_str(), errors[0].position), ("/then/0/filter", Some(6)));
    }
}
