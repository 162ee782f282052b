//! Covers, ribbons, jams: said at once, and nothing moves by itself afterwards.

use std::time::Duration;

use super::super::wire::ANSWER_WITHIN;
use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG, not_done};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::reply::Reply;
use crate::driver::form_printer::{FeedError, Occupancy, PrintOutcome};
use crate::transport::{Bus, Stage};

const PUSHED: &str = "TM-H5000II spec., GS a";
const SWITCH: &str = "repair the cover's switch";
const LATER: &str = "what was queued must not move a numbered sheet later";
const FIRMWARE: &str = "update the firmware";
/// When an act of the mechanics has begun and is not over.
const BEGUN: Duration = Duration::from_millis(100);
/// When ink is being put on: behind the way to the print start.
const INKING: Duration = Duration::from_millis(500);

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-81", "an opened cover is pushed, and its closing too", PUSHED, SWITCH,
            |c| Box::pin(cover_pushed(c))).by_hand(),
        Check::new("FP-82", "DLE EOT 2 shows the open cover", "TM-T88III spec., DLE EOT", SWITCH,
            |c| Box::pin(cover_asked(c))).by_hand(),
        Check::new("FP-83", "the port status shows a fault while the cover is open",
            "USB printer class 1.1, bit 3", "many models never do: do not rely on it there",
            |c| Box::pin(cover_at_port(c))).by_hand(),
        Check::new("FP-84", "with the cover open nothing is fed, then or later", LATER, FIRMWARE,
            |c| Box::pin(cover_before_feed(c))).by_hand(),
        Check::new("FP-85", "a cover opened in mid-feed leaves no feed for later", LATER, FIRMWARE,
            |c| Box::pin(cover_in_feed(c))).spoils(1).by_hand(),
        Check::new("FP-86", "a cover opened in mid-print is never a printed form",
            "ink cut short", FIRMWARE,
            |c| Box::pin(cover_in_print(c))).spoils(1).by_hand(),
        Check::new("FP-87", "no ribbon is pushed and refused before a blank moves",
            "FS ( S fn 48: 46", "replace the ribbon sensor", |c| Box::pin(ribbon(c))).by_hand(),
        Check::new("FP-88", "a ribbon that ends before the ink is never a printed form",
            "ink cannot be excluded", "replace the ribbon sensor",
            |c| Box::pin(ribbon_before_ink(c))).spoils(1).by_hand(),
        Check::new("FP-89", "a jam at the feed says that paper may have moved", "FS ( S fn 48: 43",
            FIRMWARE, |c| Box::pin(jam_at_feed(c))).spoils(1).by_hand(),
        Check::new("FP-90", "a jam in mid-print is never a printed form", PUSHED, FIRMWARE,
            |c| Box::pin(jam_in_print(c))).spoils(1).by_hand(),
        Check::new("FP-91", "a jam cleared in mid-print is never a printed form", PUSHED, FIRMWARE,
            |c| Box::pin(jam_cleared_in_print(c))).spoils(1).by_hand(),
        Check::new("FP-92", "after a jam was cleared the next form is printed", PUSHED, FIRMWARE,
            |c| Box::pin(goes_on(c))).spoils(2).by_hand(),
    ]
}

const COVER: ((&str, &str), (&str, &str)) = (
    ("cover open", "open the cover"),
    ("cover close", "close the cover"),
);
const RIBBON: ((&str, &str), (&str, &str)) = (
    ("ribbon out", "take the ribbon out"),
    ("ribbon ok", "put the ribbon in"),
);
const JAM: (&str, &str) = (
    "clear jam",
    "clear the jam: open, take every sheet out, close",
);

async fn cover_pushed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    wire.say(&[0x1D, 0x61, 0xFF]).await?;
    wire.hear(Duration::from_millis(300)).await?;
    let cover = |open: bool| {
        move |r: &Reply| match r {
            Reply::Asb(asb) if asb.cover_open() == open => Some(()),
            _ => None,
        }
    };
    c.bench.act_for_now(COVER.0, COVER.1).await?;
    wire.wait_for(ANSWER_WITHIN, "status with cover open", cover(true))
        .await?;
    c.bench.put_right().await?;
    wire.wait_for(ANSWER_WITHIN, "status with cover closed", cover(false))
        .await?;
    Ok(String::new())
}

async fn cover_asked<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    c.bench.act_for_now(COVER.0, COVER.1).await?;
    let byte = |r: &Reply| match r {
        Reply::RealTime(byte) => Some(*byte),
        _ => None,
    };
    let byte = wire
        .ask(&[0x10, 0x04, 0x02], "answer to DLE EOT 2", byte)
        .await?;
    ensure(byte & 0x04 != 0, format!("{byte:02x}"))?;
    Ok(format!("{byte:02x}"))
}

async fn cover_at_port<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    c.bench.act_for_now(COVER.0, COVER.1).await?;
    let asked = super::super::wire::port_status(wire.interface);
    let bytes = wire.control(asked, Stage::In(1)).await?;
    ensure(bytes != [0x18], "18, as with the cover closed")?;
    Ok(format!("{bytes:02x?}"))
}

