//! The example is the demo branch, names every key, and what is wrong has a line.

use std::rc::Rc;

use counterfoil_data::seam::SharedClock;

use super::*;
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::twin_bus::TwinBus;
use crate::twin::branch::Branch;
use crate::twin::branch::build::{Stock, plug, start};

const EXAMPLE: &str = include_str!("../../../../branch.example.toml");

fn built(text: &str) -> Result<TwinBus, BranchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let _guard = runtime.enter();
    let file = BranchFile::parse(text)?;
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let mut bank = counterfoil_data::demo::bank().expect("the demo bank");
    bank.kiosks.truncate(1);
    let entropy = Rc::new(SystemEntropy);
    if file.device.is_empty() {
        return Ok(Branch::demo(&bank, clock, entropy, None));
    }
    let bus = TwinBus::new(clock);
    let stock = Stock {
        bank: &bank,
        entropy,
        paper: None,
    };
    plug(&bus, &file.device, &stock)?;
    start(&bus, &file.device, text)?;
    Ok(bus)
}

/// The example with every key that has no default, and every other kind.
fn all_keys() -> String {
    let (example, others) = EXAMPLE.split_once("# Other kinds").expect("its end");
    let bare = |line: &str| match line.strip_prefix("# ") {
        Some(key) if key.contains(" = ") && !key.contains('`') => format!("{key}\n"),
        Some("[[device]]") => "[[device]]\n".to_owned(),
        _ => format!("{line}\n"),
    };
    let others = others.lines().skip(1);
    example.lines().chain(others).map(bare).collect()
}

#[test]
fn the_example_is_the_demo_branch() {
    let (example, demo) = (built(EXAMPLE).expect("lawful"), built("").expect("lawful"));
    assert_eq!(example.list_now(), demo.list_now());
    assert_eq!(example.look(), demo.look());
    let file = BranchFile::parse(EXAMPLE).expect("lawful");
    assert_eq!(file.listen, Some(Place(LISTEN.parse().expect("lawful"))));
    assert_eq!(file.kiosk.as_deref(), Some("kiosk-1"));
}

#[test]
fn every_key_and_every_kind_of_the_example_is_understood() {
    let text = all_keys();
    let file = BranchFile::parse(&text).expect("lawful");
    assert!(file.desk.is_some() && file.paper.is_some());
    let kinds: Vec<&str> = file
        .device
        .iter()
        .map(|d| d.get_ref().kind.get_ref().name())
        .collect();
    for (_, kind, options) in OPTIONS {
        assert!(kinds.contains(&kind), "{kind}");
        for option in options {
            assert!(text.contains(&format!("{option} = ")), "{option}");
        }
    }
    let bus = built(&text).expect("lawful");
    assert_eq!(bus.list_now().len(), 11);
    let said = file.device.iter().flat_map(|d| d.get_ref().said());
    let said: BTreeSet<&str> = said.map(|(name, _)| name).collect();
    let known: BTreeSet<&str> = OPTIONS
        .iter()
        .flat_map(|(_, _, o)| o.iter().copied())
        .collect();
    assert_eq!(said, known);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let device = "[[device]]\nname = \"a\"\nkind = ";
    for (text, line, words) in [
        ("lisen = \"x\"", 1, "lisen"),
        ("speed = 0", 1, "1 to 100"),
        ("listen = \"nowhere\"", 1, "IP:PORT"),
        (&format!("{device}\"toaster\""), 3, "toaster"),
        (
            &format!("{device}\"pin-pad\"\nlayout = \"split\""),
            4,
            "no options; not `layout`",
        ),
        (
            &format!("{device}\"finger\"\nbridge = \"lpt\""),
            4,
            "there are",
        ),
        (&format!("{device}\"card-reader\"\nslots = 9"), 4, "1 to 4"),
        (
            &format!("{device}\"card-reader\"\nvolts = []"),
            4,
            "5, 3, 1.8",
        ),
        (
            &format!("{device}\"escp2\"\npile = \"1-2\""),
            4,
            "16 digits",
        ),
        (
            &format!("{device}\"finger\"\nat_start = [\n\"dance\"]"),
            5,
            "place FINGER",
        ),
        (
            &format!("{device}\"pin-pad\"\n{device}\"pin-pad\""),
            5,
            "two devices are called a",
        ),
        ("[[device]]\nname = \"A b\"\nkind = \"pr2\"", 2, "a-z"),
    ] {
        let error = built(text).map(drop).expect_err(text).to_string();
        assert!(error.contains(&format!("line {line}")), "{text}: {error}");
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn lines_at_the_start_are_done_and_two_of_a_kind_stand_side_by_side() {
    let text = "[[device]]\nname = \"left\"\nkind = \"form-printer\"\n\
                at_start = [\"jam after 7\", \"cover open\", \"late 20\"]\n\
                cassettes = { slot-1 = \"3130002100010001-3130002100010005\" }\n\
                [[device]]\nname = \"right\"\nkind = \"form-printer\"";
    let bus = built(text).expect("lawful");
    let look = bus.look();
    let (left, right) = (&look[0].1, &look[1].1);
    assert!(left.iter().any(|l| l == "cover open"), "{left:?}");
    assert!(left[0].starts_with("slot-1: 5 blanks"), "{left:?}");
    assert!(right[0].starts_with("slot-1: 200 blanks"), "{right:?}");
}
