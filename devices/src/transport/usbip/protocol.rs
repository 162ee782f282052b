//! The USB/IP messages, sans-I/O (Linux `Documentation/usb/usbip_protocol.rst`,
//! version 1.1.1). All numbers are big-endian except the SETUP packet.

use crate::transport::{Setup, TRANSFER_MAX};

/// Protocol version 1.1.1.
pub const VERSION: u16 = 0x0111;
/// Devices in one list at most.
pub const DEVICES_MAX: usize = 128;
/// Bytes before every operation's body.
pub const OP_LEN: usize = 8;
/// Bytes of a bus id.
pub const BUSID_LEN: usize = 32;
/// Bytes of an exported device without its interfaces.
pub const DEVICE_LEN: usize = 312;
/// Bytes of every URB message's head.
pub const HEAD_LEN: usize = 48;
const PATH_LEN: usize = 256;

/// `-EPIPE`: stalled.
pub const EPIPE: i32 = -32;
/// `-ENODEV`: gone.
pub const ENODEV: i32 = -19;
/// `-EPROTO`: anything else on the bus.
pub const EPROTO: i32 = -71;
/// `-EOVERFLOW`: more came than fits.
pub const EOVERFLOW: i32 = -75;
/// `-ECONNRESET`: unlinked before it was done.
pub const ECONNRESET: i32 = -104;

/// Bytes that break the protocol; the connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// Another protocol version.
    #[error("usb/ip version {0:04x} is not spoken here")]
    Version(u16),
    /// A code nobody asked for.
    #[error("usb/ip code {0:#x} is not expected here")]
    Code(u32),
    /// A length beyond the limits.
    #[error("usb/ip message of {0} bytes is longer than accepted")]
    TooLong(usize),
    /// Isochronous transfers are not spoken.
    #[error("isochronous transfers are not supported")]
    Isochronous,
    /// A name that is not text.
    #[error("usb/ip bus id is malformed")]
    BusId,
    /// A field of text that no zero ends: the sender cut it, or fills its fields otherwise.
    #[error("usb/ip field of {0} bytes has no zero at its end: name the device in fewer bytes")]
    Unterminated(usize),
}

/// An operation before URBs flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Which devices are there?
    RequestList,
    /// A list follows.
    ReplyList,
    /// Let me have this one; a bus id follows.
    RequestImport,
    /// Yes (a device follows) or no.
    ReplyImport,
}

impl Op {
    fn code(self) -> u16 {
        match self {
            Self::RequestList => 0x8005,
            Self::ReplyList => 0x0005,
            Self::RequestImport => 0x8003,
            Self::ReplyImport => 0x0003,
        }
    }

    /// The eight bytes; `status` is 0 in requests and on success.
    pub fn encode(self, status: u32) -> [u8; OP_LEN] {
        let [v0, v1] = VERSION.to_be_bytes();
        let [c0, c1] = self.code().to_be_bytes();
        let [s0, s1, s2, s3] = status.to_be_bytes();
        [v0, v1, c0, c1, s0, s1, s2, s3]
    }

    /// The operation and its status.
    pub fn decode(bytes: &[u8; OP_LEN]) -> Result<(Self, u32), ProtocolError> {
        let [v0, v1, c0, c1, status @ ..] = *bytes;
        let version = u16::from_be_bytes([v0, v1]);
        if version != VERSION {
            return Err(ProtocolError::Version(version));
        }
        let code = u16::from_be_bytes([c0, c1]);
        let known = [
            Self::RequestList,
            Self::ReplyList,
            Self::RequestImport,
            Self::ReplyImport,
        ];
        let op = known.into_iter().find(|op| op.code() == code);
        let op = op.ok_or(ProtocolError::Code(code.into()))?;
        Ok((op, u32::from_be_bytes(status)))
    }
}

/// A device as lists and import replies describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Name to import it by, at most 31 bytes.
    pub busid: String,
    /// Bus number; with `device` it names the device in every URB.
    pub bus: u32,
    /// Device number.
    pub device: u32,
    /// Speed: 1 low, 2 full, 3 high.
    pub speed: u32,
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice.
    pub release: u16,
    /// bDeviceClass.
    pub class: u8,
    /// Class, subclass and protocol of each interface; only in lists.
    pub interfaces: Vec<[u8; 3]>,
    /// bNumInterfaces.
    pub interface_count: u8,
}

