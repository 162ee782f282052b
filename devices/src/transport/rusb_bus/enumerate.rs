//! What is plugged in: libusb's descriptors as [`DeviceInfo`], libusb's errors as ours.

use std::path::Path;
use std::time::Duration;

use rusb::{Context, Device, DeviceDescriptor, DeviceHandle, TransferType, UsbContext as _};

use crate::transport::sysfs;
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, UsbError};

/// Devices looked at on one bus scan at most.
const DEVICES_MAX: usize = 256;
const TEXT_WITHIN: Duration = Duration::from_millis(500);
/// Patience with a device that may have gone.
const STATUS_WITHIN: Duration = Duration::from_millis(300);
const HUB: u8 = 9;
const SYSFS: &str = "/sys/bus/usb/devices";
/// Interface classes that drivers here use: communication, printer, communication
/// data, chip card, vendor.
const CLAIMED: [u8; 5] = [0x02, 0x07, 0x0a, 0x0b, 0xff];

/// Every device but hubs. None is opened: the kernel read the texts when the
/// device was plugged in and keeps them beside its other facts.
pub(super) fn describe_all(context: &Context) -> Result<Vec<DeviceInfo>, UsbError> {
    let devices = context.devices().map_err(mapped)?;
    let all = devices.iter().take(DEVICES_MAX);
    let all = all.filter_map(|device| described(&device));
    let mut all: Vec<DeviceInfo> = all.filter(|info| info.class != HUB).collect();
    for info in &mut all {
        known_texts(Path::new(SYSFS), info);
    }
    Ok(all)
}

/// Whether something is plugged in at `path`.
pub(super) fn is_present(context: &Context, path: &str) -> Result<bool, UsbError> {
    let devices = context.devices().map_err(mapped)?;
    Ok(devices.iter().any(|device| place(&device) == path))
}

/// The texts as the kernel has them; what it has not stays empty.
fn known_texts(sysfs: &Path, info: &mut DeviceInfo) {
    let folder = sysfs.join(&info.path);
    let text = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.trim_end_matches('\n').to_owned()
    };
    info.manufacturer = text("manufacturer");
    info.name = text("product");
    info.serial = text("serial");
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

/// Numbers of the interfaces to claim, each once: those of classes that drivers
/// here use; all of them where there is no such (a reader of no class at all).
pub(super) fn claimed(info: &DeviceInfo) -> Vec<u8> {
    let all = info.interfaces.iter();
    let ours = all.clone().filter(|i| CLAIMED.contains(&i.class));
    let mut numbers: Vec<u8> = ours.map(|i| i.number).collect();
    if numbers.is_empty() {
        numbers = all.map(|i| i.number).collect();
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// What a failed transfer of an opened device means. A host controller may call a
/// device that has left the bus a protocol error, some time before the kernel knows; then
/// the device does not answer its default pipe either.
pub(super) fn judged(handle: &DeviceHandle<Context>, error: rusb::Error) -> UsbError {
    let mut status = [0; 2];
    let ask = |status: &mut [u8]| handle.read_control(0x80, 0, 0, 0, status, STATUS_WITHIN);
    match error {
        rusb::Error::Io if is_gone(ask(&mut status)) => UsbError::NoDevice,
        other => mapped(other),
    }
}

/// By what GET_STATUS of the device came to.
fn is_gone(asked: Result<usize, rusb::Error>) -> bool {
    matches!(asked, Err(rusb::Error::Io | rusb::Error::NoDevice))
}

/// libusb's errors in the seam's words.
pub(super) fn mapped(error: rusb::Error) -> UsbError {
    match error {
        rusb::Error::Timeout | rusb::Error::Interrupted => UsbError::Timeout,
        rusb::Error::Pipe => UsbError::Stall,
        rusb::Error::NoDevice | rusb::Error::NotFound => UsbError::NoDevice,
        rusb::Error::Overflow => UsbError::Overflow,
        rusb::Error::Busy => UsbError::Busy("another program".into()),
        rusb::Error::Access => UsbError::Access("its node in /dev/bus/usb".into()),
        other => UsbError::Other(other.to_string()),
    }
}

/// The node through which a device is opened.
pub(super) fn node(device: &Device<Context>) -> String {
    sysfs::node(device.bus_number().into(), device.address().into())
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
        assert!(matches!(mapped(rusb::Error::Access), UsbError::Access(_)));
        assert_eq!(mapped(rusb::Error::NoDevice), UsbError::NoDevice);
        assert_eq!(mapped(rusb::Error::Pipe), UsbError::Stall);
        assert!(matches!(mapped(rusb::Error::Busy), UsbError::Busy(_)));
        assert!(matches!(mapped(rusb::Error::Io), UsbError::Other(_)));
        // GET_STATUS of a device that is there, stalls, is slow, is not there.
        assert!(!is_gone(Ok(2)));
        assert!(!is_gone(Err(rusb::Error::Pipe)));
        assert!(!is_gone(Err(rusb::Error::Timeout)));
        assert!(is_gone(Err(rusb::Error::Io)));
        assert!(is_gone(Err(rusb::Error::NoDevice)));
    }

    fn device(interfaces: &[(u8, u8, u8)]) -> DeviceInfo {
        let interface = |&(number, alternate, class): &(u8, u8, u8)| InterfaceInfo {
            number,
            alternate,
            class,
            subclass: 1,
            protocol: 2,
            endpoints: Vec::new(),
            extra: Vec::new(),
        };
        DeviceInfo {
            path: "1-2".into(),
            vendor: 1,
            product: 2,
            release: 0,
            class: 0,
            manufacturer: String::new(),
            name: String::new(),
            serial: String::new(),
            interfaces: interfaces.iter().map(interface).collect(),
        }
    }

    #[test]
    fn alternates_of_one_interface_are_claimed_once() {
        let info = device(&[(1, 0, 7), (0, 0, 7), (0, 1, 7)]);
        assert_eq!(claimed(&info), [0, 1]);
    }

    #[test]
    fn a_keyboard_beside_a_card_reader_is_left_to_the_kernel() {
        let keyboard_with_reader = device(&[(0, 0, 3), (1, 0, 0x0b), (2, 0, 3)]);
        assert_eq!(claimed(&keyboard_with_reader), [1]);
        let of_no_class = device(&[(0, 0, 0)]);
        assert_eq!(claimed(&of_no_class), [0]);
    }

    #[test]
    fn texts_come_from_what_the_kernel_knows() {
        let sysfs = std::env::temp_dir().join(format!("counterfoil-sysfs-{}", std::process::id()));
        let folder = sysfs.join("1-2");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("product"), "CCID reader\n").expect("writes");
        let mut info = device(&[(0, 0, 0x0b)]);
        known_texts(&sysfs, &mut info);
        assert_eq!(
            (info.name.as_str(), info.serial.as_str()),
            ("CCID reader", "")
        );
        std::fs::remove_dir_all(&sysfs).expect("removes its folder");
    }

    #[test]
    fn a_release_number_is_binary_coded_decimal() {
        assert_eq!((bcd(2), bcd(12), bcd(99)), (0x02, 0x12, 0x99));
    }
}
