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

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;

use counterfoil_data::seam::Entropy;
use counterfoil_data::wire::hex;
use counterfoil_finger::{Image, quality};

use super::*;
use crate::system::TokioClock;
use crate::transport::{EndpointInfo, InterfaceInfo, Setup, Stage, Transfer};

/// Names the folder with the recording.
const FOLDER: &str = "COUNTERFOIL_URU4000_SESSION";

/// One control request with what it carried, either way.
type Control = (String, Vec<u8>);

/// A recording, taken apart.
#[derive(Default)]
struct Session {
    controls: VecDeque<Control>,
    events: VecDeque<Vec<u8>>,
    images: VecDeque<Vec<u8>>,
}

/// Reads pcapng with usbmon headers of 64 bytes (link type 220).
fn session(bytes: &[u8]) -> Session {
    const BLOCK: u32 = 6;
    let mut session = Session::default();
    let mut asked: Option<(String, Vec<u8>)> = None;
    let word = |at: usize| u32::from_le_bytes(*bytes[at..].first_chunk().unwrap());
    let mut at = 0;
    while at < bytes.len() {
        let (kind, length) = (word(at), word(at + 4) as usize);
        if kind == BLOCK {
            let captured = word(at + 20) as usize;
            let packet = &bytes[at + 28..at + 28 + captured];
            let (head, data) = packet.split_at(64);
            match (head[8], head[9], head[10]) {
                (b'S', 2, _) => asked = Some((hex(&head[40..48]), data.to_vec())),
                (b'C', 2, _) => {
                    let (setup, out) = asked.take().unwrap();
                    // The kernel's own requests came before.
                    if !setup.starts_with("80") {
                        session
                            .controls
                            .push_back((setup, [out, data.to_vec()].concat()));
                    }
                }
                (b'C', 1, _) if !data.is_empty() => session.events.push_back(data.to_vec()),
                (b'C', 3, _) if !data.is_empty() => session.images.push_back(data.to_vec()),
                _ => {}
            }
        }
        at += length;
    }
    session
}

/// Answers what the reader answered, and only to what the reader was asked.
struct Replay {
    info: DeviceInfo,
    left: RefCell<Session>,
}

impl Transport for Replay {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    async fn control(&self, s: Setup, stage: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        let (setup, carried) = self.left.borrow_mut().controls.pop_front().unwrap();
        let length = match stage {
            Stage::Out(data) => {
                assert_eq!(data, carried, "{setup}");
                u16::try_from(data.len()).unwrap()
            }
            Stage::In(length) => length,
        };
        let mut ours = vec![s.request_type, s.request];
        ours.extend(
            [s.value, s.index, length]
                .iter()
                .flat_map(|w| w.to_le_bytes()),
        );
        assert_eq!(hex(&ours), setup);
        Ok(match stage {
            Stage::Out(_) => Vec::new(),
            Stage::In(_) => carried,
        })
    }
    async fn write(&self, _: u8, _: &[u8], _: Duration) -> Result<usize, UsbError> {
        Err(UsbError::Stall)
    }
    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        if within.is_zero() {
            return Err(UsbError::Timeout);
        }
        let mut left = self.left.borrow_mut();
        let next = match endpoint {
            0x81 => left.events.pop_front(),
            _ => left.images.pop_front(),
        };
        let bytes = next.ok_or(UsbError::Timeout)?;
        assert!(bytes.len() <= max);
        Ok(Transfer { bytes, short: true })
    }
    async fn stop_in(&self, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
    async fn clear_halt(&self, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}

fn replay(session: Session) -> Replay {
    let end = |address, kind| EndpointInfo {
        address,
        kind,
        max_packet: 64,
        interval: 0,
    };
    let interface = InterfaceInfo {
        number: 0,
        alternate: 0,
        class: 0xFF,
        subclass: 0xFF,
        protocol: 0xFF,
        endpoints: vec![end(0x81, 3), end(0x82, 2)],
        extra: Vec::new(),
    };
    let info = DeviceInfo {
        path: "1-10".into(),
        vendor: 0x05BA,
        product: 0x000A,
        release: 0x0103,
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: vec![interface],
    };
    Replay {
        info,
        left: RefCell::new(session),
    }
}

/// The seed the recorded host chose.
struct Recorded;

impl Entropy for Recorded {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&[0x24, 0x21, 0xEA, 0x51]);
    }
}

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
    let recorded = session(&std::fs::read(folder.join("capture.pcapng")).unwrap());
    assert_eq!((recorded.controls.len(), recorded.images.len()), (11, 1));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let usb = replay(recorded);
        let mut reader = Uru4000::open(usb, clock, Rc::new(Recorded)).await.unwrap();
        let soon = Duration::from_secs(5);
        reader.arm().await.unwrap();
        assert_eq!(reader.wait_finger(soon).await, Ok(true));
        let image = reader.capture(|_| {}, soon).await.unwrap();
        assert_eq!(reader.wait_lifted(soon).await, Ok(true));
        reader.disarm().await.unwrap();
        assert_eq!(reader.transport.left.borrow().controls.len(), 0);
        let (width, expected) = picture(&folder.join("capture.png"));
        assert_eq!(width, usize::from(image.width));
        assert_eq!(expected.len(), image.pixels.expose().len());
        let pairs = expected.iter().zip(image.pixels.expose());
        let same = pairs.filter(|(a, b)| a == b).count();
        assert_eq!(same, expected.len(), "pixels that are as recorded");
        let pixels = image.pixels.expose().clone();
        let image = Image::new(image.width, image.height, image.dpi, pixels).unwrap();
        println!("{same} of {same} pixels, quality {:?}", quality(&image));
    });
}
