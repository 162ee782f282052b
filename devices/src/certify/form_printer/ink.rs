//! Ink: when, where, how much of it, and how surely the printer says so.

use std::collections::BTreeMap;
use std::time::Duration;

use counterfoil_data::form::{self, FormTemplate, Offset};
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;

use super::super::wire::{ANSWER_WITHIN, Wire, fence, is_fence};
use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG, is_done, within_boxes};
use crate::driver::completion::Grade;
use crate::driver::escpos::reply::Reply;
use crate::driver::form_printer::{Occupancy, PrintOutcome};
use crate::paper::Ink;
use crate::transport::{Bus, Transport};

const FIRMWARE: &str = "update the firmware";
const LIES: &str = "do not use it for numbered forms: its word is no proof";
/// FS a 1, then a page with nothing on it: ESC L, CAN, ESC W over 225 x 80 mm, ESC T 0.
#[rustfmt::skip]
const PAGE: [u8; 19] = [
    0x1C, 0x61, 0x31, 0x1B, 0x4C, 0x18, 0x1B, 0x57, 0, 0, 0, 0, 0x08, 0x07, 0x80, 0x02,
    0x1B, 0x54, 0x00,
];
/// To the account's box (156 mm, 28 mm) and one word.
#[rustfmt::skip]
const WORD: [u8; 14] = [
    0x1B, 0x24, 0xE0, 0x04, 0x1D, 0x24, 0xE0, 0x00, b'P', b'R', b'O', b'B', b'E', b'1',
];
/// How far the second form is moved, in 0.1 mm.
const MOVED: (i16, i16) = (20, -10);

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-56", "a page without its FF puts no ink on the sheet",
            "TM-T88III spec., ESC L",
            LIES, |c| Box::pin(no_ink_before_ff(c))).spoils(1),
        Check::new("FP-57", "the completion answer waits for the ink", "TM-T88VI, GS ( H fn 48",
            LIES, |c| Box::pin(waits_for_ink(c))).spoils(1),
        Check::new("FP-58", "the completion answer waits for the eject", "TM-T88VI, GS ( H fn 48",
            LIES, |c| Box::pin(waits_for_eject(c))).spoils(1),
        Check::new("FP-59", "a printed form is proven by two answers of its own",
            "GS ( H; sensors",
            "use a model with GS ( H", |c| Box::pin(proven(c))).spoils(1),
        Check::new("FP-60", "a printed form lies in the escrow and nowhere else", "GS a; GS e 6",
            "clean the escrow sensor", |c| Box::pin(in_escrow(c))).spoils(1),
        Check::new("FP-61", "ink stays in the fields' boxes and off number, stub and code band",
            "form template; restricted areas", "calibrate the slot", |c| Box::pin(in_boxes(c)))
            .spoils(1),
        Check::new("FP-62", "every text is on the form as it was sent, hanzi and GBK too",
            "GB18030; 2-byte codes", "set the printer's character set to GB18030",
            |c| Box::pin(texts(c))).spoils(1),
        Check::new("FP-63", "an offset of 2.0 mm and -1.0 mm moves the ink by just that",
            "calibration of a slot", "set the printer's motion units to 203 dpi",
            |c| Box::pin(offset(c))).spoils(2),
        Check::new("FP-64", "a name of thirty hanzi is printed in small type inside its box",
            "ESC M, FS ( A fn 48", "use a model with the small font", |c| Box::pin(long_name(c)))
            .spoils(1),
        Check::new("FP-65", "three forms in a row are each proven and lie in one bundle",
            "GS ( H; sensors", FIRMWARE, |c| Box::pin(three_forms(c))).spoils(3),
    ]
}

/// A sheet fed, the pipes raw.
async fn fed_raw<B: Bus>(c: &FormBench<B>) -> Result<Wire<B::Transport>, Stop> {
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    drop(printer);
    c.wire().await
}

