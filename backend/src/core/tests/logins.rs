//! Logging in and sessions: what counts, what locks, and what ends a session.

use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::wire::custody::Act;
use counterfoil_data::wire::session::SessionId;

use super::bank::*;
use super::staff::*;
use crate::core::command::{Actor, Command, CommandBody, LoginOutcome, LoginVerdict, StaffCommand};
use crate::core::event::EndReason;
use crate::core::record::bank::Duty;
use crate::core::record::staff::AccessRow;
use crate::core::refusal::Refusal;
use crate::store::model::ModelStore;

#[test]
fn whoever_cannot_log_in_is_answered_like_a_wrong_password_and_the_books_grow_alike() {
    let mut desk = desk();
    for name in ["officer-1", "officer-2"] {
        member(&mut desk, name, &[Duty::Officer], STATION);
    }
    member(
        &mut desk,
        "custodian-a",
        &[Duty::Custodian],
        "staff:custodian-a",
    );
    let disable = StaffCommand::Change {
        second: id("supervisor-1"),
        staff: id("officer-2"),
        roles: None,
        disabled: Some(true),
    };
    desk.must(admin(), CommandBody::Staff(disable));
    // Unknown, disabled, without an account, of no use at a station; a wrong password.
    let cases = [
        "nobody",
        "officer-2",
        "teller-1",
        "custodian-a",
        "officer-1",
    ];
    let mut told = Vec::new();
    for who in cases {
        let leaves = crate::core::log::size(&*desk.read()).expect("reads");
        let outcome = attempt(&mut desk, OTHER, who, LoginVerdict::Wrong);
        let grown = crate::core::log::size(&*desk.read()).expect("reads") - leaves;
        told.push((outcome, grown));
    }
    assert!(
        told.iter().all(|one| *one == (LoginOutcome::Failed, 2)),
        "{told:?}"
    );
    // What was typed and is nobody's is not in evidence.
    let size = crate::core::log::size(&*desk.read()).expect("reads");
    let text = (0..size).map(|at| format!("{:?}", desk.leaf(at).fields));
    assert!(!text.collect::<String>().contains("nobody"));
}

#[test]
fn an_account_s_ladder_is_counted_beforehand_across_terminals_and_restarts() {
    let mut desk = desk();
    member(&mut desk, "officer-1", &[Duty::Officer], STATION);
    for step in [30, 300, 300] {
        for at in [STATION, OTHER, STATION] {
            // Counted, and the power fails before it is judged.
            assert!(
                count(&mut desk, at, "officer-1")
                    .expect("counted")
                    .verifier
                    .is_some()
            );
            desk = crash(desk);
        }
        desk.later(step - 1);
        let early = count(&mut desk, OTHER, "officer-1").expect("is counted");
        assert_eq!(early.verifier, None, "{step} s, a second early");
        desk.later(1);
        // The terminal's own ladder is not what is looked at here.
        let key = crate::core::key::text(crate::core::key::Table::Attempt, "terminal/x");
        assert!(desk.read().read(&key).expect("reads").is_none());
        desk.later(400);
    }
    log_in(&mut desk, STATION, "officer-1");
    for _ in 0..3 {
        attempt(&mut desk, STATION, "officer-1", LoginVerdict::Wrong);
    }
    desk.later(30);
    log_in(&mut desk, STATION, "officer-1");
}

#[test]
fn a_terminal_is_locked_by_a_spray_over_many_accounts_and_its_neighbour_is_not() {
    let mut desk = desk();
    member(&mut desk, "officer-1", &[Duty::Officer], OTHER);
    for n in 0..8 {
        attempt(
            &mut desk,
            STATION,
            &format!("guess-{n}"),
            LoginVerdict::Wrong,
        );
        desk = crash(desk);
    }
    let locked = count(&mut desk, STATION, "officer-1");
    assert_eq!(locked.err(), Some(Refusal::TerminalLocked));
    log_in(&mut desk, OTHER, "officer-1");
    desk.later(19);
    assert!(count(&mut desk, STATION, "officer-1").is_err());
    desk.later(1);
    log_in(&mut desk, STATION, "officer-1");
    // One person's typing slips alone never lock a terminal: the account goes first.
    assert!(access().staff_attempts < access().terminal_attempts);
}

