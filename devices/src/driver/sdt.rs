//! ID-card readers with a security module (SDT/SAM_A/SAM_V; 居民身份证阅读器).
//!
//! Owns the exchange with the module: find, select, read (S10) and the evidence
//! that it authenticated the card (S16): its identity, SW3 of each step, the
//! hash of the frame and the time. The read-out itself is unsigned plaintext, so a document
//! counts as authentic only by these, never by its fields. Refuses to read
//! on after any doubt. Called by the kiosk's device host.
//!
//! ```text
//! open: 11 FF → 10 FF → 12 FF → 61 FF      poll_card: 20 01, at most every 300 ms
//! read: 20 02 → 30 10 (21: 30 01) → 30 03 → 12 FF again
//! chip_number: 30 05                      wait_removed: three empty rounds
//! ```

mod error;
pub mod frame;
mod pipes;
mod plate;
pub mod text;

use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::Digest;
use jiff::Timestamp;

use self::error::judge;
pub use self::error::{DocumentError, HandlingProblem, SdtError, Step};
use self::frame::Answer;
use self::pipes::{Pipes, Wire, candidates};
pub use self::text::{DocumentKind, IdDocument};
use crate::transport::{DeviceInfo, Transport, UsbError};

/// Longest wait for one answer; a read takes up to 1.5 s.
pub const COMMAND_MAX: Duration = Duration::from_secs(5);
/// Shortest time between two finds (manufacturer's note).
pub const FIND_INTERVAL: Duration = Duration::from_millis(300);
/// What one find or one look may take, however little time its caller has left:
/// a card that lies there answers 30 03 within 700 ms, and giving up on it would
/// reset the module, which forgets that the card was used.
const ROUND_WITHIN: Duration = Duration::from_secs(1);
/// Empty rounds in a row after which a card is taken as removed.
pub const EMPTY_ROUNDS: u8 = 3;
const HELLO_WITHIN: Duration = Duration::from_millis(500);

const RESET: [u8; 2] = [0x10, 0xff];
const STATUS: [u8; 2] = [0x11, 0xff];
const SAM_ID: [u8; 2] = [0x12, 0xff];
const FIND: [u8; 2] = [0x20, 0x01];
const SELECT: [u8; 2] = [0x20, 0x02];
const READ: [u8; 2] = [0x30, 0x01];
const READ_WITH_FINGER: [u8; 2] = [0x30, 0x10];
const NEW_ADDRESS: [u8; 2] = [0x30, 0x03];
const CHIP_NUMBER: [u8; 2] = [0x30, 0x05];
const RF_FRAME_SIZE: [u8; 2] = [0x61, 0xff];
/// The frame size one well-tried driver sets once after the first good status.
const RF_FRAME_BYTES: u8 = 0x50;

/// Data of a good answer to select.
const SELECTED_LEN: usize = 8;

const OK: u8 = 0x90;
const FOUND: u8 = 0x9f;
const NO_CARD: u8 = 0x80;
const NO_CONTENT: u8 = 0x91;
const BAD_CHECKSUM: u8 = 0x10;
const BAD_COMMAND: u8 = 0x21;
const CONFUSED: u8 = 0x24;

/// What was read and why it is believed.
#[derive(Debug)]
pub struct IdRead {
    /// The document.
    pub document: IdDocument,
    /// The evidence.
    pub evidence: ReadEvidence,
}

/// Proof that the security module authenticated the card (S16).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadEvidence {
    /// The module, as printed: `05.01-20200101-0001234567-0089012345`.
    pub sam_id: String,
    /// SW3 of find, select and read.
    pub status: Vec<u8>,
    /// SW3 of the newest address (30 03), which proves nothing: 91 says there is none.
    pub address_status: u8,
    /// SHA-256 of the frame that was read.
    pub frame: Digest,
    /// When that frame had come.
    pub at: Timestamp,
}

/// What lies on the plate, as far as the answers told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plate {
    Unknown,
    Found,
    /// Selected or read in vain: silent to find until the module is reset.
    Refused,
    Read,
}

/// An opened reader.
pub struct IdReader<T: Transport> {
    wire: Wire<T>,
    clock: SharedClock,
    sam_id: String,
    last_find: Option<Duration>,
    plate: Plate,
    /// Rounds in a row in which nothing answered.
    empty: u8,
    /// Resets of the module: after one, a card that lies there is found anew.
    resets: u32,
}

/// Vendor and product of readers with such a module.
pub(super) const KNOWN: [(u16, u16); 3] = [(0x0400, 0xc35a), (0x0316, 0x5020), (0x0483, 0x5652)];

/// Whether descriptors may belong to such a reader; the hello decides.
pub fn matches(info: &DeviceInfo) -> bool {
    KNOWN.contains(&(info.vendor, info.product))
}

