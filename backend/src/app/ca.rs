//! The authority's folder: its key, its certificate, what it issued and what it revoked.
//!
//! ```text
//! ca-key.pem           mode 600; belongs on a machine of its own
//! ca-certificate.pem   for the backend's `client_ca_file` and every client's `ca_file`
//! ca-crl.pem           for the backend's `client_crl_file`
//! issued.txt           one line a certificate, only ever appended: serial, holder, end
//! ```
//!
//! Nothing is ever overwritten but the list of revoked certificates, and that as a whole.
//! A certificate is recorded before it is written: none exists that cannot be revoked.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use counterfoil_data::certificate;
use counterfoil_data::seam::random;
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::SignerId;
use jiff::Timestamp;

use super::system::OsEntropy;
use crate::ca::{Authority, DAYS_MAX, DAYS_USUAL, Holder, SERIAL_LEN, YEARS_MAX};
use crate::config::text_of;

const KEY: &str = "ca-key.pem";
const CERTIFICATE: &str = "ca-certificate.pem";
const CRL: &str = "ca-crl.pem";
const ISSUED: &str = "issued.txt";
/// Longest list of revoked certificates read, in bytes.
const CRL_MAX: u64 = 4 * 1024 * 1024;
/// Longest record of what was issued, in bytes: about 150,000 certificates.
const ISSUED_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug, Clone, clap::Args)]
pub struct CreateArgs {
    /// A folder for it, made when missing; one that holds an authority is refused.
    #[arg(long)]
    out: PathBuf,
    /// Its name in certificates.
    #[arg(long, default_value = "Counterfoil private CA")]
    name: String,
    /// How many years it is good.
    #[arg(long, default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(YEARS_MAX)))]
    years: u32,
}

#[derive(Debug, Clone, clap::Args)]
pub struct RequestArgs {
    /// The private key: made with mode 600 when missing, used again when there.
    #[arg(long)]
    key: PathBuf,
    /// The backend's name or address, as clients dial it.
    #[arg(long)]
    name: String,
    /// Where the request goes.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Clone, clap::Args)]
pub struct EnrolArgs {
    /// The authority's folder.
    #[arg(long)]
    ca: PathBuf,
    /// Whose certificate it is: an id as the books have it, or a server's name.
    #[arg(long)]
    id: String,
    /// The request that was made where the private key is.
    #[arg(long)]
    request: PathBuf,
    /// How many days it is good.
    #[arg(long, default_value_t = DAYS_USUAL,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    days: u32,
    /// Where the certificate goes; never over another file.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Clone, clap::Args)]
pub struct RevokeArgs {
    /// The authority's folder.
    #[arg(long)]
    ca: PathBuf,
    /// A serial number, in hex as `issued.txt` has it.
    #[arg(long)]
    serial: Vec<String>,
    /// Everything issued to this holder: `kiosk:kiosk-1`, `station:…`, `staff:…` or a name.
    #[arg(long)]
    id: Vec<String>,
}

/// Whose certificate is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Kiosk,
    Station,
    Staff,
    Server,
}

impl Kind {
    fn holder(self, id: &str) -> anyhow::Result<Holder> {
        Ok(Holder::Signer(match self {
            Self::Kiosk => SignerId::Kiosk(id.parse()?),
            Self::Station => SignerId::Station(id.parse()?),
            Self::Staff => SignerId::Staff(id.parse()?),
            Self::Server => return Ok(Holder::Server(id.to_owned())),
        }))
    }
}

/// Makes an authority.
pub fn create(args: &CreateArgs) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&args.out).context("the folder cannot be made")?;
    let seed = Secret::new(random::<32>(&OsEntropy));
    let (serial, now) = (random::<SERIAL_LEN>(&OsEntropy), Timestamp::now());
    let authority = Authority::create(&args.name, seed.expose(), serial, args.years, now)?;
    let key = certificate::key_pem(seed.expose())?;
    // The key first: a folder that has one is another authority's.
    put(&args.out.join(KEY), key.expose(), 0o600)?;
    put(
        &args.out.join(CERTIFICATE),
        &authority.certificate_pem()?,
        0o644,
    )?;
    put(&args.out.join(ISSUED), "", 0o644)?;
    let list = authority.crl(None, &[], |_| true, now)?;
    put(&args.out.join(CRL), &list, 0o644)?;
    say(&format!("made an authority in {}", args.out.display()))
}

/// Makes a key, unless it is there, and a request.
pub fn request(args: &RequestArgs) -> anyhow::Result<ExitCode> {
    if !args.key.exists() {
        let seed = Secret::new(random::<32>(&OsEntropy));
        let key = certificate::key_pem(seed.expose())?;
        put(&args.key, key.expose(), 0o600)?;
    }
    let key = key_of(&args.key)?;
    put(&args.out, &certificate::request(&key, &args.name)?, 0o644)?;
    say(&format!("wrote {}", args.out.display()))
}

