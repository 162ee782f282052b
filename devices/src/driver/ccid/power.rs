//! Powering a card: voltages, answer to reset, protocol and its parameters.
//!
//! Owns what ISO 7816-3 §6 and §9 leave to the interface device where the reader
//! does not do it itself. Refuses cards of which neither reader nor host speaks a
//! protocol. Called by the card read and the kiosk's host.

use std::time::Duration;

use super::atr::{Atr, Protocol, bit_rate};
use super::descriptor::Exchange;
use super::exchange::EXTENDED_MAX;
use super::message::Command;
use super::pps::Pps;
use super::t1::block::{INF_MAX, Sum};
use super::t1::{Engine, Step};
use super::{ANSWER_WITHIN, CcidError, Reader};
use crate::transport::Transport;

/// bPowerSelect, and the bVoltageSupport bit that must be there for it. 5 V first:
/// an old class A card stays mute at less.
const VOLTAGES: [(u8, u8); 3] = [(1, 1), (2, 2), (3, 4)];
/// bPowerSelect: the reader chooses.
const AUTOMATIC: u8 = 0;
/// bError: offset of bPowerSelect.
const BAD_POWER_SELECT: u8 = 7;
/// A card is without power for so long between two classes (ISO 7816-3 §6.2.1).
const UNPOWERED: Duration = Duration::from_millis(10);
/// Largest IFSD: INF_MAX as T=1 has it.
const IFSD_MAX: u32 = 254;

/// What a powered card speaks.
pub(super) struct Link {
    pub(super) protocol: Protocol,
    /// Where the host speaks T=1 itself.
    pub(super) t1: Option<Engine>,
    /// What one exchange may take.
    pub(super) patience: Duration,
}

