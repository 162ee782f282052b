//! Transfers in words: what a driver's protocol calls them.
//!
//! Knows the names of messages and nothing of their contents: what a document, a card or a
//! finger is made of is told as a number of bytes.

use std::collections::BTreeMap;

use super::super::say;
use crate::driver::{Role, role_of};
use crate::transport::replay::recording::Recording;
use crate::transport::usbmon::file::Capture;
use crate::transport::usbmon::{Event, Kind, Pipe};

/// First bytes that are shown of what has no name.
const SHOWN: usize = 8;

/// Every event with something in it, one a line.
pub(super) fn tell(capture: &Capture, recording: &Recording) -> anyhow::Result<()> {
    let roles: BTreeMap<(u16, u8), Option<Role>> = recording
        .sessions
        .iter()
        .map(|s| ((s.bus, s.device), s.info.as_ref().and_then(role_of)))
        .collect();
    let began = capture.events.first().map(|e| e.at).unwrap_or_default();
    for event in &capture.events {
        let Some(role) = roles.get(&(event.bus, event.device)) else {
            continue;
        };
        let Some(words) = words(event, *role) else {
            continue;
        };
        let at = event.at.saturating_sub(began);
        let (frame, bus, device, end) = (event.frame, event.bus, event.device, event.endpoint);
        let seconds = at.as_secs_f64();
        say(&format!(
            "{frame:>6} {seconds:>10.6} {bus}.{device} {end:02x} {words}"
        ))?;
    }
    Ok(())
}

/// One event, if there is something to be said of it.
pub(super) fn words(event: &Event, role: Option<Role>) -> Option<String> {
    let failed = match event.status {
        _ if event.kind == Kind::Submit => None,
        0 => None,
        -32 => Some("stalled"),
        -2 | -104 | -110 => Some("given up"),
        -19 | -108 => Some("the device is gone"),
        -75 => Some("more than asked for"),
        _ => Some("failed"),
    };
    let said = match (event.pipe, event.kind) {
        (Pipe::Control, Kind::Submit) => Some(request(event.setup?, role)),
        (_, Kind::Submit) if event.is_in() => None,
        _ if event.data.is_empty() => None,
        (Pipe::Control, _) => Some(bytes(&event.data, "answer")),
        _ => Some(message(event, role)),
    };
    match (said, failed) {
        (Some(said), Some(failed)) => Some(format!("{said}, {failed}")),
        (Some(said), None) => Some(said),
        (None, failed) => failed.map(str::to_owned),
    }
}

fn request(setup: [u8; 8], role: Option<Role>) -> String {
    let [kind, code, low, high, index, ..] = setup;
    let value = u16::from_le_bytes([low, high]);
    let is_printer = matches!(role, Some(Role::ReceiptPrinter | Role::FormPrinter));
    let name = match (kind, code) {
        (0x80, 6) => match high {
            1 => "descriptor of the device?",
            2 => "descriptor of the configuration?",
            3 => "text?",
            _ => "descriptor?",
        },
        (0x00, 9) => "set configuration",
        (0x01, 11) => "set interface",
        (0x02, 1) => return format!("clear halt of {index:02x}"),
        (0xA1, 0) if is_printer => "printer: who are you?",
        (0xA1, 1) if is_printer => "printer: port status?",
        (0x21, 2) if is_printer => "printer: soft reset",
        (0x21, 1) if role == Some(Role::CardReader) => "reader: abort",
        (0x21, 0x20) => "line: speed",
        (0x21, 0x22) => "line: control signals",
        (0x21, 0x23) => "line: break",
        (0x40 | 0xC0, 4) if role == Some(Role::Finger) => {
            let verb = if kind == 0x40 { "write" } else { "read" };
            return format!("{verb} register {value:02x}");
        }
        _ => return format!("request {kind:02x} {code:02x}, value {value:04x}, index {index:02x}"),
    };
    name.to_owned()
}

