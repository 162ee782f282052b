//! The program: what was typed, what it means, and the exit code.
//!
//! `counterfoil-backend [serve]` runs the service; `verify`, `audit`, `export`, `rules`,
//! `register`, `policy`, `custody`, `prints`, `reseal`, `number`, `restore`, `reconcile`,
//! `clock`, `staff`, `load-demo` and `openapi` work offline, `backup` beside a running
//! service, too; `ca`, `certificate-request`, `enrol-…` and `revoke` need no books at all.
//! This module and its children are the only place that opens sockets, starts threads and
//! reads the real clock; all else is below the seams. Called by the binary and by
//! `counterfoil backend`.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 typed wrongly, 3 the evidence or
//! the books are not sound.

mod backup;
mod ca;
mod clock;
mod custody;
mod load_demo;
mod notify;
mod number;
mod offline;
mod policy;
mod prints;
mod reconcile;
mod register;
mod reseal;
mod reserve;
mod rules;
mod serve;
mod staff;
mod system;
mod tls;

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::keys::Keys;
use system::keep_memory_private;
pub use system::{OsEntropy, SystemClock};

/// Origin of the demo's evidence log.
const DEMO_ORIGIN: &str = "demo.example/counterfoil";
/// What is not sound was found: evidence or books.
pub const EXIT_UNSOUND: u8 = 3;

/// Backend of Counterfoil: rules, custody, ledger, evidence, HTTP interface.
#[derive(Debug, Parser)]
#[command(
    name = "counterfoil-backend",
    version,
    args_conflicts_with_subcommands = true
)]
struct Args {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Run the service (the default).
    Serve(ServeArgs),
    /// Verify an evidence export offline; names the first record that is not sound.
    Verify {
        /// File written by `export`.
        file: PathBuf,
        /// The key line the bank published; without it only order is proven.
        #[arg(long)]
        key: Option<String>,
    },
    /// Recompute the invariants I1 to I6 from the books.
    Audit {
        /// Database file; the service must not be running.
        #[arg(long)]
        db: PathBuf,
    },
    /// Write the evidence log to a file that `verify` can check.
    Export(ExportArgs),
    /// Record what two members of staff did with blanks.
    Custody(custody::CustodyArgs),
    /// Enrol an agent's fingerprints anew, or make all templates anew.
    Prints(prints::PrintsArgs),
    /// Encrypt data at rest anew under the newest of the configured keys.
    Reseal(reseal::ResealArgs),
    /// Print where a form is and all that was recorded of it.
    Number(number::NumberArgs),
    /// Back the books up into a new file; the service may run.
    Backup(backup::BackupArgs),
    /// Restore books from a backup; kiosks sell when they have shown what they saw.
    Restore(backup::RestoreArgs),
    /// How kiosks stand to restored books; two people settle what one did meanwhile.
    Reconcile(reconcile::ReconcileArgs),
    /// Two people say that the clock is right, though behind the newest record.
    Clock(clock::ClockArgs),
    /// Accounts of staff: two people create, reset, change or disable one.
    Staff(staff::StaffArgs),
    /// Print every rule, its parameters in force, and what the customer reads.
    Rules(rules::RulesArgs),
    /// Print the register of a day: who received which numbers, with evidence.
    Register(register::RegisterArgs),
    /// Put a file of policy, fees, calendar, list and news of customers in force.
    Policy(policy::PolicyArgs),
    /// Make a private certificate authority.
    Ca(ca::CreateArgs),
    /// Make the backend's TLS key and ask for its certificate.
    CertificateRequest(ca::RequestArgs),
    /// Issue a kiosk's certificate.
    EnrolKiosk(ca::EnrolArgs),
    /// Issue a confirm station's certificate.
    EnrolStation(ca::EnrolArgs),
    /// Issue a certificate of a member of staff.
    EnrolStaff(ca::EnrolArgs),
    /// Issue the backend's own certificate.
    EnrolServer(ca::EnrolArgs),
    /// Revoke certificates, or renew the list of revoked ones.
    Revoke(ca::RevokeArgs),
    /// Grow a database of synthetic sales and say what that costs.
    LoadDemo(load_demo::LoadArgs),
    /// Print the OpenAPI document.
    Openapi,
}

/// Which books, and the key they are signed with; the service must not be running.
#[derive(Debug, Clone, clap::Args)]
struct BooksArgs {
    /// Configuration: names the database, the origin and the key.
    #[arg(long, required_unless_present = "demo")]
    config: Option<PathBuf>,
    /// The books are the demo bank's.
    #[arg(long, requires = "db", conflicts_with = "config")]
    demo: bool,
    /// Database of the demo.
    #[arg(long, requires = "demo")]
    db: Option<PathBuf>,
}