impl<T: Transport> Reader<T> {
    /// Powers the card and reads its answer to reset; agrees protocol, rate, block
    /// size and parameters where the reader does not do that itself. Where the
    /// reader chooses no voltage, or refuses to choose one, each it has is tried.
    pub async fn power_on(&mut self, within: Duration) -> Result<Atr, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let atr = self.activate(deadline).await?;
        match self.agree(&atr, deadline, true).await {
            // A card that answers no PPS as the standard says is left at its default.
            Err(CcidError::Pps) => {
                let atr = self.activate(deadline).await?;
                self.agree(&atr, deadline, false).await?;
                Ok(atr)
            }
            agreed => agreed.map(|()| atr),
        }
    }

    /// Takes the power off the card.
    pub async fn power_off(&mut self) -> Result<(), CcidError> {
        self.unpower(ANSWER_WITHIN).await
    }

    async fn unpower(&mut self, within: Duration) -> Result<(), CcidError> {
        self.link = None;
        match self.command(&Command::PowerOff, within).await {
            Ok(_) | Err(CcidError::Absent) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn left(&self, deadline: Duration) -> Duration {
        deadline.saturating_sub(self.clock.monotonic())
    }

    async fn activate(&mut self, deadline: Duration) -> Result<Atr, CcidError> {
        self.link = None;
        let functional = self.layout.functional;
        let mut last = CcidError::Mute;
        if functional.chooses_voltage() {
            match self.cold_reset(AUTOMATIC, deadline).await {
                Err(CcidError::Refused { code, .. }) if code == BAD_POWER_SELECT => {}
                other => return other,
            }
        }
        let mut tried = false;
        for (select, bit) in VOLTAGES {
            // A reader that names no voltage at all is given 5 V.
            let named = functional.voltages & 7;
            if named & bit == 0 && (named, select) != (0, 1) {
                continue;
            }
            if tried {
                self.unpower(self.left(deadline).min(ANSWER_WITHIN)).await?;
                self.clock.sleep(UNPOWERED).await;
            }
            tried = true;
            match self.cold_reset(select, deadline).await {
                Err(error @ (CcidError::Mute | CcidError::Atr(_))) => last = error,
                other => return other,
            }
        }
        Err(last)
    }

    async fn cold_reset(&mut self, select: u8, deadline: Duration) -> Result<Atr, CcidError> {
        let left = self.left(deadline);
        let done = self.command(&Command::PowerOn(select), left).await?;
        Atr::parse(&done.data).map_err(CcidError::Atr)
    }

    /// The protocol to use: the card's first that the reader can move, or any where
    /// the reader only moves APDUs.
    fn choose(&self, atr: &Atr) -> Result<Protocol, CcidError> {
        let functional = self.layout.functional;
        if functional.exchange() != Exchange::Tpdu {
            return Ok(atr.protocol);
        }
        let spoken = |protocol: &Protocol| match protocol {
            Protocol::T0 => functional.protocols & 1 != 0,
            Protocol::T1 => functional.protocols & 2 != 0,
            Protocol::Other(_) => false,
        };
        if spoken(&atr.protocol) {
            return Ok(atr.protocol);
        }
        let other = atr.offered.iter().find(|p| spoken(p) && !atr.specific);
        other.copied().ok_or(CcidError::HostProtocol(atr.protocol))
    }

    async fn agree(
        &mut self,
        atr: &Atr,
        deadline: Duration,
        may_ask: bool,
    ) -> Result<(), CcidError> {
        let functional = self.layout.functional;
        let protocol = self.choose(atr)?;
        let tpdu = functional.exchange() == Exchange::Tpdu;
        let (clock, most) = (functional.clock_khz, functional.data_rate_bps_max);
        let mut fidi = atr.initial_fidi();
        let ask = may_ask && tpdu && !functional.negotiates();
        let pps = Pps::worth(atr, protocol, clock, most).filter(|_| ask);
        if let Some(pps) = pps {
            let request = pps.request();
            let left = self.left(deadline);
            let answer = self.command(&Command::block(&request), left).await;
            let answer = match answer {
                Ok(done) => done.data,
                Err(CcidError::Mute | CcidError::Contact(_) | CcidError::Refused { .. }) => {
                    return Err(CcidError::Pps);
                }
                Err(error) => return Err(error),
            };
            fidi = pps.accepted(&answer).map_err(|_| CcidError::Pps)?;
        } else if protocol != atr.protocol && !functional.negotiates() && tpdu {
            // Without a PPS the card stays with its first protocol.
            return Err(CcidError::HostProtocol(atr.protocol));
        } else if functional.negotiates() && bit_rate(atr.fidi, clock) <= Some(most) {
            // The reader does the PPS itself, by the parameters that are set.
            fidi = atr.fidi;
        }
        if !functional.sets_parameters() || pps.is_some() {
            self.set_parameters(atr, protocol, fidi, deadline).await?;
        }
        let patience = atr.patience(protocol, fidi, clock);
        let patience = patience.clamp(ANSWER_WITHIN, EXTENDED_MAX);
        let t1 = (tpdu && protocol == Protocol::T1).then(|| self.engine(atr));
        self.link = Some(Link {
            protocol,
            t1,
            patience,
        });
        self.announce(deadline).await
    }

    async fn set_parameters(
        &mut self,
        atr: &Atr,
        protocol: Protocol,
        fidi: u8,
        deadline: Duration,
    ) -> Result<(), CcidError> {
        let set = match protocol {
            Protocol::T1 => Command::SetParametersT1(atr.t1_parameters(fidi)),
            _ => Command::SetParametersT0(atr.t0_parameters(fidi)),
        };
        let left = self.left(deadline);
        match self.command(&set, left).await {
            // 1..127: that parameter cannot be changed. 0: the command is unknown.
            Ok(_) | Err(CcidError::Refused { code: 0..=127, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn engine(&self, atr: &Atr) -> Engine {
        let sum = if atr.crc { Sum::Crc } else { Sum::Lrc };
        // A block and its five bytes must fit one message.
        let message = self.layout.functional.max_message.saturating_sub(15);
        let longest = usize::try_from(message).unwrap_or(INF_MAX);
        Engine::new(sum, atr.ifsc, longest)
    }

    /// The longest block the reader takes from a card.
    pub(super) fn ifsd(&self) -> u8 {
        let functional = self.layout.functional;
        let most = match functional.max_ifsd {
            0 => IFSD_MAX,
            some => some.min(IFSD_MAX),
        };
        u8::try_from(most).unwrap_or(u8::MAX)
    }

    /// Tells a T=1 card the block size, where the host speaks T=1.
    pub(super) async fn announce(&mut self, deadline: Duration) -> Result<(), CcidError> {
        let ifsd = self.ifsd();
        let itself = self.layout.functional.announces_ifsd();
        let Some(engine) = self.link.as_mut().and_then(|link| link.t1.as_mut()) else {
            return Ok(());
        };
        if itself {
            engine.told(ifsd);
            return Ok(());
        }
        let step: Step = engine.negotiate(ifsd);
        let agreed = self.run_t1(step, deadline).await.map(drop);
        if agreed.is_err() {
            self.link = None;
        }
        agreed
    }
}
