//! The first gate: purchase verification info (S3, S4, message 1).
//!
//! Order: cheap checks, a place in the pool's line, seals, locks, a turn, count the attempt
//! (durable), hash, settle. What is locked is refused without a turn. Card number and PIN exist in clear only inside worker jobs (I7).

use std::rc::Rc;
use std::sync::Arc;

use counterfoil_data::sealed::{Binding, SealError, Sealed, SecretText};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::{CardProof, PurchaseMode, SaleState, VerificationInfo};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::{Asked, Given};
use crate::core::command::{CommandBody, InfoCheck, Outcome, Subject};
use crate::core::query::{self, Signer};
use crate::core::record::bank::{CardTrust, KeyedHash};
use crate::keys::Indexed;
use crate::ports::CardHost;
use crate::workers::pin::PIN_MAX;
use crate::workers::{Bench, Kind, Place};

/// Longest card or account number.
const NUMBER_DIGITS_MAX: usize = 19;

impl Service {
    pub(super) async fn info(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let head = self.books()?.sale_of(&asked.signer, sale)?;
        if head.state != SaleState::Opened {
            return Err(Fault::out_of_order(head.state));
        }
        let info: VerificationInfo = asked.json()?;
        if mode_of(&info) != head.mode {
            return Err(Fault::malformed(
                "this is not the purchase mode the sale was opened with",
            ));
        }
        let binding = Binding {
            sale,
            challenge: head.challenge,
        };
        let mut place = self.place(Kind::Pin, &asked)?;
        let sealed = info.clone();
        let cards = Arc::clone(&self.ports.cards);
        let (subject, trust) = place
            .run(move |bench| {
                let subject = subject(bench, &sealed, binding)?;
                Ok((subject, trust(bench, &sealed, binding, &*cards)?))
            })
            .await?
            .map_err(|error: SealError| Fault::malformed(error.to_string()))?;
        let about = Some(subject.hash());
        let locked = self.is_locked(&asked, subject)?;
        if locked {
            place.keep();
        } else {
            place.turn(about).await?;
        }
        let count = CommandBody::CountInfoAttempt {
            sale,
            challenge: head.challenge,
            subject,
            trust,
        };
        let Given { outcome, .. } = self.give(&asked, count).await?;
        let Outcome::InfoCheck(InfoCheck { attempt, verifier }) = outcome else {
            // A rule ended the sale before anything had to be compared.
            return self.settled_reply(sale, &outcome);
        };
        if locked {
            // The lock ended this very moment.
            place.turn_at_last(about).await?;
        }
        let verified = self.hashed(&place, info, binding, verifier).await?;
        drop(place);
        let settle = CommandBody::SettleInfo {
            sale,
            attempt,
            verified,
        };
        let Given { outcome, .. } = self.make(self.fresh(asked.actor(), settle)).await?;
        self.settled_reply(sale, &outcome)
    }
}

impl Service {
    /// Whether the secret is the one that was enrolled: one hash, by whoever verifies it.
    async fn hashed(
        &self,
        place: &Place,
        info: VerificationInfo,
        binding: Binding,
        verifier: Option<String>,
    ) -> Result<bool, Fault> {
        let pins = Arc::clone(&self.ports.pins);
        let ciphers = Arc::clone(&self.ports.ciphers);
        let verified = place
            .run(move |bench| {
                let Ok(secret) = open(bench, secret_of(&info), binding) else {
                    return false;
                };
                match info {
                    VerificationInfo::SettlementCard { .. } => {
                        pins.verify(bench, &secret, verifier.as_deref())
                    }
                    VerificationInfo::PaymentPassword { .. } => {
                        ciphers.verify(bench, &secret, verifier.as_deref())
                    }
                }
            })
            .await?;
        Ok(verified)
    }

    /// What would be refused by a lock waits for no turn.
    fn is_locked(&self, asked: &Asked, subject: Subject) -> Result<bool, Fault> {
        let Signer::Kiosk { id, .. } = &asked.signer else {
            return Ok(false);
        };
        let (books, now) = (self.books()?, self.clock.now());
        told(query::is_locked(books.read(), subject.hash(), id, now))
    }
}

fn mode_of(info: &VerificationInfo) -> PurchaseMode {
    match info {
        VerificationInfo::SettlementCard { .. } => PurchaseMode::SettlementCard,
        VerificationInfo::PaymentPassword { .. } => PurchaseMode::PaymentPassword,
    }
}

/// How the card's authenticity is known: by itself, or by its host where it could not.
fn trust(
    bench: &Bench,
    info: &VerificationInfo,
    binding: Binding,
    host: &dyn CardHost,
) -> Result<Option<CardTrust>, SealError> {
    let VerificationInfo::SettlementCard { oda, card, .. } = info else {
        return Ok(None);
    };
    Ok(Some(match oda {
        CardProof::Genuine => CardTrust::Dynamic,
        CardProof::HostMustConfirm if host.confirms(&open(bench, card, binding)?) => {
            CardTrust::Host
        }
        CardProof::HostMustConfirm => CardTrust::Unproven,
    }))
}

fn secret_of(info: &VerificationInfo) -> &Sealed<SecretText> {
    match info {
        VerificationInfo::SettlementCard { pin, .. } => pin,
        VerificationInfo::PaymentPassword { password, .. } => password,
    }
}

fn open(
    bench: &Bench,
    sealed: &Sealed<SecretText>,
    binding: Binding,
) -> Result<Secret<String>, SealError> {
    let SecretText(text) = sealed.open(&bench.keys.open, binding)?;
    Ok(text)
}

/// Finds whose card or account it is, as a keyed hash, and that the second secret
/// opens too: a stale seal must not cost the customer an attempt.
fn subject(bench: &Bench, info: &VerificationInfo, binding: Binding) -> Result<Subject, SealError> {
    if open(bench, secret_of(info), binding)?.expose().len() > PIN_MAX {
        return Err(SealError::Content);
    }
    let hash = |sealed, kind| {
        let number = open(bench, sealed, binding)?;
        let digits = number.expose();
        let lawful =
            digits.len() <= NUMBER_DIGITS_MAX && digits.bytes().all(|b| b.is_ascii_digit());
        if !lawful {
            return Err(SealError::Content);
        }
        Ok(KeyedHash(bench.keys.index(kind, digits).0))
    };
    match info {
        VerificationInfo::SettlementCard { card, .. } => {
            hash(card, Indexed::Card).map(Subject::Card)
        }
        VerificationInfo::PaymentPassword { account, .. } => {
            hash(account, Indexed::Account).map(Subject::Account)
        }
    }
}
