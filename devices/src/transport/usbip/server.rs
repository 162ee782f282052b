//! The exporting side: a [`TwinBus`] for whoever connects.
//!
//! One task a connection, one task a pending URB. A transfer ends when its twin
//! has an answer, when it is unlinked, or with the connection, which is the host
//! letting go of the device.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::address::Listener;
use super::protocol::{
    BUSID_LEN, DEVICES_MAX, ECONNRESET, ENODEV, EOVERFLOW, EPIPE, EPROTO, Exported, HEAD_LEN, Head,
    OP_LEN, Op, ProtocolError, decode_busid, decode_setup,
};
use super::{CONNECTIONS_MAX, URBS_MAX};
use crate::transport::descriptor::interface_count;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::transport::{DeviceInfo, Stage, Transport, UsbError};

/// As long as it takes: only an unlink ends a transfer earlier than its twin.
const UNTIL_UNLINKED: Duration = Duration::from_secs(365 * 24 * 3600);
/// Replies waiting for the socket at most.
const REPLIES_MAX: usize = 64;
/// A client that says nothing for so long is no client.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);
/// Time for the last returns after a device was unplugged.
const LAST_RETURNS: Duration = Duration::from_millis(100);
const STATUS_NOT_AVAILABLE: u32 = 1;
const STATUS_BUSY: u32 = 2;
const SPEED_FULL: u32 = 2;

/// Exports every twin of `bus` at `listener` until the future is dropped. Must run
/// in a `LocalSet`.
pub async fn serve(bus: TwinBus, listener: Listener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let stream = listener.next().await;
        while connections.try_join_next().is_some() {}
        if connections.len() < CONNECTIONS_MAX {
            let bus = bus.clone();
            connections.spawn_local(async move {
                if let Err(error) = converse(&bus, stream).await {
                    tracing::debug!(%error, "a usb/ip connection ended");
                }
            });
        }
    }
}

/// One connection from hello to end.
pub(super) async fn converse<S>(bus: &TwinBus, mut stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (op, busid) = timeout(HANDSHAKE_WITHIN, asked(&mut stream)).await??;
    match op {
        Op::RequestList => {
            let devices = exported(bus);
            let count = u32::try_from(devices.len()).unwrap_or(0);
            let mut reply = Op::ReplyList.encode(0).to_vec();
            reply.extend(count.to_be_bytes());
            for device in devices {
                reply.extend(device.encode());
                reply.extend(device.encode_interfaces());
            }
            let told = async {
                stream.write_all(&reply).await?;
                stream.shutdown().await
            };
            timeout(HANDSHAKE_WITHIN, told).await?
        }
        Op::RequestImport => {
            let device = exported(bus).into_iter().find(|d| d.busid == busid);
            let opened = bus.open_now(&busid);
            let refused = match (&opened, &device) {
                (Ok(_), Some(_)) => 0,
                (Err(UsbError::Busy(_)), _) => STATUS_BUSY,
                _ => STATUS_NOT_AVAILABLE,
            };
            stream.write_all(&Op::ReplyImport.encode(refused)).await?;
            let (Ok(transport), Some(device)) = (opened, device) else {
                return stream.shutdown().await;
            };
            stream.write_all(&device.encode()).await?;
            // The device is let go before the stream ends: whoever sees the end
            // may import at once.
            let (mut from, mut to) = tokio::io::split(stream);
            let ended = carry(transport, &mut from, &mut to).await;
            to.shutdown().await.ok();
            ended
        }
        Op::ReplyList | Op::ReplyImport => Err(invalid(ProtocolError::Code(0))),
    }
}

/// What a client wants, and of which device.
async fn asked(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Op, String)> {
    let mut op = [0; OP_LEN];
    stream.read_exact(&mut op).await?;
    let (op, _) = Op::decode(&op).map_err(invalid)?;
    if op != Op::RequestImport {
        return Ok((op, String::new()));
    }
    let mut busid = [0; BUSID_LEN];
    stream.read_exact(&mut busid).await?;
    Ok((op, decode_busid(&busid).map_err(invalid)?))
}

fn exported(bus: &TwinBus) -> Vec<Exported> {
    let devices = bus.list_now().into_iter().take(DEVICES_MAX);
    let numbered = devices.zip(1_u32..);
    numbered
        .map(|(info, number)| export(&info, number))
        .collect()
}

fn export(info: &DeviceInfo, number: u32) -> Exported {
    let first = info.interfaces.iter().filter(|i| i.alternate == 0);
    Exported {
        busid: info.path.clone(),
        bus: 1,
        device: number,
        speed: SPEED_FULL,
        vendor: info.vendor,
        product: info.product,
        release: info.release,
        class: info.class,
        interfaces: first.map(|i| [i.class, i.subclass, i.protocol]).collect(),
        interface_count: interface_count(info),
    }
}

/// A URB that waits for its twin.
struct Pending {
    task: AbortHandle,
    moved: Rc<Cell<usize>>,
}

type Pendings = Rc<RefCell<BTreeMap<u32, Pending>>>;

