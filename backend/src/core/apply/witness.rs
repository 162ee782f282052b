//! Restored books and kiosks' standings into rows.

use counterfoil_data::ids::KioskId;

use super::Moment;
use crate::core::event::Witnessed;
use crate::core::key::{self, Table};
use crate::core::overlay::Overlay;
use crate::core::record::books::CounterRow;
use crate::core::record::witness::{AHEAD_COUNTER, Standing, WitnessRow};
use crate::core::witness;
use crate::store::StoreError;

/// Applies what became known.
pub fn changed(
    books: &mut Overlay<'_>,
    moment: Moment,
    event: &Witnessed,
) -> Result<(), StoreError> {
    match event {
        Witnessed::Restored(row) => books.put(key::single(Table::Restored), row),
        Witnessed::ClockAccepted { .. } => Ok(()),
        Witnessed::Ahead { kiosk, seen } => stands(books, moment, kiosk, Standing::Ahead(*seen)),
        Witnessed::Released { kiosk, seen } => {
            stands(books, moment, kiosk, Standing::Released(*seen))
        }
        Witnessed::Reconciled { kiosk, seen, .. } => {
            stands(books, moment, kiosk, Standing::Reconciled(*seen))
        }
    }
}

fn stands(
    books: &mut Overlay<'_>,
    moment: Moment,
    kiosk: &KioskId,
    standing: Standing,
) -> Result<(), StoreError> {
    let is_ahead = |standing: &Standing| matches!(standing, Standing::Ahead(_));
    let before = witness::standing(books, kiosk)?;
    let was = before.is_some_and(|row| is_ahead(&row.standing));
    let counter = key::text(Table::Counter, AHEAD_COUNTER);
    let held: CounterRow = books.get(&counter)?.unwrap_or_default();
    let without = held.value.saturating_sub(u64::from(was));
    let value = without.saturating_add(u64::from(is_ahead(&standing)));
    books.put(counter, &CounterRow { value })?;
    let row = WitnessRow {
        kiosk: kiosk.clone(),
        restored: witness::restore(books)?,
        standing,
        at: moment.at,
    };
    books.put(key::text(Table::Witness, kiosk.as_str()), &row)
}
