//! Which time a command is of, and two people who say that the clock is right.

use std::borrow::Cow;

use counterfoil_data::ids::StaffId;
use jiff::Timestamp;

use super::{Draft, Stop, said, stock};
use crate::core::clock::{BEHIND_S_MAX, behind_s, sells};
use crate::core::command::{Command, Outcome};
use crate::core::event::{Event, Witnessed};
use crate::core::matrix::Act;
use crate::core::refusal::{Refusal, StockRefusal};

/// The command at a time that is not before the newest record, if it is little before
/// it; refuses to sell where it is much.
pub fn timed(command: &Command, newest: Option<Timestamp>) -> Result<Cow<'_, Command>, Stop> {
    let by_s = behind_s(newest, command.at);
    match newest {
        Some(newest) if by_s <= BEHIND_S_MAX && command.at < newest => {
            let mut command = command.clone();
            command.at = newest;
            Ok(Cow::Owned(command))
        }
        _ if by_s > BEHIND_S_MAX && sells(&command.body) => {
            Err(Refusal::ClockBehind { by_s }.into())
        }
        _ => Ok(Cow::Borrowed(command)),
    }
}

/// Two people say that the clock is right and the records before were of a wrong one.
pub fn accept(draft: &mut Draft<'_>, second: &StaffId, reason: &str) -> Result<Outcome, Stop> {
    said(reason)?;
    let branch = draft.home()?;
    let by = stock::two_people(draft, second.clone(), &branch, Act::AcceptClock)?;
    let Some(newest) = draft.newest.filter(|newest| *newest > draft.command.at) else {
        return Err(Refusal::Stock(StockRefusal::ClockNotBehind).into());
    };
    draft.emit(Event::Witnessed(Box::new(Witnessed::ClockAccepted {
        newest,
        by,
        reason: reason.to_owned(),
    })))?;
    Ok(Outcome::Done)
}
