//! A device of a USB/IP server as a device of this computer: Linux's `vhci_hcd`.
//!
//! Owns the import handshake and the choice of a port; the kernel takes the connection
//! over and every program here sees an ordinary USB device until the connection ends.
//! Refuses to guess: no module, no permission, no free port each say what to do. Called
//! by `counterfoil-devices attach` and the lab. Blocks, for seconds at most.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::address::Address;
use super::client::HANDSHAKE_WITHIN;
use super::protocol::{BUSID_LEN, DEVICE_LEN, Exported, OP_LEN, Op, ProtocolError, encode_busid};

/// Where the kernel has its virtual host controller.
pub const VHCI: &str = "/sys/devices/platform/vhci_hcd.0";
/// Speed of USB 3, which has ports of its own.
const SPEED_SUPER: u32 = 5;
/// State of a port that nothing is plugged into.
const FREE: &str = "004";

/// Why a device was not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody answers there, or not in time.
    #[error("no usb/ip server answers: is it running, and at this address?")]
    Server(#[source] io::Error),
    /// What answers speaks something else.
    #[error("what answers is no usb/ip server")]
    Protocol(#[source] ProtocolError),
    /// The server said no.
    #[error("the server does not give this device (code {0}): unknown there, or in use")]
    Refused(u32),
    /// The kernel's side cannot be used.
    #[error("the kernel takes no usb/ip device: `modprobe vhci_hcd`, and be root")]
    Kernel(#[source] io::Error),
    /// Every port of this speed is taken.
    #[error("no port of vhci_hcd is free: detach another device first")]
    NoPort,
}

/// Imports `busid` from the server at `address` and plugs it into this computer; the
/// port it is in. The kernel enumerates it a moment later.
pub fn attach(address: &Address, busid: &str, vhci: &Path) -> Result<u32, AttachError> {
    let within = Some(HANDSHAKE_WITHIN);
    match address {
        Address::Tcp(at) => {
            let stream = TcpStream::connect_timeout(at, HANDSHAKE_WITHIN);
            let stream = stream.map_err(AttachError::Server)?;
            let ready = stream.set_nodelay(true);
            let ready = ready.and_then(|()| stream.set_read_timeout(within));
            ready.map_err(AttachError::Server)?;
            plug(&stream, stream.as_raw_fd(), busid, vhci)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path).map_err(AttachError::Server)?;
            let ready = stream.set_read_timeout(within);
            ready.map_err(AttachError::Server)?;
            plug(&stream, stream.as_raw_fd(), busid, vhci)
        }
    }
}

/// Asks for the device and gives the connection to the kernel, which keeps it when
/// ours is closed.
fn plug(
    stream: impl Read + Write,
    fd: RawFd,
    busid: &str,
    vhci: &Path,
) -> Result<u32, AttachError> {
    let device = import(stream, busid)?;
    let status = fs::read_to_string(vhci.join("status")).map_err(AttachError::Kernel)?;
    let port = free_port(&status, device.speed).ok_or(AttachError::NoPort)?;
    let line = format!("{port} {fd} {} {}", device.devid(), device.speed);
    fs::write(vhci.join("attach"), line).map_err(AttachError::Kernel)?;
    Ok(port)
}

/// The handshake before URBs flow.
fn import(mut stream: impl Read + Write, busid: &str) -> Result<Exported, AttachError> {
    if busid.len() >= BUSID_LEN {
        return Err(AttachError::Protocol(ProtocolError::BusId));
    }
    let request = [&Op::RequestImport.encode(0)[..], &encode_busid(busid)].concat();
    stream.write_all(&request).map_err(AttachError::Server)?;
    let mut reply = [0; OP_LEN];
    stream.read_exact(&mut reply).map_err(AttachError::Server)?;
    match Op::decode(&reply).map_err(AttachError::Protocol)? {
        (Op::ReplyImport, 0) => {}
        (Op::ReplyImport, refused) => return Err(AttachError::Refused(refused)),
        _ => return Err(AttachError::Protocol(ProtocolError::Code(0))),
    }
    let mut device = [0; DEVICE_LEN];
    stream
        .read_exact(&mut device)
        .map_err(AttachError::Server)?;
    Exported::decode(&device).map_err(AttachError::Protocol)
}

/// The first free port for a speed. Lines of `status`, after their heading: hub (`hs` or
/// `ss`), port, state, and what is plugged in there.
fn free_port(status: &str, speed: u32) -> Option<u32> {
    let hub = if speed >= SPEED_SUPER { "ss" } else { "hs" };
    status.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (is, port, state) = (words.next()?, words.next()?, words.next()?);
        (is == hub && state == FREE).then(|| port.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;

    /// As Linux 6.1 prints it, ports 1 and 8 in use.
    const STATUS: &str = "\
hub port sta spd dev      sockfd local_busid
hs  0000 006 002 00010001 000003 3-1
hs  0001 004 000 00000000 000000 0-0
ss  0008 006 005 00010002 000004 4-1
ss  0009 004 000 00000000 000000 0-0
";

    #[test]
    fn a_free_port_is_one_of_the_devices_speed() {
        assert_eq!(free_port(STATUS, 2), Some(1));
        assert_eq!(free_port(STATUS, 5), Some(9));
        assert_eq!(free_port("hs  0000 006 002 00010001 000003 3-1", 2), None);
        assert_eq!(free_port("", 2), None);
    }

    /// A server that reads one import request and answers with these bytes, and a
    /// folder that stands for the kernel's.
    fn attached(name: &str, answer: Vec<u8>) -> (Result<u32, AttachError>, String, Vec<u8>) {
        let name = format!("counterfoil-vhci-{name}-{}", std::process::id());
        let folder: PathBuf = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("status"), STATUS).expect("writes");
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).expect("listens");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("connects");
            let mut asked = vec![0; OP_LEN + BUSID_LEN];
            stream.read_exact(&mut asked).expect("asks");
            stream.write_all(&answer).expect("answers");
            asked
        });
        let port = attach(&Address::Unix(socket), "id-reader", &folder);
        let said = fs::read_to_string(folder.join("attach")).unwrap_or_default();
        fs::remove_dir_all(&folder).expect("its own folder");
        (port, said, server.join().expect("ends"))
    }

    #[test]
    fn the_kernel_is_told_port_socket_device_and_speed() {
        // Documentation/usb/usbip_protocol.rst: OP_REP_IMPORT with bus 1, device 7, full
        // speed.
        let mut answer = vec![0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0];
        answer.extend([0; 256]);
        answer.extend(b"id-reader\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        answer.extend([0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2]);
        answer.extend([0x04, 0x00, 0xC3, 0x5A, 1, 0, 0, 0, 0, 1, 1, 1]);
        let (port, said, asked) = attached("told", answer);
        assert_eq!(port.expect("attached"), 1);
        assert_eq!(asked[..8], [0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0]);
        assert_eq!(&asked[8..18], b"id-reader\0");
        let words: Vec<&str> = said.split(' ').collect();
        let [port, fd, device, speed] = words[..] else {
            panic!("{said}");
        };
        assert_eq!((port, device, speed), ("1", "65543", "2"));
        assert!(fd.parse::<RawFd>().expect("a number") > 2, "{said}");
    }

    #[test]
    fn a_refusal_and_nonsense_leave_the_kernel_alone() {
        let refusal = vec![0x01, 0x11, 0x00, 0x03, 0, 0, 0, 1];
        let (port, said, _) = attached("refused", refusal);
        assert!(matches!(port, Err(AttachError::Refused(1))), "{port:?}");
        assert_eq!(said, "");
        let (port, said, _) = attached("nonsense", b"HTTP/1.1 400".to_vec());
        assert!(matches!(port, Err(AttachError::Protocol(_))), "{port:?}");
        assert_eq!(said, "");
        let (port, _, _) = attached("cut", vec![0x01, 0x11]);
        assert!(matches!(port, Err(AttachError::Server(_))), "{port:?}");
    }
}
