//! Facts of accounts of staff and of logging in. A name that was typed and is nobody's is
//! no fact: it may be a password in the wrong field.

use counterfoil_data::ids::StaffId;
use counterfoil_data::leaf::{Field, LeafKind};

use super::second;
use crate::core::event::StaffEvent;
use crate::core::record::bank::Duty;

pub fn kind(event: &StaffEvent) -> LeafKind {
    match event {
        StaffEvent::Created { .. } => LeafKind::StaffCreated,
        StaffEvent::Reset { .. } => LeafKind::StaffReset,
        StaffEvent::Changed { .. } => LeafKind::StaffChanged,
        StaffEvent::Attempted { .. } => LeafKind::LoginAttempted,
        StaffEvent::Failed { .. } => LeafKind::LoginFailed,
        StaffEvent::PasswordChanged { .. } => LeafKind::PasswordChanged,
        StaffEvent::LoggedIn { .. } => LeafKind::LoggedIn,
        StaffEvent::Ended { .. } => LeafKind::SessionEnded,
    }
}

fn subject(staff: &StaffId) -> Field {
    Field::Subject(format!("staff:{staff}"))
}

fn roles(roles: &[Duty]) -> impl Iterator<Item = Field> {
    roles
        .iter()
        .map(|role| Field::State(role.word().to_owned()))
}

pub fn fields(event: &StaffEvent) -> Vec<Field> {
    match event {
        StaffEvent::Created { account, by } => [subject(&account.id), Field::Second(second(by))]
            .into_iter()
            .chain(roles(&account.roles))
            .collect(),
        StaffEvent::Reset { staff, by, .. } => vec![subject(staff), Field::Second(second(by))],
        StaffEvent::Changed {
            staff,
            roles: now,
            disabled,
            by,
        } => {
            let word = if *disabled { "disabled" } else { "enabled" };
            let fields = [subject(staff), Field::Second(second(by))];
            let state = Field::Reason(word.to_owned());
            fields
                .into_iter()
                .chain([state])
                .chain(roles(now))
                .collect()
        }
        StaffEvent::Attempted { staff, .. } => staff.iter().map(subject).collect(),
        StaffEvent::Failed { must_change, .. } => {
            let must = must_change.then(|| Field::Reason("must-change".to_owned()));
            must.into_iter().collect()
        }
        StaffEvent::PasswordChanged { staff, .. } => vec![subject(staff)],
        StaffEvent::LoggedIn { session, .. } => vec![
            subject(&session.staff),
            Field::Evidence(session.id.to_string()),
        ],
        StaffEvent::Ended {
            session,
            staff,
            why,
            ..
        } => vec![
            subject(staff),
            Field::Evidence(session.to_string()),
            Field::Reason(why.word().to_owned()),
        ],
    }
}
