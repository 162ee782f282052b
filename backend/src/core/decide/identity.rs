//! The second gate (S10-S16): only on message 1; only with the kiosk's signed
//! assertion that the document is authentic; only against the prints enrolled
//! for an agent of this very unit.

use counterfoil_data::ids::AgentId;
use counterfoil_data::sealed::{Binding, Challenge};
use counterfoil_data::wire::sale::{Authenticity, SaleState};
use counterfoil_data::wire::unhex;
use ed25519_dalek::{Signature, VerifyingKey};

use super::attempts::{Counter, agent_key, kiosk_key};
use super::{Draft, Stop, finger, info};
use crate::core::command::{Actor, CommandBody, Found, IdentityCheck, Outcome};
use crate::core::event::Event;
use crate::core::facts;
use crate::core::key::{self, Table};
use crate::core::record::bank::{AgentRow, EnrolledFinger, KeyedHash, Policy};
use crate::core::record::prints::TouchRow;
use crate::core::record::sale::{DocumentRow, Pending, SaleRow};
use crate::core::refusal::Refusal;
use crate::core::rules::{
    self, CITIZEN_CHECK, ENROL_AGAIN, FINGER_MISMATCH, Gate, LOCKED, NOT_AGENT_OF_UNIT,
};
use crate::store::{Read as _, StoreError};

/// Oldest assertion accepted, in seconds.
const ASSERTION_AGE_MAX_S: i64 = 300;
/// Longest name of a matcher in bytes.
const ENGINE_MAX: usize = 64;

/// S16: the assertion says genuine, is this kiosk's, over this sale and challenge,
/// and recent.
fn is_authentic(
    draft: &Draft<'_>,
    row: &SaleRow,
    challenge: Challenge,
    claim: &Authenticity,
) -> Result<bool, Stop> {
    let kiosk = draft.kiosk()?;
    let age = draft
        .command
        .at
        .as_second()
        .saturating_sub(claim.at.as_second());
    if claim.status != Authenticity::GENUINE || age.saturating_abs() > ASSERTION_AGE_MAX_S {
        return Ok(false);
    }
    let binding = Binding {
        sale: row.sale,
        challenge,
    };
    let signature = unhex(&claim.signature).and_then(|b| Signature::from_slice(&b).ok());
    let key = VerifyingKey::from_bytes(&kiosk.key).ok();
    let (Some(signature), Some(key)) = (signature, key) else {
        return Ok(false);
    };
    let statement = claim.statement(binding);
    Ok(key.verify_strict(&statement, &signature).is_ok())
}

/// The agent of this unit with this citizen number and name (S13).
fn agent_of_unit(
    draft: &Draft<'_>,
    row: &SaleRow,
    identity: KeyedHash,
    name: KeyedHash,
) -> Result<Option<AgentRow>, Stop> {
    let info = row.info.as_ref();
    let info = info.ok_or(StoreError::Contradiction("a verified sale without info"))?;
    let Some(id) = draft.books.read(&key::agent_lookup(&info.unit, identity))? else {
        return Ok(None);
    };
    let id = String::from_utf8(id).unwrap_or_default();
    let agent: Option<AgentRow> = draft.books.get(&key::text(Table::Agent, &id))?;
    let is_holder = |a: &AgentRow| info.holder.as_ref().is_none_or(|holder| *holder == a.id);
    Ok(agent.filter(|a| a.name_hash == name && is_holder(a)))
}

/// Counts an attempt and gives the enrolled templates.
pub fn count(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let CommandBody::CountIdentityAttempt {
        sale,
        challenge,
        identity,
        name,
        valid_to,
        authenticity,
    } = draft.command.body.clone()
    else {
        return Err(Refusal::NotYours.into());
    };
    let row = draft.own_sale_in(sale, SaleState::InfoVerified)?;
    info::fresh(&row, challenge)?;
    if !is_authentic(draft, &row, challenge, &authenticity)? {
        return Err(Refusal::NotAuthentic { state: row.state }.into());
    }
    let policy = draft.policy()?;
    let access = draft.access()?;
    let attempt = row.identity_attempts.saturating_add(1);
    let by_kiosk = Counter::of_kiosk(&row, &policy, &access).count(draft)?;
    let Some(by_kiosk) = by_kiosk else {
        return info::refuse(draft, sale, LOCKED, vec![]);
    };
    if attempt > policy.identity_attempts {
        return info::refuse(draft, sale, LOCKED, vec![by_kiosk]);
    }
    let Some(agent) = agent_of_unit(draft, &row, identity, name)? else {
        return info::refuse(draft, sale, NOT_AGENT_OF_UNIT, vec![by_kiosk]);
    };
    let mut facts = facts::of_sale(&draft.books, &row, None, draft.command.at)?;
    facts.document_valid_to = valid_to;
    facts.buyer(&draft.books, agent.clone())?;
    if let Some(refusal) = rules::judge(Gate::Identity, &facts, &policy) {
        return info::end(draft, sale, refusal, vec![]);
    }
    let Some(by_agent) = Counter::of_agent(&agent.id, &policy, &access).count(draft)? else {
        return info::refuse(draft, sale, LOCKED, vec![by_kiosk]);
    };
    draft.emit(Event::IdentityAttempted {
        sale,
        attempt,
        agent: agent.id.clone(),
        sam_id: authenticity.sam_id,
        document: DocumentRow {
            valid_to,
            frame: authenticity.frame,
        },
        challenge: draft.challenge(),
        counted: vec![by_agent, by_kiosk],
    })?;
    let fingers = agent.fingers.clone();
    check(draft, attempt, agent, fingers)
}

