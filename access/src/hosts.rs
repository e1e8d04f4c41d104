//! The host of a shop: who asks there without a key shops in it.

use axum::http::request::Parts;
use service::http::named_hosts;
use std::{str::FromStr, sync::Arc};

/// The domain below which each shop has a host, `<slug>.<domain>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopDomain(Arc<str>);

impl FromStr for ShopDomain {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let domain = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !domain.split('.').all(is_label) {
            return Err(format!("`{text}`: a domain such as shops.example is expected, without scheme, port and path"));
        }
        Ok(Self(domain.into()))
    }
}

impl ShopDomain {
    /// The host of a shop.
    #[must_use]
    pub fn host_of(&self, slug: &str) -> String {
        format!("{slug}.{}", self.0)
    }

    /// The slug of the shop whose host a request names, if it names one.
    #[must_use]
    pub fn slug(&self, parts: &Parts) -> Option<Arc<str>> {
        let mut named = named_hosts(parts);
        let name = named.next()?;
        // Two that differ name none.
        if named.any(|other| other != name) {
            return None;
        }
        let name = name.to_ascii_lowercase();
        let slug = name.strip_suffix(&*self.0)?.strip_suffix('.')?;
        (!slug.is_empty() && !slug.contains('.')).then(|| slug.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn slug(uri: &str, hosts: &[&str]) -> Option<String> {
        let domain: ShopDomain = "Shops.example".parse().expect("a domain");
        let request = hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header("host", *host));
        domain.slug(&request.body(()).expect("a request").into_parts().0).map(|slug| slug.to_string())
    }

    #[test]
    fn a_host_below_the_domain_is_of_a_shop() {
        assert_eq!(slug("/", &["demo.shops.example"]).as_deref(), Some("demo"));
        assert_eq!(slug("/", &["Demo.Shops.Example:8081"]).as_deref(), Some("demo"));
        assert_eq!(slug("http://demo.shops.example/", &[]).as_deref(), Some("demo"));
        assert_eq!(slug("http://demo.shops.example/", &["demo.shops.example"]).as_deref(), Some("demo"));
        for hosts in [
            &["shops.example"][..],
            &["a.b.shops.example"],
            &["demoshops.example"],
            &["demo.shops.example.evil"],
            &[".shops.example"],
            &["127.0.0.1:8081"],
            &["[::1]:8081"],
            &["one.shops.example", "two.shops.example"],
            &[""],
            &[],
        ] {
            assert_eq!(slug("/", hosts), None, "{hosts:?}");
        }
        assert_eq!(slug("http://one.shops.example/", &["two.shops.example"]), None);
    }

    #[test]
    fn what_is_no_domain_is_refused_at_the_start() {
        for text in ["", "http://shops.example", "shops.example:80", "shops..example", "a b"] {
            assert!(text.parse::<ShopDomain>().is_err(), "{text}");
        }
        assert!("localhost".parse::<ShopDomain>().is_ok());
    }
}
