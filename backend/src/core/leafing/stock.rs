//! Facts of what people did with blanks away from the slots.

use counterfoil_data::leaf::{Field, LeafKind, Personal};

use super::{hashed, second, word};
use crate::core::event::{BlanksHandled, Event, Handling};
use crate::core::record::stock::Place;

pub fn kind(how: Handling) -> LeafKind {
    match how {
        Handling::Announced => LeafKind::BlanksAnnounced,
        Handling::Dispatched => LeafKind::BlanksDispatched,
        Handling::Accepted => LeafKind::BlanksAccepted,
        Handling::Missed => LeafKind::BlanksMissing,
        Handling::Found => LeafKind::BlanksFound,
        Handling::Voided => LeafKind::FormsVoided,
        Handling::Destroyed => LeafKind::FormsDestroyed,
        Handling::Returned => LeafKind::FormsReturned,
    }
}

/// Whose they are now, or were handed from and to.
fn whose(place: &Place) -> Vec<Field> {
    let subject = |text: String| Field::Subject(text);
    match place {
        Place::Expected(branch) => vec![subject(format!("branch:{branch}"))],
        Place::InVault(branch) => vec![subject(format!("vault:{branch}"))],
        Place::InTellerBox(branch, teller) => {
            vec![subject(format!("teller-box:{branch}/{teller}"))]
        }
        Place::InTransit { from, to } => {
            vec![subject(format!("from:{from}")), subject(format!("to:{to}"))]
        }
        _ => Vec::new(),
    }
}

pub fn handled(salt: &[u8; 32], handled: &BlanksHandled) -> Vec<Field> {
    let mut fields = whose(&handled.to);
    fields.extend([
        Field::Second(second(&handled.by)),
        Field::Range(handled.range),
        Field::Count(handled.range.count()),
    ]);
    let seen = handled.seen.as_deref();
    fields.extend(seen.map(|text| hashed(salt, Personal::Words, text)));
    fields
}

pub fn noted(event: &Event) -> Vec<Field> {
    match event {
        Event::BlanksCounted {
            keeper,
            kind,
            counted,
            agrees,
            by,
        } => vec![
            Field::Second(second(by)),
            Field::Subject(format!("{keeper}/{}", word(kind))),
            Field::Count(*counted),
            Field::State(if *agrees { "agrees" } else { "differs" }.to_owned()),
        ],
        Event::FormsMarked {
            range, mark, by, ..
        } => vec![
            Field::Second(second(by)),
            Field::Range(*range),
            Field::State(word(mark)),
        ],
        _ => Vec::new(),
    }
}
