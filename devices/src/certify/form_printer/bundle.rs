//! The bundle: in reach, taken, drawn back.

use std::time::Duration;

use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG};
use crate::driver::escpos::fault::PrintFault;
use crate::driver::form_printer::{Occupancy, Retraction, Taking};
use crate::transport::Bus;

const SENSOR: &str = "clean the presenter's sensors";
const PRESENTER: &str = "Custom KPM-216, GS e";

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-66", "with no bundle nothing is presented", PRESENTER, SENSOR,
            |c| Box::pin(nothing_to_present(c))),
        Check::new("FP-67", "with nothing in reach a retraction counts nothing", PRESENTER, SENSOR,
            |c| Box::pin(nothing_to_retract(c))),
        Check::new("FP-68", "a presented bundle is in reach and not in the escrow",
            PRESENTER, SENSOR,
            |c| Box::pin(in_reach(c))).spoils(1),
        Check::new("FP-69", "a bundle nobody takes is still seen there", PRESENTER, SENSOR,
            |c| Box::pin(still_there(c))).spoils(1),
        Check::new("FP-70", "a retracted bundle raises the bin's count by one",
            "FS ( S fn 49", SENSOR,
            |c| Box::pin(retracted(c))).spoils(1),
        Check::new("FP-71", "a bundle in the escrow is still there after the handle was lost",
            "GS e 6", SENSOR, |c| Box::pin(after_reopening(c))).spoils(1),
        Check::new("FP-72", "a taken bundle is seen to be taken, once", PRESENTER, SENSOR,
            |c| Box::pin(taken(c))).spoils(2).by_hand(),
        Check::new("FP-73", "a bundle taken at the last moment is not in the bin",
            "FS ( S fn 49", SENSOR,
            |c| Box::pin(taken_before_retraction(c))).spoils(1).by_hand(),
        Check::new("FP-74", "a bundle jammed in the presenter is reported as jammed",
            "GS e 6: 80, 40",
            SENSOR, |c| Box::pin(jammed(c))).spoils(1).by_hand(),
    ]
}

async fn nothing_to_present<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    expect(
        "presenting",
        printer.present(LONG).await,
        Err(PrintFault::NoMediaPresent),
    )?;
    Ok(String::new())
}

async fn nothing_to_retract<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let before = printer.status().await?.retracted_bundles;
    expect(
        "retracting",
        printer.retract(LONG).await,
        Err(PrintFault::NoMediaPresent),
    )?;
    expect(
        "bundles in the bin",
        printer.status().await?.retracted_bundles,
        before,
    )?;
    Ok(format!("{before} bundles in the bin"))
}

async fn in_reach<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    printer.present(LONG).await?;
    let status = printer.status().await?;
    c.at_rest_after(printer).await?;
    let places = [status.escrow, status.output];
    expect(
        "escrow, output",
        places,
        [Occupancy::Empty, Occupancy::Occupied],
    )?;
    Ok(String::new())
}

async fn still_there<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    printer.present(LONG).await?;
    let waited = printer.wait_taken(Duration::from_secs(2)).await;
    c.at_rest_after(printer).await?;
    expect("after two seconds", waited, Ok(Taking::StillThere))?;
    Ok(String::new())
}

async fn retracted<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    let before = printer.status().await?.retracted_bundles;
    printer.present(LONG).await?;
    expect(
        "retracting",
        printer.retract(LONG).await,
        Ok(Retraction::ToBin),
    )?;
    let status = printer.status().await?;
    expect(
        "bundles in the bin",
        status.retracted_bundles,
        before.saturating_add(1),
    )?;
    expect("output", status.output, Occupancy::Empty)?;
    Ok(format!("{} bundles in the bin", status.retracted_bundles))
}

async fn after_reopening<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    drop(printer);
    let mut printer = c.open().await?;
    let escrow = printer.status().await?.escrow;
    c.at_rest_after(printer).await?;
    expect("escrow", escrow, Occupancy::Occupied)?;
    Ok(String::new())
}

async fn taken<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    c.printed(&mut printer).await?;
    printer.present(LONG).await?;
    c.bench
        .act("take", "take the bundle of two forms out of the output")
        .await?;
    expect("taking", printer.wait_taken(LONG).await, Ok(Taking::Taken))?;
    let status = printer.status().await?;
    let places = [status.escrow, status.output];
    expect("escrow, output", places, [Occupancy::Empty; 2])?;
    let both = c.bench.hands.sees("were both forms in it?").await?;
    ensure(both != Some(false), "the bundle was not whole")?;
    Ok(String::new())
}

async fn taken_before_retraction<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    printer.present(LONG).await?;
    let before = printer.status().await?.retracted_bundles;
    c.bench
        .act("take", "take the form out of the output")
        .await?;
    expect(
        "retracting",
        printer.retract(LONG).await,
        Ok(Retraction::NothingThere),
    )?;
    expect(
        "bundles in the bin",
        printer.status().await?.retracted_bundles,
        before,
    )?;
    Ok(String::new())
}

async fn jammed<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.printed(&mut printer).await?;
    let hold = (
        "jam presenter",
        "block the presenter so that the bundle jams on its way",
    );
    let clear = ("clear jam", "clear the presenter");
    c.bench.act_for_now(hold, clear).await?;
    let presented = printer.present(LONG).await;
    let status = printer.status().await?;
    c.bench.put_right().await?;
    let rest = printer.status().await?;
    expect("presenting", presented, Err(PrintFault::MediaJammed))?;
    ensure(status.jam, "no jam is reported")?;
    if rest.jam {
        return Err(Stop::seen("a jam is reported after it was cleared"));
    }
    Ok(String::new())
}
