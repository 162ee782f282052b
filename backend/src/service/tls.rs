//! TLS 1.3 under the service: who may connect, and for how long.
//!
//! Owns the terms in force (own certificate, whose clients are trusted, which of them
//! are revoked) and exchanges them while connections live. Refuses clients without a
//! certificate of the bank's authority, revoked and expired ones, and those that do not
//! name exactly one signer; older versions of TLS are not built in, data before the
//! handshake (0-RTT) is not taken. Reads no files: `app` does, and brings bytes. Called
//! by the HTTP layer, which is the same above it and without it.
//!
//! A session may be resumed, which spares a signature; a resumed session brings its
//! certificate along, and TLS does not look at it again. Therefore every connection,
//! resumed or not, is judged here by the terms in force, again whenever they change, and
//! each [`RECHECK`]: a resumed session or one that is kept alive is worth no more than
//! the certificate it began with. A list of revoked certificates that is past its next
//! update refuses everybody.

mod terms;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use counterfoil_data::certificate;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::sign::SignerId;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::bell::{Bell, Ear};
pub use terms::{Material, TlsError, Until};
use terms::{Terms, Wall};

/// Time for a whole handshake.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How often a living connection's certificate is looked at anew.
pub const RECHECK: Duration = Duration::from_secs(60);
/// Least time between two log lines about refused connections.
pub const TELL_EVERY: Duration = Duration::from_secs(60);

/// Why a connection is not let in; says nothing of who it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The handshake did not end in [`HANDSHAKE_MAX`].
    #[error("the handshake took too long")]
    Late,
    /// TLS refused: no certificate, a wrong, expired or revoked one, another protocol.
    #[error("the handshake failed")]
    Handshake,
    /// A good certificate that names no signer, or several.
    #[error("the certificate names no signer")]
    Nobody,
    /// A resumed session whose certificate is no longer good.
    #[error("the certificate is no longer good")]
    Unwelcome,
}

/// The door: terms in force and everybody who came in under them.
pub struct Door {
    terms: RefCell<Rc<Terms>>,
    changed: Bell,
    wall: Arc<Wall>,
    told: Cell<Option<Duration>>,
    untold: Cell<u64>,
}

impl Door {
    /// A door with its first terms; refuses what could not let anybody in.
    pub fn open(material: &Material<'_>, now: Timestamp) -> Result<Self, TlsError> {
        let wall = Arc::new(Wall::default());
        wall.set(now);
        let terms = Terms::new(material, now, &wall)?;
        Ok(Self {
            terms: RefCell::new(Rc::new(terms)),
            changed: Bell::default(),
            wall,
            told: Cell::new(None),
            untold: Cell::new(0),
        })
    }

    /// Puts new terms in force: for new connections at once, and everybody who is in is
    /// judged by them. Bad ones change nothing.
    pub fn replace(&self, material: &Material<'_>, now: Timestamp) -> Result<(), TlsError> {
        let terms = Terms::new(material, now, &self.wall)?;
        self.terms.replace(Rc::new(terms));
        self.changed.ring();
        Ok(())
    }

    /// Until when the terms in force are good.
    pub fn until(&self) -> Until {
        self.terms().until
    }

    fn terms(&self) -> Rc<Terms> {
        Rc::clone(&self.terms.borrow())
    }

    /// Shakes hands and finds out who it is.
    pub async fn admit<I>(
        self: &Rc<Self>,
        io: I,
        clock: &SharedClock,
    ) -> Result<(TlsStream<I>, Guest), Refused>
    where
        I: AsyncRead + AsyncWrite + Unpin,
    {
        // Listening before the look: terms that change meanwhile are not missed.
        let ear = self.changed.listen();
        self.wall.set(clock.now());
        let acceptor = TlsAcceptor::from(Arc::clone(&self.terms().config));
        let stream = tokio::select! {
            biased;
            shaken = acceptor.accept(io) => shaken.map_err(|_| Refused::Handshake)?,
            () = clock.sleep(HANDSHAKE_MAX) => return Err(Refused::Late),
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let chain: Vec<CertificateDer<'static>> = chain.to_vec();
        let facts = chain.first().and_then(|own| certificate::facts(own).ok());
        let facts = facts.ok_or(Refused::Nobody)?;
        let signer = facts.signer.ok_or(Refused::Nobody)?;
        let guest = Guest {
            signer,
            chain,
            not_after: facts.not_after,
            door: Rc::clone(self),
            ear,
        };
        match guest.is_welcome(clock.now()) {
            true => Ok((stream, guest)),
            false => Err(Refused::Unwelcome),
        }
    }

    /// Tells the log that connections are refused, but not each of them.
    pub fn tell(&self, refused: Refused, monotonic: Duration) {
        let count = self.untold.get().saturating_add(1);
        let due = self.told.get().is_none_or(|told| {
            let quiet = monotonic.saturating_sub(told);
            quiet >= TELL_EVERY
        });
        if !due {
            self.untold.set(count);
            return;
        }
        self.untold.set(0);
        self.told.set(Some(monotonic));
        tracing::warn!(count, last = %refused, "tls: connections were refused");
    }
}

/// Somebody who was let in, by a certificate.
pub struct Guest {
    /// Whom the certificate names.
    pub signer: SignerId,
    chain: Vec<CertificateDer<'static>>,
    not_after: Timestamp,
    door: Rc<Door>,
    ear: Ear,
}

impl Guest {
    fn is_welcome(&self, now: Timestamp) -> bool {
        self.door.terms().welcomes(&self.chain, now)
    }

    /// Until the certificate is no longer good: expired, revoked, or its authority gone.
    pub async fn until_unwelcome(&mut self, clock: &SharedClock) {
        loop {
            let now = clock.now();
            if !self.is_welcome(now) {
                return;
            }
            let left = Duration::try_from(self.not_after.duration_since(now));
            // A second more: it is good until the end of its last second.
            let left = left
                .unwrap_or_default()
                .saturating_add(Duration::from_secs(1));
            tokio::select! {
                () = self.ear.rung() => {}
                () = clock.sleep(RECHECK.min(left)) => {}
            }
        }
    }
}
