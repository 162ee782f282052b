//! The importing side: devices of a USB/IP server as a [`Bus`], in user space.
//!
//! Owns one connection an opened device. A transfer that runs out of time is
//! unlinked, and what had moved by then is returned. Refuses to guess after a
//! broken connection: everything pending ends with [`UsbError::NoDevice`].

mod link;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::link::{Link, Request};
use super::address::Connect;
use super::protocol::{
    BUSID_LEN, DEVICE_LEN, DEVICES_MAX, ECONNRESET, ENODEV, EOVERFLOW, EPIPE, Exported, OP_LEN, Op,
    ProtocolError, encode_busid, encode_setup,
};
use crate::transport::descriptor::{
    CONFIGURATION_MAX, parse_configuration, parse_device, string_text,
};
use crate::transport::{
    Bus, DeviceInfo, InterfaceInfo, Setup, Stage, Transfer, Transport, UsbError,
};

/// Longest wait for the server's answer before URBs flow.
pub const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// Longest wait for one standard request while a device is opened.
const DESCRIPTOR_WITHIN: Duration = Duration::from_secs(2);
/// How long opening waits for a device that another connection just lets go of.
const BUSY_TRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(25);
const STATUS_BUSY: u32 = 2;
const ENGLISH: u16 = 0x0409;

/// A USB/IP server as a bus. Must be used in a `LocalSet`.
pub struct UsbIpBus<C: Connect> {
    connect: C,
    clock: SharedClock,
    /// Descriptors seen before, by bus id: listing must not open a busy device.
    known: RefCell<BTreeMap<String, DeviceInfo>>,
}

impl<C: Connect> UsbIpBus<C> {
    /// The server behind `connect`.
    pub fn new(connect: C, clock: SharedClock) -> Self {
        Self {
            connect,
            clock,
            known: RefCell::default(),
        }
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, UsbError> {
        tokio::select! {
            biased;
            done = work => done.map_err(|error| UsbError::Other(error.to_string())),
            () = self.clock.sleep(limit) => Err(UsbError::Timeout),
        }
    }

    async fn exported(&self) -> io::Result<Vec<Exported>> {
        let mut stream = self.connect.connect().await?;
        stream.write_all(&Op::RequestList.encode(0)).await?;
        expect_reply(&mut stream, Op::ReplyList).await?;
        let count = stream.read_u32().await?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > DEVICES_MAX {
            return Err(invalid(ProtocolError::TooLong(count)));
        }
        let mut devices = Vec::with_capacity(count);
        for _ in 0..count {
            let mut device = read_device(&mut stream).await?;
            for _ in 0..device.interface_count {
                let mut interface = [0; 4];
                stream.read_exact(&mut interface).await?;
                let [class, subclass, protocol, _] = interface;
                device.interfaces.push([class, subclass, protocol]);
            }
            devices.push(device);
        }
        Ok(devices)
    }

    async fn import(&self, busid: &str) -> io::Result<Result<(C::Stream, Exported), u32>> {
        let mut stream = self.connect.connect().await?;
        let request = [&Op::RequestImport.encode(0)[..], &encode_busid(busid)].concat();
        stream.write_all(&request).await?;
        match expect_reply(&mut stream, Op::ReplyImport).await? {
            0 => {
                let device = read_device(&mut stream).await?;
                Ok(Ok((stream, device)))
            }
            refused => Ok(Err(refused)),
        }
    }

    async fn open_described(&self, path: &str) -> Result<UsbIpTransport, UsbError> {
        if path.len() >= BUSID_LEN {
            return Err(UsbError::NoDevice);
        }
        let (stream, device) = self
            .within(HANDSHAKE_WITHIN, self.import(path))
            .await?
            .map_err(|refused| match refused {
                STATUS_BUSY => UsbError::Busy("another client of the usb/ip server".into()),
                _ => UsbError::NoDevice,
            })?;
        let mut transport = UsbIpTransport {
            link: Link::start(stream, device.devid(), self.clock.clone()),
            info: described_by_list(&device),
        };
        transport.info = transport.describe(path).await?;
        self.known
            .borrow_mut()
            .insert(path.to_owned(), transport.info.clone());
        Ok(transport)
    }
}

impl<C: Connect> Bus for UsbIpBus<C> {
    type Transport = UsbIpTransport;

