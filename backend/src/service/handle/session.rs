//! Logging in and out at a terminal of staff.
//!
//! The order is that of the first gate: cheap checks, room in the pool, seals, count the
//! attempt (durable), hash, settle. Whatever was wrong, the answer is one and the work is
//! the same; a password exists in clear only inside worker jobs (I7).

use std::rc::Rc;

use counterfoil_data::sealed::{Binding, Challenge, SealError, Sealed, SecretText};
use counterfoil_data::seam::{Entropy, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::session::{LogIn, LogOut, PASSWORD_MAX, SessionShown, SessionView};
use counterfoil_data::wire::{Digest, hex};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::Asked;
use crate::core::command::{
    Actor, Command, CommandBody, LoginCheck, LoginOutcome, LoginVerdict, Outcome, StaffCommand,
};
use crate::core::event::EndReason;
use crate::core::query;
use crate::core::record::bank::KeyedHash;
use crate::workers::password::{self, Unfit};
use crate::workers::pin::PinHash;
use crate::workers::{Bench, Kind};

/// The salt of a new hash, drawn where chance may be drawn.
struct Drawn([u8; 16]);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        for (to, from) in bytes.iter_mut().zip(self.0) {
            *to = from;
        }
    }
}

impl Service {
    /// Where this terminal stands, and what its next password is sealed to.
    pub(super) async fn read_session(&self, asked: &Asked) -> Result<Reply, Fault> {
        let session = match self.live(asked).await? {
            Some(row) => {
                let books = self.books()?;
                Some(told(query::session_shown(books.read(), row))?)
            }
            None => None,
        };
        self.session_view(asked, session, false)
    }

    fn session_view(
        &self,
        asked: &Asked,
        session: Option<SessionShown>,
        must_change: bool,
    ) -> Result<Reply, Fault> {
        let challenge = Challenge(random(&*self.entropy));
        let mut memory = self.sessions.borrow_mut();
        memory.issue(&asked.signer_id, challenge);
        Reply::json(&SessionView {
            required: told(query::access(self.books()?.read()))?.sessions,
            challenge,
            seal_key: hex(&self.keys.seal.0),
            must_change,
            session,
        })
    }

    /// Somebody logs in.
    pub(super) async fn log_in(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let given: LogIn = asked.json()?;
        let mut place = self.place(Kind::Pin, &asked)?;
        let challenge = self.sessions.borrow_mut().take(&asked.signer_id);
        let challenge = challenge
            .ok_or_else(|| Fault::malformed("read GET /v1/session and seal to its challenge"))?;
        let binding = Binding::login(challenge);
        let sealed = given.clone();
        place
            .run(move |bench| whole(bench, &sealed, binding))
            .await?
            .map_err(|error| Fault::malformed(error.to_string()))?;
        let staff = given.staff.clone();
        // One turn at a time for an account, known or not, locked or not.
        let about = Digest::of(format!("staff/{staff}").as_bytes());
        place.turn(Some(KeyedHash(about.0))).await?;
        let count = StaffCommand::CountLogin { staff };
        let counted = self.login_command(&asked, asked.sequence, count).await?;
        let LoginOutcome::Check(check) = counted else {
            return Err(Fault::internal());
        };
        let attempt = check.attempt;
        let salt = Drawn(random(&*self.entropy));
        let judged = place
            .run(move |bench| judge(bench, &given, binding, &check, &salt))
            .await?;
        drop(place);
        let (verdict, unfit) = match judged {
            Ok(verdict) => (verdict, None),
            Err(unfit) => (LoginVerdict::Unfit, Some(unfit)),
        };
        let settle = StaffCommand::SettleLogin { attempt, verdict };
        let settled = self.login_command(&asked, None, settle).await?;
        match (settled, unfit) {
            (LoginOutcome::In(row), _) => {
                let now = self.clock.monotonic();
                let mut memory = self.sessions.borrow_mut();
                memory.touch(&asked.signer_id, row.id, now);
                drop(memory);
                let books = self.books()?;
                let shown = told(query::session_shown(books.read(), row))?;
                self.session_view(&asked, Some(shown), false)
            }
            (LoginOutcome::MustChange, Some(unfit)) => Err(refused(unfit)),
            (LoginOutcome::MustChange, None) => self.session_view(&asked, None, true),
            (LoginOutcome::Failed | LoginOutcome::Check(_), _) => Err(failed()),
        }
    }

