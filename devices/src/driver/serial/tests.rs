//! What goes over the bus for each call, against bytes from CDC PSTN 1.2 and, in
//! [`set_up`], from what is published of each chip.

mod set_up;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use jiff::Timestamp;

use super::*;
use crate::system::TokioClock;
use crate::transport::{EndpointInfo, InterfaceInfo, Setup, Stage, Transfer};

/// Writes down what it is asked.
struct Scribe {
    info: DeviceInfo,
    said: RefCell<Vec<String>>,
    /// Vendor and class reads it answers, by request and value; others stall.
    reads: Vec<(u8, u16, Vec<u8>)>,
    /// Requests it stalls.
    stalls: Vec<u8>,
    /// What the data pipe gives, before silence.
    data: RefCell<VecDeque<Result<Vec<u8>, UsbError>>>,
}

fn end(address: u8, kind: u8) -> EndpointInfo {
    EndpointInfo {
        address,
        kind,
        max_packet: 64,
        interval: 0,
    }
}

fn interface(number: u8, class: u8, subclass: u8, endpoints: Vec<EndpointInfo>) -> InterfaceInfo {
    InterfaceInfo {
        number,
        alternate: 0,
        class,
        subclass,
        protocol: 1,
        endpoints,
        extra: vec![],
    }
}

fn device(vendor: u16, product: u16, interfaces: Vec<InterfaceInfo>) -> Scribe {
    let info = DeviceInfo {
        path: String::new(),
        vendor,
        product,
        release: 0,
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces,
    };
    Scribe {
        info,
        said: RefCell::default(),
        reads: Vec::new(),
        stalls: Vec::new(),
        data: RefCell::default(),
    }
}

fn cdc() -> Scribe {
    let interfaces = vec![
        interface(3, 0x02, 0x02, vec![end(0x83, 3)]),
        interface(4, 0x0A, 0, vec![end(0x02, 2), end(0x82, 2)]),
    ];
    device(0x1A86, 0x55D4, interfaces)
}

/// A vendor bridge with one port.
fn vendor(vendor: u16, product: u16) -> Scribe {
    let ends = vec![end(0x81, 3), end(0x02, 2), end(0x82, 2)];
    device(vendor, product, vec![interface(0, 0xFF, 0, ends)])
}

impl Transport for Scribe {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    async fn control(&self, s: Setup, stage: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        let (kind, request) = (s.request_type, s.request);
        let head = format!("{kind:02x} {request:02x} {:04x} {:04x}", s.value, s.index);
        let mut reads = self.reads.iter();
        let (line, reply) = match stage {
            Stage::Out(data) => {
                let data = counterfoil_data::wire::hex(data);
                (format!("{head} {data}"), Some(Vec::new()))
            }
            Stage::In(len) => {
                let known = reads.find(|(r, v, _)| (*r, *v) == (request, s.value));
                let known = known.map(|(_, _, bytes)| bytes.clone());
                (format!("{head} read {len}"), known)
            }
        };
        self.said.borrow_mut().push(line.trim_end().to_owned());
        let stalled = self.stalls.contains(&request);
        reply.filter(|_| !stalled).ok_or(UsbError::Stall)
    }
    async fn write(&self, endpoint: u8, bytes: &[u8], _: Duration) -> Result<usize, UsbError> {
        let line = format!("{endpoint:02x} <- {}", bytes.len());
        self.said.borrow_mut().push(line);
        // Takes 100 bytes at most, to make the driver go on from there.
        Ok(bytes.len().min(100))
    }
    async fn read(&self, _: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        let Some(next) = self.data.borrow_mut().pop_front() else {
            tokio::time::sleep(within).await;
            return Err(UsbError::Timeout);
        };
        let bytes = next?;
        assert!(bytes.len() <= max);
        Ok(Transfer {
            short: bytes.len() < max,
            bytes,
        })
    }
    async fn stop_in(&self, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        let line = format!("{endpoint:02x} cleared");
        self.said.borrow_mut().push(line);
        Ok(())
    }
    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn run_on(device: Scribe, act: impl AsyncFnOnce(&mut Bridge<Scribe>)) -> Vec<String> {
    let runtime = paused();
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let mut bridge = Bridge::open(device, clock).unwrap();
        act(&mut bridge).await;
        bridge.wire.transport.said.take()
    })
}

