//! Numbered stock that is not as the books have it, and hands at the sheet.

use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG, not_done};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::form_printer::{FeedError, Occupancy, PrintOutcome, ReadError};
use crate::transport::Bus;

const READER: &str = "clean or replace the number reader";
const ALLOCATED: &str = "read, compare, only then ink";

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-75", "a blank of another number is read as that and gets no ink", ALLOCATED,
            READER, |c| Box::pin(stranger(c))).spoils(1).by_hand(),
        Check::new("FP-76", "two swapped blanks are noticed before ink", ALLOCATED, READER,
            |c| Box::pin(swapped(c))).spoils(2).by_hand(),
        Check::new("FP-77", "a double feed is noticed before ink, and both sheets can be diverted",
            ALLOCATED, "adjust the separator", |c| Box::pin(double(c))).spoils(2).by_hand(),
        Check::new("FP-78", "a number that cannot be read is not invented", "FS a 0, detail 46",
            READER, |c| Box::pin(unreadable(c))).spoils(1).by_hand(),
        Check::new("FP-79", "an empty cassette feeds nothing and says so", "FS ( S fn 48: 41",
            "clean the cassette's sensor", |c| Box::pin(empty(c))).spoils(1).by_hand(),
        Check::new("FP-80", "a sheet taken out after it was read is missed before ink",
            "GS a, byte 3", "clean the slip sensors",
            |c| Box::pin(taken_out(c))).spoils(1).by_hand(),
    ]
}

/// A number of the same kind far from the next one.
const FAR: &str = "wrong number next";

/// Prints a form for `expected` on the sheet that was read as another.
async fn refused<B: Bus>(c: &FormBench<B>, words: (&str, &str)) -> Verdict {
    let mut printer = c.at_rest().await?;
    let expected = c.expected().await?;
    c.bench.act(words.0, words.1).await?;
    let inked = c.bench.hands.count(&c.bench.path, "inked").await?;
    let read = c.fed(&mut printer).await?;
    let (job, text) = c.job(expected)?;
    let outcome = printer.print(&job, &text, LONG).await;
    let diverted = printer.divert(LONG).await;
    c.next.set(None);
    ensure(
        read != expected,
        format!("it read {read}, which lies below"),
    )?;
    let fault = PrintFault::SequenceInvalid;
    expect(
        "printing",
        outcome,
        PrintOutcome::Failed { fault, ink: false },
    )?;
    diverted?;
    expect(
        "sheets with ink",
        c.bench.hands.count(&c.bench.path, "inked").await?,
        inked,
    )?;
    Ok(format!("read {read}"))
}

async fn stranger<B: Bus>(c: &FormBench<B>) -> Verdict {
    let next = c.expected().await?;
    let other = format!("{}{:08}", next.prefix, 99_000_001);
    let line = format!("{FAR} {other}");
    refused(
        c,
        (
            &line,
            "lay a blank of another number on top of the cassette",
        ),
    )
    .await
}

async fn swapped<B: Bus>(c: &FormBench<B>) -> Verdict {
    let note = refused(c, ("swap next", "swap the two top blanks of the cassette")).await?;
    let mut printer = c.at_rest().await?;
    printer.feed(&c.slot, LONG).await?;
    printer.divert(LONG).await?;
    Ok(note)
}

async fn double<B: Bus>(c: &FormBench<B>) -> Verdict {
    let words = "stick the two top blanks of the cassette together at one edge";
    let note = refused(c, ("double feed next", words)).await?;
    let left = c.open().await?.status().await?.transport;
    expect("transport", left, Occupancy::Empty)?;
    Ok(note)
}

async fn unreadable<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let words = "cover the number of the top blank with paper tape";
    c.bench.act("unreadable next", words).await?;
    printer.feed(&c.slot, LONG).await?;
    c.gone();
    let read = printer.read_number(LONG).await;
    printer.divert(LONG).await?;
    let honest = matches!(read, Err(ReadError::Unreadable { .. }));
    ensure(honest, format!("it read {read:?}"))?;
    Ok(String::new())
}

async fn empty<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let next = c.expected().await?;
    let slot = &c.slot;
    let one = format!("load {slot} {next}-{next}");
    let after = super::following(next).ok_or_else(|| Stop::Skipped("the last number".into()))?;
    let last = format!(
        "{}{:08}",
        next.prefix,
        next.serial.value().saturating_add(100)
    );
    let refill = format!("load {slot} {after}-{last}");
    let words = format!("leave one blank in {slot}");
    let back = format!("put the other blanks back into {slot}");
    c.bench
        .act_for_now((&one, &words), (&refill, &back))
        .await?;
    printer.feed(slot, LONG).await?;
    c.gone();
    printer.divert(LONG).await?;
    let fed = printer.feed(slot, LONG).await;
    let fault = PrintFault::PaperOut;
    expect("the feed", fed, Err(FeedError::NothingFed { fault }))?;
    c.bench.put_right().await?;
    Ok(String::new())
}

async fn taken_out<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let read = c.fed(&mut printer).await?;
    c.bench
        .act("empty", "open the printer, take the sheet out, close it")
        .await?;
    let (job, text) = c.job(read)?;
    let outcome = printer.print(&job, &text, LONG).await;
    not_done(&outcome)?;
    let without_ink = matches!(outcome, PrintOutcome::Failed { ink: false, .. });
    ensure(without_ink, format!("{outcome:?}"))?;
    Ok(String::new())
}
