//! Facts of stock, identity and confirmation events.

use counterfoil_data::leaf::{Field, LeafKind, Personal};

use super::{hashed, rule, second};
use crate::core::event::{Event, FingerChange, PrintsEnrolled, SheetChange};
use crate::core::register::ranges_of;
use crate::core::sealed::Resealed;

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

pub fn identity(salt: &[u8; 32], event: &Event) -> Vec<Field> {
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
            hashed(salt, Personal::Document, &document.frame.to_string()),
        ],
        Event::IdentityVerified {
            agent,
            score_milli,
            engine,
            finger,
            ..
        } => vec![
            Field::Subject(format!("agent:{agent}")),
            Field::ScoreMilli(*score_milli),
            Field::Engine(engine.clone()),
            Field::Evidence(finger.word().to_owned()),
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

/// Whose, by whom, by which engine, which fingers with how many impressions, and why.
pub fn prints(salt: &[u8; 32], enrolled: &PrintsEnrolled) -> Vec<Field> {
    let prints = &enrolled.prints;
    let fingers = prints.fingers.iter().map(|finger| {
        let count = finger.impressions.len();
        Field::State(format!("{} {count}", finger.position.word()))
    });
    let by = enrolled.by.as_ref();
    let reason = enrolled.reason.as_ref();
    let subject = Field::Subject(format!("agent:{}", prints.agent));
    [subject, Field::Engine(prints.engine.clone())]
        .into_iter()
        .chain(by.map(|by| Field::Second(second(by))))
        .chain(fingers)
        .chain(reason.map(|words| hashed(salt, Personal::Words, words)))
        .collect()
}

/// Under which key, and how many envelopes.
pub fn resealed(key: u8, envelopes: &[Resealed]) -> Vec<Field> {
    let count = u32::try_from(envelopes.len()).unwrap_or(u32::MAX);
    vec![
        Field::Subject(format!("data-key:{key}")),
        Field::Count(count),
    ]
}

pub fn finger_kind(change: &FingerChange) -> LeafKind {
    match change {
        FingerChange::Attempted { .. } => LeafKind::FingerAttempted,
        FingerChange::Verified { .. } => LeafKind::FingerVerified,
        FingerChange::Failed { .. } => LeafKind::FingerFailed,
    }
}

/// The second finger's own score, and that of both.
pub fn finger(change: &FingerChange) -> Vec<Field> {
    match change {
        FingerChange::Attempted { attempt, agent, .. } => vec![
            Field::Subject(format!("agent:{agent}")),
            Field::Count(*attempt),
        ],
        FingerChange::Verified {
            agent,
            finger,
            score_milli,
            both_milli,
            engine,
            ..
        } => vec![
            Field::Subject(format!("agent:{agent}")),
            Field::ScoreMilli(*score_milli),
            Field::ScoreMilli(*both_milli),
            Field::Engine(engine.clone()),
            Field::Evidence(finger.word().to_owned()),
        ],
        FingerChange::Failed {
            score_milli,
            engine,
            refusal,
        } => {
            let mut fields = rule(refusal);
            fields.extend([
                Field::ScoreMilli(*score_milli),
                Field::Engine(engine.clone()),
            ]);
            fields
        }
    }
}

pub fn confirmation(salt: &[u8; 32], event: &Event) -> Vec<Field> {
    let (digest, words) = match event {
        Event::ConfirmationShown { digest, .. }
        | Event::Confirmed { digest, .. }
        | Event::ConfirmationTimedOut { digest, .. } => (Some(digest), None),
        Event::ConfirmationSeen { digest, .. } => (digest.as_ref(), None),
        Event::Denied { digest, note, .. } => (Some(digest), note.as_ref()),
        Event::Asked {
            digest, question, ..
        } => (Some(digest), Some(question)),
        _ => (None, None),
    };
    let digest = digest.map(|d| hashed(salt, Personal::Approved, &d.to_string()));
    let words = words.map(|text| hashed(salt, Personal::Words, text));
    digest.into_iter().chain(words).collect()
}

pub fn sheet_kind(change: &SheetChange) -> LeafKind {
    match change {
        SheetChange::Made(_) => LeafKind::SheetMade,
        SheetChange::Taken { .. } => LeafKind::SheetTaken,
        SheetChange::Printed { .. } => LeafKind::SheetPrinted,
        SheetChange::Cancelled { .. } => LeafKind::SheetCancelled,
    }
}

/// How many passwords, for which forms, and why not: nothing that is made of one.
pub fn sheet(change: &SheetChange) -> Vec<Field> {
    match change {
        SheetChange::Made(lines) => {
            let numbers = lines.iter().map(|line| line.number);
            let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            let ranges = ranges_of(numbers).into_iter().map(Field::Range);
            [Field::Count(count)].into_iter().chain(ranges).collect()
        }
        SheetChange::Taken { forms, .. } | SheetChange::Printed { forms } => {
            vec![Field::Count(*forms)]
        }
        SheetChange::Cancelled { forms, reason } => vec![
            Field::Count(*forms),
            Field::Reason(reason.word().to_owned()),
        ],
    }
}
