//! Enrolling prints (S13): an agent's first ones by the house, others in their place by a
//! supervisor and a second person, who keep no blanks; the same prints made anew for
//! another engine, or encrypted under another key.

use counterfoil_data::ids::{AgentId, StaffId};
use counterfoil_data::wire::Digest;

use super::identity::named;
use super::{Draft, Stop, said, stock};
use crate::core::command::{Actor, CommandBody, Outcome, Prints};
use crate::core::event::{Enrolled, Event, PrintsEnrolled, TwoPeople};
use crate::core::key::{self, Table};
use crate::core::matrix::Act;
use crate::core::record::bank::{AgentRow, EnrolledFinger, FINGERS_MAX, TEMPLATES_MAX};
use crate::core::refusal::{Malformed, Missing, Refusal};
use crate::core::sealed::{self, RESEALED_MAX, Resealed};

use super::enrol::ENVELOPE_MAX;

/// Largest image envelope in bytes: a print of 256 KiB, its measures, the envelope's own.
const IMAGE_MAX: usize = 257 * 1024;

fn agent(draft: &Draft<'_>, id: &AgentId) -> Result<AgentRow, Stop> {
    let row = draft.books.get(&key::text(Table::Agent, id.as_str()))?;
    let what = Missing::Agent;
    Ok(row.ok_or(Refusal::NotFound { what })?)
}

/// Each finger once, within the limits (I9).
pub fn lawful(fingers: &[EnrolledFinger]) -> Result<(), Stop> {
    let once = |finger: &EnrolledFinger| {
        let same = |other: &&EnrolledFinger| other.position == finger.position;
        fingers.iter().filter(same).count() == 1
    };
    let sound = |finger: &EnrolledFinger| {
        let within = |template: &Vec<u8>| template.len() <= ENVELOPE_MAX;
        (1..=TEMPLATES_MAX).contains(&finger.templates.len())
            && finger.templates.iter().all(within)
            && once(finger)
    };
    if fingers.len() > FINGERS_MAX || !fingers.iter().all(sound) {
        return Err(Refusal::Malformed(Malformed::Fingers).into());
    }
    Ok(())
}

/// Enrols every finger of an agent anew.
pub fn enrol(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    let CommandBody::EnrolPrints {
        second,
        mut prints,
        reason,
    } = draft.command.body.clone()
    else {
        return Err(Refusal::NotYours.into());
    };
    let agent = agent(draft, &prints.agent)?;
    let first = agent.fingers.is_empty();
    let (by, reason) = match (&draft.command.actor, second) {
        (Actor::System, None) if first => (None, None),
        (_, Some(second)) => {
            said(&reason)?;
            (Some(people(draft, second)?), Some(reason))
        }
        _ => return Err(Refusal::NotYours.into()),
    };
    check(&prints)?;
    prints.engine = named(prints.engine);
    let enrolled = Enrolled::Prints(PrintsEnrolled { prints, by, reason });
    draft.emit(Event::Enrolled(Box::new(enrolled)))?;
    Ok(Outcome::Done)
}

fn check(prints: &Prints) -> Result<(), Stop> {
    let fingers = prints.fingers.iter().map(|finger| EnrolledFinger {
        position: finger.position,
        templates: finger
            .impressions
            .iter()
            .map(|i| i.template.clone())
            .collect(),
    });
    let fingers: Vec<EnrolledFinger> = fingers.collect();
    lawful(&fingers)?;
    let images = prints.fingers.iter().flat_map(|finger| &finger.impressions);
    let fit = images.into_iter().all(|i| i.image.len() <= IMAGE_MAX);
    if fingers.is_empty() || !fit {
        return Err(Refusal::Malformed(Malformed::Fingers).into());
    }
    Ok(())
}

/// A supervisor and an officer or teller (or a second supervisor) of the same branch, two
/// different people: whoever keeps blanks enrols nobody who may buy them (domain K2).
fn people(draft: &Draft<'_>, second: StaffId) -> Result<TwoPeople, Stop> {
    let branch = draft.home()?;
    let Actor::Staff(first) = draft.command.actor.clone() else {
        return Err(Refusal::NotYours.into());
    };
    let roles = |id: &StaffId| stock::roles(draft, id, &branch);
    let (one, other) = (roles(&first)?, roles(&second)?);
    if first == second || !Act::Prints.row().allows(&one, &other) {
        return Err(Refusal::Malformed(Malformed::PrintsPeople).into());
    }
    Ok([first, second])
}

/// Templates of another engine for the same fingers; none for prints that were replaced
/// while they were made.
pub fn refresh(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    draft.system()?;
    let CommandBody::RefreshTemplates {
        agent: id,
        enrolment,
        engine,
        fingers,
    } = draft.command.body.clone()
    else {
        return Err(Refusal::NotYours.into());
    };
    let held = agent(draft, &id)?;
    if held.enrolment != enrolment {
        return Ok(Outcome::Done);
    }
    lawful(&fingers)?;
    let shape = |fingers: &[EnrolledFinger]| -> Vec<_> {
        let one = |f: &EnrolledFinger| (f.position, f.templates.len());
        fingers.iter().map(one).collect()
    };
    if shape(&held.fingers) != shape(&fingers) {
        return Err(Refusal::Malformed(Malformed::Fingers).into());
    }
    let engine = named(engine);
    let enrolled = Enrolled::Templates {
        agent: id,
        engine,
        fingers,
    };
    draft.emit(Event::Enrolled(Box::new(enrolled)))?;
    Ok(Outcome::Done)
}

/// The same data at rest under another key (I7): what changed since it was read stays, for
/// it is under the newest key already.
pub fn reseal(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    draft.system()?;
    let CommandBody::Reseal { key, mut envelopes } = draft.command.body.clone() else {
        return Err(Refusal::NotYours.into());
    };
    let fits = |held: &Resealed| held.envelope.len() <= IMAGE_MAX;
    if envelopes.len() > RESEALED_MAX || !envelopes.iter().all(fits) {
        return Err(Refusal::Malformed(Malformed::Limit).into());
    }
    let ends = envelopes.is_empty() && sealed::data_key(&draft.books)? != Some(key);
    let mut unchanged = Vec::with_capacity(envelopes.len());
    for new in envelopes.drain(..) {
        let held = new.at.held(&draft.books)?;
        if held.is_some_and(|held| Digest::of(&held) == new.old) {
            unchanged.push(new);
        }
    }
    if ends || !unchanged.is_empty() {
        let resealed = Enrolled::Resealed(key, unchanged);
        draft.emit(Event::Enrolled(Box::new(resealed)))?;
    }
    Ok(Outcome::Done)
}
