//! What keys and news do at a station. Pure: actions go out as values.

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::Digest;
use counterfoil_data::wire::confirm::{ConfirmState, ConfirmationView};
use jiff::Timestamp;

use super::model::{Purpose, StationBody, StationNotice, StationScreen, awaits_decision};
use crate::input::Key;
use crate::model::Language;

/// Cases kept on the screen at most, newest first.
pub const CASES_MAX: usize = 50;

/// Something for [`super::app`] to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Tell the backend that the officer looked (S20: viewing is an audited act).
    Seen {
        /// Which case.
        sale: SaleId,
        /// What was on the screen; `None` while only the identity is shown.
        digest: Option<Digest>,
    },
    /// Decide; binds to the digest that was on the screen.
    Decide {
        /// Which case.
        sale: SaleId,
        /// Confirm, deny or ask.
        verdict: Verdict,
        /// The digest of the text the officer saw.
        digest: Digest,
    },
    /// Leave the station.
    Leave,
}

/// A decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Confirm,
    /// Stop, with a reason word.
    Deny(&'static str),
    /// Ask again, with a question word.
    Ask(&'static str),
}

/// Where the officer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Queue {
        focus: usize,
    },
    Case {
        sale: SaleId,
    },
    Reason {
        sale: SaleId,
        purpose: Purpose,
        focus: usize,
    },
}

/// A station's whole state.
#[derive(Debug)]
pub struct Station {
    language: Language,
    officer: String,
    logged_in: bool,
    loaded: bool,
    offline: bool,
    cases: Vec<ConfirmationView>,
    at: At,
    notice: Option<StationNotice>,
    /// The text whose viewing was reported last.
    reported: Option<(SaleId, Option<Digest>)>,
}

impl Station {
    /// A station that has not heard from the backend yet.
    pub fn new(language: Language, officer: String) -> Self {
        Self {
            language,
            officer,
            logged_in: false,
            loaded: false,
            offline: false,
            cases: Vec::new(),
            at: At::Queue { focus: 0 },
            notice: None,
            reported: None,
        }
    }

    /// A station at which somebody logged in.
    pub fn of(language: Language, officer: String) -> Self {
        Self {
            logged_in: true,
            ..Self::new(language, officer)
        }
    }

    /// The language its person reads.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The link came or went.
    pub fn link(&mut self, offline: bool) {
        self.offline = offline;
    }

    /// The backend's list, as of now. A case that waits for a decision opens by
    /// itself when the officer is at the queue or still looks at one that is over;
    /// an open case updates in place.
    pub fn cases(&mut self, mut cases: Vec<ConfirmationView>) -> Vec<Action> {
        cases.sort_by_key(|case| {
            (
                !awaits_decision(case.state),
                std::cmp::Reverse(case.identity.verified_at),
            )
        });
        cases.truncate(CASES_MAX);
        self.loaded = true;
        self.offline = false;
        if self.notice == Some(StationNotice::NotSent) {
            self.notice = None;
        }
        // Asked again and shown again counts as new: it needs the officer anew.
        let was_live = |sale| self.case(sale).is_some_and(|old| is_live(old.state));
        let moved = self.has_moved(&cases);
        let new = cases
            .iter()
            .find(|case| is_live(case.state) && !was_live(case.sale))
            .map(|case| case.sale);
        self.cases = cases;
        match (self.at, new) {
            (At::Queue { .. }, Some(sale)) => self.open(sale),
            (At::Case { sale } | At::Reason { sale, .. }, new) => {
                let live = self.case(sale).is_some_and(|case| is_live(case.state));
                if moved {
                    self.at = At::Case { sale };
                    self.notice = Some(StationNotice::Changed);
                }
                match new {
                    Some(new) if !live => return self.open(new),
                    // Decided by a colleague or the clock while a reason was chosen.
                    _ if !live && matches!(self.at, At::Reason { .. }) => {
                        self.at = At::Case { sale };
                        self.notice = Some(StationNotice::TooLate);
                    }
                    _ if self.case(sale).is_none() => self.at = At::Queue { focus: 0 },
                    _ => {}
                }
                self.seen(sale)
            }
            (At::Queue { .. }, None) => Vec::new(),
        }
    }

    /// Whether the text of the open case is another one although nobody asked: its
    /// numbers or its fee moved, so what was confirmed is not what is shown now.
    fn has_moved(&self, cases: &[ConfirmationView]) -> bool {
        let (At::Case { sale } | At::Reason { sale, .. }) = self.at else {
            return false;
        };
        let before = self
            .case(sale)
            .filter(|old| old.state != ConfirmState::Asked);
        let before = before.and_then(shown_digest);
        let now = cases.iter().find(|case| case.sale == sale);
        let now = now.filter(|case| awaits_decision(case.state));
        let now = now.and_then(shown_digest);
        before.is_some() && now.is_some() && before != now
    }

    /// What the backend answered to a decision.
    pub fn answered(&mut self, notice: Option<StationNotice>) {
        self.notice = notice;
    }

    /// A key.
    pub fn key(&mut self, key: &Key) -> Vec<Action> {
        if matches!(key, Key::F(2)) {
            self.language = match self.language {
                Language::ZhHans => Language::En,
                Language::En => Language::ZhHans,
            };
            return Vec::new();
        }
        match self.at {
            At::Queue { focus } => self.at_queue(focus, key),
            At::Case { sale } => self.at_case(sale, key),
            At::Reason {
                sale,
                purpose,
                focus,
            } => self.at_reason(sale, purpose, focus, key),
        }
    }

