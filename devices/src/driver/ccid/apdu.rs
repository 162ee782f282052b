//! APDUs, short and extended, and their T=0 mapping, ISO 7816-3 §12 and 7816-4
//! §5.1. Sans I/O.
//!
//! Refuses lengths that do not fit. Called by [`super::Reader`].

use zeroize::Zeroizing;

/// Longest short APDU: header, Lc, 255 bytes, Le.
pub const APDU_MAX: usize = 261;
/// Longest extended APDU: header, three bytes of Lc, 65,535 bytes, two of Le.
pub const EXTENDED_MAX: usize = 65_544;

/// SW1 SW2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sw(pub u16);

impl Sw {
    /// 9000.
    pub const OK: Self = Self(0x9000);

    /// The two bytes.
    pub fn bytes(self) -> (u8, u8) {
        let [sw1, sw2] = self.0.to_be_bytes();
        (sw1, sw2)
    }
}

impl std::fmt::Debug for Sw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

/// What a card answered. The data may hold a card number, so it is wiped and
/// never shown (I7).
pub struct Response {
    /// The data field.
    pub data: Zeroizing<Vec<u8>>,
    /// The status word.
    pub sw: Sw,
}

impl Response {
    /// Splits the status word off; `None` below two bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (data, sw) = bytes.split_last_chunk::<2>()?;
        let data = Zeroizing::new(data.to_vec());
        Some(Self {
            data,
            sw: Sw(u16::from_be_bytes(*sw)),
        })
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({:?})", self.sw)
    }
}

/// Whether bytes are a short APDU of case 1 to 4.
pub fn is_short(apdu: &[u8]) -> bool {
    match apdu {
        [_, _, _, _] | [_, _, _, _, _] => true,
        [_, _, _, _, lc, data @ ..] => {
            let lc = usize::from(*lc);
            lc != 0 && (data.len() == lc || data.len() == lc.saturating_add(1))
        }
        _ => false,
    }
}

/// Whether bytes are an extended APDU of case 2 to 4 (7816-4 §5.1): a zero, then
/// lengths of two bytes.
pub fn is_extended(apdu: &[u8]) -> bool {
    match apdu {
        [_, _, _, _, 0, _, _] => true,
        [_, _, _, _, 0, high, low, data @ ..] => {
            let lc = usize::from(u16::from_be_bytes([*high, *low]));
            lc != 0 && (data.len() == lc || data.len() == lc.saturating_add(2))
        }
        _ => false,
    }
}

/// The short form of an extended APDU whose lengths allow it.
pub fn shortened(apdu: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // Le of 256 is 0 in one byte; more does not fit one.
    let le = |high: u8, low: u8| match (high, low) {
        (0, low @ 1..) => Some(low),
        (1, 0) => Some(0),
        _ => None,
    };
    let mut short = Zeroizing::new(Vec::with_capacity(APDU_MAX));
    match apdu {
        [a, b, c, d, 0, high, low] => short.extend([*a, *b, *c, *d, le(*high, *low)?]),
        [a, b, c, d, 0, 0, lc, rest @ ..] if is_extended(apdu) => {
            let (data, end) = rest.split_at_checked(usize::from(*lc))?;
            short.extend([*a, *b, *c, *d, *lc]);
            short.extend_from_slice(data);
            if let [high, low] = end {
                short.push(le(*high, *low)?);
            }
        }
        _ => return None,
    }
    Some(short)
}

/// ENVELOPE.
const ENVELOPE: u8 = 0xC2;
/// Data of one ENVELOPE at most.
const ENVELOPE_MAX: usize = 255;

