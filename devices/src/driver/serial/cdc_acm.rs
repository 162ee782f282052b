//! CDC-ACM (CDC PSTN 1.2 §6.3): CH9102/CH343 and boards of module makers.
//!
//! Owns the line coding, which other families borrow. Called by [`super::Bridge`].

use super::wire::{CLASS_INTERFACE_OUT, Ends, Wire};
use crate::transport::{DeviceInfo, Transport, UsbError};

/// SET_LINE_CODING.
pub(super) const SET_LINE_CODING: u8 = 0x20;
/// GET_LINE_CODING.
pub(super) const GET_LINE_CODING: u8 = 0x21;
/// SET_CONTROL_LINE_STATE.
pub(super) const SET_CONTROL_LINE_STATE: u8 = 0x22;
/// DTR and RTS on.
pub(super) const DTR_RTS: u16 = 3;

/// SET_LINE_CODING data for 8N1.
pub(super) fn line_coding(baud: u32) -> [u8; 7] {
    let [b0, b1, b2, b3] = baud.to_le_bytes();
    [b0, b1, b2, b3, 0, 0, 8]
}

/// Data at the data interface, requests to the control interface.
pub(super) fn ends(info: &DeviceInfo) -> Option<Ends> {
    let mut all = info.interfaces.iter();
    let control = all.find(|i| (i.class, i.subclass) == (0x02, 0x02))?;
    let mut all = info.interfaces.iter();
    let data = all.find(|i| i.class == 0x0A && !i.endpoints.is_empty())?;
    Some(Ends {
        interface: u16::from(control.number),
        ..Ends::of(data)?
    })
}

/// Nothing to remember: every set-up is whole.
#[derive(Debug)]
pub(super) struct CdcAcm;

impl CdcAcm {
    pub(super) async fn set_line(
        &mut self,
        wire: &Wire<impl Transport>,
        baud: u32,
    ) -> Result<(), UsbError> {
        let index = wire.ends.interface;
        let coding = (CLASS_INTERFACE_OUT, SET_LINE_CODING);
        wire.tell(coding, (0, index), &line_coding(baud)).await?;
        let lines = (CLASS_INTERFACE_OUT, SET_CONTROL_LINE_STATE);
        wire.tell(lines, (DTR_RTS, index), &[]).await
    }
}
