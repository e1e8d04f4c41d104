//! The names that a server answers to.

use axum::http::{header, request::Parts};
use std::{str::FromStr, sync::Arc};

/// Names of hosts in lower case, without ports; none stands for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Arc<[String]>);

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let read = |name: &str| {
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
            // A port would never be found again: hosts are compared without.
            let plain = name.strip_prefix("*.").unwrap_or(name);
            if !plain.bytes().all(is_name) || without_port(name) != name {
                return Err(format!("`{name}`: a host's name without scheme, port and path is expected"));
            }
            Ok(name.to_ascii_lowercase())
        };
        names.map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl Hosts {
    /// Whether every host that a request names is one of these. Health and metrics are asked for by address, so that they
    /// are told to everybody.
    pub(super) fn serve(&self, parts: &Parts) -> bool {
        let path = parts.uri.path();
        if self.0.is_empty() || path == "/metrics" || path.starts_with("/health/") {
            return true;
        }
        let mut named = named_hosts(parts).peekable();
        named.peek().is_some() && named.all(|host| self.has(host))
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|known| match known.strip_prefix('*') {
            None => known.eq_ignore_ascii_case(host),
            // `*.shops.example`: one label more.
            Some(end) => {
                let host = host.to_ascii_lowercase();
                host.strip_suffix(end).is_some_and(|label| !label.is_empty() && !label.contains('.'))
            }
        })
    }
}

/// Every host that a request names, without its port: in HTTP/2 it stands in the address. One that can't be read is empty.
pub fn named_hosts(parts: &Parts) -> impl Iterator<Item = &str> {
    let headers = parts.headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
    parts.uri.authority().map(|authority| authority.as_str()).into_iter().chain(headers).map(without_port)
}

/// An address of IPv6 has colons of its own, in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(uri: &str, hosts: &[&str]) -> Parts {
        let request = hosts.iter().fold(Request::builder().uri(uri), |request, host| request.header("host", *host));
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn a_request_names_one_of_the_hosts_and_no_other() {
        let hosts: Hosts = " Shop.example, [::1] ".parse().expect("hosts");
        for named in ["shop.example", "SHOP.EXAMPLE:8082", "[::1]", "[::1]:8082"] {
            assert!(hosts.serve(&parts("/", &[named])), "{named}");
        }
        for named in [&["other.example"][..], &["shop.example.evil"], &["shop.example", "evil"], &[""], &[]] {
            assert!(!hosts.serve(&parts("/", named)), "{named:?}");
        }
        assert!(!hosts.serve(&parts("http://evil/", &["shop.example"])), "the address goes before the header");
        assert!(hosts.serve(&parts("/health/ready", &["10.0.0.7:8082"])) && hosts.serve(&parts("/metrics", &[])));
        assert!(!hosts.serve(&parts("/healthy", &["10.0.0.7"])));
        assert!(Hosts::default().serve(&parts("/", &["anything"])));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let hosts: Hosts = "*.shops.example".parse().expect("hosts");
        for named in ["demo.shops.example", "Demo.Shops.Example:8081"] {
            assert!(hosts.serve(&parts("/", &[named])), "{named}");
        }
        for named in
            ["shops.example", ".shops.example", "a.b.shops.example", "demoshops.example", "demo.shops.example.evil"]
        {
            assert!(!hosts.serve(&parts("/", &[named])), "{named}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_at_the_start() {
        for text in ["http://shop.example", "shop.example:443", "shop.example/x", "a b"] {
            text.parse::<Hosts>().expect_err(text);
        }
        assert_eq!("".parse::<Hosts>(), Ok(Hosts::default()));
    }
}