impl<T: Transport> IdReader<T> {
    /// Chooses the pipes by the descriptors and confirms them with a status
    /// exchange; on silence the other layout is tried once. Takes a few seconds
    /// at most.
    pub async fn open(transport: T, clock: SharedClock) -> Result<Self, SdtError> {
        let pipes: Vec<Pipes> = candidates(transport.info());
        let mut wire = Wire::new(transport, clock.clone());
        let mut silent = None;
        for layout in pipes {
            wire.use_pipes(layout);
            let mut hello = wire.exchange(Step::Hello, STATUS, &[], HELLO_WITHIN).await;
            if matches!(&hello, Ok(answer) if answer.status == BAD_CHECKSUM) {
                // What the layout tried before left half a frame behind.
                hello = wire.exchange(Step::Hello, STATUS, &[], HELLO_WITHIN).await;
            }
            match hello {
                Ok(answer) if answer.status == OK => {
                    silent = None;
                    break;
                }
                Ok(answer) => return Err(judge(Step::Hello, answer.status)),
                // A pipe of the other layout may stall: that is no answer either.
                Err(SdtError::Usb { source, step }) if source != UsbError::Stall => {
                    return Err(SdtError::Usb { source, step });
                }
                Err(error) => silent = Some(error),
            }
        }
        if silent.is_some() || !wire.has_pipes() {
            let endpoints = wire.endpoints();
            return Err(SdtError::UnknownTransport { endpoints });
        }
        let mut reader = Self {
            wire,
            clock,
            sam_id: String::new(),
            last_find: None,
            plate: Plate::Unknown,
            empty: 0,
            resets: 0,
        };
        // A card that was read before is silent to find; after a reset it is seen.
        reader.reset(COMMAND_MAX).await?;
        reader.sam_id = reader.read_sam_id(COMMAND_MAX).await?;
        // Not every module knows it; the answer changes nothing.
        let size =
            reader
                .wire
                .exchange(Step::Hello, RF_FRAME_SIZE, &[RF_FRAME_BYTES], HELLO_WITHIN);
        drop(size.await);
        Ok(reader)
    }

    /// The security module's identity as printed.
    pub fn sam_id(&self) -> &str {
        &self.sam_id
    }

    /// Looks for a card until one is found or `within` is over; at least once.
    pub async fn poll_card(&mut self, within: Duration) -> Result<bool, SdtError> {
        let deadline = self.deadline(within);
        loop {
            if self.find(deadline).await? {
                return Ok(true);
            }
            let next = self
                .last_find
                .unwrap_or_default()
                .saturating_add(FIND_INTERVAL);
            if next >= deadline {
                return Ok(false);
            }
        }
    }

    /// Selects and reads the card on the plate (S10, S16): mutual authentication,
    /// text and evidence, then the module's identity again.
    ///
    /// # Errors
    /// [`SdtError::is_forgery_suspect`] stops the sale; a
    /// [`HandlingProblem`] asks the person to lift and place the card.
    pub async fn read(&mut self, within: Duration) -> Result<IdRead, SdtError> {
        let deadline = self.deadline(within);
        if self.plate != Plate::Found && !self.find(deadline).await? {
            return Err(HandlingProblem::NoCard.into());
        }
        self.plate = Plate::Refused;
        self.empty = 0;
        let selected = self.ask(Step::Select, SELECT, deadline).await?;
        if selected.status != OK {
            return Err(judge(Step::Select, selected.status));
        }
        if selected.data.expose().len() != SELECTED_LEN {
            return Err(SdtError::Garbled { step: Step::Select });
        }
        let mut with_finger = true;
        let mut read = self.ask(Step::Read, READ_WITH_FINGER, deadline).await?;
        if read.status == BAD_COMMAND {
            with_finger = false;
            read = self.ask(Step::Read, READ, deadline).await?;
        }
        if read.status != OK {
            return Err(judge(Step::Read, read.status));
        }
        self.plate = Plate::Read;
        let at = self.clock.now();
        let mut document = text::parse(read.data.expose(), with_finger)?;
        let (address, address_status) = self.newest_address(deadline).await?;
        document.newest_address = address;
        let evidence = ReadEvidence {
            sam_id: self.sam_id.clone(),
            status: vec![FOUND, selected.status, read.status],
            address_status,
            frame: read.digest,
            at,
        };
        let left = deadline.saturating_sub(self.clock.monotonic());
        if self.read_sam_id(left.max(HELLO_WITHIN)).await? != self.sam_id {
            return Err(SdtError::SamChanged);
        }
        Ok(IdRead { document, evidence })
    }

