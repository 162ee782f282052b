//! What can be done on any bus: this computer's, a server's, a recording.
//!
//! Owns the choice of the bus for a verb. Called by the command line and by [`super::capture`]
//! and [`super::replay`], which put something of theirs between the verb and the devices.

use std::rc::Rc;

use anyhow::Context as _;
use clap::Subcommand;
use counterfoil_data::seam::{SharedClock, SharedEntropy};

use super::{calibrate, certify, finger, hello, no_server, own_usb};
use crate::system::SystemEntropy;
use crate::transport::Bus;
use crate::transport::usbip::{Address, UsbIpBus};

/// Something that is done with the devices of a bus.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Open every recognised device and say hello.
    Probe,
    /// Print the calibration page on plain paper.
    Calibrate(calibrate::Calibrate),
    /// Take three impressions of a finger.
    #[command(skip)]
    Finger(finger::Capture),
    /// Run a conformance kit against one device.
    Certify(Box<certify::Certify>),
}

impl Verb {
    /// Does it.
    pub(super) async fn run<B: Bus>(
        &self,
        bus: &Rc<B>,
        clock: &SharedClock,
        entropy: &SharedEntropy,
    ) -> anyhow::Result<()> {
        match self {
            Self::Probe => hello::probe(&**bus, clock, entropy).await,
            Self::Calibrate(what) => calibrate::print(&**bus, clock, entropy, what).await,
            Self::Finger(what) => finger::capture(&**bus, clock, entropy, what).await,
            Self::Certify(what) => certify::certify(Rc::clone(bus), clock, entropy, what).await,
        }
    }

    /// The server its own flags name.
    pub(super) fn server(&self) -> Option<&Address> {
        match self {
            Self::Probe => None,
            Self::Calibrate(what) => what.usbip.as_ref(),
            Self::Finger(what) => what.usbip.as_ref(),
            Self::Certify(what) => what.usbip.as_ref(),
        }
    }

    /// Does it where it was told to.
    pub(super) async fn run_at(
        &self,
        usbip: Option<Address>,
        clock: &SharedClock,
    ) -> anyhow::Result<()> {
        let entropy: SharedEntropy = Rc::new(SystemEntropy);
        match usbip {
            Some(address) => {
                let bus = Rc::new(server(address, clock).await?);
                self.run(&bus, clock, &entropy).await
            }
            None => self.run(&Rc::new(own_usb()?), clock, &entropy).await,
        }
    }
}

/// A server that answers.
pub(super) async fn server(
    address: Address,
    clock: &SharedClock,
) -> anyhow::Result<UsbIpBus<Address>> {
    let remedy = no_server(&address);
    let bus = UsbIpBus::new(address, clock.clone());
    bus.list().await.context(remedy)?;
    Ok(bus)
}
