//! Configuration: one TOML file, every key documented, checked and bounded.
//!
//! Secrets are never in it: `key_file` names a file or a systemd credential.
//! Unknown keys are refused. Called by `app`; `--check` stops after this.

mod data_keys;
mod room;
mod transport;

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::toml_text::TomlFault;
use serde::Deserialize;

use crate::service::Limits;
use crate::workers::POOL_MAX;
use crate::workers::pin::{Argon2Params, MEMORY_MAX_KIB, PASSES_MAX, PRODUCTION_FLOOR_KIB};

pub use data_keys::{DATA_KEYS_MAX, DataKeyConfig};
pub use room::{CACHE_MAX_MIB, RESERVE_MAX_MIB};
pub use transport::TlsConfig;
pub(crate) use transport::transport;

/// Longest configuration file.
const FILE_MAX: u64 = 64 * 1024;
/// Fewest connections a configuration may allow: one of them is for requests.
pub const CONNECTIONS_MIN: usize = 4;
/// Most connections a configuration may allow.
pub const CONNECTIONS_MAX: usize = 65_536;
/// Most requests in flight a configuration may allow.
pub const REQUESTS_MAX: usize = 8_192;
/// Longest timeout a configuration may set, in seconds.
pub const TIMEOUT_MAX_S: u64 = 300;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot be read")]
    Read(#[from] std::io::Error),
    /// Not TOML of the documented shape.
    #[error(transparent)]
    Parse(#[from] TomlFault),
    /// A value is outside its bounds.
    #[error("{key} = {value} is outside {low} to {high}")]
    Bounds {
        /// Which key.
        key: &'static str,
        /// What was set.
        value: u64,
        /// Least.
        low: u64,
        /// Most.
        high: u64,
    },
    /// Two keys have one id.
    #[error("data_keys.id = {id} is there twice")]
    Twice {
        /// The id.
        id: u8,
    },
    /// Neither TLS nor a wish to do without.
    #[error(
        "say [tls] with its four files; without TLS say plain_http = true on a loopback address"
    )]
    NoTls,
    /// Both at once.
    #[error("plain_http = true and [tls] exclude each other: take one away")]
    Both,
    /// Without TLS where others can listen.
    #[error("listen = {0} can be reached by others: plain_http is for loopback, say [tls]")]
    Exposed(SocketAddr),
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the API, for example `127.0.0.1:8080`; port 0 picks one.
    pub listen: SocketAddr,
    /// Serves without TLS, on a loopback address only. Default false.
    #[serde(default)]
    pub plain_http: bool,
    /// TLS with client certificates; needed unless `plain_http`.
    pub tls: Option<TlsConfig>,
    /// Address of `/livez`, `/readyz`, `/metrics`; none when left out.
    pub admin_listen: Option<SocketAddr>,
    /// The database file; made when missing.
    pub database: PathBuf,
    /// Cache of the database in MiB, 1 to 4096. Default 64.
    #[serde(default = "room::cache_mib")]
    pub cache_mib: usize,
    /// Room kept free beside the database in MiB, 0 to 4096; 0 keeps none. Nothing new is
    /// sold where less than this is free. Default 64.
    #[serde(default = "room::reserve_mib")]
    pub reserve_mib: u64,
    /// The master key: 32 bytes or 64 hex digits, mode 600 or 400.
    pub key_file: PathBuf,
    /// Keys of data at rest beside the one that the master gives (id 1).
    #[serde(default)]
    pub data_keys: Vec<DataKeyConfig>,
    /// Origin line of the evidence log, for example `bank.example/counterfoil`.
    pub origin: String,
    /// A bank to enrol when the database is empty; none when left out.
    pub bank_file: Option<PathBuf>,
    /// Worker pools.
    #[serde(default)]
    pub workers: WorkersConfig,
    /// Bounds of the service.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// `[workers]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkersConfig {
    /// Threads that hash PINs, 1 to 16; cores less one is right. Default 1.
    pub pin_threads: usize,
    /// Threads that match prints, 1 to 16. Default 1.
    pub print_threads: usize,
    /// argon2 memory in KiB, 19456 to 262144. Default 19456.
    pub argon2_m_kib: u32,
    /// argon2 passes, 2 to 16. Default 2.
    pub argon2_t: u32,
    /// argon2 lanes, 1 to 4. Default 1.
    pub argon2_p: u32,
}

impl Default for WorkersConfig {
    fn default() -> Self {
        let Argon2Params { m_kib, t, p } = Argon2Params::production();
        Self {
            pin_threads: 1,
            print_threads: 1,
            argon2_m_kib: m_kib,
            argon2_t: t,
            argon2_p: p,
        }
    }
}

