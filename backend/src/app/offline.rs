//! Offline work: verify an export, audit the books, export, print the interface.

use std::io::{BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{EXIT_UNSOUND, ExportArgs};
use crate::evidence::{self, VerifyReport};
use crate::service::openapi;
use crate::store::redb::RedbStore;
use crate::store::{Snapshots as _, StoreError};

const NO_DATABASE: &str = "there is no database at this path";
const CANNOT_OPEN: &str = "the database cannot be opened: stop the service";
/// Cache for one pass over the books.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Verifies an export; any changed, removed or reordered record is named (I8).
pub fn verify(file: &Path, key: Option<&str>) -> anyhow::Result<ExitCode> {
    let file = std::fs::File::open(file).context("the export cannot be read")?;
    match evidence::verify(&mut BufReader::new(file), key) {
        Ok(report) => {
            let VerifyReport {
                size,
                root,
                key,
                signatures,
            } = report;
            let mut text = format!("sound: {size} records, root {root}, signed by {key}");
            let count = signatures.count;
            text += &format!("\n{count} signatures of kiosks hold, made with these public keys:");
            for (who, key) in signatures.keys {
                text += &format!("\n{who} {key}");
            }
            say(&text)
        }
        Err(failure) => unsound(&failure.to_string()),
    }
}

/// Recomputes I1 to I6 from the books.
pub fn audit(db: &Path) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(db.is_file(), NO_DATABASE);
    // Opening compares no checksums: a page that was bent would be read as it is.
    match RedbStore::checked(db, CACHE_BYTES) {
        Err(error @ StoreError::Damaged) => return unsound(&error.to_string()),
        other => drop(other.context(CANNOT_OPEN)?),
    }
    let store = open(db)?;
    let snapshot = store.snapshot()?;
    match crate::core::audit::audit(&*snapshot) {
        Ok(report) => say(&format!("sound: {report:?}")),
        Err(failure) => unsound(&failure.to_string()),
    }
}

/// Writes the evidence log to a file.
pub fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let (db, origin, keys) = args.books.find()?;
    let store = open(&db)?;
    let snapshot = store.snapshot()?;
    let signer = keys.evidence.verifying_key();
    let file = std::fs::File::create(&args.out).context("the export cannot be written")?;
    let mut out = BufWriter::new(file);
    let size = evidence::export(&*snapshot, &origin, &signer, &mut out)?;
    out.flush().context("the export cannot be written")?;
    say(&format!("exported {size} records"))
}

/// Prints the OpenAPI document.
pub fn openapi() -> anyhow::Result<ExitCode> {
    say(&serde_json::to_string_pretty(&openapi::document())?)
}

/// Opens existing books; nobody else may have them open.
pub fn open(db: &Path) -> anyhow::Result<RedbStore> {
    anyhow::ensure!(db.is_file(), NO_DATABASE);
    RedbStore::file(db, CACHE_BYTES).context(CANNOT_OPEN)
}

/// Says one line.
pub fn say(line: &str) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stdout().lock(), "{line}")?;
    Ok(ExitCode::SUCCESS)
}

fn unsound(line: &str) -> anyhow::Result<ExitCode> {
    writeln!(std::io::stdout().lock(), "NOT SOUND: {line}")?;
    Ok(ExitCode::from(EXIT_UNSOUND))
}