    fn at_queue(&mut self, focus: usize, key: &Key) -> Vec<Action> {
        let last = self.cases.len().saturating_sub(1);
        match key {
            Key::Up => {
                self.at = At::Queue {
                    focus: focus.saturating_sub(1),
                }
            }
            Key::Down => {
                self.at = At::Queue {
                    focus: focus.saturating_add(1).min(last),
                }
            }
            Key::Enter => {
                if let Some(sale) = self.cases.get(focus.min(last)).map(|case| case.sale) {
                    return self.open(sale);
                }
            }
            Key::Ctrl('c' | 'd') => return vec![Action::Leave],
            _ => {}
        }
        Vec::new()
    }

    fn at_case(&mut self, sale: SaleId, key: &Key) -> Vec<Action> {
        let digest = self
            .case(sale)
            .filter(|case| awaits_decision(case.state))
            .and_then(shown_digest);
        match (key, digest) {
            (Key::Esc, _) => {
                self.notice = None;
                self.at = At::Queue { focus: 0 };
            }
            (Key::Char('y' | 'Y'), Some(digest)) => {
                self.notice = None;
                return vec![Action::Decide {
                    sale,
                    verdict: Verdict::Confirm,
                    digest,
                }];
            }
            (Key::Char('n' | 'N'), Some(_)) => {
                self.at = At::Reason {
                    sale,
                    purpose: Purpose::Deny,
                    focus: 0,
                }
            }
            (Key::Char('a' | 'A'), Some(_)) => {
                self.at = At::Reason {
                    sale,
                    purpose: Purpose::Ask,
                    focus: 0,
                }
            }
            (Key::Ctrl('c' | 'd'), _) => return vec![Action::Leave],
            _ => {}
        }
        Vec::new()
    }

    fn at_reason(
        &mut self,
        sale: SaleId,
        purpose: Purpose,
        focus: usize,
        key: &Key,
    ) -> Vec<Action> {
        let words = purpose.words();
        let last = words.len().saturating_sub(1);
        let chosen = match key {
            Key::Up => {
                self.at = At::Reason {
                    sale,
                    purpose,
                    focus: focus.saturating_sub(1),
                };
                None
            }
            Key::Down => {
                self.at = At::Reason {
                    sale,
                    purpose,
                    focus: focus.saturating_add(1).min(last),
                };
                None
            }
            Key::Esc => {
                self.at = At::Case { sale };
                None
            }
            Key::Char(digit @ '1'..='9') => digit
                .to_digit(10)
                .and_then(|d| usize::try_from(d).ok()?.checked_sub(1))
                .and_then(|i| words.get(i)),
            Key::Enter => words.get(focus),
            _ => None,
        };
        let Some(word) = chosen else {
            return Vec::new();
        };
        self.at = At::Case { sale };
        self.notice = None;
        let verdict = match purpose {
            Purpose::Deny => Verdict::Deny(word),
            Purpose::Ask => Verdict::Ask(word),
        };
        let digest = self.case(sale).and_then(shown_digest);
        digest
            .map(|digest| Action::Decide {
                sale,
                verdict,
                digest,
            })
            .into_iter()
            .collect()
    }

    fn open(&mut self, sale: SaleId) -> Vec<Action> {
        self.notice = None;
        self.at = At::Case { sale };
        self.seen(sale)
    }

    /// S20: viewing is reported until the backend says it is known, and for a text
    /// that only a colleague has opened once by this officer, too.
    fn seen(&mut self, sale: SaleId) -> Vec<Action> {
        let reported = self.reported;
        let case = self.case(sale).filter(|case| match case.state {
            ConfirmState::Identity | ConfirmState::Shown => true,
            ConfirmState::Seen => reported != Some((sale, shown_digest(case))),
            _ => false,
        });
        let Some(digest) = case.map(shown_digest) else {
            return Vec::new();
        };
        self.reported = Some((sale, digest));
        vec![Action::Seen { sale, digest }]
    }

    fn case(&self, sale: SaleId) -> Option<&ConfirmationView> {
        self.cases.iter().find(|case| case.sale == sale)
    }

    /// The screen as of `now`.
    pub fn screen(&self, now: Timestamp) -> StationScreen {
        let body = match self.at {
            _ if !self.loaded => StationBody::Starting,
            At::Case { sale } => match self.case(sale) {
                Some(case) => StationBody::Case {
                    seconds_left: awaits_decision(case.state)
                        .then(|| seconds_left(case, now))
                        .flatten(),
                    case: Box::new(case.clone()),
                    notice: self.notice,
                },
                None => self.queue(0),
            },
            At::Reason {
                sale,
                purpose,
                focus,
            } => match self.case(sale) {
                Some(case) => StationBody::Reason {
                    case: Box::new(case.clone()),
                    purpose,
                    focus,
                },
                None => self.queue(0),
            },
            At::Queue { focus } => self.queue(focus),
        };
        StationScreen {
            language: self.language,
            officer: self.officer.clone(),
            offline: self.offline,
            logged_in: self.logged_in,
            body,
        }
    }

    fn queue(&self, focus: usize) -> StationBody {
        StationBody::Queue {
            cases: self.cases.clone(),
            focus: focus.min(self.cases.len().saturating_sub(1)),
        }
    }
}

/// Whether somebody stands at the kiosk and needs this officer, now or soon.
fn is_live(state: ConfirmState) -> bool {
    awaits_decision(state) || state == ConfirmState::Identity
}

fn shown_digest(case: &ConfirmationView) -> Option<Digest> {
    case.purchase.as_ref().map(|purchase| purchase.digest)
}

fn seconds_left(case: &ConfirmationView, now: Timestamp) -> Option<i64> {
    let deadline = case.purchase.as_ref()?.deadline;
    Some(deadline.duration_since(now).as_secs().max(0))
}

#[cfg(test)]
mod tests;
