//! TLS files: read as a whole, again when they change, and never half.
//!
//! The door they become is [`crate::service::tls`]'s. What cannot be read or used is
//! told once, and what was in force stays so. A private key that others may read is
//! refused.

use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::secret::Secret;
use counterfoil_data::wire::Digest;
use jiff::{SignedDuration, Timestamp};

use crate::config::TlsConfig;
use crate::service::tls::{Door, Material, Until};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Longest certificate, authority or key file in bytes.
const FILE_MAX: u64 = 256 * 1024;
/// Longest file of revoked certificates in bytes: about 100,000 of them.
const CRL_MAX: u64 = 4 * 1024 * 1024;
/// How long before their end certificate and list are complained of, in hours.
const WARN_HOURS: i64 = 7 * 24;
/// How often that is said.
const WARN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// The four files, as they are now.
struct Bundle {
    certificate: Vec<u8>,
    key: Secret<Vec<u8>>,
    client_ca: Vec<u8>,
    client_crl: Vec<u8>,
}

impl Bundle {
    fn read(files: &TlsConfig) -> anyhow::Result<Self> {
        Ok(Self {
            certificate: bytes(&files.certificate_file, FILE_MAX, false)?,
            key: Secret::new(bytes(&files.key_file, FILE_MAX, true)?),
            client_ca: bytes(&files.client_ca_file, FILE_MAX, false)?,
            client_crl: bytes(&files.client_crl_file, CRL_MAX, false)?,
        })
    }

    fn material(&self) -> Material<'_> {
        Material {
            certificate: &self.certificate,
            key: &self.key,
            client_ca: &self.client_ca,
            client_crl: &self.client_crl,
        }
    }

    /// What tells one set of files from another; dates of files need not be trusted.
    fn digest(&self) -> Digest {
        let parts = [&self.certificate, self.key.expose(), &self.client_ca];
        let parts = parts.into_iter().chain([&self.client_crl]);
        let each: Vec<u8> = parts.flat_map(|part| Digest::of(part).0).collect();
        Digest::of(&each)
    }
}

fn bytes(path: &Path, max: u64, is_key: bool) -> anyhow::Result<Vec<u8>> {
    let named = || path.display().to_string();
    let file = std::fs::File::open(path).with_context(named)?;
    #[cfg(unix)]
    if is_key {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().with_context(named)?.permissions().mode() & 0o777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "{} has mode {mode:03o}: others may read the key, set it to 600 or 400",
            named()
        );
    }
    let mut found = Vec::new();
    let most = max.saturating_add(1);
    file.take(most)
        .read_to_end(&mut found)
        .with_context(named)?;
    let fits = u64::try_from(found.len()).is_ok_and(|len| len <= max);
    anyhow::ensure!(fits, "{} has more than {max} bytes", named());
    Ok(found)
}

/// A door and the files it is made of.
pub struct Watched {
    door: Rc<Door>,
    files: TlsConfig,
    in_force: Digest,
}

/// Opens the door; refuses files that could let nobody in.
pub fn open(files: &TlsConfig, now: Timestamp) -> anyhow::Result<Watched> {
    let bundle = Bundle::read(files).context("[tls]")?;
    let door = Door::open(&bundle.material(), now).context("[tls]")?;
    Ok(Watched {
        door: Rc::new(door),
        files: files.clone(),
        in_force: bundle.digest(),
    })
}

impl Watched {
    /// Keeps the files in sight from now on; SIGHUP has them looked at now.
    pub fn start(self, clock: SharedClock) -> std::io::Result<Rc<Door>> {
        let door = Rc::clone(&self.door);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut hangup = signal(SignalKind::hangup())?;
            let nudge = async move || {
                hangup.recv().await;
            };
            tokio::task::spawn_local(self.watch(clock, nudge));
        }
        #[cfg(not(unix))]
        tokio::task::spawn_local(self.watch(clock, async || std::future::pending().await));
        Ok(door)
    }

    /// Looks at the files again and again, and at once when `nudge` is ready.
    async fn watch(mut self, clock: SharedClock, mut nudge: impl AsyncFnMut()) {
        let mut complained: Option<String> = None;
        let mut warned: Option<Duration> = None;
        loop {
            match self.look(clock.now()) {
                Ok(true) => {
                    complained = None;
                    tracing::info!("tls: the changed files are in force");
                }
                // As they were, or put back.
                Ok(false) => complained = None,
                Err(error) => {
                    let text = format!("{error:#}");
                    if complained.as_ref() != Some(&text) {
                        tracing::error!(error = text, "tls: changed files are not used");
                    }
                    complained = Some(text);
                }
            }
            let at = clock.monotonic();
            if warned.is_none_or(|warned| at.saturating_sub(warned) >= WARN_EVERY)
                && warn(self.door.until(), clock.now())
            {
                warned = Some(at);
            }
            tokio::select! {
                () = nudge() => {}
                () = clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn look(&mut self, now: Timestamp) -> anyhow::Result<bool> {
        let bundle = Bundle::read(&self.files)?;
        let found = bundle.digest();
        if found == self.in_force {
            return Ok(false);
        }
        self.door.replace(&bundle.material(), now)?;
        self.in_force = found;
        Ok(true)
    }
}

/// Says what is about to end; whether anything is.
fn warn(until: Until, now: Timestamp) -> bool {
    let soon = SignedDuration::from_hours(WARN_HOURS);
    let mut any = false;
    for (what, end) in [
        ("certificate_file", until.certificate),
        ("client_crl_file", until.crl),
    ] {
        if end.duration_since(now) < soon {
            any = true;
            tracing::warn!(what, %end, "tls: renew it, nobody can connect after its end");
        }
    }
    any
}