impl BooksArgs {
    /// Database, origin of the log, and keys.
    fn find(&self) -> anyhow::Result<(PathBuf, String, Keys)> {
        match (&self.config, &self.db) {
            (Some(path), _) => {
                let config = Config::load(path)?;
                let keys = config.keys()?;
                Ok((config.database, config.origin, keys))
            }
            (None, Some(db)) => Ok((db.clone(), DEMO_ORIGIN.to_owned(), Keys::demo())),
            (None, None) => anyhow::bail!("say --config FILE, or --demo --db FILE"),
        }
    }
}

#[derive(Debug, Clone, clap::Args)]
struct ExportArgs {
    #[command(flatten)]
    books: BooksArgs,
    /// Where to write.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Clone, clap::Args)]
struct ServeArgs {
    /// Configuration file.
    #[arg(long, conflicts_with_all = ["demo", "bank", "db", "listen", "admin_listen"])]
    config: Option<PathBuf>,
    /// Check the configuration, its keys and its bank file, and stop.
    #[arg(long, requires = "config")]
    check: bool,
    /// Run the synthetic demo bank with public keys. Never for real forms.
    #[arg(long)]
    demo: bool,
    /// Another synthetic bank than the built-in one, in the same form.
    #[arg(long, requires = "demo", value_name = "FILE")]
    bank: Option<PathBuf>,
    /// Database of the demo; in memory when left out.
    #[arg(long, requires = "demo")]
    db: Option<PathBuf>,
    /// Address of the demo's interface; port 0 picks one.
    #[arg(long, requires = "demo")]
    listen: Option<SocketAddr>,
    /// Address of the demo's health and metrics pages.
    #[arg(long, requires = "demo")]
    admin_listen: Option<SocketAddr>,
    /// Print the bound addresses as one line of JSON (always done; kept for scripts).
    #[arg(long)]
    print_address: bool,
}

/// Runs the program; `args` begins with the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Writing help or a complaint can only fail when nobody listens.
            let _ = error.print();
            return match error.use_stderr() {
                true => ExitCode::from(2),
                false => ExitCode::SUCCESS,
            };
        }
    };
    log_to_stderr();
    keep_memory_private();
    let task = args.task.unwrap_or(Task::Serve(args.serve));
    let serves = matches!(&task, Task::Serve(args) if !args.check);
    let done = match task {
        Task::Serve(args) => serve::run(&args),
        Task::Verify { file, key } => offline::verify(&file, key.as_deref()),
        Task::Audit { db } => offline::audit(&db),
        Task::Export(args) => offline::export(&args),
        Task::Custody(args) => custody::act(&args),
        Task::Prints(args) => prints::act(&args),
        Task::Reseal(args) => reseal::run(&args),
        Task::Number(args) => number::print(&args),
        Task::Backup(args) => backup::back_up(&args),
        Task::Restore(args) => backup::restore(&args),
        Task::Reconcile(args) => reconcile::act(&args),
        Task::Clock(args) => clock::accept(&args),
        Task::Staff(args) => staff::act(&args),
        Task::Rules(args) => rules::print(&args),
        Task::Register(args) => register::print(&args),
        Task::Policy(args) => policy::put_in_force(&args),
        Task::Ca(args) => ca::create(&args),
        Task::CertificateRequest(args) => ca::request(&args),
        Task::EnrolKiosk(args) => ca::enrol(&args, ca::Kind::Kiosk),
        Task::EnrolStation(args) => ca::enrol(&args, ca::Kind::Station),
        Task::EnrolStaff(args) => ca::enrol(&args, ca::Kind::Staff),
        Task::EnrolServer(args) => ca::enrol(&args, ca::Kind::Server),
        Task::Revoke(args) => ca::revoke(&args),
        Task::LoadDemo(args) => load_demo::run(&args),
        Task::Openapi => offline::openapi(),
    };
    match done {
        Ok(code) => code,
        // The service's end belongs in its log; a command answers a person.
        Err(error) if serves => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
        Err(error) => {
            // Nothing is left to try when even stderr is gone.
            writeln!(std::io::stderr(), "counterfoil-backend: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Lines of JSON on stderr; `RUST_LOG` filters. No event carries personal data.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call (tests, several programs in one) keeps the first.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}
