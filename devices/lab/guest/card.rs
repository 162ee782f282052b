//! QEMU's CCID reader with a card of the demo bank in it.

use std::time::Duration;

use counterfoil_data::wire::sale::CardProof;
use counterfoil_devices::driver::ccid::{CcidError, Reader};
use counterfoil_devices::driver::pboc::{CardError, read_settlement_card};
use counterfoil_devices::system::SystemEntropy;
use counterfoil_devices::transport::UsbError;
use counterfoil_devices::transport::rusb_bus::RusbTransport;
use counterfoil_devices::twin::card_reader::demo_capks;

use super::{Bench, Ids, Work};

/// Of QEMU's reader.
pub const IDS: Ids = (0x08E6, 0x4433);
const NAME: &str = "card-reader";
const CARD: &str = "zhang-card";
const WITHIN: Duration = Duration::from_secs(10);
/// In the middle of the records.
const PULL_AT: u32 = 6;

/// Every check of the reader.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    let full = "full read and DDA";
    bench.check(NAME, full, read(bench)).await?;
    let fresh = "a fresh random for each read";
    bench.check(NAME, fresh, randoms(bench)).await?;
    let copied = "a copied chip is refused";
    bench.check(NAME, copied, copy(bench)).await?;
    let out = "the card pulled in mid-read";
    bench.check(NAME, out, pulled_out(bench)).await?;
    let unplugged = "unplugged during a command";
    bench.check(NAME, unplugged, unplug(bench)).await?;
    let back = "plugged back: full read and DDA";
    bench.check(NAME, back, plug_back(bench)).await
}

async fn opened(bench: &Bench) -> anyhow::Result<Reader<RusbTransport>> {
    Ok(Reader::open(bench.open(IDS).await?, bench.clock.clone()).await?)
}

/// Reads the card that was put in, proof included; which number it has.
async fn proven(bench: &Bench, reader: &mut Reader<RusbTransport>) -> Result<String, CardError> {
    let capks = demo_capks().map_err(|_| CardError::Field("scheme keys"))?;
    let today = jiff::civil::date(2026, 11, 22);
    let read = read_settlement_card(reader, &capks, &SystemEntropy, today, WITHIN).await?;
    let card = bench.bank.cards.iter().find(|card| card.name == CARD);
    if card.is_none_or(|card| card.pan != *read.pan.expose()) {
        return Err(CardError::Field("number"));
    }
    match read.proof {
        CardProof::Genuine => Ok("proof: genuine".into()),
        _ => Err(CardError::Field("proof")),
    }
}

async fn insert(bench: &Bench, how: &str) -> anyhow::Result<Reader<RusbTransport>> {
    let mut reader = opened(bench).await?;
    bench.act(&format!("card insert {CARD}{how}"))?;
    let deadline = bench.clock.monotonic().saturating_add(WITHIN);
    anyhow::ensure!(reader.wait_card(deadline).await?, "no card was seen");
    Ok(reader)
}

async fn removed(bench: &Bench, reader: &mut Reader<RusbTransport>) -> anyhow::Result<()> {
    bench.act("card remove")?;
    let deadline = bench.clock.monotonic().saturating_add(WITHIN);
    anyhow::ensure!(
        reader.wait_removed(deadline).await?,
        "it was not seen to go"
    );
    Ok(())
}

async fn read(bench: &Bench) -> Work {
    let mut reader = insert(bench, "").await?;
    let proof = proven(bench, &mut reader).await?;
    removed(bench, &mut reader).await?;
    Ok(proof)
}

async fn randoms(bench: &Bench) -> Work {
    read(bench).await?;
    let fresh = bench.act("card randoms")?;
    anyhow::ensure!(fresh == "2 of 2", "randoms that differ: {fresh}");
    Ok(format!("randoms that differ: {fresh}"))
}

async fn copy(bench: &Bench) -> Work {
    let mut reader = insert(bench, " copied").await?;
    let refused = proven(bench, &mut reader).await;
    removed(bench, &mut reader).await?;
    match refused {
        Err(error @ CardError::NotAuthentic(_)) => Ok(error.to_string()),
        other => anyhow::bail!("a copy came to {other:?}"),
    }
}

async fn pulled_out(bench: &Bench) -> Work {
    let mut reader = insert(bench, "").await?;
    bench.act(&format!("card out at {PULL_AT}"))?;
    match proven(bench, &mut reader).await {
        Err(error @ CardError::Removed) => Ok(error.to_string()),
        other => anyhow::bail!("it came to {other:?}"),
    }
}

async fn unplug(bench: &Bench) -> Work {
    let mut reader = insert(bench, "").await?;
    bench.act(&format!("card pull at {PULL_AT}"))?;
    let gone = CcidError::Usb(UsbError::NoDevice);
    match proven(bench, &mut reader).await {
        Err(CardError::Reader(error)) if error == gone => bench.since_pull(bench.act("since")),
        // QEMU takes the card out first, and may be quick enough to say so.
        Err(CardError::Removed) => {
            bench.lost(IDS).await?;
            let next = reader.present().await;
            anyhow::ensure!(next == Err(gone), "the next command came to {next:?}");
            Ok("the card went first, then the reader".to_owned())
        }
        other => anyhow::bail!("it came to {other:?}"),
    }
}

async fn plug_back(bench: &Bench) -> Work {
    bench.lost(IDS).await?;
    bench.act("card back")?;
    let mut reader = insert(bench, "").await?;
    let proof = proven(bench, &mut reader).await?;
    removed(bench, &mut reader).await?;
    Ok(proof)
}
