//! The evidence log a start compares with what was signed last (I8).

use counterfoil_data::tlog::Frontier;

use super::bank::*;
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::overlay::Overlay;
use crate::core::record::books::LogHeadRow;
use crate::store::model::ModelStore;

#[test]
fn the_log_is_the_signed_one_before_the_first_leaf_and_after_every_commit() {
    let empty = Desk::empty(ModelStore::new());
    assert!(log::is_signed(&*empty.read()).expect("reads"));
    let mut desk = Desk::open(ModelStore::new());
    assert!(log::is_signed(&*desk.read()).expect("reads"));
    desk.linked(1, 3);
    assert!(log::size(&*desk.read()).expect("reads") > 0);
    assert!(log::is_signed(&*desk.read()).expect("reads"));
}

#[test]
fn a_log_cut_short_or_with_another_hash_at_its_right_edge_is_not_the_signed_one() {
    let mut desk = Desk::open(ModelStore::new());
    desk.linked(1, 3);
    let read = desk.read();
    let size = log::size(&*read).expect("reads");

    // One leaf less, with the very edge there was before it.
    let mut cut = Overlay::new(&*read);
    let source = |level, index| log::node(&*read, level, index);
    let edge = Frontier::load(size - 1, source).expect("is whole");
    let head = LogHeadRow {
        size: edge.size(),
        peaks: edge.peaks().to_vec(),
    };
    cut.put(key::single(Table::LogHead), &head).expect("puts");
    assert!(!log::is_signed(&cut).expect("reads"));

    // The newest leaves are under no kept hash yet: they are hashed themselves.
    let mut changed = Overlay::new(&*read);
    changed.put_bytes(key::numbered(Table::Leaf, size - 1), vec![7; 32]);
    assert_ne!(size % 16, 0, "the newest leaf is in no complete block");
    assert!(!log::is_signed(&changed).expect("reads"));

    // The largest complete subtree is one of those the root is made of.
    let level = u8::try_from(size.ilog2()).expect("fits");
    let mut bent = Overlay::new(&*read);
    bent.put_bytes(key::tree_hash(level, 0), vec![7; 32]);
    assert!(!log::is_signed(&bent).expect("reads"));

    let mut unsigned = Overlay::new(&*read);
    unsigned.remove(key::single(Table::Checkpoint));
    assert!(!log::is_signed(&unsigned).expect("reads"));
}
