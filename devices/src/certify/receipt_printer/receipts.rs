//! Receipts, and what hands do while one is printed.

use std::time::Duration;

use super::super::wire::{Wire, fence, is_fence};
use super::super::{Stop, Verdict, ensure, expect};
use super::{LONG, ReceiptBench, not_done};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::receipt_printer::{
    Align, Grade, PrintOutcome, Printed, ReceiptDocument, ReceiptLine,
};
use crate::transport::Bus;

/// In the middle of a long receipt.
const PRINTING: Duration = Duration::from_millis(300);

/// A receipt of so many lines.
fn receipt(lines: usize) -> ReceiptDocument {
    let mut all = vec![ReceiptLine::title("样例 SAMPLE")];
    let line = |n| ReceiptLine::text(format!("{n:03} 账号：6217 0000 金额：￥100.00"));
    all.extend((0..lines).map(line));
    ReceiptDocument { lines: all }
}

/// The grade of a receipt that was printed and cut; then it is taken.
async fn printed<B: Bus>(
    c: &ReceiptBench<B>,
    document: &ReceiptDocument,
) -> Result<(Grade, bool), Stop> {
    let mut printer = c.open().await?;
    let outcome = printer.print(document, LONG).await;
    drop(printer);
    match outcome {
        PrintOutcome::Done { grade, cut, .. } => {
            c.0.learn("completion grade", grade.word());
            Ok((grade, cut))
        }
        other => Err(Stop::Failed(format!("not printed: {other:?}"))),
    }
}

pub(super) async fn proven<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let (grade, cut) = printed(c, &receipt(3)).await?;
    expect("grade", grade, Grade::Identified)?;
    ensure(cut, "the cut is not proven")?;
    Ok(format!("grade {}", grade.word()))
}

pub(super) async fn waits<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = Wire::open(c.0.open().await?, c.0.clock.clone()).await?;
    let mut took = [Duration::ZERO; 2];
    // Nothing, then ten empty lines and a cut.
    let work: [&[u8]; 2] = [&[], &[0x1B, 0x64, 0x0A, 0x1D, 0x56, 0x42, 0x00]];
    for ((bytes, id), took) in work.iter().zip([*b"C161", *b"C162"]).zip(&mut took) {
        let began = c.0.now();
        wire.say(&[bytes, fence(id).as_slice()].concat()).await?;
        wire.wait_for(LONG, "completion answer", is_fence(id))
            .await?;
        *took = c.0.now().saturating_sub(began);
    }
    let [alone, printing] = took;
    let least = alone
        .saturating_mul(3)
        .saturating_add(Duration::from_millis(3));
    let (ms, alone) = (printing.as_millis(), alone.as_millis());
    ensure(
        printing >= least,
        format!("it came after {ms} ms, {alone} ms without any work"),
    )?;
    Ok(format!("{ms} ms, {alone} ms without work"))
}

pub(super) async fn everything<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let lines = vec![
        ReceiptLine::title("样例银行"),
        ReceiptLine::text("〇①㎡·—￥（）ABC 123"),
        // Not in any printer's own font: it goes as a picture.
        ReceiptLine::text("¥ and ü"),
        ReceiptLine::Qr("https://sample.invalid/0123456789".to_owned()),
        ReceiptLine::Text {
            text: "right".to_owned(),
            align: Align::Right,
            size: 1,
            bold: true,
        },
    ];
    printed(c, &ReceiptDocument { lines }).await?;
    let question = "does the receipt show a title, signs, a line as a picture, a QR symbol and \
                    a word at the right?";
    let seen = c.0.hands.sees(question).await?;
    ensure(
        seen != Some(false),
        "a person says that something is missing",
    )?;
    let unknown = c.0.hands.count(&c.0.path, "unknown-commands").await?;
    expect("unknown commands", unknown.unwrap_or(0), 0)?;
    Ok(String::new())
}

pub(super) async fn long<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    printed(c, &receipt(200)).await?;
    let seen = c.0.hands.sees("does it end with line 199?").await?;
    ensure(seen != Some(false), "lines are missing")?;
    Ok(String::new())
}

pub(super) async fn three<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut printer = c.open().await?;
    for _ in 0..3 {
        let outcome = printer.print(&receipt(2), LONG).await;
        let done = matches!(outcome, PrintOutcome::Done { .. });
        ensure(done, format!("{outcome:?}"))?;
    }
    Ok(String::new())
}

