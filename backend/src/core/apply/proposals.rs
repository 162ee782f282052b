//! Proposals of two people into rows; those long over are forgotten with new ones.

use counterfoil_data::ids::{BranchId, StaffId};
use jiff::SignedDuration;

use super::Moment;
use crate::core::event::Event;
use crate::core::key;
use crate::core::overlay::Overlay;
use crate::core::record::decode;
use crate::core::record::proposal::{PROPOSAL_KEPT_S, ProposalRow};
use crate::core::waiting;
use crate::store::{From, Read as _, StoreError};

/// Old proposals forgotten with each new one.
const FORGET_AT_ONCE: usize = 4;

/// Applies an event of a proposal.
pub fn changed(books: &mut Overlay<'_>, moment: Moment, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::CustodyProposed(row) => {
            books.put(key::proposal(&row.branch, row.number), &**row)?;
            forget(books, moment, &row.branch)?;
            waiting::tell(books, &row.branch)
        }
        Event::CustodyApproved {
            branch,
            proposal,
            by: [by, _],
        } => decided(books, branch, *proposal, by, true),
        Event::CustodyRefused {
            branch,
            proposal,
            by: [by, _],
        } => decided(books, branch, *proposal, by, false),
        _ => Ok(()),
    }
}

fn decided(
    books: &mut Overlay<'_>,
    branch: &BranchId,
    number: u64,
    by: &StaffId,
    done: bool,
) -> Result<(), StoreError> {
    let key = key::proposal(branch, number);
    let mut row: ProposalRow = books.need(&key, "no such proposal")?;
    row.decide(by.clone(), done);
    books.put(key, &row)?;
    waiting::tell(books, branch)
}

fn forget(books: &mut Overlay<'_>, moment: Moment, branch: &BranchId) -> Result<(), StoreError> {
    let kept = SignedDuration::from_secs(PROPOSAL_KEPT_S);
    let Ok(before) = moment.at.checked_sub(kept) else {
        return Ok(());
    };
    let (low, high) = (key::proposals(branch), key::proposals_end(branch));
    for (key, bytes) in books.range(&low, &high, From::First, FORGET_AT_ONCE)? {
        let row: ProposalRow = decode(&bytes)?;
        if row.expires < before {
            books.remove(key);
        }
    }
    Ok(())
}
