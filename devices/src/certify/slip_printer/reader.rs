//! A slip station's magnetic reader, where one is fitted.

use std::time::Duration;

use super::super::form_printer::{is_done, sale_of_one};
use super::super::wire::{ANSWER_WITHIN, Wire};
use super::super::{Stop, Verdict, ensure, expect};
use super::{HAND, LONG, SlipBench, Station, wire};
use crate::driver::escpos::reply::Reply;
use crate::driver::form_printer::{Diverted, ReadError};
use crate::driver::numbered::Readback;
use crate::transport::{Bus, Transport};

/// DLE EOT BS 1.
const READER: [u8; 4] = [0x10, 0x04, 0x08, 0x01];
const NONE: &str = "no reader is fitted: an operator reads";

fn at_once(reply: &Reply) -> Option<u8> {
    match reply {
        Reply::RealTime(byte) => Some(*byte),
        _ => None,
    }
}

async fn reader<T: Transport>(wire: &mut Wire<T>) -> Result<u8, Stop> {
    wire.ask(&READER, "answer to DLE EOT BS 1", at_once).await
}

/// At rest, without the driver; `None` of a model that has none, or does not answer.
async fn fitted<B: Bus>(c: &SlipBench<B>) -> Result<Option<Wire<B::Transport>>, Stop> {
    drop(c.at_rest().await?);
    let mut wire = wire::wire(c).await?;
    wire::reset(&wire).await?;
    wire.drain().await?;
    let can = c.settings.slip.reads_numbers();
    let answered = can && reader(&mut wire).await.is_ok();
    c.bench
        .learn("magnetic reader", if answered { "fitted" } else { "none" });
    Ok(answered.then_some(wire))
}

pub(super) async fn waits<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let Some(mut wire) = fitted(c).await? else {
        return Ok(NONE.into());
    };
    // ESC f 1 5, FS ( f for details, FS a 0 0.
    let ask = [
        0x1B, 0x66, 0x01, 0x05, 0x1C, 0x28, 0x66, 0x02, 0x00, 0x01, 0x01, 0x1C, 0x61, 0x30, 0x00,
    ];
    wire.say(&ask).await?;
    c.bench.rest(Duration::from_millis(500)).await;
    let waiting = reader(&mut wire).await;
    wire.say(&[0x10, 0x05, 0x03]).await?;
    let bad = |r: &Reply| match r {
        Reply::Data(body) => Some(body.clone()),
        _ => None,
    };
    let (said, _) = wire.wait_for(ANSWER_WITHIN, "reading", bad).await?;
    let after = reader(&mut wire).await?;
    expect("selected and waiting (bits 2 and 3)", waiting? & 0x0C, 0x08)?;
    expect("after DLE ENQ 3", after & 0x0C, 0x04)?;
    // Abnormal, with detail 42: cancelled by command.
    let cancelled = matches!(said.as_slice(), [status, 0x42, ..] if status & 0x68 == 0x68);
    ensure(cancelled, format!("the reading: {said:02x?}"))?;
    Ok(String::new())
}

/// A form is put in while the reader waits for it.
async fn under_the_reader<B: Bus>(c: &SlipBench<B>) -> Result<Station<B>, Stop> {
    let mut printer = c.open_read_by(Readback::Micr).await?;
    c.fed(&mut printer).await?;
    Ok(printer)
}

pub(super) async fn reads<B: Bus>(c: &SlipBench<B>) -> Verdict {
    if fitted(c).await?.is_none() {
        return Ok(NONE.into());
    }
    let mut printer = under_the_reader(c).await?;
    let read = printer.read_number(LONG).await;
    let seen = c.number().await;
    printer.divert(LONG).await?;
    c.take().await?;
    expect("the number", read?, seen?)?;
    Ok(String::new())
}

pub(super) async fn says_again<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let Some(mut wire) = fitted(c).await? else {
        return Ok(NONE.into());
    };
    wire.say(&[0x1B, 0x66, 0x01, 0x05, 0x1C, 0x61, 0x30, 0x00])
        .await?;
    let data = |r: &Reply| match r {
        Reply::Data(body) => Some(body.clone()),
        _ => None,
    };
    let reading = wire.wait_for(LONG, "reading", data);
    let words = "put a blank form into the printer";
    let (first, _) = c.bench.during(reading, HAND, "insert", words).await??;
    let again = wire.ask(&[0x1C, 0x62], "answer to FS b", data).await;
    wire.say(&[0x1C, 0x61, 0x32]).await?;
    c.bench.rest(Duration::from_secs(2)).await;
    drop(wire);
    c.take().await?;
    expect("the reading", again?, first)?;
    Ok(String::new())
}

pub(super) async fn prints<B: Bus>(c: &SlipBench<B>) -> Verdict {
    if fitted(c).await?.is_none() {
        return Ok(NONE.into());
    }
    let mut printer = under_the_reader(c).await?;
    let number = printer.read_number(LONG).await?;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let outcome = printer.print(&job, &text, LONG).await;
    c.take().await?;
    is_done(&outcome)
}

pub(super) async fn unreadable<B: Bus>(c: &SlipBench<B>) -> Verdict {
    if fitted(c).await?.is_none() {
        return Ok(NONE.into());
    }
    let words = "take a form whose number is covered for the next check";
    c.bench.act("unreadable next", words).await?;
    let mut printer = under_the_reader(c).await?;
    let read = printer.read_number(LONG).await;
    let diverted = printer.divert(LONG).await;
    c.take().await?;
    let unread = matches!(read, Err(ReadError::Unreadable { .. }));
    ensure(unread, format!("the reading: {read:?}"))?;
    expect("diverted", diverted, Ok(Diverted::ToOperator))?;
    Ok(String::new())
}
