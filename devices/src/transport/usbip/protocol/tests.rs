//! The messages captured in the kernel's own protocol document.

use proptest::prelude::*;

use super::*;

fn head(hex: &str) -> [u8; HEAD_LEN] {
    let bytes = counterfoil_data::wire::unhex(&hex.replace(' ', "")).expect("hex");
    bytes.try_into().expect("48 bytes")
}

#[test]
fn the_captured_interrupt_submits_are_understood() {
    let into = head(
        "00000001 00000d05 0001000f 00000001 00000001 00000200 00000040 ffffffff 00000000 00000004 00000000 00000000",
    );
    let expected = Head::Submit {
        seq: 0xd05,
        devid: 0x0001_000f,
        into: true,
        endpoint: 1,
        flags: 0x200,
        len: 64,
        interval: 4,
        setup: [0; 8],
    };
    assert_eq!(Head::decode(&into), Ok(expected));
    let out = head(
        "00000001 00000d06 0001000f 00000000 00000001 00000000 00000040 ffffffff 00000000 00000004 00000000 00000000",
    );
    assert!(matches!(
        Head::decode(&out),
        Ok(Head::Submit {
            seq: 0xd06,
            into: false,
            len: 64,
            ..
        })
    ));
}

#[test]
fn the_captured_returns_are_understood() {
    let out = head(
        "00000003 00000d06 00000000 00000000 00000000 00000000 00000040 ffffffff 00000000 00000000 00000000 00000000",
    );
    let expected = Head::Returned {
        seq: 0xd06,
        status: 0,
        actual: 64,
    };
    assert_eq!(Head::decode(&out), Ok(expected));
}

#[test]
fn what_we_send_differs_from_the_capture_only_in_the_unused_start_frame() {
    let mut captured = head(
        "00000001 00000d05 0001000f 00000001 00000001 00000200 00000040 ffffffff 00000000 00000004 00000000 00000000",
    );
    let decoded = Head::decode(&captured).expect("decodes");
    captured[28..32].fill(0);
    assert_eq!(decoded.encode(), captured);
    let mut returned = head(
        "00000003 00000d06 00000000 00000000 00000000 00000000 00000040 ffffffff 00000000 00000000 00000000 00000000",
    );
    let decoded = Head::decode(&returned).expect("decodes");
    returned[28..32].fill(0);
    assert_eq!(decoded.encode(), returned);
}

#[test]
fn operations_have_the_documented_codes_and_another_version_is_refused() {
    assert_eq!(Op::RequestList.encode(0), [1, 0x11, 0x80, 5, 0, 0, 0, 0]);
    assert_eq!(Op::ReplyList.encode(0), [1, 0x11, 0, 5, 0, 0, 0, 0]);
    assert_eq!(Op::RequestImport.encode(0), [1, 0x11, 0x80, 3, 0, 0, 0, 0]);
    assert_eq!(Op::ReplyImport.encode(1), [1, 0x11, 0, 3, 0, 0, 0, 1]);
    let old = [1, 0x06, 0x80, 5, 0, 0, 0, 0];
    assert_eq!(Op::decode(&old), Err(ProtocolError::Version(0x0106)));
}

#[test]
fn a_device_stands_at_the_documented_offsets() {
    let device = Exported {
        busid: "3-2".into(),
        bus: 3,
        device: 2,
        speed: 2,
        vendor: 0x0400,
        product: 0xc35a,
        release: 0x0100,
        class: 0,
        interfaces: vec![[0xff, 0, 0]],
        interface_count: 1,
    };
    let bytes: [u8; DEVICE_LEN] = device.encode().try_into().expect("312 bytes");
    // Offsets of the import reply less its eight bytes of head.
    assert_eq!(&bytes[0x108 - 8..0x10c - 8], b"3-2\0");
    assert_eq!(bytes[0x128 - 8..0x12c - 8], [0, 0, 0, 3]);
    assert_eq!(bytes[0x12c - 8..0x130 - 8], [0, 0, 0, 2]);
    assert_eq!(bytes[0x130 - 8..0x134 - 8], [0, 0, 0, 2]);
    assert_eq!(bytes[0x134 - 8..0x138 - 8], [0x04, 0x00, 0xc3, 0x5a]);
    assert_eq!(bytes[0x13f - 8], 1);
    assert_eq!(device.encode_interfaces(), [0xff, 0, 0, 0]);
    let back = Exported::decode(&bytes).expect("decodes");
    assert_eq!(
        Exported {
            interfaces: vec![[0xff, 0, 0]],
            ..back
        },
        device
    );
    assert_eq!(device.devid(), 0x0003_0002);
}

