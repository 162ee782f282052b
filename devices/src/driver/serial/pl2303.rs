//! Prolific PL2303: the first parts, HX and its successors, and HXN.
//!
//! All but HXN want a sequence of vendor reads and writes before anything works; HXN
//! knows none of it and has requests of its own. The line itself is CDC's. Counterfeit
//! parts stall the reads; they are named, so that somebody can replace the cable.
//! Called by [`super::Bridge`].

use super::cdc_acm::{
    DTR_RTS, GET_LINE_CODING, SET_CONTROL_LINE_STATE, SET_LINE_CODING, line_coding,
};
use super::wire::{CLASS_INTERFACE_IN, CLASS_INTERFACE_OUT, VENDOR_IN, VENDOR_OUT, Wire};
use crate::transport::{Transport, UsbError};

/// Vendor read and write of all parts but HXN.
const VENDOR: u8 = 0x01;
/// Vendor write of HXN.
const HXN_WRITE: u8 = 0x80;
/// Vendor read of HXN.
const HXN_READ: u8 = 0x81;
/// A register only parts before HXN can read.
const HX_STATUS: u16 = 0x8080;

/// GET_DESCRIPTOR of the device, to see the size of its control packets.
const GET_DESCRIPTOR: (u8, u8) = (0x80, 0x06);
const DEVICE_DESCRIPTOR: u16 = 0x0100;
/// bDeviceClass of the very first parts.
const COMMUNICATION: u8 = 0x02;
/// bMaxPacketSize0 of HX and later.
const HX_PACKET: u8 = 64;

/// Flow control of HXN: register, its bits, and what they are without any.
const HXN_FLOW: u16 = 0x000A;
const HXN_FLOW_MASK: u8 = 0x1C;
const HXN_FLOW_NONE: u8 = 0x1C;
/// Empties the pipes of HXN in both directions.
const HXN_RESET: (u16, u16) = (0x0007, 0x0003);

/// What the part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Legacy,
    Hx,
    Hxn,
}

/// One step of the sequence.
enum Step {
    Read(u16),
    Write(u16, u16),
}

use Step::{Read, Write};

/// Without it the part neither sends nor receives.
const SEQUENCE: [Step; 10] = [
    Read(0x8484),
    Write(0x0404, 0),
    Read(0x8484),
    Read(0x8383),
    Read(0x8484),
    Write(0x0404, 1),
    Read(0x8484),
    Read(0x8383),
    Write(0, 1),
    Write(1, 0),
];

/// The part, once it was set up.
#[derive(Debug, Default)]
pub(super) struct Pl2303 {
    kind: Option<Kind>,
}

impl Pl2303 {
    pub(super) async fn set_line(
        &mut self,
        wire: &Wire<impl Transport>,
        baud: u32,
    ) -> Result<(), UsbError> {
        if self.kind.is_some() {
            return code(wire, baud).await;
        }
        let kind = kind_of(wire).await?;
        if kind != Kind::Hxn {
            begin(wire, kind).await.map_err(named)?;
        }
        code(wire, baud).await?;
        let lines = (CLASS_INTERFACE_OUT, SET_CONTROL_LINE_STATE);
        wire.tell(lines, (DTR_RTS, wire.ends.interface), &[])
            .await?;
        no_flow_control(wire, kind).await.map_err(named)?;
        self.kind = Some(kind);
        Ok(())
    }
}

/// A stalled vendor request is no fault of the cable's seat.
fn named(error: UsbError) -> UsbError {
    match error {
        UsbError::Stall => UsbError::Other(
            "the pl2303 refuses its maker's requests, as counterfeit parts do: \
             use another serial cable"
                .into(),
        ),
        other => other,
    }
}

async fn kind_of(wire: &Wire<impl Transport>) -> Result<Kind, UsbError> {
    if wire.info().class == COMMUNICATION {
        return Ok(Kind::Legacy);
    }
    let device = wire.ask(GET_DESCRIPTOR, (DEVICE_DESCRIPTOR, 0), 18).await?;
    if device.get(7) != Some(&HX_PACKET) {
        return Ok(Kind::Legacy);
    }
    match wire.ask((VENDOR_IN, VENDOR), (HX_STATUS, 0), 1).await {
        Ok(_) => Ok(Kind::Hx),
        Err(UsbError::Stall) => Ok(Kind::Hxn),
        Err(error) => Err(error),
    }
}

async fn begin(wire: &Wire<impl Transport>, kind: Kind) -> Result<(), UsbError> {
    let last = if kind == Kind::Legacy { 0x24 } else { 0x44 };
    for step in SEQUENCE.iter().chain(&[Write(2, last)]) {
        match *step {
            Read(register) => {
                let read = (VENDOR_IN, VENDOR);
                wire.ask(read, (register, 0), 1).await?;
            }
            Write(register, value) => {
                let write = (VENDOR_OUT, VENDOR);
                wire.tell(write, (register, value), &[]).await?;
            }
        }
    }
    Ok(())
}

/// The line coding, unless it is so already: the same one again can drop bytes.
async fn code(wire: &Wire<impl Transport>, baud: u32) -> Result<(), UsbError> {
    let index = wire.ends.interface;
    let wanted = line_coding(baud);
    let ask = (CLASS_INTERFACE_IN, GET_LINE_CODING);
    match wire.ask(ask, (0, index), 7).await {
        Ok(is) if is == wanted => return Ok(()),
        Ok(_) | Err(UsbError::Stall) => {}
        Err(error) => return Err(error),
    }
    let tell = (CLASS_INTERFACE_OUT, SET_LINE_CODING);
    wire.tell(tell, (0, index), &wanted).await
}

/// Flow control off, then both pipes emptied where the part can.
async fn no_flow_control(wire: &Wire<impl Transport>, kind: Kind) -> Result<(), UsbError> {
    if kind == Kind::Hxn {
        let is = wire.ask((VENDOR_IN, HXN_READ), (HXN_FLOW, 0), 1).await?;
        let is = is.first().copied().unwrap_or(0);
        let none = u16::from((is & !HXN_FLOW_MASK) | HXN_FLOW_NONE);
        let write = (VENDOR_OUT, HXN_WRITE);
        wire.tell(write, (HXN_FLOW, none), &[]).await?;
        return wire.tell(write, HXN_RESET, &[]).await;
    }
    let write = (VENDOR_OUT, VENDOR);
    wire.tell(write, (0, 0), &[]).await?;
    if kind == Kind::Hx {
        wire.tell(write, (8, 0), &[]).await?;
        wire.tell(write, (9, 0), &[]).await?;
    }
    Ok(())
}
