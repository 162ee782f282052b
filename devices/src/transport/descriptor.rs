//! [`DeviceInfo`] to USB descriptor bytes and back (USB 2.0, chapter 9).
//!
//! Owns the standard requests a device must answer before any driver speaks to
//! it, so that a kernel can use a twin over USB/IP. Refuses descriptors that lie
//! about their length. Called by the twin hosts and by the USB/IP client.

use super::{DeviceInfo, EndpointInfo, InterfaceInfo, Setup};
use crate::twin::ControlReply;

/// Longest configuration descriptor accepted, in bytes.
pub const CONFIGURATION_MAX: usize = 4096;
/// Interfaces with all their alternates at most.
pub const INTERFACES_MAX: usize = 32;
/// Endpoints of one alternate setting at most.
pub const ENDPOINTS_MAX: usize = 30;
/// UTF-16 units in a string descriptor at most.
const STRING_UNITS_MAX: usize = 126;

const DEVICE: u8 = 1;
const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
const INTERFACE: u8 = 4;
const ENDPOINT: u8 = 5;
const LANGUAGE_EN_US: u16 = 0x0409;

/// Descriptor bytes that cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// bLength or wTotalLength does not fit the bytes.
    #[error("descriptor at byte {at} has a wrong length")]
    Length {
        /// Offset of the descriptor.
        at: usize,
    },
    /// Not the type expected there.
    #[error("descriptor at byte {at} is of the wrong type")]
    Type {
        /// Offset of the descriptor.
        at: usize,
    },
    /// More than this house accepts.
    #[error("more {0} than accepted")]
    TooMany(&'static str),
}

/// The 18 bytes of the device descriptor. Strings are numbered 1 (manufacturer),
/// 2 (product) and 3 (serial), 0 where the text is empty.
pub fn device(info: &DeviceInfo) -> Vec<u8> {
    let index = |text: &str, at: u8| if text.is_empty() { 0 } else { at };
    let mut bytes = vec![18, DEVICE, 0x00, 0x02, info.class, 0, 0, 64];
    bytes.extend_from_slice(&info.vendor.to_le_bytes());
    bytes.extend_from_slice(&info.product.to_le_bytes());
    bytes.extend_from_slice(&info.release.to_le_bytes());
    bytes.push(index(&info.manufacturer, 1));
    bytes.push(index(&info.name, 2));
    bytes.push(index(&info.serial, 3));
    bytes.push(1);
    bytes
}

/// The configuration descriptor with everything under it; class-specific bytes
/// follow their interface descriptor.
pub fn configuration(info: &DeviceInfo) -> Vec<u8> {
    let mut body = Vec::new();
    for interface in &info.interfaces {
        let endpoints = u8::try_from(interface.endpoints.len()).unwrap_or(u8::MAX);
        body.extend_from_slice(&[
            9,
            INTERFACE,
            interface.number,
            interface.alternate,
            endpoints,
            interface.class,
            interface.subclass,
            interface.protocol,
            0,
        ]);
        body.extend_from_slice(&interface.extra);
        for endpoint in &interface.endpoints {
            let [low, high] = endpoint.max_packet.to_le_bytes();
            body.extend_from_slice(&[
                7,
                ENDPOINT,
                endpoint.address,
                endpoint.kind,
                low,
                high,
                endpoint.interval,
            ]);
        }
    }
    let total = u16::try_from(body.len().saturating_add(9)).unwrap_or(u16::MAX);
    let [low, high] = total.to_le_bytes();
    let mut bytes = vec![
        9,
        CONFIGURATION,
        low,
        high,
        interface_count(info),
        1,
        0,
        0x80,
        50,
    ];
    bytes.append(&mut body);
    bytes
}

/// How many interfaces there are, alternates of one counted once.
pub fn interface_count(info: &DeviceInfo) -> u8 {
    let first_alternates = info.interfaces.iter().filter(|i| i.alternate == 0);
    u8::try_from(first_alternates.count()).unwrap_or(u8::MAX)
}

/// String descriptor `index`; 0 is the list of languages.
pub fn string(info: &DeviceInfo, index: u8) -> Option<Vec<u8>> {
    let units: Vec<u16> = match index {
        0 => vec![LANGUAGE_EN_US],
        1 => info.manufacturer.encode_utf16().collect(),
        2 => info.name.encode_utf16().collect(),
        3 => info.serial.encode_utf16().collect(),
        _ => return None,
    };
    if units.is_empty() {
        return None;
    }
    let text: Vec<u8> = units
        .iter()
        .take(STRING_UNITS_MAX)
        .flat_map(|u| u.to_le_bytes())
        .collect();
    let length = u8::try_from(text.len().saturating_add(2)).unwrap_or(u8::MAX);
    Some([&[length, STRING], text.as_slice()].concat())
}

/// The text of a string descriptor; lone surrogates become U+FFFD.
pub fn string_text(bytes: &[u8]) -> Option<String> {
    let (&length, rest) = bytes.split_first()?;
    let (&kind, _) = rest.split_first()?;
    let text = bytes.get(2..usize::from(length))?;
    if kind != STRING {
        return None;
    }
    let units = text
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    Some(
        char::decode_utf16(units.map(u16::from_le_bytes))
            .map(|c| c.unwrap_or('\u{fffd}'))
            .collect(),
    )
}

