//! Evidence leaves, encoding version 1: what happened, in bytes that never change.
//!
//! ```text
//! leaf  = version u8 (1) | kind u16 | at i64 (ms since 1970) | field*
//! field = tag u8 | length u16 | bytes          all numbers big-endian
//! ```
//!
//! Fields stand in ascending order of tag (equal tags in the order given), so one
//! leaf has one encoding. Personal data enters only as a salted hash
//! ([`personal`]); the salt is kept apart, and forgetting it erases the person.
//! Once written an encoding never changes; a new meaning is a new kind or a new
//! version. Written by the backend in the commit of the event itself, read by the
//! offline verifier (I8) and the timeline of one number.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::bill::{BillNumber, BillRange};
use crate::ids::SaleId;
use crate::money::Fen;
use crate::wire::Digest;

mod code;
mod personal;
mod signed;

pub use personal::{Personal, personal};
pub use signed::Signed;

/// The encoding's version byte.
pub const LEAF_VERSION: u8 = 1;
/// Longest leaf in bytes.
pub const LEAF_MAX: usize = 4096;
/// Fields in a leaf at most.
pub const FIELDS_MAX: usize = 64;
/// Longest text field in bytes; longer texts are cut at a character.
pub const TEXT_MAX: usize = 512;

/// Why bytes are not a leaf, or a leaf cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Another version than this build reads.
    #[error("leaf version {0} is not known: verify with a newer build")]
    Version(u8),
    /// A kind that no version assigns.
    #[error("leaf kind {0} is not assigned")]
    Kind(u16),
    /// A field tag that this version does not assign.
    #[error("field tag {0} is not assigned")]
    Tag(u8),
    /// A field's bytes do not fit its tag.
    #[error("field {0} is malformed")]
    Field(u8),
    /// Fields out of order, so this is not the one encoding.
    #[error("field {0} is out of order")]
    Order(u8),
    /// Ends in the middle of something.
    #[error("the leaf is cut short")]
    Short,
    /// Over [`LEAF_MAX`] or [`FIELDS_MAX`].
    #[error("the leaf is too large")]
    Large,
}

macro_rules! leaf_kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal;)*) => {
        /// What happened. Codes are part of the encoding and never reused; 59 and 81 are
        /// not assigned.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LeafKind { $($(#[$doc])* $name,)* }

        impl LeafKind {
            /// Every kind, in order of code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number in the encoding.
            pub fn code(self) -> u16 {
                match self { $(Self::$name => $code,)* }
            }

            /// Its stable word, for exports and people.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The kind of a number.
            pub fn from_code(code: u16) -> Result<Self, LeafError> {
                match code { $($code => Ok(Self::$name),)* other => Err(LeafError::Kind(other)) }
            }
        }
    };
}

