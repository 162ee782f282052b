//! What can be asked of a world: the twins' counters, and the books.

use counterfoil_backend::core::audit;
use counterfoil_backend::store::{StoreError, each_row};
use counterfoil_data::seam::Journal as _;
use counterfoil_data::wire::Digest;

use super::{World, effects};

impl World {
    /// Leaves of the evidence log, and its root over them.
    pub fn evidence(&self) -> Result<(u64, Digest), String> {
        self.house.evidence().map_err(|e| format!("{e:#}"))
    }

    /// What a twin counted.
    pub fn counter(&self, device: &str, counter: &str) -> Result<u64, String> {
        let counters = self.bus.counters(device);
        let found = counters.iter().find(|(name, _)| *name == counter);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = counters.iter().map(|(name, _)| *name).collect();
            format!("{device} counts no `{counter}`; it counts {names:?}")
        })
    }

    /// Whether the books balance (I1-I6, evidence root).
    pub fn audit(&self) -> Result<(), String> {
        let books = self.house.books().map_err(|e| format!("{e:#}"))?;
        audit::audit(&*books)
            .map(|_| ())
            .map_err(|e| format!("the books do not balance: {e}"))
    }

    /// How many forms are in a state of the books, over all prefixes.
    pub fn blanks(&self, state: &str) -> Result<u64, String> {
        let books = self.house.books().map_err(|e| format!("{e:#}"))?;
        effects::blanks(&*books, state)
    }

    /// What happened to money and custody since the last call, one line each.
    pub fn drain_effects(&mut self) -> Result<Vec<String>, String> {
        let leaves = self.house.new_leaves().map_err(|e| format!("{e:#}"))?;
        Ok(effects::lines(&leaves))
    }
}

impl World {
    /// Every row of the books and every record of the kiosk's journal, as bytes.
    pub fn written(&self) -> anyhow::Result<Vec<u8>> {
        let (books, mut all) = (self.house.books()?, Vec::new());
        each_row(&*books, Vec::new(), &[u8::MAX], |key, row| {
            all.extend(key);
            all.extend(row);
            Ok::<_, StoreError>(())
        })?;
        for record in self.journal.clone().load()? {
            all.extend(record);
        }
        Ok(all)
    }
}
