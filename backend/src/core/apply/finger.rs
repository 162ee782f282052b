//! A second finger, and the touch that was accepted last.

use counterfoil_data::ids::AgentId;

use super::Moment;
use crate::core::event::FingerChange;
use crate::core::key::{self, Table};
use crate::core::overlay::Overlay;
use crate::core::record::prints::TouchRow;
use crate::core::record::sale::{Pending, SaleRow, SecondFingerProven};
use crate::store::StoreError;

/// Keeps an accepted touch: what repeats it is a copy.
pub fn accepted(
    books: &mut Overlay<'_>,
    agent: &AgentId,
    touch: Option<&Vec<u8>>,
) -> Result<(), StoreError> {
    let Some(template) = touch.cloned() else {
        return Ok(());
    };
    let key = key::text(Table::Touch, agent.as_str());
    books.put(key, &TouchRow { template })
}

/// Counters, and the touch.
pub fn counters(books: &mut Overlay<'_>, change: &FingerChange) -> Result<(), StoreError> {
    match change {
        FingerChange::Attempted { counted, .. } => {
            for (key, row) in counted {
                books.put(key.clone(), row)?;
            }
            Ok(())
        }
        FingerChange::Verified {
            agent,
            touch,
            cleared,
            ..
        } => {
            for key in cleared {
                books.remove(key.clone());
            }
            accepted(books, agent, touch.as_ref())
        }
        FingerChange::Failed { .. } => Ok(()),
    }
}

/// The sale's row.
pub fn gate(row: &mut SaleRow, moment: Moment, change: &FingerChange) {
    match change {
        FingerChange::Attempted {
            attempt,
            agent,
            challenge,
            ..
        } => {
            row.finger_attempts = *attempt;
            row.challenge = *challenge;
            row.pending = Some(Pending::Finger {
                attempt: *attempt,
                agent: agent.clone(),
            });
        }
        FingerChange::Verified {
            finger, both_milli, ..
        } => {
            row.pending = None;
            row.refusal = None;
            row.second_finger = Some(SecondFingerProven {
                finger: *finger,
                at: moment.at,
                both_milli: *both_milli,
            });
        }
        FingerChange::Failed { refusal, .. } => {
            row.pending = None;
            row.refusal = Some(refusal.clone());
        }
    }
}
