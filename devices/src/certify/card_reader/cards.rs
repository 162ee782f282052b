//! Cards in the slot.

use std::time::Duration;

use counterfoil_data::wire::hex;

use super::super::{Stop, Verdict, ensure, expect};
use super::{CardBench, INSERT, LONG, REMOVE};
use crate::driver::ccid::CcidError;
use crate::transport::{Bus, Transport, UsbError};

type Reader<B> = crate::driver::ccid::Reader<<B as Bus>::Transport>;

const SOON: Duration = Duration::from_secs(2);
/// SELECT 1PAY.SYS.DDF01, the card's directory (EMV book 1, 11.3).
const SELECT: [u8; 20] = *b"\x00\xA4\x04\x00\x0E1PAY.SYS.DDF01\x00";

async fn inserted<B: Bus>(c: &CardBench<B>) -> Result<(), Stop> {
    c.0.act_for_now(INSERT, REMOVE).await
}

/// A reader with a powered card, and the card's ATR.
async fn powered<B: Bus>(c: &CardBench<B>) -> Result<(Reader<B>, String), Stop> {
    let mut reader = c.open().await?;
    inserted(c).await?;
    let until = c.0.now().saturating_add(LONG);
    ensure(reader.wait_card(until).await?, "it sees no card")?;
    let atr = format!("{:?}", reader.power_on(LONG).await?);
    Ok((reader, atr))
}

pub(super) async fn seen<B: Bus>(c: &CardBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    inserted(c).await?;
    let began = c.0.now();
    ensure(
        reader.wait_card(began.saturating_add(LONG)).await?,
        "it sees no card",
    )?;
    let took = c.0.now().saturating_sub(began);
    ensure(took <= SOON, format!("after {} ms", took.as_millis()))?;
    Ok(String::new())
}

pub(super) async fn missed<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    c.0.put_right().await?;
    let began = c.0.now();
    let until = began.saturating_add(LONG);
    ensure(
        reader.wait_removed(until).await?,
        "it sees a card that is gone",
    )?;
    let took = c.0.now().saturating_sub(began);
    ensure(took <= SOON, format!("after {} ms", took.as_millis()))?;
    Ok(String::new())
}

pub(super) async fn reset<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, first) = powered(c).await?;
    for _ in 0..2 {
        reader.power_off().await?;
        let again = format!("{:?}", reader.power_on(LONG).await?);
        expect("the answer to reset", again, first.clone())?;
    }
    Ok(String::new())
}

/// The status word of the selection.
async fn selected<T: Transport>(
    reader: &mut crate::driver::ccid::Reader<T>,
) -> Result<String, Stop> {
    let answer = reader.transmit(&SELECT, LONG).await?;
    let (one, two) = answer.sw.bytes();
    Ok(hex(&[one, two]))
}

pub(super) async fn select<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    let word = selected(&mut reader).await?;
    // Done, or a card without that directory.
    let lawful = ["9000", "6a82", "6a81"].contains(&word.as_str());
    ensure(lawful, format!("status word {word}"))?;
    Ok(word)
}

pub(super) async fn unknown<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    let before = selected(&mut reader).await?;
    let answer = reader
        .transmit(&[0x00, 0x7E, 0x00, 0x00, 0x00], LONG)
        .await?;
    let (one, two) = answer.sw.bytes();
    let word = hex(&[one, two]);
    ensure(word != "9000", "an unknown instruction was done")?;
    expect(
        "the selection after it",
        selected(&mut reader).await?,
        before,
    )?;
    Ok(word)
}

pub(super) async fn twenty<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    let first = selected(&mut reader).await?;
    for _ in 0..19 {
        expect("a later one", selected(&mut reader).await?, first.clone())?;
    }
    Ok(String::new())
}

pub(super) async fn pulled<B: Bus>(c: &CardBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    c.0.act(INSERT.0, INSERT.1).await?;
    let words = "get ready to take the card out while its light flickers";
    c.0.act("remove during apdu 3", words).await?;
    let began = c.0.now();
    reader.power_on(LONG).await?;
    let error = loop {
        if let Err(error) = reader.transmit(&SELECT, LONG).await {
            break error;
        }
        let took = c.0.now().saturating_sub(began);
        ensure(took < LONG, "the card was not taken out")?;
    };
    let named = matches!(error, CcidError::Absent | CcidError::NotPowered);
    ensure(named, format!("it ended with: {error}"))?;
    drop(reader);
    expect("a card", c.open().await?.present().await?, false)?;
    Ok(error.to_string())
}

pub(super) async fn without_power<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    reader.power_off().await?;
    let answer = reader.transmit(&SELECT, LONG).await.map(drop);
    ensure(answer.is_err(), "it was answered")?;
    Ok(String::new())
}

pub(super) async fn mute<B: Bus>(c: &CardBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let words = "put a card in the wrong way round";
    c.0.act_for_now(("insert zhang-card;mute", words), REMOVE)
        .await?;
    let began = c.0.now();
    let answer = reader.power_on(LONG).await.map(drop);
    let took = c.0.now().saturating_sub(began);
    ensure(answer.is_err(), "it answered to reset")?;
    ensure(took < LONG, format!("after {} ms", took.as_millis()))?;
    Ok(answer.err().map(|e| e.to_string()).unwrap_or_default())
}

pub(super) async fn lost<B: Bus>(c: &CardBench<B>) -> Verdict {
    let (mut reader, _) = powered(c).await?;
    let before = selected(&mut reader).await?;
    tokio::select! {
        _ = reader.transmit(&SELECT, LONG) => {}
        () = c.0.rest(Duration::from_millis(5)) => {}
    }
    drop(reader);
    let mut reader = c.open().await?;
    reader.power_on(LONG).await?;
    expect("the selection", selected(&mut reader).await?, before)?;
    Ok(String::new())
}

pub(super) async fn cable<B: Bus>(c: &CardBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let began = c.0.now();
    let waiting = reader.wait_card(began.saturating_add(LONG));
    let words = "pull its usb cable";
    let seen =
        c.0.during(waiting, Duration::from_secs(1), "unplug", words)
            .await?;
    let took = c.0.now().saturating_sub(began);
    drop(reader);
    c.0.act("replug", "put its usb cable back in").await?;
    c.0.comes_back().await?;
    let gone = matches!(seen, Err(CcidError::Usb(UsbError::NoDevice)));
    ensure(gone, format!("the wait: {seen:?}"))?;
    ensure(took < LONG, "it ended only at its deadline")?;
    Ok(String::new())
}
