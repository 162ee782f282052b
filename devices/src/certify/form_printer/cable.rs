//! The cable pulled, the handle lost: paper stays where it is, and nobody guesses.

use std::time::Duration;

use super::super::{Check, Stop, Verdict, ensure, expect, usb};
use super::{FormBench, LONG, not_done};
use crate::driver::form_printer::{Diverted, FeedError, Occupancy, PrintOutcome};
use crate::transport::{Bus, UsbError};

const POWER: &str = "its mechanics must not depend on the cable";
const SERIAL: &str = "found again by its serial number";
const FIRMWARE: &str = "update the firmware";
const OUT: (&str, &str) = ("unplug", "pull its usb cable");
const IN: (&str, &str) = ("replug", "put its usb cable back in");
/// In the middle of a feed.
const FEEDING: Duration = Duration::from_millis(100);
/// In the middle of ink.
const INKING: Duration = Duration::from_millis(500);

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-93", "unplugged it is gone, replugged it is the same and answers",
            SERIAL, FIRMWARE,
            |c| Box::pin(same_again(c))).by_hand(),
        Check::new("FP-94", "a cable pulled while it waits ends what waits",
            "USB 2.0, 7.1.7.3", FIRMWARE,
            |c| Box::pin(waiting(c))).by_hand(),
        Check::new("FP-95", "a cable pulled in mid-feed is a doubt, and the sheet is found",
            POWER, FIRMWARE,
            |c| Box::pin(in_feed(c))).spoils(1).by_hand(),
        Check::new("FP-96", "a cable pulled in mid-print is a doubt, never a printed form",
            POWER, FIRMWARE,
            |c| Box::pin(in_print(c))).spoils(1).by_hand(),
        Check::new("FP-97", "a handle lost in mid-feed leaves one sheet in one place",
            POWER, FIRMWARE,
            |c| Box::pin(lost_in_feed(c))).spoils(1),
        Check::new("FP-98", "a handle lost in mid-print leaves one sheet in one place, inked once",
            POWER, FIRMWARE, |c| Box::pin(lost_in_print(c))).spoils(1),
        Check::new("FP-99", "after all of it a form is fed, read, printed and proven",
            "the whole way", FIRMWARE,
            |c| Box::pin(at_last(c))).spoils(1),
    ]
}

async fn pulled<B: Bus>(c: &FormBench<B>) -> Result<(), Stop> {
    c.bench.act_for_now(OUT, IN).await
}

async fn back<B: Bus>(c: &FormBench<B>) -> Result<(), Stop> {
    c.bench.put_right().await?;
    c.bench.comes_back().await
}

async fn same_again<B: Bus>(c: &FormBench<B>) -> Verdict {
    usb::same_again(c).await?;
    let status = c.open().await?.status().await?;
    expect("fault", status.fault, None)?;
    Ok(String::new())
}

async fn waiting<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let began = c.bench.now();
    let waiting = wire.hear_bytes(LONG);
    let heard = async {
        let lines = async {
            c.bench.rest(Duration::from_millis(300)).await;
            pulled(c).await
        };
        tokio::join!(waiting, lines)
    };
    let (heard, acted) = heard.await;
    let took = c.bench.now().saturating_sub(began);
    acted?;
    drop(wire);
    back(c).await?;
    let gone = Stop::from(UsbError::NoDevice);
    expect("the read", heard, Err(gone))?;
    let limit = LONG.checked_div(2).unwrap_or(LONG);
    ensure(
        !c.bench.hands.of_a_twin() || took < limit,
        "it ended only at its deadline",
    )?;
    Ok(String::new())
}

/// The one sheet that was fed is in the transport or, if it went on, in the escrow.
async fn found<B: Bus>(c: &FormBench<B>, fed: bool) -> Verdict {
    c.bench.rest(LONG).await;
    let mut printer = c.open().await?;
    let status = printer.status().await?;
    let places = [status.transport, status.escrow, status.output];
    let there = places.iter().filter(|p| **p == Occupancy::Occupied).count();
    ensure(there <= 1, format!("transport, escrow, output: {places:?}"))?;
    ensure(
        !fed || there == 1,
        format!("the sheet is nowhere: {places:?}"),
    )?;
    if status.transport == Occupancy::Occupied {
        expect("diverted", printer.divert(LONG).await?, Diverted::ToReject)?;
    }
    c.at_rest_after(printer).await?;
    Ok(format!("{places:?}").to_lowercase())
}

async fn in_feed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let feeding = printer.feed(&c.slot, LONG);
    let fed = c.bench.during(feeding, FEEDING, OUT.0, OUT.1).await?;
    drop(printer);
    c.next.set(None);
    c.bench.act(IN.0, IN.1).await?;
    c.bench.comes_back().await?;
    let note = found(c, false).await?;
    let doubt = matches!(fed, Err(FeedError::MayHaveMoved { .. }));
    ensure(doubt, format!("the feed: {fed:?}"))?;
    Ok(note)
}

async fn in_print<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let read = c.fed(&mut printer).await?;
    let (job, text) = c.job(read)?;
    let printing = printer.print(&job, &text, LONG);
    let outcome = c.bench.during(printing, INKING, OUT.0, OUT.1).await?;
    drop(printer);
    c.bench.act(IN.0, IN.1).await?;
    c.bench.comes_back().await?;
    let note = found(c, true).await?;
    not_done(&outcome)?;
    let doubt = matches!(outcome, PrintOutcome::Unknown { .. });
    ensure(doubt, format!("{outcome:?}"))?;
    Ok(note)
}

async fn lost_in_feed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    tokio::select! {
        _ = printer.feed(&c.slot, LONG) => {}
        () = c.bench.rest(FEEDING) => {}
    }
    drop(printer);
    c.next.set(None);
    found(c, false).await
}

async fn lost_in_print<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let prints = c.bench.hands.count(&c.bench.path, "prints").await?;
    let read = c.fed(&mut printer).await?;
    let (job, text) = c.job(read)?;
    tokio::select! {
        _ = printer.print(&job, &text, LONG) => {}
        () = c.bench.rest(INKING) => {}
    }
    drop(printer);
    let note = found(c, true).await?;
    let after = c.bench.hands.count(&c.bench.path, "prints").await?;
    let more = after.zip(prints).map(|(a, b)| a.saturating_sub(b));
    ensure(
        more.is_none_or(|n| n <= 1),
        format!("{more:?} prints on one sheet"),
    )?;
    Ok(note)
}

async fn at_last<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    c.at_rest_after(printer).await?;
    Ok(String::new())
}
