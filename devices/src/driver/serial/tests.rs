//! What goes over the bus for each call, against bytes from CDC PSTN 1.2.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;

use super::*;
use crate::system::TokioClock;
use crate::transport::{EndpointInfo, InterfaceInfo, Transfer};

/// Writes down what it is asked.
struct Scribe {
    info: DeviceInfo,
    said: RefCell<Vec<String>>,
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

fn scribe() -> Scribe {
    let interfaces = vec![
        interface(3, 0x02, 0x02, vec![end(0x83, 3)]),
        interface(4, 0x0A, 0, vec![end(0x02, 2), end(0x82, 2)]),
    ];
    let info = DeviceInfo {
        path: String::new(),
        vendor: 0x1A86,
        product: 0x55D4,
        release: 0,
        class: 2,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces,
    };
    Scribe {
        info,
        said: RefCell::default(),
    }
}

impl Transport for Scribe {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }
    async fn control(&self, s: Setup, stage: Stage<'_>, _: Duration) -> Result<Vec<u8>, UsbError> {
        let Stage::Out(data) = stage else {
            return Err(UsbError::Stall);
        };
        let data = counterfoil_data::wire::hex(data);
        let (kind, request) = (s.request_type, s.request);
        let line = format!(
            "{kind:02x} {request:02x} {:04x} {:04x} {data}",
            s.value, s.index
        );
        self.said.borrow_mut().push(line);
        Ok(Vec::new())
    }
    async fn write(&self, endpoint: u8, bytes: &[u8], _: Duration) -> Result<usize, UsbError> {
        self.said
            .borrow_mut()
            .push(format!("{endpoint:02x} <- {}", bytes.len()));
        // Takes 100 bytes at most, to make the driver go on from there.
        Ok(bytes.len().min(100))
    }
    async fn read(&self, _: u8, max: usize, _: Duration) -> Result<Transfer, UsbError> {
        assert_eq!(max, 64);
        Err(UsbError::Timeout)
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

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn run(act: impl AsyncFnOnce(&mut CdcAcm<Scribe>)) -> Vec<String> {
    let runtime = paused();
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let mut bridge = CdcAcm::open(scribe(), clock).unwrap();
        act(&mut bridge).await;
        bridge.transport.said.take()
    })
}

#[test]
fn the_line_coding_of_both_rates_goes_to_the_control_interface() {
    let said = run(async |bridge| {
        bridge.set_line(57_600).await.unwrap();
        bridge.set_line(115_200).await.unwrap();
    });
    assert_eq!(
        said,
        [
            "21 20 0000 0003 00e10000000008",
            "21 22 0003 0003 ",
            "21 20 0000 0003 00c20100000008",
            "21 22 0003 0003 ",
        ]
    );
}

#[test]
fn only_an_exact_multiple_of_the_packet_is_followed_by_a_zero_length_packet() {
    const SOON: Duration = Duration::from_secs(1);
    let said = run(async |bridge| bridge.write(&[0; 63], SOON).await.unwrap());
    assert_eq!(said, ["02 <- 63"]);
    let said = run(async |bridge| bridge.write(&[0; 128], SOON).await.unwrap());
    assert_eq!(said, ["02 <- 128", "02 <- 28", "02 <- 0"]);
}

#[test]
fn a_device_without_a_data_interface_is_not_cdc_acm() {
    let mut info = scribe().info;
    assert!(is_cdc_acm(&info));
    info.interfaces.pop();
    assert!(!is_cdc_acm(&info));
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
        let usb = Dripping(scribe().info, RefCell::default());
        let mut bridge = CdcAcm::open(usb, clock.clone()).unwrap();
        let quiet = Duration::from_millis(400);
        let purged = bridge.purge(quiet, Duration::from_secs(8)).await;
        assert_eq!(purged, Err(UsbError::Timeout));
        assert!(clock.monotonic() < Duration::from_secs(9));
        let did = bridge.transport.1.borrow();
        assert_eq!(*did, ["stalled", "stopped", "cleared"]);
    });
}
