//! The bundle: brought to the customer, seen taken, or drawn back.
//!
//! A presenter answers with one byte that carries no id, and on it rests that a
//! form is sold. So nothing counts as taken that was not seen in the output
//! before, and nothing as gone that two answers in a row do not show gone, at
//! rest and without a jam. What cannot be seen is an error, never a guess (I6).

use std::time::Duration;

use super::{ASK, FormPrinter, LinkError, PrintFault, Retraction, Taking};
use crate::driver::escpos::command;
use crate::driver::escpos::presenter::{self, Presenter};
use crate::transport::Transport;

/// How often the presenter is asked.
const POLL: Duration = Duration::from_millis(200);

impl<T: Transport> FormPrinter<T> {
    /// Brings the bundle in the escrow to the customer, until it is seen in the
    /// output.
    ///
    /// # Errors
    /// [`PrintFault::NoMediaPresent`]: there was none, or it came out nowhere.
    pub async fn present(&mut self, within: Duration) -> Result<(), PrintFault> {
        let until = self.link.now().saturating_add(within);
        let before = self.at_presenter().await?;
        if !before.escrow {
            return Err(PrintFault::NoMediaPresent);
        }
        self.shown = false;
        let presented = self.bring_out(until).await;
        if presented.is_err() {
            // Never to be presented later, to somebody else.
            self.start_over().await;
        }
        presented
    }

    async fn bring_out(&mut self, until: Duration) -> Result<(), PrintFault> {
        let sent = self.link.send(&command::PRESENT, until).await;
        sent.map_err(|e| e.fault())?;
        let mut nowhere = false;
        loop {
            let presenter = self.at_presenter().await?;
            if presenter.output && !presenter.escrow {
                return Ok(());
            }
            if presenter.nothing() && nowhere {
                return Err(PrintFault::NoMediaPresent);
            }
            nowhere = presenter.nothing();
            if self.link.now() >= until {
                return Err(PrintFault::Timeout);
            }
            self.link.rest(POLL).await;
        }
    }

    /// Waits until the bundle is taken out of the output, at most `within` and
    /// the time of one more look.
    ///
    /// # Errors
    /// [`PrintFault::MediaJammed`], and [`PrintFault::NoMediaPresent`] when this
    /// handle never saw the bundle there.
    pub async fn wait_taken(&mut self, within: Duration) -> Result<Taking, PrintFault> {
        let until = self.link.now().saturating_add(within);
        loop {
            if self.is_gone().await? {
                return self.taken().map(|()| Taking::Taken);
            }
            if self.link.now() >= until {
                return Ok(Taking::StillThere);
            }
            let left = until.saturating_sub(self.link.now());
            self.link.rest(POLL.min(left)).await;
        }
    }

    /// Draws the bundle back into the retract bin. Where it really went is read
    /// from the bin's own count: a customer may take it at the last moment.
    ///
    /// # Errors
    /// [`PrintFault::NoMediaPresent`]: neither in the bin nor seen taken.
    pub async fn retract(&mut self, within: Duration) -> Result<Retraction, PrintFault> {
        let until = self.link.now().saturating_add(within);
        let before = self.mechanism().await.map_err(|e| e.fault())?;
        let drawn = self.draw_back(until).await;
        if drawn.is_err() {
            self.start_over().await;
        }
        drawn?;
        let after = self.mechanism().await.map_err(|e| e.fault())?;
        if after.retracted_bundles > before.retracted_bundles {
            self.shown = false;
            return Ok(Retraction::ToBin);
        }
        if !self.is_gone().await? {
            return Err(PrintFault::MediaRetained);
        }
        self.taken().map(|()| Retraction::NothingThere)
    }

    async fn draw_back(&mut self, until: Duration) -> Result<(), PrintFault> {
        let sent = self.link.send(&command::RETRACT, until).await;
        sent.map_err(|e| e.fault())?;
        loop {
            let presenter = self.at_presenter().await?;
            if !presenter.output && !presenter.motor {
                return Ok(());
            }
            if self.link.now() >= until {
                return Err(PrintFault::Timeout);
            }
            self.link.rest(POLL).await;
        }
    }

    /// Whether two answers in a row show nothing anywhere.
    async fn is_gone(&mut self) -> Result<bool, PrintFault> {
        if !self.at_presenter().await?.nothing() {
            return Ok(false);
        }
        self.link.rest(POLL).await;
        Ok(self.at_presenter().await?.nothing())
    }

    /// What is gone was taken only if it was there. Asking twice gives the same answer,
    /// until another bundle is presented: who asked first may not have waited for it.
    fn taken(&self) -> Result<(), PrintFault> {
        self.shown.then_some(()).ok_or(PrintFault::NoMediaPresent)
    }

    /// The sensors, unless it is jammed.
    async fn at_presenter(&mut self) -> Result<Presenter, PrintFault> {
        let presenter = self.presenter().await.map_err(|e| e.fault())?;
        if presenter.jam {
            return Err(PrintFault::MediaJammed);
        }
        Ok(presenter)
    }

    /// GS e 6; answered although a fault is reported. What came before the
    /// question, the late answer of an earlier one too, is no answer to it.
    pub(super) async fn presenter(&mut self) -> Result<Presenter, LinkError> {
        let until = self.link.now().saturating_add(ASK);
        self.link.look().await?;
        self.link.forget();
        self.link.send(&command::PRESENTER_STATUS, until).await?;
        let presenter = self.link.answer_anyway(until, presenter::presenter).await?;
        self.shown |= presenter.output;
        Ok(presenter)
    }
}
