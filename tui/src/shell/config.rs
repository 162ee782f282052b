//! A kiosk's configuration file: every key documented, checked and bounded.
//!
//! The key itself is never in it: `key_file` names a file or a systemd
//! credential. Unknown keys are refused. Called by [`super::kiosk`]; `--check`
//! stops after this.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use counterfoil_data::ids::KioskId;
use counterfoil_data::tlog::note::NoteVerifier;
use counterfoil_data::toml_text::TomlFault;
use counterfoil_devices::driver::form_station::FormSettings;
use counterfoil_devices::guard::{self, Allowed};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};

use super::args::Devices;
use super::tls::{Tls, is_loopback};
use crate::flow::Settings;
use crate::host::ReceiptSettings;
use crate::model::Language;

/// Longest configuration file in bytes.
const FILE_MAX: u64 = 64 * 1024;
/// Least and most of `idle_s`: the countdown must fit in.
pub const IDLE_S: (u64, u64) = (20, 600);
/// Least and most of `take_s`.
pub const TAKE_S: (u64, u64) = (10, 300);
/// Least and most of `insert_s`.
pub const INSERT_S: (u64, u64) = (10, 300);
/// Least and most of `staff_s`.
pub const STAFF_S: (u64, u64) = (10, 1_800);

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
    /// No such time zone.
    #[error("time_zone is not an IANA name, for example Asia/Shanghai")]
    TimeZone,
    /// The backend's address has no host or no port.
    #[error("backend is {0}")]
    Backend(String),
    /// Others can listen on the way, and there is no TLS.
    #[error("backend = \"{0}\" is not on this machine: say [tls] with its three files")]
    NoTls(String),
    /// Twins and real keys do not go together.
    #[error("devices = \"twins\" is only for --demo")]
    Twins,
}

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskConfig {
    /// Id of this kiosk, as the backend knows it.
    pub kiosk: KioskId,
    /// Its signing key: a file of 64 hex digits, mode 600 or 400.
    pub key_file: PathBuf,
    /// The backend, for example `10.0.0.1:8080`.
    pub backend: String,
    /// TLS to the backend; may be left out only for one on loopback.
    pub tls: Option<Tls>,
    /// `usb`, or `usbip:IP:PORT`. Default `usb`.
    #[serde(default = "usb", deserialize_with = "devices")]
    pub devices: Devices,
    /// The outcome journal, on a disk that keeps what was synced.
    pub journal: PathBuf,
    /// Which form printer, what it speaks, who reads its numbers, and the offsets of
    /// its cassettes. Default: by its descriptors, read by the printer itself.
    #[serde(default)]
    pub form_printer: FormSettings,
    /// What the receipt printer has. Default: a cutter alone.
    #[serde(default)]
    pub receipt_printer: ReceiptSettings,
    /// Which devices may be used, as `counterfoil-devices allow` wrote it; no other is
    /// opened, and a keyboard that is not on it stops the kiosk. Default: any device.
    pub allowed_devices: Option<PathBuf>,
    /// Keys of the card schemes: a signed note with its last day.
    pub scheme_keys: PathBuf,
    /// Whose signature the scheme keys must carry: `name+hash+base64`.
    #[serde(deserialize_with = "note_key")]
    pub scheme_keys_signer: NoteVerifier,
    /// Where the business date is taken. Default `Asia/Shanghai`.
    #[serde(default = "zone")]
    pub time_zone: String,
    /// Language at the start, `zh-hans` or `en`. Default `zh-hans`.
    #[serde(default)]
    pub language: ConfigLanguage,
    /// Seconds of silence that end a session, 20 to 600. Default 60.
    #[serde(default = "idle_s")]
    pub idle_s: u64,
    /// Seconds until forms that nobody took are retracted, 10 to 300. Default 60.
    #[serde(default = "take_s")]
    pub take_s: u64,
    /// Seconds a form printer fed by hand waits for a form, 10 to 300. Default 60.
    #[serde(default = "insert_s")]
    pub insert_s: u64,
    /// Seconds a customer waits for staff at the form printer, 10 to 1800. Default 180.
    #[serde(default = "staff_s")]
    pub staff_s: u64,
}

