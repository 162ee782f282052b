//! Protocol and parameters selection, ISO 7816-3 §9. Sans I/O.
//!
//! Refuses an answer that does not belong to its request. Called by
//! [`super::Reader::power_on`] where the reader does not do it itself.

use super::atr::{Atr, DEFAULT_FIDI, Protocol, bit_rate};

/// PPSS.
const START: u8 = 0xFF;
/// PPS0: PPS1 follows.
const HAS_PPS1: u8 = 0x10;

/// Why an answer is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPps {
    /// Not FF, PPS0, the announced bytes and the check byte.
    #[error("its form or its check byte is wrong")]
    Form,
    /// Another protocol or another rate than asked for.
    #[error("it names another protocol or rate than asked for")]
    Other,
}

/// What to ask a card for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pps {
    /// The protocol from now on.
    pub protocol: Protocol,
    /// The rate from now on (TA1).
    pub fidi: u8,
}

impl Pps {
    /// What is worth asking: the protocol where it is not the first offered, the
    /// card's rate where the reader keeps up. `None` = all is well as it is.
    pub fn worth(atr: &Atr, protocol: Protocol, clock_khz: u32, bps_max: u32) -> Option<Self> {
        if atr.specific {
            return None;
        }
        let keeps_up = bit_rate(atr.fidi, clock_khz).is_some_and(|bps| bps <= bps_max);
        let fidi = if keeps_up { atr.fidi } else { DEFAULT_FIDI };
        let wanted = protocol != atr.protocol || fidi != DEFAULT_FIDI;
        wanted.then_some(Self { protocol, fidi })
    }

    /// PPSS, PPS0, PPS1 where the rate is not the default, PCK.
    pub fn request(self) -> Vec<u8> {
        let number = self.protocol.number() & 15;
        let mut bytes = match self.fidi {
            DEFAULT_FIDI => vec![START, number],
            fidi => vec![START, HAS_PPS1 | number, fidi],
        };
        bytes.push(bytes.iter().fold(0, |sum, b| sum ^ b));
        bytes
    }

    /// The rate that holds after this answer: a card may keep to the default by
    /// leaving PPS1 out (§9.3).
    pub fn accepted(self, answer: &[u8]) -> Result<u8, NotAPps> {
        if answer.iter().fold(0, |sum, b| sum ^ b) != 0 {
            return Err(NotAPps::Form);
        }
        let number = self.protocol.number() & 15;
        match *answer {
            [START, pps0, _] if pps0 == number => Ok(DEFAULT_FIDI),
            [START, pps0, pps1, _] if pps0 == HAS_PPS1 | number => match pps1 == self.fidi {
                true => Ok(self.fidi),
                false => Err(NotAPps::Other),
            },
            [START, _, _] | [START, _, _, _] => Err(NotAPps::Other),
            _ => Err(NotAPps::Form),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    /// Of another tool's simulator: T=1 without a rate, FF 01 FE; of ISO 7816-3: T=0
    /// with Fi 512, Di 32.
    #[test]
    fn requests_and_answers_are_those_of_the_standard() {
        let plain = Pps {
            protocol: Protocol::T1,
            fidi: 0x11,
        };
        assert_eq!(plain.request(), [0xFF, 0x01, 0xFE]);
        assert_eq!(plain.accepted(&[0xFF, 0x01, 0xFE]), Ok(0x11));
        let fast = Pps {
            protocol: Protocol::T0,
            fidi: 0x96,
        };
        assert_eq!(fast.request(), [0xFF, 0x10, 0x96, 0x79]);
        assert_eq!(fast.accepted(&[0xFF, 0x10, 0x96, 0x79]), Ok(0x96));
        assert_eq!(fast.accepted(&[0xFF, 0x00, 0xFF]), Ok(0x11));
        assert_eq!(
            fast.accepted(&[0xFF, 0x10, 0x95, 0x7A]),
            Err(NotAPps::Other)
        );
        assert_eq!(
            fast.accepted(&[0xFF, 0x11, 0x96, 0x78]),
            Err(NotAPps::Other)
        );
        assert_eq!(fast.accepted(&[0xFF, 0x10, 0x96, 0x78]), Err(NotAPps::Form));
        assert_eq!(fast.accepted(&[]), Err(NotAPps::Form));
    }

    #[test]
    fn it_is_asked_only_where_it_gains_something() {
        let java = unhex("3bf81300008131fe454a434f5076323431b7").unwrap();
        let java = Atr::parse(&java).unwrap();
        let worth = |max| Pps::worth(&java, Protocol::T1, 4000, max);
        assert_eq!(worth(344_086).unwrap().fidi, 0x13);
        assert_eq!(worth(10_752), None);
        let other = Pps::worth(&java, Protocol::T0, 4000, 10_752).unwrap();
        assert_eq!((other.protocol, other.fidi), (Protocol::T0, 0x11));
    }
}
