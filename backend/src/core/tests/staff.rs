//! Accounts of staff, logging in, and sessions: who may give them, what a terminal's key
//! alone is worth where the bank asks for more, and what ends a session.

use counterfoil_data::ids::StaffId;
use counterfoil_data::sign::SignerId;
use ed25519_dalek::SigningKey;

use super::bank::*;
use crate::core::command::{
    Actor, CommandBody, LoginCheck, LoginOutcome, LoginVerdict, Outcome, StaffCommand,
};
use crate::core::query;
use crate::core::record::bank::{Duty, StationRow};
use crate::core::record::staff::{AccessRow, FIRST_PASSWORD_S, SessionRow};
use crate::core::refusal::{Malformed, Refusal};
use crate::store::model::ModelStore;
use crate::writer::{LogKey, Writer};

pub type Books = Desk<ModelStore>;

/// A house that asks for a login, with a second officer, supervisor and station.
pub fn desk() -> Books {
    let mut bodies = enrolment();
    bodies.push(CommandBody::EnrolAccess(access()));
    bodies.push(staff("officer-2", Duty::Officer));
    bodies.push(staff("supervisor-2", Duty::Supervisor));
    bodies.push(staff("security-1", Duty::SecurityAdmin));
    bodies.push(CommandBody::EnrolStation(StationRow {
        id: id("station-2"),
        branch: id("branch-1"),
        key: [1; 32],
        officer: id("officer-1"),
    }));
    Desk::stocked(ModelStore::new(), bodies)
}

pub fn access() -> AccessRow {
    AccessRow {
        sessions: true,
        staff_attempts: 3,
        terminal_attempts: 8,
        staff_locks_s: vec![30, 300],
        terminal_locks_s: vec![20, 200],
        ..AccessRow::default()
    }
}

pub fn create(name: &str, roles: &[Duty]) -> CommandBody {
    CommandBody::Staff(StaffCommand::Create {
        second: id("supervisor-1"),
        staff: id(name),
        name: None,
        roles: roles.to_vec(),
        key: None,
        password: format!("$first of {name}"),
    })
}

pub fn admin() -> Actor {
    Actor::Staff(id("security-1"))
}

pub fn terminal(name: &str) -> Actor {
    Actor::Terminal(name.parse::<SignerId>().expect("a signer"))
}

pub fn count(desk: &mut Books, at: &str, who: &str) -> Result<LoginCheck, Refusal> {
    let staff = id(who);
    let command = StaffCommand::CountLogin { staff };
    let outcome = desk.give(terminal(at), CommandBody::Staff(command))?;
    let Outcome::Login(outcome) = outcome else {
        panic!("{outcome:?}");
    };
    match *outcome {
        LoginOutcome::Check(check) => Ok(check),
        other => panic!("{other:?}"),
    }
}

