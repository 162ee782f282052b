//! One APDU to a powered card and its answer, at every exchange level.
//!
//! ```text
//!  level      T=0                      T=1                     anything
//!  TPDU       TPDUs, 61xx, 6Cxx        blocks of `t1`          -
//!  short      one message, 61xx, 6Cxx  one message             one message
//!  (both, where an extended APDU has too much data: ENVELOPEs)
//!  extended   messages chained by wLevelParameter both ways
//! ```
//!
//! Refuses APDUs longer than the level takes. Chained answers are accepted at every
//! level: readers are known that claim short APDUs and chain.

use std::time::Duration;

use zeroize::Zeroizing;

use super::apdu::{self, FollowUp, Response, Sw};
use super::atr::Protocol;
use super::descriptor::Exchange;
use super::message::{Command, HEADER};
use super::t1::{Engine, Heard, Step};
use super::{CONTACT_TRIES, CcidError, Done, Reader};
use crate::transport::Transport;

/// Follow-ups of one APDU: the longest answer comes 256 bytes at a time.
const FOLLOW_UPS_MAX: u32 = 260;
/// Parts of a chained answer.
const PARTS_MAX: u32 = 1024;
/// Longest answer: 65,536 bytes and a status.
const ANSWER_MAX: usize = 65_538;

/// wLevelParameter and bChainParameter.
mod chain {
    pub(super) const WHOLE: u16 = 0;
    pub(super) const BEGINS: u16 = 1;
    pub(super) const ENDS: u16 = 2;
    pub(super) const CONTINUES: u16 = 3;
    pub(super) const NEXT: u16 = 0x10;
    /// bChainParameter of a part of a command that was taken.
    pub(super) const GO_ON: u8 = 0x10;
}

impl<T: Transport> Reader<T> {
    /// One APDU to the powered card; 61xx and 6Cxx are followed here. Where the reader
    /// or the card takes no extended one, it is sent as a short one, or, with too much
    /// data for that, in ENVELOPEs. More than 256 bytes of answer to a command without
    /// data are refused there.
    pub async fn transmit(&mut self, apdu: &[u8], within: Duration) -> Result<Response, CcidError> {
        let deadline = self.clock.monotonic().saturating_add(within);
        let mut send = Zeroizing::new(Vec::new());
        let parts = self.parts_of(apdu)?;
        let mut left = parts.len();
        for part in parts {
            left = left.saturating_sub(1);
            if left == 0 {
                send = part;
                break;
            }
            let answer = self.pass(&part, deadline).await?;
            let answer = Response::parse(&answer).ok_or(CcidError::NoStatusWord)?;
            match answer.sw {
                Sw::OK => {}
                // The card knows no ENVELOPE.
                Sw(0x6D00 | 0x6E00) => return Err(CcidError::ShortOnly),
                _ => return Ok(answer),
            }
        }
        let mut data = Zeroizing::new(Vec::new());
        for _ in 0..FOLLOW_UPS_MAX {
            let part = self.pass(&send, deadline).await?;
            let mut part = Response::parse(&part).ok_or(CcidError::NoStatusWord)?;
            if data.len().saturating_add(part.data.len()) > ANSWER_MAX {
                return Err(CcidError::NoStatusWord);
            }
            data.extend_from_slice(&part.data);
            match apdu::follow_up(&send, part.sw) {
                None => {
                    part.data = data;
                    return Ok(part);
                }
                Some(FollowUp::GetResponse(next)) => send = Zeroizing::new(next.to_vec()),
                Some(FollowUp::Again(next)) => send = next,
            }
        }
        Err(CcidError::NoStatusWord)
    }

    /// What is given to the reader one after the other: the APDU, or its ENVELOPEs.
    fn parts_of(&self, apdu: &[u8]) -> Result<Vec<Zeroizing<Vec<u8>>>, CcidError> {
        let protocol = self.link.as_ref().ok_or(CcidError::NotPowered)?.protocol;
        let level = self.layout.functional.exchange();
        let long = apdu::is_extended(apdu) && apdu.len() <= apdu::EXTENDED_MAX;
        let takes_long = match level {
            Exchange::Tpdu => protocol == Protocol::T1,
            level => level == Exchange::ExtendedApdu,
        };
        let mut parts = match (apdu::is_short(apdu), long, takes_long) {
            (true, ..) | (false, true, true) => vec![Zeroizing::new(apdu.to_vec())],
            (false, true, false) => match apdu::shortened(apdu) {
                Some(short) => vec![short],
                None => apdu::envelopes(apdu).ok_or(CcidError::ShortOnly)?,
            },
            (false, false, _) => return Err(CcidError::NotAnApdu(apdu.len())),
        };
        if (level, protocol) == (Exchange::Tpdu, Protocol::T0) {
            for part in &mut parts {
                *part = apdu::t0_tpdu(part);
            }
        }
        Ok(parts)
    }

