//! Facts of stock, identity and confirmation events.

use counterfoil_data::leaf::Field;
use counterfoil_data::wire::Digest;

use super::{rule, second};
use crate::core::event::Event;

pub fn stock(event: &Event) -> Vec<Field> {
    let at = |kiosk: &dyn std::fmt::Display, slot: &dyn std::fmt::Display| {
        vec![
            Field::Kiosk(kiosk.to_string()),
            Field::Slot(slot.to_string()),
        ]
    };
    match event {
        Event::BlanksReceived { branch, range, by } => vec![
            Field::Second(second(by)),
            Field::Subject(format!("branch:{branch}")),
            Field::Range(*range),
            Field::Count(range.count()),
        ],
        Event::CassetteLoaded {
            kiosk,
            slot,
            range,
            by,
        } => {
            let mut fields = at(kiosk, slot);
            fields.extend([Field::Second(second(by)), Field::Range(*range)]);
            fields
        }
        Event::CassetteUnloaded {
            kiosk,
            slot,
            ranges,
            by,
            ..
        } => {
            let mut fields = at(kiosk, slot);
            fields.push(Field::Second(second(by)));
            fields.extend(ranges.iter().copied().map(Field::Range));
            fields
        }
        Event::SlotLocked { kiosk, slot } => at(kiosk, slot),
        Event::SlotUnlocked { kiosk, slot, by } => {
            let mut fields = at(kiosk, slot);
            fields.push(Field::Second(second(by)));
            fields
        }
        _ => Vec::new(),
    }
}

pub fn identity(event: &Event) -> Vec<Field> {
    match event {
        Event::IdentityAttempted {
            attempt,
            agent,
            sam_id,
            document,
            ..
        } => vec![
            Field::Subject(format!("agent:{agent}")),
            Field::Count(*attempt),
            Field::Evidence(sam_id.clone()),
            Field::Content(document.frame),
        ],
        Event::IdentityVerified {
            agent,
            score_milli,
            engine,
            ..
        } => vec![
            Field::Subject(format!("agent:{agent}")),
            Field::ScoreMilli(*score_milli),
            Field::Engine(engine.clone()),
        ],
        Event::IdentityFailed {
            score_milli,
            engine,
            refusal,
            ..
        } => {
            let mut fields = rule(refusal);
            fields.extend([
                Field::ScoreMilli(*score_milli),
                Field::Engine(engine.clone()),
            ]);
            fields
        }
        _ => Vec::new(),
    }
}

pub fn confirmation(event: &Event) -> Vec<Field> {
    match event {
        Event::ConfirmationShown { digest, .. }
        | Event::Confirmed { digest, .. }
        | Event::ConfirmationTimedOut { digest, .. } => vec![Field::Approved(*digest)],
        Event::ConfirmationSeen { digest, .. } => digest.map(Field::Approved).into_iter().collect(),
        Event::Denied { digest, note, .. } => {
            let note = note.as_ref().map(|n| Digest::of(n.as_bytes()));
            let note = note.map(Field::Content);
            [Field::Approved(*digest)].into_iter().chain(note).collect()
        }
        Event::Asked {
            digest, question, ..
        } => vec![
            Field::Approved(*digest),
            Field::Content(Digest::of(question.as_bytes())),
        ],
        _ => Vec::new(),
    }
}
