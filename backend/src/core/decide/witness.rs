//! Books that were put back: a restore opens them for no kiosk, each kiosk's memory
//! decides about itself, and where it saw more, two people do.

use counterfoil_data::ids::{KioskId, StaffId};
use counterfoil_data::wire::sale::{TreeSeen, Witness};
use jiff::Timestamp;

use super::{Draft, Stop, said, stock};
use crate::core::command::{CommandBody, Outcome};
use crate::core::event::{Event, Witnessed};
use crate::core::key::{self, Table};
use crate::core::log;
use crate::core::matrix::Act;
use crate::core::overlay::get;
use crate::core::record::witness::{RestoredRow, Standing};
use crate::core::refusal::{Refusal, StockRefusal};
use crate::core::witness::{look, restore, standing};

/// Decides what becomes known of books that were put back.
pub fn decide(draft: &mut Draft<'_>) -> Result<Outcome, Stop> {
    match draft.command.body.clone() {
        CommandBody::RecordRestore { backup_at, tree } => restored(draft, backup_at, tree),
        CommandBody::ReportTree(seen) => report(draft, seen),
        CommandBody::ReconcileKiosk {
            second,
            kiosk,
            reason,
        } => reconcile(draft, second, &kiosk, reason),
        _ => Err(Refusal::NotYours.into()),
    }
}

/// Notes the restore; from now on every kiosk must report before it sells.
fn restored(draft: &mut Draft<'_>, backup_at: Timestamp, tree: TreeSeen) -> Result<Outcome, Stop> {
    draft.system()?;
    let held: Option<RestoredRow> = get(&draft.books, &key::single(Table::Restored))?;
    let row = RestoredRow {
        number: held.map_or(0, |row| row.number).saturating_add(1),
        at: draft.command.at,
        backup_at,
        tree,
    };
    draft.emit(Event::Witnessed(Box::new(Witnessed::Restored(row))))?;
    Ok(Outcome::Done)
}

/// A kiosk says what it saw.
fn report(draft: &mut Draft<'_>, seen: TreeSeen) -> Result<Outcome, Stop> {
    let kiosk = draft.kiosk()?.id;
    let look = look(&draft.books, &kiosk, Some(seen))?;
    if look.is_news {
        let event = match look.witness {
            Witness::Behind => Witnessed::Ahead { kiosk, seen },
            _ => Witnessed::Released { kiosk, seen },
        };
        draft.emit(Event::Witnessed(Box::new(event)))?;
    }
    Ok(Outcome::Done)
}

/// Refuses a kiosk that may hold what these books know nothing of.
pub fn may_sell(draft: &Draft<'_>, kiosk: &KioskId) -> Result<(), Stop> {
    let refusal = match look(&draft.books, kiosk, None)?.witness {
        Witness::Agrees | Witness::Settled => return Ok(()),
        Witness::Unreported => Refusal::Unreported,
        Witness::Behind => {
            let size = log::size(&draft.books)?;
            let row = standing(&draft.books, kiosk)?;
            let seen = match row.map(|row| row.standing) {
                Some(Standing::Ahead(seen)) => seen.size,
                _ => size,
            };
            Refusal::BooksBehind { seen, size }
        }
    };
    Err(refusal.into())
}

/// Two people settled what the kiosk did that the books lack.
fn reconcile(
    draft: &mut Draft<'_>,
    second: StaffId,
    kiosk: &KioskId,
    reason: String,
) -> Result<Outcome, Stop> {
    said(&reason)?;
    let row = stock::kiosk(draft, kiosk)?;
    let by = stock::two_people(draft, second, &row.branch, Act::Reconcile)?;
    let held = standing(&draft.books, kiosk)?;
    let seen = match held.as_ref().map(|row| row.standing) {
        Some(Standing::Ahead(seen)) => Some(seen),
        _ if held.map_or(0, |row| row.restored) < restore(&draft.books)? => None,
        _ => return Err(Refusal::Stock(StockRefusal::NothingToReconcile).into()),
    };
    // It would be gone on with: what it gave out meanwhile must be settled first.
    if let Some(open) = row.open_sale {
        let state = draft.sale(open)?.state;
        return Err(Refusal::SaleInProgress { state }.into());
    }
    draft.emit(Event::Witnessed(Box::new(Witnessed::Reconciled {
        kiosk: kiosk.clone(),
        seen,
        by,
        reason,
    })))?;
    Ok(Outcome::Done)
}
