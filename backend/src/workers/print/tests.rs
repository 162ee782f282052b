//! The comparison and the enrolment, with synthetic fingers.

use super::*;
use crate::workers::pin::Argon2Params;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::Challenge;
use counterfoil_data::secret::Secret;
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

fn enrolled(bench: &Bench) -> Vec<Vec<u8>> {
    let images = [0, 1, 2].map(|n| touch(7, n));
    enrol(&bench.keys, &agent(), &images, &Counting).expect("enrols")
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
    let templates = enrolled(&bench);
    let score = |image, binding, agent: &AgentId| {
        let live = live(&bench, &image);
        compare(&bench, &live, binding, agent, &templates)
    };
    let own = score(touch(7, 99), BINDING, &agent());
    assert!(own.score_milli() >= THRESHOLD, "{own:?}");
    assert!(score(touch(8, 99), BINDING, &agent()).score_milli() < THRESHOLD);
    let other: AgentId = "agent-2".parse().expect("an id");
    let moved = score(touch(7, 99), BINDING, &other);
    assert_eq!(moved, Compared::Scored(0), "templates belong to one agent");
    let stale = Binding {
        challenge: Challenge([2; 16]),
        ..BINDING
    };
    assert_eq!(score(touch(7, 99), stale, &agent()), Compared::Scored(0));
}

#[test]
fn templates_of_another_version_are_left_out_and_only_none_left_is_enrol_again() {
    let bench = bench();
    let mut templates = enrolled(&bench);
    let live = live(&bench, &touch(7, 99));
    for template in templates.iter_mut().take(2) {
        *template = aged(&bench, template);
    }
    let one = compare(&bench, &live, BINDING, &agent(), &templates);
    assert!(one.score_milli() >= THRESHOLD, "{one:?}");
    templates[2] = aged(&bench, &templates[2]);
    let none = compare(&bench, &live, BINDING, &agent(), &templates);
    assert_eq!(none, Compared::EnrolAgain);
    let nothing = compare(&bench, &live, BINDING, &agent(), &[]);
    assert_eq!(
        nothing,
        Compared::Scored(0),
        "no template is no old template"
    );
}

#[test]
fn an_enrolment_names_the_impression_to_capture_again_and_gives_no_template() {
    let bench = bench();
    let refused = |images: [Image; IMPRESSIONS]| {
        let stored = enrol(&bench.keys, &agent(), &images, &Counting);
        stored.map(|t| t.len()).expect_err("refused").to_string()
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
        (Compared::Scored(5), engine.clone()),
        (Compared::Replay, format!("replay/{engine}")),
        (Compared::EnrolAgain, format!("enrol-again/{engine}")),
    ] {
        assert_eq!(compared.engine(), text);
        assert!(text.len() <= 64 && text.is_ascii(), "kept as it is: {text}");
    }
}