#[test]
fn nobody_decides_at_a_station_without_being_logged_in_and_the_leaf_names_who_is() {
    let mut desk = desk();
    let sale = desk.ordered(1, 25);
    let shown = desk.digest(sale);
    let digest = Some(shown);
    let seen = |who: &str| {
        let actor = Actor::Station(id("station-1"), id(who));
        (actor, CommandBody::MarkSeen { sale, digest })
    };
    // The officer seated by enrolment is nobody here.
    let (actor, body) = seen("officer-1");
    assert_eq!(desk.give(actor, body), Err(Refusal::NoSession));
    member(&mut desk, "officer-2", &[Duty::Officer], STATION);
    let (actor, body) = seen("officer-1");
    assert_eq!(desk.give(actor, body), Err(Refusal::NoSession));
    let (actor, body) = seen("officer-2");
    desk.must(actor.clone(), body);
    desk.must(
        actor.clone(),
        CommandBody::Confirm {
            sale,
            digest: shown,
        },
    );
    let last = crate::core::log::size(&*desk.read()).expect("reads") - 1;
    let leaf = desk.leaf(last);
    assert_eq!(leaf.kind, LeafKind::Confirmed);
    let who = Field::Actor("station:station-1/officer-2".to_owned());
    assert!(leaf.fields.contains(&who), "{leaf:?}");
    desk.audit();
}

#[test]
fn a_session_ends_by_time_lock_reset_roles_and_by_being_replaced() {
    let mut desk = desk();
    for name in ["officer-1", "officer-2"] {
        member(&mut desk, name, &[Duty::Officer], STATION);
    }
    // officer-2 took the terminal over from officer-1.
    assert_eq!(session(&desk, STATION), Some(id("officer-2")));
    log_in(&mut desk, OTHER, "officer-2");
    assert_eq!(session(&desk, STATION), None, "one session a person");
    log_in(&mut desk, STATION, "officer-1");
    for _ in 0..3 {
        attempt(&mut desk, STATION, "officer-2", LoginVerdict::Wrong);
    }
    assert_eq!(session(&desk, OTHER), None, "locked");
    assert_eq!(session(&desk, STATION), Some(id("officer-1")));
    let reset = StaffCommand::Reset {
        second: id("supervisor-1"),
        staff: id("officer-1"),
        password: "$again".to_owned(),
    };
    desk.must(admin(), CommandBody::Staff(reset));
    assert_eq!(session(&desk, STATION), None, "reset");
    let renewed = LoginVerdict::Renewed("$mine".to_owned());
    attempt(&mut desk, STATION, "officer-1", renewed);
    let roles = StaffCommand::Change {
        second: id("supervisor-1"),
        staff: id("officer-1"),
        roles: Some(vec![Duty::Teller]),
        disabled: None,
    };
    desk.must(admin(), CommandBody::Staff(roles));
    assert_eq!(session(&desk, STATION), None, "roles");
    let ended = |why: &str| {
        let size = crate::core::log::size(&*desk.read()).expect("reads");
        let why = Field::Reason(why.to_owned());
        let is = |at: &u64| {
            let leaf = desk.leaf(*at);
            leaf.kind == LeafKind::SessionEnded && leaf.fields.contains(&why)
        };
        (0..size).filter(is).count()
    };
    assert_eq!(
        (ended("replaced"), ended("locked"), ended("changed")),
        (2, 1, 2)
    );
}

