//! Frames of the module, raw, on whichever pipes it uses.

use std::time::Duration;

use super::super::{Stop, Verdict, ensure, expect};
use super::IdBench;
use crate::transport::{Bus, Transport, UsbError};

const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
const WITHIN: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_millis(100);
/// 11 FF, 12 FF, 10 FF, 20 01, 30 01 and one that nobody knows.
const STATUS: [u8; 2] = [0x11, 0xFF];
const IDENTITY: [u8; 2] = [0x12, 0xFF];
const RESET: [u8; 2] = [0x10, 0xFF];
const FIND: [u8; 2] = [0x20, 0x01];
const READ: [u8; 2] = [0x30, 0x01];
const UNKNOWN: [u8; 2] = [0x7E, 0x7E];

/// Where head and body of a frame go, and come from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pipes {
    out: (u8, u8),
    back: (u8, u8),
}

/// A reader, raw.
struct Raw<T> {
    usb: T,
    pipes: Pipes,
}

/// `AA AA AA 96 69 | length | command | checksum`.
fn request(command: [u8; 2]) -> Vec<u8> {
    let [a, b] = command;
    let checksum = [0x00, 0x03, a, b].iter().fold(0, |sum, byte| sum ^ byte);
    [&PREAMBLE[..], &[0x00, 0x03, a, b, checksum]].concat()
}

impl<T: Transport> Raw<T> {
    async fn send(&self, frame: &[u8]) -> Result<(), UsbError> {
        let (head, body) = self.pipes.out;
        let (first, second) = frame.split_at(7.min(frame.len()));
        let parts = if head == body {
            vec![(head, frame)]
        } else {
            vec![(head, first), (body, second)]
        };
        for (end, bytes) in parts {
            if !bytes.is_empty() {
                self.usb.write(end, bytes, WITHIN).await?;
            }
        }
        Ok(())
    }

    async fn piece(&self, end: u8, within: Duration) -> Result<Vec<u8>, Stop> {
        match self.usb.read(end, 4096, within).await {
            Ok(transfer) => Ok(transfer.bytes),
            Err(UsbError::Timeout) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whole frames until it is silent.
    async fn hear(&self, within: Duration) -> Result<Vec<u8>, Stop> {
        let (head, body) = self.pipes.back;
        let mut all = self.piece(head, within).await?;
        if head != body && !all.is_empty() {
            all.extend(self.piece(body, WITHIN).await?);
        }
        while let [_, _, _, _, _, high, low, ..] = all.as_slice() {
            let whole = usize::from(u16::from_be_bytes([*high, *low])).saturating_add(7);
            if all.len() >= whole {
                break;
            }
            let more = self.piece(body, WITHIN).await?;
            if more.is_empty() {
                break;
            }
            all.extend(more);
        }
        Ok(all)
    }

    async fn drain(&self) -> Result<(), Stop> {
        for end in [self.pipes.back.0, self.pipes.back.1] {
            while !self.piece(end, DRAIN).await?.is_empty() {}
        }
        Ok(())
    }

    /// SW3 and data of the answer to `frame`.
    async fn ask_frame(&self, frame: &[u8]) -> Result<(u8, Vec<u8>), Stop> {
        self.drain().await?;
        self.send(frame).await?;
        answer(&self.hear(WITHIN).await?)
    }

    async fn ask(&self, command: [u8; 2]) -> Result<(u8, Vec<u8>), Stop> {
        self.ask_frame(&request(command)).await
    }
}

/// What a frame says; it is whole, its checksum right, and nothing is behind it.
fn answer(frame: &[u8]) -> Result<(u8, Vec<u8>), Stop> {
    let count = frame.len();
    let bad = |what: &str| Stop::Failed(format!("{what} ({count} bytes)"));
    let rest = frame
        .strip_prefix(&PREAMBLE)
        .ok_or_else(|| bad("no preamble"))?;
    let (length, _) = rest
        .split_first_chunk::<2>()
        .ok_or_else(|| bad("no length"))?;
    let length = usize::from(u16::from_be_bytes(*length));
    ensure(
        rest.len() == length.saturating_add(2),
        format!("{length} announced, {count} came"),
    )?;
    let (checksum, summed) = rest.split_last().ok_or_else(|| bad("nothing"))?;
    let sum = summed.iter().fold(0, |sum, byte| sum ^ byte);
    ensure(sum == *checksum, "its checksum is wrong")?;
    match summed {
        [_, _, _, _, status, data @ ..] => Ok((*status, data.to_vec())),
        _ => Err(bad("no status")),
    }
}

/// Every layout the descriptors allow, the split one first.
fn layouts<B>(c: &IdBench<B>) -> Vec<Pipes> {
    let ends = c.0.info.interfaces.iter().flat_map(|i| &i.endpoints);
    let outs: Vec<u8> = ends
        .clone()
        .filter(|e| !e.is_in())
        .map(|e| e.address)
        .collect();
    let ins: Vec<u8> = ends.filter(|e| e.is_in()).map(|e| e.address).collect();
    let mut all = Vec::new();
    if let ([out, out2, ..], [back, back2, ..]) = (outs.as_slice(), ins.as_slice()) {
        all.push(Pipes {
            out: (*out, *out2),
            back: (*back, *back2),
        });
    }
    if let ([out, ..], [back, ..]) = (outs.as_slice(), ins.as_slice()) {
        all.push(Pipes {
            out: (*out, *out),
            back: (*back, *back),
        });
    }
    all
}

async fn raw<B: Bus>(c: &IdBench<B>) -> Result<Raw<B::Transport>, Stop> {
    let mut usb = c.0.open().await?;
    for pipes in layouts(c) {
        let raw = Raw { usb, pipes };
        for _ in 0..2 {
            // What a layout tried before left behind is answered 10.
            if let Ok((0x90, _)) = raw.ask(STATUS).await {
                return Ok(raw);
            }
        }
        usb = raw.usb;
    }
    Err(Stop::seen("11 FF is not answered 90 on any pipes"))
}

pub(super) async fn hello<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    let (out, back) = (raw.pipes.out, raw.pipes.back);
    let note = if out.0 == out.1 {
        format!("whole frames, {:02x} and {:02x}", out.0, back.0)
    } else {
        format!(
            "split, {:02x} {:02x}, {:02x} {:02x}",
            out.0, out.1, back.0, back.1
        )
    };
    c.0.learn("pipes", note.clone());
    Ok(note)
}

pub(super) async fn framed<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    for _ in 0..3 {
        expect("11 FF", raw.ask(STATUS).await?, (0x90, Vec::new()))?;
    }
    Ok(String::new())
}

