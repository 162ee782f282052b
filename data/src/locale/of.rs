//! Which message stands for a thing of the house. Every match is total, so a new
//! state cannot be forgotten here.

use super::Msg;
use crate::bill::BillKind;
use crate::wire::confirm::ConfirmState;
use crate::wire::custody::{Act, Mark, ProposalState, Resolved};
use crate::wire::forms::FormState;
use crate::wire::problem::Remedy;
use crate::wire::sale::{FingerPosition, PurchaseMode, SaleState};

impl From<BillKind> for Msg {
    fn from(kind: BillKind) -> Self {
        match kind {
            BillKind::CashCheque => Self::KindCashCheque,
            BillKind::TransferCheque => Self::KindTransferCheque,
            BillKind::SorterCheque => Self::KindSorterCheque,
            BillKind::BankDraft => Self::KindBankDraft,
            BillKind::BankAcceptance => Self::KindBankAcceptance,
            BillKind::CommercialAcceptance => Self::KindCommercialAcceptance,
            BillKind::PromissoryNote => Self::KindPromissoryNote,
            BillKind::PromissoryNoteSorter => Self::KindPromissoryNoteSorter,
        }
    }
}

impl From<PurchaseMode> for Msg {
    fn from(mode: PurchaseMode) -> Self {
        match mode {
            PurchaseMode::SettlementCard => Self::ModeSettlementCard,
            PurchaseMode::PaymentPassword => Self::ModePaymentPassword,
        }
    }
}

impl From<FingerPosition> for Msg {
    fn from(finger: FingerPosition) -> Self {
        match finger {
            FingerPosition::RightThumb => Self::FingerRightThumb,
            FingerPosition::RightIndex => Self::FingerRightIndex,
            FingerPosition::RightMiddle => Self::FingerRightMiddle,
            FingerPosition::RightRing => Self::FingerRightRing,
            FingerPosition::RightLittle => Self::FingerRightLittle,
            FingerPosition::LeftThumb => Self::FingerLeftThumb,
            FingerPosition::LeftIndex => Self::FingerLeftIndex,
            FingerPosition::LeftMiddle => Self::FingerLeftMiddle,
            FingerPosition::LeftRing => Self::FingerLeftRing,
            FingerPosition::LeftLittle => Self::FingerLeftLittle,
        }
    }
}

impl From<Remedy> for Msg {
    fn from(remedy: Remedy) -> Self {
        match remedy {
            Remedy::Retry => Self::RemedyRetry,
            Remedy::ChangeOrder => Self::RemedyChangeOrder,
            Remedy::OtherFinger => Self::RemedyOtherFinger,
            Remedy::Restart => Self::RemedyRestart,
            Remedy::CallStaff => Self::RemedyCallStaff,
            Remedy::OutOfService => Self::RemedyOutOfService,
        }
    }
}

impl From<FormState> for Msg {
    fn from(state: FormState) -> Self {
        match state {
            FormState::Assigned => Self::FormAssigned,
            FormState::Feeding => Self::FormFeeding,
            FormState::Printed => Self::FormPrinted,
            FormState::Presented => Self::FormPresented,
            FormState::Sold => Self::FormSold,
            FormState::Spoiled => Self::FormSpoiled,
            FormState::Retracted => Self::FormRetracted,
            FormState::Unknown => Self::FormUnknown,
            FormState::Released => Self::FormReleased,
        }
    }
}

impl From<&Act> for Msg {
    fn from(act: &Act) -> Self {
        match act {
            Act::Announce { .. } => Self::CustodyActAnnounce,
            Act::Receive { .. } => Self::CustodyActReceive,
            Act::Dispatch { .. } => Self::CustodyActDispatch,
            Act::Accept { .. } => Self::CustodyActAccept,
            Act::Load { .. } => Self::CustodyActLoad,
            Act::Unload { .. } => Self::CustodyActUnload,
            Act::Unlock { .. } => Self::CustodyActUnlock,
            Act::Count { .. } => Self::CustodyActCount,
            Act::Miss { .. } => Self::CustodyActMiss,
            Act::Find { .. } => Self::CustodyActFind,
            Act::Resolve { .. } => Self::CustodyActResolve,
            Act::Void { .. } => Self::CustodyActVoid,
            Act::Destroy { .. } => Self::CustodyActDestroy,
            Act::Return { .. } => Self::CustodyActReturn,
            Act::Mark { .. } => Self::CustodyActMark,
            Act::Close { .. } => Self::CustodyActClose,
        }
    }
}

