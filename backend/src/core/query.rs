//! Queries: wire views out of a snapshot of the books. Pure, bounded.
//!
//! Called by the service for every answer, by the event stream and by timers.

use counterfoil_data::ids::{BranchId, KioskId, SaleId, StaffId, StationId};
use counterfoil_data::sealed::Challenge;
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::forms::FormsAnswer;
use counterfoil_data::wire::sale::{Checkpoint, KioskView, PurchaseMode, SaleState, SaleView};
use jiff::Timestamp;

use super::command::CommandBody;
use super::record::books::{Errand, OutboxRow};
use crate::store::{Read, StoreError};

/// Who signs requests, by key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// `kiosk:<id>`
    Kiosk {
        /// Which.
        id: KioskId,
        /// Where.
        branch: BranchId,
        /// Ed25519 public key.
        key: [u8; 32],
    },
    /// `station:<id>`
    Station {
        /// Which.
        id: StationId,
        /// Whose sales it sees.
        branch: BranchId,
        /// Who sits there.
        officer: StaffId,
        /// Ed25519 public key.
        key: [u8; 32],
    },
}

/// The facts the service needs before it makes a command of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleHead {
    /// Whose.
    pub kiosk: KioskId,
    /// In which branch.
    pub branch: BranchId,
    /// Where it stands.
    pub state: SaleState,
    /// The mode it was opened with.
    pub mode: PurchaseMode,
    /// To open the next sealed value with.
    pub challenge: Challenge,
}

/// An errand that still has to leave the house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingErrand {
    /// Its outbox number, for `MarkDelivered`.
    pub sequence: u64,
    /// About which sale.
    pub sale: SaleId,
    /// What.
    pub errand: Errand,
}

/// Whose events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// This kiosk's own sales.
    Kiosk(KioskId),
    /// Sales of this branch whose buyer is identified (S19).
    Station(BranchId),
}

/// The bank is enrolled.
pub fn is_enrolled(read: &dyn Read) -> Result<bool, StoreError> {
    Ok(read
        .read(&super::key::single(super::key::Table::Bank))?
        .is_some())
}

/// Key, identity and scope of a signer named `kiosk:…` or `station:…`.
pub fn signer(_read: &dyn Read, _key_id: &str) -> Result<Option<Signer>, StoreError> {
    Err(NOT_YET)
}

/// Largest request number seen from a signer; 0 before the first.
pub fn sequence(_read: &dyn Read, _key_id: &str) -> Result<u64, StoreError> {
    Err(NOT_YET)
}

/// What the service must know of a sale before it makes a command.
pub fn sale_head(_read: &dyn Read, _sale: SaleId) -> Result<Option<SaleHead>, StoreError> {
    Err(NOT_YET)
}

/// A sale as its kiosk may see it.
pub fn sale_view(
    _read: &dyn Read,
    _sale: SaleId,
    _now: Timestamp,
) -> Result<Option<SaleView>, StoreError> {
    Err(NOT_YET)
}

/// Answer to form advices: the outcome, with the sale's forms as they are now.
pub fn forms_answer(
    _read: &dyn Read,
    _sale: SaleId,
    _accepted: u32,
    _supplements: &[counterfoil_data::bill::BillNumber],
) -> Result<Option<FormsAnswer>, StoreError> {
    Err(NOT_YET)
}

/// Who a kiosk is, what it was doing, what its slots hold.
pub fn kiosk_view(
    _read: &dyn Read,
    _kiosk: &KioskId,
    _seal_key: &counterfoil_data::sealed::SealKey,
    _now: Timestamp,
) -> Result<Option<KioskView>, StoreError> {
    Err(NOT_YET)
}

/// What the officers of a branch see: at most one sale a kiosk.
pub fn confirmations(
    _read: &dyn Read,
    _branch: &BranchId,
) -> Result<Vec<ConfirmationView>, StoreError> {
    Err(NOT_YET)
}

/// One confirmation.
pub fn confirmation(
    _read: &dyn Read,
    _sale: SaleId,
) -> Result<Option<ConfirmationView>, StoreError> {
    Err(NOT_YET)
}

/// Outbox rows after `after` that this audience may see, oldest first, and the
/// number up to which was looked (resume there).
pub fn notices(
    _read: &dyn Read,
    _audience: &Audience,
    _after: u64,
    _limit: usize,
) -> Result<(Vec<(u64, OutboxRow)>, u64), StoreError> {
    Err(NOT_YET)
}

/// Number of the newest outbox row; 0 before the first.
pub fn newest_notice(_read: &dyn Read) -> Result<u64, StoreError> {
    Err(NOT_YET)
}

/// Errands that still have to leave the house, oldest first.
pub fn errands(_read: &dyn Read, _limit: usize) -> Result<Vec<PendingErrand>, StoreError> {
    Err(NOT_YET)
}

/// Timer commands that are due (`Expire`, `TimeOutConfirmation`), oldest first.
pub fn due(
    _read: &dyn Read,
    _now: Timestamp,
    _limit: usize,
) -> Result<Vec<CommandBody>, StoreError> {
    Err(NOT_YET)
}

/// When the next timer is due.
pub fn next_due(_read: &dyn Read) -> Result<Option<Timestamp>, StoreError> {
    Err(NOT_YET)
}

/// The signed head of the evidence log.
pub fn checkpoint(_read: &dyn Read) -> Result<Option<Checkpoint>, StoreError> {
    Err(NOT_YET)
}

/// Interim answer of queries that are not there yet.
const NOT_YET: StoreError = StoreError::Contradiction("query not built yet");
