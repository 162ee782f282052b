//! A blank from the cassette to the reader and into the reject bin.

use std::time::Duration;

use super::super::wire::ANSWER_WITHIN;
use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::reply::Reply;
use crate::driver::form_printer::{Diverted, FeedError, Occupancy, ReadError};
use crate::transport::Bus;

const FIRMWARE: &str = "update the firmware";
const READER: &str = "clean or replace the number reader";
/// FS ( f: detail with every bad reading, keep the sheet after one.
const OPTIONS: [u8; 9] = [0x1C, 0x28, 0x66, 0x04, 0x00, 0x01, 0x01, 0x02, 0x01];
/// FS a 0.
const READ: [u8; 4] = [0x1C, 0x61, 0x30, 0x00];
/// Readings of one sheet that must all agree.
const READINGS: usize = 10;

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-44", "a slot that is not there feeds nothing and says so", "FS ( S fn 48",
            FIRMWARE, |c| Box::pin(no_slot(c))),
        Check::new("FP-45", "a fed blank is seen by the sensors", "FS ( S fn 48; GS a, byte 3",
            "clean the slip sensors", |c| Box::pin(seen(c))).spoils(1),
        Check::new("FP-46", "the number read is the one on the blank", "FS a 0", READER,
            |c| Box::pin(right_number(c))).spoils(1),
        Check::new("FP-47", "ten readings of one sheet agree",
            "FS a 0; a number has no check digit",
            READER, |c| Box::pin(ten_readings(c))).spoils(1),
        Check::new("FP-48", "a reading is 5F, status, detail, 1F, sixteen digits, 00",
            "TM-H5000II spec., FS a 0", FIRMWARE, |c| Box::pin(framed(c))).spoils(1),
        Check::new("FP-49", "FS b sends the same reading again",
            "TM-H5000II spec., FS b", FIRMWARE,
            |c| Box::pin(again(c))).spoils(1),
        Check::new("FP-50", "the blanks of a cassette come in the order of their numbers",
            "blanks are assigned from the head of the cassette", "load the cassette again",
            |c| Box::pin(in_sequence(c))).spoils(2),
        Check::new("FP-51", "a second blank is not fed onto the first", "FS ( S fn 48", FIRMWARE,
            |c| Box::pin(one_at_a_time(c))).spoils(1),
        Check::new("FP-52", "the feeder itself refuses a second blank",
            "FS ( S fn 48: 44", FIRMWARE,
            |c| Box::pin(feeder_refuses(c))).spoils(1),
        Check::new("FP-53", "a diverted sheet is out of the transport and not in the bundle",
            "FS a 2",
            "clear the reject bin", |c| Box::pin(diverted(c))).spoils(1),
        Check::new("FP-54", "with no sheet there is no number, and none is invented",
            "TM-H5000II spec., FS a 0, detail 41", FIRMWARE, |c| Box::pin(nothing_to_read(c))),
        Check::new("FP-55", "a sheet read by an earlier handle is still there, and only diverted",
            "nobody knows what was done to it", FIRMWARE, |c| Box::pin(reopened(c))).spoils(1),
    ]
}

async fn no_slot<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let there = printer.status().await?.slots;
    let free = (1..=8).rev().find_map(|n| {
        let slot = format!("slot-{n}").parse().ok()?;
        there.iter().all(|s| s.slot != slot).then_some(slot)
    });
    let free = free.ok_or_else(|| Stop::Skipped("all eight slots have a cassette".into()))?;
    let fault = PrintFault::SourceInvalid;
    expect(
        "the feed",
        printer.feed(&free, LONG).await,
        Err(FeedError::NothingFed { fault }),
    )?;
    expect(
        "transport",
        printer.status().await?.transport,
        Occupancy::Empty,
    )?;
    Ok(free.to_string())
}

async fn seen<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    let there = printer.status().await?.transport;
    printer.divert(LONG).await?;
    expect("transport", there, Occupancy::Occupied)?;
    Ok(String::new())
}

async fn right_number<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let expected = c.expected().await?;
    let read = c.fed(&mut printer).await?;
    printer.divert(LONG).await?;
    expect("the number", read.to_string(), expected.to_string())?;
    Ok(read.to_string())
}

async fn ten_readings<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    drop(printer);
    let mut wire = c.wire().await?;
    let mut all = Vec::new();
    for _ in 0..READINGS {
        wire.say(&READ).await?;
        let body = |r: &Reply| match r {
            Reply::Data(body) => Some(body.clone()),
            _ => None,
        };
        let (reading, _) = wire.wait_for(LONG, "reading", body).await?;
        all.push(reading);
    }
    drop(wire);
    c.at_rest().await?;
    let differ = all
        .windows(2)
        .filter(|two| two.first() != two.last())
        .count();
    ensure(
        differ == 0,
        format!("{differ} of {READINGS} readings differ from the one before"),
    )?;
    Ok(format!("{READINGS} readings"))
}

