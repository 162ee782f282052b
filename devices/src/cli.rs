//! `counterfoil-devices`: look at, simulate and greet the devices of a kiosk.
//!
//! `list` says what is plugged in and what it is taken for, `probe` opens every
//! recognised device and says hello, `capture` records what a verb moves over USB and
//! `replay` runs the drivers against such a file, `simulate` serves the twins of the demo
//! branch over USB/IP with a desk socket beside it, `desk` does one act there,
//! `attach` plugs such a server's devices into the kernel, `scheme-keys` signs or
//! checks the keys that cards are proven with. Exit codes: 0 done, 1 failed, 2
//! misunderstood. Refuses nothing silently: each line says what to do.

mod allow;
mod attach;
mod calibrate;
mod capture;
mod certify;
mod doubt;
mod finger;
mod hello;
mod list;
mod replay;
mod scheme_keys;
mod simulate;
mod speed;
mod verb;
mod watch;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use counterfoil_data::seam::SharedClock;

use crate::driver::form_station::Family;
use crate::system::TokioClock;
use crate::transport::rusb_bus::RusbBus;
use crate::transport::usbip::{Address, desk};
use crate::twin::branch::file::SPEED_MAX;
use crate::twin::fingers::SensorKind;

/// The devices of a Counterfoil kiosk.
#[derive(Debug, Parser)]
#[command(name = "counterfoil-devices", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what is plugged in, what it is taken for or why not, and who holds it.
    List(list::List),
    /// Say every device that is plugged in or pulled, until Ctrl-C.
    Watch(watch::Watch),
    /// Write the list of what is plugged in now, for the kiosk's `allowed_devices`.
    Allow(allow::Allow),
    /// Open every recognised device and say hello.
    Probe(Where),
    /// Print the calibration page on plain paper: crosses at whole centimetres, to be
    /// held against a ruler.
    Calibrate(calibrate::Calibrate),
    /// Take three impressions of a finger for an enrolment, judged and held against each
    /// other, sealed to the backend.
    Finger(finger::Capture),
    /// Do `probe`, `calibrate` or `certify` and write every transfer to a file that Wireshark reads.
    Capture(capture::Capture),
    /// Run the drivers against such a file, or against what Linux recorded, and name the
    /// first difference.
    Replay(replay::Replay),
    /// Ask one device, hardware or twin, everything its driver relies on, and write a
    /// pass sheet.
    Certify(certify::Certify),
    /// Serve the twins of the demo branch until killed.
    Simulate(Simulate),
    /// Plug devices of a USB/IP server into this computer's kernel (Linux, root).
    Attach(attach::Attach),
    /// Do one physical act at the twins, as scripts write it: `desk card-reader
    /// insert zhang-card`; `desk look form-printer` says what lies where.
    Desk(Desk),
    /// Sign or check the list of card scheme keys that kiosks take.
    SchemeKeys(scheme_keys::SchemeKeys),
}

/// One act.
#[derive(Debug, Args)]
struct Desk {
    /// The desk of a running `simulate`: IP:PORT or unix:PATH.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3241")]
    at: Address,
    /// The act.
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
}

/// Where the devices are.
#[derive(Debug, Args)]
struct Where {
    /// A USB/IP server (IP:PORT or unix:PATH) instead of this computer's USB.
    #[arg(long, value_name = "ADDRESS")]
    usbip: Option<Address>,
}

