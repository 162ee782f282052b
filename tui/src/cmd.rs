//! What a person can tell the kiosk, whatever key it took.
//!
//! The input module turns bytes into these; the flow takes nothing else. Secrets
//! never come this way: the PIN pad is a device of its own (I7).

use serde::{Deserialize, Serialize};

/// One command of the person in front of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cmd {
    /// Focus up.
    Up,
    /// Focus down.
    Down,
    /// One less.
    Left,
    /// One more.
    Right,
    /// Take what is focused, go on.
    Enter,
    /// Give up the sale (before linked processing) or go back.
    Back,
    /// A digit, 0 to 9.
    Digit(u8),
    /// The other language.
    Language,
    /// Not gone yet.
    MoreTime,
    /// End the program; only staff have a key for it.
    Leave,
}
