//! Every control transfer of every family's set-up and of the raised rate, byte for
//! byte, from the makers' notes and what other drivers send.

use super::*;

/// The set-up at 57,600, then 115,200.
fn both_rates(device: Scribe) -> Vec<String> {
    run_on(device, async |bridge| {
        bridge.set_line(57_600).await.unwrap();
        bridge.set_line(115_200).await.unwrap();
    })
}

/// AN571.
#[test]
fn a_cp210x_is_enabled_set_to_8n1_without_handshake_and_purged() {
    let said = both_rates(vendor(0x10C4, 0xEA60));
    assert_eq!(
        said,
        [
            "41 00 0001 0000",
            "41 03 0800 0000",
            "41 1e 0000 0000 00e10000",
            "41 13 0000 0000 01000000400000000000000000000000",
            "41 07 0303 0000",
            "41 12 000f 0000",
            "41 1e 0000 0000 00c20100",
            "41 12 000f 0000",
        ]
    );
}

#[test]
fn the_oldest_cp210x_gets_divisors() {
    let mut device = vendor(0x10C4, 0xEA60);
    device.stalls = vec![0x1E];
    let said = both_rates(device);
    let divisors: Vec<&String> = said.iter().filter(|l| l.starts_with("41 01")).collect();
    assert_eq!(divisors, ["41 01 0040 0000", "41 01 0020 0000"]);
}

#[test]
fn the_second_interface_of_a_dual_cp210x_is_left_alone() {
    let mut device = vendor(0x10C4, 0xEA70);
    let mut second = device.info.interfaces[0].clone();
    second.number = 1;
    device.info.interfaces.push(second);
    let said = both_rates(device);
    assert!(
        said.iter().all(|line| line[10..].starts_with(" 0000")),
        "{said:?}"
    );
}

#[test]
fn a_ch340_is_asked_its_version_initialised_and_set() {
    let mut device = vendor(0x1A86, 0x7523);
    device.reads = vec![(0x5F, 0, vec![0x31, 0]), (0x95, 0x0005, vec![0x9F, 0xFF])];
    assert_eq!(
        both_rates(device),
        [
            "c0 5f 0000 0000 read 2",
            "40 a1 0000 0000",
            "c0 95 0005 0000 read 2",
            "40 9a 1312 9883",
            "40 9a 2518 00c3",
            "40 a4 ff9f 0000",
            "40 9a 1312 cc83",
        ]
    );
}

#[test]
fn an_old_ch341_has_no_line_control_and_the_oldest_no_bit_7() {
    let old = |version| {
        let mut device = vendor(0x4348, 0x5523);
        device.reads = vec![(0x5F, 0, vec![version, 0])];
        both_rates(device)
    };
    let said = old(0x28);
    assert!(said.iter().all(|line| !line.contains("2518")), "{said:?}");
    assert!(said.contains(&"40 9a 1312 9883".to_owned()), "{said:?}");
    assert!(old(0x27).contains(&"40 9a 1312 9803".to_owned()));
}

#[test]
fn an_ft232r_is_reset_made_quick_and_set() {
    let mut device = vendor(0x0403, 0x6001);
    device.info.release = 0x0600;
    assert_eq!(
        both_rates(device),
        [
            "40 00 0000 0000",
            "40 09 0002 0000",
            "40 04 0008 0000",
            "40 02 0000 0000",
            "40 01 0303 0000",
            "40 03 c034 0000",
            "40 00 0001 0000",
            "40 00 0002 0000",
            "40 03 001a 0000",
            "40 00 0001 0000",
            "40 00 0002 0000",
        ]
    );
}

#[test]
fn port_a_of_an_ft2232h_is_named_in_every_request() {
    let mut device = vendor(0x0403, 0x6010);
    device.info.release = 0x0700;
    let mut second = device.info.interfaces[0].clone();
    second.number = 1;
    device.info.interfaces.push(second);
    let said = both_rates(device);
    assert!(said.iter().all(|line| line.ends_with("01")), "{said:?}");
    assert!(said.contains(&"40 03 00d0 0301".to_owned()), "{said:?}");
    assert!(said.contains(&"40 03 c068 0201".to_owned()), "{said:?}");
}

