//! The second gate: document and live finger (S10 to S16, message 2).
//!
//! Order: the kiosk's signed assertion that the document is genuine (S16), room,
//! seals, the citizen check, count the attempt (durable), match where the check
//! agreed, settle. A copy of an enrolled touch is a finger that does not match; prints
//! that the engine cannot read end the sale and give the attempt back. Name,
//! number, image and templates exist in clear only inside worker jobs (I7); the
//! answer tells the decision and its reason, never a score.

use std::rc::Rc;
use std::sync::Arc;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, SealError, Sealed};
use counterfoil_data::wire;
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::{
    Authenticity, DocumentFields, IdentityHead, LivePrint, SaleState,
};
use ed25519_dalek::{Signature, VerifyingKey};
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::Service;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::{Asked, Given, malformed_json};
use crate::core::command::{Actor, CommandBody, Found, IdentityCheck, Outcome};
use crate::core::query::Signer;
use crate::core::record::bank::KeyedHash;
use crate::core::rules::CITIZEN_CHECK;
use crate::keys::Indexed;
use crate::keys::envelope::Drawn;
use crate::ports::{CitizenCheck, CitizenCheckResult};
use crate::workers::print::{self, Compared};
use crate::workers::{Bench, Kind, Place};

/// Longest JSON head inside an identity body.
const HEAD_MAX: usize = 8 * 1024;
/// Seconds an authenticity check may be old.
const AUTHENTICITY_AGE_MAX_S: i64 = 300;

impl Service {
    pub(super) async fn identity(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let head = self.books()?.sale_of(&asked.signer, sale)?;
        if head.state != SaleState::InfoVerified {
            return Err(Fault::out_of_order(head.state));
        }
        let (identity, live) = parse(&asked.body)?;
        let binding = Binding {
            sale,
            challenge: head.challenge,
        };
        check_authenticity(
            &identity.authenticity,
            &asked.signer,
            binding,
            self.clock.now(),
        )?;
        let mut room = self.place(Kind::Print, &asked)?;
        room.turn(None).await?;
        let citizens = Arc::clone(&self.ports.citizens);
        let document = identity.document;
        let person = room
            .run(move |bench| person(bench, &document, binding, &*citizens))
            .await?
            .map_err(|error| Fault::malformed(error.to_string()))?;
        let count = CommandBody::CountIdentityAttempt {
            sale,
            challenge: head.challenge,
            identity: person.number,
            name: person.name,
            valid_to: person.valid_to,
            authenticity: identity.authenticity,
        };
        let Given { outcome, .. } = self.give(&asked, count).await?;
        let Outcome::IdentityCheck(check) = outcome else {
            // A rule ended the sale before anything had to be compared.
            return self.settled_reply(sale, &outcome);
        };
        // A register that does not agree is an attempt like a finger that does not:
        // counted, in evidence, and the last one locks. The finger is not looked at.
        if let Some(how) = disagreement(person.citizen) {
            let found = Found {
                score_milli: 0,
                engine: format!("{CITIZEN_CHECK}/{how}"),
                finger: None,
                touch: None,
            };
            drop(room);
            return self.settle(&asked, sale, check.attempt, found).await;
        }
        self.compare(&asked, room, live, binding, check).await
    }

    /// A second finger, for an order above the policy's limit (S13).
    pub(super) async fn finger(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let head = self.books()?.sale_of(&asked.signer, sale)?;
        if !matches!(head.state, SaleState::IdentityVerified | SaleState::Ordered) {
            return Err(Fault::out_of_order(head.state));
        }
        let live = Sealed::from_bytes(&asked.body);
        let live = live.map_err(|error| Fault::malformed(error.to_string()))?;
        let binding = Binding {
            sale,
            challenge: head.challenge,
        };
        let mut room = self.place(Kind::Print, &asked)?;
        room.turn(None).await?;
        let count = CommandBody::CountFingerAttempt {
            sale,
            challenge: head.challenge,
        };
        let Given { outcome, .. } = self.give(&asked, count).await?;
        let Outcome::IdentityCheck(check) = outcome else {
            return self.settled_reply(sale, &outcome);
        };
        self.compare(&asked, room, live, binding, check).await
    }

    /// Compares, and settles the attempt that was counted.
    async fn compare(
        self: &Rc<Self>,
        asked: &Asked,
        room: Place,
        live: Sealed<LivePrint>,
        binding: Binding,
        mut check: IdentityCheck,
    ) -> Result<Reply, Fault> {
        let live = Arc::new(live);
        let mut compared = self.compared(&room, &live, binding, &check).await?;
        if compared == Compared::EnrolAgain && self.renew(&room, &mut check).await? {
            compared = self.compared(&room, &live, binding, &check).await?;
        }
        drop(room);
        self.settle(asked, binding.sale, check.attempt, compared.found())
            .await
    }

    async fn compared(
        &self,
        room: &Place,
        live: &Arc<Sealed<LivePrint>>,
        binding: Binding,
        check: &IdentityCheck,
    ) -> Result<Compared, Fault> {
        let (live, check) = (Arc::clone(live), check.clone());
        let entropy = Drawn::from(&*self.entropy);
        let job = move |bench: &mut Bench| print::compare(bench, &live, binding, &check, &entropy);
        Ok(room.run(job).await?)
    }