    /// The newest address and its SW3. The document was read before: that the card
    /// was lifted meanwhile, or has no such thing, takes nothing from it.
    async fn newest_address(
        &mut self,
        deadline: Duration,
    ) -> Result<(Option<Secret<String>>, u8), SdtError> {
        let deadline = deadline.max(self.deadline(ROUND_WITHIN));
        let answer = self.ask(Step::Address, NEW_ADDRESS, deadline).await?;
        let status = answer.status;
        match judge(Step::Address, status) {
            _ if status == OK => Ok((text::newest_address(answer.data.expose()), status)),
            doubt @ (SdtError::Authenticity { .. } | SdtError::DeviceFault { .. }) => Err(doubt),
            _ => Ok((None, status)),
        }
    }

    /// The management number of the chip that was read and still lies there, as it
    /// came: its layout is not published. `None` where card or module gives none.
    pub async fn chip_number(
        &mut self,
        within: Duration,
    ) -> Result<Option<Secret<Vec<u8>>>, SdtError> {
        if self.plate != Plate::Read {
            return Err(HandlingProblem::NoCard.into());
        }
        let deadline = self.deadline(within);
        let answer = self.ask(Step::ChipNumber, CHIP_NUMBER, deadline).await?;
        match answer.status {
            OK => Ok(Some(answer.data)),
            NO_CONTENT | BAD_COMMAND => Ok(None),
            status => Err(judge(Step::ChipNumber, status)),
        }
    }

    async fn find(&mut self, deadline: Duration) -> Result<bool, SdtError> {
        let now = self.clock.monotonic();
        let earliest = self
            .last_find
            .map_or(now, |last| last.saturating_add(FIND_INTERVAL));
        if earliest > now {
            self.clock.sleep(earliest.saturating_sub(now)).await;
        }
        self.last_find = Some(self.clock.monotonic());
        let deadline = deadline.max(self.deadline(ROUND_WITHIN));
        let answer = self.ask(Step::Find, FIND, deadline).await?;
        match answer.status {
            FOUND => {
                self.plate = Plate::Found;
                Ok(true)
            }
            NO_CARD => {
                if self.plate == Plate::Found {
                    self.plate = Plate::Unknown;
                }
                Ok(false)
            }
            status => Err(judge(Step::Find, status)),
        }
    }

    /// One exchange: noise is answered by one repetition, confusion by a reset
    /// and one repetition, silence by a reset so that the next session starts clean.
    async fn ask(
        &mut self,
        step: Step,
        command: [u8; 2],
        deadline: Duration,
    ) -> Result<Answer, SdtError> {
        let first = self
            .wire
            .exchange(step, command, &[], self.left(deadline))
            .await;
        match first {
            Ok(answer) if answer.status == BAD_CHECKSUM => {}
            Ok(answer) if answer.status == CONFUSED => self.reset(HELLO_WITHIN).await?,
            Err(SdtError::Silent { step }) => {
                drop(self.reset(HELLO_WITHIN).await);
                return Err(SdtError::Silent { step });
            }
            other => return other,
        }
        self.wire
            .exchange(step, command, &[], self.left(deadline))
            .await
    }

    /// Resets the module; it may refuse or stay silent, the next command tells.
    async fn reset(&mut self, within: Duration) -> Result<(), SdtError> {
        self.resets = self.resets.saturating_add(1);
        let reset = self.wire.exchange(Step::Reset, RESET, &[], within).await;
        match reset {
            Err(error @ SdtError::Usb { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    async fn read_sam_id(&mut self, within: Duration) -> Result<String, SdtError> {
        let answer = self.wire.exchange(Step::SamId, SAM_ID, &[], within).await?;
        if answer.status != OK {
            return Err(judge(Step::SamId, answer.status));
        }
        printed_sam_id(answer.data.expose()).ok_or(SdtError::Garbled { step: Step::SamId })
    }

    fn deadline(&self, within: Duration) -> Duration {
        self.clock.monotonic().saturating_add(within)
    }

    fn left(&self, deadline: Duration) -> Duration {
        deadline
            .saturating_sub(self.clock.monotonic())
            .min(COMMAND_MAX)
    }
}

/// The identity as printed on the module: `%02d.%02d-%08d-%010d-%010d` of two
/// u16 and three u32, little-endian.
fn printed_sam_id(data: &[u8]) -> Option<String> {
    let bytes = data.first_chunk::<16>()?;
    let [a, b, c, d, rest @ ..] = *bytes;
    let major = u16::from_le_bytes([a, b]);
    let minor = u16::from_le_bytes([c, d]);
    let mut words = rest
        .chunks_exact(4)
        .filter_map(|w| <[u8; 4]>::try_from(w).ok());
    let mut word = || words.next().map(u32::from_le_bytes);
    let (date, number, extra) = (word()?, word()?, word()?);
    Some(format!(
        "{major:02}.{minor:02}-{date:08}-{number:010}-{extra:010}"
    ))
}

#[cfg(test)]
mod tests;
