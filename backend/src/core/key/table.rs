//! The tables and their numbers, which never change.

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Epoch and schema; the store's own.
    Meta = 0,
    /// [`crate::core::record::bank::BankRow`], one row.
    Bank = 1,
    /// [`crate::core::record::bank::Policy`], one row.
    Policy = 2,
    /// Staff by id.
    Staff = 3,
    /// Kiosks by id.
    Kiosk = 4,
    /// Stations by id.
    Station = 5,
    /// Units by id.
    Unit = 6,
    /// Accounts by number.
    Account = 7,
    /// Keyed hash of an account number to the number.
    AccountLookup = 8,
    /// Agents by id.
    Agent = 9,
    /// Unit and keyed hash of a citizen number to the agent.
    AgentLookup = 10,
    /// Cards by keyed hash.
    Card = 11,
    /// Fees by kind and date.
    Fee = 12,
    /// [`crate::core::record::terms::CalendarRow`], one row.
    Calendar = 13,
    /// [`crate::core::record::terms::ListRow`], one row.
    List = 14,
    /// Entries of regulator's lists by what is listed.
    Listed = 15,
    /// Every policy that was ever in force, by version.
    PolicyVersion = 16,
    /// Public keys of staff to whose they are: one person, one key.
    StaffKey = 17,
    /// [`crate::core::record::prints::PrintRow`] by agent, finger and impression.
    Print = 18,
    /// [`crate::core::record::prints::TouchRow`] by agent.
    Touch = 19,
    /// Slots by kiosk and slot.
    Slot = 20,
    /// Blanks by prefix and first serial.
    Blank = 21,
    /// Conservation counters by prefix (I1).
    Lot = 22,
    /// Forms kept outside kiosks, by kind and keeper.
    Kept = 23,
    /// What waits for two people, by branch ([`super::Waits`]).
    Waiting = 25,
    /// Proposals by branch and number.
    Proposal = 26,
    /// [`crate::core::record::witness::RestoredRow`], one row.
    Restored = 27,
    /// [`crate::core::record::witness::WitnessRow`] by kiosk.
    Witness = 28,
    /// Sales by id.
    Sale = 30,
    /// Branch and kiosk to the sale its officers see.
    Confirming = 31,
    /// Deadline and sale.
    Timer = 32,
    /// Largest request number by actor.
    Sequence = 33,
    /// Stored answers by actor and key.
    Answer = 34,
    /// Time and key of stored answers, for forgetting.
    AnswerAge = 35,
    /// Failed attempts by subject.
    Attempt = 36,
    /// Forms bought by agent and day.
    AgentDay = 37,
    /// Last requisition number by branch and day.
    Requisition = 38,
    /// Forms bought by account and day.
    AccountDay = 39,
    /// Balances by ledger account.
    Balance = 40,
    /// Ledger entries by number.
    Entry = 41,
    /// Register of forms sold (领用登记) by account and requisition.
    Register = 42,
    /// [`crate::core::record::sheet::SheetRow`] by sale.
    Sheet = 43,
    /// [`crate::core::record::sheet::PasswordRow`] by number.
    Password = 44,
    /// Outbox by number.
    Outbox = 50,
    /// Outbox numbers that still have to leave the house.
    Pending = 51,
    /// Evidence leaves by index.
    Leaf = 60,
    /// Salts of personal fields by leaf index, kept apart from the leaves.
    LeafSalt = 61,
    /// Hashes of whole subtrees by level and index.
    TreeHash = 62,
    /// Size and frontier of the evidence log, one row.
    LogHead = 63,
    /// Signed checkpoint, one row.
    Checkpoint = 64,
    /// Leaves about numbers: prefix, block of numbers (`core::number`) and leaf index.
    NumberLeaf = 65,
    /// People's own words by leaf index, kept apart from the leaves.
    Words = 66,
    /// Counters by name.
    Counter = 70,
    /// [`crate::core::record::staff::AccessRow`], one row.
    Access = 71,
    /// [`crate::core::record::staff::StaffAccountRow`] by id.
    StaffAccount = 72,
    /// [`crate::core::record::staff::TerminalRow`] by key id.
    Terminal = 73,
}

impl Table {
    /// Every table, in key order.
    pub const ALL: [Self; 56] = [
        Self::Meta,
        Self::Bank,
        Self::Policy,
        Self::Staff,
        Self::Kiosk,
        Self::Station,
        Self::Unit,
        Self::Account,
        Self::AccountLookup,
        Self::Agent,
        Self::AgentLookup,
        Self::Card,
        Self::Fee,
        Self::Calendar,
        Self::List,
        Self::Listed,
        Self::PolicyVersion,
        Self::StaffKey,
        Self::Print,
        Self::Touch,
        Self::Slot,
        Self::Blank,
        Self::Lot,
        Self::Kept,
        Self::Waiting,
        Self::Proposal,
        Self::Restored,
        Self::Witness,
        Self::Sale,
        Self::Confirming,
        Self::Timer,
        Self::Sequence,
        Self::Answer,
        Self::AnswerAge,
        Self::Attempt,
        Self::AgentDay,
        Self::Requisition,
        Self::AccountDay,
        Self::Balance,
        Self::Entry,
        Self::Register,
        Self::Sheet,
        Self::Password,
        Self::Outbox,
        Self::Pending,
        Self::Leaf,
        Self::LeafSalt,
        Self::TreeHash,
        Self::LogHead,
        Self::Checkpoint,
        Self::NumberLeaf,
        Self::Words,
        Self::Counter,
        Self::Access,
        Self::StaffAccount,
        Self::Terminal,
    ];
}