/// What the matcher needs to compare a touch with these fingers of an agent.
pub fn check(
    draft: &Draft<'_>,
    attempt: u32,
    agent: AgentRow,
    fingers: Vec<EnrolledFinger>,
) -> Result<Outcome, Stop> {
    let touch: Option<TouchRow> = draft
        .books
        .get(&key::text(Table::Touch, agent.id.as_str()))?;
    Ok(Outcome::IdentityCheck(IdentityCheck {
        attempt,
        agent: agent.id,
        fingers,
        enrolment: agent.enrolment,
        touch: touch.map(|touch| touch.template),
    }))
}

/// An engine's name as evidence keeps it.
pub fn named(engine: String) -> String {
    if engine.len() > ENGINE_MAX || !engine.is_ascii() {
        return "unnamed".to_owned();
    }
    engine
}

/// The rule that an attempt broke: the register's word, or the finger.
const fn broken(by_register: bool) -> &'static str {
    if by_register {
        CITIZEN_CHECK
    } else {
        FINGER_MISMATCH
    }
}

/// No enrolled print can be read: the sale ends, and nobody's attempts are fewer for it.
pub fn enrol_again(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    agent: &AgentId,
    engine: String,
) -> Result<Outcome, Stop> {
    let policy = draft.policy()?;
    let access = draft.access()?;
    draft.emit(Event::IdentityFailed {
        sale: row.sale,
        score_milli: 0,
        engine,
        refusal: rules::refusal(ENROL_AGAIN, policy.version),
    })?;
    let by_agent = Counter::of_agent(agent, &policy, &access).give_back(draft)?;
    let by_kiosk = Counter::of_kiosk(row, &policy, &access).give_back(draft)?;
    info::refuse(draft, row.sale, ENROL_AGAIN, vec![by_agent, by_kiosk])
}

/// A comparison is done: of the first finger (S14), or of a second one.
pub fn settle(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let CommandBody::SettleIdentity {
        sale,
        attempt,
        mut found,
    } = draft.command.body.clone()
    else {
        return Err(Refusal::NotYours.into());
    };
    let row = match draft.command.actor {
        Actor::System => draft.sale(sale)?,
        _ => draft.own_sale(sale)?,
    };
    let state = row.state;
    let row = match row.state {
        // Where a second finger may be awaited.
        SaleState::IdentityVerified | SaleState::Ordered => draft.in_state(row, state)?,
        _ => draft.in_state(row, SaleState::InfoVerified)?,
    };
    found.engine = named(found.engine);
    match row.pending.clone() {
        Some(Pending::Identity {
            attempt: counted,
            agent,
            document,
        }) if counted == attempt => first(draft, &row, agent, document, found),
        Some(Pending::Finger {
            attempt: counted,
            agent,
        }) if counted == attempt => finger::settle(draft, &row, agent, found),
        _ => Err(Refusal::NoSuchAttempt { attempt, state }.into()),
    }
}

/// The first finger: message 2 (S14), or one attempt less.
fn first(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    agent: AgentId,
    document: DocumentRow,
    found: Found,
) -> Result<Outcome, Stop> {
    let sale = row.sale;
    let policy = draft.policy()?;
    if found.engine.starts_with(ENROL_AGAIN) {
        return enrol_again(draft, row, &agent, found.engine);
    }
    let by_register = found.engine.starts_with(CITIZEN_CHECK);
    let reached = !by_register && found.score_milli >= policy.match_threshold_milli;
    let attempts_left = left(draft, &agent, row.identity_attempts, &policy)?;
    let Some(finger) = found.finger.filter(|_| reached) else {
        let rule = broken(by_register);
        let refusal = rules::refusal(rule, policy.version);
        draft.emit(Event::IdentityFailed {
            sale,
            score_milli: found.score_milli,
            engine: found.engine,
            refusal,
        })?;
        if attempts_left == 0 {
            return info::refuse(draft, sale, LOCKED, vec![]);
        }
        return Ok(Outcome::Settled {
            verified: false,
            state: row.state,
            attempts_left,
        });
    };
    let cleared = vec![agent_key(&agent), kiosk_key(&row.kiosk)];
    draft.emit(Event::IdentityVerified {
        sale,
        agent,
        document,
        score_milli: found.score_milli,
        engine: found.engine,
        finger,
        touch: found.touch,
        cleared,
    })?;
    Ok(Outcome::Settled {
        verified: true,
        state: SaleState::IdentityVerified,
        attempts_left,
    })
}

/// Attempts left: the sale's own, or the agent's, of which another sale may have used some.
pub fn left(draft: &Draft<'_>, agent: &AgentId, used: u32, policy: &Policy) -> Result<u32, Stop> {
    let by_agent = Counter::of_agent(agent, policy, &draft.access()?).left(draft)?;
    let by_sale = policy.identity_attempts.saturating_sub(used);
    Ok(by_sale.min(by_agent))
}
