//! One proposes, another approves exactly that act (K8, K9, I6).

use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::Act;

use super::bank::*;
use crate::core::command::{Actor, CommandBody, Outcome};
use crate::core::custody;
use crate::core::query::proposals;
use crate::core::record::proposal::{
    PROPOSAL_KEPT_S, PROPOSAL_WITHIN_S, PROPOSALS_OPEN_MAX, ProposalRow,
};
use crate::core::record::stock::Place;
use crate::core::refusal::{Malformed, Missing, ProposalRefusal, Refusal, StockRefusal};
use crate::store::model::ModelStore;

fn desk() -> Desk<ModelStore> {
    Desk::open(ModelStore::new())
}

fn staff(name: &str) -> Actor {
    Actor::Staff(id(name))
}

fn unload() -> Act {
    Act::Unload {
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    }
}

fn receive_other(count: u32) -> Act {
    Act::Receive {
        branch: id("branch-1"),
        range: range(FIRST_OTHER, 100),
        count,
    }
}

fn propose(desk: &mut Desk<ModelStore>, by: &str, act: &Act) -> Result<u64, Refusal> {
    let body = CommandBody::ProposeCustody { act: act.clone() };
    match desk.give(staff(by), body)? {
        Outcome::Proposed { proposal } => Ok(proposal),
        other => panic!("no proposal but {other:?}"),
    }
}

fn approve(
    desk: &mut Desk<ModelStore>,
    by: &str,
    (proposal, digest): (u64, Digest),
    count: Option<u32>,
) -> Result<Outcome, Refusal> {
    let body = CommandBody::ApproveCustody {
        proposal,
        digest,
        count,
    };
    desk.give(staff(by), body)
}

fn refuse(
    desk: &mut Desk<ModelStore>,
    by: &str,
    (proposal, digest): (u64, Digest),
) -> Result<Outcome, Refusal> {
    desk.give(staff(by), CommandBody::RefuseCustody { proposal, digest })
}

fn is_loaded(desk: &Desk<ModelStore>) -> bool {
    let place = custody::find(&*desk.read(), number(0)).expect("reads");
    matches!(place.expect("in the books").1, Place::InCassette { .. })
}

fn open(desk: &Desk<ModelStore>) -> Vec<ProposalRow> {
    proposals(&*desk.read(), &id("branch-1"), desk.at)
        .expect("reads")
        .0
}

#[test]
fn nothing_happens_before_another_person_approves_and_then_exactly_once() {
    let mut desk = desk();
    let act = unload();
    let proposal = propose(&mut desk, "custodian-a", &act).expect("proposed");
    let said = (proposal, act.digest());
    assert!(is_loaded(&desk));
    assert_eq!(open(&desk).len(), 1);
    let alone = Err(Refusal::Proposal(ProposalRefusal::SamePerson));
    assert_eq!(approve(&mut desk, "custodian-a", said, None), alone);
    let other = (proposal, receive_other(100).digest());
    let stale = Err(Refusal::Proposal(ProposalRefusal::StaleDigest));
    assert_eq!(approve(&mut desk, "custodian-b", other, None), stale);
    assert!(is_loaded(&desk));
    let done = Ok(Outcome::Proposed { proposal });
    assert_eq!(approve(&mut desk, "custodian-b", said, None), done);
    assert!(!is_loaded(&desk));
    assert_eq!(open(&desk), []);
    // The same again is told so; nobody else, and no refusal, comes after it.
    assert_eq!(approve(&mut desk, "custodian-b", said, None), done);
    let late = Err(Refusal::Proposal(ProposalRefusal::Decided));
    assert_eq!(approve(&mut desk, "custodian-a", said, None), late);
    assert_eq!(refuse(&mut desk, "custodian-b", said), late);
    desk.audit();
}

#[test]
fn only_who_keeps_blanks_or_settles_what_nobody_knows_proposes_and_decides() {
    let mut desk = desk();
    let act = unload();
    let not_yours = Err(Refusal::NotYours);
    assert_eq!(propose(&mut desk, "teller-1", &act), Err(Refusal::NotYours));
    let body = CommandBody::ProposeCustody { act: act.clone() };
    assert_eq!(desk.give(kiosk(), body.clone()), not_yours);
    assert_eq!(desk.give(officer(), body), not_yours);
    let proposal = propose(&mut desk, "custodian-a", &act).expect("proposed");
    let said = (proposal, act.digest());
    assert_eq!(approve(&mut desk, "teller-1", said, None), not_yours);
    assert_eq!(refuse(&mut desk, "teller-1", said), not_yours);
    let nothing = Err(Refusal::NotFound {
        what: Missing::Proposal,
    });
    let unknown = (proposal + 1, act.digest());
    assert_eq!(approve(&mut desk, "custodian-b", unknown, None), nothing);
    assert_eq!(refuse(&mut desk, "custodian-b", unknown), nothing);
    assert!(is_loaded(&desk));
    approve(&mut desk, "custodian-b", said, None).expect("approved");
}

