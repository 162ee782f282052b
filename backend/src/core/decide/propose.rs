//! Two people, each at a terminal of their own (K8, K9, I6): one proposes an act of
//! custody, another approves or refuses exactly that act.
//!
//! A proposal is decided twice over the books as they are: when it is made, so that
//! nonsense is refused while the person can still say it otherwise, and when it is
//! approved, in the commit that does it. What two people may do is [`stock`]'s to say,
//! the same for both ways there are (the other is `app::custody`).

use counterfoil_data::ids::{BranchId, StaffId};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::{Act, Holder, ProposalState};

use super::{Draft, Stop, said, stock};
use crate::core::command::{Actor, Outcome};
use crate::core::event::Event;
use crate::core::key::{self, Table};
use crate::core::ledger;
use crate::core::matrix::handles_blanks;
use crate::core::overlay::Overlay;
use crate::core::query::proposals;
use crate::core::record::bank::{Duty, StaffRow};
use crate::core::record::proposal::{PROPOSALS_OPEN_MAX, ProposalRow};
use crate::core::refusal::{Missing, ProposalRefusal, Refusal};

/// Name of the counter of proposals.
const COUNTER: &str = "proposal";

/// Whoever proposes or decides.
struct Person {
    id: StaffId,
    branch: BranchId,
    /// Nothing but what tellers have a part in.
    only_teller: bool,
}

/// Who gives the command: somebody who keeps blanks or settles what nobody knows, or a
/// teller, for what tellers have a part in.
fn person(draft: &Draft<'_>) -> Result<Person, Stop> {
    let Actor::Staff(id) = &draft.command.actor else {
        return Err(Refusal::NotYours.into());
    };
    let row: Option<StaffRow> = draft.books.get(&key::text(Table::Staff, id.as_str()))?;
    let row = row.ok_or(Refusal::NotYours)?;
    draft.logged_in()?;
    let roles = stock::roles(draft, id, &row.branch)?;
    let mut parts = roles.iter().copied().filter(|role| handles_blanks(*role));
    let first = parts.next().ok_or(Refusal::NotYours)?;
    let only_teller = first == Duty::Teller && parts.all(|role| role == Duty::Teller);
    Ok(Person {
        id: row.id,
        branch: row.branch,
        only_teller,
    })
}

/// A teller decides about the own box and about forms that customers bring.
fn concerns(person: &Person, act: &Act) -> Result<(), Stop> {
    let own = |holder: &Holder| matches!(holder, Holder::TellerBox { teller, .. } if *teller == person.id);
    let tellers = match act {
        Act::Dispatch { from: holder, .. }
        | Act::Accept { to: holder, .. }
        | Act::Count { at: holder, .. } => own(holder),
        Act::Return { .. } | Act::Mark { .. } => true,
        _ => false,
    };
    if !person.only_teller || tellers {
        return Ok(());
    }
    Err(Refusal::NotYours.into())
}

/// One person proposes.
pub fn propose(draft: &mut Draft<'_>, act: &Act) -> Result<Outcome, Stop> {
    let person = person(draft)?;
    concerns(&person, act)?;
    let now = draft.command.at;
    let (open, _) = proposals(&draft.books, &person.branch, now)?;
    if open.len() >= PROPOSALS_OPEN_MAX {
        return Err(refused(ProposalRefusal::TooMany));
    }
    if open.iter().any(|row| row.act().is_ok_and(|a| a == *act)) {
        return Err(refused(ProposalRefusal::Twice));
    }
    if let Some(seen) = act.seen() {
        said(seen)?;
    }
    rehearse(draft, act)?;
    let number = ledger::next(&mut draft.books, COUNTER)?;
    let row = ProposalRow::open(number, person.branch, person.id, now, act);
    draft.emit(Event::CustodyProposed(Box::new(row)))?;
    Ok(Outcome::Proposed { proposal: number })
}

/// Does the act on books that are thrown away; only the second person is not there yet.
fn rehearse(draft: &Draft<'_>, act: &Act) -> Result<(), Stop> {
    let mut stage = Draft {
        books: Overlay::new(&draft.books),
        command: draft.command,
        events: Vec::new(),
        newest: draft.newest,
        signed: false,
        rehearsal: true,
    };
    let Actor::Staff(first) = draft.command.actor.clone() else {
        return Err(Refusal::NotYours.into());
    };
    stock::act(&mut stage, first, act.clone()).map(drop)
}

fn refused(refusal: ProposalRefusal) -> Stop {
    Refusal::Proposal(refusal).into()
}

/// The proposal, if it is one of the person's branch.
fn find(draft: &Draft<'_>, branch: &BranchId, number: u64) -> Result<ProposalRow, Stop> {
    let row = draft.books.get(&key::proposal(branch, number))?;
    let what = Missing::Proposal;
    Ok(row.ok_or(Refusal::NotFound { what })?)
}

/// What was decided before stays decided: the same person saying it again is told so.
fn open(
    draft: &Draft<'_>,
    row: &ProposalRow,
    by: &Person,
    digest: Digest,
    wanted: ProposalState,
) -> Result<Option<Act>, Stop> {
    let act = row.act()?;
    concerns(by, &act)?;
    if act.digest() != digest {
        return Err(refused(ProposalRefusal::StaleDigest));
    }
    match row.state(draft.command.at) {
        ProposalState::Open => Ok(Some(act)),
        ProposalState::Expired => Err(refused(ProposalRefusal::Expired)),
        state if state == wanted && row.decided_by.as_ref() == Some(&by.id) => Ok(None),
        _ => Err(refused(ProposalRefusal::Decided)),
    }
}

/// Another person approves exactly this act, and it is done.
pub fn approve(
    draft: &mut Draft<'_>,
    number: u64,
    digest: Digest,
    count: Option<u32>,
) -> Result<Outcome, Stop> {
    let person = person(draft)?;
    let row = find(draft, &person.branch, number)?;
    let Some(act) = open(draft, &row, &person, digest, ProposalState::Done)? else {
        return Ok(Outcome::Proposed { proposal: number });
    };
    if row.by == person.id {
        return Err(refused(ProposalRefusal::SamePerson));
    }
    match (act.count(), count) {
        (Some(_), None) => return Err(refused(ProposalRefusal::Uncounted)),
        (Some(first), Some(second)) if first != second => {
            return Err(refused(ProposalRefusal::CountsDiffer));
        }
        _ => {}
    }
    draft.emit(Event::CustodyApproved {
        branch: person.branch,
        proposal: number,
        by: [person.id, row.by.clone()],
    })?;
    stock::act(draft, row.by, act)?;
    Ok(Outcome::Proposed { proposal: number })
}

/// Another person refuses it, or its proposer takes it back.
pub fn refuse(draft: &mut Draft<'_>, number: u64, digest: Digest) -> Result<Outcome, Stop> {
    let person = person(draft)?;
    let row = find(draft, &person.branch, number)?;
    let wanted = ProposalState::Refused;
    if open(draft, &row, &person, digest, wanted)?.is_some() {
        draft.emit(Event::CustodyRefused {
            branch: person.branch,
            proposal: number,
            by: [person.id, row.by],
        })?;
    }
    Ok(Outcome::Proposed { proposal: number })
}