    /// Devices never seen before are opened for a moment to read their
    /// descriptors; one that is busy is listed with its interfaces' classes only.
    async fn list(&self) -> Result<Vec<DeviceInfo>, UsbError> {
        let mut all = Vec::new();
        for device in self.within(HANDSHAKE_WITHIN, self.exported()).await? {
            let known = self.known.borrow().get(&device.busid).cloned();
            let same =
                |info: &DeviceInfo| (info.vendor, info.product) == (device.vendor, device.product);
            if let Some(info) = known.filter(same) {
                all.push(info);
                continue;
            }
            all.push(match self.open_described(&device.busid).await {
                Ok(transport) => transport.into_info().await,
                Err(_) => described_by_list(&device),
            });
        }
        Ok(all)
    }

    async fn present(&self, path: &str) -> Result<bool, UsbError> {
        let all = self.within(HANDSHAKE_WITHIN, self.exported()).await?;
        Ok(all.iter().any(|device| device.busid == path))
    }

    async fn open(&self, path: &str) -> Result<UsbIpTransport, UsbError> {
        for _ in 0..BUSY_TRIES {
            match self.open_described(path).await {
                Err(UsbError::Busy(_)) => self.clock.sleep(BUSY_PAUSE).await,
                other => return other,
            }
        }
        self.open_described(path).await
    }
}

/// An imported device.
pub struct UsbIpTransport {
    link: Link,
    info: DeviceInfo,
}

impl UsbIpTransport {
    async fn into_info(self) -> DeviceInfo {
        let info = self.info;
        self.link.close().await;
        info
    }

    /// Descriptors and texts, as a host enumerates a device.
    async fn describe(&self, path: &str) -> Result<DeviceInfo, UsbError> {
        let bad = |error: &dyn std::fmt::Display| UsbError::Other(error.to_string());
        let device = self.descriptor(0x0100, 0, 18).await?;
        let (mut info, [maker, name, serial]) = parse_device(&device).map_err(|e| bad(&e))?;
        let configuration = u16::try_from(CONFIGURATION_MAX).unwrap_or(u16::MAX);
        let configuration = self.descriptor(0x0200, 0, configuration).await?;
        info.interfaces = parse_configuration(&configuration).map_err(|e| bad(&e))?;
        // bConfigurationValue: what a device calls its first configuration.
        let value = configuration.get(5).copied().unwrap_or(1);
        path.clone_into(&mut info.path);
        info.manufacturer = self.text(maker).await;
        info.name = self.text(name).await;
        info.serial = self.text(serial).await;
        let select = Setup {
            request_type: 0x00,
            request: 9,
            value: u16::from(value),
            index: 0,
        };
        self.control(select, Stage::Out(&[]), DESCRIPTOR_WITHIN)
            .await?;
        Ok(info)
    }

    async fn descriptor(&self, value: u16, index: u16, len: u16) -> Result<Vec<u8>, UsbError> {
        let setup = Setup {
            request_type: 0x80,
            request: 6,
            value,
            index,
        };
        self.control(setup, Stage::In(len), DESCRIPTOR_WITHIN).await
    }

    async fn text(&self, index: u8) -> String {
        if index == 0 {
            return String::new();
        }
        let bytes = self
            .descriptor(0x0300 | u16::from(index), ENGLISH, 255)
            .await;
        bytes.ok().and_then(|b| string_text(&b)).unwrap_or_default()
    }

    async fn without_data(&self, setup: Setup) -> Result<(), UsbError> {
        self.control(setup, Stage::Out(&[]), DESCRIPTOR_WITHIN)
            .await
            .map(drop)
    }
}

impl Transport for UsbIpTransport {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    async fn control(
        &self,
        setup: Setup,
        stage: Stage<'_>,
        within: Duration,
    ) -> Result<Vec<u8>, UsbError> {
        let (into, out, len) = match stage {
            Stage::In(len) => (true, &[][..], len),
            Stage::Out(bytes) => (false, bytes, u16::try_from(bytes.len()).unwrap_or(u16::MAX)),
        };
        let request = Request {
            endpoint: 0,
            into,
            len: usize::from(len),
            out,
            setup: encode_setup(setup, len),
        };
        let done = self.link.transfer(request, within).await?;
        judged(done.status).map(|()| done.data)
    }

