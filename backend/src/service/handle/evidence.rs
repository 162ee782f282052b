//! Reading the evidence log over the wire (I8): checkpoint, tiles, one number.

use counterfoil_data::bill::BillNumber;

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::Asked;
use crate::core::{key, query};

/// Hashes in a whole tile (C2SP tlog-tiles, height 8).
const TILE_WIDTH: u64 = 256;
/// Tile levels of a log of 2^64 leaves.
const TILE_LEVELS: u8 = 8;

impl Service {
    /// The signed head.
    pub(super) fn checkpoint(&self) -> Result<Reply, Fault> {
        let books = self.books()?;
        let checkpoint = told(query::checkpoint(books.read()))?.ok_or_else(Fault::not_found)?;
        let note = checkpoint.note.into_bytes();
        Ok(Reply::whole("text/plain; charset=utf-8", note))
    }

    /// Up to 256 hashes at height `8 * level`; the last tile may be partial.
    pub(super) fn tile(&self, asked: &Asked) -> Result<Reply, Fault> {
        let malformed = || Fault::malformed("a tile is named by a level of 0 to 7 and an index");
        let level: u8 = asked.params.at(0).parse().map_err(|_| malformed())?;
        let index: u64 = asked.params.at(1).parse().map_err(|_| malformed())?;
        let first = index.checked_mul(TILE_WIDTH).ok_or_else(malformed)?;
        if level >= TILE_LEVELS {
            return Err(malformed());
        }
        let books = self.books()?;
        let mut tile = Vec::new();
        for n in 0..TILE_WIDTH {
            let row = key::tree_hash(level.saturating_mul(8), first.saturating_add(n));
            match told(books.read().read(&row))? {
                Some(hash) => tile.extend_from_slice(&hash),
                None => break,
            }
        }
        if tile.is_empty() {
            return Err(Fault::not_found());
        }
        Ok(Reply::whole("application/octet-stream", tile))
    }

    /// Everything that happened to one number.
    pub(super) fn number(&self, asked: &Asked) -> Result<Reply, Fault> {
        let number: BillNumber = (asked.params.at(0).parse())
            .map_err(|_| Fault::malformed("a bill number is 16 digits"))?;
        let _ = number;
        Err(Fault::not_found())
    }
}
