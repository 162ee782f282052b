//! The form printer's physical side: what hands do to it.

use counterfoil_data::bill::{BillNumber, BillRange};

use super::engine::Engine;
use super::path::{Cassette, PaperPath, Place, SLOTS_MAX, blanks};
use crate::twin::DeskError;

/// What the desk can say, for the refusal of anything else.
const VERBS: &str = "take, empty, jam now, jam after N, jam presenter, clear jam, cover open|close, \
                     swap next, wrong number next NUMBER, double feed next, unreadable next, \
                     ribbon out|ok, load SLOT FIRST-LAST, measure";

/// Does one line of the desk's vocabulary.
pub(super) fn act(engine: &mut Engine, line: &str) -> Result<String, DeskError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["take"] => take(engine),
        ["empty"] => Ok(empty(&mut engine.path)),
        ["jam", "now"] => Ok(engine.jam_now().to_owned()),
        ["jam", "presenter"] => Ok(engine.jam_presenter().to_owned()),
        ["cover", "open"] => Ok(engine.open_cover().to_owned()),
        ["cover", "close"] => {
            engine.cover_open = false;
            Ok("cover closed".to_owned())
        }
        ["jam", "after", n] => {
            let feeds = n.parse().map_err(|_| refuse("jam after how many feeds?"))?;
            engine.mishaps.jam_after = Some(feeds);
            Ok(format!("{feeds} feeds will go well, then one jams"))
        }
        ["clear", "jam"] => {
            let moved = engine.clear_jam();
            Ok(format!("jam cleared, {moved} sheets into the reject bin"))
        }
        ["swap", "next"] => {
            engine.mishaps.swap = true;
            Ok("the next two blanks are swapped".to_owned())
        }
        ["wrong", "number", "next", number] => {
            let number: BillNumber = number.parse().map_err(|e| DeskError(format!("{e}")))?;
            engine.mishaps.stranger = Some(number);
            Ok(format!("{number} lies on top of the next blank"))
        }
        ["double", "feed", "next"] => {
            engine.mishaps.double = true;
            Ok("the next feed takes two blanks".to_owned())
        }
        ["unreadable", "next"] => {
            engine.mishaps.unreadable = true;
            Ok("the next blank cannot be read".to_owned())
        }
        ["ribbon", state @ ("out" | "ok")] => {
            engine.ribbon_out = *state == "out";
            Ok(format!("ribbon {state}"))
        }
        ["measure"] => engine.path.measure().map(|ink| ink.to_string()),
        ["load", slot, range] => load(&mut engine.path, slot, range),
        _ => Err(refuse(VERBS)),
    }
}

fn refuse(text: &str) -> DeskError {
    DeskError(text.to_owned())
}

fn take(engine: &mut Engine) -> Result<String, DeskError> {
    let taken = engine.path.shift(Place::Output, Place::Taken);
    engine.counts.taken = engine.counts.taken.saturating_add(taken);
    if taken == 0 {
        return Err(refuse("there is nothing to take"));
    }
    Ok(format!("took {taken} forms"))
}

/// Staff open the printer: what lies anywhere on the way comes out, and is kept
/// with the rejected sheets until its numbers are resolved.
fn empty(path: &mut PaperPath) -> String {
    let ways = [Place::Transport, Place::Escrow, Place::Output];
    let moved = ways.into_iter().fold(0_u64, |sum, from| {
        sum.saturating_add(path.shift(from, Place::Reject))
    });
    format!("{moved} sheets out of the printer")
}

/// Puts a fresh cassette in: what was in the slot goes back with the custodians.
fn load(path: &mut PaperPath, slot: &str, range: &str) -> Result<String, DeskError> {
    let slot = slot.parse().map_err(|e| DeskError(format!("{e}")))?;
    let (first, last) = range
        .split_once('-')
        .ok_or_else(|| refuse("a range is FIRST-LAST, 16 digits each"))?;
    let number = |text: &str| -> Result<BillNumber, DeskError> {
        text.parse().map_err(|e| DeskError(format!("{e}")))
    };
    let (first, last) = (number(first)?, number(last)?);
    if first.prefix != last.prefix {
        return Err(refuse("a range never crosses a prefix"));
    }
    let range = BillRange::new(first.prefix, first.serial, last.serial)
        .map_err(|e| DeskError(format!("{e}")))?;
    let said = format!("{slot} holds {range}");
    let blanks = blanks(range);
    let full = path.cassettes.len() >= SLOTS_MAX;
    match path.cassettes.iter_mut().find(|c| c.slot == slot) {
        Some(cassette) => cassette.blanks = blanks,
        None if full => return Err(refuse("there is no such slot")),
        None => path.cassettes.push(Cassette { slot, blanks }),
    }
    Ok(said)
}

/// What lies where, one fact a line.
pub(super) fn look(engine: &Engine) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for cassette in &engine.path.cassettes {
        let next = cassette.blanks.front().map(|n| n.rows());
        lines.push(format!(
            "{}: {} blanks, next {}",
            cassette.slot,
            cassette.blanks.len(),
            next.unwrap_or_else(|| "none".to_owned())
        ));
    }
    for (name, place) in [
        ("transport", Place::Transport),
        ("escrow", Place::Escrow),
        ("output", Place::Output),
        ("taken", Place::Taken),
        ("reject bin", Place::Reject),
        ("retract bin", Place::Retract),
    ] {
        let numbers: Vec<String> = engine
            .path
            .at(place)
            .map(|s| s.number.to_string())
            .collect();
        if !numbers.is_empty() {
            lines.push(format!("{name}: {}", numbers.join(" ")));
        }
    }
    if engine.jammed {
        lines.push("jammed".to_owned());
    }
    if engine.presenter_jammed {
        lines.push("presenter jammed".to_owned());
    }
    if engine.cover_open {
        lines.push("cover open".to_owned());
    }
    if engine.ribbon_out {
        lines.push("ribbon out".to_owned());
    }
    lines
}
