//! Who a kiosk is, what it was doing, what its slots hold (`GET /v1/kiosk`, I6).

use counterfoil_data::ids::KioskId;
use counterfoil_data::sealed::SealKey;
use counterfoil_data::tlog::empty_root;
use counterfoil_data::wire::hex;
use counterfoil_data::wire::sale::{Checkpoint, KioskView, SlotView, TreeSeen};
use jiff::Timestamp;

use super::{checkpoint, sale_view, sequence};
use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::KioskRow;
use crate::core::record::stock::SlotRow;
use crate::core::witness::look;
use crate::store::{Read, StoreError};

/// The kiosk's view, where it has `seen` that log; `None` for a kiosk that is not enrolled.
pub fn kiosk_view(
    read: &dyn Read,
    kiosk: &KioskId,
    seen: Option<TreeSeen>,
    seal_key: &SealKey,
    now: Timestamp,
) -> Result<Option<KioskView>, StoreError> {
    let row: Option<KioskRow> = get(read, &key::text(Table::Kiosk, kiosk.as_str()))?;
    let Some(row) = row else { return Ok(None) };
    let open_sale = match row.open_sale {
        Some(sale) => sale_view(read, sale, now)?,
        None => None,
    };
    let mut slots = Vec::new();
    for (id, kind) in &row.slots {
        let slot: Option<SlotRow> = get(read, &key::slot(kiosk, id))?;
        slots.push(SlotView {
            slot: id.clone(),
            kind: *kind,
            count: slot.as_ref().map_or(0, SlotRow::count),
            locked: slot.is_some_and(|s| s.locked),
        });
    }
    let nothing = Checkpoint {
        size: 0,
        root: empty_root(),
        note: String::new(),
    };
    Ok(Some(KioskView {
        sequence: sequence(read, &format!("kiosk:{kiosk}"))?,
        checkpoint: checkpoint(read)?.unwrap_or(nothing),
        witness: look(read, kiosk, seen)?.witness,
        kiosk: row.id,
        branch: row.branch,
        branch_name: row.branch_name,
        modes: row.modes,
        seal_key: hex(&seal_key.0),
        open_sale,
        slots,
    }))
}
