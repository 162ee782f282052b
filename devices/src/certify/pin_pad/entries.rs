//! Entries: counted, sealed, given up.

use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey, SealKey, Sealed, SecretText};
use counterfoil_data::seam::random;

use super::super::{Stop, Verdict, ensure, expect};
use super::{LONG, PadBench};
use crate::driver::pin_pad::{PinEvent, PinPad as _, UsbPinPad};
use crate::transport::{Bus, Transport};

const DIGITS: u8 = 6;
const TYPE_ALL: (&str, &str) = ("wrong", "type six digits and press enter");

/// A key pair of this entry alone, and what it is bound to.
fn session<B: Bus>(c: &PadBench<B>) -> (OpenKey, SealKey, Binding) {
    let entropy = &*c.0.entropy;
    let (open, seal) = OpenKey::derive(&random(entropy));
    let binding = Binding {
        sale: SaleId(u128::from_be_bytes(random(entropy))),
        challenge: Challenge(random(entropy)),
    };
    (open, seal, binding)
}

/// Events until one that is no count; the counts on the way.
async fn ended<T: Transport>(pad: &mut UsbPinPad<T>) -> Result<(PinEvent, Vec<u8>), Stop> {
    let mut counts = Vec::new();
    loop {
        match pad.next(LONG).await? {
            PinEvent::Digits(count) if counts.len() < 64 => counts.push(count),
            event => return Ok((event, counts)),
        }
    }
}

/// One whole entry: the sealed block, and the counts.
async fn entered<B: Bus>(
    c: &PadBench<B>,
    seal: SealKey,
    binding: Binding,
) -> Result<(Sealed<SecretText>, Vec<u8>), Stop> {
    let mut pad = c.open().await?;
    pad.begin(binding, seal, DIGITS).await?;
    c.0.act(TYPE_ALL.0, TYPE_ALL.1).await?;
    match ended(&mut pad).await? {
        (PinEvent::Done(block), counts) => Ok((block, counts)),
        (other, _) => Err(Stop::Failed(format!("the entry ended with {other:?}"))),
    }
}

pub(super) async fn nobody<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let mut pad = c.open().await?;
    pad.begin(binding, seal, DIGITS).await?;
    let began = c.0.now();
    let event = pad.next(Duration::from_secs(2)).await?;
    let took = c.0.now().saturating_sub(began);
    pad.abort().await?;
    ensure(matches!(event, PinEvent::TimedOut), format!("{event:?}"))?;
    ensure(
        took < Duration::from_secs(5),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(String::new())
}

pub(super) async fn counts<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let (_, counts) = entered(c, seal, binding).await?;
    expect("counts", counts, (1..=DIGITS).collect())?;
    Ok(String::new())
}

pub(super) async fn sealed<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (open, seal, binding) = session(c);
    let (block, _) = entered(c, seal, binding).await?;
    let opened = block
        .open(&open, binding)
        .map_err(|e| Stop::Failed(e.to_string()))?;
    let digits = opened.0.expose();
    let lawful = digits.len() == usize::from(DIGITS) && digits.bytes().all(|b| b.is_ascii_digit());
    ensure(lawful, format!("{} characters in it", digits.len()))?;
    Ok(String::new())
}

pub(super) async fn bound<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (open, seal, binding) = session(c);
    let (block, _) = entered(c, seal, binding).await?;
    let (_, _, other) = session(c);
    ensure(
        block.open(&open, other).is_err(),
        "it opens under another sale",
    )?;
    ensure(
        block.open(&open, binding).is_ok(),
        "it does not open under its own",
    )?;
    Ok(String::new())
}

pub(super) async fn fresh<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let (first, _) = entered(c, seal, binding).await?;
    let (second, _) = entered(c, seal, binding).await?;
    ensure(
        first.to_bytes() != second.to_bytes(),
        "both blocks are the same",
    )?;
    Ok(String::new())
}

pub(super) async fn clear<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let mut pad = c.open().await?;
    pad.begin(binding, seal, DIGITS).await?;
    c.0.act(
        "type 3;clear;cancel",
        "type three digits, press clear, then cancel",
    )
    .await?;
    let (event, counts) = ended(&mut pad).await?;
    ensure(matches!(event, PinEvent::Cancelled), format!("{event:?}"))?;
    expect("counts", counts, vec![1, 2, 3, 0])?;
    Ok(String::new())
}

pub(super) async fn cancel<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let mut pad = c.open().await?;
    pad.begin(binding, seal, DIGITS).await?;
    c.0.act("type 2;cancel", "type two digits, then press cancel")
        .await?;
    let (event, _) = ended(&mut pad).await?;
    ensure(matches!(event, PinEvent::Cancelled), format!("{event:?}"))?;
    ensure(pad.next(LONG).await.is_err(), "the entry goes on")?;
    Ok(String::new())
}

pub(super) async fn forgotten<B: Bus>(c: &PadBench<B>) -> Verdict {
    let (_, seal, binding) = session(c);
    let mut pad = c.open().await?;
    pad.begin(binding, seal, DIGITS).await?;
    c.0.act("type 4", "type four digits and stop").await?;
    pad.abort().await?;
    pad.begin(binding, seal, DIGITS).await?;
    c.0.act(TYPE_ALL.0, TYPE_ALL.1).await?;
    let (event, counts) = ended(&mut pad).await?;
    ensure(matches!(event, PinEvent::Done(_)), format!("{event:?}"))?;
    expect("counts", counts, (1..=DIGITS).collect())?;
    Ok(String::new())
}
