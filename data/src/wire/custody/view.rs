//! What of a branch waits for two people, as their screens see it.

use serde::{Deserialize, Serialize};

use super::Act;
use crate::bill::{BillKind, BillNumber};
use crate::ids::{KioskId, SaleId, SlotId, StaffId};
use crate::wire::Digest;
use crate::wire::sale::SaleState;

/// Where a proposal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProposalState {
    /// Waits for another person.
    Open,
    /// Done, in the same commit as the approval.
    Done,
    /// Refused or taken back.
    Refused,
    /// Nobody approved in time.
    Expired,
}

/// One proposal as staff of the branch see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProposalView {
    /// Its number, as in the path.
    pub proposal: u64,
    /// Who proposed.
    pub by: StaffId,
    /// That person's name.
    pub by_name: String,
    /// When.
    pub at: jiff::Timestamp,
    /// Nobody can approve it from then on.
    pub expires: jiff::Timestamp,
    /// What. A number counted by hand is shown as 0 until it is done: counts are blind.
    pub act: Act,
    /// Digest over the act; an approval must name it. See [`Act::digest`].
    pub digest: Digest,
    /// Requisition number of the sale it is about, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requisition: Option<String>,
    /// Where it stands.
    pub state: ProposalState,
    /// Name of whoever approved or refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

/// What of a branch waits for two people (`GET /v1/custody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustodyView {
    /// The signer.
    pub staff: StaffId,
    /// The signer's name.
    pub name: String,
    /// The signer's last request number; the next is above it.
    pub sequence: u64,
    /// Proposals that wait, then lately decided ones, both newest first.
    pub proposals: Vec<ProposalView>,
    /// Forms nobody knows about, frozen (I6), and forms of suspended sales whose
    /// outcome was never heard.
    pub unknown: Vec<UnknownView>,
    /// Slots locked after a mismatch.
    pub locked: Vec<LockedView>,
    /// Suspended sales.
    pub suspended: Vec<SuspendedView>,
}

/// An unknown form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnknownView {
    /// Which.
    pub number: BillNumber,
    /// The sale it was for.
    pub sale: SaleId,
    /// Requisition number of that sale.
    pub requisition: String,
    /// The kiosk it was in.
    pub kiosk: KioskId,
    /// The form was given to that sale; a number only read in another's place was not.
    pub given: bool,
}

/// A locked slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LockedView {
    /// Which kiosk.
    pub kiosk: KioskId,
    /// Which slot.
    pub slot: SlotId,
    /// What it is for.
    pub kind: BillKind,
    /// The number the books expect at its head.
    pub head: Option<BillNumber>,
}

/// A sale that staff must finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuspendedView {
    /// Which.
    pub sale: SaleId,
    /// Its state.
    pub state: SaleState,
    /// Requisition number.
    pub requisition: String,
    /// The kiosk.
    pub kiosk: KioskId,
    /// Forms not settled yet.
    pub open: u32,
}
