//! What a capture file holds of each device: what the host did, in order, and what came
//! at each IN endpoint, and after which act.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::transport::descriptor::{parse_configuration, parse_device, string_text};
use crate::transport::usbmon::file::Capture;
use crate::transport::usbmon::{Event, Kind, Pipe, judged};
use crate::transport::{DeviceInfo, EndpointInfo, InterfaceInfo, UsbError};

/// Devices in one recording at most.
pub const DEVICES_MAX: usize = 64;
pub(super) const GET_DESCRIPTOR: [u8; 2] = [0x80, 6];
const CLEAR_HALT: [u8; 2] = [0x02, 1];
const SET_INTERFACE: [u8; 2] = [0x01, 11];

/// Every device of a capture file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// One for each address on a bus, in the order of their first event.
    pub sessions: Vec<Session>,
    /// Devices beyond [`DEVICES_MAX`] that were left out.
    pub left_out: bool,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Number of the bus.
    pub bus: u16,
    /// Number on the bus.
    pub device: u8,
    /// Its descriptors, where the recording has them; `path` is `BUS.DEVICE`.
    pub info: Option<DeviceInfo>,
    /// Every descriptor that was told, by wValue of its request.
    pub descriptors: BTreeMap<u16, Vec<u8>>,
    /// What the recorded host drew at random, where that is known.
    pub drawn: Vec<u8>,
    /// When the recording of it began.
    pub began: Duration,
    /// What the host did: requests and OUT transfers.
    pub acts: Vec<Act>,
    /// What came, by IN endpoint.
    pub answers: BTreeMap<u8, VecDeque<Answer>>,
}

/// One request or OUT transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Number of the submission's packet.
    pub frame: u32,
    /// When it was submitted.
    pub at: Duration,
    /// Endpoint address.
    pub endpoint: u8,
    /// The SETUP packet of a request.
    pub setup: Option<[u8; 8]>,
    /// Bytes of the OUT stage, as far as they are in the file.
    pub out: Vec<u8>,
    /// How many they were.
    pub length: usize,
    /// How it ended, if the recording has that.
    pub done: Option<ActDone>,
}

/// The end of an [`Act`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActDone {
    /// Number of the completion's packet.
    pub frame: u32,
    /// When.
    pub at: Duration,
    /// 0, or an errno.
    pub status: i32,
    /// Bytes that moved.
    pub moved: usize,
    /// What came in an IN stage.
    pub data: Vec<u8>,
}

/// One completed IN transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Number of the completion's packet.
    pub frame: u32,
    /// When it came.
    pub at: Duration,
    /// Acts that were submitted before it came.
    pub after: usize,
    /// 0, or an errno.
    pub status: i32,
    /// Bytes the host had room for.
    pub asked: usize,
    /// Bytes that moved.
    pub moved: usize,
    /// What of them is in the file.
    pub data: Vec<u8>,
}

impl Act {
    /// A request that a kernel may have made, not a driver.
    pub(super) fn is_standard(&self) -> bool {
        self.setup.is_some_and(|[kind, ..]| kind & 0x60 == 0)
    }
}

/// Transfers under way and descriptors, while a device's events are read.
struct Reading {
    session: Session,
    /// By id: which act, or how many bytes an IN transfer has room for.
    acts: BTreeMap<u64, usize>,
    rooms: BTreeMap<u64, usize>,
    /// By id: wValue of a GET_DESCRIPTOR.
    asked: BTreeMap<u64, u16>,
    pipes: BTreeMap<u8, Pipe>,
}

impl Recording {
    /// Sorts the events of a file.
    pub fn of(capture: &Capture) -> Self {
        let mut all: Vec<Reading> = Vec::new();
        let mut left_out = false;
        for event in &capture.events {
            let place = (event.bus, event.device);
            let is_here = |r: &Reading| (r.session.bus, r.session.device) == place;
            let known = all.iter().position(is_here);
            if known.is_none() {
                if all.len() >= DEVICES_MAX {
                    left_out = true;
                    continue;
                }
                all.push(Reading::begin(event));
            }
            let reading = match known {
                Some(at) => all.get_mut(at),
                None => all.last_mut(),
            };
            if let Some(reading) = reading {
                reading.take(event);
            }
        }
        Self {
            sessions: all.into_iter().map(Reading::end).collect(),
            left_out,
        }
    }
}

