//! The module without our bridge: for serial bridges of others, which carry its bytes.
//!
//! Owns the module and the fingers at hand. Called by the lab, behind the FTDI bridge
//! that QEMU emulates, and by whoever puts it on a serial line.

use std::time::Duration;

use super::module::Module;
use crate::twin::DeskError;
use crate::twin::fingers::{FingerSpec, Fingers, VERBS};

/// A module as it comes from the factory, on a bare line.
pub struct LooseModule {
    fingers: Fingers,
    module: Module,
}

impl LooseModule {
    /// With these fingers at hand.
    pub fn new(fingers: Vec<FingerSpec>) -> Self {
        Self {
            fingers: Fingers::new(fingers),
            module: Module::default(),
        }
    }

    /// Bytes from the host; what comes back, and how long the module thinks before each.
    pub fn heard(&mut self, bytes: &[u8]) -> Vec<(Duration, Vec<u8>)> {
        let answers = self.module.take(bytes);
        self.module.sent();
        let told = answers
            .into_iter()
            .map(|answer| (answer.after, answer.bytes));
        told.collect()
    }

    /// `place FINGER [how] [seed N]` or `lift`.
    pub fn desk(&mut self, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["place", name, how @ ..] => {
                let image = self.fingers.place(name, how)?;
                self.module.place(image.pixels());
                Ok(format!("{name} lies on the sensor"))
            }
            ["lift"] => {
                let name = self.fingers.lift()?;
                self.module.lift();
                Ok(format!("{name} lifted"))
            }
            _ => Err(DeskError(VERBS.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_acknowledges_on_a_bare_line_and_its_image_is_what_lies_there() {
        let thumb = FingerSpec {
            name: "thumb".into(),
            seed: 7,
        };
        let mut module = LooseModule::new(vec![thumb]);
        // R30x manual: GenImg, and the acknowledgement "no finger".
        let look = b"\xEF\x01\xFF\xFF\xFF\xFF\x01\x00\x03\x01\x00\x05";
        let told = module.heard(look);
        let nothing = b"\xEF\x01\xFF\xFF\xFF\xFF\x07\x00\x03\x02\x00\x0C".to_vec();
        assert_eq!(told.into_iter().map(|t| t.1).collect::<Vec<_>>(), [nothing]);
        module.desk("place thumb").expect("lies");
        module.heard(look);
        // UpImage: the acknowledgement, then 288 packets of 128 bytes, framed by 11.
        let told = module.heard(b"\xEF\x01\xFF\xFF\xFF\xFF\x01\x00\x03\x0A\x00\x0E");
        let lengths: Vec<usize> = told.iter().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lengths, [12, 288 * (128 + 11)]);
        assert!(module.desk("place thumb").is_err(), "one finger at a time");
        module.desk("lift").expect("lifted");
        assert!(module.desk("press").is_err());
    }
}
