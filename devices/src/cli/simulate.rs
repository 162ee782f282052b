//! `simulate`: the demo branch's twins as a USB/IP server.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::SharedClock;

use super::speed::FastClock;
use super::{Simulate, say};
use crate::driver::Role;
use crate::driver::form_station::Family;
use crate::system::SystemEntropy;
use crate::transport::usbip::{self, Address, Listener};
use crate::twin::Twin;
use crate::twin::branch::Branch;
use crate::twin::escp2_printer::Escp2PrinterTwin;
use crate::twin::fingers::FingerSpec;
use crate::twin::pr2_printer::Pr2PrinterTwin;

type SharedTwin = Rc<RefCell<dyn Twin>>;

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
    let bus = Branch::demo(&bank, clock, Rc::new(SystemEntropy), what.paper.clone());
    if let Some(forms) = by_hand(&bank, what.forms, what.paper) {
        bus.plug(Role::FormPrinter.name(), forms);
    }
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

/// The form printer fed by hand, if that is meant, with the blanks of the kiosk's
/// first slot beside it.
pub(super) fn by_hand(
    bank: &DemoBank,
    family: Family,
    paper: Option<PathBuf>,
) -> Option<SharedTwin> {
    let slot = bank.kiosks.first()?.slots.first()?;
    let pile = slot.range().ok()?;
    match family {
        Family::Cassettes => None,
        Family::Escp2 => Some(Rc::new(RefCell::new(Escp2PrinterTwin::new(pile, paper)))),
        Family::Pr2 => Some(Rc::new(RefCell::new(Pr2PrinterTwin::new(pile, paper)))),
    }
}

async fn bind(address: &Address) -> anyhow::Result<Listener> {
    let listening = Listener::bind(address).await;
    listening.with_context(|| format!("cannot listen at {address}"))
}
