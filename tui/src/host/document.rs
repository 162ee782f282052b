//! The document desk: authenticity first (S16), then the fields (S10), sealed.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::{Authenticity, DocumentFields};
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::sdt::{
    HandlingProblem, IdDocument, IdRead, IdReader, ReadEvidence, SdtError,
};
use counterfoil_devices::transport::Transport;
use ed25519_dalek::Signer as _;

use super::{After, SLICE, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk, Sealing};
use crate::flow::event::Answer;
use crate::model::DocumentProblem;

/// Longest read of one document.
const READ_WITHIN: Duration = Duration::from_secs(8);
/// Time for the empty rounds that show that nothing lies there when opened.
const LOOK_WITHIN: Duration = Duration::from_secs(1);
/// How long an authenticity check counts for new attempts; the backend takes 300 s.
const CHECK_KEEPS_S: i64 = 240;

/// What was read in this session.
struct Kept {
    fields: DocumentFields,
    evidence: ReadEvidence,
}

/// The ID reader.
pub(super) struct DocumentDesk<T: Transport> {
    reader: IdReader<T>,
    tools: Rc<Tools>,
    kept: Option<Kept>,
    /// What lies there was refused or read, or lay there when the reader was
    /// opened and may be the last customer's; it must be lifted before a read.
    spent: bool,
}

impl<T: Transport> DocumentDesk<T> {
    async fn read(&mut self, sealing: Sealing, say: &Say) -> Result<(), SdtError> {
        self.kept = None;
        let mut told = false;
        while self.spent {
            if say.is_stale() {
                return Ok(());
            }
            self.spent = !self.reader.wait_lifted(SLICE).await?;
            if self.spent && !told {
                told = true;
                say.answer(Answer::DocumentLies).await;
            }
        }
        while !self.reader.poll_card(SLICE).await? {
            if say.is_stale() {
                return Ok(());
            }
        }
        self.spent = true;
        if say.is_stale() {
            // Laid down for a session that was over by then: nobody's to read.
            return Ok(());
        }
        say.answer(Answer::DocumentPresent).await;
        match self.reader.read(READ_WITHIN).await {
            Ok(read) => self.judge(read, sealing, say).await,
            Err(error) if error.needs_reopening() => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "document not read");
                say.answer(refusal(&error)).await;
            }
        }
        Ok(())
    }

    async fn judge(&mut self, read: IdRead, sealing: Sealing, say: &Say) {
        let today = self.tools.today();
        if read.document.valid_to.is_some_and(|last| last < today) {
            let expired = Answer::DocumentProblem(DocumentProblem::Expired);
            return say.answer(expired).await;
        }
        self.kept = Some(Kept {
            fields: fields(&read.document),
            evidence: read.evidence,
        });
        self.tell(sealing, say).await;
    }

    /// Seals what was read, and asserts its authenticity, for this attempt.
    async fn tell(&mut self, sealing: Sealing, say: &Say) {
        let now = self.tools.clock.now().as_second();
        let fresh = |kept: &Kept| now.saturating_sub(kept.evidence.at.as_second()) <= CHECK_KEEPS_S;
        let Some(kept) = self.kept.take().filter(fresh) else {
            let again = Answer::DocumentProblem(DocumentProblem::LiftAndReplace);
            return say.answer(again).await;
        };
        let entropy = &*self.tools.entropy;
        let answer = match Sealed::seal(&kept.fields, &sealing.key, sealing.binding, entropy) {
            Ok(document) => Answer::DocumentRead {
                document,
                authenticity: self.assert(&kept, sealing.binding),
            },
            Err(_) => Answer::Fault(Remedy::CallStaff),
        };
        self.kept = Some(kept);
        say.answer(answer).await;
    }

    fn assert(&self, kept: &Kept, binding: Binding) -> Authenticity {
        let mut said = Authenticity {
            sam_id: kept.evidence.sam_id.clone(),
            status: kept.evidence.status.clone(),
            frame: kept.evidence.frame,
            at: kept.evidence.at,
            signature: String::new(),
        };
        let signature = self.tools.identity.key.sign(&said.statement(binding));
        said.signature = hex(&signature.to_bytes());
        said
    }

    /// The session is over: forgets first, since a card may lie here for long (I10).
    async fn watch(&mut self, say: &Say) -> Result<(), SdtError> {
        self.kept = None;
        while !say.is_stale() {
            if self.reader.wait_removed(SLICE.saturating_mul(4)).await? {
                self.spent = false;
                say.answer(Answer::DocumentRemoved).await;
                break;
            }
        }
        Ok(())
    }
}

fn fields(document: &IdDocument) -> DocumentFields {
    DocumentFields {
        name: Secret::new(document.name.expose().clone()),
        number: Secret::new(document.number.expose().clone()),
        valid_to: document.valid_to,
    }
}

fn refusal(error: &SdtError) -> Answer {
    match error {
        _ if error.is_forgery_suspect() => Answer::DocumentNotAuthentic,
        SdtError::Handling(HandlingProblem::NotAnIdCard) => {
            Answer::DocumentProblem(DocumentProblem::WrongKind)
        }
        SdtError::Handling(_) => Answer::DocumentProblem(DocumentProblem::LiftAndReplace),
        // Authenticated, and yet no document: nobody sells on that.
        SdtError::Document(_) => Answer::DocumentNotAuthentic,
        _ => Answer::Fault(error.remedy()),
    }
}

impl<T: Transport> Worker<T> for DocumentDesk<T> {
    const ROLE: Role = Role::IdReader;
    const DESK: Desk = Desk::Document;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let told = |error: SdtError| error.to_string();
        let info = transport.info().clone();
        let reader = IdReader::open(transport, tools.clock.clone()).await;
        let mut reader = reader.map_err(told)?;
        if let Some(list) = &tools.allowed {
            let enrolled = list.check_module(&info, reader.sam_id());
            enrolled.map_err(|refused| refused.to_string())?;
        }
        let empty = reader.wait_removed(LOOK_WITHIN).await.map_err(told)?;
        Ok(Self {
            reader,
            tools: Rc::clone(tools),
            kept: None,
            spent: !empty,
        })
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let done = match act {
            Act::ReadDocument(sealing) => self.read(sealing, say).await,
            Act::SealDocument(sealing) => {
                self.tell(sealing, say).await;
                Ok(())
            }
            Act::WatchDocument => self.watch(say).await,
            _ => return After::Fine,
        };
        match done {
            Ok(()) => After::Fine,
            Err(error) => {
                tracing::warn!(%error, "id reader fenced");
                After::Lost(error.remedy())
            }
        }
    }

    fn wipe(&mut self) {
        self.kept = None;
    }
}
