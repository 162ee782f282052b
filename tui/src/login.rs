//! The login page of a terminal of staff, which is its lock screen too: id, password, and
//! another password where the first one was given by others.
//!
//! Pure: what was typed stays here until it is sealed, and a screen learns only how many
//! letters there are. Shared by the confirm station and the custody terminal.

use counterfoil_data::ids::StaffId;
use counterfoil_data::secret::{Line, Secret};
use serde::Serialize;

use crate::input::Key;

/// Letters of an id at most.
const ID_MAX: usize = 32;

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Field {
    /// Who.
    Id,
    /// The password.
    Password,
    /// Another one.
    New,
    /// The other one once more.
    Again,
}

/// What has to be said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LoginNotice {
    /// Id or password is wrong, or the account cannot be used; nobody says which.
    Wrong,
    /// Too many failed at this terminal.
    Locked,
    /// The password is right; it must be exchanged.
    MustChange,
    /// Typed twice, and not the same.
    Differ,
    /// The new one is too short or too long.
    Length,
    /// The new one has its owner's id or name in it.
    Owner,
    /// The new one is guessed first.
    Worst,
    /// The new one was used before.
    Used,
    /// Nobody touched the terminal.
    Idle,
    /// The session is over.
    Over,
    /// The bank cannot be reached.
    NotSent,
}

/// The page, as far as it may be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoginPage {
    /// The id as typed so far.
    pub id: String,
    /// Letters of each secret.
    pub letters: [usize; 3],
    /// Whether another password is asked for.
    pub must_change: bool,
    /// Which field is typed into.
    pub field: Field,
    /// What went wrong, or why it is shown.
    pub notice: Option<LoginNotice>,
}

/// What a key comes to.
#[derive(Debug)]
pub enum LoginAction {
    /// Send it.
    Submit(Submit),
    /// Leave the terminal.
    Leave,
}

/// What is sealed and sent.
#[derive(Debug)]
pub struct Submit {
    /// Who.
    pub staff: StaffId,
    /// The password.
    pub password: Secret<String>,
    /// Another one from now on.
    pub new_password: Option<Secret<String>>,
}

/// The state of the page.
#[derive(Debug)]
pub struct Login {
    id: String,
    secrets: [Line; 3],
    must_change: bool,
    field: Field,
    notice: Option<LoginNotice>,
}

impl Login {
    /// An empty page, and why it is shown.
    pub fn new(notice: Option<LoginNotice>) -> Self {
        Self {
            id: String::new(),
            secrets: Default::default(),
            must_change: false,
            field: Field::Id,
            notice,
        }
    }

    /// As it may be seen.
    pub fn page(&self) -> LoginPage {
        LoginPage {
            id: self.id.clone(),
            letters: self.secrets.each_ref().map(Line::letters),
            must_change: self.must_change,
            field: self.field,
            notice: self.notice,
        }
    }

    /// The bank's answer, where nobody is logged in by it.
    pub fn answered(&mut self, notice: LoginNotice) {
        let [_, new, again] = &mut self.secrets;
        match notice {
            LoginNotice::MustChange
            | LoginNotice::Length
            | LoginNotice::Owner
            | LoginNotice::Worst
            | LoginNotice::Used => {
                new.clear();
                again.clear();
                self.must_change = true;
                self.field = Field::New;
                self.notice = Some(notice);
            }
            _ => *self = Self::new(Some(notice)),
        }
    }

    /// A key.
    pub fn key(&mut self, key: &Key) -> Option<LoginAction> {
        match key {
            Key::Char(letter) => self.letter(*letter),
            Key::Backspace => match self.secret() {
                Some(secret) => secret.pop(),
                None => drop(self.id.pop()),
            },
            Key::Esc => *self = Self::new(None),
            Key::Enter => return self.enter(),
            Key::Ctrl('c' | 'd') => return Some(LoginAction::Leave),
            _ => {}
        }
        None
    }

    fn secret(&mut self) -> Option<&mut Line> {
        let [password, new, again] = &mut self.secrets;
        match self.field {
            Field::Id => None,
            Field::Password => Some(password),
            Field::New => Some(new),
            Field::Again => Some(again),
        }
    }

