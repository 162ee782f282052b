//! What is enrolled: rows that people set, not the sale.

use counterfoil_data::money::Fen;

use crate::core::record::bank::{
    AccountRow, AgentRow, BankRow, CardRow, FeeRow, KioskRow, Policy, StaffRow, StationRow, UnitRow,
};
use crate::core::record::terms::{Bounces, CalendarRow, Licence, ListRow, Listed};

/// Something enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// The bank.
    Bank(BankRow),
    /// Policy in force.
    Policy(Policy),
    /// Staff.
    Staff(StaffRow),
    /// A kiosk.
    Kiosk(KioskRow),
    /// A station.
    Station(StationRow),
    /// A unit.
    Unit(UnitRow),
    /// An account and its opening balance.
    Account(AccountRow, Fen),
    /// An agent.
    Agent(AgentRow),
    /// A card.
    Card(CardRow),
    /// A fee.
    Fee(FeeRow),
    /// When the bank sells.
    Calendar(CalendarRow),
    /// A regulator's list and its entries.
    List(ListRow, Vec<Listed>),
    /// A licence looked at again.
    Licence(Licence),
    /// An account's returned cheques.
    Bounces(Bounces),
}
