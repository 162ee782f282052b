//! Acts of two people, lawful or not, on the first numbers of either kiosk and on a lot
//! that is not there yet.

use counterfoil_data::bill::{BillKind, BillRange};
use counterfoil_data::wire::custody::{Act, Holder, Mark};

use super::anywhere;
use crate::core::command::{Actor, CommandBody};
use crate::core::tests::bank::*;

fn vault() -> Holder {
    let branch = id("branch-1");
    Holder::Vault { branch }
}

fn teller_box() -> Holder {
    Holder::TellerBox {
        branch: id("branch-1"),
        teller: id("teller-1"),
    }
}

/// The range an act is about: among what kiosks hold and sell, or a lot of its own.
fn range(from: u8) -> BillRange {
    let count = u32::from(from) % 3 + 1;
    let first = match from % 4 {
        0 => number(500 + u32::from(from) % 12),
        _ => anywhere(from),
    };
    BillRange::from_count(first, count).expect("a range")
}

pub fn of(act: u8, from: u8, who: u8) -> (Actor, CommandBody) {
    let (branch, range) = (id("branch-1"), range(from));
    let (count, seen) = (range.count(), "看过".to_owned());
    let (one, other) = if who.is_multiple_of(2) {
        (vault(), teller_box())
    } else {
        (teller_box(), vault())
    };
    let mark = [Mark::Stopped, Mark::ReportedLost, Mark::Paid][usize::from(who) % 3];
    let act = match act {
        0 => Act::Announce { branch, range },
        1 => Act::Receive {
            branch,
            range,
            count,
        },
        2 | 3 => Act::Dispatch {
            from: one,
            to: other,
            range,
            count,
        },
        4 | 5 => Act::Accept {
            to: other,
            range,
            count,
        },
        6 => Act::Count {
            at: one,
            kind: BillKind::TransferCheque,
            counted: from.into(),
        },
        7 => Act::Miss { range, seen },
        8 => Act::Find {
            branch,
            range,
            seen,
        },
        9 => Act::Void { range },
        10 => Act::Destroy { range },
        11 => Act::Return { range, seen },
        _ => Act::Mark { range, mark },
    };
    let people = [
        ("custodian-a", "custodian-b"),
        ("custodian-a", "teller-1"),
        ("teller-1", "custodian-b"),
        ("supervisor-1", "custodian-a"),
        ("custodian-a", "custodian-a"),
    ];
    let (first, second) = people[usize::from(who) % people.len()];
    let second = id(second);
    (
        Actor::Staff(id(first)),
        CommandBody::Custody { second, act },
    )
}
