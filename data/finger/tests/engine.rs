//! The engine as its callers see it, on synthetic fingers.

use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{
    Advice, Image, NoTemplate, SCORE_MAX, Score, Template, extract, quality, verify,
};

/// The operating threshold of the demo bank: one stranger in 10,000.
const THRESHOLD: f32 = 4.0;

fn template(finger: &Finger, contact: &Contact) -> Template {
    extract(&finger.impression(contact)).unwrap()
}

fn plain(pixels: Vec<u8>) -> Image {
    Image::new(256, 288, 500, pixels).unwrap()
}

#[test]
fn the_same_image_gets_the_highest_score() {
    let finger = Finger::from_seed(7);
    let live = template(&finger, &Contact::natural(1));
    let score = verify(&live, std::slice::from_ref(&live));
    assert_eq!(score.value().to_bits(), SCORE_MAX.to_bits());
}

#[test]
fn a_turned_and_shifted_finger_is_accepted() {
    let finger = Finger::from_seed(11);
    let enrolled = [template(&finger, &Contact::default())];
    for rotation_deg in [-20.0, -10.0, 10.0, 20.0] {
        for (dx_mm, dy_mm) in [(0.0, 0.0), (2.0, 0.0), (-2.0, 1.5)] {
            let contact = Contact {
                rotation_deg,
                dx_mm,
                dy_mm,
                noise_seed: 5,
                ..Contact::default()
            };
            let score = verify(&template(&finger, &contact), &enrolled);
            assert!(score.reaches(THRESHOLD), "{rotation_deg} {dx_mm} {score:?}");
        }
    }
}

#[test]
fn blank_constant_and_noise_images_give_no_template_and_ask_for_a_finger() {
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..256 * 288)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    for pixels in [
        vec![255; 256 * 288],
        vec![0; 256 * 288],
        vec![128; 256 * 288],
        noise,
    ] {
        let image = plain(pixels);
        let refused = extract(&image).unwrap_err();
        assert!(
            matches!(refused, NoTemplate::NoFinger | NoTemplate::NoRidges),
            "{refused}"
        );
        assert_eq!(quality(&image).advice, Advice::NoFinger);
        assert_eq!(quality(&image).score, 0);
    }
}

#[test]
fn four_bit_pictures_from_a_module_are_accepted() {
    let finger = Finger::from_seed(21);
    let enrolled: Vec<Template> = (0..3)
        .map(|n| template(&finger, &Contact::natural(n)))
        .collect();
    for n in 10..14 {
        let image = finger.impression(&Contact::natural(n));
        let four_bits = image.pixels().iter().map(|v| (v >> 4) * 17).collect();
        let score = verify(&extract(&plain(four_bits)).unwrap(), &enrolled);
        assert!(score.reaches(THRESHOLD), "{score:?}");
    }
}

#[test]
fn nobody_enrolled_scores_nothing() {
    let live = template(&Finger::from_seed(3), &Contact::default());
    assert_eq!(verify(&live, &[]), Score::ZERO);
}
