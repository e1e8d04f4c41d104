//! How many connections each address has.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The bits of an IPv6 address that tell one network from another; the rest is a host's to choose.
const NETWORK: u128 = u128::MAX << 64;

/// The addresses that have connections.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct PeerPlace {
    peers: Peers,
    peer: IpAddr,
}

impl Peers {
    /// A place for one more connection of this address, unless it has as many as one may have.
    pub(super) fn place(&self, address: IpAddr, most: u32) -> Option<PeerPlace> {
        let peer = match address.to_canonical() {
            IpAddr::V6(host) => IpAddr::V6(Ipv6Addr::from_bits(host.to_bits() & NETWORK)),
            host @ IpAddr::V4(_) => host,
        };
        let mut counts = self.counts();
        let count = counts.entry(peer).or_default();
        // An address that has none is given one: places for none at all can't be asked for.
        (*count < most).then(|| {
            *count += 1;
            PeerPlace { peers: self.clone(), peer }
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut counts = self.peers.counts();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_leaves_nothing_behind() {
        let peers = Peers::default();
        let of = |text: &str| peers.place(text.parse().expect("an address"), 2);
        let (first, second) = (of("10.0.0.1"), of("::ffff:10.0.0.1"));
        assert!(first.is_some() && second.is_some() && of("10.0.0.1").is_none(), "one address in both its forms");
        assert!(of("10.0.0.2").is_some(), "another");
        let networks = [of("2001:db8::1"), of("2001:db8::ffff")];
        assert!(networks.iter().all(Option::is_some) && of("2001:db8::5").is_none(), "one network");
        assert!(of("2001:db8:0:1::1").is_some(), "another network");
        drop(first);
        assert!(of("10.0.0.1").is_some());
        drop((second, networks));
        assert!(peers.counts().is_empty(), "{peers:?}");
    }
}
