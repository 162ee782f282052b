//! The steps as one enum, and what each must answer.

use std::time::Duration;

use super::bank::Asking;
use super::context::Context;
use super::dispense::Dispensing;
use super::effect::Ticket;
use super::event::{Answer, Change};
use super::finger::PlaceFinger;
use super::finish::{Done, PrintingReceipt, Stopped};
use super::front::{Attract, PickMode, Starting};
use super::identify::PlaceDocument;
use super::order::{AwaitConfirm, PickOrder};
use super::password::{EnterAccount, EnterPassword};
use super::sheet::PrintingSheet;
use super::verify::{EnterPin, InsertCard};
use crate::cmd::Cmd;
use crate::model::Body;

/// How long a step lasts without anything happening.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// In all.
    pub total: Duration,
    /// When the countdown is shown.
    pub counted: Counted,
    /// The customer's acts begin it anew.
    pub extends: bool,
}

/// When a countdown is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Nobody is hurried by it.
    Never,
    /// For the last part, as a warning.
    AtTheEnd,
    /// From the start: something is taken back when it ends.
    Always,
}

impl Patience {
    /// A customer is awaited.
    pub fn customer(total: Duration) -> Option<Self> {
        Some(Self {
            total,
            counted: Counted::AtTheEnd,
            extends: true,
        })
    }

    /// Something lies in reach, and a machine draws it back in the end.
    pub fn reach(total: Duration) -> Option<Self> {
        Some(Self {
            total,
            counted: Counted::Always,
            extends: false,
        })
    }

    /// A machine or another person is awaited.
    pub fn machine(total: Duration) -> Option<Self> {
        Some(Self {
            total,
            counted: Counted::Never,
            extends: false,
        })
    }
}

/// What every step answers.
pub(super) trait Stage: Sized + Into<Step> {
    /// Whether it waits for this ticket; all other answers are stale.
    fn awaits(&self, ticket: Ticket) -> bool;
    /// An answer it waits for.
    fn answered(self, cx: &mut Context, ticket: Ticket, answer: Answer) -> Step;
    /// Its screen.
    fn body(&self, cx: &Context) -> Body;
    /// The person did something.
    fn cmd(self, _cx: &mut Context, _cmd: Cmd) -> Step {
        self.into()
    }
    /// Its patience is over.
    fn deadline(self, _cx: &mut Context) -> Step {
        self.into()
    }
    /// Something changed at the backend.
    fn noticed(self, _cx: &mut Context, _change: &Change) -> Step {
        self.into()
    }
    /// How long it lasts.
    fn patience(&self, _cx: &Context) -> Option<Patience> {
        None
    }
    /// Its place on the customer's way: from 1, of [`PLACES`].
    fn place(&self) -> Option<(u8, u8)> {
        None
    }
}

/// Places on the customer's way.
pub(super) const PLACES: u8 = 7;

macro_rules! steps {
    ($($name:ident),+ $(,)?) => {
        /// Where the customer stands.
        #[derive(Debug)]
        pub(super) enum Step { $($name($name)),+ }

        $(impl From<$name> for Step {
            fn from(step: $name) -> Self { Self::$name(step) }
        })+

        impl Stage for Step {
            fn awaits(&self, ticket: Ticket) -> bool {
                match self { $(Self::$name(s) => s.awaits(ticket)),+ }
            }
            fn answered(self, cx: &mut Context, ticket: Ticket, answer: Answer) -> Step {
                match self { $(Self::$name(s) => s.answered(cx, ticket, answer)),+ }
            }
            fn body(&self, cx: &Context) -> Body {
                match self { $(Self::$name(s) => s.body(cx)),+ }
            }
            fn cmd(self, cx: &mut Context, cmd: Cmd) -> Step {
                match self { $(Self::$name(s) => s.cmd(cx, cmd)),+ }
            }
            fn deadline(self, cx: &mut Context) -> Step {
                match self { $(Self::$name(s) => s.deadline(cx)),+ }
            }
            fn noticed(self, cx: &mut Context, change: &Change) -> Step {
                match self { $(Self::$name(s) => s.noticed(cx, change)),+ }
            }
            fn patience(&self, cx: &Context) -> Option<Patience> {
                match self { $(Self::$name(s) => s.patience(cx)),+ }
            }
            fn place(&self) -> Option<(u8, u8)> {
                match self { $(Self::$name(s) => s.place()),+ }
            }
        }
    };
}

steps!(
    Starting,
    Attract,
    PickMode,
    InsertCard,
    EnterPin,
    EnterAccount,
    EnterPassword,
    PlaceDocument,
    PlaceFinger,
    PickOrder,
    AwaitConfirm,
    Asking,
    Dispensing,
    PrintingSheet,
    PrintingReceipt,
    Done,
    Stopped,
);