#[test]
fn a_setup_packet_is_little_endian_inside_the_big_endian_message() {
    // GET_DESCRIPTOR device, 18 bytes (USB 2.0, 9.4.3).
    let bytes = [0x80, 6, 0, 1, 0, 0, 18, 0];
    let (setup, len) = decode_setup(bytes);
    assert_eq!((setup.request, setup.value, len), (6, 0x0100, 18));
    assert_eq!(encode_setup(setup, len), bytes);
}

/// Both fields are C strings: one that fills its room was cut by its sender, and
/// another device may carry the same beginning.
#[test]
fn a_name_that_no_zero_ends_is_refused() {
    let mut import = [b'1'; BUSID_LEN];
    let refused = decode_busid(&import);
    assert_eq!(refused, Err(ProtocolError::Unterminated(BUSID_LEN)));
    import[BUSID_LEN - 1] = 0;
    assert_eq!(decode_busid(&import), Ok("1".repeat(BUSID_LEN - 1)));

    let mut device = [0; DEVICE_LEN];
    assert!(Exported::decode(&device).is_ok());
    device[..PATH_LEN].fill(b'a');
    let refused = Exported::decode(&device);
    assert_eq!(refused, Err(ProtocolError::Unterminated(PATH_LEN)));
    device[PATH_LEN - 1] = 0;
    assert!(Exported::decode(&device).is_ok());
    device[PATH_LEN..PATH_LEN + BUSID_LEN].fill(b'1');
    let refused = Exported::decode(&device);
    assert_eq!(refused, Err(ProtocolError::Unterminated(BUSID_LEN)));
}

#[test]
fn an_endless_transfer_and_an_isochronous_one_are_refused() {
    let long = head(
        "00000001 00000001 00010002 00000000 00000001 00000000 7fffffff 00000000 00000000 00000000 00000000 00000000",
    );
    assert_eq!(
        Head::decode(&long),
        Err(ProtocolError::TooLong(0x7fff_ffff))
    );
    let iso = head(
        "00000001 00000001 00010002 00000000 00000001 00000000 00000040 00000000 00000008 00000000 00000000 00000000",
    );
    assert_eq!(Head::decode(&iso), Err(ProtocolError::Isochronous));
}

proptest! {
    #[test]
    fn any_bytes_end_without_panic(bytes in proptest::collection::vec(any::<u8>(), DEVICE_LEN)) {
        let device: [u8; DEVICE_LEN] = bytes.clone().try_into().unwrap();
        let _ = Exported::decode(&device);
        let _ = Head::decode(bytes.first_chunk().unwrap());
        let _ = Op::decode(bytes.first_chunk().unwrap());
        let _ = decode_busid(bytes.first_chunk().unwrap());
    }

    #[test]
    fn every_command_reads_as_itself(seq: u32, victim: u32, status: i32, actual in 0usize..TRANSFER_MAX) {
        for message in [
            Head::Returned { seq, status, actual },
            Head::Unlink { seq, devid: 7, victim },
            Head::Unlinked { seq, status },
        ] {
            let bytes: [u8; HEAD_LEN] = message.encode().try_into().unwrap();
            prop_assert_eq!(Head::decode(&bytes), Ok(message));
        }
    }
}
