//! What a kiosk learns about itself (`GET /v1/kiosk`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{PurchaseMode, SaleView};
use crate::bill::BillKind;
use crate::ids::{BranchId, KioskId, SlotId};
use crate::sealed::SealKey;
use crate::wire::{Digest, hex, unhex};

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
    /// What the books make of the log this kiosk saw; it sells only where they agree or
    /// were reconciled. A backend that does not say compares nothing.
    #[serde(default)]
    pub witness: Witness,
}

impl KioskView {
    /// The sealing key, if well-formed.
    pub fn sealing_key(&self) -> Option<SealKey> {
        unhex(&self.seal_key)
            .and_then(|b| b.try_into().ok())
            .map(SealKey)
    }
}

/// The largest evidence log a kiosk has seen: what makes books that were put back to an
/// earlier day visible. In `GET /v1/kiosk?seen=` as [`fmt::Display`] writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TreeSeen {
    /// Leaves.
    pub size: u64,
    /// RFC 6962 root hash.
    pub root: Digest,
}

impl fmt::Display for TreeSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.size, hex(&self.root.0))
    }
}

/// Not a size, a hyphen and 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree seen is written SIZE-ROOT: a number and 64 lower-case hex digits")]
pub struct TreeSeenError;

impl FromStr for TreeSeen {
    type Err = TreeSeenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (size, root) = text.split_once('-').ok_or(TreeSeenError)?;
        let size = size.parse().map_err(|_| TreeSeenError)?;
        let root = unhex(root).and_then(|bytes| bytes.try_into().ok());
        let seen = Self {
            size,
            root: Digest(root.ok_or(TreeSeenError)?),
        };
        // One text for one value: it is signed.
        (seen.to_string() == text)
            .then_some(seen)
            .ok_or(TreeSeenError)
    }
}

/// What the books make of the log a kiosk saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// It is the beginning of theirs, or the kiosk said nothing and need not.
    #[default]
    Agrees,
    /// It was not, and two people have reconciled the kiosk: theirs counts from now on.
    Settled,
    /// The kiosk saw a log that is not in these books: they were put back.
    Behind,
    /// The books were restored and the kiosk has not said what it saw.
    Unreported,
}

impl Witness {
    /// Whether the kiosk may sell.
    pub fn sells(self) -> bool {
        matches!(self, Self::Agrees | Self::Settled)
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
