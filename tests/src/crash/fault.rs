//! What people and machines do wrong in a round, beside what is struck.
//!
//! Every fault is one kind and, where paper is concerned, the number of printed
//! forms from which on it is due. What it may leave unknown is said here too, so
//! that the check excuses that much and no more.

use std::fmt;

use super::screens::{
    AWAIT_CONFIRM, DISPENSING, ENTER_PIN, INSERT_CARD, PICK_MODE, PICK_ORDER, PLACE_DOCUMENT,
    PLACE_FINGER, READING_DOCUMENT, TAKE_FORMS,
};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A wrong PIN, then the right one.
    WrongPin,
    /// A stranger's finger, then the right one.
    WrongFinger,
    /// The ID card of somebody no unit has authorised.
    StrangersDocument,
    /// An ID card that no security module authenticates.
    ForgedDocument,
    /// The customer cancels here.
    Cancels(&'static str),
    /// The customer goes away here and leaves everything as it is.
    WalksAway(&'static str),
    /// The officer asks again.
    OfficerAsks,
    /// The officer denies.
    OfficerDenies,
    /// The officer does not answer.
    OfficerSilent,
    /// A feed jams.
    Jam,
    /// The presenter jams with the whole bundle in it.
    PresenterJam,
    /// A number cannot be read.
    Unreadable,
    /// Two blanks lie the wrong way round.
    WrongBlank,
    /// Two blanks are fed at once.
    TwoBlanks,
    /// The ribbon ends.
    RibbonOut,
    /// Somebody opens the cover.
    CoverOpen,
    /// The receipt paper ends.
    ReceiptPaperOut,
    /// The receipt cutter sticks.
    CutterStuck,
    /// Nobody takes the forms.
    NotTaken,
    /// The forms are taken in the very moment they are drawn back.
    Snatched,
    /// A cable comes out here, and is put back.
    Unplugged(&'static str, &'static str),
}

/// Every kind.
pub const KINDS: [Kind; 37] = [
    Kind::WrongPin,
    Kind::Jam,
    Kind::Cancels(PICK_MODE),
    Kind::Unreadable,
    Kind::WalksAway(PICK_MODE),
    Kind::WrongBlank,
    Kind::Unplugged("card-reader", ENTER_PIN),
    Kind::TwoBlanks,
    Kind::OfficerAsks,
    Kind::RibbonOut,
    Kind::Cancels(INSERT_CARD),
    Kind::CoverOpen,
    Kind::WalksAway(INSERT_CARD),
    Kind::PresenterJam,
    Kind::Unplugged("id-reader", READING_DOCUMENT),
    Kind::NotTaken,
    Kind::WrongFinger,
    Kind::ReceiptPaperOut,
    Kind::Cancels(ENTER_PIN),
    Kind::Snatched,
    Kind::WalksAway(ENTER_PIN),
    Kind::Unplugged("form-printer", DISPENSING),
    Kind::OfficerDenies,
    Kind::CutterStuck,
    Kind::Cancels(PLACE_DOCUMENT),
    Kind::Unplugged("pin-pad", ENTER_PIN),
    Kind::WalksAway(PLACE_DOCUMENT),
    Kind::StrangersDocument,
    Kind::Cancels(PLACE_FINGER),
    Kind::Unplugged("finger", PLACE_FINGER),
    Kind::WalksAway(PLACE_FINGER),
    Kind::OfficerSilent,
    Kind::Cancels(PICK_ORDER),
    Kind::ForgedDocument,
    Kind::WalksAway(PICK_ORDER),
    Kind::Unplugged("receipt-printer", TAKE_FORMS),
    Kind::Cancels(AWAIT_CONFIRM),
];

/// How many forms may be unknown because of a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unknowns {
    /// That were fed.
    pub fed: u32,
    /// That still lie in the cassette.
    pub unfed: u32,
}

impl Kind {
    /// It ends the sale before anything is linked, so that another is begun.
    pub fn ends_sale(self) -> bool {
        match self {
            Self::StrangersDocument
            | Self::ForgedDocument
            | Self::Cancels(_)
            | Self::WalksAway(_)
            | Self::OfficerDenies
            | Self::OfficerSilent => true,
            Self::Unplugged(device, _) => !device.ends_with("printer"),
            _ => false,
        }
    }

    /// Whether nothing could be seen of the two together: the same kind twice, or two
    /// blanks at once of which the lower one is out of turn. Nobody reads the lower
    /// one's number; that slot is locked, and two people find it when they look.
    pub fn hides(self, other: Self) -> bool {
        let out_of_turn = [Self::WrongBlank, Self::TwoBlanks];
        self == other || out_of_turn.contains(&self) && out_of_turn.contains(&other)
    }