impl Reading {
    fn begin(event: &Event) -> Self {
        Self {
            session: Session {
                bus: event.bus,
                device: event.device,
                info: None,
                descriptors: BTreeMap::new(),
                drawn: Vec::new(),
                began: event.at,
                acts: Vec::new(),
                answers: BTreeMap::new(),
            },
            acts: BTreeMap::new(),
            rooms: BTreeMap::new(),
            asked: BTreeMap::new(),
            pipes: BTreeMap::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        match (event.kind, event.pipe) {
            (_, Pipe::Isochronous) => {}
            (Kind::Submit, Pipe::Control) => self.request(event),
            (Kind::Submit, _) if event.is_in() => {
                self.pipes.insert(event.endpoint, event.pipe);
                self.rooms.insert(event.id, size(event.length));
            }
            (Kind::Submit, _) => {
                self.pipes.insert(event.endpoint, event.pipe);
                self.act(event, size(event.length));
            }
            (_, Pipe::Control) => self.over(event),
            _ if event.is_in() => self.came(event),
            _ => self.over(event),
        }
    }

    fn request(&mut self, event: &Event) {
        let Some([kind, request, low, high, ..]) = event.setup else {
            return;
        };
        let is_ours = [CLEAR_HALT, SET_INTERFACE].contains(&[kind, request]);
        if [kind, request] == GET_DESCRIPTOR {
            let value = u16::from_le_bytes([low, high]);
            self.asked.insert(event.id, value);
        } else if kind & 0x60 != 0 || is_ours {
            let length = if kind & 0x80 == 0 { event.length } else { 0 };
            self.act(event, size(length));
        }
    }

    fn act(&mut self, event: &Event, length: usize) {
        self.acts.insert(event.id, self.session.acts.len());
        self.session.acts.push(Act {
            frame: event.frame,
            at: event.at,
            endpoint: event.endpoint,
            setup: event.setup,
            out: event.data.clone(),
            length,
            done: None,
        });
    }

    fn over(&mut self, event: &Event) {
        if let Some(value) = self.asked.remove(&event.id) {
            let known = self.session.descriptors.entry(value).or_default();
            if event.status == 0 && event.data.len() >= known.len() {
                known.clone_from(&event.data);
            }
        }
        let Some(at) = self.acts.remove(&event.id) else {
            return;
        };
        if let Some(act) = self.session.acts.get_mut(at) {
            act.done = Some(ActDone {
                frame: event.frame,
                at: event.at,
                status: event.status,
                moved: size(event.length),
                data: event.data.clone(),
            });
        }
    }

    fn came(&mut self, event: &Event) {
        // Submitted before the recording began: there was room for more.
        let asked = self.rooms.remove(&event.id).unwrap_or(usize::MAX);
        let is_given_up = judged(event.status) == Err(UsbError::Timeout);
        if is_given_up && event.length == 0 {
            return;
        }
        let answers = self.session.answers.entry(event.endpoint).or_default();
        answers.push_back(Answer {
            frame: event.frame,
            at: event.at,
            after: self.session.acts.len(),
            status: event.status,
            asked,
            moved: size(event.length),
            data: event.data.clone(),
        });
    }

    fn end(mut self) -> Session {
        self.session.info = self.info();
        self.session
    }

    fn info(&self) -> Option<DeviceInfo> {
        let device = self.session.descriptors.get(&0x0100)?;
        let (mut info, texts) = parse_device(device).ok()?;
        info.path = format!("{}.{}", self.session.bus, self.session.device);
        let configuration = self.session.descriptors.get(&0x0200);
        let interfaces = configuration.and_then(|bytes| parse_configuration(bytes).ok());
        info.interfaces = interfaces.unwrap_or_else(|| self.seen());
        let text = |index: u8| {
            let bytes = self.session.descriptors.get(&(0x0300 | u16::from(index)));
            let bytes = bytes.filter(|_| index != 0);
            bytes.and_then(|b| string_text(b)).unwrap_or_default()
        };
        let [maker, name, serial] = texts;
        info.manufacturer = text(maker);
        info.name = text(name);
        info.serial = text(serial);
        Some(info)
    }

    /// What can be told of the interfaces where their descriptors are missing: a vendor's
    /// class with the endpoints that were used.
    fn seen(&self) -> Vec<InterfaceInfo> {
        let endpoint = |(&address, &pipe): (&u8, &Pipe)| EndpointInfo {
            address,
            kind: if pipe == Pipe::Interrupt { 3 } else { 2 },
            max_packet: 64,
            interval: 0,
        };
        vec![InterfaceInfo {
            number: 0,
            alternate: 0,
            class: 0xff,
            subclass: 0xff,
            protocol: 0xff,
            endpoints: self.pipes.iter().map(endpoint).collect(),
            extra: Vec::new(),
        }]
    }
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
