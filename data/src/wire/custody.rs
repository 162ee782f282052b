//! Custody by people (重要空白凭证的双人管理): what two members of staff do with blanks.
//!
//! One person proposes an [`Act`], another approves exactly that act by its
//! digest; each signs with a key of their own, so that nobody can be two people
//! (domain K8, K9). The same acts are typed at `counterfoil-backend custody`.

mod view;

use serde::{Deserialize, Serialize};

pub use view::*;

use super::Digest;
use crate::bill::{BillKind, BillNumber, BillRange};
use crate::ids::{BranchId, KioskId, SaleId, SlotId, StaffId};

/// Longest text of what was seen, in characters.
pub const SEEN_MAX: usize = 200;

/// Name of the event that tells staff to read `GET /v1/custody` anew.
pub const CUSTODY_EVENT: &str = "custody";

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
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 200, pattern = "\\S")
        )]
        seen: String,
    },
    /// Missing blanks were found; they go to the vault.
    Find {
        /// Whose vault.
        branch: BranchId,
        /// Which.
        range: BillRange,
        /// What was seen.
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 200, pattern = "\\S")
        )]
        seen: String,
    },
    /// An unknown form is settled.
    Resolve {
        /// Which form.
        number: BillNumber,
        /// What it turned out to be.
        to: Resolved,
        /// What was seen.
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 200, pattern = "\\S")
        )]
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
        #[cfg_attr(
            feature = "openapi",
            schema(min_length = 1, max_length = 200, pattern = "\\S")
        )]
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

impl Act {
    /// Its word on the wire.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Announce { .. } => "announce",
            Self::Receive { .. } => "receive",
            Self::Dispatch { .. } => "dispatch",
            Self::Accept { .. } => "accept",
            Self::Load { .. } => "load",
            Self::Unload { .. } => "unload",
            Self::Unlock { .. } => "unlock",
            Self::Count { .. } => "count",
            Self::Miss { .. } => "miss",
            Self::Find { .. } => "find",
            Self::Resolve { .. } => "resolve",
            Self::Void { .. } => "void",
            Self::Destroy { .. } => "destroy",
            Self::Return { .. } => "return",
            Self::Mark { .. } => "mark",
            Self::Close { .. } => "close",
        }
    }

    fn counted(&mut self) -> Option<&mut u32> {
        match self {
            Self::Receive { count, .. }
            | Self::Dispatch { count, .. }
            | Self::Accept { count, .. } => Some(count),
            Self::Count { counted, .. } => Some(counted),
            _ => None,
        }
    }

    /// What was counted by hand, for acts that have a count.
    pub fn count(&self) -> Option<u32> {
        self.clone().counted().copied()
    }

    /// The act without what was counted: the second person counts blind.
    pub fn blind(&self) -> Self {
        let mut blind = self.clone();
        if let Some(count) = blind.counted() {
            *count = 0;
        }
        blind
    }

    /// The numbers it is about, where it names any.
    pub fn range(&self) -> Option<BillRange> {
        match self {
            Self::Announce { range, .. }
            | Self::Receive { range, .. }
            | Self::Dispatch { range, .. }
            | Self::Accept { range, .. }
            | Self::Load { range, .. }
            | Self::Miss { range, .. }
            | Self::Find { range, .. }
            | Self::Void { range }
            | Self::Destroy { range }
            | Self::Return { range, .. }
            | Self::Mark { range, .. } => Some(*range),
            Self::Resolve { number, .. } => Some(BillRange::single(*number)),
            Self::Unload { .. } | Self::Unlock { .. } | Self::Count { .. } | Self::Close { .. } => {
                None
            }
        }
    }

    /// What somebody saw, in their own words.
    pub fn seen(&self) -> Option<&str> {
        match self {
            Self::Miss { seen, .. }
            | Self::Find { seen, .. }
            | Self::Resolve { seen, .. }
            | Self::Return { seen, .. } => Some(seen),
            _ => None,
        }
    }

    /// Digest over the JSON of the [`blind`](Self::blind) act: what the second person
    /// approves. The count is compared apart, and cannot be tried out on this digest.
    pub fn digest(&self) -> Digest {
        let text = serde_json::to_string(&self.blind()).unwrap_or_default();
        Digest::of(format!("counterfoil/v1/custody\n{text}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(count: u32) -> Act {
        Act::Receive {
            branch: "branch-1".parse().expect("an id"),
            range: BillRange::single("3130002100010001".parse().expect("a number")),
            count,
        }
    }

    #[test]
    fn the_digest_binds_the_act_and_tells_nothing_of_a_count() {
        assert_eq!(receive(3).digest(), receive(4).digest());
        assert_eq!(
            (receive(3).count(), receive(3).blind().count()),
            (Some(3), Some(0))
        );
        let resolve = |seen: &str, to| Act::Resolve {
            number: "3130002100010001".parse().expect("a number"),
            to,
            seen: seen.to_owned(),
        };
        let one = resolve("in the bin", Resolved::Retracted);
        assert_ne!(
            one.digest(),
            resolve("in the tray", Resolved::Retracted).digest()
        );
        assert_ne!(one.digest(), resolve("in the bin", Resolved::Sold).digest());
        assert_ne!(one.digest(), receive(1).digest());
        assert_eq!(one.count(), None);
    }

    #[test]
    fn the_word_of_an_act_is_its_tag() {
        let json = serde_json::to_value(receive(1)).expect("serialises");
        assert_eq!(json["act"], receive(1).word());
    }
}