pub(super) async fn checksum<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    let mut frame = request(FIND);
    if let Some(last) = frame.last_mut() {
        *last ^= 0x03;
    }
    let (status, _) = raw.ask_frame(&frame).await?;
    expect("SW3", status, 0x10)?;
    expect("11 FF after it", raw.ask(STATUS).await?.0, 0x90)?;
    Ok(String::new())
}

pub(super) async fn unknown<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    expect("SW3", raw.ask(UNKNOWN).await?.0, 0x21)?;
    Ok(String::new())
}

pub(super) async fn identity<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    let (status, data) = raw.ask(IDENTITY).await?;
    expect("SW3", status, 0x90)?;
    expect("bytes", data.len(), 16)?;
    let zero = data.iter().all(|b| *b == 0);
    ensure(!zero, "sixteen zeros")?;
    Ok(String::new())
}

pub(super) async fn crumbs<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    raw.drain().await?;
    let frame = request(STATUS);
    let (head, body) = raw.pipes.out;
    // On pipes of their own, a head is one transfer by itself.
    let (first, rest) = frame.split_at(if head == body { 0 } else { 7 });
    if !first.is_empty() {
        raw.usb.write(head, first, WITHIN).await?;
    }
    for byte in rest {
        raw.usb.write(body, &[*byte], WITHIN).await?;
    }
    expect("11 FF", answer(&raw.hear(WITHIN).await?)?.0, 0x90)?;
    Ok(String::new())
}

pub(super) async fn reset<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    expect("10 FF", raw.ask(RESET).await?.0, 0x90)?;
    expect("11 FF", raw.ask(STATUS).await?.0, 0x90)?;
    Ok(String::new())
}

pub(super) async fn nothing<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    let began = c.0.now();
    let (status, _) = raw.ask(FIND).await?;
    let took = c.0.now().saturating_sub(began);
    expect("SW3", status, 0x80)?;
    ensure(
        took < Duration::from_secs(1),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(String::new())
}

pub(super) async fn read_unselected<B: Bus>(c: &IdBench<B>) -> Verdict {
    let raw = raw(c).await?;
    let (status, data) = raw.ask(READ).await?;
    ensure(status != 0x90, "SW3 90 without a card")?;
    ensure(data.is_empty(), format!("{} bytes of data", data.len()))?;
    Ok(format!("SW3 {status:02x}"))
}

pub(super) async fn unread<B: Bus>(c: &IdBench<B>) -> Verdict {
    let first = raw(c).await?;
    first.send(&request(IDENTITY)).await?;
    c.0.clock.sleep(Duration::from_millis(300)).await;
    drop(first);
    let raw = raw(c).await?;
    expect("11 FF", raw.ask(STATUS).await?, (0x90, Vec::new()))?;
    Ok(String::new())
}

pub(super) async fn half<B: Bus>(c: &IdBench<B>) -> Verdict {
    let first = raw(c).await?;
    let frame = request(FIND);
    first.send(frame.get(..8).unwrap_or_default()).await?;
    drop(first);
    drop(c.open().await?);
    Ok(String::new())
}