/// No blank lies anywhere, some time after a fault is over.
async fn nothing_moves<B: Bus>(c: &FormBench<B>, feeds: Option<u64>) -> Result<(), Stop> {
    c.bench.rest(Duration::from_secs(2)).await;
    let transport = c.open().await?.status().await?.transport;
    expect("transport afterwards", transport, Occupancy::Empty)?;
    let now = c.bench.hands.count(&c.bench.path, "feeds").await?;
    expect("blanks fed", now, feeds)
}

async fn cover_before_feed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let feeds = c.bench.hands.count(&c.bench.path, "feeds").await?;
    c.bench.act_for_now(COVER.0, COVER.1).await?;
    let fed = printer.feed(&c.slot, LONG).await;
    c.bench.put_right().await?;
    drop(printer);
    let fault = PrintFault::CoverOpen;
    expect("the feed", fed, Err(FeedError::NothingFed { fault }))?;
    nothing_moves(c, feeds).await?;
    Ok(String::new())
}

async fn cover_in_feed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let feeding = printer.feed(&c.slot, LONG);
    let fed = c.bench.during(feeding, BEGUN, COVER.0.0, COVER.0.1).await?;
    c.bench.act(COVER.1.0, COVER.1.1).await?;
    let closed = c.bench.hands.count(&c.bench.path, "feeds").await?;
    c.bench.rest(Duration::from_secs(2)).await;
    let later = c.bench.hands.count(&c.bench.path, "feeds").await?;
    let doubt = matches!(fed, Err(FeedError::MayHaveMoved { .. }));
    c.next.set(None);
    drop(printer);
    c.at_rest().await?;
    ensure(doubt, format!("the feed: {fed:?}"))?;
    expect("blanks fed after the cover was closed", later, closed)?;
    Ok(String::new())
}

/// Inks a form while something is done to it; the outcome, and back to rest.
async fn print_and<B: Bus>(
    c: &FormBench<B>,
    after: Duration,
    (lines, words): (&str, &str),
    (back, in_words): (&str, &str),
) -> Result<PrintOutcome, Stop> {
    let mut printer = c.at_rest().await?;
    let read = c.fed(&mut printer).await?;
    let (job, text) = c.job(read)?;
    let printing = printer.print(&job, &text, LONG);
    let outcome = c.bench.during(printing, after, lines, words).await?;
    drop(printer);
    c.bench.act(back, in_words).await?;
    c.at_rest().await?;
    Ok(outcome)
}

async fn cover_in_print<B: Bus>(c: &FormBench<B>) -> Verdict {
    let back = ("cover close;clear jam", "close the cover, clear the jam");
    let outcome = print_and(c, INKING, COVER.0, back).await?;
    not_done(&outcome)?;
    let failed = matches!(outcome, PrintOutcome::Failed { ink: true, .. });
    ensure(failed, format!("{outcome:?}"))?;
    Ok(String::new())
}

async fn ribbon<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let feeds = c.bench.hands.count(&c.bench.path, "feeds").await?;
    c.bench.act_for_now(RIBBON.0, RIBBON.1).await?;
    let fed = printer.feed(&c.slot, LONG).await;
    let status = printer.status().await?;
    drop(printer);
    c.bench.put_right().await?;
    let fault = PrintFault::InkOut;
    expect("the feed", fed, Err(FeedError::NothingFed { fault }))?;
    expect("fault", status.fault, Some(fault))?;
    nothing_moves(c, feeds).await?;
    Ok(String::new())
}

async fn ribbon_before_ink<B: Bus>(c: &FormBench<B>) -> Verdict {
    let early = Duration::from_millis(50);
    let outcome = print_and(c, early, RIBBON.0, RIBBON.1).await?;
    not_done(&outcome)?;
    Ok(String::new())
}

async fn jam_at_feed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let hold = (
        "jam after 0",
        "fold the edge of the top blank so that it jams",
    );
    c.bench.act_for_now(hold, JAM).await?;
    let fed = printer.feed(&c.slot, LONG).await;
    let status = printer.status().await?;
    drop(printer);
    c.next.set(None);
    c.bench.put_right().await?;
    let fault = PrintFault::MediaJammed;
    expect("the feed", fed, Err(FeedError::MayHaveMoved { fault }))?;
    ensure(status.jam, "no jam is reported")?;
    Ok(String::new())
}

const HOLD: &str = "hold the sheet so that it jams under the head";

async fn jam_in_print<B: Bus>(c: &FormBench<B>) -> Verdict {
    let outcome = print_and(c, INKING, ("jam now", HOLD), JAM).await?;
    not_done(&outcome)?;
    let failed = matches!(outcome, PrintOutcome::Failed { ink: true, .. });
    ensure(failed, format!("{outcome:?}"))?;
    Ok(String::new())
}

async fn jam_cleared_in_print<B: Bus>(c: &FormBench<B>) -> Verdict {
    let words = "hold the sheet so that it jams, clear it at once";
    let outcome = print_and(c, INKING, ("jam now;clear jam", words), JAM).await?;
    not_done(&outcome)?;
    Ok(String::new())
}

async fn goes_on<B: Bus>(c: &FormBench<B>) -> Verdict {
    let outcome = print_and(c, INKING, ("jam now", HOLD), JAM).await?;
    not_done(&outcome)?;
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    c.at_rest_after(printer).await?;
    Ok(String::new())
}
