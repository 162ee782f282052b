//! A sheet in, by a hand: the station is made ready, waits, and takes it in.
//!
//! Nothing is called certain that only one of two ways of asking says: pushed status
//! and DLE EOT 5 must agree before a sheet counts as loaded, out or gone.

use std::time::Duration;

use super::{ASK, Front, OPEN_WITHIN, Readback, SETTLED, SlipModel, SlipStation, fault_of};
use crate::driver::escp2::command::ONE_DIRECTION;
use crate::driver::escpos::command;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::escpos::link::{LinkError, SlipStatus};
use crate::driver::escpos::reply::{Asb, Reply};
use crate::driver::form_printer::FeedError;
use crate::transport::Transport;

/// Longest the printer itself may wait, in minutes.
const MINUTES_MAX: u64 = 15;
/// From the coming of a sheet to its being taken in, in tenths of a second.
const HAND_LETS_GO: u8 = 5;

/// By which function the printer holds the sheet that lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Not by this handle.
    Unknown,
    /// As a slip.
    Slip,
    /// By the reader, whose first reading is on its way.
    Asked,
    /// By the reader.
    Read,
}

/// Where a sheet must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Selected, printable, under both sensors.
    Loaded,
    /// Out of the mechanism.
    Out,
}

impl Wanted {
    fn is_said(self, model: SlipModel, asb: Asb) -> bool {
        match self {
            Self::Loaded => model.is_loaded(asb),
            Self::Out => model.is_out(asb),
        }
    }

    fn is_agreed(self, model: SlipModel, now: SlipStatus) -> bool {
        let cover = model.covers(now.sensors());
        match self {
            Self::Loaded => now.selected() && !now.waiting() && cover.entry && cover.exit,
            Self::Out => !cover.entry,
        }
    }
}

/// A hand's part of a feed that failed: whether a sheet was seen.
struct Missed {
    touched: bool,
    fault: PrintFault,
}

impl<T: Transport> SlipStation<T> {
    /// Waits until a person puts a blank in, within the time. The caller has made
    /// `feeding` durable (I5). The printer itself waits 15 minutes at most.
    pub async fn feed(&mut self, within: Duration) -> Result<(), FeedError> {
        let nothing = |fault| FeedError::NothingFed { fault };
        let until = self.link.now().saturating_add(within);
        self.gate.may_feed().map_err(nothing)?;
        self.gate.lost();
        self.front = Front::Nothing;
        self.link.look().await.map_err(|e| nothing(e.fault()))?;
        let clear = self.path_is_clear(until).await;
        if !clear.map_err(|e| nothing(e.fault()))? {
            return Err(nothing(PrintFault::MediaRetained));
        }
        let recovered = self.recover(until).await;
        recovered.map_err(|e| nothing(e.fault()))?;
        if let Some(fault) = self.link.fault() {
            return Err(nothing(fault));
        }
        if let Err(error) = self.make_ready(until).await {
            self.start_over().await;
            return Err(nothing(error.fault()));
        }
        let missed = match self.take_in(within, until).await {
            Ok(()) => {
                self.gate.fed();
                return Ok(());
            }
            Err(missed) => missed,
        };
        self.held = Held::Unknown;
        self.start_over().await;
        // The wait is over only now, and a hand may have been quicker.
        let soon = self.link.now().saturating_add(ASK);
        let clear = self.path_is_clear(soon).await == Ok(true);
        let fault = missed.fault;
        Err(match clear && !missed.touched {
            true => nothing(fault),
            false => FeedError::MayHaveMoved { fault },
        })
    }

    /// Modes, sensors that stop, pushed status; and the question that lines depend on
    /// is answered, before there is a sheet to spoil.
    async fn make_ready(&mut self, until: Duration) -> Result<(), LinkError> {
        let question = self.settings.model.question();
        let ready = [
            &command::INITIALISE[..],
            &command::SELECT_PRINTER,
            &command::UNITS_OF_8_A_MM,
            &ONE_DIRECTION,
            &command::CHINESE_ON,
            &command::STOP_AT_SLIP_END,
            &command::STATUS_BACK_ALL,
            question,
        ];
        self.link.forget();
        let soon = until.min(self.link.now().saturating_add(ASK));
        self.link.send(&ready.concat(), soon).await?;
        let pushed = |r: &Reply| matches!(r, Reply::Asb(_)).then_some(());
        self.link.answer(soon, pushed).await?;
        let answer = |r: &Reply| matches!(r, Reply::Status(_)).then_some(());
        self.link.answer(soon, answer).await
    }

    /// ESC c 0 4, or FS a 0 where the reader takes the sheet, and the wait.
    async fn take_in(&mut self, within: Duration, until: Duration) -> Result<(), Missed> {
        let by_reader = self.settings.number == Readback::Micr;
        let minutes = within.as_secs().div_ceil(60).saturating_add(1);
        let minutes = u8::try_from(minutes.min(MINUTES_MAX)).unwrap_or(1);
        let mut ask = command::slip_wait(minutes, HAND_LETS_GO).to_vec();
        if by_reader {
            ask.splice(..0, command::READ_OPTIONS);
            ask.extend(command::READ_NUMBER);
        } else {
            ask.extend(command::SELECT_SLIP);
        }
        self.link.forget();
        if let Err(error) = self.link.send(&ask, until).await {
            let touched = !matches!(error, LinkError::Blocked { accepted: 0, .. });
            let fault = error.fault();
            return Err(Missed { touched, fault });
        }
        if by_reader {
            self.comes_under_the_reader(until).await?;
            self.held = Held::Asked;
        } else {
            self.is_drawn_in(until).await?;
            self.held = Held::Slip;
        }
        Ok(())
    }

