//! What `capture` records, `replay` repeats: every twin's hello, and one byte that is not
//! as it was.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use counterfoil_data::demo;
use counterfoil_data::seam::SharedClock;
use jiff::Timestamp;

use super::*;
use crate::cli::hello;
use crate::driver::form_station::Family;
use crate::system::TokioClock;
use crate::transport::tap::{StillClock, TapBus};
use crate::transport::twin_bus::TwinBus;
use crate::transport::usbmon::Kind;
use crate::transport::usbmon::writer::Writer;
use crate::twin::branch::Branch;
use crate::twin::fingers::{FingerSpec, SensorKind};

/// A file in memory.
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

/// The file that `capture … probe` writes of the demo branch with another finger sensor
/// and another form printer, and how many events it has.
fn captured(finger: &str, forms: Family) -> (Vec<u8>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(
            "2026-11-26T09:30:00.7Z".parse().expect("a time"),
        ));
        let bus = branch(clock.clone(), finger, forms);
        let still = Rc::new(StillClock::on(clock));
        let paper = Paper::default();
        let writer = Writer::begin(Box::new(paper.clone()), u64::MAX).expect("begins");
        let drawn = Rc::new(RecordedEntropy::default());
        let tap = TapBus::new(bus, writer, still.clone(), drawn.clone());
        let (clock, entropy): (SharedClock, SharedEntropy) = (still, drawn);
        // The microarray gives no image and is refused, as in life.
        let done = hello::probe(&tap, &clock, &entropy).await;
        assert_eq!(done.is_err(), finger == "microarray");
        let written = tap.end().expect("ends");
        assert_eq!(written.missing, 0);
        (paper.0.take(), written.events)
    })
}

fn branch(clock: SharedClock, finger: &str, forms: Family) -> TwinBus {
    let bank = demo::bank().expect("the demo bank");
    let entropy: SharedEntropy = Rc::new(RecordedEntropy::default());
    let bus = Branch::demo(&bank, clock, entropy, None);
    let sensor: SensorKind = finger.parse().expect("a sensor");
    bus.plug("finger", sensor.twin(FingerSpec::demo(&bank)));
    if let Some(printer) = crate::cli::simulate::by_hand(&bank, forms, None) {
        bus.plug("form-printer", printer);
    }
    bus
}

/// Replays hello; what was played of each device.
fn replayed(bytes: &[u8]) -> (anyhow::Result<()>, Vec<Played>) {
    let capture = file::read(bytes).expect("a capture file");
    let recording = Recording::of(&capture);
    let places: Vec<String> = recording.sessions.iter().map(place).collect();
    let replayed = Replayed::of(recording, start(&capture));
    let done = replayed.run(None);
    let played = places.iter().filter_map(|path| replayed.bus.played(path));
    (done, played.collect())
}

#[test]
fn hello_of_every_twin_is_replayed_with_no_difference() {
    let branches = [
        ("cdc-acm", Family::Cassettes),
        ("cp210x", Family::Escp2),
        ("ch340", Family::Pr2),
        ("ftdi", Family::Cassettes),
        ("pl2303", Family::Cassettes),
        ("pl2303-hxn", Family::Cassettes),
        ("uru4500", Family::Cassettes),
        ("microarray", Family::Cassettes),
    ];
    for (finger, forms) in branches {
        let (bytes, events) = captured(finger, forms);
        let capture = file::read(&bytes).expect("a capture file");
        assert!(!capture.is_cut);
        assert_eq!(u64::try_from(capture.events.len()), Ok(events));
        let (done, played) = replayed(&bytes);
        assert_eq!(played.len(), Role::ALL.len(), "{finger}");
        for device in played {
            assert_eq!(device.difference, None, "{finger}");
            assert_eq!((device.made, device.passed), (device.acts, 0), "{finger}");
        }
        assert_eq!(done.is_err(), finger == "microarray", "{finger}: {done:?}");
    }
}

#[test]
fn one_byte_that_was_recorded_otherwise_is_named_with_its_transfer() {
    let (bytes, _) = captured("cdc-acm", Family::Cassettes);
    let capture = file::read(&bytes).expect("a capture file");
    let is_write = |e: &&crate::transport::usbmon::Event| {
        e.kind == Kind::Submit && e.setup.is_none() && !e.data.is_empty()
    };
    let writes: Vec<_> = capture.events.iter().filter(is_write).collect();
    assert!(writes.len() > 15, "{}", writes.len());
    for event in writes {
        let mut bent = bytes.clone();
        let last = bytes
            .windows(event.data.len() + 64)
            .position(|w| w[..8] == event.id.to_le_bytes() && w[64..] == event.data[..])
            .map(|at| at + 64 + event.data.len() - 1)
            .expect("it is in the file");
        bent[last] ^= 0x01;
        let (done, played) = replayed(&bent);
        let named = played.iter().filter_map(|p| p.difference.as_ref());
        let named: Vec<String> = named.map(ToString::to_string).collect();
        let at = event.data.len() - 1;
        let expected = format!("transfer {}: byte {at} of OUT", event.frame);
        assert!(done.is_err());
        assert!(
            matches!(named.as_slice(), [only] if only.starts_with(&expected)),
            "{expected}: {named:?}"
        );
    }
}

#[test]
fn a_file_cut_anywhere_is_replayed_as_far_as_it_goes() {
    let (bytes, _) = captured("uru4500", Family::Cassettes);
    let whole = file::read(&bytes).expect("a capture file");
    for length in 0..bytes.len() {
        let cut = file::read(&bytes[..length]);
        match cut {
            Err(error) => assert!(length < 24, "{length}: {error}"),
            Ok(cut) => {
                assert!(whole.events.starts_with(&cut.events), "{length}");
                let recording = Recording::of(&cut);
                let replayed = Replayed::of(recording, Timestamp::UNIX_EPOCH);
                // Whatever it says: it ends, and never differs in what is there.
                let _ = replayed.clock.run(replayed.greet_all());
            }
        }
    }
}

#[test]
fn no_words_tell_what_a_document_or_a_card_is_made_of() {
    let (bytes, _) = captured("cdc-acm", Family::Cassettes);
    let capture = file::read(&bytes).expect("a capture file");
    let recording = Recording::of(&capture);
    let reader = |s: &&Session| s.info.as_ref().and_then(role_of) == Some(Role::IdReader);
    let session = recording.sessions.iter().find(reader).expect("a reader");
    let ours = capture.events.iter().filter(|e| e.device == session.device);
    let said: Vec<String> = ours
        .filter_map(|event| words::words(event, Some(Role::IdReader)))
        .collect();
    assert!(
        said.iter().any(|line| line.ends_with("status?")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|line| line.ends_with("number of the security module?")),
        "{said:?}"
    );
    // AA AA AA 96 69 begins every frame; no line shows the bytes behind it.
    assert!(said.iter().all(|line| !line.contains("96 69")), "{said:?}");
}
