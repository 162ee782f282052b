//! An act of two people in words: one line for a list, facts for a page.

use counterfoil_data::bill::BillRange;
use counterfoil_data::fmt;
use counterfoil_data::ids::{KioskId, SlotId};
use counterfoil_data::locale::Msg;
use counterfoil_data::wire::custody::{Act, Holder, ProposalView};

use crate::screen::page::Span;
use crate::screen::words::Words;

/// The act and what it is about, in one line.
pub fn line(words: Words, proposal: &ProposalView) -> String {
    let act = &proposal.act;
    let what = words.say(act);
    let about = match act {
        // What it was found to be says enough of the act, and the row is short.
        Act::Resolve { number, to, .. } => {
            return format!("{}  {}", number.rows(), words.say(*to));
        }
        Act::Unload { kiosk, slot } | Act::Unlock { kiosk, slot } => format!("{kiosk}  {slot}"),
        Act::Count { at, kind, .. } => format!("{}  {}", holder(at), words.say(*kind)),
        Act::Close { .. } => proposal.requisition.clone().unwrap_or_default(),
        _ => range(act).map_or_else(String::new, fmt::range),
    };
    format!("{what}  {about}")
}

/// Every fact of the act but what was seen, which is said apart.
pub fn facts(words: Words, proposal: &ProposalView) -> Vec<(String, Span)> {
    let act = &proposal.act;
    let mut facts = vec![words.fact(Msg::CustodyWhat, words.say(act))];
    facts.extend(place(words, act));
    facts.extend(
        range(act)
            .map(|range| words.ranges(Msg::Numbers, &[range]))
            .unwrap_or_default(),
    );
    match act {
        Act::Resolve { number, to, .. } => facts.extend([
            words.figure(Msg::Numbers, number.rows()),
            words.figure(Msg::CustodyFound, words.say(*to)),
        ]),
        Act::Count { kind, .. } => facts.push(words.fact(Msg::CustodyKind, words.say(*kind))),
        Act::Mark { mark, .. } => facts.push(words.fact(Msg::CustodyFound, words.say(*mark))),
        _ => {}
    }
    let requisition = proposal.requisition.as_ref();
    facts.extend(requisition.map(|number| words.figure(Msg::Requisition, number)));
    facts
}

fn place(words: Words, act: &Act) -> Vec<(String, Span)> {
    let slot = |kiosk: &KioskId, slot: &SlotId| {
        vec![
            words.fact(Msg::CustodyKiosk, kiosk.as_str()),
            words.fact(Msg::CustodySlot, slot.as_str()),
        ]
    };
    match act {
        Act::Load { kiosk, slot: s, .. }
        | Act::Unload { kiosk, slot: s }
        | Act::Unlock { kiosk, slot: s } => slot(kiosk, s),
        Act::Dispatch { from, to, .. } => vec![
            words.fact(Msg::CustodyFrom, holder(from)),
            words.fact(Msg::CustodyTo, holder(to)),
        ],
        Act::Accept { to, .. } => vec![words.fact(Msg::CustodyTo, holder(to))],
        Act::Count { at, .. } => vec![words.fact(Msg::CustodyFrom, holder(at))],
        Act::Announce { branch, .. } | Act::Receive { branch, .. } | Act::Find { branch, .. } => {
            vec![words.fact(Msg::CustodyTo, branch.as_str())]
        }
        _ => Vec::new(),
    }
}

fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Vault { branch } => branch.to_string(),
        Holder::TellerBox { branch, teller } => format!("{branch} / {teller}"),
    }
}

fn range(act: &Act) -> Option<BillRange> {
    match act {
        Act::Announce { range, .. }
        | Act::Receive { range, .. }
        | Act::Dispatch { range, .. }
        | Act::Accept { range, .. }
        | Act::Load { range, .. }
        | Act::Miss { range, .. }
        | Act::Find { range, .. }
        | Act::Void { range }
        | Act::Destroy { range }
        | Act::Return { range, .. }
        | Act::Mark { range, .. } => Some(*range),
        Act::Unload { .. }
        | Act::Unlock { .. }
        | Act::Count { .. }
        | Act::Resolve { .. }
        | Act::Close { .. } => None,
    }
}
