//! Why people are refused at blanks, and at what they propose to each other.

use counterfoil_data::wire::problem::ProblemKind;
use serde::{Deserialize, Serialize};

/// Why stock refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum StockRefusal {
    /// Some of these numbers are in the books already (I1).
    #[error("some of these numbers are in the books already")]
    Overlap,
    /// First, last and count do not agree.
    #[error("first and last make {by_numbers} forms, counted were {counted}: count again")]
    Count {
        /// From first to last.
        by_numbers: u32,
        /// By hand.
        counted: u32,
    },
    /// These numbers are not (all) where they would be taken from.
    #[error("these numbers are not all there: count again")]
    NotThere,
    /// Two different people are needed, both custodians of the branch.
    #[error("two different custodians of this branch are needed")]
    TwoPeople,
    /// The slot holds another kind.
    #[error("the slot is for another kind")]
    OtherKind,
    /// A sale is being dispensed from this kiosk.
    #[error("a sale is in progress at this kiosk: wait until it is over")]
    KioskBusy,
    /// The slot's queue would have too many pieces.
    #[error("the slot holds too many separate ranges: unload it first")]
    TooManyPieces,
    /// The form is not unknown.
    #[error("this form is not unknown")]
    NotUnknown,
    /// The form was never given to a sale.
    #[error("this form was never given to a customer: say where it is, or that it is missing")]
    NeverGiven,
    /// This slot is not locked.
    #[error("this slot is not locked")]
    NotLocked,
    /// A teller's box is opened only with its teller.
    #[error("a teller's box needs that teller and a custodian of the branch")]
    BoxPeople,
    /// Nobody of that name has a box there.
    #[error("no teller of that branch has this box: name the teller it is handed to")]
    NoBox,
    /// From and to are the same.
    #[error("they are there already: name another keeper")]
    SameKeeper,
    /// Not blanks on hand.
    #[error("these numbers are not on hand: only blanks on hand can be missed")]
    NotOnHand,
    /// Not missing.
    #[error("these numbers are not missing")]
    NotMissing,
    /// Not spoiled or retracted.
    #[error("only spoiled or retracted forms are cut: name forms of one sale at a time")]
    NotSpoiled,
    /// Not cut.
    #[error("only cut forms are destroyed: cut them first")]
    NotVoided,
    /// Not sold.
    #[error("these numbers are not sold by one sale: name forms of one sale at a time")]
    NotSold,
    /// Paid already.
    #[error("some of these forms are paid already")]
    Paid,
    /// Stopped or lost.
    #[error("some of these forms are stopped or reported lost: they are not to be paid")]
    Barred,
    /// Noted already.
    #[error("this is noted of some of these forms already")]
    Marked,
    /// A supervisor must be there.
    #[error("a supervisor must be one of the two")]
    Supervisor,
    /// Too many for one act.
    #[error("name at most 1000 forms in one act")]
    TooMany,
    /// The kiosk sells, or never had to report.
    #[error("there is nothing to reconcile at this kiosk")]
    NothingToReconcile,
    /// The clock is not behind the records.
    #[error("the clock is not behind the newest record: there is nothing to accept")]
    ClockNotBehind,
}

/// Why a proposal is not accepted, approved or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ProposalRefusal {
    /// The same act is proposed already.
    #[error("the same is proposed already: open that proposal")]
    Twice,
    /// Too many wait.
    #[error("too many proposals wait: decide about those first")]
    TooMany,
    /// The digest is not of this act.
    #[error("this is not what was proposed: look at it again")]
    StaleDigest,
    /// Whoever proposed cannot approve.
    #[error("you proposed it: another person must approve it, at a terminal of their own")]
    SamePerson,
    /// An act with a count was approved without one.
    #[error("count yourself and send your own count")]
    Uncounted,
    /// The two counts differ.
    #[error("the two counts differ: refuse this, count again and propose anew")]
    CountsDiffer,
    /// Approved or refused already.
    #[error("it is decided already: look at it again")]
    Decided,
    /// Nobody approved in time.
    #[error("nobody approved it in time: look again and propose anew")]
    Expired,
}

impl ProposalRefusal {
    /// The problem type it is on the wire.
    pub fn problem(self) -> ProblemKind {
        match self {
            Self::StaleDigest => ProblemKind::StaleDigest,
            Self::Decided | Self::Expired => ProblemKind::OutOfOrder,
            Self::Uncounted => ProblemKind::Malformed,
            Self::Twice | Self::TooMany | Self::SamePerson | Self::CountsDiffer => {
                ProblemKind::Refused
            }
        }
    }
}
