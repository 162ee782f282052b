//! What it says of itself while nothing moves.

use std::time::Duration;

use super::super::wire::{ANSWER_WITHIN, Wire, fence, is_fence};
use super::super::{Check, Stop, Verdict, ensure, expect};
use super::FormBench;
use crate::driver::escpos::device_id::DeviceId;
use crate::driver::escpos::reply::{Asb, Reply};
use crate::driver::form_printer::{Level, Occupancy};
use crate::transport::{Bus, Stage, Transport};

/// GS a FF (Epson, automatic status back).
const STATUS_BACK: [u8; 3] = [0x1D, 0x61, 0xFF];
/// FS ( S fn 49, this printer's mechanism report.
const MECHANISM: [u8; 7] = [0x1C, 0x28, 0x53, 0x02, 0x00, 0x31, 0x30];
/// GS e 6 (Custom, presenter).
const PRESENTER: [u8; 3] = [0x1D, 0x65, 0x06];
/// How soon pushed status must come after it was turned on.
const AT_ONCE: Duration = Duration::from_secs(1);

const FIRMWARE: &str = "update the firmware";

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-16", "GS a FF pushes four bytes at once", "TM-H5000II spec., GS a",
            "use a model that pushes status: nothing can be asked once OUT is full",
            |c| Box::pin(pushes(c))),
        Check::new("FP-17", "pushed status at rest: no fault, no sheet, slip not selected",
            "TM-H5000II spec., GS a", "clear the printer and begin again",
            |c| Box::pin(at_rest(c))),
        Check::new("FP-18", "DLE EOT 1 to 4 answer one byte each, without a fault",
            "TM-T88III spec., DLE EOT", FIRMWARE, |c| Box::pin(real_time(c))),
        Check::new("FP-19", "DLE EOT 5 says that no slip is selected and both sensors are free",
            "TM-H5000II spec., DLE EOT", FIRMWARE, |c| Box::pin(slip_status(c))),
        Check::new("FP-20", "DLE EOT is answered before what is queued",
            "TM-T88III spec., DLE EOT",
            FIRMWARE, |c| Box::pin(real_time_first(c))),
        Check::new("FP-21", "GS r 1 is answered in its turn", "TM-T88III spec., GS r", FIRMWARE,
            |c| Box::pin(in_order(c))),
        Check::new("FP-22", "GS I 66, 67 and 68 say who it is", "TM-T88III spec., GS I", FIRMWARE,
            |c| Box::pin(identity(c))),
        Check::new("FP-23", "GS I and the device id name the same model",
            "Rongta clones answer with another maker's name", "have the maker say who it is",
            |c| Box::pin(same_name(c))),
        Check::new("FP-24", "GS ( H answers with the id it was given", "TM-T88VI, GS ( H fn 48",
            "use a model with GS ( H: without it no form is proven", |c| Box::pin(own_id(c))),
        Check::new("FP-25", "three ids come back in order, each once",
            "TM-T88VI, GS ( H fn 48", FIRMWARE,
            |c| Box::pin(three_ids(c))),
        Check::new("FP-26", "the mechanism report is whole and names the slot", "FS ( S fn 49",
            "put the cassette in", |c| Box::pin(mechanism(c))),
        Check::new("FP-27", "the slot is not empty", "FS ( S fn 49", "fill the cassette",
            |c| Box::pin(level(c))),
        Check::new("FP-28", "the presenter reports nothing at rest, in one byte of its class",
            "Custom KPM-216, GS e 6", "clear the presenter", |c| Box::pin(presenter(c))),
        Check::new("FP-29", "the driver opens it and sees nothing anywhere",
            "the driver's hello", FIRMWARE,
            |c| Box::pin(driver_opens(c))),
        Check::new("FP-30", "it opens ten times running", "the driver's hello", FIRMWARE,
            |c| Box::pin(ten_times(c))),
    ]
}

async fn pushed<T: Transport>(wire: &mut Wire<T>) -> Result<Asb, Stop> {
    wire.say(&STATUS_BACK).await?;
    let status = |r: &Reply| match r {
        Reply::Asb(asb) => Some(*asb),
        _ => None,
    };
    let (asb, _) = wire.wait_for(AT_ONCE, "pushed status", status).await?;
    Ok(asb)
}

async fn pushes<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let Asb([a, b, d, e]) = pushed(&mut wire).await?;
    Ok(format!("{a:02x} {b:02x} {d:02x} {e:02x}"))
}

async fn at_rest<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let asb = pushed(&mut wire).await?;
    // 14 with the drawer's pin high, which is no fault.
    let Asb([first, errors, paper, slip]) = asb;
    expect("byte 1", first & !0x04, 0x10)?;
    expect("byte 2", errors, 0x00)?;
    expect("byte 3", paper & !0x03, 0x60)?;
    expect("byte 4", slip & 0x01, 0x01)?;
    Ok(String::new())
}

/// DLE EOT n.
async fn real_time_answer<T: Transport>(wire: &mut Wire<T>, n: u8) -> Result<u8, Stop> {
    let byte = |r: &Reply| match r {
        Reply::RealTime(byte) => Some(*byte),
        _ => None,
    };
    wire.ask(&[0x10, 0x04, n], &format!("answer to DLE EOT {n}"), byte)
        .await
}

