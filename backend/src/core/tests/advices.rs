//! Advices: what a kiosk may say of paper in one call, and what the books keep of it.

use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::wire::forms::{ADVICES_MAX, FormEvent};

use super::bank::*;
use crate::core::command::Outcome;
use crate::core::log;
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::store::model::ModelStore;

#[test]
fn a_call_carries_from_one_advice_to_as_many_as_documented() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 2);
    let many = |count| vec![(number(0), FormEvent::Feeding); count];
    let malformed = Err(Refusal::Malformed(Malformed::Advices));
    assert_eq!(desk.advise(sale, many(0)), malformed);
    assert_eq!(desk.advise(sale, many(ADVICES_MAX + 1)), malformed);
    // What was heard before is taken in again and changes nothing.
    let told = desk.advise(sale, many(ADVICES_MAX)).expect("taken in");
    let all = Outcome::Forms {
        accepted: 64,
        supplements: Vec::new(),
    };
    assert_eq!(told, all);
    let stranger = desk.advise(sale, vec![(number(9), FormEvent::Feeding)]);
    let what = Missing::Form;
    assert_eq!(stranger, Err(Refusal::NotFound { what }));
    desk.audit();
}

#[test]
fn the_answer_names_the_supplements_of_the_forms_that_failed_in_this_call() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 3);
    let spoil = |offset| {
        vec![
            (number(offset), FormEvent::Feeding),
            (number(offset), failed()),
        ]
    };
    for (offset, stands_in) in [(0, 3), (1, 4)] {
        let told = desk.advise(sale, spoil(offset)).expect("taken in");
        let one = Outcome::Forms {
            accepted: 2,
            supplements: vec![number(stands_in)],
        };
        assert_eq!(told, one);
    }
    let printed = vec![(number(2), FormEvent::Feeding), (number(2), printed())];
    let none = Outcome::Forms {
        accepted: 2,
        supplements: Vec::new(),
    };
    assert_eq!(desk.advise(sale, printed), Ok(none));
}

#[test]
fn a_device_s_words_are_kept_cut_and_in_printable_ascii() {
    let mut desk = Desk::open(ModelStore::new());
    let sale = desk.linked(1, 2);
    let said = format!("media\u{1b}[31m Jammed 卡纸~\n{}", "x".repeat(400));
    let failed = FormEvent::Failed {
        ink: false,
        reason: said,
    };
    let advices = vec![(number(0), FormEvent::Feeding), (number(0), failed)];
    desk.advise(sale, advices).expect("taken in");
    let size = log::size(&*desk.read()).expect("reads");
    let leaf = (0..size)
        .map(|index| desk.leaf(index))
        .find(|leaf| leaf.kind == LeafKind::FormFailed)
        .expect("a leaf");
    let kept = leaf.fields.iter().find_map(|field| match field {
        Field::Evidence(words) => Some(words.clone()),
        _ => None,
    });
    let kept = kept.expect("words");
    assert!(kept.starts_with("media[31m Jammed ~xxx"), "{kept}");
    assert_eq!(kept.len(), 256);
}
