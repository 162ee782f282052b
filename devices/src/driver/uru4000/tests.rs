//! The whole driver against a recorded session of a real reader, request by request, and
//! its picture pixel by pixel.
//!
//! The recording is somebody's finger and not part of this repository. To run this, put
//! `capture.pcapng` and `capture.png` of libfprint's `tests/uru4000-4500` into a folder
//! and name it:
//!
//! ```text
//! COUNTERFOIL_URU4000_SESSION=/path/to/uru4000-4500 cargo test -p counterfoil-devices uru4000
//! ```

use std::path::Path;
use std::rc::Rc;

use counterfoil_finger::{Image, quality};

use super::*;
use crate::transport::Bus as _;
use crate::transport::replay::ReplayBus;
use crate::transport::replay::clock::ReplayClock;
use crate::transport::replay::entropy::RecordedEntropy;
use crate::transport::replay::recording::{Recording, Session};
use crate::transport::usbmon::file;

/// Names the folder with the recording.
const FOLDER: &str = "COUNTERFOIL_URU4000_SESSION";

/// The seed the recorded host chose.
const DRAWN: [u8; 4] = [0x24, 0x21, 0xEA, 0x51];

/// The red of each pixel.
fn picture(path: &Path) -> (usize, Vec<u8>) {
    let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let samples = frame.color_type.samples();
    let width = usize::try_from(frame.width).unwrap();
    (width, bytes.iter().step_by(samples).copied().collect())
}

#[test]
fn a_recorded_session_is_repeated_request_by_request_and_gives_its_picture() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        println!("skipped: {FOLDER} names no folder with capture.pcapng and capture.png");
        return;
    };
    let folder = Path::new(&folder);
    let bytes = std::fs::read(folder.join("capture.pcapng")).unwrap();
    let capture = file::read(&bytes).unwrap();
    assert!(!capture.is_cut);
    let mut recording = Recording::of(&capture);
    let [reader] = recording.sessions.as_mut_slice() else {
        panic!("one device");
    };
    assert_eq!((reader.acts.len(), reader.answers[&0x82].len()), (11, 1));
    assert_eq!(seeds(reader), DRAWN);
    reader.drawn = DRAWN.to_vec();
    let clock = ReplayClock::starting_at(jiff::Timestamp::UNIX_EPOCH);
    let shared: SharedClock = Rc::new(clock.clone());
    let entropy = Rc::new(RecordedEntropy::default());
    let bus = ReplayBus::new(recording, &shared, entropy.clone());
    let session = async {
        let usb = bus.open("1.50").await.unwrap();
        let mut reader = Uru4000::open(usb, shared, entropy).await.unwrap();
        let soon = Duration::from_secs(5);
        reader.arm().await.unwrap();
        assert_eq!(reader.wait_finger(soon).await, Ok(true));
        let image = reader.capture(|_| {}, soon).await.unwrap();
        assert_eq!(reader.wait_lifted(soon).await, Ok(true));
        reader.disarm().await.unwrap();
        let played = bus.played("1.50").unwrap();
        assert_eq!(
            (played.made, played.passed, played.difference),
            (11, 0, None)
        );
        let (width, expected) = picture(&folder.join("capture.png"));
        assert_eq!(width, usize::from(image.width));
        assert_eq!(expected.len(), image.pixels.expose().len());
        let pairs = expected.iter().zip(image.pixels.expose());
        let same = pairs.filter(|(a, b)| a == b).count();
        assert_eq!(same, expected.len(), "pixels that are as recorded");
        let pixels = image.pixels.expose().clone();
        let image = Image::new(image.width, image.height, image.dpi, pixels).unwrap();
        println!("{same} of {same} pixels, quality {:?}", quality(&image));
    };
    clock.run(session).unwrap();
}

fn seeds(session: &Session) -> Vec<u8> {
    let acts = session.acts.iter();
    let seeds = acts.filter_map(|act| seed_in(act.setup?, &act.out));
    seeds.flatten().collect()
}