impl Exported {
    /// `devid` of its URBs.
    pub fn devid(&self) -> u32 {
        (self.bus << 16) | (self.device & 0xffff)
    }

    /// The 312 bytes; in lists the interfaces follow ([`Exported::encode_interfaces`]).
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = padded(&format!("/sys/devices/twins/{}", self.busid), PATH_LEN);
        bytes.extend(padded(&self.busid, BUSID_LEN));
        for word in [self.bus, self.device, self.speed] {
            bytes.extend(word.to_be_bytes());
        }
        for half in [self.vendor, self.product, self.release] {
            bytes.extend(half.to_be_bytes());
        }
        // Subclass, protocol, active configuration, configurations.
        bytes.extend([self.class, 0, 0, 1, 1, self.interface_count]);
        bytes
    }

    /// Four bytes for each interface.
    pub fn encode_interfaces(&self) -> Vec<u8> {
        let each = |[class, subclass, protocol]: &[u8; 3]| [*class, *subclass, *protocol, 0];
        self.interfaces.iter().flat_map(each).collect()
    }

    /// Out of the 312 bytes; `interfaces` stays empty. The path on the server is checked
    /// and not kept: nobody here has a use for it.
    pub fn decode(bytes: &[u8; DEVICE_LEN]) -> Result<Self, ProtocolError> {
        let (path, rest) = bytes
            .split_at_checked(PATH_LEN)
            .ok_or(ProtocolError::BusId)?;
        text(path)?;
        let (busid, rest) = rest
            .split_at_checked(BUSID_LEN)
            .ok_or(ProtocolError::BusId)?;
        let mut words = rest
            .chunks_exact(4)
            .filter_map(|w| <[u8; 4]>::try_from(w).ok());
        let mut word = || words.next().map_or(0, u32::from_be_bytes);
        let (bus, device, speed) = (word(), word(), word());
        let (ids, tail) = (word(), word());
        let last = word();
        let [v0, v1, p0, p1] = ids.to_be_bytes();
        let [r0, r1, class, _] = tail.to_be_bytes();
        let [.., interface_count] = last.to_be_bytes();
        Ok(Self {
            busid: text(busid)?,
            bus,
            device,
            speed,
            vendor: u16::from_be_bytes([v0, v1]),
            product: u16::from_be_bytes([p0, p1]),
            release: u16::from_be_bytes([r0, r1]),
            class,
            interfaces: Vec::new(),
            interface_count,
        })
    }
}

/// A bus id padded for an import request.
pub fn encode_busid(busid: &str) -> Vec<u8> {
    padded(busid, BUSID_LEN)
}

/// The bus id of an import request.
pub fn decode_busid(bytes: &[u8; BUSID_LEN]) -> Result<String, ProtocolError> {
    text(bytes)
}

/// One URB message's head; OUT data of a submit and IN data of its return follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Do this transfer.
    Submit {
        /// Number of the URB on this connection.
        seq: u32,
        /// Which device.
        devid: u32,
        /// Device to host.
        into: bool,
        /// Endpoint number without direction.
        endpoint: u8,
        /// transfer_flags, as Linux has them; 0x200 marks IN.
        flags: u32,
        /// Bytes to send or to accept at most.
        len: usize,
        /// bInterval of an interrupt endpoint.
        interval: u32,
        /// SETUP of a control transfer, else zeros.
        setup: [u8; 8],
    },
    /// Done, or failed with a negative errno.
    Returned {
        /// Which URB.
        seq: u32,
        /// 0 or a negative errno.
        status: i32,
        /// Bytes moved.
        actual: usize,
    },
    /// Take a submitted URB back.
    Unlink {
        /// Number of this message.
        seq: u32,
        /// Which device.
        devid: u32,
        /// The URB to take back.
        victim: u32,
    },
    /// It was taken back ([`ECONNRESET`]) or was already done (0).
    Unlinked {
        /// Number of the unlink message.
        seq: u32,
        /// What became of it.
        status: i32,
    },
}

