//! Attempts and locks in their four scopes: card, account, agent, kiosk.
//!
//! Each is counted, durably, before anything is compared; the last one allowed locks
//! beforehand; only a success or the end of the lock begins anew.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::sale::{PurchaseMode, SaleState};
use ed25519_dalek::SigningKey;

use super::bank::*;
use crate::core::command::{CommandBody, Outcome, Subject};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::Policy;
use crate::core::record::books::AttemptRow;
use crate::core::record::staff::AccessRow;
use crate::store::model::ModelStore;
use crate::writer::{LogKey, Writer};

type Books = Desk<ModelStore>;

/// A lock of an hour; the kiosk's after three, too.
const LOCK_S: u32 = 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Card,
    Account,
    Agent,
    Kiosk,
}

const SCOPES: [Scope; 4] = [Scope::Card, Scope::Account, Scope::Agent, Scope::Kiosk];

impl Scope {
    fn mode(self) -> PurchaseMode {
        match self {
            Self::Account => PurchaseMode::PaymentPassword,
            _ => PurchaseMode::SettlementCard,
        }
    }

    /// What is tried: at a kiosk, another unknown card each time.
    fn subject(self, nth: u8) -> Subject {
        match self {
            Self::Card | Self::Agent => Subject::Card(CARD),
            Self::Account => Subject::Account(ACCOUNT),
            Self::Kiosk => Subject::Card(crate::core::record::bank::KeyedHash([100 + nth; 32])),
        }
    }

    fn honest(self) -> Subject {
        match self {
            Self::Kiosk => Subject::Card(CARD),
            scope => scope.subject(0),
        }
    }

    fn key(self) -> crate::store::Key {
        let text = match self {
            Self::Card => format!("subject/{}", counterfoil_data::wire::hex(&CARD.0)),
            Self::Account => format!("subject/{}", counterfoil_data::wire::hex(&ACCOUNT.0)),
            Self::Agent => "agent/agent-1".to_owned(),
            Self::Kiosk => "kiosk/kiosk-1".to_owned(),
        };
        key::text(Table::Attempt, &text)
    }
}

fn desk(scope: Scope) -> Books {
    let policy = Policy {
        lock_s: LOCK_S,
        kiosk_attempts: if scope == Scope::Kiosk { 3 } else { 30 },
        ..policy()
    };
    let mut enrolment = enrolment();
    for body in &mut enrolment {
        if let CommandBody::EnrolPolicy(held) = body {
            *held = policy.clone();
        }
    }
    Desk::stocked(ModelStore::new(), enrolment)
}

/// The backend dies and starts again on its books.
fn crash(desk: Books) -> Books {
    let log = LogKey {
        origin: "counterfoil-test".to_owned(),
        key: SigningKey::from_bytes(&[8; 32]),
    };
    let writer = Writer::open(desk.writer.store().clone(), log).expect("opens");
    Desk { writer, ..desk }
}

fn begun(desk: &mut Books, scope: Scope, sale: u128) -> SaleId {
    let (sale, mode) = (SaleId(sale), scope.mode());
    desk.must(kiosk(), CommandBody::OpenSale { sale, mode });
    sale
}

/// Counts the `nth` attempt in a sale of its own and settles nothing.
fn counted(desk: &mut Books, scope: Scope, nth: u8) -> SaleId {
    let sale = begun(desk, scope, 10 + u128::from(nth));
    if scope == Scope::Agent {
        desk.try_info(sale, scope.honest(), true);
        let body = desk.identity_of(sale, PERSON);
        assert!(matches!(
            desk.must(kiosk(), body),
            Outcome::IdentityCheck(_)
        ));
    } else {
        let trust = Some(crate::core::record::bank::CardTrust::Dynamic);
        let body = desk.info_of(sale, scope.subject(nth), trust);
        assert!(matches!(desk.must(kiosk(), body), Outcome::InfoCheck(_)));
    }
    sale
}

/// Three attempts in three sales, the power gone after each count.
fn locked(scope: Scope) -> Books {
    let mut desk = desk(scope);
    for nth in 0..3 {
        let sale = counted(&mut desk, scope, nth);
        desk = crash(desk);
        desk.must(kiosk(), CommandBody::Cancel { sale });
    }
    desk
}

/// Everything right, in a new sale: where it ends.
fn honest(desk: &mut Books, scope: Scope, sale: u128) -> SaleState {
    let sale = begun(desk, scope, sale);
    desk.try_info(sale, scope.honest(), true);
    if desk.state(sale) == SaleState::InfoVerified {
        desk.try_identity(sale, THRESHOLD);
    }
    let state = desk.state(sale);
    if !state.is_over() {
        desk.must(kiosk(), CommandBody::Cancel { sale });
    }
    state
}

fn failed(desk: &Books, scope: Scope) -> u32 {
    let row: Option<AttemptRow> = get(&*desk.read(), &scope.key()).expect("reads");
    row.unwrap_or_default().failed
}

