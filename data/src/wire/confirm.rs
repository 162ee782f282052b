//! The confirm station's conversation (第三方设备, S17-S22).

use serde::{Deserialize, Serialize};

use super::Digest;
use super::sale::{OrderItem, SaleState};
use crate::bill::BillRange;
use crate::ids::{KioskId, SaleId};
use crate::money::Fen;

/// Exactly what the officer is asked about and what will be printed.
///
/// The digest binds to [`ConfirmText::canonical`]; change any shown field and
/// the printer driver refuses the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmText {
    /// Name of the account, as printed on every form.
    pub account_name: String,
    /// Account number, as printed on every form.
    pub account: String,
    /// Name of the paying bank, as printed on every form.
    pub bank_name: String,
    /// 12-digit bank number (行号), as printed.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]{12}$"))]
    pub bank_number: String,
    /// Who buys, masked.
    pub agent_masked: String,
    /// The numbers at the cassette's head that will be sold.
    pub ranges: Vec<BillRange>,
    /// Forms in all.
    pub count: u32,
    /// Fee in fen.
    pub fee: Fen,
}

impl ConfirmText {
    /// One line a field, `name=value`, newline-terminated, in declaration order. In a
    /// value a line feed is written `\n` and a backslash `\\`, so that no field can pass
    /// for another: two texts never share a canonical form.
    pub fn canonical(&self) -> String {
        let ranges: Vec<String> = self
            .ranges
            .iter()
            .map(|r| format!("{}-{}", r.first(), r.last()))
            .collect();
        format!(
            "counterfoil/v1/confirm\naccount_name={}\naccount={}\nbank_name={}\nbank_number={}\nagent={}\nranges={}\ncount={}\nfee={}\n",
            in_its_line(&self.account_name),
            in_its_line(&self.account),
            in_its_line(&self.bank_name),
            in_its_line(&self.bank_number),
            in_its_line(&self.agent_masked),
            ranges.join(","),
            self.count,
            self.fee,
        )
    }

    /// SHA-256 over the canonical text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical().as_bytes())
    }
}

fn in_its_line(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\n', "\\n")
}

/// Six digits out of a digest, for two people to compare.
pub fn code(digest: &Digest) -> String {
    let head = digest.0.first_chunk::<4>().copied().unwrap_or_default();
    format!("{:06}", u32::from_be_bytes(head) % 1_000_000)
}

/// State of a confirmation: `Shown → Seen → Confirmed | Denied | TimedOut`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConfirmState {
    /// Identity and contact are shown; no order yet (S19, S20).
    Identity,
    /// The order is shown (S21, S22); not opened yet.
    Shown,
    /// The officer opened it; an audited act.
    Seen,
    /// Confirmed.
    Confirmed,
    /// Denied.
    Denied,
    /// Silence, which is a denial.
    TimedOut,
    /// The officer asked again; the order is open.
    Asked,
    /// The sale ended before a decision.
    Withdrawn,
}

/// One confirmation as its station sees it (`GET /v1/confirmations`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfirmationView {
    /// Named by its sale.
    pub sale: SaleId,
    /// Where the customer stands.
    pub kiosk: KioskId,
    /// Where it stands.
    pub state: ConfirmState,
    /// State of the sale itself.
    pub sale_state: SaleState,
    /// Name of the officer who decided; `null` before, and after silence.
    #[serde(default)]
    pub decided_by: Option<String>,
    /// Who is buying (S19).
    pub identity: IdentityShown,
    /// Whom to ask (S18): from the account record, never from the session.
    pub contact: ContactShown,
    /// What they buy (S21); `null` until ordered.
    pub purchase: Option<PurchaseShown>,
    /// The linked result (S23); `null` until linked.
    pub result: Option<ResultShown>,
}

/// Who stands at the kiosk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityShown {
    /// Name of the agent.
    pub name: String,
    /// First 6 and last 2 of the citizen number.
    pub number_masked: String,
    /// Name of the unit.
    pub unit: String,
    /// The document proved genuine and the finger matched.
    pub verified_at: jiff::Timestamp,
}

/// The unit's own contact (单位联系人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContactShown {
    /// Name.
    pub name: String,
    /// Telephone.
    pub phone: String,
}

/// The order under confirmation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PurchaseShown {
    /// Kinds and quantities.
    pub items: Vec<OrderItem>,
    /// The text the digest binds to.
    pub text: ConfirmText,
    /// Digest over it; a decision must name it.
    pub digest: Digest,
    /// Six digits to compare.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9]{6}$"))]
    pub code: String,
    /// When silence becomes a denial.
    pub deadline: jiff::Timestamp,
}

/// The linked result, shown to the officer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultShown {
    /// Requisition number.
    pub requisition: String,
    /// Numbers linked; what became of them is said below as it happens.
    pub ranges: Vec<BillRange>,
    /// Forms handed over.
    pub sold: Vec<BillRange>,
    /// Forms that came to nothing (spoiled, retracted).
    pub void: Vec<BillRange>,
    /// Forms staff still have to look into.
    pub unknown: Vec<BillRange>,
    /// Forms that were never printed; they are in stock again.
    pub released: Vec<BillRange>,
    /// Fee taken, after reversals.
    pub fee: Fen,
}

/// `POST /v1/confirmations/{id}/confirm|deny|ask|seen`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The digest of the text the officer looked at; a stale one is `409`.
    /// Left out only with `seen` while no order is shown yet.
    pub digest: Option<Digest>,
    /// Reason of a denial, or the question (which must say something); at most
    /// [`NOTE_MAX`] characters.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    pub note: Option<String>,
}

/// Longest note of an officer, in characters.
pub const NOTE_MAX: usize = 200;

/// Name of the event that says: changes may have been missed, fetch everything anew.
/// Its id is where the stream goes on.
pub const RESET_EVENT: &str = "reset";

/// Something changed (`GET /v1/events`); fetch the resource named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Which sale.
    pub sale: SaleId,
    /// Its state after the change.
    pub state: SaleState,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(account_name: &str, account: &str) -> ConfirmText {
        ConfirmText {
            account_name: account_name.to_owned(),
            account: account.to_owned(),
            bank_name: "样例银行".to_owned(),
            bank_number: "313000000016".to_owned(),
            agent_masked: "张**".to_owned(),
            ranges: Vec::new(),
            count: 1,
            fee: Fen(60),
        }
    }

    /// A name with a line feed once gave the digest of another name and account.
    #[test]
    fn no_field_passes_for_another() {
        let one = text("a\naccount=1", "2");
        let two = text("a", "1\naccount=2");
        assert_ne!(one.digest(), two.digest());
        assert_eq!(one.canonical().lines().count(), 9);
        assert_ne!(text("a\\n", "1").digest(), text("a\n", "1").digest());
    }

    #[test]
    fn ordinary_names_stand_as_they_are() {
        let canonical = text("样例机械有限公司", "3130000000000000001").canonical();
        let head = "counterfoil/v1/confirm\naccount_name=样例机械有限公司\naccount=3130";
        assert!(canonical.starts_with(head), "{canonical}");
    }
}
