//! The IEEE 1284 device id a printer gives over GET_DEVICE_ID.
//!
//! Robust as PAPPL's: either byte order of the length, blank and cut-off strings; what
//! it does not say is taken from the USB descriptors.

use crate::transport::DeviceInfo;

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

    /// With what the descriptors say where it says nothing.
    #[must_use]
    pub fn or_described(mut self, info: &DeviceInfo) -> Self {
        for (said, described) in [
            (&mut self.maker, &info.manufacturer),
            (&mut self.model, &info.name),
            (&mut self.serial, &info.serial),
        ] {
            if said.is_empty() {
                described.trim().clone_into(said);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::DeviceId;
    use crate::twin::printer_class::Identity;

    #[test]
    fn what_the_device_id_does_not_say_the_descriptors_do() {
        let info = Identity {
            path: "x",
            ids: (0x0FE6, 0x811E),
            maker: "SAMPLE",
            model: "80 mm",
            serial: "0007",
            command_set: "ESC/POS",
        }
        .info();
        let blank = DeviceId::parse(&[0, 2]).or_described(&info);
        let told = |id: &DeviceId| [&id.maker, &id.model, &id.serial].map(String::clone);
        assert_eq!(told(&blank), ["SAMPLE", "80 mm", "0007"]);
        let half = DeviceId::parse(b"\x00\x14MFG:TEST;MDL:X-1;").or_described(&info);
        assert_eq!(told(&half), ["TEST", "X-1", "0007"]);
    }

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
