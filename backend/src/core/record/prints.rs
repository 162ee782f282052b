//! Records of enrolled prints beyond their templates: the images they were made from,
//! and the touch that was accepted last. Both only in encrypted envelopes (I7).

use serde::{Deserialize, Serialize};

use super::Record;
use crate::core::key::Table;

/// An enrolled impression, for making its template anew with another engine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintRow {
    /// The image in its envelope.
    pub image: Vec<u8>,
}

/// The touch of an agent that was accepted last: what repeats it is a copy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchRow {
    /// Its template in its envelope.
    pub template: Vec<u8>,
}

impl Record for PrintRow {
    const TABLE: Table = Table::Print;
}

impl Record for TouchRow {
    const TABLE: Table = Table::Touch;
}
