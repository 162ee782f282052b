//! The lock of a terminal of staff: who is logged in, when it was touched last, and the
//! login page while nobody is.
//!
//! A terminal of a house where nobody logs in never sees it: the page comes only when the
//! bank answers that nobody is logged in. Owns no case and no screen of its terminal;
//! whoever drives it shows nothing of them while [`Lock::page`] is there.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::session::SessionShown;

use crate::input::Key;
use crate::link::session::is_nobody;
use crate::link::{Dial, Link, LinkError};
use crate::login::{Login, LoginAction, LoginNotice, LoginPage};

/// The bank hears of a touch at most this often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// What was typed and left is forgotten after this.
const TYPED_KEPT: Duration = Duration::from_secs(60);

/// What became of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is the terminal's own.
    Terminals,
    /// It was the lock's.
    Taken,
    /// Somebody is logged in now, of this name.
    In(String),
    /// Nobody is logged in any more.
    Locked,
    /// The person leaves the terminal.
    Leave,
}

/// The lock.
pub struct Lock<D: Dial> {
    link: Rc<Link<D>>,
    clock: SharedClock,
    login: Option<Login>,
    session: Option<SessionShown>,
    touched: Duration,
    told: Duration,
}

impl<D: Dial> Lock<D> {
    /// A lock that is open until the bank says otherwise.
    pub fn new(link: Rc<Link<D>>, clock: SharedClock) -> Self {
        let now = clock.monotonic();
        Self {
            link,
            clock,
            login: None,
            session: None,
            touched: now,
            told: now,
        }
    }

    /// The login page, while nobody is logged in.
    pub fn page(&self) -> Option<LoginPage> {
        self.login.as_ref().map(Login::page)
    }

    /// Whether an error says that nobody is logged in; then nobody is.
    pub fn heard(&mut self, error: &LinkError) -> bool {
        let nobody = is_nobody(error);
        if nobody && self.login.is_none() {
            let notice = self.session.is_some().then_some(LoginNotice::Over);
            self.shut(notice);
        }
        nobody
    }

    fn shut(&mut self, notice: Option<LoginNotice>) {
        self.link.within(None);
        self.session = None;
        self.login = Some(Login::new(notice));
    }

    /// A key.
    pub async fn key(&mut self, key: &Key) -> Turn {
        let now = self.clock.monotonic();
        self.touched = now;
        let Some(login) = &mut self.login else {
            return self.touch(key, now).await;
        };
        if matches!(key, Key::F(_)) {
            return Turn::Terminals;
        }
        match login.key(key) {
            None => Turn::Taken,
            Some(LoginAction::Leave) => Turn::Leave,
            Some(LoginAction::Submit(submit)) => match self.link.log_in(submit).await {
                Ok(shown) => {
                    let name = shown.name.clone();
                    self.login = None;
                    self.session = Some(shown);
                    let now = self.clock.monotonic();
                    (self.touched, self.told) = (now, now);
                    Turn::In(name)
                }
                Err(notice) => {
                    login.answered(notice);
                    Turn::Taken
                }
            },
        }
    }

    /// A key of somebody who is logged in, or at a terminal where nobody has to be.
    async fn touch(&mut self, key: &Key, now: Duration) -> Turn {
        if self.session.is_none() {
            return Turn::Terminals;
        }
        if matches!(key, Key::Ctrl('l')) {
            self.link.log_out(false).await;
            self.shut(None);
            return Turn::Locked;
        }
        if now.saturating_sub(self.told) >= TELL_EVERY {
            self.told = now;
            if let Err(error) = self.link.alive().await
                && self.heard(&error)
            {
                return Turn::Locked;
            }
        }
        Turn::Terminals
    }

    /// A second went by; whether nobody is logged in any more.
    pub async fn tick(&mut self) -> bool {
        let alone = self.clock.monotonic().saturating_sub(self.touched);
        if self.login.is_some() && alone >= TYPED_KEPT {
            self.forget();
        }
        let Some(session) = &self.session else {
            return false;
        };
        if alone.as_secs() >= u64::from(session.idle_s) {
            self.link.log_out(true).await;
            self.shut(Some(LoginNotice::Idle));
            return true;
        }
        let over = self.clock.now() >= session.ends;
        if over {
            self.shut(Some(LoginNotice::Over));
        }
        over
    }

    /// What somebody typed and left.
    fn forget(&mut self) {
        if let Some(login) = &mut self.login {
            let page = login.page();
            if !page.id.is_empty() || page.letters != [0; 3] {
                *login = Login::new(None);
            }
        }
    }
}
