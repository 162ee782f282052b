//! Ports: what lies outside the house, as traits with embedded stand-ins.
//!
//! Each port is one trait and one embedded implementation that is good enough for
//! a demonstration and for tests. What leaves the house goes through the outbox
//! and [`crate::service::Service::relay`], at least once, so every call carries a
//! number under which a repeat is recognised.

mod embedded;

use std::rc::Rc;
use std::sync::Arc;

use counterfoil_data::bill::BillRange;
use counterfoil_data::money::Fen;
use counterfoil_data::seam::Local;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::DocumentFields;

pub use crate::core::record::books::Bar;
use crate::workers::Bench;
pub use embedded::{Embedded, EmbeddedChecks};

/// A port did not take a call; it will be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Not reachable now.
    #[error("{0} cannot be reached: the call is repeated later")]
    Unreachable(&'static str),
}

/// A fee to book in the core bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeBooking {
    /// Number of the ledger entry; a repeat books nothing twice.
    pub entry: u64,
    /// Account number.
    pub account: String,
    /// Positive = take, negative = give back.
    pub amount: Fen,
}

/// A message to a unit's contact (S23): facts only, the text is the carrier's.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactNotice {
    /// Name of the contact.
    pub name: String,
    /// Telephone.
    pub phone: String,
    /// Requisition number (领用单号).
    pub requisition: String,
    /// Forms sold.
    pub count: u32,
    /// Fee taken.
    pub fee: Fen,
}

/// Numbers an account got, or that are not to be paid any more (positive issue feed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Account number.
    pub account: String,
    /// Ranges.
    pub ranges: Vec<BillRange>,
    /// Why they are not to be paid; `None`: they were issued.
    pub barred: Option<Bar>,
}

/// The core bank's accounts (the embedded ledger holds the truth by default).
pub trait Accounts {
    /// Books a fee; idempotent by entry.
    fn book(&self, booking: FeeBooking) -> Local<'_, Result<(), PortError>>;
}

/// Messages to unit contacts.
pub trait ContactMessage {
    /// Sends one; idempotent by outbox number.
    fn tell(&self, number: u64, notice: ContactNotice) -> Local<'_, Result<(), PortError>>;
}

/// Clearing: learns which numbers were issued to whom.
pub trait Clearing {
    /// Tells one issue; idempotent by outbox number.
    fn tell(&self, number: u64, issue: Issue) -> Local<'_, Result<(), PortError>>;
}

/// Verifies card PINs (PM1); an issuer's HSM in production.
pub trait PinVerifier: Send + Sync {
    /// Whether `pin` is the one stored; without a stored one the same work is done.
    fn verify(&self, bench: &mut Bench, pin: &Secret<String>, stored: Option<&str>) -> bool;
}

/// Verifies payment passwords (支付密码, PM2).
pub trait PaymentCipher: Send + Sync {
    /// Whether `password` is the one stored; without one the same work is done.
    fn verify(&self, bench: &mut Bench, password: &Secret<String>, stored: Option<&str>) -> bool;
}

/// Asks the issuer's host about a settlement card that cannot prove itself (PM1);
/// called inside a worker, where the number is open.
pub trait CardHost: Send + Sync {
    /// Whether the host confirms that this card, as it lies in the reader, is no copy.
    fn confirms(&self, card: &Secret<String>) -> bool;
}

/// Four answers of the online citizen check (联网核查).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CitizenCheckResult {
    /// Number and name match, photo on file.
    MatchWithPhoto,
    /// Number and name match, no photo.
    MatchWithoutPhoto,
    /// The number exists under another name.
    NameDiffers,
    /// No such number.
    NotFound,
}

/// Asks the citizen register; called inside a worker, where the fields are open.
pub trait CitizenCheck: Send + Sync {
    /// One of four answers, never a bool.
    fn check(&self, document: &DocumentFields) -> CitizenCheckResult;
}

/// What a seal comparison gives (预留印鉴, PM3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealCheckResult {
    /// The impressions agree.
    Agrees,
    /// They do not.
    Differs,
    /// A teller must look.
    TellerMustLook,
}

/// Compares a scanned seal with the reserved one.
pub trait SealCheck: Send + Sync {
    /// Compares a scan with the account's reserved seal.
    fn check(&self, account: &str, scan: &[u8]) -> SealCheckResult;
}

/// All ports of one backend.
#[derive(Clone)]
pub struct Ports {
    /// Core bank.
    pub accounts: Rc<dyn Accounts>,
    /// Unit contacts.
    pub contact: Rc<dyn ContactMessage>,
    /// Positive issue feed.
    pub clearing: Rc<dyn Clearing>,
    /// PINs.
    pub pins: Arc<dyn PinVerifier>,
    /// Settlement cards that cannot prove themselves.
    pub cards: Arc<dyn CardHost>,
    /// Payment passwords.
    pub ciphers: Arc<dyn PaymentCipher>,
    /// Citizen register.
    pub citizens: Arc<dyn CitizenCheck>,
    /// Reserved seals.
    pub seals: Arc<dyn SealCheck>,
}

impl Ports {
    /// Embedded stand-ins for everything, and the record of what they were told.
    pub fn embedded() -> (Self, Rc<Embedded>) {
        let outside = Rc::new(Embedded::default());
        let checks = Arc::new(EmbeddedChecks);
        let ports = Self {
            accounts: outside.clone(),
            contact: outside.clone(),
            clearing: outside.clone(),
            pins: checks.clone(),
            cards: checks.clone(),
            ciphers: checks.clone(),
            citizens: checks.clone(),
            seals: checks,
        };
        (ports, outside)
    }
}