/// Issues a certificate and renews the list of revoked ones.
pub fn enrol(args: &EnrolArgs, kind: Kind) -> anyhow::Result<ExitCode> {
    let holder = kind.holder(&args.id)?;
    let request = text_of(&args.request, certificate::FILE_MAX).context("the request")?;
    anyhow::ensure!(
        !args.out.exists(),
        "{} is there already: name another file",
        args.out.display()
    );
    let folder = Folder::open(&args.ca)?;
    let (serial, now) = (random::<SERIAL_LEN>(&OsEntropy), Timestamp::now());
    let issued = folder
        .authority
        .issue(&request, &holder, args.days, now, serial)?;
    folder.record(&format!(
        "{}\t{holder}\t{}\n",
        issued.serial, issued.not_after
    ))?;
    put(&args.out, &issued.pem, 0o644)?;
    folder.renew_list(&[], now)?;
    let (serial, end) = (issued.serial, issued.not_after);
    say(&format!("issued {serial} to {holder}, good until {end}"))
}

/// Revokes by serial number or holder; with neither, only renews the list.
pub fn revoke(args: &RevokeArgs) -> anyhow::Result<ExitCode> {
    let folder = Folder::open(&args.ca)?;
    let issued = folder.issued()?;
    let now = Timestamp::now();
    let mut serials: Vec<String> = Vec::new();
    for wanted in &args.serial {
        let wanted = wanted.to_ascii_lowercase();
        let found = issued.iter().find(|entry| entry.serial == wanted);
        let found = found.with_context(|| format!("{wanted} was not issued here"))?;
        serials.push(found.serial.clone());
    }
    for wanted in &args.id {
        let before = serials.len();
        let theirs = issued.iter().filter(|e| e.holder == *wanted && e.end > now);
        serials.extend(theirs.map(|entry| entry.serial.clone()));
        anyhow::ensure!(
            serials.len() > before,
            "{wanted} has no certificate that is still good: say kiosk:ID, station:ID or staff:ID"
        );
    }
    folder.renew_list(&serials, now)?;
    let list = args.ca.join(CRL);
    say(&format!(
        "revoked {}; bring {} to the backend",
        serials.len(),
        list.display()
    ))
}

/// One line of `issued.txt`.
struct Entry {
    serial: String,
    holder: String,
    end: Timestamp,
}

/// An authority's folder, for one process at a time.
struct Folder {
    path: PathBuf,
    authority: Authority,
    record: File,
}

impl Folder {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let record = OpenOptions::new().append(true).open(path.join(ISSUED));
        let record = record.with_context(|| format!("{} is no authority", path.display()))?;
        record
            .lock()
            .context("another process uses the authority")?;
        let key = private(&path.join(KEY))?;
        let certificate = text_of(&path.join(CERTIFICATE), certificate::FILE_MAX);
        let certificate = certificate.context(CERTIFICATE)?;
        let authority = Authority::from_pem(&certificate, key.expose())?;
        let path = path.to_owned();
        Ok(Self {
            path,
            authority,
            record,
        })
    }

    fn record(&self, line: &str) -> anyhow::Result<()> {
        (&self.record).write_all(line.as_bytes()).context(ISSUED)?;
        self.record.sync_all().context(ISSUED)
    }

    fn issued(&self) -> anyhow::Result<Vec<Entry>> {
        let text = text_of(&self.path.join(ISSUED), ISSUED_MAX).context(ISSUED)?;
        let entry = |(n, line): (usize, &str)| {
            let mut parts = line.split('\t');
            let mut part = || parts.next().unwrap_or_default().to_owned();
            let (serial, holder, end) = (part(), part(), part());
            let end = end.parse();
            let end = end.with_context(|| format!("{ISSUED}: line {}", n.saturating_add(1)))?;
            Ok(Entry {
                serial,
                holder,
                end,
            })
        };
        text.lines().enumerate().map(entry).collect()
    }

    /// Writes the next list. Certificates that are over are left out of it.
    fn renew_list(&self, revoke: &[String], now: Timestamp) -> anyhow::Result<()> {
        let path = self.path.join(CRL);
        let before = match path.exists() {
            true => Some(text_of(&path, CRL_MAX).context(CRL)?),
            false => anyhow::bail!("{CRL} is gone: restore it, or what was revoked is not"),
        };
        let issued = self.issued()?;
        let is_over = |serial: &str| issued.iter().any(|e| e.serial == serial && e.end <= now);
        let list = self
            .authority
            .crl(before.as_deref(), revoke, |s| !is_over(s), now)?;
        let next = self.path.join(format!("{CRL}.new"));
        let mut file = File::create(&next).context(CRL)?;
        file.write_all(list.as_bytes()).context(CRL)?;
        file.sync_all().context(CRL)?;
        std::fs::rename(&next, &path).context(CRL)
    }
}

fn key_of(path: &Path) -> anyhow::Result<ed25519_dalek::SigningKey> {
    Ok(certificate::key(private(path)?.expose())?)
}

/// The text of a key that only its owner may read.
fn private(path: &Path) -> anyhow::Result<Secret<String>> {
    let named = || path.display().to_string();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(path).with_context(named)?;
        let mode = found.permissions().mode() & 0o777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "{} has mode {mode:03o}: others may read the key, set it to 600 or 400",
            named()
        );
    }
    let text = text_of(path, certificate::FILE_MAX).with_context(named)?;
    Ok(Secret::new(text))
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

fn say(line: &str) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(ExitCode::SUCCESS)
}
