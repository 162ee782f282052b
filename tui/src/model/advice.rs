//! What the customer is told about cards, documents and fingers.

use serde::Serialize;

/// Something of the customer's that still lies in a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LeftBehind {
    /// The settlement card.
    Card,
    /// The ID card.
    Document,
    /// Printed forms.
    Forms,
}

/// What was wrong with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CardProblem {
    /// Not readable, or the wrong way round.
    Unreadable,
    /// Not a settlement card.
    WrongKind,
    /// Pulled out while it was read.
    Removed,
    /// Expired.
    Expired,
}

/// What was wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum DocumentProblem {
    /// Handling: lift it and lay it down again.
    LiftAndReplace,
    /// Not an ID card.
    WrongKind,
    /// Out of date.
    Expired,
}

/// What to do better with the finger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FingerAdvice {
    /// Press harder.
    PressHarder,
    /// Too wet, or pressed too hard.
    PressLess,
    /// Put the middle of the finger on the sensor.
    Centre,
    /// Dry the finger or the sensor.
    Dry,
    /// Keep still.
    KeepStill,
    /// Not the enrolled finger; try the enrolled one.
    OtherFinger,
    /// A finger lay there before this customer's turn.
    LiftFirst,
}
