//! The comparison and the enrolment, with synthetic fingers.

use super::*;
use crate::core::command::{FingerPrints, Prints};
use crate::workers::pin::Argon2Params;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Challenge;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::FingerPosition::{LeftIndex, RightIndex};
use counterfoil_finger::synth::{Contact, Finger};
use std::sync::Arc;

const BINDING: Binding = Binding {
    sale: SaleId(1),
    challenge: Challenge([1; 16]),
};
/// A false match in 10,000.
const THRESHOLD: u32 = 4_000;

struct Counting;
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(n % 256).expect("below 256");
        }
    }
}

fn bench() -> Bench {
    Bench::new(Arc::new(Keys::demo()), Argon2Params::testbed())
}

fn agent() -> AgentId {
    "agent-1".parse().expect("an id")
}

fn touch(finger: u64, touch: u64) -> Image {
    Finger::from_seed(finger).impression(&Contact::natural(touch))
}

fn images(position: FingerPosition, finger: u64) -> FingerImages {
    FingerImages {
        position,
        images: [0, 1, 2].map(|n| touch(finger, n)),
    }
}

/// Seven is the right index finger, nine the left one.
fn prints(bench: &Bench) -> Prints {
    let fingers = [images(RightIndex, 7), images(LeftIndex, 9)];
    enrol(&bench.keys, &agent(), &fingers, &Counting).expect("enrols")
}

fn fingers(prints: &Prints) -> Vec<EnrolledFinger> {
    let finger = |finger: &FingerPrints| EnrolledFinger {
        position: finger.position,
        templates: finger
            .impressions
            .iter()
            .map(|i| i.template.clone())
            .collect(),
    };
    prints.fingers.iter().map(finger).collect()
}

fn check(agent: &AgentId, fingers: Vec<EnrolledFinger>) -> IdentityCheck {
    IdentityCheck {
        attempt: 1,
        agent: agent.clone(),
        fingers,
        enrolment: 1,
        touch: None,
    }
}

/// With the right index finger only.
fn one_finger(bench: &Bench) -> IdentityCheck {
    let mut fingers = fingers(&prints(bench));
    fingers.truncate(1);
    check(&agent(), fingers)
}

fn score(compared: &Compared) -> u32 {
    compared.clone().found().score_milli
}

fn live(bench: &Bench, image: &Image) -> Sealed<LivePrint> {
    let print = LivePrint {
        width: image.width(),
        height: image.height(),
        dpi: image.dpi(),
        pixels: Secret::new(image.pixels().to_vec()),
    };
    Sealed::seal(&print, &bench.keys.seal, BINDING, &Counting).expect("seals")
}

/// The same template as another version of the engine would have written it.
fn aged(bench: &Bench, sealed: &[u8]) -> Vec<u8> {
    let name = envelope::template_name(&agent());
    let plain = envelope::unwrap(&bench.keys, &name, sealed).expect("opens");
    let mut plain = plain.expose().clone();
    plain[0] = TEMPLATE_VERSION - 1;
    envelope::wrap(&bench.keys, &name, &plain, &Counting).expect("wraps")
}

#[test]
fn the_same_finger_reaches_the_threshold_and_a_stranger_does_not() {
    let bench = bench();
    let enrolled = one_finger(&bench);
    let found = |image, binding, agent: &AgentId| {
        let live = live(&bench, &image);
        let check = check(agent, enrolled.fingers.clone());
        compare(&bench, &live, binding, &check, &Counting)
    };
    let own = found(touch(7, 99), BINDING, &agent());
    assert!(score(&own) >= THRESHOLD, "{own:?}");
    assert!(score(&found(touch(8, 99), BINDING, &agent())) < THRESHOLD);
    let other: AgentId = "agent-2".parse().expect("an id");
    let moved = found(touch(7, 99), BINDING, &other);
    assert_eq!(moved, Compared::Nothing, "templates belong to one agent");
    let stale = Binding {
        challenge: Challenge([2; 16]),
        ..BINDING
    };
    assert_eq!(found(touch(7, 99), stale, &agent()), Compared::Nothing);
}

#[test]
fn of_two_fingers_the_one_on_the_glass_is_named_and_a_stranger_pays_for_both_chances() {
    let bench = bench();
    let both = check(&agent(), fingers(&prints(&bench)));
    let found = |check: &IdentityCheck, finger| {
        let live = live(&bench, &touch(finger, 99));
        compare(&bench, &live, BINDING, check, &Counting).found()
    };
    assert_eq!(found(&both, 7).finger, Some(RightIndex));
    assert_eq!(found(&both, 9).finger, Some(LeftIndex));
    for finger in [7, 9] {
        assert!(found(&both, finger).score_milli >= THRESHOLD, "{finger}");
    }
    assert!(found(&both, 8).score_milli < THRESHOLD);
    // Two chances are 0.301 of a score.
    let one = found(&one_finger(&bench), 7).score_milli;
    assert_eq!(one.abs_diff(found(&both, 7).score_milli), 301);
}

