//! What a device that failed its hello may be instead of what it was taken for.
//!
//! Owns the sentence for the wrong device: what the descriptors said against what the
//! device says of itself. Only printers have a word for that (IEEE 1284). Called after a
//! failed hello; asks nothing of a device that could not be opened.

use std::time::Duration;

use crate::driver::escpos::device_id::DeviceId;
use crate::driver::printer_class::{ask_device_id, choose, quirks};
use crate::driver::recognition::{Recognition, recognise};
use crate::driver::{Role, role_of};
use crate::transport::{Bus, DeviceInfo, Stage, Transport as _};

/// Longest device id in bytes, and patience for it.
const ID_MAX: u16 = 1024;
const WITHIN: Duration = Duration::from_secs(1);

/// What to add to the error of a failed hello.
pub(super) async fn doubt<B: Bus>(bus: &B, info: &DeviceInfo) -> Option<String> {
    let role = role_of(info)?;
    let Recognition::Driven { by, .. } = recognise(info) else {
        return None;
    };
    match role {
        Role::ReceiptPrinter | Role::FormPrinter => {
            let id = id_of(bus, info).await?;
            contradiction(role, &id)
        }
        Role::Finger if by.starts_with("EF01") => Some(format!(
            "wrong device? a serial bridge says nothing of what hangs on it; this one was taken \
             for {by}"
        )),
        _ => Some(format!("by its descriptors it is {role} ({by})")),
    }
}

/// Who the printer says it is.
async fn id_of<B: Bus>(bus: &B, info: &DeviceInfo) -> Option<DeviceId> {
    let chosen = choose(info, quirks(info))?;
    let usb = bus.open(&info.path).await.ok()?;
    let ask = ask_device_id(chosen.interface, chosen.alternate);
    let bytes = usb.control(ask, Stage::In(ID_MAX), WITHIN).await.ok()?;
    Some(DeviceId::parse(&bytes))
}

fn contradiction(role: Role, id: &DeviceId) -> Option<String> {
    let says = id.commands.to_ascii_uppercase();
    if says.is_empty() || says.contains("ESC") || says.contains("PR2") {
        return None;
    }
    let (maker, model) = (&id.maker, &id.model);
    Some(format!(
        "wrong device: taken for a {role} by its class, and it says that it is {maker} {model} \
         and speaks {}",
        id.commands
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DeviceId {
        let length = u16::try_from(text.len() + 2).expect("short");
        DeviceId::parse(&[&length.to_be_bytes()[..], text.as_bytes()].concat())
    }

    #[test]
    fn an_office_printer_in_a_receipt_printers_place_is_named_with_what_it_speaks() {
        let office = id("MFG:HP;MDL:LaserJet 4;CMD:PJL,PCL,POSTSCRIPT;CLS:PRINTER;");
        let said = contradiction(Role::ReceiptPrinter, &office).expect("wrong");
        assert_eq!(
            said,
            "wrong device: taken for a receipt-printer by its class, and it says that it is HP \
             LaserJet 4 and speaks PJL,PCL,POSTSCRIPT"
        );
        let ours = id("MFG:EPSON;MDL:TM-T88V;COMMAND SET:ESC/POS;CLS:PRINTER;");
        assert_eq!(ours.commands, "ESC/POS");
        assert_eq!(contradiction(Role::ReceiptPrinter, &ours), None);
        assert_eq!(contradiction(Role::FormPrinter, &DeviceId::default()), None);
    }
}
