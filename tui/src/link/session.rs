//! Calls of a terminal of staff about who is logged in.

use counterfoil_data::sealed::{Binding, SealKey, Sealed, SecretText};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::sale::Nothing;
use counterfoil_data::wire::session::{LogIn, LogOut, SessionId, SessionShown, SessionView};

use super::{Ask, Dial, Link, LinkError};
use crate::login::{LoginNotice, Submit};

/// Whether the bank says that nobody is logged in here.
pub fn is_nobody(error: &LinkError) -> bool {
    matches!(error, LinkError::Refused(problem) if problem.kind.ends_with("/no-session"))
}

impl<D: Dial> Link<D> {
    /// Names this session in every later request; `None`: none.
    pub fn within(&self, session: Option<SessionId>) {
        self.session.set(session);
    }

    /// Logs in: what a challenge is read for, sealed to it, and sent. An answer that
    /// lets nobody in is what to say about it.
    pub async fn log_in(&self, submit: Submit) -> Result<SessionShown, LoginNotice> {
        let view: Result<SessionView, _> = self.json(&Ask::read("/v1/session")).await;
        let view = view.map_err(|_| LoginNotice::NotSent)?;
        let key = view.sealing_key().ok_or(LoginNotice::NotSent)?;
        let binding = Binding::login(view.challenge);
        let new_password = match submit.new_password {
            Some(new) => Some(self.sealed(new, &key, binding)?),
            None => None,
        };
        let body = LogIn {
            staff: submit.staff,
            password: self.sealed(submit.password, &key, binding)?,
            new_password,
        };
        let answer: Result<SessionView, _> = self.json(&Ask::post("/v1/session", &body)).await;
        let view = answer.map_err(|error| notice(&error))?;
        let shown = view.session.ok_or(LoginNotice::MustChange)?;
        self.within(Some(shown.id));
        Ok(shown)
    }

    fn sealed(
        &self,
        text: Secret<String>,
        key: &SealKey,
        binding: Binding,
    ) -> Result<Sealed<SecretText>, LoginNotice> {
        let sealed = Sealed::seal(&SecretText(text), key, binding, &*self.entropy);
        sealed.map_err(|_| LoginNotice::NotSent)
    }

    /// `POST /v1/session/alive`: somebody touched the terminal.
    pub async fn alive(&self) -> Result<(), LinkError> {
        let ask = Ask::post("/v1/session/alive", &Nothing {});
        self.json::<SessionView>(&ask).await.map(drop)
    }

    /// `POST /v1/session/end`. Whether or not it arrives, no later request names the
    /// session, and the bank ends it by itself.
    pub async fn log_out(&self, idle: bool) {
        let ask = Ask::post("/v1/session/end", &LogOut { idle });
        let _ = self.json::<SessionView>(&ask).await;
        self.within(None);
    }
}

fn notice(error: &LinkError) -> LoginNotice {
    let LinkError::Refused(problem) = error else {
        return LoginNotice::NotSent;
    };
    match problem.reason.as_deref() {
        Some("password-length") => LoginNotice::Length,
        Some("password-owner") => LoginNotice::Owner,
        Some("password-worst") => LoginNotice::Worst,
        Some("password-used") => LoginNotice::Used,
        _ if problem.status == 423 => LoginNotice::Locked,
        _ if problem.status == 422 => LoginNotice::Wrong,
        _ => LoginNotice::NotSent,
    }
}
