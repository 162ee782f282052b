//! Who is logged in at a terminal of staff, as far as the books know.

use counterfoil_data::ids::StaffId;
use counterfoil_data::wire::session::SessionShown;

use crate::core::key::{self, Table};
use crate::core::overlay::get;
use crate::core::record::bank::StaffRow;
use crate::core::record::staff::{AccessRow, SessionRow, TerminalRow};
use crate::store::{Read, StoreError};

/// What the bank decided about logging in and locks.
pub fn access(read: &dyn Read) -> Result<AccessRow, StoreError> {
    Ok(get(read, &key::single(Table::Access))?.unwrap_or_default())
}

/// The session of a terminal, whether or not its time is over.
pub fn session_at(read: &dyn Read, terminal: &str) -> Result<Option<SessionRow>, StoreError> {
    let row: Option<TerminalRow> = get(read, &key::text(Table::Terminal, terminal))?;
    Ok(row.and_then(|row| row.session))
}

/// A session as its terminal sees it.
pub fn session_shown(read: &dyn Read, session: SessionRow) -> Result<SessionShown, StoreError> {
    Ok(SessionShown {
        id: session.id,
        name: staff_name(read, &session.staff)?,
        staff: session.staff,
        ends: session.ends,
        idle_s: access(read)?.idle_s,
    })
}

/// Somebody's name; empty for nobody's.
pub fn staff_name(read: &dyn Read, staff: &StaffId) -> Result<String, StoreError> {
    let row: Option<StaffRow> = get(read, &key::text(Table::Staff, staff.as_str()))?;
    Ok(row.map(|row| row.name).unwrap_or_default())
}
