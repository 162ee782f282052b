//! Cards on the plate.

use std::time::Duration;

use super::super::{Stop, Verdict, ensure, expect};
use super::{IdBench, LAY, LIFT, LONG};
use crate::driver::sdt::{IdRead, SdtError};
use crate::transport::{Bus, UsbError};

const SOON: Duration = Duration::from_secs(2);

async fn laid<B: Bus>(c: &IdBench<B>) -> Result<(), Stop> {
    c.0.act_for_now(LAY, LIFT).await
}

async fn once<B: Bus>(c: &IdBench<B>) -> Result<IdRead, Stop> {
    let mut reader = c.open().await?;
    laid(c).await?;
    let read = reader.read(LONG).await?;
    c.0.put_right().await?;
    Ok(read)
}

pub(super) async fn found<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    laid(c).await?;
    let began = c.0.now();
    ensure(reader.poll_card(LONG).await?, "it found no card")?;
    let took = c.0.now().saturating_sub(began);
    ensure(took <= SOON, format!("after {} ms", took.as_millis()))?;
    Ok(String::new())
}

pub(super) async fn read<B: Bus>(c: &IdBench<B>) -> Verdict {
    let read = once(c).await?;
    expect(
        "find, select, read",
        read.evidence.status,
        vec![0x9F, 0x90, 0x90],
    )?;
    ensure(!read.document.name.expose().is_empty(), "the name is empty")?;
    ensure(
        !read.document.number.expose().is_empty(),
        "the number is empty",
    )?;
    Ok(format!("{:?}", read.document.kind).to_lowercase())
}

pub(super) async fn same_frame<B: Bus>(c: &IdBench<B>) -> Verdict {
    let (first, second) = (once(c).await?, once(c).await?);
    ensure(
        first.evidence.frame == second.evidence.frame,
        "the frames differ",
    )?;
    expect("the module", second.evidence.sam_id, first.evidence.sam_id)?;
    Ok(String::new())
}

pub(super) async fn stays<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    laid(c).await?;
    reader.read(LONG).await?;
    ensure(
        !reader.wait_removed(SOON).await?,
        "it misses a card that lies there",
    )?;
    Ok(String::new())
}

pub(super) async fn lifted<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    laid(c).await?;
    reader.read(LONG).await?;
    c.0.put_right().await?;
    let began = c.0.now();
    ensure(
        reader.wait_removed(LONG).await?,
        "it sees a card that is gone",
    )?;
    let took = c.0.now().saturating_sub(began);
    ensure(
        took < Duration::from_secs(4),
        format!("after {} ms", took.as_millis()),
    )?;
    Ok(format!("{} ms", took.as_millis()))
}

pub(super) async fn refused<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let words = "lay a chip card that is no ID card on the reader";
    c.0.act_for_now(("present zhang-forged", words), LIFT)
        .await?;
    let read = reader.read(LONG).await;
    c.0.put_right().await?;
    match read {
        Ok(_) => Err(Stop::seen("it was read as a document")),
        Err(error @ SdtError::Usb { .. }) => Err(error.into()),
        Err(error) => Ok(error.to_string()),
    }
}

pub(super) async fn pulled<B: Bus>(c: &IdBench<B>) -> Verdict {
    let mut reader = c.open().await?;
    let began = c.0.now();
    let looking = reader.poll_card(LONG);
    let words = "pull its usb cable";
    let found =
        c.0.during(looking, Duration::from_secs(1), "unplug", words)
            .await?;
    let took = c.0.now().saturating_sub(began);
    drop(reader);
    c.0.act("replug", "put its usb cable back in").await?;
    c.0.comes_back().await?;
    let gone = match &found {
        Err(SdtError::Usb { source, .. }) => *source == UsbError::NoDevice,
        _ => false,
    };
    ensure(gone, format!("the wait: {found:?}"))?;
    ensure(took < LONG, "it ended only at its deadline")?;
    Ok(String::new())
}
