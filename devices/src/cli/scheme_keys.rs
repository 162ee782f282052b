//! `scheme-keys`: the signed list of card scheme keys that a kiosk takes.
//!
//! `sign` makes it, where the bank keeps its signing key; `check` says what a kiosk
//! would make of one. Refuses a list whose keys do not check, or that has no last day.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use counterfoil_data::seam::SharedClock;
use counterfoil_data::secret::Secret;
use counterfoil_data::tlog::note::{NoteVerifier, sign_by_seed, verifier_of_seed};
use counterfoil_data::wire::unhex;
use jiff::tz::TimeZone;

use super::say;
use crate::driver::pboc::Capks;

/// What to do with scheme keys.
#[derive(Debug, Args)]
pub(super) struct SchemeKeys {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Sign a list (TOML, as devices/demo/capks.toml, with `valid_until`).
    Sign {
        /// The list.
        file: PathBuf,
        /// The signer's name, as kiosks are configured with it.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The signing key: a file of 64 hex digits, mode 600 or 400.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Where the signed list goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Say what a kiosk would make of a signed list.
    Check {
        /// The signed list.
        file: PathBuf,
        /// `scheme_keys_signer` of the kiosk's configuration.
        #[arg(long, value_name = "LINE")]
        signer: String,
    },
}

/// Does it.
pub(super) fn run(what: &SchemeKeys, clock: &SharedClock) -> anyhow::Result<()> {
    match &what.act {
        Act::Sign {
            file,
            name,
            key,
            out,
        } => sign(file, name, key, out),
        Act::Check { file, signer } => check(file, signer, clock),
    }
}

fn sign(file: &Path, name: &str, key: &Path, out: &Path) -> anyhow::Result<()> {
    let plain = !name.is_empty() && !name.contains([' ', '+', '\n']);
    anyhow::ensure!(plain, "a signer's name has no space and no plus");
    let text = read(file)?;
    let capks = Capks::from_toml(&text)?;
    anyhow::ensure!(
        capks.valid_until().is_some(),
        "the list says no valid_until: write its last day before the first table"
    );
    let seed = seed(key)?;
    let ended = if text.ends_with('\n') { "" } else { "\n" };
    let note = sign_by_seed(&format!("{text}{ended}"), name, seed.expose());
    let line = verifier_of_seed(name, seed.expose());
    // As a kiosk will read it, before it is written.
    Capks::from_note(&note, &line.parse()?)?;
    std::fs::write(out, note).with_context(|| format!("{} cannot be written", out.display()))?;
    say(&format!("scheme_keys_signer = \"{line}\""))
}

fn check(file: &Path, signer: &str, clock: &SharedClock) -> anyhow::Result<()> {
    let signer: NoteVerifier = signer.parse().context("the signer's line is out of form")?;
    let capks = Capks::from_note(&read(file)?, &signer)?;
    let (keys, revoked) = capks.counts();
    let last = capks.valid_until().context("no last day")?;
    say(&format!(
        "{keys} keys, {revoked} revoked certificates, good until {last}"
    ))?;
    let today = clock.now().to_zoned(TimeZone::UTC).date();
    anyhow::ensure!(
        capks.is_good(today),
        "past its last day: no card proves itself with it"
    );
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

/// The 32 bytes of a key file, which nobody else may read.
fn seed(path: &Path) -> anyhow::Result<Secret<[u8; 32]>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let about = std::fs::metadata(path).context("the key file cannot be read")?;
        let mode = about.permissions().mode() & 0o777;
        anyhow::ensure!(
            mode & 0o077 == 0,
            "the key file has mode {mode:o}: make it 600 or 400"
        );
    }
    let text = Secret::new(read(path)?);
    let bytes = unhex(text.expose().trim_end()).and_then(|b| b.try_into().ok());
    let seed = bytes.map(Secret::new);
    seed.context("the key file must hold 64 hex digits and nothing else")
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::system::TokioClock;

    fn folder(name: &str) -> PathBuf {
        let name = format!("counterfoil-scheme-keys-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn put(path: &Path, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(path, text).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, mode).unwrap();
    }

    #[test]
    fn what_is_signed_is_what_a_kiosk_takes_and_a_list_without_an_end_is_not_signed() {
        let folder = folder("sign");
        let (list, key, out) = (folder.join("l"), folder.join("k"), folder.join("o"));
        let demo = include_str!("../../demo/capks.toml");
        put(&key, &format!("{}\n", "07".repeat(32)));
        put(&list, demo);
        let endless = sign(&list, "schemes.example", &key, &out).unwrap_err();
        assert!(endless.to_string().contains("valid_until"), "{endless}");
        assert!(!out.exists());
        put(&list, &format!("valid_until = \"2030-01-01\"\n{demo}"));
        assert!(sign(&list, "two words", &key, &out).is_err());
        sign(&list, "schemes.example", &key, &out).unwrap();
        let line = verifier_of_seed("schemes.example", &[7; 32]);
        let at =
            |text: &str| -> SharedClock { Rc::new(TokioClock::starting_at(text.parse().unwrap())) };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let _guard = runtime.as_ref().unwrap().enter();
        check(&out, &line, &at("2029-12-31T00:00:00Z")).unwrap();
        let late = check(&out, &line, &at("2030-01-02T00:00:00Z")).unwrap_err();
        assert!(late.to_string().contains("last day"), "{late}");
        let bent = read(&out).unwrap().replace("2030", "2040");
        put(&out, &bent);
        assert!(check(&out, &line, &at("2029-12-31T00:00:00Z")).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
