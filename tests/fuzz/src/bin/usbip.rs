//! USB/IP messages, USB descriptors: what is decoded is encoded back as it came (but for
//! reserved bits), and what we encode reads as itself.
#![no_main]

use counterfoil_devices::transport::descriptor;
use counterfoil_devices::transport::usbip::protocol::{self, BUSID_LEN, DEVICE_LEN, Exported};
use counterfoil_devices::transport::usbip::protocol::{HEAD_LEN, Head, OP_LEN, Op};
use counterfoil_devices::transport::{DeviceInfo, Setup, TRANSFER_MAX};
use counterfoil_fuzz::Bytes;

fn operations(bytes: [u8; OP_LEN]) {
    if let Ok((op, status)) = Op::decode(&bytes) {
        assert_eq!(op.encode(status), bytes, "every bit means something");
    }
}

fn heads(bytes: [u8; HEAD_LEN]) {
    let Ok(head) = Head::decode(&bytes) else {
        return;
    };
    match head {
        Head::Submit { endpoint, len, .. } => assert!(endpoint < 16 && len <= TRANSFER_MAX),
        Head::Returned { actual, .. } => assert!(actual <= TRANSFER_MAX),
        Head::Unlink { .. } | Head::Unlinked { .. } => {}
    }
    let again: [u8; HEAD_LEN] = head.encode().try_into().expect("48 bytes");
    assert_eq!(Head::decode(&again), Ok(head), "reads as itself");
    assert_eq!(again[..8], bytes[..8], "command and number as they came");
}

fn names(bytes: [u8; BUSID_LEN]) {
    let Ok(busid) = protocol::decode_busid(&bytes) else {
        return;
    };
    assert!(busid.len() < BUSID_LEN && !busid.contains('\0'));
    let again: [u8; BUSID_LEN] = protocol::encode_busid(&busid).try_into().expect("32 bytes");
    assert_eq!(protocol::decode_busid(&again), Ok(busid));
    let end = bytes.iter().position(|b| *b == 0).expect("ends");
    assert_eq!(again[..end], bytes[..end]);
}

fn devices(bytes: [u8; DEVICE_LEN]) {
    let Ok(device) = Exported::decode(&bytes) else {
        return;
    };
    let again: [u8; DEVICE_LEN] = device.encode().try_into().expect("312 bytes");
    assert_eq!(Exported::decode(&again).as_ref(), Ok(&device));
    let at = 256 + BUSID_LEN;
    assert_eq!(
        again[at..at + 18],
        bytes[at..at + 18],
        "numbers as they came"
    );
    let _ = device.devid();
}

fn setups(bytes: [u8; 8]) {
    let (setup, len) = protocol::decode_setup(bytes);
    assert_eq!(protocol::encode_setup(setup, len), bytes);
}

fn configurations(bytes: &[u8]) {
    let Ok(interfaces) = descriptor::parse_configuration(bytes) else {
        return;
    };
    let info = DeviceInfo {
        path: "1-1".to_owned(),
        vendor: 1,
        product: 2,
        release: 3,
        class: 0,
        manufacturer: "maker".to_owned(),
        name: "name".to_owned(),
        serial: String::new(),
        interfaces,
    };
    let written = descriptor::configuration(&info);
    assert_eq!(
        descriptor::parse_configuration(&written).as_ref(),
        Ok(&info.interfaces)
    );
    let (read, [maker, name, serial]) =
        descriptor::parse_device(&descriptor::device(&info)).expect("reads as itself");
    assert_eq!((read.vendor, read.product, read.release), (1, 2, 3));
    assert_eq!((maker, name, serial), (1, 2, 0));
    for index in [maker, name] {
        let text = descriptor::string(&info, index).expect("is there");
        assert!(descriptor::string_text(&text).is_some_and(|t| t == "maker" || t == "name"));
    }
    // Whoever asks gets no more than asked for.
    let get = |value| Setup {
        request_type: 0x80,
        request: 6,
        value,
        index: 0,
    };
    for value in [0x0100, 0x0200, 0x0302] {
        use counterfoil_devices::twin::ControlReply;
        if let Some(ControlReply::Data(data)) = descriptor::answer_standard(&info, get(value), 9) {
            assert!(data.len() <= 9);
        }
    }
    let _ = counterfoil_devices::driver::role_of(&info);
    if let Some(layout) = counterfoil_devices::driver::ccid::descriptor::layout(&info) {
        assert!(layout.bulk_in & 0x80 != 0 && layout.bulk_out & 0x80 == 0);
        let _ = (
            layout.functional.exchange(),
            layout.functional.chooses_voltage(),
        );
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 7 {
        0 => operations(from.array()),
        1 => heads(from.array()),
        2 => names(from.array()),
        3 => devices(from.array()),
        4 => setups(from.array()),
        5 => {
            if let Some(text) = descriptor::string_text(from.0) {
                assert!(text.chars().count() <= 127);
            }
            let _ = descriptor::parse_device(from.0);
        }
        _ => configurations(from.0),
    }
});
