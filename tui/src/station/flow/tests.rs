//! Decisions bind to what was on the screen; nothing can be decided too early.

use counterfoil_data::money::Fen;
use counterfoil_data::wire::confirm::{ConfirmText, ContactShown, IdentityShown, PurchaseShown};
use counterfoil_data::wire::sale::SaleState;

use super::*;

fn case(state: ConfirmState, account: &str) -> ConfirmationView {
    let text = ConfirmText {
        account_name: "样例机械有限公司".into(),
        account: account.into(),
        bank_name: "样例银行".into(),
        bank_number: "313000000000".into(),
        agent_masked: "张*".into(),
        ranges: Vec::new(),
        count: 25,
        fee: Fen(1500),
    };
    let digest = text.digest();
    let purchase = PurchaseShown {
        items: Vec::new(),
        text,
        digest,
        code: counterfoil_data::wire::confirm::code(&digest),
        deadline: Timestamp::from_second(180).expect("a time"),
    };
    ConfirmationView {
        sale: SaleId(1),
        kiosk: "kiosk-1".parse().expect("an id"),
        state,
        sale_state: SaleState::AwaitConfirm,
        decided_by: None,
        identity: IdentityShown {
            name: "张样例".into(),
            number_masked: "110105**********2X".into(),
            unit: "样例机械有限公司".into(),
            verified_at: Timestamp::from_second(1).expect("a time"),
        },
        contact: ContactShown {
            name: "李样例".into(),
            phone: "010-0000".into(),
        },
        purchase: (state != ConfirmState::Identity).then_some(purchase),
        result: None,
    }
}

#[test]
fn a_new_case_opens_by_itself_and_viewing_is_reported_once_a_state() {
    let mut station = Station::new(Language::En, "officer".into());
    let seen = station.cases(vec![case(ConfirmState::Identity, "1")]);
    assert_eq!(
        seen,
        [Action::Seen {
            sale: SaleId(1),
            digest: None
        }]
    );
    let shown = case(ConfirmState::Shown, "1");
    let digest = shown_digest(&shown);
    assert_eq!(
        station.cases(vec![shown]),
        [Action::Seen {
            sale: SaleId(1),
            digest
        }]
    );
    assert_eq!(station.cases(vec![case(ConfirmState::Seen, "1")]), []);
}

#[test]
fn a_text_that_only_a_colleague_opened_is_reported_by_this_officer_too_s20() {
    let mut station = Station::new(Language::En, "officer".into());
    let opened = || vec![case(ConfirmState::Seen, "1")];
    let [Action::Seen { digest, .. }] = station.cases(opened())[..] else {
        panic!("reports")
    };
    assert_eq!(digest, shown_digest(&opened()[0]));
    assert_eq!(station.cases(opened()), [], "once");
}

#[test]
fn a_decision_names_the_digest_that_was_on_the_screen() {
    let mut station = Station::new(Language::En, "officer".into());
    station.cases(vec![case(ConfirmState::Seen, "1")]);
    let before = shown_digest(&case(ConfirmState::Seen, "1")).expect("a digest");
    let confirm = Action::Decide {
        sale: SaleId(1),
        verdict: Verdict::Confirm,
        digest: before,
    };
    assert_eq!(station.key(&Key::Char('y')), [confirm]);
    station.cases(vec![case(ConfirmState::Seen, "2")]);
    let Some(Action::Decide { digest, .. }) = station.key(&Key::Char('y')).pop() else {
        panic!("decides")
    };
    assert_ne!(digest, before);
}

#[test]
fn nothing_can_be_decided_before_the_order_is_shown_or_after_it_is_settled() {
    let mut station = Station::new(Language::En, "officer".into());
    for state in [
        ConfirmState::Identity,
        ConfirmState::Confirmed,
        ConfirmState::TimedOut,
    ] {
        station.cases(vec![case(state, "1")]);
        station.key(&Key::Enter);
        assert_eq!(station.key(&Key::Char('y')), [], "{state:?}");
        station.key(&Key::Esc);
    }
}

#[test]
fn denying_takes_a_reason() {
    let mut station = Station::new(Language::En, "officer".into());
    station.cases(vec![case(ConfirmState::Seen, "1")]);
    assert_eq!(station.key(&Key::Char('n')), []);
    assert_eq!(station.screen(Timestamp::UNIX_EPOCH).body.name(), "Reason");
    let decided = station.key(&Key::Char('2'));
    assert!(matches!(
        decided.as_slice(),
        [Action::Decide {
            verdict: Verdict::Deny("identity-in-doubt"),
            ..
        }]
    ));
}

fn sold(sale: u128) -> ConfirmationView {
    ConfirmationView {
        sale: SaleId(sale),
        ..case(ConfirmState::Confirmed, "1")
    }
}

fn live(sale: u128, state: ConfirmState) -> ConfirmationView {
    ConfirmationView {
        sale: SaleId(sale),
        ..case(state, "2")
    }
}

#[test]
fn the_next_customers_case_opens_over_one_that_is_over_or_gone() {
    for left in [vec![], vec![sold(1)]] {
        let mut station = Station::new(Language::En, "officer".into());
        station.cases(vec![case(ConfirmState::Seen, "1")]);
        station.cases(vec![sold(1)]);
        let list = [left, vec![live(2, ConfirmState::Shown)]].concat();
        let actions = station.cases(list);
        assert!(
            matches!(
                actions[..],
                [Action::Seen {
                    sale: SaleId(2),
                    ..
                }]
            ),
            "{actions:?}"
        );
    }
}

#[test]
fn a_case_that_waits_is_not_covered_by_another_one() {
    let mut station = Station::new(Language::En, "officer".into());
    station.cases(vec![case(ConfirmState::Seen, "1")]);
    let both = vec![case(ConfirmState::Seen, "1"), live(2, ConfirmState::Shown)];
    assert_eq!(station.cases(both), []);
    let Some(StationBody::Case { case, .. }) = Some(station.screen(Timestamp::UNIX_EPOCH).body)
    else {
        panic!("a case is open")
    };
    assert_eq!(case.sale, SaleId(1));
}

#[test]
fn an_order_shown_again_after_a_question_opens_from_the_queue() {
    let mut station = Station::new(Language::En, "officer".into());
    station.cases(vec![case(ConfirmState::Seen, "1")]);
    station.cases(vec![case(ConfirmState::Asked, "1")]);
    station.key(&Key::Esc);
    let actions = station.cases(vec![case(ConfirmState::Shown, "1")]);
    assert!(
        matches!(
            actions[..],
            [Action::Seen {
                sale: SaleId(1),
                ..
            }]
        ),
        "{actions:?}"
    );
}
