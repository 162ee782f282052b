//! The PIN pad twin, imported from outside: an entry is sealed, or there is none.

use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey};
use counterfoil_devices::driver::pin_pad::{PinEvent, PinPad, PinPadError, UsbPinPad};
use counterfoil_devices::transport::UsbError;
use counterfoil_devices::transport::rusb_bus::RusbTransport;

use super::{Bench, Ids, Work};

/// Of the twin.
pub const IDS: Ids = (0x1209, 0x0006);
const NAME: &str = "pin-pad";
const SECRET: &str = "zhang-pin";
const DIGITS: u8 = 6;
const WITHIN: Duration = Duration::from_secs(5);
const SESSION: Binding = Binding {
    sale: SaleId(7),
    challenge: Challenge([3; 16]),
};

/// Every check of the pad.
pub async fn check(bench: &Bench) -> anyhow::Result<()> {
    bench.check(NAME, "sealed entry", enter(bench)).await?;
    let unplugged = "unplugged during an entry";
    bench.check(NAME, unplugged, unplug(bench)).await?;
    let back = async {
        bench.twin_back(NAME, IDS).await?;
        enter(bench).await
    };
    bench.check(NAME, "plugged back: sealed entry", back).await
}

async fn begun(bench: &Bench) -> anyhow::Result<(UsbPinPad<RusbTransport>, OpenKey)> {
    let usb = bench.open(IDS).await?;
    let mut pad = UsbPinPad::open(usb, bench.clock.clone()).await?;
    let (open, seal) = OpenKey::derive(&[9; 32]);
    pad.begin(SESSION, seal, DIGITS).await?;
    Ok((pad, open))
}

async fn enter(bench: &Bench) -> Work {
    let (mut pad, key) = begun(bench).await?;
    bench.twin(&format!("twin pin-pad enter @{SECRET}"))?;
    let mut counted = 0;
    let sealed = loop {
        match pad.next(WITHIN).await? {
            PinEvent::Digits(count) => counted = count,
            PinEvent::Done(sealed) => break sealed,
            other => anyhow::bail!("the entry came to {other:?}"),
        }
    };
    let typed = sealed.open(&key, SESSION)?;
    let known = bench.bank.secret(SECRET).context("no such secret")?;
    anyhow::ensure!(typed.0.expose() == known.expose(), "another PIN was sealed");
    anyhow::ensure!(counted == DIGITS, "{counted} digits were counted");
    Ok(format!("{counted} digits, opened with the house's key"))
}

async fn unplug(bench: &Bench) -> Work {
    let (mut pad, _) = begun(bench).await?;
    bench.twin("twin pin-pad type 3")?;
    let mut counted = 0;
    while counted < 3 {
        match pad.next(WITHIN).await? {
            PinEvent::Digits(count) => counted = count,
            other => anyhow::bail!("the entry came to {other:?}"),
        }
    }
    bench.twin("after 200 pin-pad unplug")?;
    match pad.next(WITHIN).await {
        Err(PinPadError::Usb(UsbError::NoDevice)) => bench.since_pull(bench.twin("since")),
        other => anyhow::bail!("it came to {other:?}"),
    }
}
