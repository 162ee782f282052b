//! What a person can tell the kiosk, whatever key it took.
//!
//! The input module turns bytes into these; the flow takes nothing else. A PIN never
//! comes this way: the pad is a device of its own (I7). The digits of a field of PM2
//! do, one at a time, and go no further than [`crate::keyboard`].

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
    /// The last digit out again.
    Erase,
    /// Everything typed out again.
    Clear,
    /// A character that means nothing here.
    Other,
    /// The other language.
    Language,
    /// Not gone yet.
    MoreTime,
    /// End the program; only staff have a key for it.
    Leave,
}
