//! Descriptors against USB 2.0 chapter 9 and against liars.

use proptest::prelude::*;

use super::*;

/// The active part of the QEMU CCID reader's descriptors, as its source and
/// a guest's `lsusb -v` state them: class 0B, interrupt 81, bulk 82 and 03.
fn ccid_reader() -> DeviceInfo {
    let end = |address, kind, max_packet, interval| EndpointInfo {
        address,
        kind,
        max_packet,
        interval,
    };
    DeviceInfo {
        path: "1-2".into(),
        vendor: 0x08e6,
        product: 0x4433,
        release: 0,
        class: 0,
        manufacturer: "QEMU".into(),
        name: "QEMU USB CCID".into(),
        serial: String::new(),
        interfaces: vec![InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0x0b,
            subclass: 0,
            protocol: 0,
            endpoints: vec![
                end(0x81, 3, 64, 255),
                end(0x82, 2, 64, 0),
                end(0x03, 2, 64, 0),
            ],
            extra: vec![3, 0x21, 7],
        }],
    }
}

#[test]
fn a_device_descriptor_is_the_eighteen_bytes_of_usb_2_table_9_8() {
    let bytes = device(&ccid_reader());
    assert_eq!(
        bytes,
        [
            18, 1, 0, 2, 0, 0, 0, 64, 0xe6, 0x08, 0x33, 0x44, 0, 0, 1, 2, 0, 1
        ]
    );
}

#[test]
fn a_class_descriptor_behind_the_last_endpoint_still_belongs_to_its_interface() {
    // Hand-built in the order the O2 Micro readers use.
    let bytes = [
        9, 2, 28, 0, 1, 1, 0, 0x80, 50, //
        9, 4, 0, 0, 1, 0x0b, 0, 0, 0, //
        7, 5, 0x81, 3, 8, 0, 16, //
        3, 0x21, 9,
    ];
    let interfaces = parse_configuration(&bytes).expect("parses");
    assert_eq!(interfaces.len(), 1);
    assert_eq!(interfaces[0].extra, [3, 0x21, 9]);
    assert_eq!(interfaces[0].endpoints[0].interval, 16);
}

#[test]
fn a_descriptor_that_lies_about_its_length_is_refused() {
    let zero = [9, 2, 11, 0, 1, 1, 0, 0x80, 50, 0, 4];
    let lie = DescriptorError::Length { at: 9 };
    assert_eq!(parse_configuration(&zero), Err(lie));
    let long = [9, 2, 11, 0, 1, 1, 0, 0x80, 50, 9, 4];
    assert_eq!(parse_configuration(&long), Err(lie));
    let beyond = [9, 2, 99, 0, 1, 1, 0, 0x80, 50];
    assert_eq!(
        parse_configuration(&beyond),
        Err(DescriptorError::Length { at: 0 })
    );
}

#[test]
fn strings_come_in_utf_16_and_a_missing_one_stalls() {
    let info = ccid_reader();
    assert_eq!(string(&info, 0), Some(vec![4, 3, 9, 4]));
    let maker = string(&info, 1).expect("a manufacturer");
    assert_eq!(maker, [10, 3, b'Q', 0, b'E', 0, b'M', 0, b'U', 0]);
    assert_eq!(string_text(&maker).as_deref(), Some("QEMU"));
    let serial = Setup {
        request_type: 0x80,
        request: 6,
        value: 0x0303,
        index: 0x0409,
    };
    assert_eq!(
        answer_standard(&info, serial, 255),
        Some(ControlReply::Stall)
    );
}

proptest! {
    #[test]
    fn parsing_any_bytes_ends_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse_configuration(&bytes);
        let _ = parse_device(&bytes);
        let _ = string_text(&bytes);
    }

    #[test]
    fn what_is_built_parses_back(number in 0u8..4, address in 1u8..15, max_packet in 8u16..512) {
        let mut info = ccid_reader();
        info.interfaces[0].number = number;
        info.interfaces[0].endpoints[0].address = address;
        info.interfaces[0].endpoints[0].max_packet = max_packet;
        prop_assert_eq!(parse_configuration(&configuration(&info)).unwrap(), info.interfaces);
    }
}
