//! What a custody screen says, before it is drawn. Variant names of [`CustodyBody`] are
//! public: `.play` scripts name them.

use counterfoil_data::locale::Msg;
use counterfoil_data::wire::custody::{
    Act, LockedView, ProposalState, ProposalView, Resolved, SuspendedView, UnknownView,
};
use serde::Serialize;

use crate::login::LoginPage;
use crate::model::Language;

/// One custody screen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CustodyScreen {
    /// Language of the terminal.
    pub language: Language,
    /// Name of the person who is signed in.
    pub name: String,
    /// The link to the bank is down.
    pub offline: bool,
    /// What the backend answered to the last key, or what is still to be said.
    pub notice: Option<CustodyNotice>,
    /// The screen itself.
    pub body: CustodyBody,
}

/// The screens of a custody terminal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum CustodyBody {
    /// Asking the backend what waits.
    Starting,
    /// Nobody is logged in; nothing of the branch is shown.
    Login(LoginPage),
    /// Everything of this branch that needs two people.
    Waiting {
        /// One row each; what this person can do first.
        rows: Vec<Row>,
        /// Index of the focused row.
        focus: usize,
    },
    /// Choosing what it turned out to be.
    Choose {
        /// What it is about.
        subject: Subject,
        /// What can be said of it.
        choices: Vec<Choice>,
        /// Index of the focused choice.
        focus: usize,
    },
    /// Typing what was seen.
    Say {
        /// What it is about.
        subject: Subject,
        /// What it turned out to be.
        choice: Choice,
        /// Typed so far.
        text: String,
    },
    /// One proposal.
    Proposal {
        /// All of it.
        proposal: Box<ProposalView>,
        /// This person proposed it, and so cannot approve it.
        own: bool,
        /// The own count as typed so far, for acts that have one.
        count: Option<String>,
        /// Seconds until nobody can approve it any more.
        seconds_left: Option<i64>,
    },
}

impl CustodyBody {
    /// Every public name.
    pub const NAMES: [&'static str; 6] =
        ["Starting", "Login", "Waiting", "Choose", "Say", "Proposal"];

    /// The public name of the screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Login(_) => "Login",
            Self::Waiting { .. } => "Waiting",
            Self::Choose { .. } => "Choose",
            Self::Say { .. } => "Say",
            Self::Proposal { .. } => "Proposal",
        }
    }
}

/// A row of what waits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Row {
    /// A proposal; whether this person made it.
    Proposal(Box<ProposalView>, bool),
    /// Something nobody proposed anything about yet.
    Subject(Subject),
}

/// Something that two people must settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Subject {
    /// A form nobody knows about.
    Form(UnknownView),
    /// A locked slot.
    Slot(LockedView),
    /// A suspended sale.
    Sale(SuspendedView),
}

/// What it turned out to be, or what is to be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Choice {
    /// The customer has the form.
    Sold,
    /// It is damaged or misprinted.
    Spoiled,
    /// It was held back or handed back.
    Retracted,
    /// It is nowhere.
    Missing,
    /// The slot is in order.
    Unlock,
    /// Everything out of the slot, back to the vault.
    Unload,
    /// The sale is over.
    Close,
}

impl Subject {
    /// What can be said of it, in the order shown. A number that was only read in
    /// another's place was never given to a customer, so it cannot be sold.
    pub fn choices(&self) -> Vec<Choice> {
        use Choice::{Close, Missing, Retracted, Sold, Spoiled, Unload, Unlock};
        match self {
            Self::Form(form) if form.given => vec![Sold, Spoiled, Retracted, Missing],
            Self::Form(_) => vec![Spoiled, Retracted, Missing],
            Self::Slot(_) => vec![Unlock, Unload],
            Self::Sale(_) => vec![Close],
        }
    }

    /// The same thing, whatever else is known of it by now.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Form(a), Self::Form(b)) => a.number == b.number,
            (Self::Slot(a), Self::Slot(b)) => (&a.kiosk, &a.slot) == (&b.kiosk, &b.slot),
            (Self::Sale(a), Self::Sale(b)) => a.sale == b.sale,
            _ => false,
        }
    }

    /// Whether an act is about it: then that proposal stands for it in the list.
    pub fn is_of(&self, act: &Act) -> bool {
        match (act, self) {
            (Act::Resolve { number, .. }, Self::Form(form)) => *number == form.number,
            (Act::Unlock { kiosk, slot } | Act::Unload { kiosk, slot }, Self::Slot(locked)) => {
                (kiosk, slot) == (&locked.kiosk, &locked.slot)
            }
            (Act::Close { sale }, Self::Sale(suspended)) => *sale == suspended.sale,
            _ => false,
        }
    }

    /// The act to propose; `None` for a choice that is not of this subject.
    pub fn act(&self, choice: Choice, seen: &str) -> Option<Act> {
        let resolved = |to| match self {
            Self::Form(form) => Some(Act::Resolve {
                number: form.number,
                to,
                seen: seen.trim().to_owned(),
            }),
            _ => None,
        };
        match (choice, self) {
            (Choice::Sold, _) => resolved(Resolved::Sold),
            (Choice::Spoiled, _) => resolved(Resolved::Spoiled),
            (Choice::Retracted, _) => resolved(Resolved::Retracted),
            (Choice::Missing, _) => resolved(Resolved::Missing),
            (Choice::Unlock, Self::Slot(locked)) => Some(Act::Unlock {
                kiosk: locked.kiosk.clone(),
                slot: locked.slot.clone(),
            }),
            (Choice::Unload, Self::Slot(locked)) => Some(Act::Unload {
                kiosk: locked.kiosk.clone(),
                slot: locked.slot.clone(),
            }),
            (Choice::Close, Self::Sale(suspended)) => Some(Act::Close {
                sale: suspended.sale,
            }),
            _ => None,
        }
    }
}

/// What stands in the way, and so what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CustodyNotice {
    /// The bank could not be reached; the same key sends it again.
    NotSent,
    /// What was looked at is no longer what stands there.
    Changed,
    /// Somebody proposed something about it, or settled it.
    Settled,
    /// What was seen is not said yet.
    Unsaid,
    /// The own count is not typed yet.
    Uncounted,
    /// Forms of the sale must be settled first.
    FormsOpen(u32),
    /// The backend refused, by its stable word and in its own (English) words.
    Refused {
        /// The word, where there is one.
        reason: Option<String>,
        /// What the backend says.
        detail: String,
    },
}

/// Whether somebody can still decide about it.
pub fn is_open(proposal: &ProposalView) -> bool {
    proposal.state == ProposalState::Open
}

impl From<Choice> for Msg {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Sold => Msg::CustodySold,
            Choice::Spoiled => Msg::CustodySpoiled,
            Choice::Retracted => Msg::CustodyRetracted,
            Choice::Missing => Msg::CustodyMissing,
            Choice::Unlock => Msg::CustodyUnlock,
            Choice::Unload => Msg::CustodyUnload,
            Choice::Close => Msg::CustodyClose,
        }
    }
}
