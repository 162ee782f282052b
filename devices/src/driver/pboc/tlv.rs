//! BER-TLV as payment cards use it, EMV Book 3 Annex B. Sans I/O.
//!
//! Reads one level at a time, so the depth is what the caller walks and never
//! what the card says. Refuses indefinite and over-long lengths, values past the
//! end, repeated data objects and more than [`OBJECTS_MAX`] of them. Called by
//! the card read and its field parsers.

/// Data objects on one level.
pub const OBJECTS_MAX: usize = 64;
/// Longest value: a card's answer is at most 256 bytes, a few chained.
pub const VALUE_MAX: usize = 4096;
/// Tag bytes.
const TAG_MAX: usize = 3;

/// Why bytes are not what a card may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlvError {
    /// A tag without its end, or longer than three bytes.
    #[error("a tag is malformed")]
    Tag,
    /// An indefinite or over-long length.
    #[error("the length of tag {0:x} is malformed")]
    Length(u32),
    /// A value runs past the end.
    #[error("tag {0:x} is cut short")]
    Short(u32),
    /// A data object came twice.
    #[error("tag {0:x} came twice")]
    Twice(u32),
    /// Bytes behind the template.
    #[error("bytes follow the template {0:x}")]
    Trailing(u32),
    /// Another template, or none.
    #[error("template {0:x} was expected")]
    Template(u32),
    /// Too many data objects.
    #[error("more than {OBJECTS_MAX} data objects")]
    Many,
}

/// One data object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag, its bytes as one number (`0x9F38`).
    pub tag: u32,
    /// The value.
    pub value: &'a [u8],
}

fn shift_in(number: u32, byte: u8) -> u32 {
    (number << 8) | u32::from(byte)
}

/// Takes a tag off the front.
pub fn take_tag(bytes: &[u8]) -> Result<(u32, &[u8]), TlvError> {
    let (first, mut rest) = bytes.split_first().ok_or(TlvError::Tag)?;
    let mut tag = u32::from(*first);
    if first & 0x1F != 0x1F {
        return Ok((tag, rest));
    }
    for _ in 1..TAG_MAX {
        let (next, after) = rest.split_first().ok_or(TlvError::Tag)?;
        (tag, rest) = (shift_in(tag, *next), after);
        if next & 0x80 == 0 {
            return Ok((tag, rest));
        }
    }
    Err(TlvError::Tag)
}

/// Takes one data object off the front.
pub fn take(bytes: &[u8]) -> Result<(Tlv<'_>, &[u8]), TlvError> {
    let (tag, rest) = take_tag(bytes)?;
    let (length, rest) = match rest {
        [short @ 0..=0x7F, rest @ ..] => (usize::from(*short), rest),
        [0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x82, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return Err(TlvError::Length(tag)),
    };
    if length > VALUE_MAX {
        return Err(TlvError::Length(tag));
    }
    let (value, rest) = rest.split_at_checked(length).ok_or(TlvError::Short(tag))?;
    Ok((Tlv { tag, value }, rest))
}

/// The data objects of one level, in order. Zero bytes between them mean nothing
/// (Annex B1); a primitive object that comes twice is refused, templates may repeat.
pub fn level(mut bytes: &[u8]) -> Result<Vec<Tlv<'_>>, TlvError> {
    let mut objects: Vec<Tlv<'_>> = Vec::new();
    while let Some(first) = bytes.first() {
        if *first == 0 {
            bytes = bytes.get(1..).unwrap_or_default();
            continue;
        }
        if objects.len() == OBJECTS_MAX {
            return Err(TlvError::Many);
        }
        let (object, rest) = take(bytes)?;
        let template = first & 0x20 != 0;
        if !template && find(&objects, object.tag).is_some() {
            return Err(TlvError::Twice(object.tag));
        }
        objects.push(object);
        bytes = rest;
    }
    Ok(objects)
}

/// The value of a template that must be all there is.
pub fn only(bytes: &[u8], template: u32) -> Result<&[u8], TlvError> {
    match take(bytes) {
        Ok((object, rest)) if object.tag == template => match rest.is_empty() {
            true => Ok(object.value),
            false => Err(TlvError::Trailing(template)),
        },
        Ok(_) => Err(TlvError::Template(template)),
        Err(error) => Err(error),
    }
}

/// The value of a tag on a level.
pub fn find<'a>(objects: &[Tlv<'a>], tag: u32) -> Option<&'a [u8]> {
    objects.iter().find(|o| o.tag == tag).map(|o| o.value)
}

/// One entry of a data object list (PDOL, DDOL): tag and wanted length.
pub fn object_list(mut bytes: &[u8]) -> Result<Vec<(u32, u8)>, TlvError> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        if entries.len() == OBJECTS_MAX {
            return Err(TlvError::Many);
        }
        let (tag, rest) = take_tag(bytes)?;
        let (length, rest) = rest.split_first().ok_or(TlvError::Short(tag))?;
        entries.push((tag, *length));
        bytes = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use counterfoil_data::wire::unhex;

    /// The directory record of a public PBOC trace.
    #[test]
    fn a_directory_record_gives_its_application() {
        let record = "702861264f08a000000333010101500a50424f43204445424954\
                      9f120a50424f43204445424954870101";
        let record = unhex(record).unwrap();
        let body = only(&record, 0x70).unwrap();
        let entry = only(body, 0x61).unwrap();
        let fields = level(entry).unwrap();
        assert_eq!(find(&fields, 0x4F).unwrap(), [0xA0, 0, 0, 3, 0x33, 1, 1, 1]);
        assert_eq!(find(&fields, 0x9F12).unwrap(), b"PBOC DEBIT");
        assert_eq!(find(&fields, 0x87).unwrap(), [1]);
    }

    #[test]
    fn bytes_behind_the_template_and_a_second_8f_are_refused() {
        let record = unhex("70138f019492009f3201039f4701039f49039f3704").unwrap();
        let body = only(&record, 0x70).unwrap();
        assert_eq!(
            find(&level(body).unwrap(), 0x9F49).unwrap(),
            [0x9F, 0x37, 4]
        );
        let mut trailing = record.clone();
        trailing.extend([0xFF, 0xFF]);
        assert_eq!(only(&trailing, 0x70), Err(TlvError::Trailing(0x70)));
        let twice = unhex("8f01948f0195").unwrap();
        assert!(matches!(level(&twice), Err(TlvError::Twice(0x8F))));
        assert_eq!(only(&record, 0x77), Err(TlvError::Template(0x77)));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        assert!(matches!(level(&[0x5A, 0x80]), Err(TlvError::Length(0x5A))));
        assert!(matches!(
            level(&[0x5A, 0x83, 0, 0, 1, 9]),
            Err(TlvError::Length(0x5A))
        ));
        assert!(matches!(level(&[0x5A, 2, 1]), Err(TlvError::Short(0x5A))));
        assert!(matches!(level(&[0x9F]), Err(TlvError::Tag)));
        assert!(matches!(
            level(&[0x9F, 0x81, 0x82, 3, 0]),
            Err(TlvError::Tag)
        ));
        assert_eq!(
            object_list(&[0x9F, 0x37, 4, 0x95, 5]),
            Ok(vec![(0x9F37, 4), (0x95, 5)])
        );
    }

    impl std::fmt::Debug for Tlv<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:x}[{}]", self.tag, self.value.len())
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(0_u8.., 0..300)) {
            let all = level(&bytes).map(|l| l.iter().map(|o| o.value.len()).sum::<usize>());
            proptest::prop_assert!(all.unwrap_or(0) <= bytes.len());
            let _ = object_list(&bytes);
        }
    }
}