    /// Makes the templates of an agent anew from the stored images, for an engine that
    /// does not read those there are; whether it could. Kept in the books, so that it
    /// happens once.
    async fn renew(
        self: &Rc<Self>,
        room: &Place,
        check: &mut IdentityCheck,
    ) -> Result<bool, Fault> {
        let images = self.books()?.prints(&check.agent)?;
        let (agent, fingers) = (check.agent.clone(), check.fingers.clone());
        let entropy = Drawn::from(&*self.entropy);
        let job = move |bench: &mut Bench| {
            let image = |finger, number| images.get(&(finger, number)).cloned();
            print::renew(&bench.keys, &agent, &fingers, image, &entropy)
        };
        let fingers = match room.run(job).await? {
            Ok(fingers) => fingers,
            Err(error) => {
                let agent = &check.agent;
                tracing::error!(%agent, %error, "the engine does not read the enrolled templates");
                return Ok(false);
            }
        };
        check.fingers.clone_from(&fingers);
        let refresh = CommandBody::RefreshTemplates {
            agent: check.agent.clone(),
            enrolment: check.enrolment,
            engine: print::engine(),
            fingers,
        };
        self.make(self.fresh(Actor::System, refresh)).await?;
        Ok(true)
    }

    async fn settle(
        self: &Rc<Self>,
        asked: &Asked,
        sale: SaleId,
        attempt: u32,
        found: Found,
    ) -> Result<Reply, Fault> {
        let settle = CommandBody::SettleIdentity {
            sale,
            attempt,
            found,
        };
        let Given { outcome, .. } = self.make(self.fresh(asked.actor(), settle)).await?;
        self.settled_reply(sale, &outcome)
    }
}

/// The two parts of an identity body.
fn parse(body: &[u8]) -> Result<(IdentityHead, Sealed<LivePrint>), Fault> {
    let shape = || Fault::malformed("send the head's length as u32, the head, the sealed print");
    let (len, rest) = body.split_first_chunk::<4>().ok_or_else(shape)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| shape())?;
    if len > HEAD_MAX {
        return Err(shape());
    }
    let (head, live) = rest.split_at_checked(len).ok_or_else(shape)?;
    let head = serde_json::from_slice(head).map_err(|error| malformed_json(&error))?;
    let live = Sealed::from_bytes(live).map_err(|error| Fault::malformed(error.to_string()))?;
    Ok((head, live))
}

/// S16: genuine, said by this kiosk, about this attempt, just now.
fn check_authenticity(
    said: &Authenticity,
    signer: &Signer,
    binding: Binding,
    now: Timestamp,
) -> Result<(), Fault> {
    let not_authentic = |detail: &str| Fault::new(ProblemKind::NotVerified, detail);
    let Signer::Kiosk { key, .. } = signer else {
        return Err(Fault::not_yours());
    };
    let signature: Option<[u8; 64]> =
        wire::unhex(&said.signature).and_then(|bytes| bytes.try_into().ok());
    let genuine = signature.zip(VerifyingKey::from_bytes(key).ok());
    let signed = genuine.is_some_and(|(signature, key)| {
        let statement = said.statement(binding);
        key.verify_strict(&statement, &Signature::from_bytes(&signature))
            .is_ok()
    });
    if !signed {
        return Err(not_authentic(
            "the authenticity assertion is not this kiosk's for this attempt: check the document again",
        ));
    }
    if said.status != Authenticity::GENUINE {
        return Err(not_authentic(
            "the security module did not find the document genuine: call staff",
        ));
    }
    let age_s = now.as_second().saturating_sub(said.at.as_second());
    if age_s.unsigned_abs() > AUTHENTICITY_AGE_MAX_S.unsigned_abs() {
        return Err(not_authentic(
            "the document was checked too long ago: check it again",
        ));
    }
    Ok(())
}

/// What leaves the worker: hashes and facts, no personal data.
struct Person {
    number: KeyedHash,
    name: KeyedHash,
    valid_to: Option<Date>,
    citizen: CitizenCheckResult,
}

fn person(
    bench: &Bench,
    document: &Sealed<DocumentFields>,
    binding: Binding,
    citizens: &dyn CitizenCheck,
) -> Result<Person, SealError> {
    let fields = document.open(&bench.keys.open, binding)?;
    let hash = |kind, text: &str| KeyedHash(bench.keys.index(kind, text).0);
    Ok(Person {
        number: hash(Indexed::Citizen, fields.number.expose()),
        name: hash(Indexed::Name, fields.name.expose()),
        valid_to: fields.valid_to,
        citizen: citizens.check(&fields),
    })
}

/// How the citizen register (联网核查) disagrees; both matches go on.
fn disagreement(result: CitizenCheckResult) -> Option<&'static str> {
    match result {
        CitizenCheckResult::MatchWithPhoto | CitizenCheckResult::MatchWithoutPhoto => None,
        CitizenCheckResult::NameDiffers => Some("name-differs"),
        CitizenCheckResult::NotFound => Some("not-found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_any_other_shape_is_malformed_and_never_a_panic() {
        for body in [
            &b""[..],
            &[0, 0, 0],
            &[0, 0, 0, 9, b'{'],
            &[0xFF; 64],
            &[0, 0, 0, 2, b'{', b'}'],
        ] {
            let fault = parse(body).map(|_| ()).expect_err("malformed");
            assert_eq!(fault.kind, ProblemKind::Malformed);
        }
    }
}