#[test]
fn a_reset_ends_the_lock_and_begins_the_ladder_anew() {
    let mut desk = desk();
    member(&mut desk, "officer-1", &[Duty::Officer], STATION);
    for _ in 0..3 {
        attempt(&mut desk, STATION, "officer-1", LoginVerdict::Wrong);
    }
    let locked = count(&mut desk, OTHER, "officer-1").expect("is counted");
    assert_eq!(locked.verifier, None);
    let reset = StaffCommand::Reset {
        second: id("supervisor-1"),
        staff: id("officer-1"),
        password: "$again".to_owned(),
    };
    desk.must(admin(), CommandBody::Staff(reset));
    let free = count(&mut desk, OTHER, "officer-1").expect("is counted");
    assert_eq!(free.verifier.as_deref(), Some("$again"));
}

#[test]
fn a_session_is_over_with_its_time_to_the_second() {
    let mut desk = desk();
    let session_s = 600;
    let short = AccessRow {
        session_s,
        ..access()
    };
    desk.must(Actor::System, CommandBody::EnrolAccess(short));
    member(&mut desk, "officer-1", &[Duty::Officer], STATION);
    desk.later(i64::from(session_s) - 1);
    let sale = desk.ordered(1, 25);
    let digest = Some(desk.digest(sale));
    let body = CommandBody::MarkSeen { sale, digest };
    desk.must(officer(), body.clone());
    desk.later(1);
    assert_eq!(desk.give(officer(), body), Err(Refusal::NoSession));
}

#[test]
fn only_a_terminal_s_own_session_is_ended_by_it_and_twice_is_once() {
    let mut desk = desk();
    member(&mut desk, "officer-1", &[Duty::Officer], STATION);
    let held = log_in(&mut desk, STATION, "officer-1");
    let why = EndReason::LoggedOut;
    let end = |session| CommandBody::Staff(StaffCommand::End { session, why });
    desk.must(terminal(OTHER), end(held.id));
    desk.must(terminal(STATION), end(SessionId([9; 16])));
    assert_eq!(session(&desk, STATION), Some(id("officer-1")));
    let before = crate::core::log::size(&*desk.read()).expect("reads");
    desk.must(terminal(STATION), end(held.id));
    desk.must(terminal(STATION), end(held.id));
    assert_eq!(session(&desk, STATION), None);
    let after = crate::core::log::size(&*desk.read()).expect("reads");
    assert_eq!(after - before, 1);
}

/// At a terminal of one's own only its owner logs in; what is signed there needs it.
#[test]
fn custody_by_a_terminal_needs_its_owner_logged_in_and_by_the_tool_nobody() {
    let mut desk = desk();
    member(
        &mut desk,
        "custodian-a",
        &[Duty::Custodian],
        "staff:custodian-a",
    );
    let at_other = attempt(
        &mut desk,
        "staff:custodian-b",
        "custodian-a",
        LoginVerdict::Right,
    );
    assert_eq!(at_other, LoginOutcome::Failed);
    let act = Act::Unload {
        kiosk: id("kiosk-1"),
        slot: id("slot-1"),
    };
    let mut sequence = 0;
    let mut propose = |desk: &mut Books, who: &str, signed: bool| {
        sequence += 1;
        let body = CommandBody::ProposeCustody { act: act.clone() };
        let command = desk.command(Actor::Staff(id(who)), body);
        let key = Some(key(&format!("key-{sequence}")));
        desk.answer(Command {
            sequence: signed.then_some(sequence),
            key,
            ..command
        })
        .result
    };
    let nobody = propose(&mut desk, "custodian-b", true);
    assert_eq!(nobody, Err(Refusal::NoSession));
    assert!(propose(&mut desk, "custodian-a", true).is_ok());
    let offline = CommandBody::Custody {
        second: id("custodian-b"),
        act: act.clone(),
    };
    desk.must(custodian(), offline);
}

#[test]
fn where_nobody_logs_in_everything_is_as_before() {
    let mut desk = Desk::open(ModelStore::new());
    let off = count(&mut desk, STATION, "officer-1");
    assert_eq!(off.err(), Some(Refusal::SessionsOff));
    desk.confirmed(1, 25);
}
