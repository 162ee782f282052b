//! What a run of a script gives back, and whether two runs are the same.

use counterfoil_data::wire::Digest;

use crate::world::Frames;

/// A block as it stands in the file and as it was seen; for `bless`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// First line of the block (0-based) and one past the last, in the main file.
    pub block: (usize, usize),
    /// What was seen.
    pub rows: Vec<String>,
    /// Whether it was an effects block, which is never rewritten.
    pub effects: bool,
    /// Whether expected and seen agree.
    pub same: bool,
}

/// What a run gives back. Two runs of one script are the same if all of it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps played.
    pub steps: usize,
    /// Lines elided by `...` or `[..]` in expected screens.
    pub elided: usize,
    /// Every block of the main file.
    pub seen: Vec<Seen>,
    /// Every screen that kiosk and station handed out.
    pub frames: Frames,
    /// Leaves of the evidence log at the end.
    pub leaves: u64,
    /// The log's root over them.
    pub root: Option<Digest>,
    /// Every row of the books and every record of the kiosk's journal at the end.
    pub written: Vec<u8>,
}

impl Report {
    /// In what two runs differ, in words; nothing if they are the same.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let frames = |report: &Self| (report.frames.count, report.frames.digest);
        Some(if self.seen != other.seen {
            "a compared block".to_owned()
        } else if (self.leaves, self.root) != (other.leaves, other.root) {
            format!(
                "the evidence log ({} and {} leaves)",
                self.leaves, other.leaves
            )
        } else if frames(self) != frames(other) {
            let (one, two) = (self.frames.count, other.frames.count);
            format!("the screens ({one} and {two} of them)")
        } else if self != other {
            "the steps".to_owned()
        } else {
            return None;
        })
    }
}
