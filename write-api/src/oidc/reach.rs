//! Which addresses providers may have. A shop's owner writes the address of a provider, and it must not lead into the network
//! that the server stands in.

use reqwest::Client;
use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use url::{Host, Url};

/// How far requests to providers reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses, by https.
    Public,
    /// Any address, and http on this machine: for development.
    Local,
}

impl Reach {
    /// What asks providers: within this reach, by no proxy, which would resolve names by itself, and following no redirect, which
    /// could lead anywhere. A connection may take so long to be made, and a request so long in all.
    ///
    /// # Errors
    /// TLS can't be used.
    pub fn client(self, connect: Duration, request: Duration) -> Result<Client, reqwest::Error> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(connect)
            .timeout(request)
            .user_agent("souk");
        let client = match self {
            Self::Public => client.https_only(true).dns_resolver(Arc::new(PublicNames)),
            Self::Local => client,
        };
        client.build()
    }

    /// Checks an address before anything is asked there. What names resolve to is checked when they are resolved.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(self, url: &Url) -> Result<(), &'static str> {
        let is_here = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => return Err("a host is expected"),
        };
        match url.scheme() {
            "https" => {}
            "http" if self == Self::Local && is_here => {}
            _ => return Err("https is expected"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address without user and password is expected");
        }
        let is_public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            Some(Host::Domain(_)) => !is_here,
            None => false,
        };
        if self == Self::Public && !is_public {
            return Err("a public address is expected");
        }
        Ok(())
    }
}

/// Whether an address is one of the public internet, by the registries of special addresses (RFC 6890).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // this network; shared by carriers (RFC 6598); protocols; 6to4 relays; benchmarks; multicast and reserved
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 224;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let embedded = || {
        let ([x, y], [z, w]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(x, y, z, w)
    };
    match (a, b, c, d, e, f) {
        // IPv4 in IPv6, also as networks without IPv4 translate it (RFC 6052)
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(embedded()),
        // protocols and Teredo; documentation, twice; 6to4
        (0x2001, 0..=0x1ff, ..) | (0x2001, 0xdb8, ..) | (0x2002, ..) | (0x3fff, 0..=0xfff, ..) => false,
        // all that was given out as global unicast
        _ => a & 0xe000 == 0x2000,
    }
}

/// Resolves names to public addresses alone. The connection is made to what was checked here, so that a name that means
/// another address a moment later gains nothing.
#[derive(Debug, Clone, Copy)]
pub struct PublicNames;

/// The name means no public address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

impl reqwest::dns::Resolve for PublicNames {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let failed = |error: std::io::Error| -> Box<dyn Error + Send + Sync> { Box::new(error) };
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(failed)?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(Box::new(NotPublic) as Box<dyn Error + Send + Sync>);
            }
            let addresses: reqwest::dns::Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: Reach, text: &str) -> bool {
        reach.check(&Url::parse(text).expect("an address")).is_ok()
    }

    #[test]
    fn private_addresses_are_not_asked_however_they_are_written() {
        for text in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0.0.0.0/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://[ff02::1]/",
            "https://[2002:7f00:1::]/",
            "https://localhost/",
            "https://metadata.localhost/",
            "http://login.example/",
            "https://user@login.example/",
            "ftp://login.example/",
        ] {
            assert!(!check(Reach::Public, text), "{text}");
        }
        for text in [
            "https://login.example/realm",
            "https://8.8.8.8/",
            "https://[2606:4700::1111]/",
            "https://[64:ff9b::808:808]/",
        ] {
            assert!(check(Reach::Public, text), "{text}");
        }
    }

    #[test]
    fn where_it_is_allowed_this_machine_is_asked_by_http_and_no_other() {
        for text in ["http://127.0.0.1:9000/", "http://localhost:9000/", "http://[::1]/", "https://10.0.0.1/"] {
            assert!(check(Reach::Local, text), "{text}");
        }
        for text in ["http://10.0.0.1/", "http://login.example/", "file:///etc/passwd"] {
            assert!(!check(Reach::Local, text), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_not_resolved() {
        use reqwest::dns::Resolve;
        let name = "localhost".parse().expect("a name");
        assert!(PublicNames.resolve(name).await.is_err());
    }
}
