//! Facts of proposals: what one person wanted done, and who decided about it. What was
//! counted is not here until it is done, and then it is a fact of the act itself.

use counterfoil_data::bill::BillRange;
use counterfoil_data::leaf::{Field, Personal};
use counterfoil_data::wire::custody::Act;

use super::{hashed, second, word};
use crate::core::event::Event;
use crate::store::StoreError;

pub fn fields(salt: &[u8; 32], event: &Event) -> Result<Vec<Field>, StoreError> {
    Ok(match event {
        Event::CustodyProposed(row) => {
            let mut fields = vec![subject(row.number)];
            fields.extend(act(salt, &row.act()?));
            fields
        }
        Event::CustodyApproved { proposal, by, .. }
        | Event::CustodyRefused { proposal, by, .. } => {
            vec![subject(*proposal), Field::Second(second(by))]
        }
        _ => Vec::new(),
    })
}

fn subject(proposal: u64) -> Field {
    Field::Subject(format!("proposal:{proposal}"))
}

fn act(salt: &[u8; 32], act: &Act) -> Vec<Field> {
    let mut fields = vec![Field::State(act.word().to_owned())];
    let range = |range: &BillRange| Field::Range(*range);
    let slot = |kiosk: &dyn ToString, slot: &dyn ToString| {
        [
            Field::Kiosk(kiosk.to_string()),
            Field::Slot(slot.to_string()),
        ]
    };
    match act {
        Act::Resolve { number, to, .. } => {
            fields.extend([Field::Number(*number), Field::State(word(to))]);
        }
        Act::Unload { kiosk, slot: name } | Act::Unlock { kiosk, slot: name } => {
            fields.extend(slot(kiosk, name));
        }
        Act::Load {
            kiosk,
            slot: name,
            range: blanks,
        } => {
            fields.extend(slot(kiosk, name));
            fields.push(range(blanks));
        }
        Act::Announce { range: blanks, .. }
        | Act::Receive { range: blanks, .. }
        | Act::Dispatch { range: blanks, .. }
        | Act::Accept { range: blanks, .. }
        | Act::Miss { range: blanks, .. }
        | Act::Find { range: blanks, .. }
        | Act::Void { range: blanks }
        | Act::Destroy { range: blanks }
        | Act::Return { range: blanks, .. }
        | Act::Mark { range: blanks, .. } => fields.push(range(blanks)),
        Act::Close { sale } => fields.push(Field::Sale(*sale)),
        Act::Count { .. } => {}
    }
    fields.extend(act.seen().map(|seen| hashed(salt, Personal::Words, seen)));
    fields
}
