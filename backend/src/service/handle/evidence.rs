//! Reading the evidence log over the wire (I8): checkpoint, tiles, one number.

use counterfoil_data::bill::BillNumber;
use counterfoil_data::leaf::Leaf;

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::super::route::TILE_LEVELS;
use super::super::timeline::{NumberStep, NumberTimeline};
use super::Asked;
use crate::core::query;
use crate::evidence;

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
        let level = asked.params.number(0).filter(|level| *level < TILE_LEVELS);
        let level = level.and_then(|level| u8::try_from(level).ok());
        let level = level.ok_or_else(malformed)?;
        let index = asked.params.number(1).ok_or_else(malformed)?;
        let books = self.books()?;
        let tile = told(evidence::tile(books.read(), level, index))?;
        if tile.is_empty() {
            return Err(Fault::not_found());
        }
        let bytes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
        Ok(Reply::whole("application/octet-stream", bytes))
    }

    /// Everything that happened to one number.
    pub(super) fn number(&self, asked: &Asked) -> Result<Reply, Fault> {
        let number: BillNumber = (asked.params.at(0).parse())
            .map_err(|_| Fault::malformed("a bill number is 16 digits"))?;
        let books = self.books()?;
        let found = told(evidence::timeline(books.read(), number))?;
        if found.is_empty() {
            return Err(Fault::not_found());
        }
        let step = |(leaf, what): (u64, Leaf)| NumberStep {
            leaf,
            at: what.at,
            what: what.kind.word().to_owned(),
        };
        let steps = found.into_iter().map(step).collect();
        Reply::json(&NumberTimeline { number, steps })
    }
}