/// A language as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigLanguage {
    /// 简体中文.
    #[default]
    ZhHans,
    /// English.
    En,
}

impl From<ConfigLanguage> for Language {
    fn from(language: ConfigLanguage) -> Self {
        match language {
            ConfigLanguage::ZhHans => Self::ZhHans,
            ConfigLanguage::En => Self::En,
        }
    }
}

fn note_key<'de, D: Deserializer<'de>>(from: D) -> Result<NoteVerifier, D::Error> {
    let line = String::deserialize(from)?;
    line.parse().map_err(|_| {
        let shape = "scheme_keys_signer is not name+hash+base64 as `scheme-keys sign` prints it";
        serde::de::Error::custom(shape)
    })
}

fn usb() -> Devices {
    Devices::Usb
}

fn zone() -> String {
    "Asia/Shanghai".to_owned()
}

fn idle_s() -> u64 {
    Settings::default().idle.as_secs()
}

fn take_s() -> u64 {
    Settings::default().take.as_secs()
}

fn insert_s() -> u64 {
    Settings::default().insert.as_secs()
}

fn staff_s() -> u64 {
    Settings::default().staff.as_secs()
}

fn devices<'de, D: Deserializer<'de>>(d: D) -> Result<Devices, D::Error> {
    let text = String::deserialize(d)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// The text of a file of at most `max` bytes: a longer one is refused, never cut.
pub(super) fn text_of(path: &Path, max: u64) -> std::io::Result<String> {
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

impl KioskConfig {
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
        within("idle_s", config.idle_s, IDLE_S)?;
        within("take_s", config.take_s, TAKE_S)?;
        within("insert_s", config.insert_s, INSERT_S)?;
        within("staff_s", config.staff_s, STAFF_S)?;
        config.zone()?;
        super::args::backend_address(&config.backend).map_err(ConfigError::Backend)?;
        if config.tls.is_none() && !is_loopback(&config.backend) {
            return Err(ConfigError::NoTls(config.backend));
        }
        if config.devices == Devices::Twins {
            return Err(ConfigError::Twins);
        }
        Ok(config)
    }

    /// The time zone.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| ConfigError::TimeZone)
    }

    /// The list of allowed devices, if one is named.
    pub fn allowed(&self) -> anyhow::Result<Option<Allowed>> {
        let Some(path) = &self.allowed_devices else {
            return Ok(None);
        };
        let read = || anyhow::Ok(Allowed::parse(&text_of(path, guard::FILE_MAX)?)?);
        let list = read().with_context(|| format!("allowed_devices {}", path.display()))?;
        Ok(Some(list))
    }

    /// Waits of the flow.
    pub fn settings(&self) -> Settings {
        Settings {
            idle: Duration::from_secs(self.idle_s),
            take: Duration::from_secs(self.take_s),
            insert: Duration::from_secs(self.insert_s),
            staff: Duration::from_secs(self.staff_s),
            language: self.language.into(),
            ..Settings::default()
        }
    }
}

