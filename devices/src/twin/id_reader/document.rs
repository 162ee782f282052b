//! Synthetic documents for the desk: what the chip of an ID card holds.
//!
//! Only samples; real persons' read-outs never enter this repository.

/// Bytes of the text block.
const TEXT_LEN: usize = 256;
/// The photo: an empty picture with the header every real one has.
const PHOTO_REST: usize = 1016;
const PHOTO_HEAD: [u8; 8] = [0x57, 0x4c, 0x66, 0x00, 0x7e, 0x00, 0x32, 0x00];

/// A document of the drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleDocument {
    /// What the desk calls it.
    pub name: String,
    /// Whether it passes mutual authentication.
    pub genuine: bool,
    /// What its chip says.
    pub text: TextBlock,
    /// Bytes of fingerprint templates: 0, 512 or 1024.
    pub finger_len: u16,
}

impl SampleDocument {
    /// The data of a base read: lengths, text, photo and, if asked, fingerprint.
    pub(super) fn base_data(&self, with_finger: bool) -> Vec<u8> {
        let mut data = vec![0x01, 0x00, 0x04, 0x00];
        if with_finger {
            data.extend_from_slice(&self.finger_len.to_be_bytes());
        }
        data.extend_from_slice(&self.text.0);
        data.extend_from_slice(&PHOTO_HEAD);
        data.resize(data.len().saturating_add(PHOTO_REST), 0);
        if with_finger {
            data.resize(data.len().saturating_add(self.finger_len.into()), 0);
        }
        data
    }
}

/// The text block of a chip: UTF-16LE, unused characters are spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBlock([u8; TEXT_LEN]);

impl TextBlock {
    /// All spaces.
    pub fn blank() -> Self {
        let mut bytes = [0; TEXT_LEN];
        for low in bytes.iter_mut().step_by(2) {
            *low = b' ';
        }
        Self(bytes)
    }

    /// Puts `text` at byte `offset`; what does not fit in `width` bytes is cut.
    #[must_use]
    pub fn put(mut self, offset: usize, width: usize, text: &str) -> Self {
        let field = self.0.iter_mut().skip(offset).take(width);
        for (to, from) in field.zip(text.encode_utf16().flat_map(u16::to_le_bytes)) {
            *to = from;
        }
        self
    }

    /// A resident's block (居民身份证) without address and validity.
    pub fn resident(name: &str, sex: u8, birth: &str, number: &str) -> Self {
        Self::blank()
            .put(0, 30, name)
            .put(30, 2, &sex.to_string())
            .put(32, 4, "01")
            .put(36, 16, birth)
            .put(122, 36, number)
    }

    /// Adds where the holder lives and who issued it.
    #[must_use]
    pub fn issued(self, address: &str, issuer: &str) -> Self {
        self.put(52, 70, address).put(158, 30, issuer)
    }

    /// Adds validity: `YYYYMMDD` or, for the end, 长期.
    #[must_use]
    pub fn valid(self, from: &str, to: &str) -> Self {
        self.put(188, 16, from).put(204, 16, to)
    }
}
