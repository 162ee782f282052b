//! Fingerprints: the live print against the agent's enrolled templates (S13, S14).
//!
//! Until the engine is here every comparison scores zero, which never verifies.

use counterfoil_data::ids::AgentId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::wire::sale::LivePrint;

use super::Bench;

/// Name and version of the matcher, kept with every score.
pub const ENGINE: &str = "none";

/// Score of the comparison in thousandths of -log10(FMR).
pub fn score_milli(
    _bench: &Bench,
    _live: &Sealed<LivePrint>,
    _binding: Binding,
    _agent: &AgentId,
    _templates: &[Vec<u8>],
) -> u32 {
    0
}
