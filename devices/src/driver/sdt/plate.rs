//! Watching what lies on the plate: still there, gone, or laid down anew.
//!
//! A card that was read is silent to find while it lies there, so it is asked for
//! its appended address instead (30 03), until it does not answer. One that was
//! refused answers neither; the module is reset before it is looked for, as at
//! opening, and then finds what lies there. Called through [`IdReader`].

use std::time::Duration;

use super::{
    EMPTY_ROUNDS, FIND_INTERVAL, HELLO_WITHIN, IdReader, NEW_ADDRESS, NO_CONTENT, OK, Plate,
    ROUND_WITHIN, SdtError, Step,
};
use crate::transport::Transport;

/// One look at a plate on which a card was read or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It still answers.
    Still,
    /// Nothing answers.
    Nothing,
    /// Something answers after nothing did: laid down anew.
    Anew,
}

impl<T: Transport> IdReader<T> {
    /// Waits until the card was seen to be gone: three rounds in a row in which
    /// neither find nor, after a read, the still selected card answers. A card
    /// that was read no longer answers find while it lies there, so find alone
    /// proves nothing. `false` when it still lies there after `within`.
    pub async fn wait_removed(&mut self, within: Duration) -> Result<bool, SdtError> {
        self.wait_gone(within, false).await
    }

    /// Waits until the card that was read or refused was lifted: it is gone, or
    /// something was laid down since. What a hurried person does: the same card
    /// lies there again before three rounds are over.
    pub async fn wait_lifted(&mut self, within: Duration) -> Result<bool, SdtError> {
        self.wait_gone(within, true).await
    }

    /// The rounds are counted over several calls, so that short waits add up.
    async fn wait_gone(&mut self, within: Duration, or_anew: bool) -> Result<bool, SdtError> {
        let deadline = self.deadline(within);
        loop {
            let look = self.look(deadline).await?;
            let gone = self.empty >= EMPTY_ROUNDS;
            if gone || (or_anew && look == Look::Anew) {
                self.empty = 0;
                if gone {
                    self.plate = Plate::Unknown;
                }
                return Ok(true);
            }
            let there = look != Look::Nothing;
            let next = self
                .last_find
                .unwrap_or_default()
                .saturating_add(FIND_INTERVAL);
            if next >= deadline {
                return Ok(false);
            }
            if there {
                self.clock.sleep(FIND_INTERVAL).await;
                if self.clock.monotonic() >= deadline {
                    return Ok(false);
                }
            }
        }
    }

    async fn look(&mut self, deadline: Duration) -> Result<Look, SdtError> {
        let mut was_gone = self.empty > 0;
        if self.plate == Plate::Read {
            let resets = self.resets;
            let begun = deadline.max(self.deadline(ROUND_WITHIN));
            let look = self.ask(Step::Look, NEW_ADDRESS, begun).await?;
            if matches!(look.status, OK | NO_CONTENT) {
                self.empty = 0;
                return Ok(Look::Still);
            }
            self.plate = Plate::Unknown;
            was_gone = self.resets == resets;
        }
        let refused = self.plate == Plate::Refused;
        if refused {
            self.reset(HELLO_WITHIN).await?;
        }
        if self.find(deadline).await? {
            self.empty = 0;
            if was_gone {
                return Ok(Look::Anew);
            }
            if refused {
                self.plate = Plate::Refused;
            }
            return Ok(Look::Still);
        }
        self.empty = self.empty.saturating_add(1);
        Ok(Look::Nothing)
    }
}
