//! The chips alone, with requests written out here: what they carry nothing without,
//! and what they make of a wrong word.

use std::time::Duration;

use counterfoil_data::wire::unhex;

use super::*;
use crate::twin::finger_module::FingerModuleTwin;
use crate::twin::{InReply, Twin as _};

/// VfyPwd with the factory's password, and its answer at 57,600 bit/s.
const HELLO: &str = "ef01ffffffff01000713000000 00001b";
const GREETED: &str = "ef01ffffffff07000300000a";

/// A module behind a chip, and the time.
struct Bench {
    twin: FingerModuleTwin,
    now: Duration,
    out: u8,
    inward: u8,
}

impl Bench {
    fn new(kind: BridgeKind) -> Self {
        let twin = FingerModuleTwin::new(Vec::new()).behind(kind);
        let info = twin.info();
        let ends = info.interfaces.iter().flat_map(|i| &i.endpoints);
        let bulk: Vec<u8> = ends.filter(|e| e.kind == 2).map(|e| e.address).collect();
        let find = |inward: bool| *bulk.iter().find(|a| (**a & 0x80 != 0) == inward).unwrap();
        Self {
            out: find(false),
            inward: find(true),
            twin,
            now: Duration::ZERO,
        }
    }

    /// `TT RR VVVV IIII [data]`; whether it was taken.
    fn tell(&mut self, line: &str) -> bool {
        let bytes = unhex(&line.replace(' ', "")).unwrap();
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let setup = Setup {
            request_type: bytes[0],
            request: bytes[1],
            value: word(2),
            index: word(4),
        };
        let reply = self.twin.control(self.now, setup, &bytes[6..], 64);
        reply != ControlReply::Stall
    }

    fn all(&mut self, lines: &[&str]) {
        for line in lines {
            assert!(self.tell(line), "{line}");
        }
    }

    /// What comes within two seconds, transfer by transfer, read in 64 bytes.
    fn greet(&mut self) -> Vec<Vec<u8>> {
        let hello = unhex(&HELLO.replace(' ', "")).unwrap();
        self.twin.out(self.now, self.out, &hello);
        self.listen()
    }

    fn listen(&mut self) -> Vec<Vec<u8>> {
        let mut came = Vec::new();
        for _ in 0..2000 {
            self.now += Duration::from_millis(1);
            if let InReply::Data(bytes) = self.twin.poll_in(self.now, self.inward, 64) {
                came.push(bytes);
            }
        }
        came
    }

    fn heard(&mut self) -> bool {
        let answer = unhex(GREETED).unwrap();
        self.greet() == [answer]
    }
}

const CP210X: [&str; 5] = [
    "41 00 0001 0000",
    "41 03 0800 0000",
    "41 1e 0000 0000 00e10000",
    "41 13 0000 0000 01000000400000000000000000000000",
    "41 07 0303 0000",
];

#[test]
fn a_cp210x_carries_only_when_enabled_8n1_at_the_right_rate_and_without_handshake() {
    let mut bench = Bench::new(BridgeKind::Cp210x);
    bench.all(&CP210X);
    assert!(bench.heard());
    for (wrong, right) in [
        ("41 00 0000 0000", "41 00 0001 0000"),
        ("41 03 0801 0000", "41 03 0800 0000"),
        ("41 1e 0000 0000 00c20100", "41 01 0040 0000"),
        (
            "41 13 0000 0000 09000000400000000000000000000000",
            "41 13 0000 0000 01000000400000000000000000000000",
        ),
        ("41 07 0100 0000", "41 07 0101 0000"),
    ] {
        bench.all(&[wrong]);
        assert!(bench.greet().is_empty(), "{wrong}");
        bench.all(&[right]);
        assert!(bench.heard(), "{right}");
    }
    assert!(!bench.tell("41 1e 0000 0000 00e1"));
    assert!(!bench.tell("41 13 0000 0000 01"));
    assert!(!bench.tell("41 03 0800 0001"), "there is no second port");
}

const CH340: [&str; 4] = [
    "40 a1 0000 0000",
    "40 9a 1312 9883",
    "40 9a 2518 00c3",
    "40 a4 ff9f 0000",
];

#[test]
fn a_ch340_carries_nothing_before_its_initialisation_or_with_a_wrong_divisor() {
    let mut bench = Bench::new(BridgeKind::Ch340);
    bench.all(&CH340[1..]);
    assert!(bench.greet().is_empty());
    bench.all(&CH340[..1]);
    assert!(bench.heard());
    for (wrong, right) in [
        ("40 9a 1312 cc83", "40 9a 1312 9883"),
        ("40 9a 1312 9882", "40 9a 1312 9883"),
        ("40 9a 2518 0003", "40 9a 2518 00c3"),
        ("40 a4 0060 0000", "40 a4 ff9f 0000"),
    ] {
        bench.all(&[wrong]);
        assert!(bench.greet().is_empty(), "{wrong}");
        bench.all(&[right]);
        assert!(bench.heard(), "{right}");
    }
}

