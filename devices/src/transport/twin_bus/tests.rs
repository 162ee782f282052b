//! What a driver may rely on, proven with a twin that is one buffer.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::Clock;
use jiff::Timestamp;

use super::*;
use crate::system::TokioClock;
use crate::transport::{EndpointInfo, InterfaceInfo};
use crate::twin::{ControlReply, InReply, OutReply};

const MS: Duration = Duration::from_millis(1);

/// Takes bytes on 01, gives them back on 82 after 250 ms.
#[derive(Default)]
pub(crate) struct Echo {
    room: usize,
    held: VecDeque<u8>,
    ready_at: Option<Duration>,
    stalls: bool,
    hosts_gone: u64,
}

impl Echo {
    pub(crate) fn with_room(room: usize) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }
}

impl Twin for Echo {
    fn info(&self) -> DeviceInfo {
        let end = |address| EndpointInfo {
            address,
            kind: 2,
            max_packet: 64,
            interval: 0,
        };
        DeviceInfo {
            path: String::new(),
            vendor: 0x1209,
            product: 1,
            release: 0x0100,
            class: 0,
            manufacturer: String::new(),
            name: "echo".into(),
            serial: String::new(),
            interfaces: vec![InterfaceInfo {
                number: 0,
                alternate: 0,
                class: 255,
                subclass: 0,
                protocol: 0,
                endpoints: vec![end(0x01), end(0x82)],
                extra: Vec::new(),
            }],
        }
    }
    fn control(&mut self, _: Duration, setup: Setup, _: &[u8], len: u16) -> ControlReply {
        match setup.request {
            1 => ControlReply::Data(vec![7; usize::from(len)]),
            _ => ControlReply::Stall,
        }
    }
    fn out(&mut self, now: Duration, _: u8, bytes: &[u8]) -> OutReply {
        if self.room == 0 {
            return OutReply::Nak;
        }
        let count = bytes.len().min(self.room);
        self.room -= count;
        self.held.extend(&bytes[..count]);
        self.ready_at = Some(now + 250 * MS);
        OutReply::Took(count)
    }
    fn poll_in(&mut self, now: Duration, _: u8, max: usize) -> InReply {
        if self.stalls {
            self.stalls = false;
            return InReply::Stall;
        }
        if self.ready_at.is_none_or(|at| at > now) || self.held.is_empty() {
            return InReply::Nak;
        }
        let count = max.min(self.held.len());
        InReply::Data(self.held.drain(..count).collect())
    }
    fn wakes_at(&self) -> Option<Duration> {
        self.ready_at
    }
    fn host_gone(&mut self, _: Duration) {
        self.hosts_gone += 1;
    }
    fn desk(&mut self, _: Duration, line: &str) -> Result<String, DeskError> {
        match line {
            "room" => self.room += 4,
            "stall" => self.stalls = true,
            _ => return Err(DeskError("room or stall".into())),
        }
        Ok(line.into())
    }
    fn look(&self) -> Vec<String> {
        vec![format!("holds {}", self.held.len())]
    }
    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("hosts-gone", self.hosts_gone)]
    }
}

fn run<F: Future<Output = ()>>(body: impl FnOnce(TwinBus, Rc<TokioClock>) -> F) {
    run_with_room(4, body);
}

/// On a bus with an echo that takes so many bytes.
pub(crate) fn run_with_room<F: Future<Output = ()>>(
    room: usize,
    body: impl FnOnce(TwinBus, Rc<TokioClock>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let clock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(clock.clone());
        bus.plug("echo", Rc::new(RefCell::new(Echo::with_room(room))));
        body(bus, clock).await;
    });
}

#[test]
fn a_read_stays_pending_while_the_twin_naks_and_ends_when_the_twin_said() {
    run(|bus, clock| async move {
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abc", 10 * MS).await, Ok(3));
        let before = clock.monotonic();
        let got = usb.read(0x82, 64, 5000 * MS).await.expect("reads");
        assert_eq!((got.bytes.as_slice(), got.short), (b"abc".as_slice(), true));
        assert_eq!(clock.monotonic() - before, 250 * MS);
        assert_eq!(usb.read(0x82, 64, 700 * MS).await, Err(UsbError::Timeout));
        assert_eq!(clock.monotonic() - before, 950 * MS);
    });
}

#[test]
fn a_write_that_runs_out_of_room_tells_how_much_moved_and_only_zero_is_a_timeout() {
    run(|bus, _| async move {
        let usb = bus.open("echo").await.expect("opens");
        assert_eq!(usb.write(0x01, b"abcdef", 20 * MS).await, Ok(4));
        assert_eq!(
            usb.write(0x01, b"ef", 20 * MS).await,
            Err(UsbError::Timeout)
        );
        let waiting = usb.write(0x01, b"ef", 5000 * MS);
        let desk = async {
            tokio::time::sleep(100 * MS).await;
            bus.desk("echo room").expect("gives room");
        };
        let (wrote, ()) = tokio::join!(waiting, desk);
        assert_eq!(wrote, Ok(2));
    });
}

