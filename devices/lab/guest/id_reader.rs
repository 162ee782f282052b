//! The ID-card reader twin, imported from outside.

use std::time::Duration;

use anyhow::Context as _;
use counterfoil_devices::driver::sdt::{IdReader, SdtError};
use counterfoil_devices::transport::UsbError;
use counterfoil_devices::transport::rusb_bus::RusbTransport;

use super::{Bench, Ids, Work};

/// Of readers with a security module.
pub const IDS: Ids = (0x0400, 0xC35A);
const NAME: &str = "id-reader";
const DOCUMENT: &str = "zhang";
const WITHIN: Duration = Duration::from_secs(5);

/// Every check of the reader.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    bench.check(NAME, "document read", read(bench)).await?;
    let unplugged = "unplugged during a read";
    bench.check(NAME, unplugged, unplug(bench)).await?;
    let back = async {
        bench.twin("twin id-reader remove")?;
        bench.twin_back(NAME, IDS).await?;
        read(bench).await
    };
    bench.check(NAME, "plugged back: document read", back).await
}

async fn laid(bench: &Bench) -> anyhow::Result<IdReader<RusbTransport>> {
    let usb = bench.open(IDS).await?;
    let mut reader = IdReader::open(usb, bench.clock.clone()).await?;
    bench.twin(&format!("twin id-reader present {DOCUMENT}"))?;
    anyhow::ensure!(reader.poll_card(WITHIN).await?, "no card was found");
    Ok(reader)
}

async fn read(bench: &Bench) -> Work {
    let mut reader = laid(bench).await?;
    let read = reader.read(WITHIN).await?;
    let document = bench.bank.documents.iter().find(|d| d.name == DOCUMENT);
    let document = document.context("no such document")?;
    let same = *read.document.number.expose() == document.number
        && *read.document.name.expose() == document.holder;
    anyhow::ensure!(same, "another document than lay there");
    bench.twin("twin id-reader remove")?;
    anyhow::ensure!(reader.wait_removed(WITHIN).await?, "it was not seen to go");
    Ok(format!("statuses {:02x?}", read.evidence.status))
}

async fn unplug(bench: &Bench) -> Work {
    let mut reader = laid(bench).await?;
    // Selecting takes 300 ms, reading 900.
    bench.twin("when id-reader selects 700 id-reader unplug")?;
    match reader.read(WITHIN).await {
        Err(SdtError::Usb {
            step,
            source: UsbError::NoDevice,
        }) => Ok(format!(
            "{}, at {step}",
            bench.since_pull(bench.twin("since"))?
        )),
        Ok(_) => anyhow::bail!("a document came of it"),
        Err(error) => anyhow::bail!("it came to {error:?}"),
    }
}