pub fn settle(desk: &mut Books, at: &str, attempt: u64, verdict: LoginVerdict) -> LoginOutcome {
    let command = StaffCommand::SettleLogin { attempt, verdict };
    match desk.must(terminal(at), CommandBody::Staff(command)) {
        Outcome::Login(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

/// Tries a password; what the worker would say of it.
pub fn attempt(desk: &mut Books, at: &str, who: &str, verdict: LoginVerdict) -> LoginOutcome {
    let check = count(desk, at, who).expect("is counted");
    // Nobody's account verifies, whatever was typed.
    let verdict = match check.verifier {
        Some(_) => verdict,
        None => LoginVerdict::Wrong,
    };
    settle(desk, at, check.attempt, verdict)
}

/// An account with a password of its owner's own.
pub fn member(desk: &mut Books, name: &str, roles: &[Duty], at: &str) {
    desk.must(admin(), create(name, roles));
    let renewed = LoginVerdict::Renewed(format!("$own of {name}"));
    assert!(matches!(
        attempt(desk, at, name, renewed),
        LoginOutcome::In(_)
    ));
}

pub fn log_in(desk: &mut Books, at: &str, who: &str) -> SessionRow {
    match attempt(desk, at, who, LoginVerdict::Right) {
        LoginOutcome::In(session) => session,
        other => panic!("{other:?}"),
    }
}

pub fn session(desk: &Books, at: &str) -> Option<StaffId> {
    let row = query::session_at(&*desk.read(), at).expect("reads");
    row.map(|row| row.staff)
}

pub fn crash(desk: Books) -> Books {
    let log = LogKey {
        origin: "counterfoil-test".to_owned(),
        key: SigningKey::from_bytes(&[8; 32]),
    };
    let writer = Writer::open(desk.writer.store().clone(), log).expect("opens");
    Desk { writer, ..desk }
}

pub const STATION: &str = "station:station-1";
pub const OTHER: &str = "station:station-2";

#[test]
fn an_account_is_given_by_two_people_of_the_matrix_and_never_by_its_owner() {
    let mut desk = desk();
    let people = Err(Refusal::Malformed(Malformed::StaffPeople));
    let body = create("officer-1", &[Duty::Officer]);
    for alone in ["custodian-a", "officer-2", "supervisor-1", "teller-1"] {
        let given = desk.give(Actor::Staff(id(alone)), body.clone());
        assert_eq!(given, people, "{alone}");
    }
    // Neither of the two gives themselves an account.
    let own = create("security-1", &[Duty::SecurityAdmin]);
    assert_eq!(desk.give(admin(), own), people);
    let roles = Err(Refusal::Malformed(Malformed::Roles));
    let both = create("officer-1", &[Duty::Officer, Duty::Custodian]);
    assert_eq!(desk.give(admin(), both), roles);
    assert_eq!(desk.give(admin(), create("officer-1", &[])), roles);
    desk.must(admin(), body.clone());
    let twice = Err(Refusal::Malformed(Malformed::Enrolled));
    assert_eq!(desk.give(admin(), body), twice);
    desk.audit();
}

#[test]
fn somebody_new_is_enrolled_with_the_account_under_a_name_and_nobody_else_is_renamed() {
    let mut desk = desk();
    let new = |name: Option<&str>, who: &str| {
        CommandBody::Staff(StaffCommand::Create {
            second: id("supervisor-1"),
            staff: id(who),
            name: name.map(str::to_owned),
            roles: vec![Duty::Officer],
            key: None,
            password: "$first".to_owned(),
        })
    };
    let named = Err(Refusal::Malformed(Malformed::StaffNamed));
    assert_eq!(desk.give(admin(), new(None, "officer-9")), named);
    assert_eq!(desk.give(admin(), new(Some("样例"), "officer-2")), named);
    desk.must(admin(), new(Some("样例"), "officer-9"));
    let renewed = LoginVerdict::Renewed("$own".to_owned());
    let outcome = attempt(&mut desk, STATION, "officer-9", renewed);
    assert!(matches!(outcome, LoginOutcome::In(_)));
}

#[test]
fn a_first_password_is_good_for_another_one_only_and_for_three_days() {
    let mut desk = desk();
    desk.must(admin(), create("officer-1", &[Duty::Officer]));
    let right = attempt(&mut desk, STATION, "officer-1", LoginVerdict::Right);
    assert_eq!(right, LoginOutcome::MustChange);
    let unfit = attempt(&mut desk, STATION, "officer-1", LoginVerdict::Unfit);
    assert_eq!(unfit, LoginOutcome::MustChange);
    assert_eq!(session(&desk, STATION), None);
    desk.later(i64::from(FIRST_PASSWORD_S) - 1);
    let check = count(&mut desk, STATION, "officer-1").expect("is counted");
    assert!(check.verifier.is_some());
    desk.later(1);
    // Over between counting and settling, and over when it is counted.
    let late = settle(&mut desk, STATION, check.attempt, LoginVerdict::Right);
    assert_eq!(late, LoginOutcome::Failed);
    let check = count(&mut desk, STATION, "officer-1").expect("is counted");
    assert_eq!(check.verifier, None);
}

#[test]
fn the_last_five_passwords_are_kept_and_no_more() {
    let mut desk = desk();
    member(&mut desk, "officer-1", &[Duty::Officer], STATION);
    for n in 0..7 {
        let renewed = LoginVerdict::Renewed(format!("$own {n}"));
        attempt(&mut desk, STATION, "officer-1", renewed);
    }
    let check = count(&mut desk, STATION, "officer-1").expect("is counted");
    assert_eq!(check.verifier.as_deref(), Some("$own 6"));
    let before = ["$own 1", "$own 2", "$own 3", "$own 4", "$own 5"];
    assert_eq!(check.history, before);
}

#[test]
fn a_disabled_account_takes_its_owner_s_part_in_every_act() {
    let mut desk = desk();
    member(
        &mut desk,
        "custodian-a",
        &[Duty::Custodian],
        "staff:custodian-a",
    );
    let disable = |disabled| {
        CommandBody::Staff(StaffCommand::Change {
            second: id("supervisor-1"),
            staff: id("custodian-a"),
            roles: None,
            disabled: Some(disabled),
        })
    };
    desk.must(admin(), disable(true));
    let range = range(FIRST_OTHER, 10);
    assert!(desk.give(custodian(), receive(range)).is_err());
    desk.must(admin(), disable(false));
    desk.must(custodian(), receive(range));
}
