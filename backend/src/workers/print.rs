//! Fingerprints: the live print against the agent's enrolled templates (S13, S14).
//!
//! Everything here runs inside a matcher job: the sealed image is opened, matched
//! and wiped; templates leave their envelopes only for the comparison (I7).

use counterfoil_data::ids::AgentId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::wire::sale::LivePrint;
use counterfoil_finger::{Image, Template, extract, verify};

use super::Bench;
use crate::keys::envelope;

/// Name and version of the matcher, kept with every score.
pub const ENGINE: &str = concat!("counterfoil-finger ", env!("CARGO_PKG_VERSION"));
/// Thousandths in one unit of -log10(FMR).
const MILLI: f32 = 1_000.0;

/// Score of the comparison in thousandths of -log10(FMR). Zero when there is
/// nothing to compare: a seal that does not open, no usable print, no template.
pub fn score_milli(
    bench: &Bench,
    live: &Sealed<LivePrint>,
    binding: Binding,
    agent: &AgentId,
    templates: &[Vec<u8>],
) -> u32 {
    let enrolled = enrolled(bench, agent, templates);
    probe(bench, live, binding).map_or(0, |probe| milli(verify(&probe, &enrolled).value()))
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

/// Templates that open; one that does not is reported and left out.
fn enrolled(bench: &Bench, agent: &AgentId, templates: &[Vec<u8>]) -> Vec<Template> {
    let name = envelope::template_name(agent);
    let open = |sealed: &Vec<u8>| {
        let plain = envelope::unwrap(&bench.keys, &name, sealed);
        let template = plain
            .ok()
            .and_then(|p| Template::from_bytes(p.expose()).ok());
        if template.is_none() {
            tracing::error!("an enrolled template does not open: enrol the agent again");
        }
        template
    };
    templates.iter().filter_map(open).collect()
}

fn milli(score: f32) -> u32 {
    let thousandths = (score.max(0.0) * MILLI).floor();
    // Scores end far below u32; the cast saturates and NaN becomes 0.
    thousandths as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keys;
    use crate::workers::pin::Argon2Params;
    use counterfoil_data::ids::SaleId;
    use counterfoil_data::sealed::Challenge;
    use counterfoil_data::seam::Entropy;
    use counterfoil_data::secret::Secret;
    use counterfoil_finger::synth::{Contact, Finger};
    use std::sync::Arc;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (n, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(n % 256).expect("below 256");
            }
        }
    }

    #[test]
    fn the_same_finger_reaches_the_threshold_and_a_stranger_does_not() {
        let bench = Bench::new(Arc::new(Keys::demo()), Argon2Params::testbed());
        let agent: AgentId = "agent-1".parse().expect("an id");
        let name = envelope::template_name(&agent);
        let binding = Binding {
            sale: SaleId(1),
            challenge: Challenge([1; 16]),
        };
        let finger = Finger::from_seed(7);
        let mut templates = Vec::new();
        for n in 0..3 {
            let image = finger.impression(&Contact::natural(n));
            let plain = extract(&image).expect("a template").to_bytes();
            templates.push(envelope::wrap(&bench.keys, &name, &plain, &Counting).expect("wraps"));
        }
        let live = |finger: &Finger| {
            let image = finger.impression(&Contact::natural(99));
            let print = LivePrint {
                width: image.width(),
                height: image.height(),
                dpi: image.dpi(),
                pixels: Secret::new(image.pixels().to_vec()),
            };
            Sealed::seal(&print, &bench.keys.seal, binding, &Counting).expect("seals")
        };
        let own = score_milli(&bench, &live(&finger), binding, &agent, &templates);
        assert!(own >= 4_000, "{own}");
        let strange = live(&Finger::from_seed(8));
        assert!(score_milli(&bench, &strange, binding, &agent, &templates) < 4_000);
        let other: AgentId = "agent-2".parse().expect("an id");
        let moved = score_milli(&bench, &live(&finger), binding, &other, &templates);
        assert_eq!(moved, 0, "templates belong to one agent");
        let stale = Binding {
            challenge: Challenge([2; 16]),
            ..binding
        };
        assert_eq!(
            score_milli(&bench, &live(&finger), stale, &agent, &templates),
            0
        );
    }
}
