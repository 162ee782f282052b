//! `simulate`: the twins of the demo branch, or of a file, as a USB/IP server.

use std::cell::RefCell;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::{self, DemoBank};
use counterfoil_data::seam::SharedClock;

use super::speed::FastClock;
use super::{Simulate, say};
use crate::driver::Role;
use crate::driver::form_station::Family;
use crate::system::SystemEntropy;
use crate::transport::twin_bus::TwinBus;
use crate::transport::usbip::{self, Address, Listener};
use crate::twin::Twin;
use crate::twin::branch::Branch;
use crate::twin::branch::build::{self, Stock};
use crate::twin::branch::file::{self, BranchFile, Place};
use crate::twin::escp2_printer::Escp2PrinterTwin;
use crate::twin::fingers::FingerSpec;
use crate::twin::pr2_printer::Pr2PrinterTwin;
use crate::twin::slip_station::SlipStationTwin;

type SharedTwin = Rc<RefCell<dyn Twin>>;

/// Serves until killed. Says where, then `ready`: others wait for that line.
pub(super) async fn serve(what: Simulate, clock: SharedClock) -> anyhow::Result<()> {
    let text = match &what.file {
        Some(path) => read(path).with_context(|| path.display().to_string())?,
        None => String::new(),
    };
    let file = BranchFile::parse(&text);
    let file = file.with_context(|| {
        let path = what.file.as_ref().map(|p| p.display().to_string());
        path.unwrap_or_default()
    })?;
    let bus = branch(&what, &file, &text, clock)?;
    let listen = match (what.listen, file.listen) {
        (Some(said), _) | (None, Some(Place(said))) => said,
        (None, None) => file::LISTEN.parse()?,
    };
    let twins = bind(&listen).await?;
    say(&format!("usbip {}", twins.address()?))?;
    let desk = match what.desk.or(file.desk.map(|place| place.0)) {
        Some(address) => {
            let desk = bind(&address).await?;
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

/// The twins: the file's, or the demo branch's; options of the command line put
/// another one in a role's place.
fn branch(
    what: &Simulate,
    file: &BranchFile,
    text: &str,
    clock: SharedClock,
) -> anyhow::Result<TwinBus> {
    let mut bank = demo::bank().context("the demo bank is unusable")?;
    let kiosk = what.kiosk.as_deref().or(file.kiosk.as_deref());
    let kiosk = kiosk.unwrap_or("kiosk-1");
    bank.kiosks.retain(|k| k.id.as_str() == kiosk);
    anyhow::ensure!(
        !bank.kiosks.is_empty(),
        "the demo bank has no kiosk {kiosk}"
    );
    let paper = what.paper.clone().or(file.paper.clone());
    if let Some(paper) = &paper {
        std::fs::create_dir_all(paper)
            .with_context(|| format!("cannot make the folder {}", paper.display()))?;
    }
    let said = file.speed.as_ref().map(|speed| *speed.get_ref());
    let speed = what.speed.or(said).unwrap_or(1);
    let clock: SharedClock = Rc::new(FastClock::on(clock, speed));
    let entropy = Rc::new(SystemEntropy);
    let bus = if file.device.is_empty() {
        Branch::demo(&bank, clock, entropy, paper.clone())
    } else {
        let bus = TwinBus::new(clock);
        let stock = Stock {
            bank: &bank,
            entropy,
            paper: paper.clone(),
        };
        build::plug(&bus, &file.device, &stock)?;
        bus
    };
    if let Some(forms) = what.forms.and_then(|f| by_hand(&bank, f, paper)) {
        bus.plug(Role::FormPrinter.name(), forms);
    }
    if let Some(finger) = what.finger {
        let finger = finger.twin(FingerSpec::demo(&bank));
        bus.plug(Role::Finger.name(), finger);
    }
    build::start(&bus, &file.device, text)?;
    Ok(bus)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    let limit = file::FILE_MAX.saturating_add(1);
    let read = file.take(limit).read_to_string(&mut text)?;
    let most = file::FILE_MAX;
    anyhow::ensure!(
        u64::try_from(read)? <= most,
        "it has more than {most} bytes"
    );
    Ok(text)
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
        Family::SlipStation => Some(Rc::new(RefCell::new(SlipStationTwin::new(pile, paper)))),
    }
}

async fn bind(address: &Address) -> anyhow::Result<Listener> {
    let listening = Listener::bind(address).await;
    listening.with_context(|| format!("cannot listen at {address}"))
}
