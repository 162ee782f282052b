//! Which problems a route can answer with.
//!
//! Owns the promise; the service's tests hold every answer to it, and so does the
//! interface tester (`tests/api`). A new operation does not compile before it is
//! thought of here. Called by the document and by tests.

use std::collections::BTreeMap;

use counterfoil_data::wire::problem::ProblemKind as K;

use super::super::route::{Audience, BodyRule, Operation as O, Route};

/// What only some operations can answer.
fn own(operation: O) -> &'static [K] {
    match operation {
        O::OpenSale => &[K::OutOfOrder, K::Refused, K::StorageLow],
        O::ReadSale | O::Number | O::Tile | O::Checkpoint => &[K::NotFound],
        O::Info | O::Identity | O::Finger => &[
            K::NotFound,
            K::OutOfOrder,
            K::NotVerified,
            K::Refused,
            K::Locked,
        ],
        O::Order => &[K::NotFound, K::OutOfOrder, K::Refused],
        O::Link => &[K::NotFound, K::OutOfOrder, K::RangeMoved, K::Refused],
        O::Forms | O::Sheet | O::Cancel | O::Abandon | O::Close => &[K::NotFound, K::OutOfOrder],
        O::Seen | O::Confirm | O::Deny | O::Ask => &[K::NotFound, K::OutOfOrder, K::StaleDigest],
        O::Propose => &[K::NotFound, K::OutOfOrder, K::Refused],
        O::Approve => &[K::NotFound, K::OutOfOrder, K::StaleDigest, K::Refused],
        O::Refuse => &[K::NotFound, K::OutOfOrder, K::StaleDigest],
        O::LogIn => &[K::NotVerified, K::Refused, K::Locked],
        O::Alive => &[K::NoSession],
        O::ReadSession | O::LogOut => &[],
        O::ReadKiosk | O::Confirmations | O::Custody | O::Events | O::OpenApi => &[],
    }
}

/// Every problem that this route can answer with. [`K::Method`] is what its path
/// answers to another method.
pub fn problems(route: &Route) -> Vec<K> {
    let mut all = vec![K::Method, K::Malformed];
    all.extend(own(route.operation));
    if route.audience != Audience::Public {
        all.extend([K::NotSigned, K::TooLarge, K::Version]);
        all.extend([K::Busy, K::Internal, K::NotYours]);
    }
    let by_staff = matches!(route.audience, Audience::Station | Audience::Staff);
    if by_staff || route.operation == O::Number {
        all.push(K::NoSession);
    }
    if route.body != BodyRule::None {
        all.push(K::MediaType);
    }
    if route.keyed {
        all.push(K::KeyReused);
    }
    all
}

/// [`problems`] by status.
pub fn by_status(route: &Route) -> BTreeMap<u16, Vec<K>> {
    let mut all: BTreeMap<u16, Vec<K>> = BTreeMap::new();
    for kind in problems(route) {
        all.entry(kind.facts().2).or_default().push(kind);
    }
    all
}
