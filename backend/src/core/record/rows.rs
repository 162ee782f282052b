//! Which record each table holds, so that a row can be read without knowing whose it is.
//!
//! Called by what holds the encodings still: the golden rows and the fuzzing of decoders.

use super::backup::ManifestRow;
use super::bank::{
    AccountRow, AgentRow, BankRow, CardRow, FeeRow, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use super::books::{
    AnswerRow, AttemptRow, BalanceRow, CheckpointRow, CounterRow, EntryRow, LogHeadRow, OutboxRow,
    RegisterRow,
};
use super::prints::{PrintRow, TouchRow};
use super::proposal::ProposalRow;
use super::sale::SaleRow;
use super::sheet::{PasswordRow, SheetRow};
use super::staff::{AccessRow, StaffAccountRow, TerminalRow};
use super::stock::{BlankRow, LotRow, SlotRow};
use super::terms::{CalendarRow, ListRow, ListedRow, PolicyVersionRow};
use super::witness::{RestoredRow, WitnessRow};
use super::{Record, RecordError, decode, encode};
use crate::core::key::Table;

/// A row as text and written again.
pub struct Reread {
    /// Its fields by name, as JSON. May name people: for tests alone.
    pub fields: String,
    /// Its bytes by today's encoder.
    pub bytes: Vec<u8>,
}

/// Reads a row of `table` and writes it again; `None` where rows are bare bytes.
pub fn reread(table: Table, bytes: &[u8]) -> Option<Result<Reread, RecordError>> {
    macro_rules! records {
        ($($table:ident => $row:ty),+ $(,)?) => {
            match table {
                $(Table::$table => Some(again::<$row>(bytes)),)+
                Table::AccountLookup
                | Table::AgentLookup
                | Table::StaffKey
                | Table::Waiting
                | Table::Confirming
                | Table::Timer
                | Table::AnswerAge
                | Table::Pending
                | Table::Leaf
                | Table::LeafSalt
                | Table::TreeHash
                | Table::NumberLeaf
                | Table::Words => None,
            }
        };
    }
    records! {
        Meta => ManifestRow,
        Bank => BankRow,
        Policy => Policy,
        Staff => StaffRow,
        Kiosk => KioskRow,
        Station => StationRow,
        Unit => UnitRow,
        Account => AccountRow,
        Agent => AgentRow,
        Card => CardRow,
        Fee => FeeRow,
        Calendar => CalendarRow,
        List => ListRow,
        Listed => ListedRow,
        PolicyVersion => PolicyVersionRow,
        Print => PrintRow,
        Touch => TouchRow,
        Slot => SlotRow,
        Blank => BlankRow,
        Lot => LotRow,
        Kept => CounterRow,
        Proposal => ProposalRow,
        Access => AccessRow,
        StaffAccount => StaffAccountRow,
        Terminal => TerminalRow,
        Restored => RestoredRow,
        Witness => WitnessRow,
        Sale => SaleRow,
        Sequence => CounterRow,
        Answer => AnswerRow,
        Attempt => AttemptRow,
        AgentDay => CounterRow,
        Requisition => CounterRow,
        AccountDay => CounterRow,
        Balance => BalanceRow,
        Entry => EntryRow,
        Register => RegisterRow,
        Sheet => SheetRow,
        Password => PasswordRow,
        Outbox => OutboxRow,
        LogHead => LogHeadRow,
        Checkpoint => CheckpointRow,
        Counter => CounterRow,
    }
}

fn again<R: Record>(bytes: &[u8]) -> Result<Reread, RecordError> {
    let row: R = decode(bytes)?;
    let damaged = RecordError::Damaged { table: R::TABLE };
    Ok(Reread {
        fields: serde_json::to_string(&row).map_err(|_| damaged)?,
        bytes: encode(&row)?,
    })
}
