//! The reader without a card, raw and through its driver.

use std::time::Duration;

use super::super::{Stop, Verdict, ensure, expect};
use super::CardBench;
use crate::driver::ccid::descriptor::layout;
use crate::driver::ccid::kind::classify;
use crate::transport::{Bus, Setup, Stage, Transport, UsbError};

const WITHIN: Duration = Duration::from_secs(3);
const DRAIN: Duration = Duration::from_millis(100);
/// PC_to_RDR_GetSlotStatus, PC_to_RDR_IccPowerOn, and one that CCID has not.
const SLOT_STATUS: u8 = 0x65;
const POWER_ON: u8 = 0x62;
const UNKNOWN: u8 = 0x7E;
/// RDR_to_PC_SlotStatus.
const STATUS: u8 = 0x81;

/// Bulk OUT and bulk IN.
fn pipes<B>(c: &CardBench<B>) -> Result<(u8, u8), Stop> {
    let ccid =
        c.0.info
            .interfaces
            .iter()
            .filter(|i| i.class == 0x0B || i.class == 0xFF);
    let ends: Vec<_> = ccid
        .flat_map(|i| &i.endpoints)
        .filter(|e| e.kind == 2)
        .collect();
    let out = ends.iter().find(|e| !e.is_in()).map(|e| e.address);
    let back = ends.iter().find(|e| e.is_in()).map(|e| e.address);
    out.zip(back)
        .ok_or_else(|| Stop::seen("no bulk pipe each way"))
}

/// A message without data (CCID 6.1).
fn message(kind: u8, slot: u8, seq: u8) -> [u8; 10] {
    [kind, 0, 0, 0, 0, slot, seq, 0, 0, 0]
}

async fn hear<T: Transport>(usb: &T, back: u8, within: Duration) -> Result<Vec<u8>, Stop> {
    match usb.read(back, 512, within).await {
        Ok(transfer) => Ok(transfer.bytes),
        Err(UsbError::Timeout) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// An opened reader with nothing left in its pipe.
async fn raw<B: Bus>(c: &CardBench<B>) -> Result<(B::Transport, u8, u8), Stop> {
    let (out, back) = pipes(c)?;
    let usb = c.0.open().await?;
    while !hear(&usb, back, DRAIN).await?.is_empty() {}
    Ok((usb, out, back))
}

/// The answer of ten bytes to one message.
async fn ask<B: Bus>(c: &CardBench<B>, bytes: &[u8]) -> Result<[u8; 10], Stop> {
    let (usb, out, back) = raw(c).await?;
    usb.write(out, bytes, WITHIN).await?;
    let answer = hear(&usb, back, WITHIN).await?;
    let whole = answer.first_chunk::<10>().copied();
    whole.ok_or_else(|| Stop::Failed(format!("{} bytes: {answer:02x?}", answer.len())))
}

pub(super) async fn kind<B: Bus>(c: &CardBench<B>) -> Verdict {
    let kinds = classify(&c.0.info);
    let kind = kinds
        .first()
        .ok_or_else(|| Stop::seen("no chip-card reader by its descriptors"))?;
    if let Some(refusal) = kind.refusal {
        return Err(Stop::Failed(refusal.to_string()));
    }
    c.0.learn("kind", kind.to_string());
    Ok(kind.to_string())
}

pub(super) async fn able<B: Bus>(c: &CardBench<B>) -> Verdict {
    let layout = layout(&c.0.info).ok_or_else(|| Stop::seen("no functional descriptor"))?;
    let functional = layout.functional;
    let longest = functional.max_message;
    ensure(
        longest >= 271,
        format!("dwMaxCCIDMessageLength is {longest}"),
    )?;
    let volts = functional.voltages;
    ensure(volts & 3 != 0, format!("bVoltageSupport is {volts:02x}"))?;
    Ok(format!("{longest} bytes, voltages {volts:02x}"))
}

pub(super) async fn empty<B: Bus>(c: &CardBench<B>) -> Verdict {
    let answer = ask(c, &message(SLOT_STATUS, 0, 0)).await?;
    let [kind, a, b, d, e, slot, _, status, _, _] = answer;
    expect("message", kind, STATUS)?;
    expect("length", [a, b, d, e], [0; 4])?;
    expect("slot", slot, 0)?;
    // bmICCStatus 2: no ICC.
    expect("status", status & 0x03, 0x02)?;
    Ok(String::new())
}

pub(super) async fn sequence<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (usb, out, back) = raw(c).await?;
    for seq in [0, 1, 2, 0x7F, 0x80, 0xFF] {
        usb.write(out, &message(SLOT_STATUS, 0, seq), WITHIN)
            .await?;
        let answer = hear(&usb, back, WITHIN).await?;
        expect("bSeq", answer.get(6).copied(), Some(seq))?;
    }
    Ok(String::new())
}

/// The command failed (bmCommandStatus 1).
fn failed(answer: [u8; 10]) -> Result<u8, Stop> {
    let [_, _, _, _, _, _, _, status, error, _] = answer;
    expect("command status", status & 0xC0, 0x40)?;
    Ok(error)
}

pub(super) async fn no_slot<B: Bus>(c: &CardBench<B>) -> Verdict {
    let error = failed(ask(c, &message(SLOT_STATUS, 0x7F, 1)).await?)?;
    expect("bError", error, 0x05)?;
    Ok(String::new())
}

pub(super) async fn unknown<B: Bus>(c: &CardBench<B>) -> Verdict {
    let error = failed(ask(c, &message(UNKNOWN, 0, 2)).await?)?;
    expect("bError", error, 0x00)?;
    Ok(String::new())
}

pub(super) async fn no_power<B: Bus>(c: &CardBench<B>) -> Verdict {
    let answer = ask(c, &message(POWER_ON, 0, 3)).await?;
    let error = failed(answer)?;
    Ok(format!("error {error:02x}"))
}

pub(super) async fn crumbs<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (usb, out, back) = raw(c).await?;
    for byte in message(SLOT_STATUS, 0, 9) {
        usb.write(out, &[byte], WITHIN).await?;
    }
    let answer = hear(&usb, back, WITHIN).await?;
    expect("bSeq", answer.get(6).copied(), Some(9))?;
    Ok(String::new())
}

