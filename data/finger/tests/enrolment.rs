//! Enrolment, replays and foreign records as the bank meets them, on synthetic fingers.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the helpers of a test file stop the test"
)]

use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{
    EnrolError, FingerPosition, Image, Template, enrol, export_iso, extract, import_iso, is_replay,
    verify,
};

fn template(finger: &Finger, contact: &Contact) -> Template {
    extract(&finger.impression(contact)).unwrap()
}

fn impressions(finger: u64, seeds: [u64; 3]) -> [Template; 3] {
    let finger = Finger::from_seed(finger);
    seeds.map(|seed| template(&finger, &Contact::natural(seed)))
}

#[test]
fn three_touches_of_one_finger_are_enrolled() {
    for finger in 20..30 {
        assert_eq!(enrol(&impressions(finger, [1, 2, 3])), Ok(()), "{finger}");
    }
}

#[test]
fn a_stranger_among_three_impressions_is_named() {
    for number in 1..=3_u8 {
        let mut three = impressions(21, [1, 2, 3]);
        let [stranger, ..] = impressions(22, [4, 5, 6]);
        three[usize::from(number) - 1] = stranger;
        assert_eq!(enrol(&three), Err(EnrolError::AnotherFinger { number }));
    }
}

/// Which of [`copies`] is shifted.
const SHIFTED: usize = 2;

/// The same picture again, as somebody would make it who took it from the wire.
fn copies(image: &Image) -> Vec<Image> {
    let (w, h) = (usize::from(image.width()), usize::from(image.height()));
    let of = |f: &dyn Fn(usize, usize) -> u8| {
        let pixels = (0..w * h).map(|i| f(i % w, i / w)).collect();
        Image::new(image.width(), image.height(), image.dpi(), pixels).unwrap()
    };
    let at = |x: usize, y: usize| image.pixels()[y * w + x];
    vec![
        of(&at),
        of(&|x, y| at(x, y) / 2 + 60),
        of(&|x, y| at((x + w - 5) % w, (y + 9) % h)),
        of(&|x, y| at(x, y).saturating_add(((x * 7 + y * 13) % 5) as u8)),
        of(&|x, y| at(x, y) >> 4 << 4),
    ]
}

#[test]
fn a_picture_seen_before_is_a_replay_however_it_is_dressed() {
    let mut shifted = 0;
    for finger in 30..36 {
        let image = Finger::from_seed(finger).impression(&Contact::natural(1));
        let seen = extract(&image).unwrap();
        for (i, copy) in copies(&image).iter().enumerate() {
            let found = is_replay(&extract(copy).unwrap(), &seen);
            if i == SHIFTED {
                shifted += u8::from(found);
            } else {
                assert!(found, "{finger}: {i}");
            }
        }
    }
    assert!(shifted >= 4, "{shifted} of 6");
}

#[test]
fn a_new_touch_is_never_taken_for_a_copy() {
    for seed in 1001..1016 {
        let finger = Finger::from_seed(seed);
        let touches: Vec<Template> = (0..5)
            .map(|n| template(&finger, &Contact::natural(seed * 1000 + n)))
            .collect();
        for (i, live) in touches.iter().enumerate() {
            for seen in &touches[..i] {
                assert!(!is_replay(live, seen), "{seed}: touch {i}");
            }
        }
    }
}

#[test]
fn one_touch_captured_twice_is_no_enrolment() {
    let [first, second, _] = impressions(23, [1, 2, 3]);
    let error = enrol(&[first.clone(), second, first]).unwrap_err();
    let one_and_three = EnrolError::SameTouch {
        first: 1,
        second: 3,
    };
    assert_eq!(error, one_and_three);
}

/// Three touches of one finger so many millimetres to the right.
fn beside(finger: u64, dx_mm: [f32; 3]) -> [Template; 3] {
    let finger = Finger::from_seed(finger);
    let mut touch = 0;
    dx_mm.map(|dx_mm| {
        touch += 1;
        let contact = Contact {
            dx_mm,
            dy_mm: touch as f32,
            rotation_deg: 4.0 * touch as f32,
            distortion: 0.2,
            noise_seed: touch,
            ..Contact::default()
        };
        template(&finger, &contact)
    })
}

#[test]
fn three_touches_whose_third_shows_other_skin_are_no_enrolment() {
    for finger in 20..26 {
        let three = beside(finger, [-5.0, -5.0, 5.0]);
        let error = enrol(&three).unwrap_err();
        assert!(
            matches!(
                error,
                EnrolError::LittleInCommon {
                    first: 1 | 2,
                    second: 3
                }
            ),
            "{finger}: {error}"
        );
        // It is known as the same finger all the same, so it is the skin that is missing.
        let score = verify(&three[0], &three[2..]);
        assert!(score.reaches(4.0), "{finger}: {score:?}");
    }
}

#[test]
fn touches_in_a_chain_are_enrolled_however_far_apart_its_ends_are() {
    for finger in 20..26 {
        for step in [4.5, 5.0, 5.5, 6.0] {
            let three = beside(finger, [-step, 0.0, step]);
            assert_eq!(enrol(&three), Ok(()), "{finger}: {step} mm");
        }
    }
}

#[test]
fn a_minutiae_record_of_a_print_still_matches_its_finger_and_no_other() {
    let finger = Finger::from_seed(14);
    let record = export_iso(
        &template(&finger, &Contact::natural(1)),
        FingerPosition::UNKNOWN,
        70,
    );
    let enrolled = [import_iso(&record).unwrap().remove(0).template];
    let own = verify(&template(&finger, &Contact::natural(2)), &enrolled);
    let other = Finger::from_seed(15);
    let stranger = verify(&template(&other, &Contact::natural(2)), &enrolled);
    assert!(own.reaches(3.0), "{own:?}");
    assert!(!stranger.reaches(2.5), "{stranger:?}");
}