impl From<Resolved> for Msg {
    fn from(to: Resolved) -> Self {
        match to {
            Resolved::Sold => Self::CustodySold,
            Resolved::Spoiled => Self::CustodySpoiled,
            Resolved::Retracted => Self::CustodyRetracted,
            Resolved::Missing => Self::CustodyMissing,
        }
    }
}

impl From<Mark> for Msg {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Stopped => Self::CustodyMarkStopped,
            Mark::ReportedLost => Self::CustodyMarkLost,
            Mark::Paid => Self::CustodyMarkPaid,
        }
    }
}

impl From<ProposalState> for Msg {
    fn from(state: ProposalState) -> Self {
        match state {
            ProposalState::Open => Self::CustodyOpen,
            ProposalState::Done => Self::CustodyDone,
            ProposalState::Refused => Self::CustodyRefused,
            ProposalState::Expired => Self::CustodyExpired,
        }
    }
}

impl From<ConfirmState> for Msg {
    fn from(state: ConfirmState) -> Self {
        match state {
            ConfirmState::Identity => Self::ConfirmIdentity,
            ConfirmState::Shown => Self::ConfirmShown,
            ConfirmState::Seen => Self::ConfirmSeen,
            ConfirmState::Confirmed => Self::ConfirmConfirmed,
            ConfirmState::Denied => Self::ConfirmDenied,
            ConfirmState::TimedOut => Self::ConfirmTimedOut,
            ConfirmState::Asked => Self::ConfirmAsked,
            ConfirmState::Withdrawn => Self::ConfirmWithdrawn,
        }
    }
}

/// A sale in the few words an officer needs.
impl From<SaleState> for Msg {
    fn from(state: SaleState) -> Self {
        match state {
            SaleState::Opened
            | SaleState::InfoVerified
            | SaleState::IdentityVerified
            | SaleState::Ordered
            | SaleState::AwaitConfirm
            | SaleState::Confirmed => Self::SaleRunning,
            SaleState::Linked => Self::SaleLinked,
            SaleState::Dispensing => Self::SaleDispensing,
            SaleState::Closed => Self::SaleClosed,
            SaleState::Refused | SaleState::Denied | SaleState::Cancelled | SaleState::Expired => {
                Self::SaleEnded
            }
            SaleState::Suspended => Self::SaleSuspended,
        }
    }
}

/// What the customer reads where rule `id` refused; a rule this build does not
/// know gets a plain sentence, never its id.
pub fn rule_message(id: &str) -> Msg {
    match id {
        "account-not-normal" => Msg::RuleAccountNotNormal,
        "kind-not-allowed" => Msg::RuleKindNotAllowed,
        "mandate-expired" => Msg::RuleMandateExpired,
        "sale-cap" => Msg::RuleSaleCap,
        "day-cap" => Msg::RuleDayCap,
        "account-day-cap" => Msg::RuleAccountDayCap,
        "unused-cap" => Msg::RuleUnusedCap,
        "stock-short" => Msg::RuleStockShort,
        "closed-hours" => Msg::RuleClosedHours,
        "closed-day" => Msg::RuleClosedDay,
        "licence-expired" => Msg::RuleLicenceExpired,
        "blacklisted" => Msg::RuleBlacklisted,
        "blacklist-stale" => Msg::RuleBlacklistStale,
        "bounced" => Msg::RuleBounced,
        "document-expired" => Msg::RuleDocumentExpired,
        "not-agent-of-unit" => Msg::RuleNotAgentOfUnit,
        "card-not-proven" => Msg::RuleCardNotProven,
        "card-unknown" => Msg::RuleCardUnknown,
        "password-unknown" => Msg::RulePasswordUnknown,
        "locked" => Msg::RuleLocked,
        "balance-short" => Msg::RuleBalanceShort,
        "citizen-check" => Msg::RuleCitizenCheck,
        "finger-mismatch" => Msg::RuleFingerMismatch,
        "second-finger" => Msg::RuleSecondFinger,
        "one-finger" => Msg::RuleOneFinger,
        "enrol-again" => Msg::RuleEnrolAgain,
        _ => Msg::RuleOther,
    }
}
