//! A second enrolled finger, for an order above the policy's limit (S13): counted like
//! the first one's attempts, compared with the agent's other fingers only, and accepted
//! if both fingers together are as unlike a stranger's as the policy asks.

use counterfoil_data::ids::{AgentId, SaleId};
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::sale::SaleState;
use counterfoil_finger::both;

use super::attempts::{Counter, agent_key, kiosk_key};
use super::{Draft, Stop, identity, info};
use crate::core::command::{Found, Outcome};
use crate::core::event::{Event, FingerChange, SecondFinger};
use crate::core::key::{self, Table};
use crate::core::record::bank::AgentRow;
use crate::core::record::sale::{IdentityProven, SaleRow};
use crate::core::refusal::Refusal;
use crate::core::rules::{self, ENROL_AGAIN, FINGER_MISMATCH, LOCKED, ONE_FINGER};
use crate::store::StoreError;

/// Least score of the second finger by itself, in thousandths: however well the first one
/// matched, another must have been there (1 stranger in 100).
const ITSELF_MILLI: u32 = 2_000;

fn proven(row: &SaleRow) -> Result<&IdentityProven, Stop> {
    let proven = row.identity.as_ref();
    Ok(proven.ok_or(StoreError::Contradiction("identified, and nobody was"))?)
}

/// Counts an attempt and gives the fingers to compare with.
pub fn count(draft: &mut Draft<'_>, sale: SaleId, challenge: Challenge) -> Result<Outcome, Stop> {
    let row = draft.own_sale(sale)?;
    let state = row.state;
    let open = matches!(state, SaleState::IdentityVerified | SaleState::Ordered);
    if !open || row.second_finger.is_some() {
        return Err(Refusal::OutOfOrder { state }.into());
    }
    let row = draft.in_state(row, state)?;
    info::fresh(&row, challenge)?;
    let proven = proven(&row)?;
    let agent = key::text(Table::Agent, proven.agent.as_str());
    let agent: AgentRow = draft.books.need(&agent, "a sale of no agent")?;
    let policy = draft.policy()?;
    let access = draft.access()?;
    let mut others = agent.fingers.clone();
    others.retain(|other| other.position != proven.finger);
    if others.is_empty() {
        let rule = rules::refusal(ONE_FINGER, policy.version);
        return Err(Refusal::Rule { rule, state }.into());
    }
    let attempt = row.finger_attempts.saturating_add(1);
    let Some(by_kiosk) = Counter::of_kiosk(&row, &policy, &access).count(draft)? else {
        return info::refuse(draft, sale, LOCKED, vec![]);
    };
    let by_agent = Counter::of_agent(&agent.id, &policy, &access).count(draft)?;
    let Some(by_agent) = by_agent.filter(|_| attempt <= policy.identity_attempts) else {
        return info::refuse(draft, sale, LOCKED, vec![by_kiosk]);
    };
    draft.emit(Event::SecondFinger(SecondFinger {
        sale,
        to: FingerChange::Attempted {
            attempt,
            agent: agent.id.clone(),
            challenge: draft.challenge(),
            counted: vec![by_agent, by_kiosk],
        },
    }))?;
    identity::check(draft, attempt, agent, others)
}

/// The comparison is done: both fingers agree, or one attempt less.
pub fn settle(
    draft: &mut Draft<'_>,
    row: &SaleRow,
    agent: AgentId,
    found: Found,
) -> Result<Outcome, Stop> {
    let (sale, state) = (row.sale, row.state);
    let policy = draft.policy()?;
    if found.engine.starts_with(ENROL_AGAIN) {
        return identity::enrol_again(draft, row, &agent, found.engine);
    }
    let first = proven(row)?;
    let both_milli = together(first.score_milli, found.score_milli);
    let itself = policy.match_threshold_milli.min(ITSELF_MILLI);
    let reached = found.score_milli >= itself && both_milli >= policy.two_finger_threshold_milli;
    let another = found.finger.filter(|finger| *finger != first.finger);
    let attempts_left = identity::left(draft, &agent, row.finger_attempts, &policy)?;
    let Some(finger) = another.filter(|_| reached) else {
        draft.emit(Event::SecondFinger(SecondFinger {
            sale,
            to: FingerChange::Failed {
                score_milli: found.score_milli,
                engine: found.engine,
                refusal: rules::refusal(FINGER_MISMATCH, policy.version),
            },
        }))?;
        if attempts_left == 0 {
            return info::refuse(draft, sale, LOCKED, vec![]);
        }
        return Ok(Outcome::Settled {
            verified: false,
            state,
            attempts_left,
        });
    };
    let cleared = vec![agent_key(&agent), kiosk_key(&row.kiosk)];
    draft.emit(Event::SecondFinger(SecondFinger {
        sale,
        to: FingerChange::Verified {
            agent,
            finger,
            score_milli: found.score_milli,
            both_milli,
            engine: found.engine,
            touch: found.touch,
            cleared,
        },
    }))?;
    Ok(Outcome::Settled {
        verified: true,
        state,
        attempts_left,
    })
}

/// Two fingers' score, rounded down.
fn together(first_milli: u32, second_milli: u32) -> u32 {
    let value = |milli: u32| milli as f32 / 1_000.0;
    // Far below u32; the cast saturates.
    (both(value(first_milli), value(second_milli)) * 1_000.0).floor() as u32
}
