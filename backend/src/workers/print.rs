//! Fingerprints: the live print against the agent's enrolled templates (S13, S14).
//!
//! Owns the comparison; [`enrol`] what an enrolment must be. Everything here runs inside
//! a matcher job or at enrolment: the sealed image is opened, matched and wiped; templates
//! and images leave their envelopes only for it (I7). Refuses a picture of an enrolled
//! touch, or of the one accepted last.

mod enrol;

use counterfoil_data::ids::AgentId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::seam::Entropy;
use counterfoil_data::wire::sale::{FingerPosition, LivePrint};
use counterfoil_finger::{Image, TEMPLATE_VERSION, Template, extract, is_replay, verify};

use super::Bench;
use crate::core::command::{Found, IdentityCheck};
use crate::core::record::bank::EnrolledFinger;
use crate::core::rules::ENROL_AGAIN;
use crate::keys::Keys;
use crate::keys::envelope;
pub use enrol::{FingerImages, NotEnrolled, Unrenewed, enrol, renew};

/// Begins the engine's name in evidence where the live print repeats an earlier touch.
pub const REPLAY: &str = "replay";
/// Thousandths in one unit of -log10(FMR).
const MILLI: f32 = 1_000.0;

/// Name and version of the matcher and of its templates, kept with every score.
pub fn engine() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("counterfoil-finger {version} template {TEMPLATE_VERSION}")
}

/// What the comparison found. Stays on the server: the kiosk hears the decision.
#[derive(Clone, PartialEq, Eq)]
pub enum Compared {
    /// There is nothing to compare: a seal that does not open, no usable print.
    Nothing,
    /// The best enrolled finger.
    Scored {
        /// Thousandths of -log10(FMR).
        milli: u32,
        /// Which finger.
        finger: FingerPosition,
        /// The touch's template in its envelope.
        touch: Option<Vec<u8>>,
    },
    /// A picture of an earlier touch, not a finger: no score.
    Replay,
    /// No enrolled template is of this engine's version: nothing was compared.
    EnrolAgain,
}

impl Compared {
    /// In the books' words: the engine after the reason, if there is no score.
    pub fn found(self) -> Found {
        let without = |reason: &str| Found {
            score_milli: 0,
            engine: format!("{reason}/{}", engine()),
            finger: None,
            touch: None,
        };
        match self {
            Self::Nothing => Found {
                engine: engine(),
                ..without("")
            },
            Self::Scored {
                milli,
                finger,
                touch,
            } => Found {
                score_milli: milli,
                engine: engine(),
                finger: Some(finger),
                touch,
            },
            Self::Replay => without(REPLAY),
            Self::EnrolAgain => without(ENROL_AGAIN),
        }
    }
}

impl std::fmt::Debug for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Scored { milli, finger, .. } => write!(f, "Scored({milli}, {finger:?})"),
            Self::Replay => f.write_str("Replay"),
            Self::EnrolAgain => f.write_str("EnrolAgain"),
        }
    }
}

/// Compares the live print with the fingers of this check.
pub fn compare(
    bench: &Bench,
    live: &Sealed<LivePrint>,
    binding: Binding,
    check: &IdentityCheck,
    entropy: &dyn Entropy,
) -> Compared {
    let (fingers, unread) = opened(&bench.keys, check);
    if fingers.is_empty() && unread {
        return Compared::EnrolAgain;
    }
    let Some(probe) = probe(bench, live, binding) else {
        return Compared::Nothing;
    };
    let name = envelope::template_name(&check.agent);
    let last = check.touch.as_ref().and_then(|sealed| {
        let plain = envelope::unwrap(&bench.keys, &name, sealed).ok()?;
        // One of another engine is no use; a new one follows it.
        Template::from_bytes(plain.expose()).ok()
    });
    // Before the score: a copy of an earlier touch would have the best one.
    let mut seen = fingers.iter().flat_map(|(_, of)| of).chain(&last);
    if seen.any(|seen| is_replay(&probe, seen)) {
        tracing::warn!("a live print is a copy of an earlier touch: look after the kiosk");
        return Compared::Replay;
    }
    // A stranger has a chance with every finger: taken off, as `verify` does for impressions.
    let chances = (fingers.len().max(1) as f32).log10();
    let scores = fingers.iter().map(|(finger, enrolled)| {
        let score = verify(&probe, enrolled).value();
        (milli(score - chances), *finger)
    });
    let Some((milli, finger)) = scores.max() else {
        return Compared::Nothing;
    };
    let touch = envelope::wrap(&bench.keys, &name, &probe.to_bytes(), entropy).ok();
    Compared::Scored {
        milli,
        finger,
        touch,
    }
}

fn probe(bench: &Bench, live: &Sealed<LivePrint>, binding: Binding) -> Option<Template> {
    let live = live.open(&bench.keys.open, binding).ok()?;
    let LivePrint {
        width,
        height,
        dpi,
        ref pixels,
    } = live;
    // The image wipes its pixels when dropped, as `live` does.
    let image = Image::new(width, height, dpi, pixels.expose().clone()).ok()?;
    extract(&image).ok()
}

/// Fingers with the templates that open, and whether one opened that this engine does not
/// read; one that does not open at all is reported and left out.
fn opened(keys: &Keys, check: &IdentityCheck) -> (Vec<(FingerPosition, Vec<Template>)>, bool) {
    let name = envelope::template_name(&check.agent);
    let (mut fingers, mut unread) = (Vec::new(), false);
    for finger in &check.fingers {
        let mut open = Vec::new();
        for sealed in &finger.templates {
            let Ok(plain) = envelope::unwrap(keys, &name, sealed) else {
                tracing::error!("an enrolled template does not open: it was altered or moved");
                continue;
            };
            match Template::from_bytes(plain.expose()) {
                Ok(template) => open.push(template),
                Err(_) => unread = true,
            }
        }
        if !open.is_empty() {
            fingers.push((finger.position, open));
        }
    }
    (fingers, unread)
}

/// Whether this engine reads every template of these fingers.
pub fn is_read(keys: &Keys, agent: &AgentId, fingers: &[EnrolledFinger]) -> bool {
    let name = envelope::template_name(agent);
    let reads = |sealed: &Vec<u8>| {
        let plain = envelope::unwrap(keys, &name, sealed);
        plain.is_ok_and(|plain| Template::from_bytes(plain.expose()).is_ok())
    };
    fingers.iter().flat_map(|f| &f.templates).all(reads)
}

fn milli(score: f32) -> u32 {
    let thousandths = (score.max(0.0) * MILLI).floor();
    // Scores end far below u32; the cast saturates and NaN becomes 0.
    thousandths as u32
}

#[cfg(test)]
mod tests;
