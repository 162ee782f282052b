//! What keys and news do at a custody terminal. Pure: actions go out as values.

use counterfoil_data::wire::Digest;
use counterfoil_data::wire::custody::{Act, CustodyView, ProposalView, SEEN_MAX};
use jiff::Timestamp;

use super::model::{Choice, CustodyBody, CustodyNotice, CustodyScreen, Row, Subject, is_open};
use crate::input::Key;
use crate::model::Language;

/// Digits of a count at most.
const COUNT_DIGITS_MAX: usize = 9;

/// Something for [`super::app`] to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Propose this act.
    Propose(Act),
    /// Approve the proposal that was on the screen.
    Approve {
        /// Which.
        proposal: u64,
        /// Of the act that was on the screen.
        digest: Digest,
        /// The own count, for acts that have one.
        count: Option<u32>,
    },
    /// Refuse it, or take back one's own.
    Refuse {
        /// Which.
        proposal: u64,
        /// Of the act that was on the screen.
        digest: Digest,
    },
    /// Leave the terminal.
    Leave,
}

/// Where the person is.
#[derive(Debug, Clone, PartialEq)]
enum At {
    Waiting {
        focus: usize,
    },
    Choose {
        subject: Subject,
        focus: usize,
    },
    Say {
        subject: Subject,
        choice: Choice,
        text: String,
    },
    Proposal {
        shown: Box<ProposalView>,
        count: String,
    },
}

/// A terminal's whole state.
#[derive(Debug)]
pub struct Custody {
    language: Language,
    view: Option<CustodyView>,
    offline: bool,
    at: At,
    notice: Option<CustodyNotice>,
}

impl Custody {
    /// A terminal that has not heard from the backend yet.
    pub fn new(language: Language) -> Self {
        Self {
            language,
            view: None,
            offline: false,
            at: At::Waiting { focus: 0 },
            notice: None,
        }
    }

    /// The language its person reads.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The link is down.
    pub fn offline(&mut self) {
        self.offline = true;
    }

    /// What waits, as of now. What the person is at stays on the screen while it is
    /// there at all; what was settled meanwhile leads back to the list.
    pub fn news(&mut self, view: CustodyView) {
        self.offline = false;
        self.view = Some(view);
        let rows = self.rows();
        match &mut self.at {
            At::Waiting { focus } => *focus = (*focus).min(rows.len().saturating_sub(1)),
            At::Choose { subject, .. } | At::Say { subject, .. } => {
                let now = rows.iter().find_map(|row| match row {
                    Row::Subject(now) if now.is_same(subject) => Some(now),
                    _ => None,
                });
                match now {
                    Some(now) => *subject = now.clone(),
                    None => {
                        self.at = At::Waiting { focus: 0 };
                        self.notice = Some(CustodyNotice::Settled);
                    }
                }
            }
            At::Proposal { shown, .. } => {
                let now = rows.into_iter().find_map(|row| match row {
                    Row::Proposal(now, _) if now.proposal == shown.proposal => Some(now),
                    _ => None,
                });
                if let Some(now) = now {
                    *shown = now;
                }
            }
        }
    }

    /// What the backend answered to an action: the proposal as it stands, or why not.
    pub fn answered(&mut self, answer: Result<ProposalView, CustodyNotice>) {
        match answer {
            Ok(proposal) => {
                self.notice = None;
                self.at = At::Proposal {
                    shown: Box::new(proposal),
                    count: String::new(),
                };
            }
            Err(notice) => self.notice = Some(notice),
        }
    }

    /// A key.
    pub fn key(&mut self, key: &Key) -> Option<Action> {
        match key {
            Key::F(2) => {
                self.language = match self.language {
                    Language::ZhHans => Language::En,
                    Language::En => Language::ZhHans,
                };
                return None;
            }
            Key::Ctrl('c' | 'd') => return Some(Action::Leave),
            _ => {}
        }
        // A notice says what to do next; the next key may be that.
        let notice = self.notice.take();
        if *key == Key::Esc {
            self.back();
            return None;
        }
        match self.at.clone() {
            At::Waiting { focus } => {
                self.at_waiting(focus, key);
                None
            }
            At::Choose { subject, focus } => self.at_choose(subject, focus, key),
            At::Say {
                subject,
                choice,
                text,
            } => self.at_say(subject, choice, text, key),
            At::Proposal { shown, count } => self.at_proposal(*shown, count, notice, key),
        }
    }

    fn back(&mut self) {
        self.at = match std::mem::replace(&mut self.at, At::Waiting { focus: 0 }) {
            At::Say { subject, .. } => At::Choose { subject, focus: 0 },
            _ => At::Waiting { focus: 0 },
        };
    }

    fn at_waiting(&mut self, focus: usize, key: &Key) {
        let rows = self.rows();
        let focus = moved(focus, key, rows.len());
        self.at = match (key, rows.into_iter().nth(focus)) {
            (Key::Enter, Some(Row::Proposal(shown, _))) => At::Proposal {
                shown,
                count: String::new(),
            },
            (Key::Enter, Some(Row::Subject(subject))) => At::Choose { subject, focus: 0 },
            _ => At::Waiting { focus },
        };
    }

