//! The form printer's own answers, decoded: readings, feeder, mechanism.

use counterfoil_data::bill::BillNumber;

use super::outcome::{FeedError, Level, SlotStatus};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::reply::Reply;

/// Detail byte 40: the reading itself was normal.
pub(super) const DETAIL_NORMAL: u8 = 0x40;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Number(BillNumber),
    /// With the detail byte.
    Bad(u8),
}

/// `5F status [detail 1F] digits 00` (TM-H5000II specification, FS a 0): bit 3
/// says a detail follows, bit 5 that the reading is abnormal.
pub(super) fn reading(reply: &Reply) -> Option<Reading> {
    let Reply::Data(body) = reply else {
        return None;
    };
    let (status, rest) = body.split_first()?;
    if status & 0xC0 != 0x40 {
        return None;
    }
    let (detail, digits) = match rest {
        [detail, 0x1F, digits @ ..] if status & 0x08 != 0 => (*detail, digits),
        digits => (DETAIL_NORMAL, digits),
    };
    if status & 0x20 != 0 {
        return Some(Reading::Bad(detail));
    }
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|t| t.parse().ok());
    // 46: unknown character, the manual's word for digits that are no number.
    Some(number.map_or(Reading::Bad(0x46), Reading::Number))
}

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

    #[test]
    fn readings_of_the_manual_are_understood() {
        let number = "1020112112345678";
        let good = [&[0x40], number.as_bytes()].concat();
        let parsed: BillNumber = number.parse().expect("a number");
        assert_eq!(reading(&Reply::Data(good)), Some(Reading::Number(parsed)));
        let detailed = [&[0x48, 0x40, 0x1F], number.as_bytes()].concat();
        assert_eq!(
            reading(&Reply::Data(detailed)),
            Some(Reading::Number(parsed))
        );
        assert_eq!(reading(&Reply::Data(vec![0x70])), Some(Reading::Bad(0x40)));
        let abnormal = vec![0x78, 0x46, 0x1F, 0x3F, 0x31];
        assert_eq!(reading(&Reply::Data(abnormal)), Some(Reading::Bad(0x46)));
    }

    #[test]
    fn fifteen_digits_are_no_number() {
        let short = [&[0x40_u8], b"102011211234567".as_slice()].concat();
        assert_eq!(reading(&Reply::Data(short)), Some(Reading::Bad(0x46)));
    }

    proptest! {
        #[test]
        fn any_block_is_answered(id in any::<u8>(), body in prop::collection::vec(1_u8.., 0..60)) {
            let _ = reading(&Reply::Data(body.clone()));
            let _ = mechanism(&Reply::Tagged(id, body.clone()));
            let _ = feeder(&Reply::Tagged(id, body));
        }
    }
}