impl WorkersConfig {
    /// The argon2 cost.
    pub fn argon2(&self) -> Argon2Params {
        Argon2Params {
            m_kib: self.argon2_m_kib,
            t: self.argon2_t,
            p: self.argon2_p,
        }
    }
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Connections at once, 4 to 65536. Default 1024.
    pub connections: usize,
    /// Connections of one address (of one /64 with IPv6), 1 to `connections`. Behind
    /// an address translator a whole branch is one address. Default 512.
    pub connections_per_address: usize,
    /// Requests in flight, 1 to 8192. Default 512.
    pub requests: usize,
    /// Event streams at once, 1 to three quarters of `connections`. Default 768.
    pub event_streams: usize,
    /// Silence in a head or between requests, 1 to 300 s. Default 15.
    pub header_read_timeout_s: u64,
    /// Time for a whole body, 1 to 300 s. Default 15.
    pub body_read_timeout_s: u64,
    /// Time for an answer after its request was read, 1 to 300 s; less than a kiosk waits
    /// (20 s). Default 15.
    pub request_timeout_s: u64,
    /// Time in which a client takes less than 1 KiB of its answers, 1 to 300 s. Default 30.
    pub write_timeout_s: u64,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            connections: limits.connections_max,
            connections_per_address: limits.connections_per_address_max,
            requests: limits.requests_max,
            event_streams: limits.streams_max,
            header_read_timeout_s: limits.header_read_timeout.as_secs(),
            body_read_timeout_s: limits.body_read_timeout.as_secs(),
            request_timeout_s: limits.request_timeout.as_secs(),
            write_timeout_s: limits.write_timeout.as_secs(),
        }
    }
}

impl LimitsConfig {
    /// As the service takes them.
    pub fn limits(&self) -> Limits {
        Limits {
            connections_max: self.connections,
            connections_per_address_max: self.connections_per_address,
            requests_max: self.requests,
            streams_max: self.event_streams,
            header_read_timeout: Duration::from_secs(self.header_read_timeout_s),
            body_read_timeout: Duration::from_secs(self.body_read_timeout_s),
            request_timeout: Duration::from_secs(self.request_timeout_s),
            write_timeout: Duration::from_secs(self.write_timeout_s),
            date_header: true,
        }
    }
}

impl LimitsConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let all = self.connections;
        within("limits.connections", all, CONNECTIONS_MIN, CONNECTIONS_MAX)?;
        let one = self.connections_per_address;
        within("limits.connections_per_address", one, 1, all)?;
        within("limits.requests", self.requests, 1, REQUESTS_MAX)?;
        // Each stream holds a connection; the rest is for requests.
        let cap = Limits::streams_cap(all);
        within("limits.event_streams", self.event_streams, 1, cap)?;
        for (key, given) in [
            ("limits.header_read_timeout_s", self.header_read_timeout_s),
            ("limits.body_read_timeout_s", self.body_read_timeout_s),
            ("limits.request_timeout_s", self.request_timeout_s),
            ("limits.write_timeout_s", self.write_timeout_s),
        ] {
            within(key, given, 1, TIMEOUT_MAX_S)?;
        }
        Ok(())
    }
}

/// The text of a file of at most `max` bytes: a longer one is refused, never cut.
pub(crate) fn text_of(path: &Path, max: u64) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    let mut text = String::new();
    let read = file.take(max.saturating_add(1)).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read <= max) {
        return Ok(text);
    }
    let kind = std::io::ErrorKind::FileTooLarge;
    Err(std::io::Error::new(
        kind,
        format!("it has more than {max} bytes"),
    ))
}

impl Config {
    /// Reads and checks a file; an error names it first.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        Self::read(path).with_context(|| path.display().to_string())
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::parse(&text_of(path, FILE_MAX)?)
    }

    /// Parses and checks.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| TomlFault::of(text, &e))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (workers, limits) = (&self.workers, &self.limits);
        transport(self.listen, self.plain_http, self.tls.is_some())?;
        self.check_data_keys()?;
        room::check(self.cache_mib, self.reserve_mib)?;
        within("workers.pin_threads", workers.pin_threads, 1, POOL_MAX)?;
        within("workers.print_threads", workers.print_threads, 1, POOL_MAX)?;
        let (least, most) = (PRODUCTION_FLOOR_KIB, MEMORY_MAX_KIB);
        within("workers.argon2_m_kib", workers.argon2_m_kib, least, most)?;
        within("workers.argon2_t", workers.argon2_t, 2, PASSES_MAX)?;
        within("workers.argon2_p", workers.argon2_p, 1, 4_u32)?;
        limits.check()
    }
}