#[test]
fn in_every_scope_a_count_survives_a_crash_before_its_check_and_the_third_locks() {
    for scope in SCOPES {
        let mut desk = locked(scope);
        assert_eq!(failed(&desk, scope), 3, "{scope:?}");
        let state = honest(&mut desk, scope, 50);
        assert_eq!(state, SaleState::Refused, "{scope:?}");
        let rule = desk.view(SaleId(50)).refusal.expect("a rule").rule;
        assert_eq!(rule, "locked", "{scope:?}");
        desk.audit();
    }
}

#[test]
fn in_every_scope_a_lock_holds_to_its_last_second_and_ends_with_it() {
    for scope in SCOPES {
        let mut desk = locked(scope);
        desk.later(i64::from(LOCK_S) - 1);
        let before = honest(&mut desk, scope, 50);
        assert_eq!(before, SaleState::Refused, "{scope:?} a second early");
        desk.later(1);
        let after = honest(&mut desk, scope, 51);
        assert_eq!(after, SaleState::IdentityVerified, "{scope:?}");
        assert_eq!(failed(&desk, scope), 0, "{scope:?} begins anew");
    }
}

#[test]
fn a_success_clears_what_it_proved_and_nothing_else() {
    for (scope, kept) in [(Scope::Card, Scope::Account), (Scope::Account, Scope::Card)] {
        let mut desk = desk(scope);
        for (nth, tried) in [(0, scope), (1, kept)] {
            let sale = counted(&mut desk, tried, nth);
            desk.must(kiosk(), CommandBody::Cancel { sale });
        }
        assert_eq!(failed(&desk, Scope::Kiosk), 2);
        assert_eq!(honest(&mut desk, scope, 50), SaleState::IdentityVerified);
        assert_eq!(failed(&desk, scope), 0, "{scope:?}");
        assert_eq!(failed(&desk, Scope::Kiosk), 0, "{scope:?}");
        assert_eq!(failed(&desk, kept), 1, "{scope:?} says nothing of {kept:?}");
    }
    // The first gate says nothing of the person at the second.
    let mut desk = desk(Scope::Agent);
    let sale = counted(&mut desk, Scope::Agent, 0);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let sale = begun(&mut desk, Scope::Agent, 50);
    desk.try_info(sale, Subject::Card(CARD), true);
    assert_eq!(failed(&desk, Scope::Agent), 1);
    desk.try_identity(sale, THRESHOLD);
    assert_eq!(failed(&desk, Scope::Agent), 0);
}

#[test]
fn attempts_used_in_another_sale_count_in_what_is_left_and_the_last_one_locks() {
    for scope in [Scope::Card, Scope::Account, Scope::Agent] {
        let mut desk = desk(scope);
        let sale = counted(&mut desk, scope, 0);
        desk.must(kiosk(), CommandBody::Cancel { sale });
        let sale = begun(&mut desk, scope, 50);
        let wrong = |desk: &mut Books| match scope {
            Scope::Agent => desk.try_identity(sale, THRESHOLD - 1),
            _ => desk.try_info(sale, scope.honest(), false),
        };
        if scope == Scope::Agent {
            desk.try_info(sale, scope.honest(), true);
        }
        let Outcome::Settled { attempts_left, .. } = wrong(&mut desk) else {
            panic!("{scope:?} is settled");
        };
        assert_eq!(attempts_left, 1, "{scope:?}");
        wrong(&mut desk);
        let refusal = desk.view(sale).refusal.expect("a rule");
        assert_eq!(refusal.rule, "locked", "{scope:?}");
    }
}

#[test]
fn an_account_is_locked_at_every_kiosk_and_its_card_still_opens_the_gate() {
    let mut desk = locked(Scope::Account);
    desk.turn();
    let (sale, mode) = (SaleId(50), PurchaseMode::PaymentPassword);
    desk.must(other_kiosk(), CommandBody::OpenSale { sale, mode });
    let there = desk.try_info(sale, Subject::Account(ACCOUNT), true);
    assert_eq!(there, Outcome::Sale(SaleState::Refused));
    desk.turn();
    // Whoever knows an account number must not lock the card of its unit.
    let by_card = honest(&mut desk, Scope::Card, 51);
    assert_eq!(by_card, SaleState::IdentityVerified);
}

#[test]
fn an_unknown_account_and_a_wrong_password_give_the_same_answers_to_the_last() {
    let told = |subject: Subject, verified: bool| {
        let mut desk = desk(Scope::Account);
        let sale = begun(&mut desk, Scope::Account, 1);
        let answers: Vec<Outcome> = (0..3)
            .map(|_| desk.try_info(sale, subject, verified))
            .collect();
        (answers, desk.view(sale))
    };
    let wrong = told(Subject::Account(ACCOUNT), false);
    // Whatever the dummy check says, an unknown account is never verified.
    let unknown = told(Subject::Account(STRANGER), true);
    assert_eq!(wrong.0, unknown.0);
    let refusal = wrong.1.refusal.expect("a rule");
    assert_eq!(Some(&refusal), unknown.1.refusal.as_ref());
    assert_eq!(refusal.rule, "locked");
    let desk = desk(Scope::Account);
    assert_eq!(failed(&desk, Scope::Account), 0);
}