pub(super) async fn unread<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (usb, out, _) = raw(c).await?;
    usb.write(out, &message(SLOT_STATUS, 0, 0x33), WITHIN)
        .await?;
    c.0.clock.sleep(Duration::from_millis(200)).await;
    drop(usb);
    let present = c.open().await?.present().await?;
    expect("a card", present, false)?;
    Ok(String::new())
}

pub(super) async fn halted<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (usb, out, back) = raw(c).await?;
    let halt = Setup {
        request_type: 0x02,
        request: 3,
        value: 0,
        index: u16::from(back),
    };
    usb.control(halt, Stage::Out(&[]), WITHIN).await?;
    let read = usb
        .read(back, 512, Duration::from_millis(500))
        .await
        .map(drop);
    expect("the halted pipe", read, Err(UsbError::Stall))?;
    usb.stop_in(back).await?;
    usb.clear_halt(back).await?;
    usb.write(out, &message(SLOT_STATUS, 0, 4), WITHIN).await?;
    let answer = hear(&usb, back, WITHIN).await?;
    expect("bSeq", answer.get(6).copied(), Some(4))?;
    Ok(String::new())
}

pub(super) async fn five_times<B: Bus>(c: &CardBench<B>) -> Verdict {
    for _ in 0..5 {
        let present = c.open().await?.present().await?;
        expect("a card", present, false)?;
    }
    Ok(String::new())
}

pub(super) async fn nobody<B: Bus>(c: &CardBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let began = c.0.now();
    let until = began.saturating_add(Duration::from_secs(2));
    ensure(!reader.wait_card(until).await?, "it saw a card")?;
    let took = c.0.now().saturating_sub(began);
    ensure(
        took < Duration::from_secs(5),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(String::new())
}