    fn letter(&mut self, letter: char) {
        self.notice = None;
        let Some(secret) = self.secret() else {
            let lawful = letter.is_ascii_graphic() && self.id.len() < ID_MAX;
            self.id.extend(lawful.then_some(letter));
            return;
        };
        // What does not fit is not part of it: the letters shown say how many there are.
        let _ = secret.push(letter);
    }

    fn enter(&mut self) -> Option<LoginAction> {
        let no_id = self.id.is_empty();
        if self.secret().map_or(no_id, |secret| secret.is_empty()) {
            return None;
        }
        let next = match self.field {
            Field::Id => Field::Password,
            Field::Password if self.must_change => Field::New,
            Field::New => Field::Again,
            Field::Password => return self.submit(false),
            Field::Again => {
                let [_, new, again] = &mut self.secrets;
                if new.expose() == again.expose() {
                    return self.submit(true);
                }
                new.clear();
                again.clear();
                self.notice = Some(LoginNotice::Differ);
                Field::New
            }
        };
        self.field = next;
        None
    }

    fn submit(&mut self, exchange: bool) -> Option<LoginAction> {
        let Ok(staff) = self.id.parse() else {
            // No id of anybody: answered like any other that is wrong.
            *self = Self::new(Some(LoginNotice::Wrong));
            return None;
        };
        let [password, new, _] = &self.secrets;
        Some(LoginAction::Submit(Submit {
            staff,
            password: password.secret(),
            new_password: exchange.then(|| new.secret()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(login: &mut Login, text: &str) -> Option<LoginAction> {
        for letter in text.chars() {
            assert!(login.key(&Key::Char(letter)).is_none());
        }
        login.key(&Key::Enter)
    }

    fn submitted(action: Option<LoginAction>) -> Submit {
        match action {
            Some(LoginAction::Submit(submit)) => submit,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn id_and_password_are_sent_and_the_page_shows_letters_only_by_number() {
        let mut login = Login::new(None);
        assert!(login.key(&Key::Enter).is_none(), "nothing typed yet");
        assert!(typed(&mut login, "officer-1").is_none());
        assert_eq!(login.page().field, Field::Password);
        let submit = submitted(typed(&mut login, "a long sentence"));
        assert_eq!(submit.staff.as_str(), "officer-1");
        assert_eq!(submit.password.expose(), "a long sentence");
        assert!(submit.new_password.is_none());
        let page = format!("{:?} {submit:?} {login:?}", login.page());
        assert!(page.contains("letters: [15, 0, 0]") && !page.contains("sentence"));
    }

    #[test]
    fn a_first_password_is_exchanged_for_one_typed_twice_alike() {
        let mut login = Login::new(None);
        typed(&mut login, "officer-1");
        submitted(typed(&mut login, "first"));
        login.answered(LoginNotice::MustChange);
        assert!(typed(&mut login, "my own sentence").is_none());
        assert!(typed(&mut login, "my own sentance").is_none());
        assert_eq!(login.page().notice, Some(LoginNotice::Differ));
        typed(&mut login, "my own sentence");
        let submit = submitted(typed(&mut login, "my own sentence"));
        assert_eq!(submit.password.expose(), "first");
        let new = submit.new_password.expect("another one");
        assert_eq!(new.expose(), "my own sentence");
        login.answered(LoginNotice::Used);
        assert_eq!(login.page().field, Field::New);
        login.answered(LoginNotice::Wrong);
        assert_eq!(login.page(), Login::new(Some(LoginNotice::Wrong)).page());
    }

    #[test]
    fn escape_forgets_everything_and_a_lawless_id_is_never_sent() {
        let mut login = Login::new(Some(LoginNotice::Idle));
        typed(&mut login, "officer-1");
        login.key(&Key::Char('x'));
        login.key(&Key::Esc);
        assert_eq!(login.page(), Login::new(None).page());
        typed(&mut login, "///");
        assert!(typed(&mut login, "whatever").is_none());
        assert_eq!(login.page().notice, Some(LoginNotice::Wrong));
    }
}