fn within<N>(key: &'static str, value: N, low: N, high: N) -> Result<(), ConfigError>
where
    N: Copy + PartialOrd + TryInto<u64>,
{
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let wide = |n: N| n.try_into().unwrap_or(u64::MAX);
    Err(ConfigError::Bounds {
        key,
        value: wide(value),
        low: wide(low),
        high: wide(high),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        listen = "127.0.0.1:0"
        plain_http = true
        database = "/var/lib/counterfoil/books.redb"
        key_file = "/run/credentials/counterfoil/master"
        origin = "bank.example/counterfoil"
    "#;

    #[test]
    fn a_file_that_is_too_long_is_refused_and_not_read_in_part() {
        let path = std::env::temp_dir().join(format!("counterfoil-long-{}", std::process::id()));
        let filler = |bytes: usize| "#".repeat(bytes);
        std::fs::write(&path, filler(100)).expect("writes");
        assert_eq!(text_of(&path, 100).expect("fits").len(), 100);
        std::fs::write(&path, filler(101)).expect("writes");
        let error = text_of(&path, 100).expect_err("too long");
        assert_eq!(error.to_string(), "it has more than 100 bytes");
        let whole = include_str!("../counterfoil-backend.example.toml").to_owned();
        std::fs::write(&path, whole + &filler(70_000)).expect("writes");
        let error = Config::load(&path).expect_err("too long");
        assert!(format!("{error:#}").ends_with("cannot be read: it has more than 65536 bytes"));
        std::fs::remove_file(&path).expect("removes");
    }

    #[test]
    fn the_least_file_gets_documented_defaults() {
        let config = Config::parse(LEAST).expect("parses");
        assert_eq!(config.cache_mib, 64);
        assert_eq!(config.workers.argon2(), Argon2Params::production());
        assert_eq!(config.limits.limits(), Limits::default());
        assert_eq!(config.admin_listen, None);
    }

    #[test]
    fn the_example_file_parses_and_shows_the_defaults() {
        let example = include_str!("../counterfoil-backend.example.toml");
        let config = Config::parse(example).expect("parses");
        assert_eq!(config.workers, WorkersConfig::default());
        assert_eq!(config.limits, LimitsConfig::default());
        assert_eq!(config.cache_mib, room::cache_mib());
    }

    #[test]
    fn without_tls_only_loopback_is_served_and_only_when_asked_for() {
        let tls = ["certificate", "key", "client_ca", "client_crl"];
        let tls: String = tls.iter().map(|f| format!("{f}_file = \"/x\"\n")).collect();
        let tls = format!("[tls]\n{tls}");
        let parse = |listen: &str, plain: &str, tls: &str| {
            let text = LEAST.replace("plain_http = true", plain);
            let text = text.replace("127.0.0.1:0", listen);
            Config::parse(&format!("{text}\n{tls}")).map_err(|error| error.to_string())
        };
        for listen in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(parse(listen, "plain_http = true", "").is_ok(), "{listen}");
        }
        for listen in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80"] {
            let error = parse(listen, "plain_http = true", "").expect_err(listen);
            assert!(error.contains(listen) && error.contains("[tls]"), "{error}");
            assert!(parse(listen, "", &tls).is_ok(), "{listen}");
        }
        let error = parse("127.0.0.1:80", "", "").expect_err("not asked for");
        assert!(error.contains("plain_http = true"), "{error}");
        let error = parse("127.0.0.1:80", "plain_http = true", &tls).expect_err("both");
        assert!(error.contains("exclude"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name_and_line() {
        let error = Config::parse(&format!("{LEAST}\nmaster_key = \"00\"")).expect_err("refused");
        assert!(error.to_string().contains("master_key"), "{error}");
        let at = format!("line {}: ", LEAST.lines().count() + 1);
        assert!(error.to_string().starts_with(&at), "{error}");
    }

    #[test]
    fn values_outside_their_bounds_are_refused_with_the_bounds() {
        for (line, key) in [
            ("cache_mib = 0", "cache_mib"),
            ("[workers]\nargon2_m_kib = 8", "argon2_m_kib"),
            ("[workers]\npin_threads = 17", "pin_threads"),
            ("[limits]\nrequests = 0", "requests"),
            ("[limits]\nevent_streams = 769", "event_streams"),
            (
                "[limits]\nconnections = 1000\nconnections_per_address = 1001",
                "connections_per_address",
            ),
            ("[limits]\nwrite_timeout_s = 0", "write_timeout_s"),
            ("[limits]\nbody_read_timeout_s = 301", "body_read_timeout_s"),
        ] {
            let error = Config::parse(&format!("{LEAST}\n{line}")).expect_err(line);
            assert!(matches!(error, ConfigError::Bounds { .. }), "{line}");
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