fn pl2303(control_packet: u8) -> Scribe {
    let mut device = vendor(0x067B, 0x2303);
    let mut descriptor = vec![18, 1, 0x10, 1, 0, 0, 0, control_packet];
    descriptor.resize(18, 0);
    device.reads = vec![
        (0x06, 0x0100, descriptor),
        (0x01, 0x8080, vec![0]),
        (0x01, 0x8484, vec![0]),
        (0x01, 0x8383, vec![0]),
        (0x21, 0, vec![0x80, 0x25, 0, 0, 0, 0, 8]),
    ];
    device
}

const PROLIFIC: [&str; 10] = [
    "c0 01 8484 0000 read 1",
    "40 01 0404 0000",
    "c0 01 8484 0000 read 1",
    "c0 01 8383 0000 read 1",
    "c0 01 8484 0000 read 1",
    "40 01 0404 0001",
    "c0 01 8484 0000 read 1",
    "c0 01 8383 0000 read 1",
    "40 01 0000 0001",
    "40 01 0001 0000",
];

#[test]
fn a_pl2303hx_goes_through_its_makers_sequence() {
    let said = both_rates(pl2303(64));
    assert_eq!(
        said[..2],
        ["80 06 0100 0000 read 18", "c0 01 8080 0000 read 1"]
    );
    assert_eq!(said[2..12], PROLIFIC);
    assert_eq!(
        said[12..],
        [
            "40 01 0002 0044",
            "a1 21 0000 0000 read 7",
            "21 20 0000 0000 00e10000000008",
            "21 22 0003 0000",
            "40 01 0000 0000",
            "40 01 0008 0000",
            "40 01 0009 0000",
            "a1 21 0000 0000 read 7",
            "21 20 0000 0000 00c20100000008",
        ]
    );
}

#[test]
fn the_first_pl2303_ends_the_sequence_otherwise_and_has_no_pipes_to_reset() {
    let mut by_class = pl2303(64);
    by_class.info.class = 0x02;
    for device in [pl2303(8), by_class] {
        let said = both_rates(device);
        assert!(said.contains(&"40 01 0002 0024".to_owned()), "{said:?}");
        assert!(!said.contains(&"40 01 0008 0000".to_owned()), "{said:?}");
    }
}

#[test]
fn a_pl2303hxn_knows_no_sequence_and_has_requests_of_its_own() {
    let mut device = pl2303(64);
    device.info.product = 0x23A3;
    device.reads.retain(|(request, _, _)| *request != 0x01);
    device.reads.push((0x81, 0x000A, vec![0xE3]));
    assert_eq!(
        both_rates(device),
        [
            "80 06 0100 0000 read 18",
            "c0 01 8080 0000 read 1",
            "a1 21 0000 0000 read 7",
            "21 20 0000 0000 00e10000000008",
            "21 22 0003 0000",
            "c0 81 000a 0000 read 1",
            "40 80 000a 00ff",
            "40 80 0007 0003",
            "a1 21 0000 0000 read 7",
            "21 20 0000 0000 00c20100000008",
        ]
    );
}

#[test]
fn the_same_line_coding_is_not_sent_again_for_it_can_drop_bytes() {
    let mut device = pl2303(64);
    device.reads.pop();
    device
        .reads
        .push((0x21, 0, vec![0x00, 0xE1, 0, 0, 0, 0, 8]));
    let said = run_on(device, async |bridge| {
        bridge.set_line(57_600).await.unwrap();
    });
    assert!(
        said.iter().all(|line| !line.starts_with("21 20")),
        "{said:?}"
    );
}

#[test]
fn a_counterfeit_pl2303_is_named_and_not_taken_for_an_unplugged_one() {
    for stalls in [vec![0x8484], vec![0x8080, 0x8484]] {
        let mut device = pl2303(64);
        device.reads.retain(|(_, value, _)| !stalls.contains(value));
        run_on(device, async |bridge| {
            let refused = bridge.set_line(57_600).await.unwrap_err();
            assert!(refused.to_string().contains("counterfeit"), "{refused}");
        });
    }
}

#[test]
fn a_set_up_that_broke_off_is_begun_anew() {
    let mut device = vendor(0x0403, 0x6001);
    device.stalls = vec![3];
    let said = run_on(device, async |bridge| {
        assert_eq!(bridge.set_line(57_600).await, Err(UsbError::Stall));
        assert_eq!(bridge.set_line(57_600).await, Err(UsbError::Stall));
    });
    let resets = said.iter().filter(|line| *line == "40 00 0000 0000");
    assert_eq!(resets.count(), 2);
}
