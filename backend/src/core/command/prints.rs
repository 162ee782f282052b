//! Prints as commands carry them: never in clear (I7).

use std::fmt;

use counterfoil_data::ids::AgentId;
use counterfoil_data::wire::sale::FingerPosition;

/// What a comparison found (S13, S14).
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// Score in thousandths of -log10(FMR); 0 when there was no usable print.
    pub score_milli: u32,
    /// Name and version of the matcher and its templates; where a finger was not
    /// compared, the reason before it (`replay/`, `enrol-again/`, `citizen-check/`).
    pub engine: String,
    /// The enrolled finger with that score.
    pub finger: Option<FingerPosition>,
    /// The template of the touch in its envelope, to know a copy of it by.
    pub touch: Option<Vec<u8>>,
}

/// Everything enrolled of one agent.
#[derive(Clone, PartialEq, Eq)]
pub struct Prints {
    /// Whose.
    pub agent: AgentId,
    /// Name and version of the engine that made the templates.
    pub engine: String,
    /// Each finger once.
    pub fingers: Vec<FingerPrints>,
}

/// A finger's impressions.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerPrints {
    /// Which.
    pub position: FingerPosition,
    /// In the order of capture.
    pub impressions: Vec<Impression>,
}

/// One impression.
#[derive(Clone, PartialEq, Eq)]
pub struct Impression {
    /// Its template in its envelope.
    pub template: Vec<u8>,
    /// Its image in its envelope.
    pub image: Vec<u8>,
}

impl Found {
    /// A right index finger with this score, by a matcher of this name.
    pub fn scored(score_milli: u32, engine: &str) -> Self {
        Self {
            score_milli,
            engine: engine.to_owned(),
            finger: Some(FingerPosition::RightIndex),
            touch: None,
        }
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Found({} by {})", self.score_milli, self.engine)
    }
}

impl fmt::Debug for Prints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Prints(of {}, {} fingers)",
            self.agent,
            self.fingers.len()
        )
    }
}
