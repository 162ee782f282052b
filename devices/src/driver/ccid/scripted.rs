//! A reader whose every answer is a closure, for tests of the rules that a well
//! behaved twin never needs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::{hex, unhex};

use super::Reader;
use super::descriptor::FUNCTIONAL_LEN;
use crate::system::TokioClock;
use crate::transport::{
    DeviceInfo, EndpointInfo, InterfaceInfo, Setup, Stage, Transfer, Transport, UsbError,
};

/// What a message gets back: transfers in order.
pub(crate) type Answers = Box<dyn FnMut(&[u8]) -> Vec<Vec<u8>>>;

/// An answer that stands for a STALL of the bulk IN pipe.
pub(crate) const STALL: &[u8] = b"stall";

/// Its interrupt pipe, if it has one.
const NOTIFY: u8 = 0x81;

/// The reader.
pub(crate) struct Scripted {
    info: DeviceInfo,
    answers: RefCell<Answers>,
    inbox: RefCell<VecDeque<Vec<u8>>>,
    notices: RefCell<VecDeque<Vec<u8>>>,
    said: Rc<RefCell<Vec<String>>>,
}

/// Bytes from hexadecimal with blanks.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    unhex(&text.replace(' ', "").to_lowercase()).unwrap()
}

/// An answer: kind, the command's bSeq, status, error, chain, data.
pub(crate) fn answer(kind: u8, command: &[u8], flags: [u8; 3], data: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    message.extend([0, command[6]]);
    message.extend(flags);
    message.extend_from_slice(data);
    message
}

/// A reader with these features, and the list of what it was told.
pub(crate) fn scripted(features: u32, answers: Answers) -> (Scripted, Rc<RefCell<Vec<String>>>) {
    scripted_with(features, |_| {}, answers)
}

/// The same with its functional descriptor changed.
pub(crate) fn scripted_with(
    features: u32,
    change: impl FnOnce(&mut [u8]),
    answers: Answers,
) -> (Scripted, Rc<RefCell<Vec<String>>>) {
    let mut extra = vec![0; FUNCTIONAL_LEN];
    extra[..2].copy_from_slice(&[0x36, 0x21]);
    extra[5] = 5; // 5 V and 1.8 V
    extra[6] = 3; // T=0 and T=1
    extra[10..14].copy_from_slice(&4000_u32.to_le_bytes());
    extra[19..23].copy_from_slice(&10_752_u32.to_le_bytes());
    extra[23..27].copy_from_slice(&344_086_u32.to_le_bytes());
    extra[28..32].copy_from_slice(&254_u32.to_le_bytes());
    extra[40..44].copy_from_slice(&features.to_le_bytes());
    extra[44..48].copy_from_slice(&271_u32.to_le_bytes());
    change(&mut extra);
    let end = |address| EndpointInfo {
        address,
        kind: 2,
        max_packet: 64,
        interval: 0,
    };
    let interface = InterfaceInfo {
        number: 0,
        alternate: 0,
        class: 0x0B,
        subclass: 0,
        protocol: 0,
        endpoints: vec![end(0x82), end(0x03)],
        extra,
    };
    let info = DeviceInfo {
        path: String::new(),
        vendor: 0x1209,
        product: 2,
        release: 0,
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: vec![interface],
    };
    let said = Rc::new(RefCell::new(Vec::new()));
    let scripted = Scripted {
        info,
        answers: RefCell::new(answers),
        inbox: RefCell::default(),
        notices: RefCell::default(),
        said: Rc::clone(&said),
    };
    (scripted, said)
}

impl Transport for Scripted {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    async fn control(&self, setup: Setup, _: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        let (kind, request, value) = (setup.request_type, setup.request, setup.value);
        let line = format!(
            "control {kind:02x} {request:02x} {value:04x} {:04x}",
            setup.index
        );
        self.said.borrow_mut().push(line);
        Ok(Vec::new())
    }
    async fn write(&self, _: u8, message: &[u8], _: Duration) -> Result<usize, UsbError> {
        self.said.borrow_mut().push(hex(message));
        // The first message is the hello of `open`.
        let status = message[0] == 0x65;
        let replies = match status {
            true => vec![answer(0x81, message, [1, 0, 0], &[])],
            false => (self.answers.borrow_mut())(message),
        };
        self.inbox.borrow_mut().extend(replies);
        Ok(message.len())
    }
    async fn read(&self, end: u8, _: usize, within: Duration) -> Result<Transfer, UsbError> {
        let pipe = if end == NOTIFY {
            &self.notices
        } else {
            &self.inbox
        };
        let next = pipe.borrow_mut().pop_front();
        match next {
            Some(bytes) if bytes == STALL => Err(UsbError::Stall),
            // A test's pieces of whole packets are those of a read that ran out of time.
            Some(bytes) => Ok(Transfer {
                short: bytes.is_empty() || !bytes.len().is_multiple_of(64),
                bytes,
            }),
            None => {
                tokio::time::sleep(within).await;
                Err(UsbError::Timeout)
            }
        }
    }
    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.said.borrow_mut().push(format!("stop {endpoint:02x}"));
        Ok(())
    }
    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        self.said.borrow_mut().push(format!("clear {endpoint:02x}"));
        Ok(())
    }
    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}

/// Runs on paused time.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// The reader opened.
pub(crate) async fn opened(
    features: u32,
    answers: Answers,
) -> (Reader<Scripted>, Rc<RefCell<Vec<String>>>) {
    opened_with(features, |_| {}, answers).await
}

/// The same with its functional descriptor changed.
pub(crate) async fn opened_with(
    features: u32,
    change: impl FnOnce(&mut [u8]),
    answers: Answers,
) -> (Reader<Scripted>, Rc<RefCell<Vec<String>>>) {
    let (transport, said) = scripted_with(features, change, answers);
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let reader = Reader::open(transport, clock).await.unwrap();
    said.borrow_mut().clear();
    (reader, said)
}

/// The reader opened that then has an interrupt pipe with these messages in it, as a
/// queue that nobody emptied.
pub(crate) async fn opened_telling(
    features: u32,
    notices: &[[u8; 2]],
    answers: Answers,
) -> Reader<Scripted> {
    let (mut transport, _) = scripted(features, answers);
    for interface in &mut transport.info.interfaces {
        interface.endpoints.push(EndpointInfo {
            address: NOTIFY,
            kind: 3,
            max_packet: 8,
            interval: 24,
        });
    }
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let reader = Reader::open(transport, clock).await.unwrap();
    let mut waiting = reader.transport.notices.borrow_mut();
    waiting.extend(notices.iter().map(|notice| notice.to_vec()));
    drop(waiting);
    reader
}