#[test]
fn a_pulled_cable_ends_a_posted_read_at_once_and_the_old_opening_stays_dead() {
    run(|bus, clock| async move {
        let usb = bus.open("echo").await.expect("opens");
        let pull = async {
            tokio::time::sleep(100 * MS).await;
            bus.desk("echo unplug").expect("unplugs");
        };
        let (got, ()) = tokio::join!(usb.read(0x82, 64, 9000 * MS), pull);
        assert_eq!(got, Err(UsbError::NoDevice));
        assert_eq!(clock.monotonic(), 100 * MS);
        assert!(bus.list_now().is_empty());
        assert!(bus.desk("echo replug").is_ok());
        assert_eq!(usb.write(0x01, b"a", MS).await, Err(UsbError::NoDevice));
        assert_eq!(
            bus.open("echo").await.expect("opens again").info().path,
            "echo"
        );
    });
}

#[test]
fn a_device_opens_once_and_dropping_the_transport_tells_the_twin() {
    run(|bus, _| async move {
        let usb = bus.open("echo").await.expect("opens");
        assert!(matches!(bus.open("echo").await, Err(UsbError::Busy(_))));
        drop(usb);
        assert_eq!(bus.counter("echo", "hosts-gone"), 1);
        let usb = bus.open("echo").await.expect("opens again");
        bus.host_gone();
        assert_eq!(usb.write(0x01, b"a", MS).await, Err(UsbError::NoDevice));
        assert_eq!(bus.counter("echo", "hosts-gone"), 2);
    });
}

#[test]
fn a_stalled_endpoint_stays_halted_until_it_is_cleared() {
    run(|bus, _| async move {
        let usb = bus.open("echo").await.expect("opens");
        bus.desk("echo stall").expect("stalls");
        assert_eq!(usb.read(0x82, 64, MS).await, Err(UsbError::Stall));
        assert_eq!(usb.read(0x82, 64, MS).await, Err(UsbError::Stall));
        usb.stop_in(0x82).await.expect("stops");
        usb.clear_halt(0x82).await.expect("clears");
        assert_eq!(usb.read(0x82, 64, MS).await, Err(UsbError::Timeout));
    });
}

#[test]
fn a_halt_outlives_the_opening_and_ends_with_another_setting_or_configuration() {
    run(|bus, _| async move {
        let halted =
            async |usb: &TwinTransport| usb.read(0x82, 64, MS).await == Err(UsbError::Stall);
        let usb = bus.open("echo").await.expect("opens");
        bus.desk("echo halt 82").expect("halts");
        assert!(halted(&usb).await);
        drop(usb);
        let usb = bus.open("echo").await.expect("opens again");
        assert!(halted(&usb).await);
        usb.set_alternate(0, 0).await.expect("sets");
        assert!(!halted(&usb).await);
        bus.desk("echo halt 82").expect("halts");
        let configure = Setup {
            request_type: 0x00,
            request: 9,
            value: 1,
            index: 0,
        };
        let done = usb.control(configure, Stage::Out(&[]), MS).await;
        assert_eq!(done, Ok(Vec::new()));
        assert!(!halted(&usb).await);
    });
}

#[test]
fn a_halt_is_not_cleared_under_a_posted_read() {
    run(|bus, clock| async move {
        let usb = bus.open("echo").await.expect("opens");
        let clear = async {
            clock.sleep(50 * MS).await;
            assert!(matches!(
                usb.clear_halt(0x82).await,
                Err(UsbError::Other(_))
            ));
            usb.stop_in(0x82).await
        };
        let (got, stopped) = tokio::join!(usb.read(0x82, 64, 9000 * MS), clear);
        assert_eq!((got, stopped), (Err(UsbError::Timeout), Ok(())));
        assert_eq!(usb.clear_halt(0x82).await, Ok(()));
        assert_eq!(usb.clear_halt(0x01).await, Ok(()));
    });
}

#[test]
fn a_stopped_read_is_gone_and_takes_no_bytes_with_it() {
    run(|bus, clock| async move {
        let usb = bus.open("echo").await.expect("opens");
        let stop = async {
            tokio::time::sleep(50 * MS).await;
            usb.stop_in(0x82).await.expect("stops");
        };
        let (got, ()) = tokio::join!(usb.read(0x82, 64, 9000 * MS), stop);
        assert_eq!(got, Err(UsbError::Timeout));
        assert_eq!(clock.monotonic(), 50 * MS);
        usb.write(0x01, b"xy", MS).await.expect("writes");
        assert_eq!(
            usb.read(0x82, 1, 300 * MS).await.expect("first").bytes,
            b"x"
        );
        assert_eq!(
            usb.read(0x82, 1, 300 * MS).await.expect("second").bytes,
            b"y"
        );
    });
}

#[test]
fn standard_requests_come_from_the_descriptors_and_class_requests_from_the_twin() {
    run(|bus, _| async move {
        let usb = bus.open("echo").await.expect("opens");
        let ask = |request_type, request, value| Setup {
            request_type,
            request,
            value,
            index: 0,
        };
        let name = usb
            .control(ask(0x80, 6, 0x0302), Stage::In(255), MS)
            .await
            .expect("name");
        assert_eq!(name, [10, 3, b'e', 0, b'c', 0, b'h', 0, b'o', 0]);
        assert_eq!(
            usb.control(ask(0xa1, 1, 0), Stage::In(2), MS).await,
            Ok(vec![7, 7])
        );
        assert_eq!(
            usb.control(ask(0xa1, 2, 0), Stage::In(2), MS).await,
            Err(UsbError::Stall)
        );
        assert_eq!(usb.set_alternate(0, 3).await, Err(UsbError::Stall));
        assert_eq!(usb.set_alternate(0, 0).await, Ok(()));
    });
}