/// The bytes of one raw reading of a fed sheet, and of what else `more` asks for.
async fn raw_reading<B: Bus>(c: &FormBench<B>, more: &[u8]) -> Result<Vec<Vec<u8>>, Stop> {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    drop(printer);
    let mut wire = c.wire().await?;
    wire.say(&[&OPTIONS, READ.as_slice(), more].concat())
        .await?;
    let mut bodies = Vec::new();
    let wanted = if more.is_empty() { 1 } else { 2 };
    for _ in 0..wanted {
        let body = |r: &Reply| match r {
            Reply::Data(body) => Some(body.clone()),
            _ => None,
        };
        bodies.push(wire.wait_for(LONG, "reading", body).await?.0);
    }
    drop(wire);
    c.at_rest().await?;
    Ok(bodies)
}

async fn framed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let bodies = raw_reading(c, &[]).await?;
    let body = bodies.first().cloned().unwrap_or_default();
    let [status, detail, 0x1F, digits @ ..] = body.as_slice() else {
        return Err(Stop::Failed(format!("{body:02x?}")));
    };
    // Bit 6 is fixed, bit 3 says that a detail follows, bit 5 would be abnormal.
    expect("status", status & 0xE8, 0x48)?;
    expect("detail", *detail, 0x40)?;
    let lawful = digits.len() == 16 && digits.iter().all(u8::is_ascii_digit);
    ensure(lawful, format!("{} digits", digits.len()))?;
    Ok(String::new())
}

async fn again<B: Bus>(c: &FormBench<B>) -> Verdict {
    let bodies = raw_reading(c, &[0x1C, 0x62]).await?;
    expect("the second", bodies.last(), bodies.first())?;
    Ok(String::new())
}

async fn in_sequence<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let first = c.fed(&mut printer).await?;
    printer.divert(LONG).await?;
    let second = c.fed(&mut printer).await?;
    printer.divert(LONG).await?;
    let wanted = super::following(first).map(|n| n.to_string());
    expect("the second", Some(second.to_string()), wanted)?;
    Ok(format!("{first}, {second}"))
}

async fn one_at_a_time<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    let second = printer.feed(&c.slot, LONG).await;
    printer.divert(LONG).await?;
    let fault = PrintFault::MediaRetained;
    expect(
        "the second feed",
        second,
        Err(FeedError::NothingFed { fault }),
    )?;
    Ok(String::new())
}

async fn feeder_refuses<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    drop(printer);
    let mut wire = c.wire().await?;
    let digit = c
        .slot
        .as_str()
        .bytes()
        .last()
        .unwrap_or(b'1')
        .wrapping_sub(b'0');
    wire.say(&[0x1C, 0x28, 0x53, 0x02, 0x00, 0x30, digit])
        .await?;
    let result = |r: &Reply| match r {
        Reply::Tagged(0x54, body) => Some(body.clone()),
        _ => None,
    };
    let answered = wire
        .wait_for(ANSWER_WITHIN, "feeder's answer", result)
        .await;
    drop(wire);
    c.at_rest().await?;
    expect("the feeder", answered?.0, vec![0x44])?;
    Ok(String::new())
}

async fn diverted<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    expect("diverted", printer.divert(LONG).await?, Diverted::ToReject)?;
    let status = printer.status().await?;
    let places = [status.transport, status.escrow, status.output];
    expect("transport, escrow, output", places, [Occupancy::Empty; 3])?;
    let twice = printer.divert(LONG).await?;
    expect("diverted again", twice, Diverted::NothingThere)?;
    Ok(String::new())
}

async fn nothing_to_read<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let fault = PrintFault::NoMediaPresent;
    expect(
        "the reading",
        printer.read_number(LONG).await,
        Err(ReadError::Printer { fault }),
    )?;
    drop(printer);
    let mut wire = c.wire().await?;
    wire.say(&[OPTIONS.as_slice(), &READ].concat()).await?;
    let came = wire.hear(Duration::from_secs(2)).await?;
    let digits = came.iter().any(|r| match r {
        Reply::Data(body) => body.iter().filter(|b| b.is_ascii_digit()).count() >= 16,
        _ => false,
    });
    ensure(!digits, format!("it read {came:?}"))?;
    Ok(String::new())
}

async fn reopened<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let read = c.fed(&mut printer).await?;
    drop(printer);
    let mut printer = c.open().await?;
    expect(
        "transport",
        printer.status().await?.transport,
        Occupancy::Occupied,
    )?;
    let (job, text) = c.job(read)?;
    let refused = printer.print(&job, &text, LONG).await;
    expect("diverted", printer.divert(LONG).await?, Diverted::ToReject)?;
    super::not_done(&refused)?;
    Ok(String::new())
}