#[test]
fn another_refuses_or_the_proposer_takes_it_back() {
    let mut desk = desk();
    let act = unload();
    for by in ["custodian-b", "custodian-a"] {
        let proposal = propose(&mut desk, "custodian-a", &act).expect("proposed");
        let said = (proposal, act.digest());
        let stale = (proposal, receive_other(1).digest());
        let other = Err(Refusal::Proposal(ProposalRefusal::StaleDigest));
        assert_eq!(refuse(&mut desk, by, stale), other);
        let done = Ok(Outcome::Proposed { proposal });
        assert_eq!(refuse(&mut desk, by, said), done);
        assert_eq!(refuse(&mut desk, by, said), done, "told again");
        let late = Err(Refusal::Proposal(ProposalRefusal::Decided));
        assert_eq!(approve(&mut desk, "custodian-b", said, None), late);
    }
    assert!(is_loaded(&desk));
    assert_eq!(open(&desk), []);
    desk.audit();
}

#[test]
fn a_count_is_made_by_both_and_must_agree() {
    let mut desk = desk();
    // The books' own numbers and the first person's count are compared at once.
    let short = StockRefusal::Count {
        by_numbers: 100,
        counted: 99,
    };
    let refused = Err(Refusal::Stock(short));
    assert_eq!(
        propose(&mut desk, "custodian-a", &receive_other(99)),
        refused
    );
    let act = receive_other(100);
    let proposal = propose(&mut desk, "custodian-a", &act).expect("proposed");
    let said = (proposal, act.digest());
    let uncounted = Err(Refusal::Proposal(ProposalRefusal::Uncounted));
    assert_eq!(approve(&mut desk, "custodian-b", said, None), uncounted);
    let differ = Err(Refusal::Proposal(ProposalRefusal::CountsDiffer));
    assert_eq!(approve(&mut desk, "custodian-b", said, Some(101)), differ);
    approve(&mut desk, "custodian-b", said, Some(100)).expect("approved");
    desk.audit();
}

#[test]
fn the_same_is_not_proposed_twice_and_not_too_much_waits() {
    let mut desk = desk();
    propose(&mut desk, "custodian-a", &unload()).expect("proposed");
    let twice = Err(Refusal::Proposal(ProposalRefusal::Twice));
    assert_eq!(propose(&mut desk, "custodian-b", &unload()), twice);
    let count = |counted| Act::Count {
        at: counterfoil_data::wire::custody::Holder::Vault {
            branch: id("branch-1"),
        },
        kind: counterfoil_data::bill::BillKind::TransferCheque,
        counted,
    };
    let others = u32::try_from(PROPOSALS_OPEN_MAX - 1).expect("is small");
    for counted in 0..others {
        propose(&mut desk, "custodian-a", &count(counted)).expect("proposed");
    }
    let many = Err(Refusal::Proposal(ProposalRefusal::TooMany));
    assert_eq!(propose(&mut desk, "custodian-a", &count(others)), many);
    // What nobody approved in time waits no more.
    desk.later(PROPOSAL_WITHIN_S);
    propose(&mut desk, "custodian-a", &count(others)).expect("proposed");
}

#[test]
fn a_proposal_ends_by_the_clock_and_is_forgotten_days_later() {
    let mut desk = desk();
    let act = unload();
    let proposal = propose(&mut desk, "custodian-a", &act).expect("proposed");
    let said = (proposal, act.digest());
    desk.later(PROPOSAL_WITHIN_S - 1);
    assert_eq!(open(&desk).len(), 1);
    desk.later(1);
    assert_eq!(open(&desk), []);
    let late = Err(Refusal::Proposal(ProposalRefusal::Expired));
    assert_eq!(approve(&mut desk, "custodian-b", said, None), late);
    assert_eq!(refuse(&mut desk, "custodian-b", said), late);
    assert!(is_loaded(&desk));
    let kept = |desk: &Desk<ModelStore>| {
        let key = crate::core::key::proposal(&id("branch-1"), proposal);
        desk.read().read(&key).expect("reads").is_some()
    };
    desk.later(PROPOSAL_KEPT_S);
    let again = propose(&mut desk, "custodian-a", &act).expect("proposed");
    assert!(kept(&desk), "kept to the second");
    let stop = (again, act.digest());
    refuse(&mut desk, "custodian-a", stop).expect("taken back");
    desk.later(1);
    propose(&mut desk, "custodian-a", &act).expect("proposed");
    assert!(!kept(&desk));
}

#[test]
fn what_was_seen_must_be_said_and_nonsense_is_refused_when_proposed() {
    let mut desk = desk();
    let miss = |seen: &str| Act::Miss {
        range: range(FIRST, 1),
        seen: seen.to_owned(),
    };
    let unsaid = Err(Refusal::Malformed(Malformed::Unsaid));
    assert_eq!(propose(&mut desk, "custodian-a", &miss(" ")), unsaid);
    let unlock = Act::Unlock {
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    };
    let not_locked = Err(Refusal::Stock(StockRefusal::NotLocked));
    assert_eq!(propose(&mut desk, "custodian-a", &unlock), not_locked);
    assert_eq!(open(&desk), []);
}