impl Head {
    /// The 48 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_LEN);
        let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        match *self {
            Self::Submit {
                seq,
                devid,
                into,
                endpoint,
                flags,
                len,
                interval,
                setup,
            } => {
                let head = [
                    1,
                    seq,
                    devid,
                    u32::from(into),
                    u32::from(endpoint),
                    flags,
                    size(len),
                ];
                push(&mut bytes, &head);
                // start_frame, number_of_packets: as Linux sends them for others than isochronous.
                push(&mut bytes, &[0, 0, interval]);
                bytes.extend(setup);
            }
            Self::Returned {
                seq,
                status,
                actual,
            } => {
                push(&mut bytes, &[3, seq, 0, 0, 0]);
                bytes.extend(status.to_be_bytes());
                push(&mut bytes, &[size(actual), 0, 0]);
            }
            Self::Unlink { seq, devid, victim } => push(&mut bytes, &[2, seq, devid, 0, 0, victim]),
            Self::Unlinked { seq, status } => {
                push(&mut bytes, &[4, seq, 0, 0, 0]);
                bytes.extend(status.to_be_bytes());
            }
        }
        bytes.resize(HEAD_LEN, 0);
        bytes
    }

    /// Out of the 48 bytes.
    pub fn decode(bytes: &[u8; HEAD_LEN]) -> Result<Self, ProtocolError> {
        let mut words = bytes
            .chunks_exact(4)
            .filter_map(|w| <[u8; 4]>::try_from(w).ok());
        let mut word = || words.next().map_or(0, u32::from_be_bytes);
        let (command, seq, devid, direction, endpoint) = (word(), word(), word(), word(), word());
        let (a, b, _start_frame, packets, interval) = (word(), word(), word(), word(), word());
        let isochronous = packets != 0 && packets != u32::MAX;
        match command {
            1 if isochronous => Err(ProtocolError::Isochronous),
            1 => Ok(Self::Submit {
                seq,
                devid,
                into: direction == 1,
                endpoint: u8::try_from(endpoint).ok().filter(|e| *e < 16).ok_or(
                    // An endpoint no device can have.
                    ProtocolError::Code(endpoint),
                )?,
                flags: a,
                len: bounded(b)?,
                interval,
                setup: bytes.last_chunk::<8>().copied().unwrap_or_default(),
            }),
            2 => Ok(Self::Unlink {
                seq,
                devid,
                victim: a,
            }),
            3 => Ok(Self::Returned {
                seq,
                status: signed(a),
                actual: bounded(b)?,
            }),
            4 => Ok(Self::Unlinked {
                seq,
                status: signed(a),
            }),
            other => Err(ProtocolError::Code(other)),
        }
    }
}

/// A SETUP packet as on the wire.
pub fn encode_setup(setup: Setup, len: u16) -> [u8; 8] {
    let [v0, v1] = setup.value.to_le_bytes();
    let [i0, i1] = setup.index.to_le_bytes();
    let [l0, l1] = len.to_le_bytes();
    [setup.request_type, setup.request, v0, v1, i0, i1, l0, l1]
}

/// A SETUP packet and its wLength.
pub fn decode_setup(bytes: [u8; 8]) -> (Setup, u16) {
    let [request_type, request, v0, v1, i0, i1, l0, l1] = bytes;
    let setup = Setup {
        request_type,
        request,
        value: u16::from_le_bytes([v0, v1]),
        index: u16::from_le_bytes([i0, i1]),
    };
    (setup, u16::from_le_bytes([l0, l1]))
}

fn push(bytes: &mut Vec<u8>, words: &[u32]) {
    bytes.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

fn bounded(len: u32) -> Result<usize, ProtocolError> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    if len > TRANSFER_MAX {
        return Err(ProtocolError::TooLong(len));
    }
    Ok(len)
}

fn signed(word: u32) -> i32 {
    i32::from_be_bytes(word.to_be_bytes())
}

fn padded(text: &str, len: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().take(len.saturating_sub(1)).collect();
    bytes.resize(len, 0);
    bytes
}

/// The text of a field, which a zero ends (the kernel's and usbip-utils' are C strings).
fn text(bytes: &[u8]) -> Result<String, ProtocolError> {
    let end = bytes.iter().position(|b| *b == 0);
    let end = end.ok_or(ProtocolError::Unterminated(bytes.len()))?;
    let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default());
    text.map(str::to_owned).map_err(|_| ProtocolError::BusId)
}

#[cfg(test)]
mod tests;
