//! What is plugged in: libusb's descriptors as [`DeviceInfo`], libusb's errors as ours.

use std::path::Path;
use std::time::Duration;

use rusb::{Context, Device, DeviceDescriptor, DeviceHandle, TransferType, UsbContext as _};

use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, UsbError};

/// Devices looked at on one bus scan at most.
const DEVICES_MAX: usize = 256;
const TEXT_WITHIN: Duration = Duration::from_millis(500);
const HUB: u8 = 9;

/// Every device but hubs; texts are read where permission allows.
pub(super) fn describe_all(context: &Context) -> Result<Vec<DeviceInfo>, UsbError> {
    let devices = context.devices().map_err(mapped)?;
    let mut all = Vec::new();
    for device in devices.iter().take(DEVICES_MAX) {
        let Some(mut info) = described(&device).filter(|info| info.class != HUB) else {
            continue;
        };
        if let Ok(handle) = device.open() {
            read_texts(&handle, &device, &mut info);
        }
        all.push(info);
    }
    Ok(all)
}

/// The device at `path`.
pub(super) fn find(
    context: &Context,
    path: &str,
) -> Result<(Device<Context>, DeviceInfo), UsbError> {
    let devices = context.devices().map_err(mapped)?;
    let mut ours = devices.iter().filter(|device| place(device) == path);
    let device = ours.next().ok_or(UsbError::NoDevice)?;
    let info = described(&device).ok_or(UsbError::NoDevice)?;
    Ok((device, info))
}

/// Manufacturer, product and serial number, as far as the device tells them.
pub(super) fn read_texts(
    handle: &DeviceHandle<Context>,
    device: &Device<Context>,
    info: &mut DeviceInfo,
) {
    let Ok(descriptor) = device.device_descriptor() else {
        return;
    };
    let language = handle
        .read_languages(TEXT_WITHIN)
        .ok()
        .and_then(|all| all.first().copied());
    let Some(language) = language else {
        return;
    };
    let text = |index: Option<u8>| {
        index
            .and_then(|i| handle.read_string_descriptor(language, i, TEXT_WITHIN).ok())
            .unwrap_or_default()
    };
    info.manufacturer = text(descriptor.manufacturer_string_index());
    info.name = text(descriptor.product_string_index());
    info.serial = text(descriptor.serial_number_string_index());
}

/// Numbers of all interfaces, each once.
pub(super) fn interface_numbers(info: &DeviceInfo) -> Vec<u8> {
    let mut numbers: Vec<u8> = info.interfaces.iter().map(|i| i.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Who holds an interface, as Linux knows it.
pub(super) fn holder(path: &str, interface: u8) -> String {
    let link = format!("/sys/bus/usb/devices/{path}:1.{interface}/driver");
    let driver = std::fs::read_link(Path::new(&link)).ok();
    let name = driver
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|n| n.to_str());
    match name {
        None => "another program".to_owned(),
        Some("usbfs") => "another program (pcscd, CUPS or a second kiosk)".to_owned(),
        Some(driver) => format!("the kernel driver {driver}"),
    }
}

/// libusb's errors in the seam's words.
pub(super) fn mapped(error: rusb::Error) -> UsbError {
    match error {
        rusb::Error::Timeout | rusb::Error::Interrupted => UsbError::Timeout,
        rusb::Error::Pipe => UsbError::Stall,
        rusb::Error::NoDevice | rusb::Error::NotFound => UsbError::NoDevice,
        rusb::Error::Overflow => UsbError::Overflow,
        rusb::Error::Busy => UsbError::Busy("another program".into()),
        rusb::Error::Access => UsbError::Access,
        other => UsbError::Other(other.to_string()),
    }
}

/// `bus-port.port…`, as the kernel names it.
fn place(device: &Device<Context>) -> String {
    let ports = device.port_numbers().unwrap_or_default();
    let ports: Vec<String> = ports.iter().map(u8::to_string).collect();
    format!("{}-{}", device.bus_number(), ports.join("."))
}

fn described(device: &Device<Context>) -> Option<DeviceInfo> {
    let descriptor: DeviceDescriptor = device.device_descriptor().ok()?;
    let release = descriptor.device_version();
    let tens = (release.minor() << 4) | release.sub_minor();
    Some(DeviceInfo {
        path: place(device),
        vendor: descriptor.vendor_id(),
        product: descriptor.product_id(),
        release: u16::from_be_bytes([bcd(release.major()), tens]),
        class: descriptor.class_code(),
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: interfaces(device),
    })
}

/// 12 as 0x12.
fn bcd(value: u8) -> u8 {
    ((value / 10) << 4) | (value % 10)
}

fn interfaces(device: &Device<Context>) -> Vec<InterfaceInfo> {
    let Ok(configuration) = device.active_config_descriptor() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for descriptor in configuration.interfaces().flat_map(|i| i.descriptors()) {
        let mut extra = descriptor.extra().to_vec();
        let mut endpoints = Vec::new();
        for endpoint in descriptor.endpoint_descriptors() {
            extra.extend_from_slice(endpoint.extra().unwrap_or_default());
            endpoints.push(EndpointInfo {
                address: endpoint.address(),
                kind: match endpoint.transfer_type() {
                    TransferType::Control => 0,
                    TransferType::Isochronous => 1,
                    TransferType::Bulk => 2,
                    TransferType::Interrupt => 3,
                },
                max_packet: endpoint.max_packet_size() & 0x07ff,
                interval: endpoint.interval(),
            });
        }
        all.push(InterfaceInfo {
            number: descriptor.interface_number(),
            alternate: descriptor.setting_number(),
            class: descriptor.class_code(),
            subclass: descriptor.sub_class_code(),
            protocol: descriptor.protocol_code(),
            endpoints,
            extra,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_absence_and_occupation_are_told_apart() {
        assert_eq!(mapped(rusb::Error::Access), UsbError::Access);
        assert_eq!(mapped(rusb::Error::NoDevice), UsbError::NoDevice);
        assert_eq!(mapped(rusb::Error::Pipe), UsbError::Stall);
        assert!(matches!(mapped(rusb::Error::Busy), UsbError::Busy(_)));
        assert!(matches!(mapped(rusb::Error::Io), UsbError::Other(_)));
    }

    #[test]
    fn alternates_of_one_interface_are_claimed_once() {
        let interface = |number, alternate| InterfaceInfo {
            number,
            alternate,
            class: 7,
            subclass: 1,
            protocol: 2,
            endpoints: Vec::new(),
            extra: Vec::new(),
        };
        let info = DeviceInfo {
            path: "1-2".into(),
            vendor: 1,
            product: 2,
            release: 0,
            class: 0,
            manufacturer: String::new(),
            name: String::new(),
            serial: String::new(),
            interfaces: vec![interface(1, 0), interface(0, 0), interface(0, 1)],
        };
        assert_eq!(interface_numbers(&info), [0, 1]);
    }

    #[test]
    fn an_unknown_holder_is_still_named_as_somebody() {
        assert_eq!(holder("no-such-device", 0), "another program");
    }

    #[test]
    fn a_release_number_is_binary_coded_decimal() {
        assert_eq!((bcd(2), bcd(12), bcd(99)), (0x02, 0x12, 0x99));
    }
}