#[test]
fn a_ch340_without_bit_7_keeps_an_answer_until_a_packet_is_full() {
    let mut bench = Bench::new(BridgeKind::Ch340);
    bench.all(&CH340);
    bench.all(&["40 9a 1312 9803"]);
    assert!(bench.greet().is_empty());
    assert!(bench.greet().is_empty());
    // 36 bytes wait: 32 of them go.
    let came = bench.greet();
    assert_eq!(came.iter().map(Vec::len).collect::<Vec<_>>(), [32]);
}

const FTDI: [&str; 5] = [
    "40 00 0000 0000",
    "40 04 0008 0000",
    "40 02 0000 0000",
    "40 01 0303 0000",
    "40 03 c034 0000",
];

fn busy(came: &[Vec<u8>]) -> Vec<Vec<u8>> {
    came.iter().filter(|t| t.len() > 2).cloned().collect()
}

#[test]
fn an_ftdi_sends_status_every_latency_period_and_before_every_answer() {
    let mut bench = Bench::new(BridgeKind::Ftdi);
    bench.all(&FTDI);
    // 16 ms until it is told otherwise: 125 in two seconds.
    let idle = bench.listen();
    assert_eq!(idle.len(), 125);
    assert!(idle.iter().all(|packet| *packet == [0x11, 0x60]));
    bench.all(&["40 09 0002 0000"]);
    let came = bench.greet();
    assert!(came.len() > 900, "{}", came.len());
    let answer = [&[0x11, 0x60][..], &unhex(GREETED).unwrap()].concat();
    assert_eq!(busy(&came), [answer]);
    assert!(!bench.tell("40 09 0000 0000"));
}

#[test]
fn an_ftdi_at_a_wrong_divisor_hears_garbage_and_a_rate_changed_under_way_breaks_bytes() {
    let mut bench = Bench::new(BridgeKind::Ftdi);
    bench.all(&FTDI);
    for (wrong, right) in [
        ("40 03 001a 0000", "40 03 c034 0000"),
        ("40 03 0068 0000", "40 03 0034 0000"),
        ("40 04 0108 0000", "40 04 0008 0000"),
        ("40 02 0000 0100", "40 02 0000 0000"),
        ("40 01 0200 0000", "40 01 0202 0000"),
    ] {
        bench.all(&[wrong]);
        assert!(busy(&bench.greet()).is_empty(), "{wrong}");
        bench.all(&[right]);
        assert_eq!(busy(&bench.greet()).len(), 1, "{right}");
    }
    let hello = unhex(&HELLO.replace(' ', "")).unwrap();
    bench.twin.out(bench.now, bench.out, &hello);
    bench.all(&["40 03 001a 0000"]);
    let broken = busy(&bench.listen());
    assert_eq!(broken[0][..2], [0x11, 0x68], "a framing error is told");
    assert_ne!(broken[0][2..], unhex(GREETED).unwrap());
}

const WAKE: [&str; 11] = [
    "c0 01 8484 0000",
    "40 01 0404 0000",
    "c0 01 8484 0000",
    "c0 01 8383 0000",
    "c0 01 8484 0000",
    "40 01 0404 0001",
    "c0 01 8484 0000",
    "c0 01 8383 0000",
    "40 01 0000 0001",
    "40 01 0001 0000",
    "40 01 0002 0044",
];
const CODING: [&str; 2] = ["21 20 0000 0000 00e10000000008", "21 22 0003 0000"];

#[test]
fn a_pl2303hx_is_deaf_before_its_sequence_and_drops_bytes_for_the_same_coding_again() {
    let mut bench = Bench::new(BridgeKind::Pl2303);
    bench.all(&CODING);
    assert!(bench.greet().is_empty());
    bench.all(&WAKE[1..]);
    assert!(bench.greet().is_empty(), "a step is missing");
    bench.all(&WAKE);
    bench.all(&["40 01 0000 0000"]);
    assert!(bench.heard());
    let hello = unhex(&HELLO.replace(' ', "")).unwrap();
    bench.twin.out(bench.now, bench.out, &hello);
    bench.now += Duration::from_secs(1);
    bench.all(&CODING);
    assert!(bench.listen().is_empty(), "dropped");
    bench.all(&["21 20 0000 0000 00c20100000008"]);
    assert!(bench.greet().is_empty(), "another rate");
    assert!(!bench.tell("c0 81 000a 0000"));
}

#[test]
fn a_pl2303hxn_stalls_the_old_requests_and_waits_until_flow_control_is_off() {
    let mut bench = Bench::new(BridgeKind::Pl2303Hxn);
    for old in ["c0 01 8080 0000", "c0 01 8484 0000", "40 01 0404 0000"] {
        assert!(!bench.tell(old), "{old}");
    }
    bench.all(&CODING);
    assert!(bench.greet().is_empty());
    bench.all(&["c0 81 000a 0000", "40 80 000a 001c", "40 80 0007 0003"]);
    assert!(bench.heard());
}
