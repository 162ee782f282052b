//! Forms that go well: in, inked, out.

use counterfoil_data::form::{self, Offset};
use std::time::Duration;

use super::super::form_printer::{is_done, not_done, sale_of_one, within_boxes};
use super::super::{Stop, Verdict, ensure, expect};
use super::{LONG, SlipBench};
use crate::driver::completion::Grade;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::form_printer::{Diverted, FeedError, Occupancy, PrintOutcome};
use crate::paper::Ink;
use crate::transport::Bus;

pub(super) async fn empty<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let status = c.open().await?.status().await?;
    expect("transport", status.transport, Occupancy::Empty)?;
    expect("fault", status.fault, None)?;
    Ok(String::new())
}

pub(super) async fn nobody_feeds<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let slot = "slot-1".parse().map_err(|_| Stop::seen("no slot"))?;
    let fed = printer.feed(&slot, Duration::from_secs(3)).await;
    let fault = PrintFault::NoMediaPresent;
    expect("the feed", fed, Err(FeedError::NothingFed { fault }))?;
    Ok(String::new())
}

pub(super) async fn seen<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    let there = printer.status().await?.transport;
    let diverted = printer.divert(LONG).await;
    let after = printer.status().await?.transport;
    c.take().await?;
    expect("with a form", there, Occupancy::Occupied)?;
    expect("diverted", diverted, Ok(Diverted::ToOperator))?;
    expect("without", after, Occupancy::Empty)?;
    Ok(String::new())
}

pub(super) async fn only_one<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    let slot = "slot-1".parse().map_err(|_| Stop::seen("no slot"))?;
    let second = printer.feed(&slot, Duration::from_secs(3)).await;
    printer.divert(LONG).await?;
    c.take().await?;
    let fault = PrintFault::MediaRetained;
    expect(
        "the second feed",
        second,
        Err(FeedError::NothingFed { fault }),
    )?;
    Ok(String::new())
}

pub(super) async fn no_ink_unread<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let inked = c.bench.hands.count(&c.bench.path, "inked").await?;
    c.fed(&mut printer).await?;
    let number = c.number().await?;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let outcome = printer.print(&job, &text, LONG).await;
    printer.divert(LONG).await?;
    c.take().await?;
    not_done(&outcome)?;
    expect(
        "sheets with ink",
        c.bench.hands.count(&c.bench.path, "inked").await?,
        inked,
    )?;
    Ok(String::new())
}

pub(super) async fn proven<B: Bus>(c: &SlipBench<B>, least: Grade) -> Verdict {
    let mut printer = c.at_rest().await?;
    let outcome = c.print(&mut printer).await?;
    let after = printer.status().await?.transport;
    c.take().await?;
    let note = is_done(&outcome)?;
    let PrintOutcome::Done { grade, .. } = outcome else {
        return Err(Stop::seen("no outcome"));
    };
    ensure(
        grade >= least,
        format!("grade {}, not {}", grade.word(), least.word()),
    )?;
    expect("transport", after, Occupancy::Empty)?;
    c.bench.learn("completion grade", grade.word());
    Ok(note)
}

/// Prints one form and measures it; nothing to measure where a person must look.
async fn measured<B: Bus>(c: &SlipBench<B>, offset: Offset) -> Result<Option<Ink>, Stop> {
    drop(c.at_rest().await?);
    let mut printer = c.open_with(offset).await?;
    is_done(&c.print(&mut printer).await?)?;
    let answer = c.bench.hands.answer(&c.bench.path, "measure").await?;
    c.take().await?;
    let ink = answer.map(|line| {
        line.parse()
            .map_err(|e| Stop::Failed(format!("{line}: {e}")))
    });
    ink.transpose()
}

async fn asked<B: Bus>(c: &SlipBench<B>, question: &str) -> Verdict {
    match c.bench.hands.sees(question).await? {
        Some(true) => Ok("seen by a person".into()),
        _ => Err(Stop::Failed(format!("a person says no to: {question}"))),
    }
}

pub(super) async fn in_boxes<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let Some(ink) = measured(c, Offset::default()).await? else {
        return asked(
            c,
            "is all ink inside its boxes, none on number, stub and code band?",
        )
        .await;
    };
    let template = form::template("transfer-cheque").map_err(|e| Stop::Failed(e.to_string()))?;
    within_boxes(&ink, &template)?;
    Ok(ink.place())
}

pub(super) async fn offset<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let first = measured(c, Offset::default()).await?;
    let by = Offset::new(20, -10).map_err(|e| Stop::Failed(e.to_string()))?;
    let second = measured(c, by).await?;
    let (Some(first), Some(second)) = (first, second) else {
        let question = "is the second form's ink 2.0 mm right of the first's and 1.0 mm above?";
        return asked(c, question).await;
    };
    let moved = |a: u32, b: u32| i64::from(b).saturating_sub(i64::from(a));
    let (x, y) = (moved(first.left, second.left), moved(first.top, second.top));
    // A step of 1/180 inch is 0.14 mm.
    let near = x.abs_diff(20) <= 3 && y.abs_diff(-10) <= 3;
    ensure(near, format!("it moved by {x}, {y} tenths"))?;
    Ok(format!("{x}, {y} tenths of a millimetre"))
}

pub(super) async fn twice<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    for _ in 0..2 {
        is_done(&c.print(&mut printer).await?)?;
        c.take().await?;
    }
    Ok(String::new())
}

pub(super) async fn reopened<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let number = c.read(&mut printer).await?;
    drop(printer);
    let mut printer = c.open().await?;
    let there = printer.status().await?.transport;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let refused = printer.print(&job, &text, LONG).await;
    printer.divert(LONG).await?;
    c.take().await?;
    expect("transport", there, Occupancy::Occupied)?;
    not_done(&refused)?;
    Ok(String::new())
}
