//! The reader's physical side: what a person lays on it or breaks.

use super::{CardState, IdReaderTwin};
use crate::twin::DeskError;

impl IdReaderTwin {
    pub(super) fn act(&mut self, line: &str) -> Result<String, DeskError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["present", name] => return self.lay(name),
            ["remove"] => {
                self.plate
                    .take()
                    .ok_or_else(|| DeskError("nothing lies on the plate".into()))?;
            }
            ["fail", count] => {
                self.failing_reads = count
                    .parse()
                    .map_err(|_| DeskError("fail takes a number of reads".into()))?;
            }
            ["noise"] => self.noise = true,
            ["checksum"] => self.spoil = true,
            ["confuse"] => self.confused = true,
            ["mute"] => self.mute = true,
            ["talk"] => self.mute = false,
            ["sam", "fault"] => self.sam_broken = true,
            ["sam", "ok"] => self.sam_broken = false,
            _ => {
                let verbs = "present NAME, remove, fail N, noise, checksum, confuse, mute, talk, sam fault|ok";
                return Err(DeskError(format!("the id reader knows: {verbs}")));
            }
        }
        Ok(words.join(" "))
    }

    pub(super) fn lies(&self) -> Vec<String> {
        let lies = self.plate.and_then(|(card, _)| self.documents.get(card));
        let mut lines = vec![lies.map_or_else(
            || "plate empty".to_owned(),
            |document| format!("on the plate: {}", document.name),
        )];
        if self.sam_broken {
            lines.push("security module out of order".into());
        }
        if self.mute {
            lines.push("mute".into());
        }
        lines
    }

    fn lay(&mut self, name: &str) -> Result<String, DeskError> {
        let found = self.documents.iter().position(|d| d.name == name);
        let card = found.ok_or_else(|| {
            let names: Vec<&str> = self.documents.iter().map(|d| d.name.as_str()).collect();
            DeskError(format!("no such document; there are {}", names.join(", ")))
        })?;
        if self.plate.is_some() {
            return Err(DeskError("remove what lies there first".into()));
        }
        self.plate = Some((card, CardState::Laid));
        Ok(format!("{name} lies on the plate"))
    }
}