    /// One APDU or TPDU, by whoever speaks the card's protocol.
    async fn pass(
        &mut self,
        bytes: &[u8],
        deadline: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, CcidError> {
        let link = self.link.as_ref().ok_or(CcidError::NotPowered)?;
        if link.t1.is_none() {
            return self.block(bytes, deadline).await;
        }
        let step = self.ready_t1(deadline).await?.start(bytes);
        self.run_t1(step, deadline).await
    }

    /// The host's half of T=1, the block size told to the card.
    pub(super) async fn ready_t1(&mut self, deadline: Duration) -> Result<&mut Engine, CcidError> {
        let ifsd = self.ifsd();
        let itself = self.layout.functional.announces_ifsd();
        if self.engine_t1()?.ifsd() < ifsd && !itself {
            // Both began anew since: the block size is as after a reset.
            self.announce(deadline).await?;
        }
        self.engine_t1()
    }

    pub(super) fn engine_t1(&mut self) -> Result<&mut Engine, CcidError> {
        let link = self.link.as_mut().ok_or(CcidError::NotPowered)?;
        link.t1.as_mut().ok_or(CcidError::NotPowered)
    }

    /// What was heard goes to the host's half of T=1.
    pub(super) fn heard_t1(&mut self, answer: &Result<Done, CcidError>) -> Result<Step, CcidError> {
        let heard = match answer {
            Ok(done) if done.data.is_empty() => Heard::Silence,
            Ok(done) => Heard::Block(&done.data),
            Err(CcidError::Mute) => Heard::Silence,
            Err(CcidError::Contact(_)) => Heard::Damaged,
            Err(error) => return Err(error.clone()),
        };
        Ok(self.engine_t1()?.heard(heard))
    }

    /// Carries the blocks of one exchange of T=1.
    pub(super) async fn run_t1(
        &mut self,
        mut step: Step,
        deadline: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, CcidError> {
        loop {
            let (block, waiting) = match step {
                Step::Send { block, waiting } => (block, waiting),
                Step::Done(answer) => return Ok(answer),
                Step::Failed(error) => return Err(CcidError::T1(error)),
            };
            let within = deadline.saturating_sub(self.clock.monotonic());
            let command = Command::XfrBlock {
                waiting,
                level: chain::WHOLE,
                data: &block,
            };
            let answer = self.command(&command, within).await;
            step = self.heard_t1(&answer)?;
        }
    }

    /// One block, in as many messages as it needs, with its chained answer.
    async fn block(
        &mut self,
        bytes: &[u8],
        deadline: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, CcidError> {
        let message = usize::try_from(self.layout.functional.max_message).unwrap_or(usize::MAX);
        let room = message.saturating_sub(HEADER).max(1);
        let chained = self.layout.functional.exchange() == Exchange::ExtendedApdu;
        let mut done = match chained && bytes.len() > room {
            true => self.send_parts(bytes, room, deadline).await?,
            false => self.send_whole(bytes, deadline).await?,
        };
        let mut whole = Zeroizing::new(Vec::new());
        for _ in 0..PARTS_MAX {
            if whole.len().saturating_add(done.data.len()) > ANSWER_MAX {
                break;
            }
            whole.extend_from_slice(&done.data);
            // bChainParameter: 01 begins, 03 continues; the host asks for the next.
            if !matches!(u16::from(done.specific), chain::BEGINS | chain::CONTINUES) {
                return Ok(whole);
            }
            done = self.part(chain::NEXT, &[], deadline).await?;
        }
        Err(CcidError::NoStatusWord)
    }

    /// One message, tried again on a bad contact.
    async fn send_whole(&mut self, bytes: &[u8], deadline: Duration) -> Result<Done, CcidError> {
        let mut tries = 0_u32;
        loop {
            tries = tries.saturating_add(1);
            match self.part(chain::WHOLE, bytes, deadline).await {
                Err(CcidError::Contact(_)) if tries < CONTACT_TRIES => {}
                other => return other,
            }
        }
    }

    /// A command in parts; the reader says to each that it may go on.
    async fn send_parts(
        &mut self,
        bytes: &[u8],
        room: usize,
        deadline: Duration,
    ) -> Result<Done, CcidError> {
        let mut rest = bytes;
        let mut level = chain::BEGINS;
        while rest.len() > room {
            let (part, after) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            let done = self.part(level, part, deadline).await?;
            if done.specific != chain::GO_ON || !done.data.is_empty() {
                return Err(CcidError::Chain(done.specific));
            }
            (rest, level) = (after, chain::CONTINUES);
        }
        self.part(chain::ENDS, rest, deadline).await
    }

    async fn part(
        &mut self,
        level: u16,
        data: &[u8],
        deadline: Duration,
    ) -> Result<Done, CcidError> {
        let within = deadline.saturating_sub(self.clock.monotonic());
        let waiting = 0;
        let command = Command::XfrBlock {
            waiting,
            level,
            data,
        };
        self.command(&command, within).await
    }
}
