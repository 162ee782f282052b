//! Synthetic documents for the desk: what the chip of an ID card holds.
//!
//! Only samples; real persons' read-outs never enter this repository.

/// Bytes of the text block.
const TEXT_LEN: usize = 256;
/// Bytes of an appended address.
const ADDRESS_LEN: usize = 70;
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
        data.extend_from_slice(&self.text.block);
        data.extend_from_slice(&PHOTO_HEAD);
        data.resize(data.len().saturating_add(PHOTO_REST), 0);
        if with_finger {
            data.resize(data.len().saturating_add(self.finger_len.into()), 0);
        }
        data
    }
}

/// The texts of a chip: UTF-16LE, unused characters are spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBlock {
    block: [u8; TEXT_LEN],
    /// Addresses written later, 70 bytes each.
    appended: Vec<[u8; ADDRESS_LEN]>,
}

impl TextBlock {
    /// All spaces.
    pub fn blank() -> Self {
        Self {
            block: spaces(),
            appended: Vec::new(),
        }
    }

    /// Puts `text` at byte `offset`; what does not fit in `width` bytes is cut.
    #[must_use]
    pub fn put(mut self, offset: usize, width: usize, text: &str) -> Self {
        write(self.block.iter_mut().skip(offset).take(width), text);
        self
    }

    /// Appends an address, as is done when its holder has moved.
    #[must_use]
    pub fn moved_to(mut self, address: &str) -> Self {
        let mut bytes = spaces();
        write(bytes.iter_mut(), address);
        self.appended.push(bytes);
        self
    }

    /// The data of the answer to 30 03.
    pub(super) fn newest(&self) -> Option<Vec<u8>> {
        self.appended.last().map(|address| address.to_vec())
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

fn spaces<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for low in bytes.iter_mut().step_by(2) {
        *low = b' ';
    }
    bytes
}

fn write<'a>(field: impl Iterator<Item = &'a mut u8>, text: &str) {
    for (to, from) in field.zip(text.encode_utf16().flat_map(u16::to_le_bytes)) {
        *to = from;
    }
}