    fn at_choose(&mut self, subject: Subject, focus: usize, key: &Key) -> Option<Action> {
        let choices = subject.choices();
        let picked = match key {
            Key::Enter => Some(focus),
            Key::Char(digit @ '1'..='9') => digit
                .to_digit(10)
                .and_then(|d| usize::try_from(d).ok()?.checked_sub(1)),
            _ => None,
        };
        let Some(choice) = picked.and_then(|i| choices.get(i)).copied() else {
            let focus = moved(focus, key, choices.len());
            self.at = At::Choose { subject, focus };
            return None;
        };
        match (choice, &subject) {
            (Choice::Close, Subject::Sale(sale)) if sale.open > 0 => {
                self.notice = Some(CustodyNotice::FormsOpen(sale.open));
                None
            }
            (Choice::Unlock | Choice::Unload | Choice::Close, _) => {
                subject.act(choice, "").map(Action::Propose)
            }
            _ => {
                self.at = At::Say {
                    subject,
                    choice,
                    text: String::new(),
                };
                None
            }
        }
    }

    fn at_say(
        &mut self,
        subject: Subject,
        choice: Choice,
        mut text: String,
        key: &Key,
    ) -> Option<Action> {
        match key {
            Key::Enter if text.trim().is_empty() => {
                self.notice = Some(CustodyNotice::Unsaid);
                return None;
            }
            Key::Enter => return subject.act(choice, &text).map(Action::Propose),
            Key::Backspace => drop(text.pop()),
            Key::Char(c) => text.push(*c),
            Key::Paste(pasted) => text.push_str(pasted),
            _ => {}
        }
        self.at = At::Say {
            subject,
            choice,
            text: text.chars().take(SEEN_MAX).collect(),
        };
        None
    }

    fn at_proposal(
        &mut self,
        shown: ProposalView,
        mut count: String,
        notice: Option<CustodyNotice>,
        key: &Key,
    ) -> Option<Action> {
        if !is_open(&shown) {
            return None;
        }
        let (proposal, digest) = (shown.proposal, shown.digest);
        let own = self.is_own(&shown);
        let counts = shown.act.count().is_some();
        match key {
            Key::Char('n' | 'N') => return Some(Action::Refuse { proposal, digest }),
            Key::Char('y' | 'Y') if !own => {
                let typed = count.parse().ok();
                if counts && typed.is_none() {
                    self.notice = Some(CustodyNotice::Uncounted);
                    return None;
                }
                let count = typed.filter(|_| counts);
                return Some(Action::Approve {
                    proposal,
                    digest,
                    count,
                });
            }
            Key::Char(digit @ '0'..='9') if counts && !own && count.len() < COUNT_DIGITS_MAX => {
                count.push(*digit);
            }
            Key::Backspace => drop(count.pop()),
            // Nothing was done, so what was said before still stands.
            _ => self.notice = notice,
        }
        if let At::Proposal { count: held, .. } = &mut self.at {
            *held = count;
        }
        None
    }

    fn is_own(&self, proposal: &ProposalView) -> bool {
        let me = self.view.as_ref().map(|view| &view.staff);
        me == Some(&proposal.by)
    }

    /// What this person can do first, then what waits for others, then what is over.
    fn rows(&self) -> Vec<Row> {
        let Some(view) = &self.view else {
            return Vec::new();
        };
        let mut proposals: Vec<Row> = Vec::new();
        let mut over: Vec<Row> = Vec::new();
        for proposal in &view.proposals {
            let own = self.is_own(proposal);
            let row = Row::Proposal(Box::new(proposal.clone()), own);
            if is_open(proposal) {
                proposals.push(row);
            } else {
                over.push(row);
            }
        }
        // The oldest ends first; one's own can only be waited for.
        proposals.sort_by_key(|row| match row {
            Row::Proposal(proposal, own) => (*own, proposal.proposal),
            Row::Subject(_) => (true, u64::MAX),
        });
        let forms = view.unknown.iter().cloned().map(Subject::Form);
        let slots = view.locked.iter().cloned().map(Subject::Slot);
        let sales = view.suspended.iter().cloned().map(Subject::Sale);
        let untouched = |subject: &Subject| {
            let mut open = view.proposals.iter().filter(|p| is_open(p));
            !open.any(|proposal| subject.is_of(&proposal.act))
        };
        let subjects = forms.chain(slots).chain(sales).filter(untouched);
        let subjects = subjects.map(Row::Subject);
        proposals.into_iter().chain(subjects).chain(over).collect()
    }

    /// The screen as of `now`.
    pub fn screen(&self, now: Timestamp) -> CustodyScreen {
        let body = match &self.at {
            _ if self.view.is_none() => CustodyBody::Starting,
            At::Waiting { focus } => CustodyBody::Waiting {
                rows: self.rows(),
                focus: *focus,
            },
            At::Choose { subject, focus } => CustodyBody::Choose {
                choices: subject.choices(),
                subject: subject.clone(),
                focus: *focus,
            },
            At::Say {
                subject,
                choice,
                text,
            } => CustodyBody::Say {
                subject: subject.clone(),
                choice: *choice,
                text: text.clone(),
            },
            At::Proposal { shown, count } => {
                let own = self.is_own(shown);
                let counts = is_open(shown) && !own && shown.act.count().is_some();
                let left = shown.expires.duration_since(now).as_secs().max(0);
                CustodyBody::Proposal {
                    own,
                    count: counts.then(|| count.clone()),
                    seconds_left: is_open(shown).then_some(left),
                    proposal: shown.clone(),
                }
            }
        };
        CustodyScreen {
            language: self.language,
            name: self
                .view
                .as_ref()
                .map_or_else(String::new, |v| v.name.clone()),
            offline: self.offline,
            notice: self.notice.clone(),
            body,
        }
    }
}

/// The focus after a key.
fn moved(focus: usize, key: &Key, count: usize) -> usize {
    let last = count.saturating_sub(1);
    match key {
        Key::Up => focus.saturating_sub(1),
        Key::Down => focus.saturating_add(1).min(last),
        _ => focus.min(last),
    }
}

#[cfg(test)]
mod tests;