leaf_kinds! {
    /// The log began.
    BankOpened = 1, "bank-opened";
    /// A unit, account, agent, card, kiosk, station, fee or policy was enrolled.
    Enrolled = 2, "enrolled";
    /// Blanks came into the vault (two people).
    BlanksReceived = 3, "blanks-received";
    /// A cassette was loaded (two people).
    CassetteLoaded = 4, "cassette-loaded";
    /// A cassette was unloaded (two people).
    CassetteUnloaded = 5, "cassette-unloaded";
    /// A slot was locked after a wrong number.
    SlotLocked = 6, "slot-locked";
    /// A slot was unlocked by staff.
    SlotUnlocked = 7, "slot-unlocked";
    /// Blanks were announced (two people).
    BlanksAnnounced = 8, "blanks-announced";
    /// Blanks were handed over (two people).
    BlanksDispatched = 9, "blanks-dispatched";
    /// Blanks handed over were accepted (two people).
    BlanksAccepted = 10, "blanks-accepted";
    /// Blanks were counted (two people).
    BlanksCounted = 11, "blanks-counted";
    /// Blanks are not where they should be (two people).
    BlanksMissing = 12, "blanks-missing";
    /// Missing blanks were found (two people).
    BlanksFound = 13, "blanks-found";
    /// Forms were cut (two people).
    FormsVoided = 14, "forms-voided";
    /// Cut forms were destroyed (two people).
    FormsDestroyed = 15, "forms-destroyed";
    /// A sale was opened (S2).
    SaleOpened = 16, "sale-opened";
    /// An attempt at verification info was counted, before it was judged (S3).
    InfoAttempted = 17, "info-attempted";
    /// Message 1 (S4).
    InfoVerified = 18, "info-verified";
    /// The info was wrong.
    InfoFailed = 19, "info-failed";
    /// A rule refused at the info gate.
    InfoRefused = 20, "info-refused";
    /// An attempt at identity was counted (S10-S12).
    IdentityAttempted = 21, "identity-attempted";
    /// Message 2 (S14).
    IdentityVerified = 22, "identity-verified";
    /// The finger did not match.
    IdentityFailed = 23, "identity-failed";
    /// A rule refused at the identity gate.
    IdentityRefused = 24, "identity-refused";
    /// Kinds and quantities were ordered (S6).
    Ordered = 25, "ordered";
    /// A rule refused the order.
    OrderRefused = 26, "order-refused";
    /// An attempt with a second finger was counted.
    FingerAttempted = 27, "finger-attempted";
    /// A second finger matched, too.
    FingerVerified = 28, "finger-verified";
    /// The second finger did not match, or both together were not enough.
    FingerFailed = 29, "finger-failed";
    /// Shown to the confirming officer (S17-S22).
    ConfirmShown = 32, "confirm-shown";
    /// The officer opened it.
    ConfirmSeen = 33, "confirm-seen";
    /// The officer confirmed, or policy needed nobody.
    Confirmed = 34, "confirmed";
    /// The officer denied.
    Denied = 35, "denied";
    /// The officer asked again.
    Asked = 36, "asked";
    /// The officer was silent, which is a denial.
    ConfirmTimedOut = 37, "confirm-timed-out";
    /// Linked processing (S7, S8): numbers, fee, books, register.
    Linked = 48, "linked";
    /// A form is about to be fed (I5).
    FormFeeding = 49, "form-feeding";
    /// A form was printed (S9).
    FormPrinted = 50, "form-printed";
    /// A form was fed and is of no use.
    FormFailed = 51, "form-failed";
    /// Another number was read.
    FormMismatch = 52, "form-mismatch";
    /// Forms are in the customer's reach.
    FormPresented = 53, "form-presented";
    /// The customer took it: sold.
    FormTaken = 54, "form-taken";
    /// It was not taken.
    FormRetracted = 55, "form-retracted";
    /// Nobody knows; frozen (I6).
    FormUnknown = 56, "form-unknown";
    /// Proven never fed; back at the cassette's head.
    FormReleased = 57, "form-released";
    /// Another number in place of a spoiled one, no second fee.
    FormSupplemented = 58, "form-supplemented";
    /// A payment password was made for each of these forms (L7).
    SheetMade = 60, "sheet-made";
    /// The sheet was given to its kiosk, sealed.
    SheetTaken = 61, "sheet-taken";
    /// The sheet is in the customer's hand; its passwords hold.
    SheetPrinted = 62, "sheet-printed";
    /// No password of the sheet holds.
    SheetCancelled = 63, "sheet-cancelled";
    /// The customer gave up before linking.
    SaleCancelled = 64, "sale-cancelled";
    /// The customer was silent before linking.
    SaleExpired = 65, "sale-expired";
    /// Broken off after linking.
    SaleAbandoned = 66, "sale-abandoned";
    /// Receipt issued (S23).
    SaleClosed = 67, "sale-closed";
    /// Two staff resolved an unknown form.
    UnknownResolved = 80, "unknown-resolved";
    /// A customer gave sold forms back unused (two people).
    FormsReturned = 82, "forms-returned";
    /// Something was reported of sold forms (two people).
    FormsMarked = 83, "forms-marked";
    /// An agent's prints were enrolled; replaced by two people.
    PrintsEnrolled = 84, "prints-enrolled";
    /// One of two people proposed an act of custody.
    CustodyProposed = 96, "custody-proposed";
    /// Another person approved it; the act itself follows in the same commit.
    CustodyApproved = 97, "custody-approved";
    /// Another person refused it, or it was taken back.
    CustodyRefused = 98, "custody-refused";
    /// The books were put back to this earlier log, from a backup.
    BooksRestored = 112, "books-restored";
    /// A kiosk has seen a log that is not in the books: they were put back.
    KioskAhead = 113, "kiosk-ahead";
    /// A kiosk has seen nothing that restored books lack: it sells again.
    KioskReleased = 114, "kiosk-released";
    /// Two people settled what a kiosk did that the books lack: it sells again.
    KioskReconciled = 115, "kiosk-reconciled";
    /// Two people said that the clock is right, though behind the leaf before: the only
    /// leaf that is of an earlier time than the one before it.
    ClockAccepted = 116, "clock-accepted";
    /// A member of staff got an account (two people).
    StaffCreated = 128, "staff-created";
    /// A member of staff got a new first password (two people).
    StaffReset = 129, "staff-reset";
    /// An account of staff got other roles, was disabled or enabled (two people).
    StaffChanged = 130, "staff-changed";
    /// An attempt to log in at a terminal was counted, before it was judged.
    LoginAttempted = 131, "login-attempted";
    /// Somebody logged in at a terminal.
    LoggedIn = 132, "logged-in";
    /// Nobody logged in: the account, its state or the password was wrong.
    LoginFailed = 133, "login-failed";
    /// Somebody gave themselves a new password.
    PasswordChanged = 134, "password-changed";
    /// A session ended.
    SessionEnded = 135, "session-ended";
}

