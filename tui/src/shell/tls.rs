//! TLS files of a kiosk or a terminal of staff, and the request for its certificate.
//!
//! The private key is made here and stays here: only the request leaves the machine
//! (`counterfoil-backend enrol-kiosk` and its like answer it). Without TLS only a backend
//! on loopback is dialled.

use std::fs::OpenOptions;
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::certificate;
use counterfoil_data::seam::{SharedClock, random};
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::SignerId;
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use serde::Deserialize;

use super::args::TellerArgs;
use crate::link::tls::{Bundle, NetDial};

/// Longest certificate or authority file in bytes.
const FILE_MAX: u64 = 256 * 1024;

/// `[tls]`, or the flags that begin with `--tls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificates of the authorities the backend's may be of.
    pub ca_file: PathBuf,
    /// The own certificate; read again for every connection.
    pub certificate_file: PathBuf,
    /// Its private key, mode 600 or 400.
    pub key_file: PathBuf,
    /// The backend's name in its certificate. Default: the host of `backend`.
    pub server_name: Option<String>,
}

/// Whether a backend without TLS may be dialled there: on this machine only.
pub fn is_loopback(backend: &str) -> bool {
    let host = host(backend);
    host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback())
}

fn host(backend: &str) -> &str {
    let host = backend.rsplit_once(':').map_or(backend, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The way to the backend.
pub fn dial(backend: &str, tls: Option<&Tls>, clock: SharedClock) -> anyhow::Result<NetDial> {
    let Some(tls) = tls else {
        anyhow::ensure!(
            is_loopback(backend),
            "{backend} is not on this machine: say [tls], or --tls-ca, --tls-certificate, --tls-key"
        );
        return Ok(NetDial::plain(backend));
    };
    let name = tls.server_name.as_deref().unwrap_or_else(|| host(backend));
    let files = tls.clone();
    let read = Box::new(move || files.read());
    Ok(NetDial::tls(backend, name, read, clock)?)
}

/// Answers `--certificate-request` of a terminal of staff; also checks, before the screen
/// is taken, that its backend may be dialled. Whether that was all that was wanted.
pub(super) fn requested(args: &TellerArgs, holder: &SignerId) -> anyhow::Result<bool> {
    let tls = args.both.tls.files();
    if let Some(out) = &args.both.certificate_request {
        let tls = tls.context("say --tls-ca, --tls-certificate and --tls-key")?;
        tls.request(holder, out)?;
        return Ok(true);
    }
    let clock = Rc::new(TokioClock::system());
    dial(&args.both.backend, tls.as_ref(), clock)?;
    Ok(false)
}

impl Tls {
    fn read(&self) -> io::Result<Bundle> {
        Ok(Bundle {
            ca: bytes(&self.ca_file, false)?,
            certificate: bytes(&self.certificate_file, false)?,
            key: Secret::new(bytes(&self.key_file, true)?),
        })
    }

    /// Writes a request for a certificate of `holder`; makes the key unless it is there.
    pub fn request(&self, holder: &SignerId, out: &Path) -> anyhow::Result<()> {
        if !self.key_file.exists() {
            let seed = Secret::new(random::<32>(&SystemEntropy));
            let pem = certificate::key_pem(seed.expose())?;
            put(&self.key_file, pem.expose(), 0o600)?;
        }
        let pem = bytes(&self.key_file, true).context("the TLS key")?;
        let pem = String::from_utf8(pem).context("the TLS key is not PEM")?;
        let pem = Secret::new(pem);
        let key = certificate::key(pem.expose())?;
        put(
            out,
            &certificate::request(&key, &holder.to_string())?,
            0o644,
        )
    }
}

/// A new file with this mode; never over another one.
fn put(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let made = options.open(path);
    let mut file = made.with_context(|| format!("{} is not written", path.display()))?;
    file.write_all(text.as_bytes()).context("cannot write")?;
    file.sync_all().context("cannot write")
}

fn bytes(path: &Path, is_key: bool) -> io::Result<Vec<u8>> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(named)?;
    #[cfg(unix)]
    if is_key {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(named)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let text = format!("mode {mode:03o}: others may read the key, set it to 600 or 400");
            return Err(named(io::Error::other(text)));
        }
    }
    let mut found = Vec::new();
    file.take(FILE_MAX.saturating_add(1))
        .read_to_end(&mut found)
        .map_err(named)?;
    match u64::try_from(found.len()).is_ok_and(|len| len <= FILE_MAX) {
        true => Ok(found),
        false => Err(named(io::Error::other(format!(
            "more than {FILE_MAX} bytes"
        )))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_dialled_without_tls() {
        for here in ["127.0.0.1:80", "[::1]:80", "localhost:80", "127.9.9.9:1"] {
            assert!(is_loopback(here), "{here}");
        }
        for there in [
            "10.0.0.1:80",
            "bank.example:443",
            "localhost.example:1",
            "[fe80::1]:1",
        ] {
            assert!(!is_loopback(there), "{there}");
        }
    }
}