#[test]
fn a_copy_of_the_touch_accepted_last_is_no_finger_and_the_next_touch_is_one() {
    let bench = bench();
    let mut check = one_finger(&bench);
    let first = live(&bench, &touch(7, 99));
    let accepted = compare(&bench, &first, BINDING, &check, &Counting).found();
    assert!(accepted.score_milli >= THRESHOLD);
    check.touch = accepted.touch;
    assert!(check.touch.is_some(), "kept");
    let again = compare(&bench, &first, BINDING, &check, &Counting);
    assert_eq!(again, Compared::Replay);
    let next = live(&bench, &touch(7, 98));
    let next = compare(&bench, &next, BINDING, &check, &Counting);
    assert!(score(&next) >= THRESHOLD, "{next:?}");
}

#[test]
fn templates_of_another_version_are_left_out_and_only_none_left_is_enrol_again() {
    let bench = bench();
    let mut check = one_finger(&bench);
    let live = live(&bench, &touch(7, 99));
    for template in check.fingers[0].templates.iter_mut().take(2) {
        *template = aged(&bench, template);
    }
    let one = compare(&bench, &live, BINDING, &check, &Counting);
    assert!(score(&one) >= THRESHOLD, "{one:?}");
    assert!(!is_read(&bench.keys, &agent(), &check.fingers));
    check.fingers[0].templates[2] = aged(&bench, &check.fingers[0].templates[2]);
    let none = compare(&bench, &live, BINDING, &check, &Counting);
    assert_eq!(none, Compared::EnrolAgain);
    check.fingers.clear();
    let nothing = compare(&bench, &live, BINDING, &check, &Counting);
    assert_eq!(nothing, Compared::Nothing, "no template is no old template");
}

#[test]
fn templates_are_made_anew_from_the_stored_images_and_are_the_same_as_at_the_counter() {
    let bench = bench();
    let prints = prints(&bench);
    let mut held = fingers(&prints);
    for template in held.iter_mut().flat_map(|f| &mut f.templates) {
        *template = aged(&bench, template);
    }
    let image = |position, number: u8| {
        let of = prints.fingers.iter().find(|f| f.position == position)?;
        Some(of.impressions.get(usize::from(number) - 1)?.image.clone())
    };
    let renewed = renew(&bench.keys, &agent(), &held, image, &Counting).expect("renews");
    let plain = |fingers: &[EnrolledFinger]| -> Vec<Vec<u8>> {
        let name = envelope::template_name(&agent());
        let templates = fingers.iter().flat_map(|f| &f.templates);
        let open = |sealed| envelope::unwrap(&bench.keys, &name, sealed).expect("opens");
        templates.map(|t| open(t).expose().clone()).collect()
    };
    assert_eq!(plain(&renewed), plain(&fingers(&prints)));
    assert!(is_read(&bench.keys, &agent(), &renewed));
    // Taken over without images, or an image put in another's place.
    let lost = renew(&bench.keys, &agent(), &held, |_, _| None, &Counting);
    let (finger, number) = (RightIndex, 1);
    assert_eq!(lost, Err(Unrenewed::NoImage { finger, number }));
    let moved = |position, _| image(position, 1);
    let moved = renew(&bench.keys, &agent(), &held, moved, &Counting);
    let number = 2;
    assert_eq!(moved, Err(Unrenewed::Unusable { finger, number }));
}

#[test]
fn one_finger_is_not_enrolled_as_two() {
    let bench = bench();
    let mut again = images(LeftIndex, 7);
    again.images = [3, 4, 5].map(|n| touch(7, n));
    let fingers = [images(RightIndex, 7), again];
    let stored = enrol(&bench.keys, &agent(), &fingers, &Counting);
    let (one, other) = (RightIndex, LeftIndex);
    assert_eq!(stored, Err(NotEnrolled::SameFinger { one, other }));
}

#[test]
fn an_enrolment_names_the_impression_to_capture_again_and_gives_no_template() {
    let bench = bench();
    let refused = |images| {
        let position = RightIndex;
        let finger = FingerImages { position, images };
        let stored = enrol(&bench.keys, &agent(), &[finger], &Counting);
        stored.expect_err("refused").to_string()
    };
    let blank = Image::new(256, 288, 500, vec![255; 256 * 288]).expect("an image");
    assert_eq!(
        refused([touch(7, 0), blank, touch(7, 2)]),
        "impression 2 shows no usable finger, capture it again"
    );
    assert_eq!(
        refused([touch(7, 0), touch(7, 1), touch(8, 2)]),
        "impression 3 is not of the same finger as the others, capture it again"
    );
    assert_eq!(
        refused([touch(7, 0), touch(7, 1), touch(7, 1)]),
        "impressions 2 and 3 are one touch, lift the finger and lay it anew"
    );
}

#[test]
fn evidence_names_engine_template_version_and_why_there_is_no_score() {
    let engine = engine();
    let version = format!(" template {TEMPLATE_VERSION}");
    assert!(engine.starts_with("counterfoil-finger "), "{engine}");
    assert!(engine.ends_with(&version), "{engine}");
    for (compared, text) in [
        (Compared::Nothing, engine.clone()),
        (Compared::Replay, format!("replay/{engine}")),
        (Compared::EnrolAgain, format!("enrol-again/{engine}")),
    ] {
        assert_eq!(compared.found().engine, text);
        assert!(text.len() <= 64 && text.is_ascii(), "kept as it is: {text}");
    }
}
