//! A slip station's real-time side: answered at once, also while it waits for a slip
//! and everything that was sent queues behind.
//!
//! Sources: TM-H5000II specification (DLE EOT 5, DLE ENQ), TM-U375 manual.

use std::time::Duration;

use super::{Link, LinkError};
use crate::driver::escpos::command;
use crate::driver::escpos::reply::Reply;
use crate::transport::Transport;

/// Time for a real-time answer: it moves no paper and waits for none.
const ASK: Duration = Duration::from_secs(3);

/// Answer to DLE EOT 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlipStatus(pub u8);

impl SlipStatus {
    /// Bit 2 clear: the slip is the paper to print on.
    pub fn selected(self) -> bool {
        self.0 & 0x04 == 0
    }

    /// Bit 3: a slip is waited for.
    pub fn waiting(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Bits 5 and 6, as in byte 3 of automatic status: which is which is the model's.
    pub fn sensors(self) -> u8 {
        self.0 & 0x60
    }
}

impl<T: Transport> Link<T> {
    /// Asks one real-time question. Answers carry no id: what was said before is
    /// dropped, and where none comes the handle is fenced, since it could come later
    /// and be taken for another's.
    pub async fn ask_now(&mut self, question: &[u8], until: Duration) -> Result<u8, LinkError> {
        let until = until.min(self.now().saturating_add(ASK));
        self.look().await?;
        let is_answer = |r: &Reply| matches!(r, Reply::RealTime(_));
        self.unhear(is_answer);
        self.send(question, until).await?;
        let answered = self.wait(until, |link| {
            let found = link.seen.iter().position(is_answer)?;
            match link.seen.remove(found) {
                Some(Reply::RealTime(byte)) => Some(byte),
                _ => None,
            }
        });
        let answered = answered.await;
        if answered == Err(LinkError::Silent) {
            self.fence();
        }
        answered
    }

    /// DLE EOT 5.
    pub async fn slip_status(&mut self, until: Duration) -> Result<SlipStatus, LinkError> {
        let asked = self.ask_now(&command::SLIP_STATUS, until).await;
        asked.map(SlipStatus)
    }

    /// Ends a waiting for a slip with DLE ENQ 3, which is only lawful in one. Never 1,
    /// which ejects the slip and loads it again. Looked at twice: one answer that is
    /// bent must not make it print what is queued on the next slip.
    pub(super) async fn stop_waiting(&mut self, until: Duration) -> Result<(), LinkError> {
        for question in self.model.waits {
            let mut calm = 0_u32;
            while calm < 2 {
                let answer = self.ask_now(question, until).await?;
                calm = calm.saturating_add(1);
                if SlipStatus(answer).waiting() {
                    calm = 0;
                    self.send(&command::CANCEL_WAITING, until).await?;
                }
                if self.now() >= until {
                    return Err(LinkError::Silent);
                }
            }
        }
        Ok(())
    }

    /// Whether no sheet lay in the slip path at some time since [`Link::forget`]: it
    /// may be another one now.
    pub fn sheet_was_gone(&self) -> bool {
        self.gone
    }

    /// From here on [`Link::sheet_was_gone`] is about the sheet that lies there.
    pub fn watch(&mut self) {
        self.gone = !self.asb().sheet_in_path();
    }

    /// Drops replies of a kind that nobody waits for.
    pub fn unhear(&mut self, is_stray: impl Fn(&Reply) -> bool) {
        self.seen.retain(|reply| !is_stray(reply));
    }
}
