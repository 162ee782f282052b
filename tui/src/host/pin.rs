//! The PIN desk: a count and an opaque block, never a digit (I7).

use std::rc::Rc;

use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::pin_pad::{PinEvent, PinPad as _, PinPadError, UsbPinPad};
use counterfoil_devices::transport::Transport;

use super::{After, SLICE, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk, Sealing};
use crate::flow::event::Answer;

/// Digits of a PIN.
const PIN_DIGITS: u8 = 6;

/// The PIN pad.
pub(super) struct PinDesk<T: Transport>(UsbPinPad<T>);

impl<T: Transport> PinDesk<T> {
    async fn entry(&mut self, sealing: Sealing, say: &Say) -> Result<(), PinPadError> {
        let pad = &mut self.0;
        pad.begin(sealing.binding, sealing.key, PIN_DIGITS).await?;
        loop {
            if say.is_stale() {
                return pad.abort().await;
            }
            match pad.next(SLICE).await? {
                PinEvent::Digits(digits) => say.answer(Answer::PinDigits(digits)).await,
                PinEvent::Done(pin) => {
                    say.answer(Answer::PinDone(pin)).await;
                    return Ok(());
                }
                PinEvent::Cancelled => {
                    say.answer(Answer::PinCancelled).await;
                    return Ok(());
                }
                PinEvent::TimedOut => {}
            }
        }
    }
}

impl<T: Transport> Worker<T> for PinDesk<T> {
    const ROLE: Role = Role::PinPad;
    const DESK: Desk = Desk::PinPad;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let pad = UsbPinPad::open(transport, tools.clock.clone()).await;
        pad.map(Self).map_err(|error| error.to_string())
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let Act::StartPin(sealing) = act else {
            return After::Fine;
        };
        match self.entry(sealing, say).await {
            Ok(()) => After::Fine,
            Err(error) => {
                tracing::warn!(%error, "pin pad fenced");
                After::Lost(error.remedy())
            }
        }
    }
}
