//! Enrolling prints (S13): who may, what ends with the old ones, what a new engine may
//! change.

use counterfoil_data::leaf::{Field, LeafKind};
use counterfoil_data::wire::sale::FingerPosition::{self, LeftIndex, RightIndex};
use counterfoil_data::wire::sale::SaleState;

use super::bank::*;
use crate::core::command::{
    Actor, CommandBody, FingerPrints, Found, Impression, Outcome, Prints, Subject,
};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::{AgentRow, Duty, EnrolledFinger};
use crate::core::record::prints::TouchRow;
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::core::{log, query};
use crate::store::model::ModelStore;
use counterfoil_data::ids::AgentId;

type Books = Desk<ModelStore>;

fn finger_of(position: FingerPosition, mark: u8) -> FingerPrints {
    let impression = |n: u8| Impression {
        template: vec![mark, n],
        image: vec![mark, 100 + n],
    };
    FingerPrints {
        position,
        impressions: [1, 2, 3].map(impression).into(),
    }
}

fn prints(fingers: Vec<FingerPrints>) -> Prints {
    Prints {
        agent: id("agent-1"),
        engine: "test 2".to_owned(),
        fingers,
    }
}

fn enrol(second: Option<&str>, prints: Prints) -> CommandBody {
    CommandBody::EnrolPrints {
        second: second.map(id),
        prints,
        reason: "cut his finger".to_owned(),
    }
}

fn by(who: &str) -> Actor {
    Actor::Staff(id(who))
}

/// The small bank, and the agent without prints.
fn bare() -> Books {
    let mut bodies = enrolment();
    for body in &mut bodies {
        if let CommandBody::EnrolAgent(row) = body {
            row.fingers.clear();
        }
    }
    bodies.push(staff("officer-2", Duty::Officer));
    bodies.push(staff("supervisor-2", Duty::Supervisor));
    Desk::stocked(ModelStore::new(), bodies)
}

fn row(desk: &Books) -> AgentRow {
    let key = key::text(Table::Agent, "agent-1");
    get(&*desk.read(), &key).expect("reads").expect("an agent")
}

fn images(desk: &Books) -> Vec<(FingerPosition, u8, Vec<u8>)> {
    let agent: AgentId = id("agent-1");
    let images = query::prints(&*desk.read(), &agent).expect("reads");
    let flat = images.into_iter().map(|((f, n), image)| (f, n, image));
    flat.collect()
}

#[test]
fn the_house_enrols_the_first_prints_of_an_agent_and_never_others_in_their_place() {
    let mut desk = bare();
    desk.must(
        Actor::System,
        enrol(None, prints(vec![finger_of(RightIndex, 7)])),
    );
    let held = row(&desk);
    assert_eq!(held.enrolment, 1);
    assert_eq!(held.fingers[0].templates[2], [7, 3]);
    assert_eq!(images(&desk)[1], (RightIndex, 2, vec![7, 102]));
    let again = enrol(None, prints(vec![finger_of(RightIndex, 8)]));
    assert_eq!(desk.give(Actor::System, again), Err(Refusal::NotYours));
    assert_eq!(row(&desk), held);
}

#[test]
fn prints_are_replaced_by_a_supervisor_and_another_who_keeps_no_blanks() {
    let wrong = Err(Refusal::Malformed(Malformed::PrintsPeople));
    let new = || prints(vec![finger_of(LeftIndex, 8)]);
    for (first, second) in [
        ("officer-1", "teller-1"),
        ("supervisor-1", "supervisor-1"),
        ("supervisor-1", "custodian-a"),
        ("custodian-a", "supervisor-1"),
        ("supervisor-1", "nobody"),
        ("officer-1", "officer-2"),
    ] {
        let mut desk = bare();
        let refused = desk.give(by(first), enrol(Some(second), new()));
        assert_eq!(refused, wrong, "{first} and {second}");
        assert!(row(&desk).fingers.is_empty());
    }
    for (first, second) in [
        ("supervisor-1", "officer-1"),
        ("officer-1", "supervisor-1"),
        ("teller-1", "supervisor-1"),
        ("supervisor-1", "supervisor-2"),
    ] {
        let mut desk = bare();
        desk.must(by(first), enrol(Some(second), new()));
        assert_eq!(row(&desk).fingers.len(), 1, "{first} and {second}");
    }
    let mut desk = bare();
    let alone = desk.give(by("supervisor-1"), enrol(None, new()));
    assert_eq!(alone, Err(Refusal::NotYours));
    for stranger in [kiosk(), officer(), Actor::System] {
        let refused = desk.give(stranger.clone(), enrol(Some("supervisor-1"), new()));
        assert_eq!(refused, Err(Refusal::NotYours), "{stranger:?}");
    }
    let mut silent = enrol(Some("officer-1"), new());
    if let CommandBody::EnrolPrints { reason, .. } = &mut silent {
        reason.clear();
    }
    let refused = desk.give(by("supervisor-1"), silent);
    assert_eq!(refused, Err(Refusal::Malformed(Malformed::Unsaid)));
    let mut nobodys = new();
    nobodys.agent = id("agent-7");
    let what = Missing::Agent;
    let refused = desk.give(by("supervisor-1"), enrol(Some("officer-1"), nobodys));
    assert_eq!(refused, Err(Refusal::NotFound { what }));
}

