//! The form printer's own answers, decoded: feeder, mechanism.

use super::outcome::{FeedError, Level, SlotStatus};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::reply::Reply;

/// `37 54 r 00`.
pub(super) fn feeder(reply: &Reply) -> Option<u8> {
    match reply {
        Reply::Tagged(0x54, body) => body.first().copied(),
        _ => None,
    }
}

/// What a feeder result means; anything unheard of may have moved paper.
pub(super) fn fed(result: u8) -> Result<(), FeedError> {
    let nothing = |fault| Err(FeedError::NothingFed { fault });
    match result {
        0x40 => Ok(()),
        0x41 => nothing(PrintFault::PaperOut),
        0x44 => nothing(PrintFault::MediaRetained),
        0x45 => nothing(PrintFault::SourceInvalid),
        0x46 => nothing(PrintFault::InkOut),
        0x43 => Err(FeedError::MayHaveMoved {
            fault: PrintFault::MediaJammed,
        }),
        _ => Err(FeedError::MayHaveMoved {
            fault: PrintFault::HardwareError,
        }),
    }
}

/// FS ( S fn 49.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mechanism {
    pub retracted_bundles: u32,
    pub slots: Vec<SlotStatus>,
}

/// `37 53` ribbon, four digits, then (slot digit, level) pairs, `00`.
pub(super) fn mechanism(reply: &Reply) -> Option<Mechanism> {
    let Reply::Tagged(0x53, body) = reply else {
        return None;
    };
    let ([_ribbon, count @ ..], pairs) = body.split_first_chunk::<5>()?;
    let retracted_bundles = std::str::from_utf8(count).ok()?.parse().ok()?;
    let (pairs, _) = pairs.as_chunks::<2>();
    let slots = pairs.iter().filter_map(|[digit, level]| {
        let level = match level {
            0x40 => Level::Full,
            0x41 => Level::Low,
            0x42 => Level::Out,
            _ => return None,
        };
        let digit = char::from(*digit).to_digit(10)?;
        let slot = format!("slot-{digit}").parse().ok()?;
        Some(SlotStatus { slot, level })
    });
    Some(Mechanism {
        retracted_bundles,
        slots: slots.collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_block_is_answered(id in any::<u8>(), body in prop::collection::vec(1_u8.., 0..60)) {
            let _ = mechanism(&Reply::Tagged(id, body.clone()));
            let _ = feeder(&Reply::Tagged(id, body));
        }
    }
}