    async fn write(&self, endpoint: u8, bytes: &[u8], within: Duration) -> Result<usize, UsbError> {
        let request = Request {
            endpoint: endpoint & 0x0f,
            into: false,
            len: bytes.len(),
            out: bytes,
            setup: [0; 8],
        };
        let done = self.link.transfer(request, within).await?;
        match judged(done.status) {
            Err(UsbError::Timeout) if done.actual > 0 => Ok(done.actual),
            other => other.map(|()| done.actual),
        }
    }

    async fn read(&self, endpoint: u8, max: usize, within: Duration) -> Result<Transfer, UsbError> {
        if let Some(kept) = self.link.kept(endpoint & 0x0f, max) {
            return Ok(kept);
        }
        let request = Request {
            endpoint: endpoint & 0x0f,
            into: true,
            len: max,
            out: &[],
            setup: [0; 8],
        };
        let done = self.link.transfer(request, within).await?;
        match judged(done.status) {
            Err(UsbError::Timeout) if done.actual > 0 => {}
            other => other?,
        }
        Ok(Transfer {
            short: done.data.len() < max,
            bytes: done.data,
        })
    }

    async fn stop_in(&self, endpoint: u8) -> Result<(), UsbError> {
        self.link.stop_in(endpoint & 0x0f).await
    }

    async fn clear_halt(&self, endpoint: u8) -> Result<(), UsbError> {
        if endpoint & 0x80 != 0 && self.link.is_posted(endpoint & 0x0f) {
            return Err(UsbError::read_posted());
        }
        self.without_data(Setup::clear_halt(endpoint)).await
    }

    async fn set_alternate(&self, interface: u8, alternate: u8) -> Result<(), UsbError> {
        let known = |i: &InterfaceInfo| i.number == interface && i.alternate == alternate;
        if !self.info.interfaces.iter().any(known) {
            return Err(UsbError::Stall);
        }
        self.without_data(Setup::set_alternate(interface, alternate))
            .await
    }
}

fn judged(status: i32) -> Result<(), UsbError> {
    match status {
        0 => Ok(()),
        EPIPE => Err(UsbError::Stall),
        ENODEV => Err(UsbError::NoDevice),
        EOVERFLOW => Err(UsbError::Overflow),
        ECONNRESET => Err(UsbError::Timeout),
        // -ESHUTDOWN, -ENOENT: a Linux server whose device went away.
        -108 | -2 => Err(UsbError::NoDevice),
        other => Err(UsbError::Other(format!("usb/ip status {other}"))),
    }
}

fn described_by_list(device: &Exported) -> DeviceInfo {
    let interfaces = device.interfaces.iter().zip(0_u8..);
    let interfaces = interfaces.map(|(&[class, subclass, protocol], number)| InterfaceInfo {
        number,
        alternate: 0,
        class,
        subclass,
        protocol,
        endpoints: Vec::new(),
        extra: Vec::new(),
    });
    DeviceInfo {
        path: device.busid.clone(),
        vendor: device.vendor,
        product: device.product,
        release: device.release,
        class: device.class,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces: interfaces.collect(),
    }
}

async fn expect_reply<S>(stream: &mut S, expected: Op) -> io::Result<u32>
where
    S: tokio::io::AsyncRead + Unpin,
{
    let mut head = [0; OP_LEN];
    stream.read_exact(&mut head).await?;
    match Op::decode(&head).map_err(invalid)? {
        (op, status) if op == expected => Ok(status),
        (_, status) => Err(invalid(ProtocolError::Code(status))),
    }
}

async fn read_device<S>(stream: &mut S) -> io::Result<Exported>
where
    S: tokio::io::AsyncRead + Unpin,
{
    let mut device = [0; DEVICE_LEN];
    stream.read_exact(&mut device).await?;
    Exported::decode(&device).map_err(invalid)
}

fn invalid(error: ProtocolError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