/// An extended APDU with too much data for a short one, in the ENVELOPE commands that
/// carry it (7816-3 §12.2.5, 7816-4 §7.6.2): the card knows its end by the lengths
/// inside. `None` for one that carries no data.
pub fn envelopes(apdu: &[u8]) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let [cla, _, _, _, 0, _, _, _, ..] = *apdu else {
        return None;
    };
    // Le alone in the last one would look like the end before it.
    let size = match apdu.len() % ENVELOPE_MAX {
        1 | 2 => ENVELOPE_MAX.saturating_sub(2),
        _ => ENVELOPE_MAX,
    };
    let wrapped = |part: &[u8]| {
        let lc = u8::try_from(part.len()).unwrap_or(u8::MAX);
        let mut command = Zeroizing::new(Vec::with_capacity(APDU_MAX));
        command.extend([cla & 0x03, ENVELOPE, 0, 0, lc]);
        command.extend_from_slice(part);
        command
    };
    is_extended(apdu).then(|| apdu.chunks(size).map(wrapped).collect())
}

/// The T=0 TPDU of a short APDU: P3 always, no Le behind data.
pub fn t0_tpdu(apdu: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut tpdu = apdu.to_vec();
    match apdu {
        [_, _, _, _] => tpdu.push(0),
        [_, _, _, _, lc, _, ..] => tpdu.truncate(usize::from(*lc).saturating_add(5)),
        _ => {}
    }
    Zeroizing::new(tpdu)
}

/// What to send next after a status word that is not the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowUp {
    /// 61xx: GET RESPONSE with this Le.
    GetResponse([u8; 5]),
    /// 6Cxx: the same command with this Le.
    Again(Zeroizing<Vec<u8>>),
}

/// The T=0 rule of ISO 7816-3 §12.2.1 for what was sent and what came.
pub fn follow_up(sent: &[u8], sw: Sw) -> Option<FollowUp> {
    let [cla, _, _, _, ..] = *sent else {
        return None;
    };
    match sw.bytes() {
        (0x61, left) => Some(FollowUp::GetResponse([cla & 0x03, 0xC0, 0, 0, left])),
        (0x6C, exact) => again(sent, exact).map(FollowUp::Again),
        _ => None,
    }
}