/// With this fault nothing is begun.
async fn nothing_begun<B: Bus>(
    c: &ReceiptBench<B>,
    act: (&str, &str),
    back: (&str, &str),
    fault: PrintFault,
) -> Verdict {
    let mut printer = c.open().await?;
    c.0.act_for_now(act, back).await?;
    c.0.clock.sleep(Duration::from_millis(200)).await;
    let status = printer.status().await?.fault;
    let outcome = printer.print(&receipt(3), LONG).await;
    c.0.put_right().await?;
    expect("fault", status, Some(fault))?;
    let printed = Printed::Nothing;
    expect("printing", outcome, PrintOutcome::Failed { printed, fault })?;
    Ok(String::new())
}

const PAPER: ((&str, &str), (&str, &str)) = (
    ("paper-out", "take the paper out, close the cover"),
    ("refill", "put the paper in"),
);
const COVER: ((&str, &str), (&str, &str)) = (
    ("cover open", "open the cover"),
    ("cover close", "close the cover"),
);

pub(super) async fn no_paper<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    nothing_begun(c, PAPER.0, PAPER.1, PrintFault::PaperOut).await
}

pub(super) async fn cover<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    nothing_begun(c, COVER.0, COVER.1, PrintFault::CoverOpen).await
}

/// A long receipt while something is done to the printer.
async fn print_and<B: Bus>(
    c: &ReceiptBench<B>,
    act: (&str, &str),
    back: (&str, &str),
) -> Result<PrintOutcome, Stop> {
    let mut printer = c.open().await?;
    let document = receipt(60);
    let printing = printer.print(&document, LONG);
    let outcome = c.0.during(printing, PRINTING, act.0, act.1).await?;
    drop(printer);
    c.0.act(back.0, back.1).await?;
    c.0.comes_back().await?;
    Ok(outcome)
}

pub(super) async fn paper_ends<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let outcome = print_and(c, PAPER.0, PAPER.1).await?;
    not_done(&outcome)?;
    let partial = matches!(
        outcome,
        PrintOutcome::Failed {
            printed: Printed::Partial,
            ..
        }
    );
    ensure(partial, format!("{outcome:?}"))?;
    Ok(String::new())
}

pub(super) async fn cover_in_print<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let outcome = print_and(c, COVER.0, COVER.1).await?;
    not_done(&outcome)?;
    let partial = matches!(
        outcome,
        PrintOutcome::Failed {
            printed: Printed::Partial,
            ..
        }
    );
    ensure(partial, format!("{outcome:?}"))?;
    Ok(String::new())
}

pub(super) async fn no_rest<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    not_done(&print_and(c, COVER.0, COVER.1).await?)?;
    let lines = c.0.hands.count(&c.0.path, "lines").await?;
    c.0.rest(Duration::from_secs(5)).await;
    let later = c.0.hands.count(&c.0.path, "lines").await?;
    expect("lines printed", later, lines)?;
    let seen =
        c.0.hands
            .sees("did it stay silent after the cover was closed?")
            .await?;
    ensure(seen != Some(false), "it went on printing")?;
    Ok(String::new())
}

pub(super) async fn near_end<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut printer = c.open().await?;
    let act = ("near-end", "put in a roll that is nearly used up");
    c.0.act_for_now(act, ("refill", "put in a full roll"))
        .await?;
    // The sensor flutters: it is believed after a while.
    let mut near = false;
    for _ in 0..50 {
        near |= printer.status().await?.near_end;
        c.0.clock.sleep(Duration::from_millis(100)).await;
    }
    let outcome = printer.print(&receipt(2), LONG).await;
    drop(printer);
    c.0.put_right().await?;
    ensure(near, "the roll's end is not reported")?;
    let done = matches!(outcome, PrintOutcome::Done { .. });
    ensure(done, format!("{outcome:?}"))?;
    Ok(String::new())
}

pub(super) async fn pulled<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let pull = ("unplug", "pull its usb cable");
    let outcome = print_and(c, pull, ("replug", "put its usb cable back in")).await?;
    not_done(&outcome)?;
    let doubt = matches!(outcome, PrintOutcome::Unknown { .. });
    ensure(doubt, format!("{outcome:?}"))?;
    Ok(String::new())
}
