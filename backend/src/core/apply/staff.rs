//! Accounts of staff and sessions into rows.

use counterfoil_data::ids::StaffId;

use crate::core::event::StaffEvent;
use crate::core::key::{self, Table};
use crate::core::overlay::Overlay;
use crate::core::record::staff::{StaffAccountRow, TerminalRow};
use crate::store::StoreError;

fn account(
    books: &mut Overlay<'_>,
    staff: &StaffId,
    edit: impl FnOnce(&mut StaffAccountRow),
) -> Result<(), StoreError> {
    let key = key::text(Table::StaffAccount, staff.as_str());
    let mut row: StaffAccountRow = books.need(&key, "no such account of staff")?;
    edit(&mut row);
    books.put(key, &row)
}

fn terminal(
    books: &mut Overlay<'_>,
    name: &str,
    edit: impl FnOnce(&mut TerminalRow),
) -> Result<(), StoreError> {
    let key = key::text(Table::Terminal, name);
    let mut row: TerminalRow = books.get(&key)?.unwrap_or_default();
    edit(&mut row);
    books.put(key, &row)
}

/// Applies what happened.
pub fn changed(books: &mut Overlay<'_>, event: &StaffEvent) -> Result<(), StoreError> {
    match event {
        StaffEvent::Created { account, .. } => {
            let key = key::text(Table::StaffAccount, account.id.as_str());
            books.put(key, account)
        }
        StaffEvent::Reset {
            staff,
            password,
            until,
            cleared,
            ..
        } => {
            forget(books, cleared);
            let (password, until) = (password.clone(), Some(*until));
            account(books, staff, |row| row.renew(password, until))
        }
        StaffEvent::Changed {
            staff,
            roles,
            disabled,
            ..
        } => account(books, staff, |row| {
            row.roles.clone_from(roles);
            row.disabled = *disabled;
        }),
        StaffEvent::PasswordChanged { staff, password } => {
            let password = password.clone();
            account(books, staff, |row| row.renew(password, None))
        }
        _ => at_terminal(books, event),
    }
}

/// What happens at a terminal.
fn at_terminal(books: &mut Overlay<'_>, event: &StaffEvent) -> Result<(), StoreError> {
    match event {
        StaffEvent::Attempted {
            terminal: name,
            staff,
            counted,
        } => {
            for (key, row) in counted {
                books.put(key.clone(), row)?;
            }
            terminal(books, name, |row| {
                row.attempts = row.attempts.saturating_add(1);
                row.pending = Some(staff.clone());
            })
        }
        StaffEvent::Failed {
            terminal: name,
            cleared,
            ..
        } => {
            forget(books, cleared);
            terminal(books, name, |row| row.pending = None)
        }
        StaffEvent::LoggedIn {
            terminal: name,
            session,
            cleared,
        } => {
            forget(books, cleared);
            account(books, &session.staff, |row| {
                row.terminal = Some(name.clone())
            })?;
            terminal(books, name, |row| {
                row.pending = None;
                row.session = Some(session.clone());
            })
        }
        StaffEvent::Ended {
            terminal: name,
            staff,
            ..
        } => {
            account(books, staff, |row| row.terminal = None)?;
            terminal(books, name, |row| row.session = None)
        }
        _ => Ok(()),
    }
}

fn forget(books: &mut Overlay<'_>, cleared: &[crate::store::Key]) {
    for key in cleared {
        books.remove(key.clone());
    }
}
