//! Hands at the printer: covers, ribbons, jams, forms pulled out, cables.

use std::time::Duration;

use super::super::form_printer::{is_done, not_done, sale_of_one};
use super::super::{Stop, Verdict, ensure, expect};
use super::{LONG, SlipBench};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::form_printer::{FeedError, PrintOutcome};
use crate::transport::Bus;

/// In the middle of the first strikes.
const INKING: Duration = Duration::from_millis(400);

/// A form that something was done to while it was printed.
struct Spoiled {
    outcome: PrintOutcome,
    /// Whether a twin has ink on it.
    inked: bool,
}

/// Prints a form while something is done to it, then rights it.
async fn print_and<B: Bus>(
    c: &SlipBench<B>,
    (lines, words): (&str, &str),
    (back, in_words): (&str, &str),
) -> Result<Spoiled, Stop> {
    let before = c.bench.hands.count(&c.bench.path, "inked").await?;
    let mut printer = c.at_rest().await?;
    let number = c.read(&mut printer).await?;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let printing = printer.print(&job, &text, LONG);
    let outcome = c.bench.during(printing, INKING, lines, words).await?;
    drop(printer);
    c.bench.act(back, in_words).await?;
    c.bench.comes_back().await?;
    c.bench.rest(Duration::from_secs(3)).await;
    let after = c.bench.hands.count(&c.bench.path, "inked").await?;
    c.take().await?;
    c.at_rest().await?;
    let inked = after != before;
    Ok(Spoiled { outcome, inked })
}

/// It is not called printed, nor blank with ink on it.
async fn spoiled<B: Bus>(c: &SlipBench<B>, form: Spoiled) -> Verdict {
    not_done(&form.outcome)?;
    if !matches!(form.outcome, PrintOutcome::Failed { ink: false, .. }) {
        return Ok("ink is not excluded".into());
    }
    let seen = c.bench.hands.sees("is there ink on that form?").await?;
    let blank = !seen.unwrap_or(form.inked);
    ensure(
        blank,
        format!("called blank with ink on it: {:?}", form.outcome),
    )?;
    Ok("it is blank, and called so".into())
}

pub(super) async fn cover_in_print<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let back = ("cover close;clear jam", "close the cover, clear the jam");
    let form = print_and(c, ("cover open", "open the cover"), back).await?;
    spoiled(c, form).await
}

pub(super) async fn jam_in_print<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let back = ("clear jam", "clear the jam");
    let hold = ("jam now", "hold the form so that it jams");
    let form = print_and(c, hold, back).await?;
    spoiled(c, form).await
}

pub(super) async fn jam_at_eject<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let hold = (
        "jam after 0",
        "hold the form so that it jams on its way out",
    );
    let back = ("clear jam", "clear the jam");
    let form = print_and(c, hold, back).await?;
    spoiled(c, form).await
}

pub(super) async fn cable_in_print<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let pull = ("unplug", "pull its usb cable");
    let form = print_and(c, pull, ("replug", "put its usb cable back in")).await?;
    spoiled(c, form).await
}

pub(super) async fn pulled_in_print<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let pull = ("pull", "pull the form out");
    let form = print_and(c, pull, ("cover close", "keep that form")).await?;
    spoiled(c, form).await
}

/// The jam is cleared, and another form is fed.
pub(super) async fn jam_then_next<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let back = ("clear jam", "clear the jam");
    let hold = ("jam now", "hold the form so that it jams");
    let form = print_and(c, hold, back).await?;
    not_done(&form.outcome)?;
    let mut printer = c.at_rest().await?;
    is_done(&c.print(&mut printer).await?)?;
    c.take().await?;
    Ok(String::new())
}

/// A cable pulled while it waits for a form: one may have gone in, and when it is back
/// it does not wait any more.
pub(super) async fn cable_in_wait<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let slot = "slot-1".parse().map_err(|_| Stop::seen("no slot"))?;
    let feeding = printer.feed(&slot, LONG);
    let words = "pull its usb cable";
    let fed = c.bench.during(feeding, INKING, "unplug", words).await?;
    drop(printer);
    c.bench.act("replug", "put its usb cable back in").await?;
    c.bench.comes_back().await?;
    let status = c.at_rest().await?.status().await?;
    let fed = fed.map_err(FeedError::may_have_moved);
    expect("a blank may have moved", fed, Err(true))?;
    expect("fault", status.fault, None)?;
    Ok(String::new())
}

pub(super) async fn handle_lost<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let number = c.read(&mut printer).await?;
    let (job, text) = sale_of_one(number, "slot-1")?;
    tokio::select! {
        _ = printer.print(&job, &text, LONG) => {}
        () = c.bench.rest(INKING) => {}
    }
    drop(printer);
    c.bench.rest(LONG).await;
    c.take().await?;
    let mut printer = c.at_rest().await?;
    is_done(&c.print(&mut printer).await?)?;
    c.take().await?;
    Ok(String::new())
}

/// With this fault nothing is fed.
async fn nothing_fed<B: Bus>(
    c: &SlipBench<B>,
    act: (&str, &str),
    back: (&str, &str),
) -> Result<PrintFault, Stop> {
    let mut printer = c.at_rest().await?;
    c.bench.act_for_now(act, back).await?;
    let slot = "slot-1".parse().map_err(|_| Stop::seen("no slot"))?;
    let fed = printer.feed(&slot, Duration::from_secs(3)).await;
    c.bench.put_right().await?;
    match fed {
        Err(FeedError::NothingFed { fault }) => Ok(fault),
        other => Err(Stop::Failed(format!("the feed: {other:?}"))),
    }
}

pub(super) async fn cover<B: Bus>(c: &SlipBench<B>, wanted: PrintFault) -> Verdict {
    let back = ("cover close", "close the cover");
    let fault = nothing_fed(c, ("cover open", "open the cover"), back).await?;
    expect("the fault", fault, wanted)?;
    Ok(fault.word().into())
}

pub(super) async fn ribbon<B: Bus>(c: &SlipBench<B>, wanted: PrintFault) -> Verdict {
    let back = ("ribbon ok", "put the ribbon in");
    let fault = nothing_fed(c, ("ribbon out", "take the ribbon out"), back).await?;
    expect("the fault", fault, wanted)?;
    Ok(fault.word().into())
}

pub(super) async fn pulled_out<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let number = c.read(&mut printer).await?;
    c.bench.act("pull", "pull the form out").await?;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let outcome = printer.print(&job, &text, LONG).await;
    let fault = PrintFault::NoMediaPresent;
    expect(
        "printing",
        outcome,
        PrintOutcome::Failed { fault, ink: false },
    )?;
    Ok(String::new())
}

pub(super) async fn leftovers<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let back = ("cover close;clear jam", "close the cover, clear the jam");
    let spoilt = print_and(c, ("cover open", "open the cover"), back).await?;
    not_done(&spoilt.outcome)?;
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    let inked = c.bench.hands.count(&c.bench.path, "inked").await?;
    c.bench.rest(Duration::from_secs(5)).await;
    let later = c.bench.hands.count(&c.bench.path, "inked").await?;
    let seen = c
        .bench
        .hands
        .sees("is the form in the printer still blank?")
        .await?;
    printer.divert(LONG).await?;
    c.take().await?;
    expect("sheets with ink", later, inked)?;
    ensure(seen != Some(false), "the spoiled form's rest is on it")?;
    Ok(String::new())
}
