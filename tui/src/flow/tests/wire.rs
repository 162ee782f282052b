//! Messages of the modelled backend, and its table of a form's life.

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::{Challenge, Sealed};
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::forms::{FormEvent, FormState};
use counterfoil_data::wire::problem::{Problem, Remedy, Retry, RuleRefusal};
use counterfoil_data::wire::sale::{
    Offer, Proof, PurchaseMode, Receipt, SaleState, SaleView, UnitView,
};

use super::world::UNIT;
use crate::flow::effect::{Act, Field};
use crate::flow::event::{Answer, Typed};
use crate::model::{FieldProblem, TypedNumber};

pub fn is_watch(act: &Act) -> bool {
    matches!(act, Act::Wait(_))
}

pub fn word(event: &FormEvent) -> &'static str {
    match event {
        FormEvent::Feeding => "feeding",
        FormEvent::Printed { .. } => "printed",
        FormEvent::Failed { .. } => "failed",
        FormEvent::Mismatch { .. } => "mismatch",
        FormEvent::Presented => "presented",
        FormEvent::Taken => "taken",
        FormEvent::Retracted => "retracted",
        FormEvent::NoOutcome { .. } => "no-outcome",
    }
}

/// The states of a form (`ARCHITECTURE.md`); `None` is what they do not allow. Repeats are
/// what they were.
pub fn after(state: FormState, event: &FormEvent) -> Option<FormState> {
    use FormState as S;
    Some(match (state, event) {
        (S::Assigned | S::Feeding, FormEvent::Feeding) => S::Feeding,
        (S::Printed, FormEvent::Feeding) => S::Printed,
        (S::Feeding | S::Printed, FormEvent::Printed { .. }) => S::Printed,
        (S::Feeding | S::Spoiled, FormEvent::Failed { .. }) => S::Spoiled,
        (S::Feeding | S::Unknown, FormEvent::Mismatch { .. }) => S::Unknown,
        (S::Printed | S::Presented, FormEvent::Presented) => S::Presented,
        (S::Presented | S::Sold, FormEvent::Taken) => S::Sold,
        (S::Presented | S::Retracted, FormEvent::Retracted) => S::Retracted,
        (S::Sold, FormEvent::Presented) => S::Sold,
        (S::Feeding | S::Printed | S::Presented | S::Unknown, FormEvent::NoOutcome { .. }) => {
            S::Unknown
        }
        _ => return None,
    })
}

pub fn problem(word: &str, attempts_left: Option<u32>) -> Answer {
    Answer::Problem(Box::new(Problem {
        reason: None,
        kind: format!("/problems/{word}"),
        title: String::new(),
        status: 409,
        detail: String::new(),
        state: None,
        rule: None,
        attempts_left,
        retry: Retry::Never,
        instance: None,
    }))
}

/// So large an order needs another enrolled finger (S13).
pub fn second_finger() -> Answer {
    let Answer::Problem(mut refused) = problem("refused", None) else {
        unreachable!("a problem");
    };
    refused.rule = Some(RuleRefusal {
        rule: "second-finger".to_owned(),
        version: 1,
        staff: "2 forms".to_owned(),
        remedy: Remedy::OtherFinger,
    });
    Answer::Problem(refused)
}

/// What a field answers: a digit, and its end unless it is stopped halfway.
pub fn typed(field: Field, halfway: bool) -> Vec<Answer> {
    let shown = match field {
        Field::Account => Typed::Account(TypedNumber::default()),
        Field::Password => Typed::Password(1),
    };
    let problem = halfway.then_some(FieldProblem::NotADigit);
    let typed = Answer::Typed(shown, problem);
    if halfway {
        vec![typed]
    } else {
        vec![typed, Answer::FieldDone(sealed())]
    }
}

pub fn sealed<T>() -> Sealed<T> {
    Sealed::from_bytes(&[1; 48]).expect("the shape of a sealed value")
}

pub fn unit() -> UnitView {
    UnitView {
        name: UNIT.to_owned(),
        account_masked: "****0001".to_owned(),
        offers: vec![Offer {
            kind: BillKind::TransferCheque,
            fee_each: Fen(30),
            quantity_max: 50,
            quantity_usual: 2,
        }],
    }
}

pub fn opened(sale: counterfoil_data::ids::SaleId, mode: PurchaseMode) -> SaleView {
    SaleView {
        sale,
        state: SaleState::Opened,
        mode,
        challenge: Challenge([0; 16]),
        expires: None,
        unit: None,
        agent: None,
        refusal: None,
        attempts_left: None,
        order: None,
        linked: None,
        forms: Vec::new(),
        sheet: None,
        receipt: None,
    }
}

pub fn receipt(sale: &SaleView) -> Receipt {
    let sold = sale.forms.iter().filter(|f| f.state == FormState::Sold);
    let sold = sold.map(|f| BillRange::single(f.number)).collect();
    Receipt {
        requisition: "L0001".to_owned(),
        kiosk: "kiosk-1".parse().expect("an id"),
        date: "2026-11-23".parse().expect("a date"),
        unit: UNIT.to_owned(),
        account_masked: "****0001".to_owned(),
        agent_masked: "张**".to_owned(),
        ordered: 1,
        sold,
        void: Vec::new(),
        unknown: Vec::new(),
        released: Vec::new(),
        fee: Fen(60),
        sheet: None,
        proof: Proof {
            leaf: 0,
            leaf_hash: Digest::of(b""),
            size: 1,
            root: Digest::of(b""),
            path: Vec::new(),
        },
    }
}

/// A receipt with a range, a spoiled and an unknown form.
pub fn sample_receipt() -> Receipt {
    let mut sale = opened(
        counterfoil_data::ids::SaleId(1),
        PurchaseMode::SettlementCard,
    );
    sale.forms.clear();
    let number = |n: &str| n.parse().expect("a number");
    let range = BillRange::from_count(number("3130331100000100"), 25).expect("a range");
    let single = BillRange::single(number("3130331100000125"));
    Receipt {
        sold: vec![range],
        void: vec![single],
        unknown: vec![single],
        released: vec![single],
        ..receipt(&sale)
    }
}

/// The rule of an account that was frozen meanwhile.
pub fn frozen() -> RuleRefusal {
    RuleRefusal {
        rule: "account-not-normal".to_owned(),
        version: 1,
        staff: "account state is Frozen".to_owned(),
        remedy: Remedy::CallStaff,
    }
}