#[test]
fn a_lock_leaves_no_attempts_even_if_the_policy_has_grown_since() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.opened(1);
    let wrong = |desk: &mut Desk<ModelStore>| desk.try_info(sale, Subject::Card(CARD), false);
    for left in [2, 1] {
        let told = wrong(&mut desk);
        assert!(
            matches!(told, Outcome::Settled { attempts_left, .. } if attempts_left == left),
            "{told:?}"
        );
    }
    // The last attempt is counted, and locks; then the bank allows more.
    let trust = Some(crate::core::record::bank::CardTrust::Dynamic);
    let body = desk.info_of(sale, Subject::Card(CARD), trust);
    let Outcome::InfoCheck(check) = desk.must(kiosk(), body) else {
        panic!("counted");
    };
    let mut grown = policy();
    grown.version = 2;
    grown.info_attempts = 5;
    desk.must(
        crate::core::command::Actor::System,
        CommandBody::EnrolPolicy(grown),
    );
    let settle = CommandBody::SettleInfo {
        sale,
        attempt: check.attempt,
        verified: false,
    };
    desk.must(crate::core::command::Actor::System, settle);
    assert_eq!(desk.state(sale), SaleState::Refused);
}

/// Three wrong fingers, which lock; the moment the lock ends.
fn lock_agent(desk: &mut Books, sale: u128) -> i64 {
    let sale = begun(desk, Scope::Agent, sale);
    desk.try_info(sale, Subject::Card(CARD), true);
    for _ in 0..3 {
        desk.try_identity(sale, 0);
    }
    assert_eq!(desk.state(sale), SaleState::Refused);
    let row: Option<AttemptRow> = get(&*desk.read(), &Scope::Agent.key()).expect("reads");
    let until = row.and_then(|row| row.locked_until).expect("locked");
    until.as_second() - desk.at.as_second()
}

#[test]
fn an_agent_s_locks_grow_from_step_to_step_and_only_a_success_begins_anew() {
    let mut bodies = enrolment();
    for body in &mut bodies {
        if let CommandBody::EnrolPolicy(held) = body {
            held.finger_locks_s = vec![30, 300, 3_600];
        }
    }
    let mut desk = Desk::stocked(ModelStore::new(), bodies);
    let mut sale = 1;
    for step in [30, 300, 3_600, 3_600] {
        sale += 1;
        assert_eq!(lock_agent(&mut desk, sale), step);
        desk.later(step - 1);
        sale += 1;
        let early = honest(&mut desk, Scope::Agent, sale);
        assert_eq!(early, SaleState::Refused, "{step} s, a second early");
        // The power fails; the step of the ladder is in the books.
        desk = crash(desk);
        desk.later(1);
    }
    let right = honest(&mut desk, Scope::Agent, sale + 1);
    assert_eq!(right, SaleState::IdentityVerified);
    assert_eq!(lock_agent(&mut desk, sale + 2), 30, "begins anew");
    // Cards keep their one step.
    let mut desk = locked(Scope::Card);
    desk.later(i64::from(LOCK_S));
    let after = honest(&mut desk, Scope::Card, 50);
    assert_eq!(after, SaleState::IdentityVerified);
}

/// Every scope has its own ladder, across kiosks and restarts; a success begins it anew.
#[test]
fn in_every_scope_locks_grow_along_its_own_ladder() {
    for (scope, steps) in [
        (Scope::Card, [40, 400]),
        (Scope::Account, [50, 500]),
        (Scope::Kiosk, [60, 600]),
    ] {
        let mut desk = desk(scope);
        desk.must(
            crate::core::command::Actor::System,
            CommandBody::EnrolAccess(AccessRow {
                card_locks_s: vec![40, 400],
                account_locks_s: vec![50, 500],
                kiosk_locks_s: vec![60, 600],
                ..AccessRow::default()
            }),
        );
        let (mut sale, [first, last]) = (100, steps);
        for step in [first, last, last] {
            for nth in 0..3 {
                sale += 1;
                let sale = begun(&mut desk, scope, sale);
                let trust = Some(crate::core::record::bank::CardTrust::Dynamic);
                let body = desk.info_of(sale, scope.subject(nth), trust);
                let counted = desk.must(kiosk(), body);
                assert!(matches!(counted, Outcome::InfoCheck(_)), "{scope:?} {step}");
                desk = crash(desk);
                desk.must(kiosk(), CommandBody::Cancel { sale });
            }
            desk.later(step - 1);
            sale += 1;
            let early = honest(&mut desk, scope, sale);
            assert_eq!(early, SaleState::Refused, "{scope:?} {step}");
            desk.later(1);
            // Unknown cards have ladders of their own, and those are flat here.
            desk.later(if scope == Scope::Kiosk { 1_000 } else { 0 });
        }
        sale += 1;
        let right = honest(&mut desk, scope, sale);
        assert_eq!(right, SaleState::IdentityVerified, "{scope:?}");
    }
}