async fn real_time<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    for n in 1..=4 {
        // 16 with the drawer's pin high.
        let byte = real_time_answer(&mut wire, n).await?;
        expect(&format!("DLE EOT {n}"), byte & !0x04, 0x12)?;
    }
    Ok(String::new())
}

async fn slip_status<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    expect("DLE EOT 5", real_time_answer(&mut wire, 5).await?, 0x76)?;
    Ok(String::new())
}

async fn real_time_first<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    // GS ( H without its last bytes: everything behind it waits, DLE EOT does not.
    wire.say(&[0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30])
        .await?;
    let first = real_time_answer(&mut wire, 1).await;
    wire.say(b"C020").await?;
    let fenced = wire
        .wait_for(ANSWER_WITHIN, "fence C020", is_fence(*b"C020"))
        .await;
    first?;
    fenced?;
    Ok(String::new())
}

async fn in_order<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let both = [&[0x1D, 0x72, 0x01], fence(*b"C021").as_slice()].concat();
    wire.say(&both).await?;
    let fenced = wire.wait_for(ANSWER_WITHIN, "fence C021", is_fence(*b"C021"));
    let ((), before) = fenced.await?;
    expect("before the fence", before, vec![Reply::Status(0)])?;
    Ok(String::new())
}

async fn told<T: Transport>(wire: &mut Wire<T>, n: u8) -> Result<String, Stop> {
    let text = |r: &Reply| match r {
        Reply::Data(body) => Some(String::from_utf8_lossy(body).into_owned()),
        _ => None,
    };
    wire.ask(&[0x1D, 0x49, n], &format!("answer to GS I {n}"), text)
        .await
}

async fn identity<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let mut said = Vec::new();
    for n in [0x42, 0x43, 0x44] {
        let text = told(&mut wire, n).await?;
        ensure(!text.is_empty(), format!("GS I {n:02x} is empty"))?;
        said.push(text);
    }
    let said = said.join(", ");
    c.bench.learn("GS I", said.clone());
    Ok(said)
}

async fn same_name<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let asked = super::super::wire::device_id(wire.interface, wire.alternate);
    let Ok(bytes) = wire.control(asked, Stage::In(1024)).await else {
        return Err(Stop::Skipped("it has no device id to compare with".into()));
    };
    let id = DeviceId::parse(&bytes);
    expect("GS I 67", told(&mut wire, 0x43).await?, id.model)?;
    Ok(String::new())
}

async fn own_id<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    wire.fence(*b"C024", ANSWER_WITHIN).await?;
    c.bench.learn("completion", "GS ( H answers");
    Ok(String::new())
}

async fn three_ids<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let ids = [*b"C251", *b"C252", *b"C253"];
    wire.say(&ids.map(fence).concat()).await?;
    let came = wire.hear(Duration::from_millis(500)).await?;
    let wanted: Vec<Reply> = ids
        .iter()
        .map(|id| Reply::Tagged(0x22, id.to_vec()))
        .collect();
    expect("it said", came, wanted)?;
    Ok(String::new())
}

async fn mechanism<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let report = |r: &Reply| match r {
        Reply::Tagged(0x53, body) => Some(body.clone()),
        _ => None,
    };
    let body = wire.ask(&MECHANISM, "mechanism report", report).await?;
    let Some(([ribbon, count @ ..], pairs)) = body.split_first_chunk::<5>() else {
        return Err(Stop::Failed(format!("{} bytes", body.len())));
    };
    ensure(
        [0x40, 0x42].contains(ribbon),
        format!("ribbon {ribbon:02x}"),
    )?;
    ensure(
        count.iter().all(u8::is_ascii_digit),
        format!("retract count {count:02x?}"),
    )?;
    let (pairs, rest) = pairs.as_chunks::<2>();
    ensure(rest.is_empty(), "half a slot at its end")?;
    for [digit, level] in pairs {
        let lawful = digit.is_ascii_digit() && (0x40..=0x42).contains(level);
        ensure(lawful, format!("slot {digit:02x} level {level:02x}"))?;
    }
    Ok(format!("{} slots", pairs.len()))
}

async fn level<B: Bus>(c: &FormBench<B>) -> Verdict {
    let status = c.open().await?.status().await?;
    let slot = status.slots.iter().find(|s| s.slot == c.slot);
    let slot = slot.ok_or_else(|| Stop::Failed(format!("there is no {}", c.slot)))?;
    ensure(slot.level != Level::Out, format!("{} is empty", c.slot))?;
    Ok(format!("{:?}", slot.level).to_lowercase())
}

async fn presenter<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let byte = |r: &Reply| match r {
        Reply::Status(byte) | Reply::Unclassified(byte) => Some(*byte),
        _ => None,
    };
    expect(
        "GS e 6",
        wire.ask(&PRESENTER, "answer to GS e 6", byte).await?,
        0x00,
    )?;
    Ok(String::new())
}

async fn driver_opens<B: Bus>(c: &FormBench<B>) -> Verdict {
    let status = c.open().await?.status().await?;
    let places = [status.transport, status.escrow, status.output];
    expect("transport, escrow, output", places, [Occupancy::Empty; 3])?;
    expect("fault", status.fault, None)?;
    expect("jam", status.jam, false)?;
    Ok(String::new())
}

async fn ten_times<B: Bus>(c: &FormBench<B>) -> Verdict {
    for _ in 0..10 {
        drop(c.open().await?);
    }
    Ok(String::new())
}