const SOON: Duration = Duration::from_secs(1);

#[test]
fn the_line_coding_of_both_rates_goes_to_the_control_interface() {
    let said = run_on(cdc(), async |bridge| {
        bridge.set_line(57_600).await.unwrap();
        bridge.set_line(115_200).await.unwrap();
    });
    assert_eq!(
        said,
        [
            "21 20 0000 0003 00e10000000008",
            "21 22 0003 0003",
            "21 20 0000 0003 00c20100000008",
            "21 22 0003 0003",
        ]
    );
}

#[test]
fn only_an_exact_multiple_of_the_packet_is_followed_by_a_zero_length_packet() {
    let said = run_on(cdc(), async |bridge| {
        bridge.write(&[0; 63], SOON).await.unwrap();
    });
    assert_eq!(said, ["02 <- 63"]);
    let said = run_on(cdc(), async |bridge| {
        bridge.write(&[0; 128], SOON).await.unwrap();
    });
    assert_eq!(said, ["02 <- 128", "02 <- 28", "02 <- 0"]);
    // A vendor bridge passes on every packet it is given.
    let said = run_on(vendor(0x10C4, 0xEA60), async |bridge| {
        bridge.write(&[0; 64], SOON).await.unwrap();
    });
    assert_eq!(said, ["02 <- 64"]);
}

#[test]
fn a_device_without_the_pipes_of_a_bridge_is_none() {
    let clock: SharedClock =
        paused().block_on(async { Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH)) });
    let mut one = cdc();
    assert_eq!(known(&one.info), Some(Family::CdcAcm));
    one.info.interfaces.pop();
    assert_eq!(known(&one.info), None);
    assert!(Bridge::open(one, clock.clone()).is_none());
    // CDC-ACM is a class: any device of it can be tried, though not every one is
    // taken for a finger module.
    let mut strange = cdc();
    strange.info.vendor = 0x1234;
    assert_eq!(known(&strange.info), None);
    let bridge = Bridge::open(strange, clock.clone()).unwrap();
    assert_eq!(bridge.family(), Family::CdcAcm);
    let mut dumb = vendor(0x0403, 0x6001);
    dumb.info.interfaces[0].endpoints.pop();
    assert_eq!(known(&dumb.info), None);
    assert!(Bridge::open(dumb, clock).is_none());
}

#[test]
fn every_known_number_opens_the_bridge_of_its_family() {
    for (family, numbers) in [
        (
            Family::Cp210x,
            &[
                (0x10C4, 0xEA60),
                (0x10C4, 0xEA61),
                (0x10C4, 0xEA70),
                (0x10C4, 0xEA71),
            ][..],
        ),
        (
            Family::Ch340,
            &[(0x1A86, 0x7523), (0x1A86, 0x5523), (0x4348, 0x5523)],
        ),
        (
            Family::Ftdi,
            &[
                (0x0403, 0x6001),
                (0x0403, 0x6010),
                (0x0403, 0x6011),
                (0x0403, 0x6014),
                (0x0403, 0x6015),
            ],
        ),
        (
            Family::Pl2303,
            &[(0x067B, 0x2303), (0x067B, 0x23A3), (0x067B, 0x23F3)],
        ),
    ] {
        for &(maker, product) in numbers {
            let info = vendor(maker, product).info;
            assert_eq!(known(&info), Some(family), "{maker:04x}:{product:04x}");
            let role = crate::driver::role_of(&info);
            assert_eq!(role, Some(crate::driver::Role::Finger));
        }
    }
    assert_eq!(known(&vendor(0x0403, 0x6002).info), None);
}