/// What to serve, and where. What is said here goes before what FILE says.
#[derive(Debug, Args)]
struct Simulate {
    /// A branch of its own: see devices/branch.example.toml. Without it, the demo branch.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where to serve USB/IP: IP:PORT (port 0 takes a free one) or unix:PATH; else
    /// 127.0.0.1:3240.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Address>,
    /// Where to take desk commands, one a line; none without it.
    #[arg(long, value_name = "ADDRESS")]
    desk: Option<Address>,
    /// Folder that printed paper is drawn into.
    #[arg(long, value_name = "DIR")]
    paper: Option<PathBuf>,
    /// Whose devices: a kiosk of the demo bank, else kiosk-1.
    #[arg(long, value_name = "ID")]
    kiosk: Option<String>,
    /// The finger sensor: a module behind cdc-acm, cp210x, ch340, ftdi, pl2303 or
    /// pl2303-hxn, a reader, uru4500, or microarray, which gives no image; else cdc-acm.
    #[arg(long, value_name = "SENSOR")]
    finger: Option<SensorKind>,
    /// The form printer: with cassettes, or fed by hand: 24 pins, PR2 emulation, or an
    /// ESC/POS slip station.
    #[arg(long, value_name = "FAMILY")]
    forms: Option<Family>,
    /// How many times faster than in life the mechanics run, 1 to 100; else 1.
    #[arg(long, value_name = "TIMES")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(SPEED_MAX)))]
    speed: Option<u32>,
}

/// Runs the command line, program name first.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let told = error.print();
            let failed = error.use_stderr() || told.is_err();
            return ExitCode::from(if failed { 2 } else { 0 });
        }
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to try when even stderr is gone.
            writeln!(std::io::stderr(), "counterfoil-devices: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::system());
        match command {
            Command::List(what) => list::run(&what, &clock).await,
            Command::Watch(what) => watch::run(&what, &clock).await,
            Command::Allow(what) => allow::run(&what, &clock).await,
            Command::Probe(place) => verb::Verb::Probe.run_at(place.usbip, &clock).await,
            Command::Calibrate(what) => {
                let usbip = what.usbip.clone();
                verb::Verb::Calibrate(what).run_at(usbip, &clock).await
            }
            Command::Finger(what) => {
                let usbip = what.usbip.clone();
                verb::Verb::Finger(what).run_at(usbip, &clock).await
            }
            Command::Capture(what) => capture::run(&what, &clock).await,
            Command::Replay(what) => replay::run(&what),
            Command::Certify(what) => certify::run(&what, &clock).await,
            Command::Simulate(what) => simulate::serve(what, clock).await,
            Command::Attach(what) => attach::run(&what),
            Command::SchemeKeys(what) => scheme_keys::run(&what, &clock),
            Command::Desk(act) => {
                let at = &act.at;
                let answer = desk::say(at, &act.words.join(" ")).await;
                let answer = answer.with_context(|| {
                    format!("no desk answers at {at}: start `simulate --desk {at}` first")
                })?;
                say(&answer.map_err(|refused| anyhow::anyhow!("{refused}"))?)
            }
        }
    })
}

/// What to do where this computer's USB cannot be used.
const NO_USB: &str = "this computer's usb cannot be used: look for /dev/bus/usb, \
    or name a server with --usbip ADDRESS (`simulate` is one)";

fn own_usb() -> anyhow::Result<RusbBus> {
    RusbBus::new().context(NO_USB)
}

fn no_server(address: &Address) -> String {
    format!("no usb/ip server answers at {address}: start `simulate --listen {address}` first")
}

/// One line on stdout, which the test harness keeps to itself.
#[cfg(test)]
#[expect(clippy::unnecessary_wraps, reason = "as outside tests")]
fn say(line: &str) -> anyhow::Result<()> {
    println!("{line}");
    Ok(())
}

/// One line on stdout, at once: others wait for it.
#[cfg(not(test))]
fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .context("cannot write to stdout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn addresses_are_understood_and_nonsense_is_refused_with_exit_code_2() {
        let parse = |args: &[&str]| Cli::try_parse_from(args);
        let cli = parse(&["x", "simulate", "--listen", "unix:/run/twins.sock"]).expect("parses");
        let Command::Simulate(what) = cli.command else {
            panic!("{cli:?}");
        };
        assert_eq!(what.listen, Some(Address::Unix("/run/twins.sock".into())));
        assert!(parse(&["x", "list", "--usbip", "nowhere"]).is_err());
        assert!(parse(&["x"]).is_err());
    }
}
