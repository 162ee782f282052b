//! What may be typed after `counterfoil-kiosk` and `counterfoil-teller`, and
//! what it means.
//!
//! A file (`--config`) or flags, never both. The demo bank's names stand for its
//! public keys; a real key is only ever a file.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, ValueEnum};
use counterfoil_devices::transport::usbip::Address;

use super::config::{IDLE_S, STAFF_S, TAKE_S};
use super::tls::Tls;
use crate::flow::Settings;
use crate::model::Language;

/// Where the backend of a demo is, unless said otherwise.
pub const BACKEND_USUAL: &str = "127.0.0.1:8080";

/// Least seconds that a demo may be told to wait.
const DEMO_S: u64 = 2;

/// The self-service kiosk of Counterfoil.
#[derive(Debug, Parser)]
#[command(name = "counterfoil-kiosk", version)]
pub struct KioskArgs {
    /// Configuration file (TOML); takes the place of all flags below but --models.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "demo", "kiosk", "key", "backend", "devices", "journal", "language", "staff_s", "idle_s",
        "take_s", "tls_ca", "tls_certificate", "tls_key", "tls_name",
    ])]
    pub config: Option<PathBuf>,
    /// Check the configuration and stop.
    #[arg(long, requires = "config")]
    pub check: bool,
    /// A kiosk of the synthetic demo bank, with its public key.
    #[arg(long, value_name = "KIOSK", conflicts_with_all = ["kiosk", "key"])]
    pub demo: Option<String>,
    /// Id of this kiosk.
    #[arg(long, value_name = "KIOSK", requires = "key")]
    pub kiosk: Option<String>,
    /// File with its signing key: 64 hex digits, mode 600 or 400.
    #[arg(long, value_name = "FILE", requires = "kiosk")]
    pub key: Option<PathBuf>,
    /// Where its devices are: usb, usbip:IP:PORT, usbip:unix:PATH, or twins.
    #[arg(long, value_name = "WHERE", default_value = "usb")]
    pub devices: Devices,
    /// Outcome journal; only a demo may go without.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Seconds a customer waits for staff to mend the form printer.
    #[arg(long, value_name = "SECONDS", default_value_t = Settings::default().staff.as_secs(),
        value_parser = clap::value_parser!(u64).range(STAFF_S.0..=STAFF_S.1))]
    pub staff_s: u64,
    /// Seconds of a customer's silence that end a session; a demo may be as impatient
    /// as a test needs.
    #[arg(long, value_name = "SECONDS", requires = "demo",
        value_parser = clap::value_parser!(u64).range(DEMO_S..=IDLE_S.1))]
    pub idle_s: Option<u64>,
    /// Seconds after which a demo draws back forms that nobody takes.
    #[arg(long, value_name = "SECONDS", requires = "demo",
        value_parser = clap::value_parser!(u64).range(DEMO_S..=TAKE_S.1))]
    pub take_s: Option<u64>,
    /// Flags that both programs have.
    #[command(flatten)]
    pub both: BothArgs,
}

/// The terminals of staff: confirm station, and custody by two people.
#[derive(Debug, Parser)]
#[command(name = "counterfoil-teller", version)]
pub struct TellerArgs {
    /// Who sits here.
    #[arg(long, value_enum, default_value = "officer")]
    pub role: StationRole,
    /// A station of the synthetic demo bank, or one of its staff, with its public key.
    #[arg(long, value_name = "STATION|STAFF",
        conflicts_with_all = ["station", "staff", "key", "officer"])]
    pub demo: Option<String>,
    /// Id of this station (officer).
    #[arg(
        long,
        value_name = "STATION",
        requires = "key",
        conflicts_with = "staff"
    )]
    pub station: Option<String>,
    /// Id of the person who acts here (custodian, supervisor).
    #[arg(long, value_name = "STAFF", requires = "key")]
    pub staff: Option<String>,
    /// File with the signing key: 64 hex digits, mode 600 or 400.
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Name of the officer on duty, as shown.
    #[arg(long, value_name = "NAME", default_value = "")]
    pub officer: String,
    /// Flags that both programs have.
    #[command(flatten)]
    pub both: BothArgs,
}

/// Flags of both programs.
#[derive(Debug, Args)]
pub struct BothArgs {
    /// Where the backend is, HOST:PORT.
    #[arg(long, value_name = "HOST:PORT", default_value = BACKEND_USUAL)]
    #[arg(value_parser = backend_address)]
    pub backend: String,
    /// TLS, without which only a backend on this machine is dialled.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Make the TLS key unless it is there, write a request for its certificate, and stop.
    #[arg(long, value_name = "FILE")]
    pub certificate_request: Option<PathBuf>,
    /// Language at the start.
    #[arg(long, value_enum, default_value = "zh-hans")]
    pub language: Tongue,
    /// Print each screen's masked model as one line of JSON instead of drawing.
    #[arg(long)]
    pub models: bool,
}

