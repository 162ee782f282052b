//! The number of a sheet as a magnetic reader reads it (FS a 0): two readings that
//! agree, since a misread digit is otherwise undetectable: the number has no check
//! digit. Called by the drivers of printers that have such a reader.

use std::time::Duration;

use counterfoil_data::bill::BillNumber;

use super::outcome::ReadError;
use crate::driver::escpos::command;
use crate::driver::escpos::link::Link;
use crate::driver::escpos::reply::Reply;
use crate::transport::Transport;

/// Readings of one sheet at most; two good ones must agree.
pub const READS_MAX: usize = 3;
/// Detail byte 40: the reading itself was normal.
pub(in crate::driver) const DETAIL_NORMAL: u8 = 0x40;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Reading {
    Number(BillNumber),
    /// With the detail byte.
    Bad(u8),
}

/// `5F status [detail 1F] digits 00` (TM-H5000II specification, FS a 0): bit 3
/// says a detail follows, bit 5 that the reading is abnormal.
pub(in crate::driver) fn reading(reply: &Reply) -> Option<Reading> {
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

/// Whether the sheet that was read can be read once more: bit 4 says that it cannot.
fn may_repeat(reply: &Reply) -> bool {
    !matches!(reply, Reply::Data(body) if body.first().is_some_and(|status| status & 0x10 != 0))
}

/// Reads the sheet under the reader until two readings agree; `asked` says that the
/// first was asked for before.
pub(in crate::driver) async fn agreed_number<T: Transport>(
    link: &mut Link<T>,
    mut asked: bool,
    until: Duration,
) -> Result<BillNumber, ReadError> {
    let mut good: Vec<BillNumber> = Vec::new();
    let mut detail = DETAIL_NORMAL;
    for _ in 0..READS_MAX {
        if !std::mem::take(&mut asked) {
            link.unhear(|reply| matches!(reply, Reply::Data(_)));
            let sent = link.send(&command::READ_NUMBER, until).await;
            sent.map_err(|e| ReadError::of(&e))?;
        }
        let pick = |reply: &Reply| reading(reply).map(|read| (read, may_repeat(reply)));
        let (read, again) = link
            .answer(until, pick)
            .await
            .map_err(|e| ReadError::of(&e))?;
        match read {
            Reading::Number(number) if good.contains(&number) => return Ok(number),
            Reading::Number(number) => good.push(number),
            Reading::Bad(why) => detail = why,
        }
        if !again {
            break;
        }
    }
    Err(ReadError::Unreadable { detail })
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

    #[test]
    fn a_reading_that_is_the_last_one_says_so() {
        assert!(!may_repeat(&Reply::Data(vec![0x70])));
        assert!(may_repeat(&Reply::Data(vec![0x60])));
        assert!(may_repeat(&Reply::Data(b"@123".to_vec())));
    }

    proptest! {
        #[test]
        fn any_block_is_answered(body in prop::collection::vec(1_u8.., 0..60)) {
            let _ = reading(&Reply::Data(body));
        }
    }
}
