//! What is wrong with what a command says.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What is wrong with a command's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Malformed {
    /// No item, too many items, or a kind twice.
    #[error("order 1 to 8 kinds, each once")]
    Items,
    /// A quantity is 0 or the sum is over the limit.
    #[error("order 1 to 200 forms")]
    Quantity,
    /// Too few or too many advices.
    #[error("send 1 to 64 advices")]
    Advices,
    /// A note is too long.
    #[error("a note is at most 200 characters")]
    Note,
    /// A question, or what was seen, is empty.
    #[error("say it in 1 to 200 characters")]
    Unsaid,
    /// Info of another mode than the sale's.
    #[error("this is not the purchase mode the sale was opened with")]
    Mode,
    /// Already enrolled, or enrolled with other content.
    #[error("enrolled already")]
    Enrolled,
    /// A limit of enrolment is broken.
    #[error("an enrolment is over its limit")]
    Limit,
    /// A station's officer is of another branch or has another duty.
    #[error("a station's officer must be a confirming officer of its branch")]
    Officer,
    /// Another policy under a version that was in force, or an older one.
    #[error("version {held} of the policy is in force: give the new one a higher version")]
    PolicyVersion {
        /// The version in force.
        held: u32,
    },
    /// A rule is switched off that there is not, or that must be on.
    #[error("rules_off names a rule that there is not or that must be on: see the table of rules")]
    RuleOff,
    /// Another fee for a day that has begun.
    #[error("the fee from {from} on is in force already: give the new one from a later date")]
    FeeInForce {
        /// Its first day.
        from: Date,
    },
    /// A calendar contradicts itself.
    #[error("a calendar has each date once, and opens no later than it closes")]
    Calendar,
    /// A list older than the one in force.
    #[error("a list of {held} is in force: give one of that date or a later one")]
    ListOlder {
        /// The date of the list in force.
        held: Date,
    },
    /// A unit's credit code breaks its rule of form.
    #[error("a unified social credit code is wrong: compare with the business licence")]
    UnitCode,
    /// Prints are replaced by the wrong people.
    #[error("prints are replaced by a supervisor and an officer or teller of the same branch")]
    PrintsPeople,
    /// Prints of no finger, or of one finger twice.
    #[error("enrol 1 to 4 fingers, each once, with 1 to 5 impressions")]
    Fingers,
    /// Roles that one person must not have together.
    #[error("one person must not have these roles together: see `rules --matrix`")]
    Roles,
    /// The wrong people give an account.
    #[error(
        "two people of the branch give an account, each security administrator or supervisor, \
         and neither of them the account's owner"
    )]
    StaffPeople,
    /// Somebody new without a name, or somebody enrolled with one.
    #[error("give a name and a key only to somebody new; everybody else is of this branch")]
    StaffNamed,
    /// A key belongs to another member of staff.
    #[error("this key is another person's: everybody needs a key of their own")]
    KeyTaken,
}
