//! What hands do to a slip printer: the vocabulary of the form printer's desk, with
//! `insert` for its feeder.

use counterfoil_data::bill::{BillNumber, BillRange};

use super::Body;
use crate::twin::DeskError;
use crate::twin::form_printer::path::{Place, blanks};

/// What the desk can say, for the refusal of anything else.
const VERBS: &str = "insert, pull, take, empty, jam now, jam after N, clear jam, \
                     cover open|close, swap next, wrong number next NUMBER, unreadable next, \
                     ribbon out|ok, paper out, load FIRST-LAST, measure";

/// Does one line of the desk's vocabulary.
pub fn act(body: &mut Body, line: &str) -> Result<String, DeskError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["insert"] => insert(body),
        ["pull"] => take(body, Place::Transport),
        ["take"] => take(body, Place::Output),
        ["empty"] => Ok(empty(body)),
        ["jam", "now"] if body.sheet() => {
            body.jam();
            Ok("jammed in the printer".to_owned())
        }
        ["jam", "now"] => {
            body.mishaps.jam_after = Some(0);
            Ok("the next form will jam".to_owned())
        }
        ["jam", "after", n] => {
            let forms = n.parse().map_err(|_| refuse("jam after how many forms?"))?;
            body.mishaps.jam_after = Some(forms);
            Ok(format!("{forms} forms will go well, then one jams"))
        }
        ["clear", "jam"] => {
            body.jammed = false;
            let moved = body.path.shift(Place::Transport, Place::Reject);
            Ok(format!("jam cleared, {moved} sheets kept by staff"))
        }
        ["cover", state @ ("open" | "close")] => {
            body.cover_open = *state == "open";
            Ok(format!("cover {state}"))
        }
        ["swap", "next"] => {
            body.mishaps.swap = true;
            Ok("the next two blanks are swapped".to_owned())
        }
        ["wrong", "number", "next", number] => {
            let number: BillNumber = number.parse().map_err(|e| DeskError(format!("{e}")))?;
            body.mishaps.stranger = Some(number);
            Ok(format!("{number} lies on top of the pile"))
        }
        ["unreadable", "next"] => {
            body.mishaps.unreadable = true;
            Ok("no reader can read the next blank".to_owned())
        }
        ["ribbon", state @ ("out" | "ok")] => {
            body.ribbon_out = *state == "out";
            Ok(format!("ribbon {state}"))
        }
        ["paper", "out"] => {
            if let Some(pile) = body.path.cassette(1) {
                pile.blanks.clear();
            }
            Ok("the pile is used up".to_owned())
        }
        ["measure"] => body.path.measure().map(|ink| ink.to_string()),
        ["load", range] => load(body, range),
        _ => Err(refuse(VERBS)),
    }
}

fn refuse(text: &str) -> DeskError {
    DeskError(text.to_owned())
}

fn insert(body: &mut Body) -> Result<String, DeskError> {
    if body.sheet() {
        return Err(refuse("a sheet lies in the printer already"));
    }
    let number = body.insert();
    let number = number.ok_or_else(|| refuse("the pile is used up"))?;
    Ok(format!("{number} is in the printer"))
}

fn take(body: &mut Body, from: Place) -> Result<String, DeskError> {
    let taken = body.path.shift(from, Place::Taken);
    body.counts.taken = body.counts.taken.saturating_add(taken);
    if taken == 0 {
        return Err(refuse("there is nothing to take"));
    }
    Ok(format!("took {taken} forms"))
}

/// Staff take everything out and keep it until its numbers are resolved.
fn empty(body: &mut Body) -> String {
    let ways = [Place::Transport, Place::Output];
    let moved = ways.into_iter().fold(0_u64, |sum, from| {
        sum.saturating_add(body.path.shift(from, Place::Reject))
    });
    format!("{moved} sheets out of the printer")
}

fn load(body: &mut Body, range: &str) -> Result<String, DeskError> {
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
    let pile = body.path.cassette(1);
    pile.ok_or_else(|| refuse("there is no pile"))?.blanks = blanks(range);
    Ok(format!("the pile holds {range}"))
}

/// What lies where, one fact a line.
pub fn look(body: &Body) -> Vec<String> {
    let pile = body.path.cassettes.first();
    let mut lines = vec![format!(
        "pile: {} blanks",
        pile.map_or(0, |p| p.blanks.len())
    )];
    for (name, place) in [
        ("printer", Place::Transport),
        ("front", Place::Output),
        ("taken", Place::Taken),
        ("kept by staff", Place::Reject),
    ] {
        let numbers: Vec<String> = body.path.at(place).map(|s| s.number.to_string()).collect();
        if !numbers.is_empty() {
            lines.push(format!("{name}: {}", numbers.join(" ")));
        }
    }
    for (said, is) in [
        ("jammed", body.jammed),
        ("cover open", body.cover_open),
        ("ribbon out", body.ribbon_out),
    ] {
        if is {
            lines.push(said.to_owned());
        }
    }
    lines
}