#[test]
fn empty_packets_and_one_stall_are_passed_over_until_the_time_is_up() {
    let device = vendor(0x10C4, 0xEA60);
    let data = [
        Ok(vec![]),
        Err(UsbError::Stall),
        Ok(vec![]),
        Ok(vec![]),
        Ok(vec![7]),
    ];
    device.data.borrow_mut().extend(data);
    let said = run_on(device, async |bridge| {
        assert_eq!(bridge.read(SOON).await, Ok(vec![7]));
        assert_eq!(bridge.read(SOON).await, Err(UsbError::Timeout));
    });
    assert_eq!(said, ["82 cleared"]);
    let device = vendor(0x10C4, 0xEA60);
    let twice = [Err(UsbError::Stall), Err(UsbError::Stall)];
    device.data.borrow_mut().extend(twice);
    run_on(device, async |bridge| {
        assert_eq!(bridge.read(SOON).await, Err(UsbError::Stall));
    });
    // A device that never stops sending nothing is given up.
    let device = vendor(0x0403, 0x6001);
    let idle = (0..2 * EMPTY_MAX).map(|_| Ok(vec![1, 0x60]));
    device.data.borrow_mut().extend(idle);
    run_on(device, async |bridge| {
        assert_eq!(bridge.read(SOON).await, Err(UsbError::Timeout));
    });
}

#[test]
fn status_bytes_alone_are_silence_and_a_long_transfer_is_cut_at_every_packet() {
    let device = vendor(0x0403, 0x6001);
    let packet = |byte: u8, len: usize| [vec![0x01, 0x60], vec![byte; len]].concat();
    let long = [packet(b'a', 62), packet(b'b', 62), packet(b'c', 3)].concat();
    let data = [Ok(packet(0, 0)), Ok(packet(0, 0)), Ok(long)];
    device.data.borrow_mut().extend(data);
    run_on(device, async |bridge| {
        let expected = [vec![b'a'; 62], vec![b'b'; 62], vec![b'c'; 3]].concat();
        assert_eq!(bridge.read(SOON).await, Ok(expected));
    });
}

/// A line on which a byte comes every 300 ms and which stalls first.
struct Dripping(DeviceInfo, RefCell<Vec<&'static str>>);

impl Transport for Dripping {
    fn info(&self) -> &DeviceInfo {
        &self.0
    }
    async fn control(&self, _: Setup, _: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        Err(UsbError::Stall)
    }
    async fn write(&self, _: u8, _: &[u8], _: Duration) -> Result<usize, UsbError> {
        Ok(0)
    }
    async fn read(&self, _: u8, _: usize, _: Duration) -> Result<Transfer, UsbError> {
        if self.1.borrow().is_empty() {
            self.1.borrow_mut().push("stalled");
            return Err(UsbError::Stall);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(Transfer {
            bytes: vec![7],
            short: true,
        })
    }
    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        assert_eq!(endpoint, 0x82);
        self.1.borrow_mut().push("stopped");
        Ok(())
    }
    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        assert_eq!(endpoint, 0x82);
        self.1.borrow_mut().push("cleared");
        Ok(())
    }
    async fn set_alternate(&self, _: u8, _: u8) -> Result<(), UsbError> {
        Ok(())
    }
}

#[test]
fn a_line_that_never_falls_silent_is_purged_until_the_deadline_and_no_longer() {
    paused().block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let usb = Dripping(cdc().info, RefCell::default());
        let mut bridge = Bridge::open(usb, clock.clone()).unwrap();
        let quiet = Duration::from_millis(400);
        let purged = bridge.purge(quiet, Duration::from_secs(8)).await;
        assert_eq!(purged, Err(UsbError::Timeout));
        assert!(clock.monotonic() < Duration::from_secs(9));
        let did = bridge.wire.transport.1.borrow();
        assert_eq!(*did, ["stalled", "stopped", "cleared"]);
    });
}