fn within(key: &'static str, value: u64, (low, high): (u64, u64)) -> Result<(), ConfigError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Bounds {
        key,
        value,
        low,
        high,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        kiosk = "kiosk-7"
        key_file = "/run/credentials/counterfoil-kiosk/key"
        backend = "127.0.0.1:8080"
        journal = "/var/lib/counterfoil/journal"
        scheme_keys = "/etc/counterfoil/scheme-keys.note"
        scheme_keys_signer = "schemes.example+0749affa+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    "#;

    #[test]
    fn the_least_file_gets_documented_defaults() {
        let config = KioskConfig::parse(LEAST).expect("parses");
        assert_eq!(config.devices, Devices::Usb);
        assert_eq!(config.settings(), Settings::default());
        assert_eq!(Language::from(config.language), Language::ZhHans);
    }

    #[test]
    fn the_example_file_is_a_configuration() {
        let example = include_str!("../../counterfoil-kiosk.example.toml");
        let config = KioskConfig::parse(example).expect("parses");
        assert_eq!(config.settings(), Settings::default());
    }

    #[test]
    fn a_backend_on_another_machine_needs_tls() {
        let far = LEAST.replace("127.0.0.1:8080", "10.0.0.1:8443");
        let error = KioskConfig::parse(&far).expect_err("refused").to_string();
        assert!(
            error.contains("10.0.0.1:8443") && error.contains("[tls]"),
            "{error}"
        );
        let files = ["ca", "certificate", "key"].map(|f| format!("{f}_file = \"/x\""));
        let tls = format!("[tls]\n{}", files.join("\n"));
        let config = KioskConfig::parse(&format!("{far}\n{tls}")).expect("parses");
        assert_eq!(config.tls.expect("is there").server_name, None);
        let named = format!("{far}\n{tls}\nserver_name = \"bank.example\"");
        assert!(KioskConfig::parse(&named).is_ok());
        assert!(KioskConfig::parse(&format!("{far}\n[tls]\nca_file = \"/x\"")).is_err());
    }

    #[test]
    fn a_form_printer_is_described_in_a_table_of_its_own() {
        let with = |table: &str| KioskConfig::parse(&format!("{LEAST}\n[form_printer]\n{table}"));
        let config = with("family = \"escp2\"\nnumber = \"operator\"").expect("parses");
        assert_ne!(config.form_printer, FormSettings::default());
        assert!(!config.receipt_printer.presenter);
        let text = format!("{LEAST}\n[receipt_printer]\npresenter = true");
        let config = KioskConfig::parse(&text).expect("parses");
        assert!(config.receipt_printer.presenter);
        let error = with("offsets.slot-1 = { x = 51 }").expect_err("refused");
        assert!(error.to_string().contains("5 mm"), "{error}");
    }

    #[test]
    fn a_list_of_allowed_devices_is_read_and_a_wrong_one_is_named() {
        assert!(matches!(
            KioskConfig::parse(LEAST).expect("parses").allowed(),
            Ok(None)
        ));
        let name = format!("counterfoil-allowed-{}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text = format!("allowed_devices = {path:?}\n{LEAST}");
        let config = KioskConfig::parse(&text).expect("parses");
        let error = config.allowed().expect_err("is not there").to_string();
        assert!(error.contains("allowed_devices"), "{error}");
        std::fs::write(&path, "version = 1\n").expect("writes");
        assert!(matches!(config.allowed(), Ok(Some(_))));
        std::fs::write(&path, "version = 9\n").expect("writes");
        let error = format!("{:#}", config.allowed().expect_err("another version"));
        assert!(error.contains("version 9"), "{error}");
        std::fs::remove_file(&path).expect("removes its file");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = KioskConfig::parse(&format!("{LEAST}\nkey = \"00\"")).expect_err("refused");
        assert!(error.to_string().contains("key"), "{error}");
    }

    #[test]
    fn a_signer_that_is_no_key_is_refused() {
        let text = LEAST.replace("0749affa", "0749affb");
        let error = KioskConfig::parse(&text).expect_err("refused");
        assert!(error.to_string().contains("scheme_keys_signer"), "{error}");
    }

    #[test]
    fn values_outside_their_bounds_are_refused() {
        for line in [
            "idle_s = 19",
            "take_s = 301",
            "insert_s = 9",
            "staff_s = 9",
            "time_zone = \"Asia/Nowhere\"",
            "devices = \"twins\"",
            "devices = \"serial\"",
        ] {
            let text = format!("{LEAST}\n{line}");
            assert!(KioskConfig::parse(&text).is_err(), "{line}");
        }
    }
}
