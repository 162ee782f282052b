//! The receipt in a printer with a presenter (Custom dialect): brought out, seen
//! taken, or drawn back.
//!
//! As with bundles of forms, nothing counts as gone that two answers in a row do not
//! show gone, at rest and without a jam. Unlike there, no bin counts what was drawn
//! back: a customer may have taken the receipt at the last moment.

use std::time::Duration;

use super::{LinkError, PrintFault, ReceiptPrinter};
use crate::driver::escpos::command;
use crate::driver::escpos::presenter::{self, Presenter};
use crate::transport::Transport;

/// How often the presenter is asked.
const POLL: Duration = Duration::from_millis(200);
/// Time for one answer.
const ASK: Duration = Duration::from_secs(3);

impl<T: Transport> ReceiptPrinter<T> {
    /// What lies in the presenter.
    ///
    /// # Errors
    /// [`LinkError::Silent`] from a printer that has none.
    pub async fn presenter(&mut self) -> Result<Presenter, LinkError> {
        let until = self.link.now().saturating_add(ASK);
        self.link.look().await?;
        self.link.forget();
        self.link.send(&command::PRESENTER_STATUS, until).await?;
        self.link.answer_anyway(until, presenter::presenter).await
    }

    /// Brings the receipt out, until it is seen in the output.
    ///
    /// # Errors
    /// [`PrintFault::NoMediaPresent`]: there was none.
    pub async fn present(&mut self, within: Duration) -> Result<(), PrintFault> {
        let until = self.link.now().saturating_add(within);
        if self.at_presenter().await?.nothing() {
            return Err(PrintFault::NoMediaPresent);
        }
        let sent = self.link.send(&command::PRESENT, until).await;
        sent.map_err(|e| e.fault())?;
        loop {
            if self.at_presenter().await?.output {
                return Ok(());
            }
            self.pause(until).await?;
        }
    }

    /// Waits until the receipt is gone from the output; `false` if it is still there
    /// after `within` and the time of one more look.
    pub async fn wait_taken(&mut self, within: Duration) -> Result<bool, PrintFault> {
        let until = self.link.now().saturating_add(within);
        loop {
            if self.is_gone().await? {
                return Ok(true);
            }
            if self.pause(until).await.is_err() {
                return Ok(false);
            }
        }
    }

    /// Draws the receipt back, until nothing is in the output.
    pub async fn retract(&mut self, within: Duration) -> Result<(), PrintFault> {
        let until = self.link.now().saturating_add(within);
        let sent = self.link.send(&command::RETRACT, until).await;
        sent.map_err(|e| e.fault())?;
        while !self.is_gone().await? {
            self.pause(until).await?;
        }
        Ok(())
    }

    async fn is_gone(&mut self) -> Result<bool, PrintFault> {
        if !self.at_presenter().await?.nothing() {
            return Ok(false);
        }
        self.link.rest(POLL).await;
        Ok(self.at_presenter().await?.nothing())
    }

    async fn pause(&mut self, until: Duration) -> Result<(), PrintFault> {
        if self.link.now() >= until {
            return Err(PrintFault::Timeout);
        }
        self.link.rest(POLL).await;
        Ok(())
    }

    async fn at_presenter(&mut self) -> Result<Presenter, PrintFault> {
        let presenter = self.presenter().await.map_err(|e| e.fault())?;
        if presenter.jam {
            return Err(PrintFault::PaperJammed);
        }
        Ok(presenter)
    }
}
