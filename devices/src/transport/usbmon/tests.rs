//! Files of other programs, and files that lie.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use proptest::prelude::*;

use super::file::{CaptureError, read};
use super::writer::{Writer, Written};
use super::*;

const SHORT: &[u8] = include_bytes!("../../../tests/captures/id-reader-189.pcap");
const NEXT_GENERATION: &[u8] = include_bytes!("../../../tests/captures/id-reader-220.pcapng");
const BIG: &[u8] = include_bytes!("../../../tests/captures/id-reader-220-big-endian.pcap");

#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(events: &[Event], max: u64) -> (Vec<u8>, Written) {
    let paper = Paper::default();
    let mut writer = Writer::begin(Box::new(paper.clone()), max).expect("begins");
    for event in events {
        writer.add(event);
    }
    let end = writer.end().expect("ends");
    (paper.0.take(), end)
}

#[test]
fn files_of_other_programs_are_read_whatever_their_container_header_and_byte_order() {
    let whole = read(NEXT_GENERATION).expect("pcapng");
    assert_eq!((whole.events.len(), whole.is_cut), (24, false));
    assert_eq!(read(SHORT).as_ref(), Ok(&whole));
    assert_eq!(read(BIG).as_ref(), Ok(&whole));
    // Packet 9: what tshark shows of it.
    let status = &whole.events[8];
    assert_eq!((status.frame, status.bus, status.device), (9, 1, 7));
    assert_eq!((status.kind, status.pipe), (Kind::Submit, Pipe::Bulk));
    assert_eq!((status.endpoint, status.status), (0x02, EINPROGRESS));
    assert_eq!(status.at, Duration::from_micros(1_760_000_000_007_000));
    let frame = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0, 3, 0x11, 0xff, 0xed];
    assert_eq!(status.data, frame);
    assert_eq!(whole.events[0].setup, Some([0x80, 6, 0, 1, 0, 0, 18, 0]));
    assert_eq!(whole.events[1].setup, None);
}

#[test]
fn what_is_written_reads_as_it_was() {
    let events = read(NEXT_GENERATION).expect("pcapng").events;
    let (bytes, end) = written(&events, u64::MAX);
    assert_eq!(
        end,
        Written {
            events: 24,
            missing: 0
        }
    );
    assert_eq!(read(&bytes).expect("pcap").events, events);
}

#[test]
fn a_full_file_is_whole_and_says_how_many_events_it_lacks() {
    let events = read(NEXT_GENERATION).expect("pcapng").events;
    let (bytes, end) = written(&events, 24 + 16 + 64 + 100);
    assert_eq!(
        end,
        Written {
            events: 2,
            missing: 22
        }
    );
    let capture = read(&bytes).expect("pcap");
    assert_eq!((capture.events.len(), capture.is_cut), (2, false));
}

#[test]
fn a_file_that_ends_anywhere_gives_what_is_whole() {
    for whole in [SHORT, NEXT_GENERATION, BIG] {
        let all = read(whole).expect("reads").events;
        let mut most = 0;
        for length in 0..whole.len() {
            let Ok(cut) = read(&whole[..length]) else {
                assert!(most == 0, "at {length}");
                continue;
            };
            assert!(all.starts_with(&cut.events), "at {length}");
            assert!(cut.events.len() >= most && cut.events.len() <= all.len());
            most = cut.events.len();
        }
        assert_eq!(most, all.len() - 1);
    }
}

#[test]
fn lengths_that_lie_are_refused_by_their_place() {
    let at = |whole: &[u8], place: usize, field: [u8; 4]| {
        let mut bent = whole.to_vec();
        bent[place..place + 4].copy_from_slice(&field);
        read(&bent)
    };
    // incl_len of the first packet.
    let long = at(SHORT, 24 + 8, u32::MAX.to_le_bytes());
    assert!(
        matches!(long, Err(CaptureError::Damaged { at: 24, .. })),
        "{long:?}"
    );
    let none = at(SHORT, 24 + 8, [0; 4]);
    assert!(
        matches!(none, Err(CaptureError::Damaged { at: 24, .. })),
        "{none:?}"
    );
    // Length of the section's block.
    for length in [0_u32, 4, 13] {
        let short = at(NEXT_GENERATION, 4, length.to_le_bytes());
        assert!(
            matches!(short, Err(CaptureError::Damaged { at: 0, .. })),
            "{short:?}"
        );
    }
    // USBPcap of Windows.
    let windows = at(SHORT, 20, 249_u32.to_le_bytes());
    assert_eq!(windows, Err(CaptureError::Link(249)));
    assert_eq!(read(b"PNG"), Err(CaptureError::Unknown));
    assert_eq!(read(b"no capture file"), Err(CaptureError::Unknown));
}

#[test]
fn a_packet_of_an_interface_nobody_described_is_refused() {
    let mut bent = NEXT_GENERATION.to_vec();
    let is_packet = |w: &[u8]| w == [6, 0, 0, 0];
    let at = bent.windows(4).position(is_packet).expect("a packet");
    bent[at + 8] = 9;
    let refused = read(&bent);
    assert!(
        matches!(refused, Err(CaptureError::Damaged { .. })),
        "{refused:?}"
    );
}

#[test]
fn statuses_are_what_linux_records_and_come_back_as_they_were() {
    for (error, status) in [
        (UsbError::Timeout, -2),
        (UsbError::Stall, -32),
        (UsbError::NoDevice, -19),
        (UsbError::Overflow, -75),
    ] {
        assert_eq!(status_of(&error), status);
        assert_eq!(judged(status), Err(error));
    }
    assert_eq!(judged(0), Ok(()));
    assert!(matches!(judged(-71), Err(UsbError::Other(_))));
}

proptest! {
    #[test]
    fn no_bent_byte_makes_the_reader_fall_over(at in 0..1389_usize, to in any::<u8>()) {
        for whole in [SHORT, NEXT_GENERATION, BIG] {
            let mut bent = whole.to_vec();
            bent[at] = to;
            if let Ok(capture) = read(&bent) {
                prop_assert!(capture.events.len() <= 25);
            }
        }
    }
}
