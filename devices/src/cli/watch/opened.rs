//! A device that is kept open, and what it last said of itself.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::{SharedClock, SharedEntropy};

use super::super::hello::{forms, receipt, told};
use crate::driver::ccid::Reader;
use crate::driver::form_station::{FormSettings, FormStation};
use crate::driver::receipt_printer::ReceiptPrinter;
use crate::driver::sdt::IdReader;
use crate::driver::{Role, role_of};
use crate::system::SystemEntropy;
use crate::transport::{Bus, DeviceInfo, Transport};

/// Longest look at one device.
const LOOK: Duration = Duration::from_millis(300);

/// One device.
pub(super) struct Opened<T: Transport> {
    device: Device<T>,
    last: String,
    lies: bool,
}

enum Device<T: Transport> {
    Card(Reader<T>),
    Document(IdReader<T>),
    Receipt(Box<ReceiptPrinter<T>>),
    Forms(Box<FormStation<T>>),
    /// Tells nothing cheaply, is none of ours, or did not open.
    Silent,
}

impl<T: Transport> Opened<T> {
    /// Opens a recognised device; what to say of it.
    pub(super) async fn open<B: Bus<Transport = T>>(
        bus: &B,
        info: &DeviceInfo,
        clock: &SharedClock,
    ) -> (Self, Option<String>) {
        let silent = |said: Option<String>| {
            let opened = Self {
                device: Device::Silent,
                last: String::new(),
                lies: false,
            };
            (opened, said)
        };
        let Some(
            role @ (Role::CardReader | Role::IdReader | Role::ReceiptPrinter | Role::FormPrinter),
        ) = role_of(info)
        else {
            return silent(None);
        };
        let opened = Self::take(bus, info, role, clock).await;
        match opened {
            Err(error) => silent(Some(format!("not opened: {error}"))),
            Ok(device) => {
                let mut opened = Self {
                    device,
                    last: String::new(),
                    lies: false,
                };
                let said = opened.changed().await;
                (opened, said)
            }
        }
    }

    async fn take<B: Bus<Transport = T>>(
        bus: &B,
        info: &DeviceInfo,
        role: Role,
        clock: &SharedClock,
    ) -> Result<Device<T>, String> {
        let usb = bus.open(&info.path).await.map_err(told)?;
        let clock = clock.clone();
        let entropy: SharedEntropy = Rc::new(SystemEntropy);
        Ok(match role {
            Role::CardReader => Device::Card(Reader::open(usb, clock).await.map_err(told)?),
            Role::IdReader => Device::Document(IdReader::open(usb, clock).await.map_err(told)?),
            Role::ReceiptPrinter => {
                let printer = ReceiptPrinter::open(usb, clock, &*entropy).await;
                Device::Receipt(Box::new(printer.map_err(told)?))
            }
            _ => {
                let settings = FormSettings::default();
                let printer = FormStation::open(usb, clock, &*entropy, &settings).await;
                Device::Forms(Box::new(printer.map_err(told)?))
            }
        })
    }

    /// What it says, if that is not what it said before.
    pub(super) async fn changed(&mut self) -> Option<String> {
        let said = match &mut self.device {
            Device::Silent => return None,
            Device::Card(reader) => reader
                .present()
                .await
                .map_err(told)
                .map(|is_in| if is_in { "card inserted" } else { "no card" }.to_owned()),
            Device::Document(reader) => {
                let lies = match self.lies {
                    true => reader.wait_lifted(LOOK).await.map(|lifted| !lifted),
                    false => reader.poll_card(LOOK).await,
                };
                self.lies = lies.as_ref().is_ok_and(|lies| *lies);
                let words = |lies| {
                    if lies {
                        "document lies there"
                    } else {
                        "no document"
                    }
                };
                lies.map_err(told).map(|lies| words(lies).to_owned())
            }
            Device::Receipt(printer) => printer.status().await.map_err(told).map(|s| receipt(&s)),
            Device::Forms(printer) => printer.status().await.map_err(told).map(|s| forms(&s)),
        };
        let said = said.unwrap_or_else(|error| {
            // A handle that failed is not used again; plugging it in anew opens it.
            self.device = Device::Silent;
            error
        });
        if said == self.last {
            return None;
        }
        self.last.clone_from(&said);
        Some(said)
    }
}
