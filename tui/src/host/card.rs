//! The card desk: settlement cards (S2, S3). The number never leaves unsealed.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::sealed::{Sealed, SecretText};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::CardProof;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::ccid::{CcidError, Reader};
use counterfoil_devices::driver::pboc::{CardError, read_settlement_card};
use counterfoil_devices::transport::Transport;

use super::{After, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk, Sealing};
use crate::flow::event::Answer;
use crate::model::CardProblem;

/// Longest read of one card.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// The card reader and, during a session, the number of the card it read.
pub(super) struct CardDesk<T: Transport> {
    reader: Reader<T>,
    tools: Rc<Tools>,
    kept: Option<(SecretText, CardProof)>,
    /// The card that is in was refused; it must be pulled before the next try.
    spent: bool,
}

impl<T: Transport> CardDesk<T> {
    async fn read(&mut self, sealing: Sealing, say: &Say) -> Result<(), CcidError> {
        self.kept = None;
        while self.spent {
            if say.is_stale() {
                return Ok(());
            }
            self.spent = !self.reader.wait_removed(self.tools.slice()).await?;
        }
        while !self.reader.wait_card(self.tools.slice()).await? {
            if say.is_stale() {
                return Ok(());
            }
        }
        say.answer(Answer::CardPresent).await;
        let (capks, entropy) = (&self.tools.capks, &*self.tools.entropy);
        let today = self.tools.today();
        let read = read_settlement_card(&mut self.reader, capks, entropy, today, READ_WITHIN);
        match read.await {
            Ok(card) => {
                let pan = Secret::new(card.pan.expose().clone());
                self.kept = Some((SecretText(pan), card.proof));
                self.tell(sealing, say).await;
            }
            Err(error) => {
                tracing::warn!(%error, "card not read");
                self.refuse(error, say).await?;
            }
        }
        Ok(())
    }

    async fn refuse(&mut self, error: CardError, say: &Say) -> Result<(), CcidError> {
        self.spent = !matches!(error, CardError::Removed);
        let answer = match error {
            CardError::Reader(fault) if is_broken(&fault) => return Err(fault),
            CardError::Removed => Answer::CardProblem(CardProblem::Removed),
            CardError::Expired => Answer::CardProblem(CardProblem::Expired),
            CardError::NotSettlementCard => Answer::CardProblem(CardProblem::WrongKind),
            CardError::Blocked | CardError::NotAuthentic(_) => Answer::CardNotAuthentic,
            _ => Answer::CardProblem(CardProblem::Unreadable),
        };
        say.answer(answer).await;
        Ok(())
    }

    async fn tell(&self, sealing: Sealing, say: &Say) {
        let entropy = &*self.tools.entropy;
        let answer = match &self.kept {
            Some((pan, proof)) => match Sealed::seal(pan, &sealing.key, sealing.binding, entropy) {
                Ok(card) => Answer::CardRead {
                    card,
                    proof: *proof,
                },
                Err(_) => Answer::Fault(Remedy::CallStaff),
            },
            None => Answer::CardProblem(CardProblem::Removed),
        };
        say.answer(answer).await;
    }

    async fn seal_again(&mut self, sealing: Sealing, say: &Say) -> Result<(), CcidError> {
        if !self.reader.present().await? {
            self.kept = None;
        }
        self.tell(sealing, say).await;
        Ok(())
    }

    /// The session is over: forgets first, since a card may lie here for long (I10).
    async fn watch(&mut self, say: &Say) -> Result<(), CcidError> {
        self.kept = None;
        while !say.is_stale() {
            if self.reader.wait_removed(self.tools.slice()).await? {
                self.spent = false;
                say.answer(Answer::CardRemoved).await;
                break;
            }
        }
        Ok(())
    }
}

/// Faults of the reader itself; all others are the card's or its handling's.
fn is_broken(error: &CcidError) -> bool {
    !matches!(
        error,
        CcidError::Absent
            | CcidError::Mute
            | CcidError::NotPowered
            | CcidError::Contact(_)
            | CcidError::HostProtocol(_)
            | CcidError::Pps
            | CcidError::T1(_)
            | CcidError::Atr(_)
            | CcidError::NoStatusWord
    )
}

impl<T: Transport> Worker<T> for CardDesk<T> {
    const ROLE: Role = Role::CardReader;
    const DESK: Desk = Desk::Card;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let reader = Reader::open(transport, tools.clock.clone()).await;
        Ok(Self {
            reader: reader.map_err(|error| error.to_string())?,
            tools: Rc::clone(tools),
            kept: None,
            spent: false,
        })
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let done = match act {
            Act::ReadCard(sealing) => self.read(sealing, say).await,
            Act::SealCard(sealing) => self.seal_again(sealing, say).await,
            Act::WatchCard => self.watch(say).await,
            _ => return After::Fine,
        };
        match done {
            Ok(()) => After::Fine,
            Err(error) => {
                tracing::warn!(%error, "card reader fenced");
                After::Lost(error.remedy())
            }
        }
    }

    fn wipe(&mut self) {
        self.kept = None;
    }
}
