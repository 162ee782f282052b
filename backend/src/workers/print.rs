//! Fingerprints: the live print against the agent's enrolled templates (S13, S14).
//!
//! Owns the comparison and what an enrolment must be. Everything here runs inside a
//! matcher job or at enrolment: the sealed image is opened, matched and wiped;
//! templates leave their envelopes only for the comparison (I7). Refuses a picture
//! of an enrolled touch, and impressions that do not belong together.

use counterfoil_data::ids::AgentId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::seam::Entropy;
use counterfoil_data::wire::sale::LivePrint;
use counterfoil_finger::{
    EnrolError, IMPRESSIONS, Image, NoTemplate, TEMPLATE_VERSION, Template, extract, is_replay,
    verify,
};

use super::Bench;
use crate::core::rules::ENROL_AGAIN;
use crate::keys::Keys;
use crate::keys::envelope::{self, EnvelopeError};

/// Begins the engine's name in evidence where the live print repeats an enrolled touch.
pub const REPLAY: &str = "replay";
/// Thousandths in one unit of -log10(FMR).
const MILLI: f32 = 1_000.0;

/// Name and version of the matcher and of its templates, kept with every score.
pub fn engine() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("counterfoil-finger {version} template {TEMPLATE_VERSION}")
}

/// What the comparison found. Stays on the server: the kiosk hears the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Thousandths of -log10(FMR). Zero when there is nothing to compare: a seal that
    /// does not open, no usable print, no template.
    Scored(u32),
    /// A picture of a touch that is enrolled, not a finger: no score.
    Replay,
    /// No enrolled template is of this engine's version: nothing was compared.
    EnrolAgain,
}

impl Compared {
    /// Score in thousandths; zero without one.
    pub const fn score_milli(self) -> u32 {
        match self {
            Self::Scored(milli) => milli,
            Self::Replay | Self::EnrolAgain => 0,
        }
    }

    /// The engine for evidence, after the reason if there is no score.
    pub fn engine(self) -> String {
        match self {
            Self::Scored(_) => engine(),
            Self::Replay => format!("{REPLAY}/{}", engine()),
            Self::EnrolAgain => format!("{ENROL_AGAIN}/{}", engine()),
        }
    }
}

/// Compares the live print with everything enrolled for this agent.
pub fn compare(
    bench: &Bench,
    live: &Sealed<LivePrint>,
    binding: Binding,
    agent: &AgentId,
    templates: &[Vec<u8>],
) -> Compared {
    let (enrolled, unread) = enrolled(&bench.keys, agent, templates);
    if enrolled.is_empty() && unread {
        return Compared::EnrolAgain;
    }
    let Some(probe) = probe(bench, live, binding) else {
        return Compared::Scored(0);
    };
    // Before the score: a copy of an enrolled touch would have the best one.
    if enrolled.iter().any(|seen| is_replay(&probe, seen)) {
        tracing::warn!("a live print is a copy of an enrolled touch: look after the kiosk");
        return Compared::Replay;
    }
    Compared::Scored(milli(verify(&probe, &enrolled).value()))
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

/// Templates that open, and whether one opened that this engine does not read; one
/// that does not open at all is reported and left out.
fn enrolled(keys: &Keys, agent: &AgentId, templates: &[Vec<u8>]) -> (Vec<Template>, bool) {
    let name = envelope::template_name(agent);
    let (mut open, mut unread) = (Vec::new(), false);
    for sealed in templates {
        let Ok(plain) = envelope::unwrap(keys, &name, sealed) else {
            tracing::error!("an enrolled template does not open: its record was altered or moved");
            continue;
        };
        match Template::from_bytes(plain.expose()) {
            Ok(template) => open.push(template),
            Err(error) => {
                tracing::error!(%agent, %error, "enrol the agent again");
                unread = true;
            }
        }
    }
    (open, unread)
}

fn milli(score: f32) -> u32 {
    let thousandths = (score.max(0.0) * MILLI).floor();
    // Scores end far below u32; the cast saturates and NaN becomes 0.
    thousandths as u32
}

/// Why impressions are not enrolled; each names what to capture again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEnrolled {
    /// No usable finger in one of them.
    #[error("impression {number} shows no usable finger, capture it again")]
    Unusable {
        /// 1 to 3.
        number: u8,
        /// What is wrong with it.
        #[source]
        why: NoTemplate,
    },
    /// They do not belong together.
    #[error(transparent)]
    Apart(#[from] EnrolError),
    /// A template could not be encrypted.
    #[error("a template cannot be encrypted")]
    Envelope(#[from] EnvelopeError),
}

/// Templates of three impressions of one finger for an agent's record, each in its
/// envelope; all of them or none.
///
/// # Errors
/// [`NotEnrolled`] naming the impression to capture again.
pub fn enrol(
    keys: &Keys,
    agent: &AgentId,
    images: &[Image; IMPRESSIONS],
    entropy: &dyn Entropy,
) -> Result<Vec<Vec<u8>>, NotEnrolled> {
    let [first, second, third] = images;
    let usable = |number, image| {
        let template = extract(image);
        template.map_err(|why| NotEnrolled::Unusable { number, why })
    };
    let templates = [usable(1, first)?, usable(2, second)?, usable(3, third)?];
    counterfoil_finger::enrol(&templates)?;
    let name = envelope::template_name(agent);
    let wrap = |template: &Template| envelope::wrap(keys, &name, &template.to_bytes(), entropy);
    let wrapped: Result<_, EnvelopeError> = templates.iter().map(wrap).collect();
    Ok(wrapped?)
}

#[cfg(test)]
mod tests;