#[test]
fn with_old_prints_end_their_images_the_last_touch_and_the_lock() {
    let mut desk = bare();
    let two = vec![finger_of(RightIndex, 7), finger_of(LeftIndex, 9)];
    desk.must(Actor::System, enrol(None, prints(two)));
    // A touch is accepted, then the agent is locked.
    let sale = desk.opened(1);
    desk.try_info(sale, Subject::Card(CARD), true);
    let body = desk.identity_of(sale, PERSON);
    let Outcome::IdentityCheck(check) = desk.must(kiosk(), body) else {
        panic!("counted");
    };
    assert_eq!(check.touch, None);
    let found = Found {
        touch: Some(vec![42]),
        ..Found::scored(THRESHOLD, "test 2")
    };
    let attempt = check.attempt;
    let settle = CommandBody::SettleIdentity {
        sale,
        attempt,
        found,
    };
    desk.must(Actor::System, settle);
    desk.must(kiosk(), CommandBody::Cancel { sale });
    let sale = desk.opened(2);
    desk.try_info(sale, Subject::Card(CARD), true);
    for _ in 0..3 {
        desk.try_identity(sale, 0);
    }
    assert_eq!(desk.state(sale), SaleState::Refused);
    let touch = |desk: &Books| -> Option<TouchRow> {
        get(&*desk.read(), &key::text(Table::Touch, "agent-1")).expect("reads")
    };
    assert_eq!(touch(&desk).expect("accepted").template, [42]);
    let one = enrol(Some("officer-1"), prints(vec![finger_of(LeftIndex, 8)]));
    desk.must(by("supervisor-1"), one);
    let kept: Vec<_> = images(&desk)
        .into_iter()
        .map(|(f, n, i)| (f, n, i[0]))
        .collect();
    assert_eq!(kept, [1, 2, 3].map(|n| (LeftIndex, n, 8)));
    assert!(touch(&desk).is_none());
    assert_eq!(row(&desk).enrolment, 2);
    desk.identified(3);
    desk.audit();
}

#[test]
fn evidence_says_who_enrolled_which_fingers_and_the_reason_only_under_its_salt() {
    let mut desk = bare();
    let two = vec![finger_of(RightIndex, 7), finger_of(LeftIndex, 9)];
    desk.must(by("supervisor-1"), enrol(Some("officer-1"), prints(two)));
    let last = log::size(&*desk.read()).expect("reads") - 1;
    let leaf = desk.leaf(last);
    assert_eq!(leaf.kind, LeafKind::PrintsEnrolled);
    for field in [
        Field::Actor("staff:supervisor-1".to_owned()),
        Field::Second("staff:officer-1".to_owned()),
        Field::Subject("agent:agent-1".to_owned()),
        Field::Engine("test 2".to_owned()),
        Field::State("right-index 3".to_owned()),
        Field::State("left-index 3".to_owned()),
    ] {
        assert!(leaf.fields.contains(&field), "{field:?}");
    }
    let bytes = leaf.encode().expect("encodes");
    assert!(!String::from_utf8_lossy(&bytes).contains("cut his finger"));
    let words = desk.read().read(&key::numbered(Table::Words, last));
    assert_eq!(words.expect("reads").expect("kept"), b"cut his finger");
}

#[test]
fn another_engine_renews_the_same_fingers_and_nothing_that_was_replaced_meanwhile() {
    let mut desk = bare();
    desk.must(
        Actor::System,
        enrol(None, prints(vec![finger_of(RightIndex, 7)])),
    );
    let of = |position, templates: usize, enrolment| CommandBody::RefreshTemplates {
        agent: id("agent-1"),
        enrolment,
        engine: "test 3".to_owned(),
        fingers: vec![EnrolledFinger {
            position,
            templates: vec![vec![50]; templates],
        }],
    };
    let malformed = Err(Refusal::Malformed(Malformed::Fingers));
    assert_eq!(desk.give(Actor::System, of(LeftIndex, 3, 1)), malformed);
    assert_eq!(desk.give(Actor::System, of(RightIndex, 2, 1)), malformed);
    for stranger in [kiosk(), by("supervisor-1")] {
        let refused = desk.give(stranger, of(RightIndex, 3, 1));
        assert_eq!(refused, Err(Refusal::NotYours));
    }
    desk.must(Actor::System, of(RightIndex, 3, 1));
    assert_eq!(row(&desk).fingers[0].templates, vec![vec![50]; 3]);
    assert_eq!(images(&desk).len(), 3, "images stay");
    let leaf = desk.leaf(log::size(&*desk.read()).expect("reads") - 1);
    let subject = Field::Subject("templates:agent-1/test 3".to_owned());
    assert!(leaf.fields.contains(&subject));
    // Replaced by people while the templates were made.
    let one = enrol(Some("officer-1"), prints(vec![finger_of(LeftIndex, 8)]));
    desk.must(by("supervisor-1"), one);
    let held = row(&desk);
    let size = log::size(&*desk.read()).expect("reads");
    desk.must(Actor::System, of(RightIndex, 3, 1));
    assert_eq!(row(&desk), held);
    assert_eq!(log::size(&*desk.read()).expect("reads"), size);
}

#[test]
fn no_finger_a_finger_twice_and_an_image_too_large_are_not_enrolled() {
    let mut desk = bare();
    let mut large = finger_of(RightIndex, 7);
    large.impressions[0].image = vec![0; 257 * 1024 + 1];
    let refused = Err(Refusal::Malformed(Malformed::Fingers));
    for fingers in [
        vec![],
        vec![finger_of(RightIndex, 7), finger_of(RightIndex, 8)],
        vec![large],
    ] {
        assert_eq!(
            desk.give(Actor::System, enrol(None, prints(fingers))),
            refused
        );
    }
}
