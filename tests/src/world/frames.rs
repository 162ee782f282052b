//! Every screen that kiosk and station ever handed out, as one digest: two runs
//! of a script are the same only if all of them are.

use counterfoil_data::wire::Digest;
use serde::Serialize;

/// How many screens, and the digest over all of them in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// So many.
    pub count: u64,
    /// Chained: of the digest before and the screen.
    pub digest: Digest,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            count: 0,
            digest: Digest([0; 32]),
        }
    }
}

impl Frames {
    /// One more.
    pub(super) fn add(&mut self, screen: &impl Serialize) {
        let mut bytes = self.digest.0.to_vec();
        match serde_json::to_vec(screen) {
            Ok(json) => bytes.extend(json),
            Err(error) => bytes.extend(error.to_string().into_bytes()),
        }
        self.digest = Digest::of(&bytes);
        self.count = self.count.saturating_add(1);
    }
}
