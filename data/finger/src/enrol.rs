//! Which impressions may be enrolled together, and which live print is not a live one.
//!
//! Owns the checks of an enrolment (three impressions of one finger, laid differently, showing
//! enough of the same skin) and the recognition of a picture that was seen before. Refuses what a
//! person or an attacker would get wrong: two fingers, the same touch three times, three touches of
//! three corners. Called by the backend when it enrols an agent and at S13.

use crate::matching::{Likeness, compare};
use crate::score::Score;
use crate::template::Template;

/// Impressions of an enrolment.
pub const IMPRESSIONS: usize = 3;
/// Score from which two impressions are of one finger. A stranger's finger in an enrolment is worse
/// than one touch more.
const SAME_FINGER: f32 = 4.0;
/// Skin that two impressions must both show, square pixels at 500 dpi (50 square millimetres).
const COMMON_MIN: f32 = 19_375.0;
/// Share of minutiae that coincide in two pictures of one touch. Of two touches of one finger at
/// most 0.92 did (1,120 pairs of FVC2002 set B).
const REPLAY_COINCIDE: f32 = 0.8;
/// Median of their distance, pixels. Skin stretches: minutiae of two touches lie farther apart (0.89
/// at least in 600 pairs of synthetic touches, 2 in pairs of FVC2002 that coincide as much), and a
/// customer must not be taken for a copy. One that is dimmed, noisy or of fewer greys moves them
/// less than 0.5, one that is shifted and cropped 0.04 to 1.2: nine in ten of those are caught. One
/// that is turned and drawn anew can escape; the capture's nonce and seal are what stop it.
const REPLAY_APART_PX: f32 = 0.8;

/// Why three impressions are not an enrolment. What to say to the person is in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// One impression matches neither of the others, or none matches another.
    #[error("impression {number} is not of the same finger as the others, capture it again")]
    AnotherFinger {
        /// 1 to 3.
        number: u8,
    },
    /// Two pictures of one touch.
    #[error("impressions {first} and {second} are one touch, lift the finger and lay it anew")]
    SameTouch {
        /// 1 to 3.
        first: u8,
        /// 1 to 3.
        second: u8,
    },
    /// No two pairs of the three show enough of the same skin; of one that does not.
    #[error("impressions {first} and {second} show different parts, lay the middle of the finger")]
    LittleInCommon {
        /// 1 to 3.
        first: u8,
        /// 1 to 3.
        second: u8,
    },
}

/// Checks three impressions against each other (S13 enrolment).
///
/// # Errors
/// [`EnrolError`] naming the impression to capture again.
pub fn enrol(impressions: &[Template; IMPRESSIONS]) -> Result<(), EnrolError> {
    let [first, second, third] = impressions;
    let pairs = [
        (1, 2, compare(first, second)),
        (2, 3, compare(second, third)),
        (1, 3, compare(first, third)),
    ];
    for &(a, b, likeness) in &pairs {
        if replayed(&likeness) {
            return Err(EnrolError::SameTouch {
                first: a,
                second: b,
            });
        }
    }
    let one_finger = |l: &Likeness| Score::from_raw(l.raw).reaches(SAME_FINGER);
    // A chain is enough: the first like the second and the second like the third.
    let links: Vec<_> = pairs.iter().filter(|p| one_finger(&p.2)).collect();
    match links.as_slice() {
        // None like another: nothing says which is wrong, so start over with the last.
        [] => return Err(EnrolError::AnotherFinger { number: 3 }),
        // The numbers add up to 6: the one in no pair is the odd one.
        [only] => {
            let number = 6_u8.saturating_sub(only.0).saturating_sub(only.1);
            return Err(EnrolError::AnotherFinger { number });
        }
        _ => {}
    }
    // The same for skin: two pairs hold all three together. Asking the third pair too would refuse
    // touches that are a little apart and accept them farther apart, where it is no longer a link.
    let little = |link: &&&(u8, u8, Likeness)| link.2.area < COMMON_MIN;
    let mut too_little = links.iter().filter(little);
    let enough = links.len().saturating_sub(too_little.clone().count());
    if let (0..=1, Some(&&(first, second, _))) = (enough, too_little.next()) {
        return Err(EnrolError::LittleInCommon { first, second });
    }
    Ok(())
}

/// True if a live print is a picture of a touch that is enrolled or was seen before, not a new
/// touch: nearly all its minutiae lie where they lay then. The same picture at another brightness, with
/// noise, with fewer greys, and nearly always shifted or cropped a little, is recognised.
#[must_use]
pub fn is_replay(live: &Template, seen: &Template) -> bool {
    replayed(&compare(live, seen))
}

fn replayed(likeness: &Likeness) -> bool {
    likeness.coincide >= REPLAY_COINCIDE && likeness.apart_px < REPLAY_APART_PX
}
