//! What the evidence of a random trace must say.

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_data::ids::SaleId;
use counterfoil_data::leaf::{Field, Leaf, LeafKind};
use counterfoil_data::wire::forms::FormState;

use super::Trace;
use crate::core::key::{self, Table};
use crate::core::record::books::{Errand, Port};
use crate::core::{log, query};
use crate::store::{Read, Store};

fn leaf(read: &dyn Read, index: u64) -> Leaf {
    let bytes = read.read(&key::numbered(Table::Leaf, index));
    Leaf::decode(&bytes.expect("reads").expect("a leaf")).expect("a leaf")
}

/// I4: a sale that is linked has passed every gate, in the evidence itself.
pub fn gates_were_passed<S: Store>(trace: &Trace<S>) {
    let read = trace.desk.read();
    let mut proven: BTreeMap<SaleId, Vec<LeafKind>> = BTreeMap::new();
    for index in 0..log::size(&*read).expect("reads") {
        let leaf = leaf(&*read, index);
        let Some(sale) = leaf.sale() else { continue };
        let before = proven.entry(sale).or_default();
        if leaf.kind == LeafKind::Linked {
            let gates = [
                LeafKind::InfoVerified,
                LeafKind::IdentityAttempted,
                LeafKind::IdentityVerified,
                LeafKind::Ordered,
                LeafKind::ConfirmSeen,
                LeafKind::Confirmed,
            ];
            let mut rest = before.iter();
            for gate in gates {
                assert!(rest.any(|k| *k == gate), "{sale} lacks {gate:?}");
            }
        }
        before.push(leaf.kind);
    }
}

/// I2: what was fed, or read in a printer, is never back in stock, in the evidence
/// itself; and clearing hears of every number sold in a sale that is over, once.
pub fn no_paper_came_back<S: Store>(trace: &Trace<S>) {
    let read = trace.desk.read();
    let mut fed = BTreeSet::new();
    for index in 0..log::size(&*read).expect("reads") {
        let leaf = leaf(&*read, index);
        for field in &leaf.fields {
            match (leaf.kind, field) {
                (LeafKind::FormFeeding, Field::Number(n))
                | (LeafKind::FormMismatch, Field::Read(n)) => {
                    fed.insert(*n);
                }
                (LeafKind::FormReleased | LeafKind::FormSupplemented, Field::Number(n)) => {
                    assert!(!fed.contains(n), "{n} came back");
                }
                (LeafKind::Linked | LeafKind::CassetteLoaded, Field::Range(range)) => {
                    assert!(
                        range.numbers().all(|n| !fed.contains(&n)),
                        "{range} was fed"
                    );
                }
                _ => {}
            }
        }
    }
    let errands = query::errands(&*read, Port::Clearing, 0, 4_096);
    let (errands, _) = errands.expect("reads");
    let mut told = Vec::new();
    for waiting in errands {
        if let Errand::TellIssue { ranges, .. } = waiting.errand {
            told.extend(ranges.iter().flat_map(|range| range.numbers()));
        }
    }
    told.sort_unstable();
    let views = (1..=trace.sales).map(|sale| trace.desk.view(SaleId(sale)));
    let over = views.filter(|view| view.state.is_over());
    let sold = FormState::Sold;
    let forms = over.flat_map(|view| view.forms);
    let mut owned: Vec<_> = forms
        .filter(|f| f.state == sold)
        .map(|f| f.number)
        .collect();
    owned.sort_unstable();
    assert_eq!(told, owned);
}

/// Rows of custody are at most lots, sales and exceptions; an exception is a change of
/// one form or one act of people, and adds at most two rows.
pub fn rows_are_few<S: Store>(trace: &Trace<S>) {
    let read = trace.desk.read();
    let report = crate::core::audit::audit(&*read).expect("the books are in order");
    let mut exceptions = 0_u128;
    let mut lots = 0_u128;
    for index in 0..log::size(&*read).expect("reads") {
        match leaf(&*read, index).kind {
            LeafKind::BlanksReceived | LeafKind::BlanksAnnounced => lots += 1,
            LeafKind::FormFeeding
            | LeafKind::FormPrinted
            | LeafKind::FormPresented
            | LeafKind::FormTaken
            | LeafKind::FormReleased => {}
            _ => exceptions += 2,
        }
    }
    // A sale that is still dispensing has its forms in a few states at once.
    let bound = lots + trace.sales * 2 + exceptions;
    assert!(u128::from(report.blank_rows) <= bound, "{report:?}");
}