    /// The screen on which the customer does something else than what it asks for.
    pub fn instead_at(self) -> Option<&'static str> {
        match self {
            Self::WrongPin => Some(ENTER_PIN),
            Self::WrongFinger => Some(PLACE_FINGER),
            Self::StrangersDocument | Self::ForgedDocument => Some(PLACE_DOCUMENT),
            Self::Cancels(screen) | Self::WalksAway(screen) => Some(screen),
            Self::NotTaken | Self::Snatched => Some(TAKE_FORMS),
            _ => None,
        }
    }

    /// The screen on which hands at the desk do it, at once.
    pub fn desk_at(self) -> Option<&'static str> {
        match self {
            Self::Jam | Self::PresenterJam | Self::ReceiptPaperOut | Self::CutterStuck => {
                Some(AWAIT_CONFIRM)
            }
            Self::Unreadable
            | Self::WrongBlank
            | Self::TwoBlanks
            | Self::RibbonOut
            | Self::CoverOpen => Some(DISPENSING),
            Self::Unplugged(_, screen) => Some(screen),
            _ => None,
        }
    }

    /// What hands do at the desk.
    pub fn desk_line(self, at: u32) -> Option<String> {
        Some(match self {
            Self::Jam => format!("form-printer jam after {at}"),
            Self::PresenterJam => "form-printer jam presenter".to_owned(),
            Self::Unreadable => "form-printer unreadable next".to_owned(),
            Self::WrongBlank => "form-printer swap next".to_owned(),
            Self::TwoBlanks => "form-printer double feed next".to_owned(),
            Self::RibbonOut => "form-printer ribbon out".to_owned(),
            Self::CoverOpen => "form-printer cover open".to_owned(),
            Self::ReceiptPaperOut => "receipt-printer paper-out".to_owned(),
            Self::CutterStuck => "receipt-printer cutter stuck".to_owned(),
            Self::Unplugged(device, _) => format!("{device} unplug"),
            _ => return None,
        })
    }

    /// What staff do about it when they come to the printer.
    pub fn mended_by(self) -> Option<&'static str> {
        match self {
            Self::Jam | Self::PresenterJam => Some("form-printer clear jam"),
            Self::RibbonOut => Some("form-printer ribbon ok"),
            Self::CoverOpen => Some("form-printer cover close"),
            _ => None,
        }
    }

    /// What it may leave unknown in a sale of so many forms.
    pub fn unknowns(self, quantity: u32) -> Unknowns {
        let (fed, unfed) = match self {
            Self::Jam => (1, 0),
            // One sheet under way, and the blank behind it may come up for it.
            Self::CoverOpen
            | Self::RibbonOut
            | Self::WrongBlank
            | Self::Unplugged("form-printer", _) => (1, 1),
            Self::TwoBlanks => (2, 0),
            // The whole bundle is out of sight.
            Self::PresenterJam => (quantity, 0),
            _ => (0, 0),
        };
        Unknowns { fed, unfed }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::WrongPin => "wrong PIN",
            Self::WrongFinger => "wrong finger",
            Self::StrangersDocument => "a stranger's ID card",
            Self::ForgedDocument => "a forged ID card",
            Self::Cancels(screen) => return write!(f, "cancels at {screen}"),
            Self::WalksAway(screen) => return write!(f, "walks away at {screen}"),
            Self::OfficerAsks => "officer asks",
            Self::OfficerDenies => "officer denies",
            Self::OfficerSilent => "officer silent",
            Self::Jam => "jam",
            Self::PresenterJam => "presenter jam",
            Self::Unreadable => "unreadable number",
            Self::WrongBlank => "wrong blank",
            Self::TwoBlanks => "two blanks",
            Self::RibbonOut => "ribbon out",
            Self::CoverOpen => "cover open",
            Self::ReceiptPaperOut => "receipt paper out",
            Self::CutterStuck => "receipt cutter stuck",
            Self::NotTaken => "forms not taken",
            Self::Snatched => "forms snatched",
            Self::Unplugged(device, screen) => return write!(f, "{device} unplugged at {screen}"),
        };
        f.write_str(words)
    }
}

/// One fault of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// From how many printed forms on, where it is about paper.
    pub at: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.kind.desk_at() == Some(DISPENSING) || self.kind == Kind::Jam;
        match counted {
            true => write!(f, "{} after {}", self.kind, self.at),
            false => write!(f, "{}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_told_by_a_name_of_its_own_and_is_somebodys_to_do() {
        let names: BTreeSet<String> = KINDS.iter().map(Kind::to_string).collect();
        assert_eq!(names.len(), KINDS.len());
        let officer = [Kind::OfficerAsks, Kind::OfficerDenies, Kind::OfficerSilent];
        for kind in KINDS {
            let hands = [kind.instead_at(), kind.desk_at()];
            let done = hands.into_iter().flatten().count();
            assert_eq!(done, usize::from(!officer.contains(&kind)), "{kind}");
            assert_eq!(
                kind.desk_at().is_some(),
                kind.desk_line(0).is_some(),
                "{kind}"
            );
        }
    }
}