    async fn is_drawn_in(&mut self, until: Duration) -> Result<(), Missed> {
        let model = self.settings.model;
        let (mut touched, mut selected) = (false, false);
        let came = self.link.answer_anyway(until, |reply| {
            let Reply::Asb(asb) = reply else { return None };
            touched |= asb.sheet_in_path();
            let [_, _, _, slip] = asb.0;
            let roll = slip & 0x01 != 0;
            // It gave up by itself, or the sheet was pulled out again.
            let gone = (selected && roll).then_some(PrintFault::NoMediaPresent);
            selected |= !roll;
            match fault_of(*asb).or(gone) {
                Some(fault) => Some(Err(fault)),
                None => model.is_loaded(*asb).then_some(Ok(())),
            }
        });
        let came = match came.await {
            Err(LinkError::Silent) => Err(PrintFault::NoMediaPresent),
            Err(e) => {
                touched = true;
                Err(e.fault())
            }
            Ok(came) => came,
        };
        came.map_err(|fault| Missed { touched, fault })?;
        let lies = self.comes_to(Wanted::Loaded, until).await;
        lies.map(drop).map_err(|e| Missed {
            touched: true,
            fault: e.fault(),
        })?;
        // What happens to it from now on is seen.
        self.link.forget();
        Ok(())
    }

    /// The reader reads as soon as it has the sheet: a reading without one says why.
    async fn comes_under_the_reader(&mut self, until: Duration) -> Result<(), Missed> {
        let came = self.link.answer_anyway(until, |reply| match reply {
            Reply::Asb(asb) => match fault_of(*asb) {
                Some(fault) => Some(Err(fault)),
                None => asb.sheet_in_path().then_some(Ok(())),
            },
            Reply::Data(_) => Some(Err(PrintFault::NoMediaPresent)),
            _ => None,
        });
        let missed = |touched, fault| Missed { touched, fault };
        match came.await {
            Err(LinkError::Silent) => Err(missed(false, PrintFault::NoMediaPresent)),
            Err(e) => Err(missed(true, e.fault())),
            Ok(Err(fault)) => Err(missed(false, fault)),
            Ok(Ok(())) => {
                self.link.watch();
                Ok(())
            }
        }
    }

    /// Waits until pushed status says that a sheet is where it is wanted, nothing
    /// contradicts it for a moment, and DLE EOT 5 agrees; what was pushed.
    ///
    /// # Errors
    /// [`LinkError::Fault`] as soon as one is pushed, [`LinkError::Silent`] at `until`.
    pub(super) async fn comes_to(
        &mut self,
        wanted: Wanted,
        until: Duration,
    ) -> Result<Asb, LinkError> {
        let model = self.settings.model;
        loop {
            let said = self.link.wait(until, |link| match link.alarm() {
                Some(fault) => Some(Err(fault)),
                None => wanted.is_said(model, link.asb()).then_some(Ok(link.asb())),
            });
            let said = said.await?.map_err(LinkError::Fault)?;
            let settled = self.link.now().saturating_add(SETTLED);
            let otherwise = self.link.wait(settled, |link| {
                let still = link.alarm().is_none() && wanted.is_said(model, link.asb());
                (!still).then_some(())
            });
            match otherwise.await {
                Err(LinkError::Silent) => {
                    let asked = self.link.now().saturating_add(ASK);
                    let now = self.link.slip_status(asked).await?;
                    if wanted.is_agreed(model, now) {
                        return Ok(said);
                    }
                }
                other => other?,
            }
            if self.link.now() >= until {
                return Err(LinkError::Silent);
            }
        }
    }

    /// Whether both ways of asking say that no sheet lies anywhere.
    pub(super) async fn path_is_clear(&mut self, until: Duration) -> Result<bool, LinkError> {
        let now = self.link.slip_status(until).await?;
        Ok(!self.link.asb().sheet_in_path() && now.sensors() == 0x60)
    }

    /// A mechanical error that somebody has cleared stays one until it is told so: DLE
    /// ENQ 2, which forgets all that was received and prints nothing of it.
    pub(super) async fn recover(&mut self, until: Duration) -> Result<(), LinkError> {
        if !self.link.asb().mechanical() {
            return Ok(());
        }
        self.link.send(&command::RECOVER, until).await?;
        let soon = until.min(self.link.now().saturating_add(ASK));
        let over = self
            .link
            .wait(soon, |link| (!link.asb().mechanical()).then_some(()));
        match over.await {
            Ok(()) => self.link.flush(until.max(soon)).await,
            Err(LinkError::Silent) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Whether the sheet in the printer is held by the magnetic reader.
    pub(super) async fn reader_holds(&mut self, until: Duration) -> Result<bool, LinkError> {
        match self.held {
            Held::Asked | Held::Read => Ok(true),
            Held::Slip => Ok(false),
            Held::Unknown if self.settings.number == Readback::Micr => {
                let status = self.link.ask_now(&command::READER_STATUS, until).await?;
                Ok(status & 0x04 == 0)
            }
            Held::Unknown => Ok(false),
        }
    }

    /// Forgets everything queued: what is left of a failed act must not meet the next
    /// sheet. A printer that cannot be emptied is fenced.
    pub(super) async fn start_over(&mut self) {
        let until = self.link.now().saturating_add(OPEN_WITHIN);
        if self.link.flush(until).await.is_err() {
            self.link.fence();
        }
    }
}