/// The command with another Le. Only a command that has an Le is sent again; one
/// that carried data alone must not turn into another command.
fn again(sent: &[u8], exact: u8) -> Option<Zeroizing<Vec<u8>>> {
    let has_le = match sent {
        [_, _, _, _, _] => true,
        [_, _, _, _, lc, data @ ..] => *lc != 0 && data.len() == usize::from(*lc).saturating_add(1),
        _ => false,
    };
    let mut next = Zeroizing::new(sent.to_vec());
    *next.last_mut().filter(|_| has_le)? = exact;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_cases_map_to_t0_as_the_standard_says() {
        assert_eq!(*t0_tpdu(&[0, 0xA4, 4, 0]), [0, 0xA4, 4, 0, 0]);
        assert_eq!(*t0_tpdu(&[0, 0xB2, 1, 12, 0]), [0, 0xB2, 1, 12, 0]);
        assert_eq!(*t0_tpdu(&[0, 0x20, 0, 0, 1, 9]), [0, 0x20, 0, 0, 1, 9]);
        assert_eq!(
            *t0_tpdu(&[0, 0x88, 0, 0, 2, 8, 9, 0]),
            [0, 0x88, 0, 0, 2, 8, 9]
        );
        assert!(is_short(&[0, 0x88, 0, 0, 2, 8, 9, 0]));
        assert!(!is_short(&[0, 0x88, 0, 0, 2, 8]));
        assert!(!is_short(&[0, 0x88, 0, 0, 0, 0, 1, 5]));
    }

    /// Lines of a public PBOC trace: 6128 then 00C0000028, 6C2A then 00B2010C2A.
    #[test]
    fn more_data_and_wrong_length_are_followed_up() {
        let select = [0, 0xA4, 4, 0, 1, 0x31];
        let more = FollowUp::GetResponse([0, 0xC0, 0, 0, 0x28]);
        assert_eq!(follow_up(&select, Sw(0x6128)), Some(more));
        let again = FollowUp::Again(Zeroizing::new(vec![0, 0xB2, 1, 0x0C, 0x2A]));
        assert_eq!(follow_up(&[0, 0xB2, 1, 0x0C, 0], Sw(0x6C2A)), Some(again));
        assert_eq!(follow_up(&select, Sw::OK), None);
        // A proprietary class (80h) keeps channel 0 for GET RESPONSE.
        let gpo = [0x80, 0xA8, 0, 0, 2, 0x83, 0];
        let more = FollowUp::GetResponse([0, 0xC0, 0, 0, 0x20]);
        assert_eq!(follow_up(&gpo, Sw(0x6120)), Some(more));
        // With data and Le, the data stays; with data alone there is no Le to mend.
        let both = [0, 0x88, 0, 0, 2, 8, 9, 0];
        let mended = FollowUp::Again(Zeroizing::new(vec![0, 0x88, 0, 0, 2, 8, 9, 0x40]));
        assert_eq!(follow_up(&both, Sw(0x6C40)), Some(mended));
        assert_eq!(follow_up(&both[..7], Sw(0x6C40)), None);
    }

    #[test]
    fn extended_forms_are_told_apart_and_shortened_where_they_fit() {
        // Case 2: Le 256 and 65536.
        assert!(is_extended(&[0, 0xB0, 0, 0, 0, 1, 0]));
        assert_eq!(
            *shortened(&[0, 0xB0, 0, 0, 0, 1, 0]).unwrap(),
            [0, 0xB0, 0, 0, 0]
        );
        assert_eq!(shortened(&[0, 0xB0, 0, 0, 0, 0, 0]), None);
        // Cases 3 and 4 with two bytes of data.
        let three = [0, 0xD6, 0, 0, 0, 0, 2, 8, 9];
        assert!(is_extended(&three) && !is_short(&three));
        assert_eq!(*shortened(&three).unwrap(), [0, 0xD6, 0, 0, 2, 8, 9]);
        let four = [0, 0x88, 0, 0, 0, 0, 2, 8, 9, 0, 0x80];
        assert!(is_extended(&four));
        assert_eq!(*shortened(&four).unwrap(), [0, 0x88, 0, 0, 2, 8, 9, 0x80]);
        assert!(!is_extended(&four[..10]) && shortened(&four[..10]).is_none());
        let long = [&[0, 0xD6, 0, 0, 0, 1, 0][..], &[7; 256]].concat();
        assert!(is_extended(&long) && shortened(&long).is_none());
    }

    #[test]
    fn a_command_with_too_much_data_goes_in_envelopes_and_none_holds_le_alone() {
        for (count, le, lengths) in [
            (600_u16, &[][..], &[255_usize, 255, 97][..]),
            (600, &[1, 0], &[255, 255, 99]),
            // 255 + 253 + Le would end with the second.
            (503, &[1, 0], &[253, 253, 6]),
            (504, &[1, 0], &[255, 255, 3]),
        ] {
            let [high, low] = count.to_be_bytes();
            let data = vec![7; usize::from(count)];
            let apdu = [&[1, 0xD6, 0, 0, 0, high, low], &data[..], le].concat();
            let parts = envelopes(&apdu).unwrap();
            let told: Vec<usize> = parts.iter().map(|p| p.len() - 5).collect();
            assert_eq!(told, lengths);
            assert!(
                parts
                    .iter()
                    .all(|p| is_short(p) && p[..4] == [1, 0xC2, 0, 0])
            );
            let carried: Vec<u8> = parts.iter().flat_map(|p| p[5..].to_vec()).collect();
            assert_eq!(carried, apdu);
        }
        assert_eq!(envelopes(&[0, 0xB0, 0, 0, 0, 3, 0xE8]), None);
        assert_eq!(envelopes(&[0, 0xD6, 0, 0, 0, 1, 0, 7]), None);
    }

    #[test]
    fn a_response_shows_its_status_and_never_its_data() {
        let response = Response::parse(&[0x62, 0x17, 0x90, 0x00]).unwrap();
        assert_eq!(format!("{response:?}"), "Response(9000)");
        assert!(Response::parse(&[0x90]).is_none());
    }
}