async fn no_ink_before_ff<B: Bus>(c: &FormBench<B>) -> Verdict {
    let inked = c.bench.hands.count(&c.bench.path, "inked").await?;
    let mut wire = fed_raw(c).await?;
    let page = [PAGE.as_slice(), &WORD, &fence(*b"C561")].concat();
    wire.say(&page).await?;
    wire.wait_for(LONG, "fence C561", is_fence(*b"C561"))
        .await?;
    wire.say(&[0x18, 0x1B, 0x53]).await?;
    wire.fence(*b"C562", ANSWER_WITHIN).await?;
    drop(wire);
    c.at_rest().await?;
    let after = c.bench.hands.count(&c.bench.path, "inked").await?;
    expect("sheets with ink", after, inked)?;
    let seen = c
        .bench
        .hands
        .sees("take the sheet out of the reject bin: is it blank?")
        .await?;
    ensure(seen != Some(false), "there is ink on it")?;
    Ok(String::new())
}

async fn timed<T: Transport>(
    wire: &mut Wire<T>,
    clock: &counterfoil_data::seam::SharedClock,
    bytes: &[u8],
    id: [u8; 4],
) -> Result<(Duration, Vec<Reply>), Stop> {
    let began = clock.monotonic();
    wire.say(&[bytes, &fence(id)].concat()).await?;
    let ((), before) = wire
        .wait_for(LONG, "completion answer", is_fence(id))
        .await?;
    Ok((clock.monotonic().saturating_sub(began), before))
}

/// A mechanical act takes longer than an answer alone, however fast the printer is.
fn took_its_time(act: Duration, alone: Duration) -> Verdict {
    let least = alone
        .saturating_mul(3)
        .saturating_add(Duration::from_millis(3));
    let (ms, alone) = (act.as_millis(), alone.as_millis());
    ensure(
        act >= least,
        format!("it came after {ms} ms, and after {alone} ms without any act"),
    )?;
    Ok(format!("{ms} ms, {alone} ms without an act"))
}

async fn waits_for_ink<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = fed_raw(c).await?;
    let clock = c.bench.clock.clone();
    let (alone, _) = timed(&mut wire, &clock, &[], *b"C571").await?;
    // The way to the print start is no ink: it is waited for apart.
    timed(
        &mut wire,
        &clock,
        &[PAGE.as_slice(), &WORD].concat(),
        *b"C572",
    )
    .await?;
    let inked = timed(&mut wire, &clock, &[0x0C], *b"C573").await;
    drop(wire);
    c.at_rest().await?;
    let note = took_its_time(inked?.0, alone)?;
    c.bench
        .learn("completion", format!("waits for the ink: {note}"));
    Ok(note)
}

async fn waits_for_eject<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = fed_raw(c).await?;
    let clock = c.bench.clock.clone();
    let page = [PAGE.as_slice(), &WORD, &[0x0C]].concat();
    timed(&mut wire, &clock, &page, *b"C581").await?;
    let (alone, _) = timed(&mut wire, &clock, &[], *b"C582").await?;
    let (ejected, _) = timed(&mut wire, &clock, &[0x0C], *b"C583").await?;
    let byte = |r: &Reply| match r {
        Reply::Status(byte) => Some(*byte),
        _ => None,
    };
    let escrow = wire
        .ask(&[0x1D, 0x65, 0x06], "answer to GS e 6", byte)
        .await?;
    drop(wire);
    c.at_rest().await?;
    expect("GS e 6 behind it", escrow, 0x04)?;
    took_its_time(ejected, alone)
}

async fn proven<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let number = c.fed(&mut printer).await?;
    let (job, text) = c.job(number)?;
    let outcome = printer.print(&job, &text, LONG).await;
    let note = is_done(&outcome)?;
    c.at_rest_after(printer).await?;
    let PrintOutcome::Done { grade, evidence } = outcome else {
        return Err(Stop::seen("no outcome"));
    };
    expect("grade", grade, Grade::Identified)?;
    // Two frames 37 22 id 00.
    expect("evidence", evidence.len(), 28)?;
    c.bench.learn("completion grade", grade.word());
    Ok(note)
}

async fn in_escrow<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    let status = printer.status().await?;
    c.at_rest_after(printer).await?;
    let places = [status.transport, status.escrow, status.output];
    let wanted = [Occupancy::Empty, Occupancy::Occupied, Occupancy::Empty];
    expect("transport, escrow, output", places, wanted)?;
    Ok(String::new())
}

