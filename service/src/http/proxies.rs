//! Proxies that are believed when they say for whom they ask.

use axum::http::HeaderMap;
use std::{net::IpAddr, str::FromStr, sync::Arc};

/// The header in which a proxy names its client, behind those that others have named before.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Addresses and networks of proxies; none are trusted unless they are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Arc<[Network]>);

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl FromStr for TrustedProxies {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let networks = named.map(|one| {
            Network::read(one)
                .ok_or_else(|| format!("`{one}`: an address or a network is expected, such as 10.0.0.7 or 10.0.0.0/8"))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl Network {
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = width(address);
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn has(&self, other: IpAddr) -> bool {
        let differ = match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => u128::from(own.to_bits() ^ other.to_bits()),
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        differ.checked_shr(width(other) - self.bits).unwrap_or(0) == 0
    }
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl TrustedProxies {
    /// Where a request comes from. What a proxy says is believed if it is one of these, and of what it says the part that
    /// itself or another of them has added: that is at the end, and what is in front anybody may have written.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.0.is_empty() {
            return peer;
        }
        let mut client = peer.to_canonical();
        let named = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        let mut named: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
        while self.0.iter().any(|network| network.has(client)) {
            // One that can't be read was not written by a proxy that is to be believed.
            let Some(before) = named.pop().and_then(|text| text.parse::<IpAddr>().ok()) else { break };
            client = before.to_canonical();
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(trusted: &str, peer: &str, said: &[&'static str]) -> String {
        let trusted: TrustedProxies = trusted.parse().expect("networks");
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(value));
        }
        trusted.client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("", "10.0.0.7", &["192.0.2.1"]), "10.0.0.7");
        assert_eq!(client("10.0.0.0/8", "192.0.2.9", &["192.0.2.1"]), "192.0.2.9");
        assert_eq!(client("10.0.0.7", "10.0.0.8", &["192.0.2.1"]), "10.0.0.8");
    }

    #[test]
    fn of_a_trusted_proxy_only_what_trusted_ones_added_is_believed() {
        let within = "10.0.0.0/8, ::1";
        for (peer, said, expected) in [
            ("10.0.0.7", &[][..], "10.0.0.7"),
            ("10.0.0.7", &["192.0.2.1"], "192.0.2.1"),
            ("::ffff:10.0.0.7", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("::1", &["2001:db8::5"], "2001:db8::5"),
            // What is in front was written by the client itself.
            ("10.0.0.7", &["203.0.113.5, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.7", &["203.0.113.5", "192.0.2.1, 10.1.1.1"], "192.0.2.1"),
            ("10.0.0.7", &["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            ("10.0.0.7", &["192.0.2.1, unknown"], "10.0.0.7"),
            ("10.0.0.7", &["192.0.2.1, unknown, 10.3.3.3"], "10.3.3.3"),
        ] {
            assert_eq!(client(within, peer, said), expected, "{peer} {said:?}");
        }
    }

    #[test]
    fn networks_are_of_so_many_bits() {
        let has = |network: &str, address: &str| {
            Network::read(network).expect(network).has(address.parse().expect("an address"))
        };
        assert!(has("0.0.0.0/0", "192.0.2.1") && has("::/0", "2001:db8::1"));
        assert!(has("192.0.2.0/25", "192.0.2.127") && !has("192.0.2.0/25", "192.0.2.128"));
        assert!(has("fc00::/7", "fd12::1") && !has("fc00::/7", "fe80::1") && !has("::/0", "192.0.2.1"));
        for text in ["10.0.0.0/33", "10.0.0/8", "::1/129", "proxy", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1:80"] {
            text.parse::<TrustedProxies>().expect_err(text);
        }
        assert_eq!("".parse::<TrustedProxies>(), Ok(TrustedProxies::default()));
    }
}
