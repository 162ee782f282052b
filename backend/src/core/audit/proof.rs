//! Evidence: every leaf hashed again and found under its numbers, every tree hash and
//! the checkpoint (I8).

use counterfoil_data::leaf::Leaf;
use counterfoil_data::tlog::{Frontier, leaf_hash};

use super::{AuditFailure, AuditReport, each_bytes};
use crate::core::key::{self, Table};
use crate::core::log::STORED_FROM;
use crate::core::overlay::get;
use crate::core::record::books::CheckpointRow;
use crate::core::{log, number, query};
use crate::store::Read;

/// Recomputes the log from its leaves.
pub fn check(read: &dyn Read, report: &mut AuditReport) -> Result<(), AuditFailure> {
    let mut frontier = Frontier::default();
    each_bytes(read, Table::Leaf, |key, bytes| {
        let index = frontier.size();
        let wrong = || AuditFailure::Leaf { index };
        let leaf = Leaf::decode(&bytes).map_err(|_| wrong())?;
        if key::number_of(&key) != Some(index) {
            return Err(wrong());
        }
        if !number::is_filed(read, &leaf, index)? {
            return Err(AuditFailure::Unfiled { index });
        }
        let mut same = true;
        frontier
            .append(leaf_hash(&bytes), |level, at, hash| {
                // Below, a node is nothing but its leaves.
                same &= level < STORED_FROM || log::node(read, level, at) == Some(hash);
            })
            .map_err(|_| wrong())?;
        if same { Ok(()) } else { Err(wrong()) }
    })?;
    report.leaves = frontier.size();
    let signed: Option<CheckpointRow> = get(read, &key::single(Table::Checkpoint))?;
    let (size, root) = match signed {
        Some(row) => (row.size, row.root),
        None => (0, counterfoil_data::tlog::empty_root()),
    };
    let same =
        log::frontier(read)? == frontier && size == frontier.size() && root == frontier.root();
    if same && query::checkpoint(read)?.is_some() == (size > 0) {
        Ok(())
    } else {
        Err(AuditFailure::Checkpoint)
    }
}