    async fn login_command(
        &self,
        asked: &Asked,
        sequence: Option<u64>,
        command: StaffCommand,
    ) -> Result<LoginOutcome, Fault> {
        let actor = Actor::Terminal(asked.signer_id.clone());
        let body = CommandBody::Staff(command);
        let command = Command {
            sequence,
            ..self.fresh(actor, body)
        };
        match self.make(command).await?.outcome {
            Outcome::Login(outcome) => Ok(*outcome),
            _ => Err(Fault::internal()),
        }
    }

    /// Somebody leaves, or nobody is there any more.
    pub(super) async fn log_out(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let why = match asked.body.is_empty() {
            true => EndReason::LoggedOut,
            false if asked.json::<LogOut>()?.idle => EndReason::Idle,
            false => EndReason::LoggedOut,
        };
        if let Some(session) = asked.session {
            self.end_session(&asked, session, why, asked.sequence)
                .await?;
        }
        self.session_view(&asked, None, false)
    }

    /// Somebody touched the terminal; the door noted it.
    pub(super) async fn alive(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        self.read_session(&asked).await
    }
}

/// One answer for whatever was wrong.
fn failed() -> Fault {
    Fault::new(
        ProblemKind::NotVerified,
        "nobody is logged in: look at the id and the password, wait if it was tried often, or \
         have two people give a new first password",
    )
}

fn refused(unfit: Unfit) -> Fault {
    let mut fault = Fault::new(ProblemKind::Refused, unfit.to_string());
    fault.reason = Some(unfit.word().to_owned());
    fault
}

fn open(
    bench: &Bench,
    sealed: &Sealed<SecretText>,
    binding: Binding,
) -> Result<Secret<String>, SealError> {
    let SecretText(text) = sealed.open(&bench.keys.open, binding)?;
    if text.expose().len() > PASSWORD_MAX {
        return Err(SealError::Content);
    }
    Ok(text)
}

/// Both seals open: a stale one must not cost an attempt.
fn whole(bench: &Bench, given: &LogIn, binding: Binding) -> Result<(), SealError> {
    open(bench, &given.password, binding)?;
    match &given.new_password {
        Some(sealed) => open(bench, sealed, binding).map(drop),
        None => Ok(()),
    }
}

/// One hash for whoever does not log in; more only after the right password.
fn judge(
    bench: &mut Bench,
    given: &LogIn,
    binding: Binding,
    check: &LoginCheck,
    salt: &Drawn,
) -> Result<LoginVerdict, Unfit> {
    let Ok(secret) = open(bench, &given.password, binding) else {
        return Ok(LoginVerdict::Wrong);
    };
    let stored = check.verifier.as_deref().and_then(PinHash::from_phc);
    let keys = std::sync::Arc::clone(&bench.keys);
    if !bench.pins.verify(&keys, secret.expose(), stored.as_ref()) {
        return Ok(LoginVerdict::Wrong);
    }
    let Some(sealed) = &given.new_password else {
        return Ok(LoginVerdict::Right);
    };
    let Ok(new) = open(bench, sealed, binding) else {
        return Err(Unfit::Length);
    };
    password::fit(new.expose(), given.staff.as_str(), &check.name)?;
    let before = check.verifier.iter().chain(&check.history);
    let before = before.map(String::as_str);
    if password::used(&mut bench.pins, &keys, new.expose(), before) {
        return Err(Unfit::Used);
    }
    let hash = bench.pins.hash(&keys, new.expose(), salt);
    Ok(hash.map_or(LoginVerdict::Wrong, |hash| {
        LoginVerdict::Renewed(hash.to_phc())
    }))
}
