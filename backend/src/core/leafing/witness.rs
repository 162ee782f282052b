//! Facts of books that were put back.

use counterfoil_data::leaf::{Field, LeafKind, Personal};
use counterfoil_data::wire::sale::TreeSeen;

use super::{hashed, second};
use crate::core::event::Witnessed;

pub fn kind(event: &Witnessed) -> LeafKind {
    match event {
        Witnessed::Restored(_) => LeafKind::BooksRestored,
        Witnessed::Ahead { .. } => LeafKind::KioskAhead,
        Witnessed::Released { .. } => LeafKind::KioskReleased,
        Witnessed::Reconciled { .. } => LeafKind::KioskReconciled,
        Witnessed::ClockAccepted { .. } => LeafKind::ClockAccepted,
    }
}

pub fn fields(salt: &[u8; 32], event: &Witnessed) -> Vec<Field> {
    match event {
        Witnessed::Restored(row) => {
            let mut fields = tree(row.tree).to_vec();
            let number = format!("restore:{}", row.number);
            fields.extend([
                Field::Subject(number),
                Field::Evidence(format!("backup of {}", row.backup_at)),
            ]);
            fields
        }
        Witnessed::Ahead { kiosk, seen } | Witnessed::Released { kiosk, seen } => {
            let kiosk = Field::Kiosk(kiosk.to_string());
            [kiosk].into_iter().chain(tree(*seen)).collect()
        }
        Witnessed::ClockAccepted { newest, by, reason } => vec![
            Field::Second(second(by)),
            Field::Evidence(format!("the newest record was of {newest}")),
            hashed(salt, Personal::Words, reason),
        ],
        Witnessed::Reconciled {
            kiosk,
            seen,
            by,
            reason,
        } => {
            let mut fields = vec![
                Field::Kiosk(kiosk.to_string()),
                Field::Second(second(by)),
                hashed(salt, Personal::Words, reason),
            ];
            fields.extend(seen.map(tree).into_iter().flatten());
            fields
        }
    }
}

fn tree(seen: TreeSeen) -> [Field; 2] {
    [Field::TreeSize(seen.size), Field::TreeRoot(seen.root)]
}
