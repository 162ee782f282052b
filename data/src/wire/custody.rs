//! Custody by people (重要空白凭证的双人管理): what two members of staff do with blanks.
//!
//! One person proposes an [`Act`], another approves exactly that act by its
//! digest; each signs with a key of their own, so that nobody can be two people
//! (domain K8, K9). The same acts are typed at `counterfoil-backend custody`.

use serde::{Deserialize, Serialize};

use super::Digest;
use super::sale::SaleState;
use crate::bill::{BillKind, BillNumber, BillRange};
use crate::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};

/// Longest text of what was seen, in characters.
pub const SEEN_MAX: usize = 200;

/// Who holds blanks that are in nobody's kiosk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "at", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Holder {
    /// A branch's vault (库房).
    Vault {
        /// Which branch.
        branch: BranchId,
    },
    /// A teller's box (尾箱).
    TellerBox {
        /// Which branch.
        branch: BranchId,
        /// Whose box.
        teller: StaffId,
    },
}

impl Holder {
    /// The branch it belongs to.
    pub fn branch(&self) -> &BranchId {
        match self {
            Self::Vault { branch } | Self::TellerBox { branch, .. } => branch,
        }
    }
}

/// What an unknown form turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Resolved {
    /// The customer has it.
    Sold,
    /// Damaged or misprinted.
    Spoiled,
    /// In the retract bin, or handed back.
    Retracted,
    /// Nowhere.
    Missing,
}

/// What happened to a sold form afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Payment stopped (止付).
    Stopped,
    /// Reported lost (挂失).
    ReportedLost,
    /// Paid (已付): no longer unused.
    Paid,
}

/// One act of two people. The words are the events of the blank's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// The printing works or the head office announced a lot.
    Announce {
        /// For whose vault.
        branch: BranchId,
        /// First and last number, as announced.
        range: BillRange,
    },
    /// Blanks arrived; announced ones, or (noted) unannounced ones.
    Receive {
        /// Into whose vault.
        branch: BranchId,
        /// First and last number, as read from the bundle.
        range: BillRange,
        /// How many were counted by hand.
        count: u32,
    },
    /// Blanks leave a holder for another.
    Dispatch {
        /// Where they are.
        from: Holder,
        /// Where they go.
        to: Holder,
        /// Which.
        range: BillRange,
        /// How many were counted by hand.
        count: u32,
    },
    /// Blanks arrived at the holder they were sent to.
    Accept {
        /// Where they arrived.
        to: Holder,
        /// First and last number, as read from the bundle.
        range: BillRange,
        /// How many were counted by hand.
        count: u32,
    },
    /// Blanks from the branch's vault go behind what a slot holds.
    Load {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
        /// Which numbers, in feed order.
        range: BillRange,
    },
    /// Everything out of a slot, back to the vault; unlocks it.
    Unload {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// A locked slot was looked at and found in order.
    Unlock {
        /// Which kiosk.
        kiosk: KioskId,
        /// Which slot.
        slot: SlotId,
    },
    /// Blanks of a holder were counted (盘点), blind: the books answer only whether it
    /// agrees. Numbers that are not there are reported with [`Act::Miss`].
    Count {
        /// Whose.
        at: Holder,
        /// Which kind.
        kind: BillKind,
        /// How many were found.
        counted: u32,
    },
    /// Blanks on hand are not where the books have them.
    Miss {
        /// Which.
        range: BillRange,
        /// What was seen.
        seen: String,
    },
    /// Missing blanks were found; they go to the vault.
    Find {
        /// Whose vault.
        branch: BranchId,
        /// Which.
        range: BillRange,
        /// What was seen.
        seen: String,
    },
    /// An unknown form is settled.
    Resolve {
        /// Which form.
        number: BillNumber,
        /// What it turned out to be.
        to: Resolved,
        /// What was seen.
        seen: String,
    },
    /// Spoiled or retracted forms were cut at the corner (剪角).
    Void {
        /// Which.
        range: BillRange,
    },
    /// Voided forms were destroyed (销毁).
    Destroy {
        /// Which.
        range: BillRange,
    },
    /// A customer gave sold, unused forms back (K12); cut at once.
    Return {
        /// Which.
        range: BillRange,
        /// What was seen.
        seen: String,
    },
    /// The core bank or the customer reported something of sold forms.
    Mark {
        /// Which.
        range: BillRange,
        /// What.
        mark: Mark,
    },
    /// A suspended sale whose forms are all settled is closed.
    Close {
        /// Which sale.
        sale: SaleId,
    },
}

/// `POST /v1/custody`: one person proposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What the two of them do.
    pub act: Act,
}

/// `POST /v1/custody/{proposal}/approve|refuse`: another person decides about exactly
/// the act whose digest is named; the proposer may `refuse` (take back) it, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Of the act looked at.
    pub digest: Digest,
    /// The approver's own count, for acts that have one; it must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

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
    /// When.
    pub at: jiff::Timestamp,
    /// What. Of a count, `counted` is shown as 0 until it is done: counts are blind.
    pub act: Act,
    /// Digest over the act; an approval must name it.
    pub digest: Digest,
    /// Where it stands.
    pub state: ProposalState,
}

/// What of a branch waits for two people (`GET /v1/custody`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustodyView {
    /// The signer.
    pub staff: StaffId,
    /// Proposals that wait, and lately decided ones, newest first.
    pub proposals: Vec<ProposalView>,
    /// Forms nobody knows about, frozen (I6).
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

impl Act {
    /// Digest over the act's JSON: what the second person approves.
    pub fn digest(&self) -> Digest {
        let text = serde_json::to_string(self).unwrap_or_default();
        Digest::of(format!("counterfoil/v1/custody\n{text}\n").as_bytes())
    }
}