/// One fact in a leaf. Tags 13 and 23 are not assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// 1: who acted: `kiosk:kiosk-1`, `station:station-1/officer-1`, `staff:…`, `system`.
    Actor(String),
    /// 2: the sale.
    Sale(SaleId),
    /// 3: the second of two people.
    Second(String),
    /// 4: the kiosk concerned.
    Kiosk(String),
    /// 5: the slot concerned.
    Slot(String),
    /// 6: what was enrolled or locked, as `unit:jixie`; an id, never a name.
    Subject(String),
    /// 7: a range of numbers; repeated for several.
    Range(BillRange),
    /// 8: one form.
    Number(BillNumber),
    /// 9: the number that was read instead.
    Read(BillNumber),
    /// 10: forms in all.
    Count(u32),
    /// 11: a fee.
    Fee(Fen),
    /// 12: requisition number (领用单号).
    Requisition(String),
    /// 14: id of a rule.
    Rule(String),
    /// 15: version of the rule set.
    RuleVersion(u32),
    /// 16: a stable word for why.
    Reason(String),
    /// 17: a device's own words, for example the completion fence in hex.
    Evidence(String),
    /// 18: whether ink may be on the form.
    Ink(bool),
    /// 19: attempts left.
    AttemptsLeft(u32),
    /// 20: score of a finger comparison, -log10(FMR) in thousandths.
    ScoreMilli(u32),
    /// 21: which engine judged.
    Engine(String),
    /// 22: business date.
    BusinessDate(Date),
    /// 24: a personal datum, hashed with [`personal`].
    Hashed(Personal, Digest),
    /// 25: the state after.
    State(String),
    /// 26: the signer's sequence number.
    Sequence(u64),
    /// 27: the form a supplement stands in for.
    SupplementOf(BillNumber),
    /// 28: the purchase mode (S2).
    Mode(String),
    /// 29: how a card's authenticity is known: `dynamic`, `host`, `unproven`.
    CardProof(String),
    /// 30: leaves of an evidence log.
    TreeSize(u64),
    /// 31: root of an evidence log.
    TreeRoot(Digest),
    /// 32: the signature of the request that it came of.
    Signed(Box<Signed>),
}

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub kind: LeafKind,
    /// When, to the millisecond.
    pub at: Timestamp,
    /// The facts; [`Leaf::encode`] orders them.
    pub fields: Vec<Field>,
}

impl Leaf {
    /// A leaf with no facts yet.
    pub fn new(kind: LeafKind, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            fields: Vec::new(),
        }
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// With a fact, where there is one.
    #[must_use]
    pub fn with_some(mut self, field: Option<Field>) -> Self {
        self.fields.extend(field);
        self
    }

    /// The sale it is about.
    pub fn sale(&self) -> Option<SaleId> {
        self.fields.iter().find_map(|field| match field {
            Field::Sale(sale) => Some(*sale),
            _ => None,
        })
    }

    /// Whether it holds this personal datum, by its salt: how a paper, a receipt or a
    /// text that is at hand is proven to be the one recorded.
    pub fn holds(&self, salt: &[u8; 32], what: Personal, value: &str) -> bool {
        let field = Field::Hashed(what, personal(salt, what, value));
        self.fields.contains(&field)
    }

    /// The numbers it says something about; each number's timeline is these leaves.
    pub fn numbers(&self) -> impl Iterator<Item = BillRange> {
        self.fields.iter().filter_map(|field| match field {
            Field::Range(range) => Some(*range),
            Field::Number(n) | Field::Read(n) | Field::SupplementOf(n) => {
                Some(BillRange::single(*n))
            }
            _ => None,
        })
    }

    /// Whether it says something about `number`.
    pub fn concerns(&self, number: BillNumber) -> bool {
        self.numbers().any(|range| range.contains(number))
    }

    /// The bytes of version 1.
    pub fn encode(&self) -> Result<Vec<u8>, LeafError> {
        code::encode(self)
    }

    /// A leaf out of bytes; refuses everything [`Leaf::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        code::decode(bytes)
    }
}

#[cfg(test)]
mod tests;