/// URBs in, returns out, until the client goes or breaks the protocol.
async fn carry(
    transport: TwinTransport,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let transport = Rc::new(transport);
    let pending: Pendings = Rc::default();
    let (replies, mut outgoing) = mpsc::channel::<Vec<u8>>(REPLIES_MAX);
    let writing = async {
        while let Some(reply) = outgoing.recv().await {
            to.write_all(&reply).await?;
        }
        Ok(())
    };
    let mut tasks = JoinSet::new();
    let reading = async {
        loop {
            let mut head = [0; HEAD_LEN];
            match from.read_exact(&mut head).await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                other => other?,
            };
            while tasks.try_join_next().is_some() {}
            let urb = Head::decode(&head).map_err(invalid)?;
            match urb {
                Head::Submit { seq, into, len, .. } => {
                    let mut data = vec![0; if into { 0 } else { len }];
                    from.read_exact(&mut data).await?;
                    if pending.borrow().len() >= URBS_MAX {
                        send(&replies, returned(seq, EPROTO, 0, &[])).await?;
                        continue;
                    }
                    let moved = Rc::new(Cell::new(0));
                    let work = perform(transport.clone(), urb, data, moved.clone());
                    let (pending_of, replies) = (pending.clone(), replies.clone());
                    let task = tasks.spawn_local(async move {
                        let reply = work.await;
                        pending_of.borrow_mut().remove(&seq);
                        // From here on nobody can unlink it any more.
                        drop(replies.send(reply).await);
                    });
                    pending.borrow_mut().insert(seq, Pending { task, moved });
                }
                Head::Unlink { seq, victim, .. } => {
                    let taken = pending.borrow_mut().remove(&victim);
                    for reply in unlink(seq, victim, taken) {
                        send(&replies, reply).await?;
                    }
                }
                Head::Returned { .. } | Head::Unlinked { .. } => {
                    return Err(invalid(ProtocolError::Code(3)));
                }
            }
        }
    };
    // A pulled cable ends the connection, which is how the far side learns of it;
    // what was pending gets a moment to be returned.
    let pulled = async {
        transport.gone().await;
        tokio::time::sleep(LAST_RETURNS).await;
        Ok(())
    };
    let ended = tokio::select! {
        ended = reading => ended,
        failed = writing => failed,
        ended = pulled => ended,
    };
    // Every task holds the device; it is let go only when they are all gone.
    tasks.shutdown().await;
    ended
}

/// Answers to an unlink. Linux has no count in them: bytes that moved are told by
/// returning the URB first, which the protocol allows at any time.
fn unlink(seq: u32, victim: u32, taken: Option<Pending>) -> Vec<Vec<u8>> {
    let Some(Pending { task, moved }) = taken else {
        return vec![Head::Unlinked { seq, status: 0 }.encode()];
    };
    task.abort();
    match moved.get() {
        0 => vec![
            Head::Unlinked {
                seq,
                status: ECONNRESET,
            }
            .encode(),
        ],
        count => vec![
            returned(victim, ECONNRESET, count, &[]),
            Head::Unlinked { seq, status: 0 }.encode(),
        ],
    }
}

/// Does one transfer and makes its return.
async fn perform(
    transport: Rc<TwinTransport>,
    urb: Head,
    data: Vec<u8>,
    moved: Rc<Cell<usize>>,
) -> Vec<u8> {
    let Head::Submit {
        seq,
        into,
        endpoint,
        len,
        setup,
        ..
    } = urb
    else {
        return Vec::new();
    };
    let done = match (endpoint, into) {
        (0, _) => {
            let (setup, asked) = decode_setup(setup);
            let asked = usize::from(asked).min(len);
            let stage = if into {
                Stage::In(u16::try_from(asked).unwrap_or(u16::MAX))
            } else {
                Stage::Out(&data)
            };
            transport.control(setup, stage, UNTIL_UNLINKED).await
        }
        (endpoint, true) => {
            let read = transport.read(endpoint | 0x80, len, UNTIL_UNLINKED).await;
            read.map(|transfer| transfer.bytes)
        }
        (endpoint, false) => {
            let write = transport.write_counting(endpoint, &data, UNTIL_UNLINKED, &moved);
            write.await.map(|()| Vec::new())
        }
    };
    match done {
        Ok(bytes) if into => returned(seq, 0, bytes.len(), &bytes),
        Ok(_) => returned(seq, 0, data.len(), &[]),
        Err(error) => returned(seq, errno(&error), moved.get(), &[]),
    }
}

fn returned(seq: u32, status: i32, actual: usize, data: &[u8]) -> Vec<u8> {
    let mut reply = Head::Returned {
        seq,
        status,
        actual,
    }
    .encode();
    reply.extend_from_slice(data);
    reply
}

fn errno(error: &UsbError) -> i32 {
    match error {
        UsbError::Stall => EPIPE,
        UsbError::NoDevice => ENODEV,
        UsbError::Overflow => EOVERFLOW,
        UsbError::Timeout => ECONNRESET,
        UsbError::Busy(_) | UsbError::Access(_) | UsbError::Other(_) => EPROTO,
    }
}

async fn send(replies: &mpsc::Sender<Vec<u8>>, reply: Vec<u8>) -> io::Result<()> {
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    replies.send(reply).await.map_err(gone)
}

fn invalid(error: ProtocolError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