/// TLS files, all or none.
#[derive(Debug, Clone, Args)]
pub struct TlsArgs {
    /// Certificates of the authorities the backend's may be of.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub tls_ca: Option<PathBuf>,
    /// The own certificate.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, mode 600 or 400.
    #[arg(long, value_name = "FILE", requires = "tls_ca")]
    pub tls_key: Option<PathBuf>,
    /// The backend's name in its certificate; its host when left out.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    pub tls_name: Option<String>,
}

impl TlsArgs {
    /// The files, if they are given.
    pub fn files(&self) -> Option<Tls> {
        Some(Tls {
            ca_file: self.tls_ca.clone()?,
            certificate_file: self.tls_certificate.clone()?,
            key_file: self.tls_key.clone()?,
            server_name: self.tls_name.clone(),
        })
    }
}

/// A host and a port; whether anybody is there is found out later.
pub fn backend_address(text: &str) -> Result<String, String> {
    let split = text.rsplit_once(':');
    let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let sound = |(host, port): (&str, &str)| {
        !host.is_empty() && digits(port) && port.parse::<u16>().is_ok()
    };
    match split.is_some_and(sound) {
        true => Ok(text.to_owned()),
        false => Err("not HOST:PORT, for example 10.0.0.1:8080".to_owned()),
    }
}

/// A language as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tongue {
    /// 简体中文.
    #[value(name = "zh-hans", alias = "zh-Hans", alias = "zh")]
    ZhHans,
    /// English.
    #[value(name = "en")]
    En,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::ZhHans => Self::ZhHans,
            Tongue::En => Self::En,
        }
    }
}

/// What a terminal of staff is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StationRole {
    /// Confirms orders (S17-S22).
    Officer,
    /// Keeps blanks, always with a second person.
    Custodian,
    /// Settles what nobody knows, always with a second person.
    Supervisor,
}

/// Where a kiosk's devices are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Devices {
    /// This computer's USB.
    Usb,
    /// A USB/IP server.
    UsbIp(Address),
    /// Twins in this process; nothing of them survives it.
    Twins,
}

/// Not a place for devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a place for devices: use usb, usbip:IP:PORT, usbip:unix:PATH or twins")]
pub struct DevicesError;

impl FromStr for Devices {
    type Err = DevicesError;

    fn from_str(text: &str) -> Result<Self, DevicesError> {
        match (text, text.strip_prefix("usbip:")) {
            ("usb", _) => Ok(Self::Usb),
            ("twins", _) => Ok(Self::Twins),
            (_, Some(address)) => address.parse().map(Self::UsbIp).map_err(|_| DevicesError),
            _ => Err(DevicesError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_lines_are_consistent() {
        use clap::CommandFactory as _;
        KioskArgs::command().debug_assert();
        TellerArgs::command().debug_assert();
    }

    #[test]
    fn a_backend_is_a_host_and_a_port() {
        for text in ["127.0.0.1:8080", "bank.example:443", "[::1]:8080"] {
            assert_eq!(backend_address(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "nonsense",
            ":8080",
            "host:",
            "host:65536",
            "host:http",
            "host:+80",
        ] {
            assert!(backend_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn devices_are_understood_and_nonsense_is_refused() {
        assert_eq!("usb".parse(), Ok(Devices::Usb));
        assert_eq!("twins".parse(), Ok(Devices::Twins));
        let unix = Devices::UsbIp(Address::Unix("/run/twins".into()));
        assert_eq!("usbip:unix:/run/twins".parse(), Ok(unix));
        for text in ["", "usbip:", "usbip:nowhere", "serial"] {
            assert_eq!(text.parse::<Devices>(), Err(DevicesError), "{text}");
        }
    }

    #[test]
    fn a_file_and_flags_together_are_refused() {
        let parse = |args: &[&str]| KioskArgs::try_parse_from([&["x"], args].concat());
        assert!(parse(&["--config", "a.toml", "--check"]).is_ok());
        assert!(parse(&["--config", "a.toml", "--backend", "b:1"]).is_err());
        assert!(parse(&["--check"]).is_err());
        assert!(parse(&["--config", "a.toml", "--certificate-request", "r"]).is_ok());
        assert!(parse(&["--config", "a.toml", "--tls-ca", "x"]).is_err());
        assert!(parse(&["--tls-ca", "x", "--tls-certificate", "x"]).is_err());
        assert!(parse(&["--tls-ca", "x", "--tls-certificate", "x", "--tls-key", "x"]).is_ok());
        assert!(
            parse(&["--kiosk", "kiosk-9"]).is_err(),
            "an id without a key"
        );
        assert!(parse(&["--demo", "kiosk-1", "--key", "k"]).is_err());
    }
}
