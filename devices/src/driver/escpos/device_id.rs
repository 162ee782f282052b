//! The IEEE 1284 device id a printer gives over GET_DEVICE_ID.
//!
//! Robust as PAPPL's: either byte order of the length, blank and cut-off strings.

/// IEEE 1284 device id, the keys we use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceId {
    /// MFG or MANUFACTURER.
    pub maker: String,
    /// MDL or MODEL.
    pub model: String,
    /// CMD or COMMAND SET: the languages it speaks.
    pub commands: String,
    /// SN, SERN or SERIALNUMBER.
    pub serial: String,
}

impl DeviceId {
    /// Parses `KEY:value;…` behind a two-byte length, big-endian by the standard
    /// and little-endian on some clones. Total: rubbish gives empty fields.
    pub fn parse(bytes: &[u8]) -> Self {
        let Some((length, _)) = bytes.split_first_chunk::<2>() else {
            return Self::default();
        };
        let lawful = |n: u16| n >= 14 && usize::from(n) <= bytes.len();
        let (big, little) = (u16::from_be_bytes(*length), u16::from_le_bytes(*length));
        let end = match (lawful(big), lawful(little)) {
            (true, _) => usize::from(big),
            (false, true) => usize::from(little),
            (false, false) => bytes.len(),
        };
        let text = String::from_utf8_lossy(bytes.get(2..end).unwrap_or_default());
        let mut id = Self::default();
        for pair in text.split(';') {
            let Some((key, value)) = pair.split_once(':') else {
                continue;
            };
            let value = value.trim().to_owned();
            match key.trim().to_ascii_uppercase().as_str() {
                "MFG" | "MANUFACTURER" => id.maker = value,
                "MDL" | "MODEL" => id.model = value,
                "CMD" | "COMMAND SET" => id.commands = value,
                "SN" | "SERN" | "SERIALNUMBER" => id.serial = value,
                _ => {}
            }
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceId;

    #[test]
    fn device_ids_big_little_blank_and_truncated_are_read() {
        let text = b"MFG:TEST;CMD:ESC/POS;MDL:FAKE-80;CLS:PRINTER;";
        for length in [[0x00, 0x2F], [0x2F, 0x00], [0xFF, 0xFF]] {
            let bytes = [&length[..], text].concat();
            let id = DeviceId::parse(&bytes);
            assert_eq!((id.maker.as_str(), id.model.as_str()), ("TEST", "FAKE-80"));
        }
        let cut = DeviceId::parse(&[&[0x00, 0x2F], &text[..31]].concat());
        assert_eq!((cut.maker.as_str(), cut.model.as_str()), ("TEST", "FAKE-8"));
        assert_eq!(DeviceId::parse(&[0, 2]), DeviceId::default());
        assert_eq!(DeviceId::parse(&[]), DeviceId::default());
        let lower = DeviceId::parse(b"\x00\x20manufacturer:A:B;sern:0001;mdl:X");
        assert_eq!(
            (lower.maker.as_str(), lower.serial.as_str()),
            ("A:B", "0001")
        );
    }
}