fn message(event: &Event, role: Option<Role>) -> String {
    let data = event.data.as_slice();
    let way = if event.is_in() { "came" } else { "sent" };
    let named = match role {
        Some(Role::IdReader) => sdt(data, event.is_in()),
        Some(Role::CardReader) => ccid(data),
        Some(Role::Finger) => ef01(data),
        _ => None,
    };
    match (named, role) {
        (Some(name), _) => format!("{way} {} bytes: {name}", data.len()),
        // A card's or document's data, a piece of an image, keys of a PIN pad.
        (None, Some(Role::IdReader | Role::CardReader | Role::Finger | Role::PinPad)) => {
            format!("{way} {} bytes", data.len())
        }
        (None, _) => bytes(data, way),
    }
}

fn bytes(data: &[u8], way: &str) -> String {
    let first: Vec<String> = data
        .iter()
        .take(SHOWN)
        .map(|b| format!("{b:02x}"))
        .collect();
    let more = if data.len() > SHOWN { " …" } else { "" };
    format!("{way} {} bytes: {}{more}", data.len(), first.join(" "))
}

/// Frames of an ID reader's security module: AA AA AA 96 69 and a length, in one transfer
/// with what follows or in one of their own; then two bytes of command, or 00 00 and a
/// status.
fn sdt(data: &[u8], is_in: bool) -> Option<String> {
    let body = match data.strip_prefix(&[0xAA, 0xAA, 0xAA, 0x96, 0x69]) {
        Some([_, _]) => return Some("head of a frame".to_owned()),
        Some([_, _, body @ ..]) => body,
        Some(_) => return None,
        None => data,
    };
    let [a, b, ..] = *body else {
        return None;
    };
    if is_in {
        return match *body {
            [0, 0, status, ..] => Some(format!("answer, status {status:02x}")),
            _ => None,
        };
    }
    let name = match [a, b] {
        [0x10, 0xff] => "reset",
        [0x11, 0xff] => "status?",
        [0x12, 0xff] => "number of the security module?",
        [0x20, 0x01] => "find a card",
        [0x20, 0x02] => "select the card",
        [0x30, 0x01] => "read text and picture",
        [0x30, 0x10] => "read text, picture and fingerprint",
        [0x30, 0x03] => "read the newest address",
        [0x61, 0xff] => "size of radio frames",
        _ => return Some(format!("command {a:02x} {b:02x}")),
    };
    Some(name.to_owned())
}

/// CCID messages: type, length, slot, sequence, then what depends on it.
fn ccid(data: &[u8]) -> Option<String> {
    let name = match *data.first()? {
        0x50 => return Some("slot change".to_owned()),
        0x51 => return Some("hardware error".to_owned()),
        0x61 => "set parameters",
        0x62 => "power on",
        0x63 => "power off",
        0x65 => "slot status?",
        0x69 => "secure",
        0x6B => "escape",
        0x6C => "parameters?",
        0x6D => "reset parameters",
        0x6F => "block to the card",
        0x72 => "abort",
        0x80 => "block of the card",
        0x81 => "slot status",
        0x82 => "parameters",
        0x83 => "escape",
        _ => return None,
    };
    let (sequence, status) = (data.get(6)?, data.get(7)?);
    match data.first() {
        Some(0x80..) => Some(format!("{name}, number {sequence}, status {status:02x}")),
        _ => Some(format!("{name}, number {sequence}")),
    }
}

/// EF01 packets, behind whatever a bridge puts before them.
fn ef01(data: &[u8]) -> Option<String> {
    let begin = data.windows(2).position(|pair| pair == [0xEF, 0x01])?;
    let packet = data.get(begin..)?;
    let (kind, code) = (packet.get(6)?, packet.get(9));
    Some(match (kind, code) {
        (1, Some(0x01)) => "take an image".to_owned(),
        (1, Some(0x0A)) => "send the image".to_owned(),
        (1, Some(0x0F)) => "parameters?".to_owned(),
        (1, Some(0x0E)) => "set a parameter".to_owned(),
        (1, Some(0x13)) => "password".to_owned(),
        (1, Some(code)) => format!("command {code:02x}"),
        (2, _) => "data".to_owned(),
        (7, Some(code)) => format!("answer {code:02x}"),
        (8, _) => "last data".to_owned(),
        (kind, _) => format!("packet of kind {kind:02x}"),
    })
}
