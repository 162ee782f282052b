//! `simulate`: the demo branch's twins as a USB/IP server.

use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;

use super::speed::FastClock;
use super::{Simulate, say};
use crate::driver::Role;
use crate::system::SystemEntropy;
use crate::transport::usbip::{self, Address, Listener};
use crate::twin::branch::Branch;
use crate::twin::fingers::FingerSpec;

/// Serves until killed. Says where, then `ready`: others wait for that line.
pub(super) async fn serve(what: Simulate, clock: SharedClock) -> anyhow::Result<()> {
    let mut bank = demo::bank().context("the demo bank is unusable")?;
    anyhow::ensure!(
        bank.kiosks
            .iter()
            .any(|kiosk| kiosk.id.as_str() == what.kiosk),
        "the demo bank has no kiosk {}",
        what.kiosk
    );
    bank.kiosks.retain(|kiosk| kiosk.id.as_str() == what.kiosk);
    if let Some(paper) = &what.paper {
        std::fs::create_dir_all(paper)
            .with_context(|| format!("cannot make the folder {}", paper.display()))?;
    }
    let clock: SharedClock = Rc::new(FastClock::on(clock, what.speed));
    let bus = Branch::demo(&bank, clock, Rc::new(SystemEntropy), what.paper);
    let finger = what.finger.twin(FingerSpec::demo(&bank));
    bus.plug(Role::Finger.name(), finger);
    let twins = bind(&what.listen).await?;
    say(&format!("usbip {}", twins.address()?))?;
    let desk = match &what.desk {
        Some(address) => {
            let desk = bind(address).await?;
            say(&format!("desk {}", desk.address()?))?;
            Some(desk)
        }
        None => None,
    };
    say("ready")?;
    let serving = usbip::serve(bus.clone(), twins);
    match desk {
        Some(desk) => tokio::select! {
            ended = serving => ended?,
            ended = usbip::desk::serve(bus, desk) => ended?,
        },
        None => serving.await?,
    }
    Ok(())
}

async fn bind(address: &Address) -> anyhow::Result<Listener> {
    let listening = Listener::bind(address).await;
    listening.with_context(|| format!("cannot listen at {address}"))
}
