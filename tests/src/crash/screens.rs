//! What the kiosk shows, read off its models.
//!
//! The harness knows screens by their public names and phases by their type, so a
//! screen that is renamed stops the build instead of making a blow never due.

use counterfoil_tui::model::{Body, FormPhase};
use serde_json::Value;

use super::plan::Point;

/// A public screen name; the compiler refuses any other.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "evaluated by the compiler alone, below the lengths it compares"
)]
const fn screen(name: &'static str) -> &'static str {
    let mut at = 0;
    while at < Body::NAMES.len() {
        let (known, wanted) = (Body::NAMES[at].as_bytes(), name.as_bytes());
        let mut same = 0;
        while same < known.len() && same < wanted.len() && known[same] == wanted[same] {
            same += 1;
        }
        if same == known.len() && same == wanted.len() {
            return name;
        }
        at += 1;
    }
    panic!("the kiosk has no screen of this name")
}

/// See [`screen`].
pub const STARTING: &str = screen("Starting");
/// See [`screen`].
pub const ATTRACT: &str = screen("Attract");
/// See [`screen`].
pub const PICK_MODE: &str = screen("PickMode");
/// See [`screen`].
pub const INSERT_CARD: &str = screen("InsertCard");
/// See [`screen`].
pub const READING_CARD: &str = screen("ReadingCard");
/// See [`screen`].
pub const ENTER_PIN: &str = screen("EnterPin");
/// See [`screen`].
pub const CHECKING_INFO: &str = screen("CheckingInfo");
/// See [`screen`].
pub const PLACE_DOCUMENT: &str = screen("PlaceDocument");
/// See [`screen`].
pub const READING_DOCUMENT: &str = screen("ReadingDocument");
/// See [`screen`].
pub const PLACE_FINGER: &str = screen("PlaceFinger");
/// See [`screen`].
pub const READING_FINGER: &str = screen("ReadingFinger");
/// See [`screen`].
pub const CHECKING_IDENTITY: &str = screen("CheckingIdentity");
/// See [`screen`].
pub const PICK_ORDER: &str = screen("PickOrder");
/// See [`screen`].
pub const AWAIT_CONFIRM: &str = screen("AwaitConfirm");
/// See [`screen`].
pub const LINKING: &str = screen("Linking");
/// See [`screen`].
pub const DISPENSING: &str = screen("Dispensing");
/// See [`screen`].
pub const TAKE_FORMS: &str = screen("TakeForms");
/// See [`screen`].
pub const PRINTING_SHEET: &str = screen("PrintingSheet");
/// See [`screen`].
pub const PRINTING_RECEIPT: &str = screen("PrintingReceipt");
/// See [`screen`].
pub const DONE: &str = screen("Done");
/// See [`screen`].
pub const STOPPED: &str = screen("Stopped");
/// See [`screen`].
pub const RESUMING: &str = screen("Resuming");
/// See [`screen`].
pub const OUT_OF_SERVICE: &str = screen("OutOfService");

/// The screen's public name.
pub fn name(screen: &Value) -> &str {
    screen.get("name").and_then(Value::as_str).unwrap_or("")
}

/// What the screen says; `None` where it says only its name.
pub fn body(screen: &Value) -> Option<&Value> {
    screen.get("body")?.get(name(screen))
}

/// Forms printed, on the screen that says so.
pub fn printed(screen: &Value) -> Option<u32> {
    if name(screen) != DISPENSING {
        return None;
    }
    let printed = body(screen)?.get("printed")?.as_u64()?;
    u32::try_from(printed).ok()
}

/// The phase of the form being worked on, if there is one.
pub fn phase(screen: &Value) -> &str {
    let phase = body(screen).and_then(|b| b.get("phase"));
    phase.and_then(Value::as_str).unwrap_or("")
}

/// Whether the form being worked on is in this phase.
pub fn is_in(screen: &Value, wanted: FormPhase) -> bool {
    phase(screen) == format!("{wanted:?}")
}

/// Whether the kiosk shows what a blow waits for; a phase that went by too fast
/// to be shown counts with the next form.
pub fn is_there(point: Point, screen: &Value) -> bool {
    match point {
        Point::Screen(wanted) => name(screen) == wanted,
        Point::Form(form, wanted) => printed(screen)
            .is_some_and(|printed| printed > form || printed == form && is_in(screen, wanted)),
    }
}

/// The screen, and the phase of a form.
pub fn state(screen: &Value) -> String {
    match (name(screen), phase(screen)) {
        (name, "") => name.to_owned(),
        (name, phase) => format!("{name}/{phase}"),
    }
}

/// What the screen asks the customer for, as far as it makes a difference.
pub fn asks(screen: &Value) -> String {
    let fields = [
        "problem",
        "advice",
        "attempts_left",
        "left_behind",
        "notice",
    ];
    let body = body(screen);
    let facts = fields.map(|f| body.and_then(|b| b.get(f)).map(Value::to_string));
    format!("{} {facts:?}", name(screen))
}
