//! The chip behind QEMU's card reader: libcacard's vscard protocol, version 0.0.2.
//!
//! Every message is type, reader and length (u32, big-endian each) and so many bytes.
//! The reader takes an ATR for a card put in and carries TPDUs.

use std::path::Path;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_devices::twin::card_reader::{CardSpec, Chip, LooseCard};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// The device's id in QEMU.
pub const DEVICE: &str = "card";

const INIT: u32 = 1;
const READER_ADD: u32 = 3;
const ATR: u32 = 5;
const CARD_REMOVE: u32 = 6;
const APDU: u32 = 7;
/// Not yet a reader.
const NOBODY: u32 = u32::MAX;
/// "VSCD", version 0.0.2, no capabilities.
const HELLO: [u8; 12] = [0x56, 0x53, 0x43, 0x44, 0, 0, 0, 2, 0, 0, 0, 0];
const MESSAGE_MAX: usize = 4096;
/// INTERNAL AUTHENTICATE.
const SIGN: [u8; 2] = [0x00, 0x88];

/// What happens at a chosen command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The card is pulled out of the reader.
    CardOut,
    /// The reader is unplugged, the command unanswered.
    CableOut,
}

/// The card's side of the reader.
pub struct Slot {
    cards: Vec<CardSpec>,
    card: Option<LooseCard>,
    to: OwnedWriteHalf,
    at: Option<(u64, Mishap)>,
    apdus: u64,
    /// What the terminal gave to be signed, in order.
    signed: Vec<Vec<u8>>,
}

impl Slot {
    /// Introduces itself to the reader; commands come over the channel.
    pub async fn open(
        socket: &Path,
        bank: &DemoBank,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Vec<u8>>)> {
        let (from, to) = super::connect(socket).await?.into_split();
        let mut slot = Self {
            cards: bank.cards.iter().map(CardSpec::from).collect(),
            card: None,
            to,
            at: None,
            apdus: 0,
            signed: Vec::new(),
        };
        slot.send(INIT, NOBODY, &HELLO).await?;
        slot.send(READER_ADD, NOBODY, b"lab\0").await?;
        let (heard, commands) = mpsc::channel(16);
        tokio::task::spawn_local(async move {
            // Ends with QEMU.
            listen(from, heard).await.ok();
        });
        Ok((slot, commands))
    }

    /// One command of the guest; a mishap instead of the answer.
    pub async fn command(&mut self, tpdu: &[u8]) -> anyhow::Result<Option<Mishap>> {
        // The tail of the command before.
        if tpdu.get(1) != Some(&0xC0) {
            self.apdus = self.apdus.saturating_add(1);
        }
        if let Some((_, mishap)) = self.at.filter(|(at, _)| self.apdus >= *at) {
            self.at = None;
            if mishap == Mishap::CardOut {
                self.card = None;
                self.send(CARD_REMOVE, 0, &[]).await?;
            }
            return Ok(Some(mishap));
        }
        if tpdu.get(..2) == Some(&SIGN) {
            self.signed.push(tpdu.get(5..).unwrap_or_default().to_vec());
        }
        let Some(card) = &mut self.card else {
            return Ok(None);
        };
        let (answer, takes) = card.answer(tpdu);
        tokio::time::sleep(takes).await;
        self.send(APDU, 0, &answer).await?;
        Ok(None)
    }

    /// One act of the guest's script.
    pub async fn act(&mut self, words: &[&str]) -> anyhow::Result<String> {
        match words {
            ["insert", name] => self.insert(name, Chip::Genuine).await,
            ["insert", name, "copied"] => self.insert(name, Chip::Copied).await,
            ["remove"] => {
                self.card = None;
                self.send(CARD_REMOVE, 0, &[]).await?;
                Ok("removed".into())
            }
            ["out", "at", count] => self.mishap(count, Mishap::CardOut),
            ["pull", "at", count] => self.mishap(count, Mishap::CableOut),
            ["randoms"] => {
                let mut all = self.signed.clone();
                all.sort();
                all.dedup();
                Ok(format!("{} of {}", all.len(), self.signed.len()))
            }
            _ => anyhow::bail!("the card cannot do {words:?}"),
        }
    }

    fn mishap(&mut self, count: &str, mishap: Mishap) -> anyhow::Result<String> {
        let count: u64 = count.parse().context("a number of commands")?;
        self.at = Some((self.apdus.saturating_add(count), mishap));
        Ok("armed".into())
    }

    async fn insert(&mut self, name: &str, chip: Chip) -> anyhow::Result<String> {
        let known = self.cards.iter().find(|card| card.name == name);
        let card = LooseCard::new(known.context("no such card")?, chip);
        self.send(ATR, 0, card.atr()).await?;
        self.card = Some(card);
        Ok("inserted".into())
    }

    async fn send(&mut self, kind: u32, reader: u32, bytes: &[u8]) -> anyhow::Result<()> {
        let length = u32::try_from(bytes.len())?;
        let head = [kind, reader, length].map(u32::to_be_bytes).concat();
        self.to.write_all(&[&head, bytes].concat()).await?;
        Ok(())
    }
}

/// Commands out of the stream; acknowledgements are not waited for.
async fn listen(mut from: OwnedReadHalf, heard: mpsc::Sender<Vec<u8>>) -> anyhow::Result<()> {
    loop {
        let kind = from.read_u32().await?;
        from.read_u32().await?;
        let length = usize::try_from(from.read_u32().await?)?;
        anyhow::ensure!(length <= MESSAGE_MAX, "the reader sent {length} bytes");
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).await?;
        if kind == APDU {
            heard.send(bytes).await?;
        }
    }
}
