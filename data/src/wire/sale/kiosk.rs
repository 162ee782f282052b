//! What a kiosk learns about itself (`GET /v1/kiosk`).

use serde::{Deserialize, Serialize};

use super::{PurchaseMode, SaleView};
use crate::bill::BillKind;
use crate::ids::{BranchId, KioskId, SlotId};
use crate::sealed::SealKey;
use crate::wire::Digest;

/// `GET /v1/kiosk`: who am I, what was I doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KioskView {
    /// The signer.
    pub kiosk: KioskId,
    /// Its branch.
    pub branch: BranchId,
    /// Name of the branch, as printed.
    pub branch_name: String,
    /// Modes this kiosk offers.
    pub modes: Vec<PurchaseMode>,
    /// The backend's sealing key, hex of 32 bytes.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub seal_key: String,
    /// The sale in progress, if any.
    pub open_sale: Option<SaleView>,
    /// What the books say lies in each slot.
    pub slots: Vec<SlotView>,
    /// Largest sequence number the backend saw from this kiosk.
    pub sequence: u64,
    /// Head of the evidence log: size and root; the kiosk refuses a shrunk log.
    pub checkpoint: Checkpoint,
}

impl KioskView {
    /// The sealing key, if well-formed.
    pub fn sealing_key(&self) -> Option<SealKey> {
        crate::wire::unhex(&self.seal_key)
            .and_then(|b| b.try_into().ok())
            .map(SealKey)
    }
}

/// One feed slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotView {
    /// Which slot.
    pub slot: SlotId,
    /// What it holds.
    pub kind: BillKind,
    /// Forms left.
    pub count: u32,
    /// Locked after a mismatch until staff look.
    pub locked: bool,
}

/// Head of the evidence log (C2SP tlog-checkpoint).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// RFC 6962 root hash.
    pub root: Digest,
    /// Signed note text (origin, size, root, signature line).
    pub note: String,
}
