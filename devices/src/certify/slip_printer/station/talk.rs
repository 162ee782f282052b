//! Questions and answers of a station at rest.

use std::time::Duration;

use super::super::super::wire::{ANSWER_WITHIN, Wire};
use super::super::super::{Stop, Verdict, expect};
use super::super::{SlipBench, wire};
use crate::driver::escpos::reply::{Asb, Reply};
use crate::transport::{Bus, Transport};

/// GS a FF.
pub(super) const PUSH: [u8; 3] = [0x1D, 0x61, 0xFF];
/// DLE EOT 5.
pub(super) const SLIP: [u8; 3] = [0x10, 0x04, 0x05];
/// GS r 1.
const PAPER: [u8; 3] = [0x1D, 0x72, 0x01];

pub(super) fn pushed(reply: &Reply) -> Option<Asb> {
    match reply {
        Reply::Asb(asb) => Some(*asb),
        _ => None,
    }
}

pub(super) fn at_once(reply: &Reply) -> Option<u8> {
    match reply {
        Reply::RealTime(byte) => Some(*byte),
        _ => None,
    }
}

fn queued(reply: &Reply) -> Option<u8> {
    match reply {
        Reply::Status(byte) => Some(*byte),
        _ => None,
    }
}

/// At rest, and without the driver; pushed status is on.
pub(super) async fn ready<B: Bus>(c: &SlipBench<B>) -> Result<(Wire<B::Transport>, Asb), Stop> {
    drop(c.at_rest().await?);
    let mut wire = wire::wire(c).await?;
    wire::reset(&wire).await?;
    wire.drain().await?;
    let asb = wire.ask(&PUSH, "pushed status", pushed).await?;
    Ok((wire, asb))
}

/// DLE EOT 5.
pub(super) async fn slip<T: Transport>(wire: &mut Wire<T>) -> Result<u8, Stop> {
    wire.ask(&SLIP, "answer to DLE EOT 5", at_once).await
}

pub(super) async fn pushed_at_once<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (_, asb) = ready(c).await?;
    let [first, second, third, fourth] = asb.0;
    expect("byte 1", first & 0x93, 0x10)?;
    for byte in [second, third, fourth] {
        expect("bits 4 and 7", byte & 0x90, 0)?;
    }
    Ok(format!("{first:02x}{second:02x}{third:02x}{fourth:02x}"))
}

pub(super) async fn at_rest<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (_, Asb([_, second, third, fourth])) = ready(c).await?;
    expect("errors", second, 0)?;
    expect("the sensors", third & 0x60, 0x60)?;
    expect("the slip", fourth & 0x03, 0x03)?;
    Ok(format!("{third:02x} {fourth:02x}"))
}

pub(super) async fn real_time<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, _) = ready(c).await?;
    let mut said = Vec::new();
    for n in 1..=4 {
        let byte = wire
            .ask(&[0x10, 0x04, n], "real-time answer", at_once)
            .await?;
        said.push(format!("{byte:02x}"));
    }
    Ok(said.join(" "))
}

pub(super) async fn slip_status<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, asb) = ready(c).await?;
    let byte = slip(&mut wire).await?;
    expect("DLE EOT 5", byte, 0x76)?;
    expect("its sensors and pushed ones", byte & 0x60, asb.0[2] & 0x60)?;
    Ok(String::new())
}

/// What it says to `pieces` of queued answers, until it is silent.
async fn answers<B: Bus>(c: &SlipBench<B>, pieces: &[&[u8]]) -> Result<usize, Stop> {
    let (mut wire, _) = ready(c).await?;
    for piece in pieces {
        wire.say(piece).await?;
    }
    let heard = wire.hear(Duration::from_millis(500)).await?;
    Ok(heard.iter().filter_map(queued).count())
}

pub(super) async fn question<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let question = c.settings.slip.question();
    expect("answers", answers(c, &[question]).await?, 1)?;
    Ok(String::new())
}

pub(super) async fn two_questions<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let twice = c.settings.slip.question().repeat(2);
    expect("answers", answers(c, &[&twice]).await?, 2)?;
    Ok(String::new())
}

pub(super) async fn crumbs<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let crumbs: Vec<&[u8]> = PAPER.chunks(1).collect();
    expect("answers", answers(c, &crumbs).await?, 1)?;
    let (mut wire, _) = ready(c).await?;
    for byte in SLIP {
        wire.say(&[byte]).await?;
    }
    let (byte, _) = wire
        .wait_for(ANSWER_WITHIN, "answer to DLE EOT 5", at_once)
        .await?;
    expect("DLE EOT 5", byte, 0x76)?;
    Ok(String::new())
}

pub(super) async fn mixed<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, _) = ready(c).await?;
    wire.say(&[&PUSH[..], &PAPER, &SLIP].concat()).await?;
    let heard = wire.hear(Duration::from_millis(500)).await?;
    let count = |is: fn(&Reply) -> bool| heard.iter().filter(|r| is(r)).count();
    expect("pushed", count(|r| pushed(r).is_some()), 1)?;
    expect("queued", count(|r| queued(r).is_some()), 1)?;
    expect("real-time", count(|r| at_once(r).is_some()), 1)?;
    expect("replies", heard.len(), 3)?;
    Ok(String::new())
}

pub(super) async fn unread<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (wire, _) = ready(c).await?;
    wire.say(&PAPER.repeat(3)).await?;
    c.bench.clock.sleep(Duration::from_millis(300)).await;
    drop(wire);
    expect("answers", answers(c, &[&PAPER]).await?, 1)?;
    Ok(String::new())
}

pub(super) async fn half<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (wire, _) = ready(c).await?;
    // ESC c 0 without its n.
    wire.say(&[0x1B, 0x63, 0x30]).await?;
    drop(wire);
    let mut printer = c.open().await?;
    expect("fault", printer.status().await?.fault, None)?;
    drop(printer);
    expect("answers", answers(c, &[&PAPER]).await?, 1)?;
    Ok(String::new())
}

pub(super) async fn silence<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (wire, _) = ready(c).await?;
    let heard = wire.hear_bytes(Duration::from_secs(1)).await?;
    expect("bytes", heard.len(), 0)?;
    Ok(String::new())
}

pub(super) async fn settings<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let unknown = c
        .bench
        .hands
        .count(&c.bench.path, "unknown-commands")
        .await?;
    let rolled = super::rolled(c).await?;
    let (mut wire, _) = ready(c).await?;
    // ESC @, GS P 203 203, ESC U 1, FS &, ESC c 4 30, ESC f 2 5, and an ESC J 0 that
    // would print what one of them left as text.
    let all = [
        0x1B, 0x40, 0x1D, 0x50, 0xCB, 0xCB, 0x1B, 0x55, 0x01, 0x1C, 0x26, 0x1B, 0x63, 0x34, 0x30,
        0x1B, 0x66, 0x02, 0x05, 0x1B, 0x4A, 0x00,
    ];
    wire.say(&all).await?;
    wire.ask(&PAPER, "answer behind them", queued).await?;
    drop(wire);
    let after = c
        .bench
        .hands
        .count(&c.bench.path, "unknown-commands")
        .await?;
    expect("unknown commands", after, unknown)?;
    super::nothing_rolled(c, rolled).await
}