/// What the device descriptor says, and the string numbers of manufacturer,
/// product and serial. `path`, texts and interfaces stay empty.
pub fn parse_device(bytes: &[u8]) -> Result<(DeviceInfo, [u8; 3]), DescriptorError> {
    let Some(d) = bytes.first_chunk::<18>() else {
        return Err(DescriptorError::Length { at: 0 });
    };
    let [
        length,
        kind,
        _,
        _,
        class,
        _,
        _,
        _,
        v0,
        v1,
        p0,
        p1,
        r0,
        r1,
        maker,
        name,
        serial,
        _,
    ] = *d;
    if length < 18 {
        return Err(DescriptorError::Length { at: 0 });
    }
    if kind != DEVICE {
        return Err(DescriptorError::Type { at: 0 });
    }
    let info = DeviceInfo {
        path: String::new(),
        vendor: u16::from_le_bytes([v0, v1]),
        product: u16::from_le_bytes([p0, p1]),
        release: u16::from_le_bytes([r0, r1]),
        class,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: Vec::new(),
    };
    Ok((info, [maker, name, serial]))
}

/// Every alternate setting of a configuration descriptor, in its order. Class
/// descriptors are kept with their interface wherever they stand (some CCID
/// readers put theirs after the last endpoint).
pub fn parse_configuration(bytes: &[u8]) -> Result<Vec<InterfaceInfo>, DescriptorError> {
    let [_, kind, low, high] = *bytes
        .first_chunk::<4>()
        .ok_or(DescriptorError::Length { at: 0 })?;
    if kind != CONFIGURATION {
        return Err(DescriptorError::Type { at: 0 });
    }
    let total = usize::from(u16::from_le_bytes([low, high]));
    if total > CONFIGURATION_MAX {
        return Err(DescriptorError::TooMany("bytes in a configuration"));
    }
    let mut rest = bytes
        .get(..total)
        .ok_or(DescriptorError::Length { at: 0 })?;
    let mut at = 0_usize;
    let mut interfaces: Vec<InterfaceInfo> = Vec::new();
    while let Some(&length) = rest.first() {
        let wrong = DescriptorError::Length { at };
        if length < 2 {
            return Err(wrong);
        }
        let (one, after) = rest.split_at_checked(usize::from(length)).ok_or(wrong)?;
        take(one, at, &mut interfaces)?;
        at = at.saturating_add(one.len());
        rest = after;
    }
    Ok(interfaces)
}

fn take(one: &[u8], at: usize, into: &mut Vec<InterfaceInfo>) -> Result<(), DescriptorError> {
    match (one.get(1), into.last_mut()) {
        (Some(&INTERFACE), _) => {
            let Some(&[_, _, number, alternate, _, class, subclass, protocol, _]) =
                one.first_chunk::<9>()
            else {
                return Err(DescriptorError::Length { at });
            };
            if into.len() >= INTERFACES_MAX {
                return Err(DescriptorError::TooMany("interfaces"));
            }
            into.push(InterfaceInfo {
                number,
                alternate,
                class,
                subclass,
                protocol,
                endpoints: Vec::new(),
                extra: Vec::new(),
            });
        }
        (Some(&ENDPOINT), Some(interface)) => {
            let Some(&[_, _, address, attributes, low, high, interval]) = one.first_chunk::<7>()
            else {
                return Err(DescriptorError::Length { at });
            };
            if interface.endpoints.len() >= ENDPOINTS_MAX {
                return Err(DescriptorError::TooMany("endpoints"));
            }
            interface.endpoints.push(EndpointInfo {
                address,
                kind: attributes & 3,
                max_packet: u16::from_le_bytes([low, high]) & 0x07ff,
                interval,
            });
        }
        (Some(&CONFIGURATION), _) => {}
        (_, Some(interface)) => interface.extra.extend_from_slice(one),
        // Before any interface: interface associations and the like.
        (_, None) => {}
    }
    Ok(())
}

/// The answer to a standard request from descriptors alone; `None` where it is a
/// class or vendor request, or one only the device can know.
pub fn answer_standard(info: &DeviceInfo, setup: Setup, len: u16) -> Option<ControlReply> {
    const GET_STATUS: u8 = 0;
    const CLEAR_FEATURE: u8 = 1;
    const SET_FEATURE: u8 = 3;
    const SET_ADDRESS: u8 = 5;
    const GET_DESCRIPTOR: u8 = 6;
    const GET_CONFIGURATION: u8 = 8;
    const SET_CONFIGURATION: u8 = 9;
    const GET_INTERFACE: u8 = 10;
    const SET_INTERFACE: u8 = 11;
    if setup.request_type & 0x60 != 0 {
        return None;
    }
    let device_asked = setup.request_type & 0x1f == 0;
    let [index, kind] = setup.value.to_le_bytes();
    let data = match setup.request {
        GET_STATUS => vec![0, 0],
        CLEAR_FEATURE | SET_FEATURE | SET_ADDRESS | SET_CONFIGURATION | SET_INTERFACE => Vec::new(),
        GET_CONFIGURATION => vec![1],
        GET_INTERFACE => vec![0],
        GET_DESCRIPTOR if device_asked => match kind {
            DEVICE => device(info),
            CONFIGURATION if index == 0 => configuration(info),
            STRING => match string(info, index) {
                Some(text) => text,
                None => return Some(ControlReply::Stall),
            },
            _ => return Some(ControlReply::Stall),
        },
        _ => return None,
    };
    let data = data.into_iter().take(usize::from(len)).collect();
    Some(ControlReply::Data(data))
}

#[cfg(test)]
mod tests;
