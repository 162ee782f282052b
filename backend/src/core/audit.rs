//! Audit: recomputes the invariants from the books themselves (I1-I3, I6, I8).
//!
//! Owns no repair. Reads every table in pages; memory grows with kiosks, accounts,
//! agents' days and open questions, not with forms. Called by crash tests after every cut and
//! by `counterfoil-backend audit`.

mod held;
mod money;
mod paper;
mod proof;
mod sheet;
mod waiting;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;

use super::key::{self, Table};
use super::record::{Record, decode};
use crate::store::{Key, Read, StoreError, each_row};

/// What was counted while nothing was found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// Forms in the books.
    pub forms: u64,
    /// Rows they take: lots, sales and exceptions.
    pub blank_rows: u64,
    /// Sales ever opened.
    pub sales: u64,
    /// Sales that were linked.
    pub linked: u64,
    /// Forms nobody knows about.
    pub unknown: u64,
    /// Ledger transactions.
    pub entries: u64,
    /// Leaves of the evidence log.
    pub leaves: u64,
}

/// The first thing found wrong.
#[derive(Debug, thiserror::Error)]
pub enum AuditFailure {
    /// The books cannot be read.
    #[error("the books cannot be read")]
    Store(#[from] StoreError),
    /// Two rows hold the same form (I1).
    #[error("form {number} is in two places")]
    Overlap {
        /// Which.
        number: BillNumber,
    },
    /// Two rows that touch are in the same place and were not merged.
    #[error("the row from {number} on should be one with the row before")]
    Unmerged {
        /// First number of the second row.
        number: BillNumber,
    },
    /// A prefix's counters differ from its rows (I1).
    #[error("counters of prefix {prefix:08} differ from its rows")]
    Conservation {
        /// Which prefix.
        prefix: u32,
    },
    /// A slot's queue differs from the blanks that are in it.
    #[error("the queue of a slot differs from the blanks in it, at form {number}")]
    Slot {
        /// A form that differs.
        number: BillNumber,
    },
    /// More blanks are in cassettes than queues hold.
    #[error("{blanks} blanks are in cassettes, queues hold {queued}")]
    Cassettes {
        /// By the blank rows.
        blanks: u64,
        /// By the queues.
        queued: u64,
    },
    /// What a keeper keeps is counted wrongly.
    #[error("a keeper's counter says {counted} forms, the rows make {by_rows}")]
    Kept {
        /// By the counter.
        counted: u64,
        /// By the rows.
        by_rows: u64,
    },
    /// The off-balance account differs from the blanks on hand (I3).
    #[error("off-balance account of prefix {prefix:08} differs from the blanks on hand")]
    OffBalance {
        /// Which prefix.
        prefix: u32,
    },
    /// A ledger transaction does not sum to zero (I3).
    #[error("ledger transaction {entry} does not sum to zero")]
    Unbalanced {
        /// Which.
        entry: u64,
    },
    /// A balance is not the sum of its transactions (I3).
    #[error("a balance differs from its transactions by {by}")]
    Balance {
        /// By how much.
        by: i64,
    },
    /// A linked sale's fee was not taken exactly once, or given back wrongly (I3).
    #[error("the fee of sale {sale} is not right")]
    Fee {
        /// Which.
        sale: SaleId,
    },
    /// A sale is in a state that its gates do not allow (I4).
    #[error("sale {sale} passed a gate it should not have")]
    Gate {
        /// Which.
        sale: SaleId,
    },
    /// A form's place and its sale disagree (I2, I6).
    #[error("form {number} of sale {sale} is not where the sale says")]
    Form {
        /// Which sale.
        sale: SaleId,
        /// Which form.
        number: BillNumber,
    },
    /// A timer, an open sale or a register line disagrees with its sale.
    #[error("sale {sale} and its {index} disagree")]
    Index {
        /// Which sale.
        sale: SaleId,
        /// Which index.
        index: &'static str,
    },
    /// A counter that caps are judged by differs from the sales.
    #[error("{what} are counted as {counted}, the sales make {by_sales}")]
    Counter {
        /// Which.
        what: &'static str,
        /// By the counter.
        counted: u64,
        /// By the sales.
        by_sales: u64,
    },
    /// A sale has no payment-password sheet where it needs one, has one where it needs
    /// none, or the sheet's state is not the sale's (L7).
    #[error("the payment-password sheet of sale {sale} is not as the sale says")]
    Sheet {
        /// Which.
        sale: SaleId,
    },
    /// A payment password holds where its form does not, or the other way round (L7).
    #[error("the payment password of form {number} holds where it must not, or is missing")]
    Password {
        /// Which form.
        number: BillNumber,
    },
    /// Something waits for two people and is not shown to them, or the other way round.
    #[error("what is shown to staff as waiting is not what waits")]
    Waiting,
    /// A leaf is missing, malformed, or not the one that was hashed (I8).
    #[error("leaf {index} of the evidence log is not the one that was recorded")]
    Leaf {
        /// Which.
        index: u64,
    },
    /// A leaf is not found from a number it speaks of.
    #[error("leaf {index} of the evidence log is not filed under its numbers")]
    Unfiled {
        /// Which.
        index: u64,
    },
    /// The signed checkpoint is of another log (I8).
    #[error("the signed checkpoint is not of this log")]
    Checkpoint,
}

/// Checks everything; the first failure ends it.
pub fn audit(read: &dyn Read) -> Result<AuditReport, AuditFailure> {
    let mut report = AuditReport::default();
    paper::check(read, &mut report)?;
    money::check(read, &mut report)?;
    sheet::check(read)?;
    proof::check(read, &mut report)?;
    waiting::check(read)?;
    Ok(report)
}

/// Every row of a table, in pages, as bytes.
fn each_bytes(
    read: &dyn Read,
    table: Table,
    visit: impl FnMut(Key, Vec<u8>) -> Result<(), AuditFailure>,
) -> Result<(), AuditFailure> {
    each_row(read, key::low(table), &key::high(table), visit)
}

/// Every row of a table, in pages.
fn each<R: Record>(
    read: &dyn Read,
    mut visit: impl FnMut(Key, R) -> Result<(), AuditFailure>,
) -> Result<(), AuditFailure> {
    each_bytes(read, R::TABLE, |key, bytes| {
        let row = decode(&bytes).map_err(StoreError::from)?;
        visit(key, row)
    })
}
