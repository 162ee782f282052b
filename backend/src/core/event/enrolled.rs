//! What is enrolled: rows that people set, not the sale.

use counterfoil_data::ids::AgentId;
use counterfoil_data::money::Fen;

use super::TwoPeople;
use crate::core::command::Prints;
use crate::core::record::bank::{
    AccountRow, AgentRow, BankRow, CardRow, EnrolledFinger, FeeRow, KioskRow, Policy, StaffRow,
    StationRow, UnitRow,
};
use crate::core::record::staff::AccessRow;
use crate::core::record::terms::{Bounces, CalendarRow, Licence, ListRow, Listed};
use crate::core::sealed::Resealed;

/// An agent's prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintsEnrolled {
    /// What is enrolled.
    pub prints: Prints,
    /// The two people; `None` where the house enrolled an agent's first prints.
    pub by: Option<TwoPeople>,
    /// Why they replaced prints, in their own words.
    pub reason: Option<String>,
}

/// Something enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// The bank.
    Bank(BankRow),
    /// Policy in force.
    Policy(Policy),
    /// Who must log in, and locks.
    Access(AccessRow),
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
    /// An agent's prints, in place of those before.
    Prints(PrintsEnrolled),
    /// The same prints, with templates of another engine.
    Templates {
        /// Whose.
        agent: AgentId,
        /// Name and version of the engine.
        engine: String,
        /// Every finger.
        fingers: Vec<EnrolledFinger>,
    },
    /// Data at rest, under the key of this id; none at the end of a whole pass.
    Resealed(u8, Vec<Resealed>),
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