/// Prints one form with this offset and looks at it: what a twin's desk measures, or
/// nothing where a person must look.
async fn measured<B: Bus>(
    c: &FormBench<B>,
    offset: Offset,
    name: Option<&str>,
) -> Result<(Option<Ink>, PrintJob, FormTemplate), Stop> {
    let printer = c.at_rest().await?;
    let mut printer = printer.with_offsets(BTreeMap::from([(c.slot.clone(), offset)]));
    let number = c.fed(&mut printer).await?;
    let (mut job, mut text): (PrintJob, ConfirmText) = c.job(number)?;
    if let Some(name) = name {
        name.clone_into(&mut text.account_name);
        job.fields = form::expected_fields(&text);
        job.approved = text.digest();
    }
    is_done(&printer.print(&job, &text, LONG).await)?;
    c.at_rest_after(printer).await?;
    let template = form::template(&job.template).map_err(|e| Stop::Failed(e.to_string()))?;
    let answer = c.bench.hands.answer(&c.bench.path, "measure").await?;
    let ink = answer.map(|line| {
        line.parse()
            .map_err(|e| Stop::Failed(format!("{line}: {e}")))
    });
    Ok((ink.transpose()?, job, template))
}

async fn asked<B: Bus>(c: &FormBench<B>, question: &str) -> Verdict {
    match c.bench.hands.sees(question).await? {
        Some(true) => Ok("seen by a person".into()),
        Some(false) => Err(Stop::Failed(format!("a person says no to: {question}"))),
        None => Err(Stop::Skipped("nobody looked".into())),
    }
}

async fn in_boxes<B: Bus>(c: &FormBench<B>) -> Verdict {
    let (ink, _, template) = measured(c, Offset::default(), None).await?;
    let Some(ink) = ink else {
        return asked(
            c,
            "take the form out of the retract bin: is all ink inside its boxes, and none on \
             number, stub, lines or the code band below?",
        )
        .await;
    };
    within_boxes(&ink, &template)?;
    Ok(ink.place())
}

async fn texts<B: Bus>(c: &FormBench<B>) -> Verdict {
    let (ink, job, _) = measured(c, Offset::default(), None).await?;
    let all: Vec<&str> = job.fields.values().map(String::as_str).collect();
    let Some(ink) = ink else {
        let wanted = all.join(" / ");
        return asked(
            c,
            &format!("does the form say, character by character: {wanted}?"),
        )
        .await;
    };
    for text in all {
        let there = ink.texts.iter().any(|t| t == text);
        ensure(there, format!("{text:?} is not among {:?}", ink.texts))?;
    }
    Ok(format!("{} texts", ink.texts.len()))
}

async fn offset<B: Bus>(c: &FormBench<B>) -> Verdict {
    let (first, ..) = measured(c, Offset::default(), None).await?;
    let (x, y) = MOVED;
    let by = Offset::new(x, y).map_err(|e| Stop::Failed(e.to_string()))?;
    let (second, ..) = measured(c, by, None).await?;
    let (Some(first), Some(second)) = (first, second) else {
        return asked(
            c,
            "hold the last two forms against the light: is the second's ink 2.0 mm to the \
             right of the first's and 1.0 mm above it?",
        )
        .await;
    };
    let moved = |a: u32, b: u32| i64::from(b).saturating_sub(i64::from(a));
    let moved = (moved(first.left, second.left), moved(first.top, second.top));
    // A dot is 0.125 mm.
    let near = |is: i64, wanted: i16| is.abs_diff(i64::from(wanted)) <= 2;
    ensure(
        near(moved.0, x) && near(moved.1, y),
        format!("it moved by {moved:?} tenths"),
    )?;
    Ok(format!("{:?} tenths of a millimetre", moved))
}

async fn long_name<B: Bus>(c: &FormBench<B>) -> Verdict {
    let name = "样例省样例市样例区样例路样例大厦样例机械设备制造有限责任公司";
    let (ink, _, template) = measured(c, Offset::default(), Some(name)).await?;
    let Some(ink) = ink else {
        return asked(
            c,
            "is the long account name small, whole and inside its box?",
        )
        .await;
    };
    within_boxes(&ink, &template)?;
    let whole = ink.texts.concat().contains(name);
    ensure(whole, format!("the name is not whole: {:?}", ink.texts))?;
    Ok(String::new())
}

async fn three_forms<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    for _ in 0..3 {
        c.printed(&mut printer).await?;
    }
    let status = printer.status().await?;
    c.at_rest_after(printer).await?;
    expect("escrow", status.escrow, Occupancy::Occupied)?;
    Ok(String::new())
}
