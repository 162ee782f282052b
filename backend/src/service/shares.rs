//! Shares of something bounded: connections by address, requests and event streams
//! by signer. Nobody can take what belongs to the others.
//!
//! Owns the counts; a [`Share`] gives its count back when dropped. Called by the
//! HTTP layer and by the event streams.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

/// Counts shares, in all and by owner.
pub struct Shares<K: Ord + Clone> {
    held: Rc<RefCell<Held<K>>>,
    all_max: usize,
    each_max: usize,
}

struct Held<K> {
    by_owner: BTreeMap<K, usize>,
    total: usize,
}

/// The right to one; held for as long as it is used.
pub struct Share<K: Ord + Clone> {
    held: Rc<RefCell<Held<K>>>,
    owner: Option<K>,
}

impl<K: Ord + Clone> Shares<K> {
    /// Room for `all_max`, of which one owner has `each_max` at most.
    pub fn new(all_max: usize, each_max: usize) -> Self {
        let held = Held {
            by_owner: BTreeMap::new(),
            total: 0,
        };
        Self {
            held: Rc::new(RefCell::new(held)),
            all_max,
            each_max,
        }
    }

    /// One more, or `None` when the owner or the house is full. Without an owner
    /// (a stream in memory) only the whole is bounded.
    pub fn take(&self, owner: Option<K>) -> Option<Share<K>> {
        let mut held = self.held.borrow_mut();
        if held.total >= self.all_max {
            return None;
        }
        if let Some(owner) = &owner {
            let own = held.by_owner.get(owner).copied().unwrap_or(0);
            if own >= self.each_max {
                return None;
            }
            held.by_owner.insert(owner.clone(), own.saturating_add(1));
        }
        held.total = held.total.saturating_add(1);
        Some(Share {
            held: Rc::clone(&self.held),
            owner,
        })
    }

    /// How many are taken now.
    pub fn taken(&self) -> usize {
        self.held.borrow().total
    }
}

impl<K: Ord + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.held.borrow_mut();
        held.total = held.total.saturating_sub(1);
        let Some(owner) = self.owner.take() else {
            return;
        };
        let own = held.by_owner.get(&owner).copied().unwrap_or(0);
        if own > 1 {
            held.by_owner.insert(owner, own.saturating_sub(1));
        } else {
            held.by_owner.remove(&owner);
        }
    }
}

/// Who an address stands for: itself, or with IPv6 its /64, which one customer has
/// whole.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let network = u128::from(six) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_its_share_and_gets_one_back_when_it_is_dropped() {
        let shares = Shares::new(5, 4);
        let mut held: Vec<_> = (0..4).map(|_| shares.take(Some("a"))).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take(Some("a")).is_none());
        let fifth = shares.take(Some("b"));
        assert!(fifth.is_some());
        assert!(shares.take(Some("c")).is_none(), "the house is full");
        assert!(shares.take(None).is_none(), "for everybody");
        drop(fifth);
        held.pop();
        assert!(shares.take(Some("a")).is_some());
        drop(held);
        assert_eq!(shares.taken(), 0);
        assert!(shares.held.borrow().by_owner.is_empty());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let same = |a: &str, b: &str| {
            let parsed = |text: &str| neighbourhood(text.parse().expect("an address"));
            parsed(a) == parsed(b)
        };
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
    }
}
