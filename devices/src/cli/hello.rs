//! `probe`: what each recognised device answers to its driver's hello.

use counterfoil_data::seam::{SharedClock, SharedEntropy};

use super::doubt::doubt;
use super::say;
use crate::driver::ccid::Reader;
use crate::driver::finger::FingerSensor;
use crate::driver::form_printer::{FormPrinterStatus, Occupancy};
use crate::driver::form_station::{FormSettings, FormStation};
use crate::driver::pin_pad::UsbPinPad;
use crate::driver::receipt_printer::{ReceiptPrinter, ReceiptPrinterStatus};
use crate::driver::sdt::IdReader;
use crate::driver::{Role, role_of};
use crate::transport::{Bus, DeviceInfo, Transport};

/// Greets every recognised device; an error when one does not answer or there
/// is none.
pub(super) async fn probe<B: Bus>(
    bus: &B,
    clock: &SharedClock,
    entropy: &SharedEntropy,
) -> anyhow::Result<()> {
    let (mut greeted, mut silent) = (0_u32, 0_u32);
    for info in bus.list().await? {
        let Some(role) = role_of(&info) else {
            continue;
        };
        match greet(bus, &info, role, (clock, entropy)).await {
            Ok(answer) => {
                greeted = greeted.saturating_add(1);
                say(&format!("ok  {:<16} {role:<16} {answer}", info.path))?;
            }
            Err(error) => {
                silent = silent.saturating_add(1);
                say(&format!("err {:<16} {role:<16} {error}", info.path))?;
            }
        }
    }
    anyhow::ensure!(
        silent == 0,
        "{silent} of the recognised devices did not answer: check their cables and power, \
         and that the udev rules are installed"
    );
    anyhow::ensure!(
        greeted > 0,
        "no device of a kiosk is plugged in: see `list` for what is there"
    );
    Ok(())
}

/// Hello of one device; what it answered, or why not and what it may be instead.
pub(super) async fn greet<B: Bus>(
    bus: &B,
    info: &DeviceInfo,
    role: Role,
    with: (&SharedClock, &SharedEntropy),
) -> Result<String, String> {
    let usb = bus.open(&info.path).await.map_err(told)?;
    match hello(usb, role, with).await {
        Ok(said) => Ok(said),
        Err(error) => match doubt(bus, info).await {
            Some(doubt) => Err(format!("{error}; {doubt}")),
            None => Err(error),
        },
    }
}

async fn hello<T: Transport>(
    usb: T,
    role: Role,
    (clock, entropy): (&SharedClock, &SharedEntropy),
) -> Result<String, String> {
    let clock = clock.clone();
    match role {
        Role::IdReader => {
            let reader = IdReader::open(usb, clock).await.map_err(told)?;
            Ok(format!("security module {}", reader.sam_id()))
        }
        Role::CardReader => {
            let mut reader = Reader::open(usb, clock).await.map_err(told)?;
            let present = reader.present().await.map_err(told)?;
            Ok(if present { "card inserted" } else { "no card" }.to_owned())
        }
        Role::Finger => {
            let sensor = FingerSensor::open(usb, clock, entropy.clone())
                .await
                .map_err(told)?;
            Ok(sensor.hello().to_owned())
        }
        Role::PinPad => {
            UsbPinPad::open(usb, clock).await.map_err(told)?;
            Ok("framing 1".to_owned())
        }
        Role::FormPrinter => {
            let settings = FormSettings::default();
            let mut printer = FormStation::open(usb, clock, &**entropy, &settings)
                .await
                .map_err(told)?;
            let raw = match &mut printer {
                FormStation::Pr2(printer) => {
                    let (status, stand, position) = printer.raw_answers().await.map_err(told)?;
                    format!(", codes: status {status}, stand {stand}, position {position}")
                }
                FormStation::Slip(printer) => {
                    let (third, fourth, now) = printer.raw_sensors().await.map_err(told)?;
                    format!(", slip bits: status {third:02x} {fourth:02x}, DLE EOT 5 {now:02x}")
                }
                FormStation::Cassettes(_) | FormStation::Escp2(_) => String::new(),
            };
            let status = printer.status().await.map_err(told)?;
            Ok(format!("{}{raw}", forms(&status)))
        }
        Role::ReceiptPrinter => {
            let mut printer = ReceiptPrinter::open(usb, clock, &**entropy)
                .await
                .map_err(told)?;
            let status = printer.status().await.map_err(told)?;
            Ok(receipt(&status))
        }
    }
}

/// What a receipt printer said, in words.
pub(super) fn receipt(status: &ReceiptPrinterStatus) -> String {
    let fault = status.fault.map_or("ready".to_owned(), |f| f.to_string());
    let roll = if status.near_end {
        ", the roll is near its end"
    } else {
        ""
    };
    format!("{fault}{roll}")
}

/// What a form printer said, in words.
pub(super) fn forms(status: &FormPrinterStatus) -> String {
    let places = [
        ("transport", status.transport),
        ("escrow", status.escrow),
        ("output", status.output),
    ];
    let lies = places.iter().filter(|(_, o)| *o != Occupancy::Empty);
    let lies = lies.map(|(name, o)| format!("{name} {o:?}").to_lowercase());
    let fault = status.fault.map_or("ready".to_owned(), |f| f.to_string());
    let slots = format!("{} slots", status.slots.len());
    let facts: Vec<String> = [fault, slots].into_iter().chain(lies).collect();
    facts.join(", ")
}

/// An error with what caused it.
pub(super) fn told(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
