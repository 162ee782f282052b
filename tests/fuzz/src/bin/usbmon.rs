//! Capture files of usbmon: whatever a file says, reading it ends; what was read is written
//! back as it came, as far as the writer goes; and a driver that is shown it ends as well.
#![no_main]

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use counterfoil_data::seam::{SharedClock, SharedEntropy};
use counterfoil_devices::driver::ccid::Reader;
use counterfoil_devices::driver::finger::FingerSensor;
use counterfoil_devices::driver::sdt::IdReader;
use counterfoil_devices::driver::{Role, role_of};
use counterfoil_devices::transport::Bus;
use counterfoil_devices::transport::replay::ReplayBus;
use counterfoil_devices::transport::replay::clock::ReplayClock;
use counterfoil_devices::transport::replay::entropy::RecordedEntropy;
use counterfoil_devices::transport::replay::recording::{DEVICES_MAX, Recording};
use counterfoil_devices::transport::usbmon::file::{self, Capture};
use counterfoil_devices::transport::usbmon::writer::Writer;
use counterfoil_devices::transport::usbmon::{Kind, Pipe};

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

fn written_again(capture: &Capture) {
    let paper = Paper::default();
    let mut writer = Writer::begin(Box::new(paper.clone()), u64::MAX).expect("begins");
    let mut events = capture.events.clone();
    events.retain(|event| event.pipe != Pipe::Isochronous);
    for (frame, event) in (1_u32..).zip(&mut events) {
        event.frame = frame;
        // Only a submitted request has one.
        assert!(event.setup.is_none() || event.kind == Kind::Submit);
        writer.add(event);
    }
    writer.end().expect("ends");
    let again = file::read(&paper.0.take()).expect("reads");
    assert!(!again.is_cut);
    assert_eq!(again.events, events, "as it was");
}

fn shown_to_drivers(recording: Recording) {
    assert!(recording.sessions.len() <= DEVICES_MAX);
    let clock = ReplayClock::starting_at(jiff::Timestamp::UNIX_EPOCH);
    let shared: SharedClock = Rc::new(clock.clone());
    let entropy = Rc::new(RecordedEntropy::default());
    let bus = ReplayBus::new(recording, &shared, entropy.clone());
    let entropy: SharedEntropy = entropy;
    let work = async {
        for info in bus.list().await.expect("lists").iter().take(4) {
            let usb = bus.open(&info.path).await.expect("is there");
            let clock = shared.clone();
            match role_of(info) {
                Some(Role::IdReader) => drop(IdReader::open(usb, clock).await),
                Some(Role::CardReader) => drop(Reader::open(usb, clock).await),
                Some(Role::Finger) => drop(FingerSensor::open(usb, clock, entropy.clone()).await),
                _ => {}
            }
            let played = bus.played(&info.path).expect("is described");
            assert!(played.made <= played.acts && played.passed <= played.made);
        }
    };
    // A wait that is not in the recording ends the run.
    let _ = clock.run(work);
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(capture) = file::read(bytes) else {
        return;
    };
    written_again(&capture);
    shown_to_drivers(Recording::of(&capture));
});
