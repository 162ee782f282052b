//! The answer to reset, ISO 7816-3 §8: which protocol the card speaks.
//!
//! Refuses what is too short, runs past its end, or has a wrong check byte.
//! Called by [`super::Reader::power_on`].

/// Longest answer to reset (ISO 7816-3 §8.2).
pub const ATR_MAX: usize = 33;

/// Transmission protocol of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Character oriented, half duplex.
    T0,
    /// Block oriented, half duplex.
    T1,
    /// Anything else; not spoken here.
    Other(u8),
}

/// Why bytes are not an answer to reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAtr {
    /// First byte is neither 3Bh nor 3Fh.
    #[error("initial character {0:02x}")]
    Initial(u8),
    /// Ends inside its interface or historical bytes, or is too long.
    #[error("its length does not fit")]
    Length,
    /// TCK does not check.
    #[error("its check byte is wrong")]
    Check,
}

/// A parsed answer to reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atr {
    /// As it came.
    pub bytes: Vec<u8>,
    /// The first protocol offered, or the one TA2 fixes.
    pub protocol: Protocol,
    /// 5 bytes of T=0 parameters for SetParameters: FiDi, TCCKS, guard time,
    /// waiting integer, clock stop. FiDi stays at the default without a PPS.
    pub t0_parameters: [u8; 5],
    /// Historical bytes.
    pub historical: Vec<u8>,
}

fn protocol(code: u8) -> Protocol {
    match code & 0x0F {
        0 => Protocol::T0,
        1 => Protocol::T1,
        other => Protocol::Other(other),
    }
}

/// Default clock and baud rate: Fi 372, Di 1.
const DEFAULT_FIDI: u8 = 0x11;
/// Default waiting integer of T=0.
const DEFAULT_WAITING: u8 = 10;

impl Atr {
    /// Parses one answer to reset; total.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAnAtr> {
        if bytes.len() > ATR_MAX {
            return Err(NotAnAtr::Length);
        }
        let mut rest = bytes.iter().copied();
        let mut next = || rest.next().ok_or(NotAnAtr::Length);
        let initial = next()?;
        let inverse = match initial {
            0x3B => 0,
            0x3F => 2,
            other => return Err(NotAnAtr::Initial(other)),
        };
        let format = next()?;
        let mut presence = format >> 4;
        let mut first = None;
        let mut fixed = None;
        let mut check = false;
        let (mut fidi, mut guard, mut waiting) = (DEFAULT_FIDI, 0, DEFAULT_WAITING);
        let mut offered_fidi = DEFAULT_FIDI;
        // At most 32 bytes follow, so at most so many groups.
        for group in 1..=ATR_MAX {
            let mut byte = |bit: u8| (presence & bit != 0).then(&mut next).transpose();
            let ta = byte(1)?;
            let _tb = byte(2)?;
            let tc = byte(4)?;
            match (group, ta, tc) {
                (1, ta, tc) => {
                    offered_fidi = ta.unwrap_or(DEFAULT_FIDI);
                    guard = tc.unwrap_or(0);
                }
                (2, ta, tc) => {
                    fixed = ta;
                    waiting = tc.unwrap_or(DEFAULT_WAITING);
                }
                _ => {}
            }
            if presence & 8 == 0 {
                break;
            }
            let td = next()?;
            presence = td >> 4;
            first.get_or_insert(protocol(td));
            check |= td & 0x0F != 0;
        }
        let historical = (0..format & 0x0F)
            .map(|_| next())
            .collect::<Result<Vec<_>, _>>()?;
        if check {
            next()?;
            if bytes.iter().skip(1).fold(0, |sum, b| sum ^ b) != 0 {
                return Err(NotAnAtr::Check);
            }
        }
        if rest.next().is_some() {
            return Err(NotAnAtr::Length);
        }
        // TA2 = specific mode: that protocol, at TA1's rate unless bit 5 says otherwise.
        if fixed.is_some_and(|ta2| ta2 & 0x10 == 0) {
            fidi = offered_fidi;
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            protocol: fixed.map(protocol).or(first).unwrap_or(Protocol::T0),
            t0_parameters: [fidi, inverse, guard, waiting, 0],
            historical,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    #[test]
    fn a_bank_card_without_protocol_bytes_speaks_t0() {
        let atr = Atr::parse(&unhex("3b6d000080650849048653000000000000").unwrap()).unwrap();
        assert_eq!(atr.protocol, Protocol::T0);
        assert_eq!(atr.historical.len(), 13);
        assert_eq!(atr.t0_parameters, [0x11, 0, 0, 10, 0]);
    }

    /// Answer of a public Java card family, T=1 only.
    #[test]
    fn the_first_protocol_offered_counts_and_the_check_byte_must_fit() {
        let t1 = unhex("3bf81300008131fe454a434f5076323431b7").unwrap();
        let t1 = Atr::parse(&t1).unwrap();
        assert_eq!(t1.protocol, Protocol::T1);
        let mut wrong = t1.bytes.clone();
        wrong[16] ^= 1;
        assert_eq!(Atr::parse(&wrong), Err(NotAnAtr::Check));
        assert_eq!(Atr::parse(&[0x3B, 0x6D, 0]), Err(NotAnAtr::Length));
        assert_eq!(Atr::parse(&[0x3C]), Err(NotAnAtr::Initial(0x3C)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_an_atr_or_refused(bytes in proptest::collection::vec(0_u8.., 0..40)) {
            if let Ok(atr) = Atr::parse(&bytes) {
                proptest::prop_assert_eq!(atr.bytes, bytes);
            }
        }
    }
}
