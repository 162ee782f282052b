//! `counterfoil-teller`: the confirm station (第三方设备) behind a terminal, or the
//! custody terminal behind `--role custodian` and `--role supervisor`.

use std::ffi::OsString;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo;
use counterfoil_data::ids::StationId;
use counterfoil_data::seam::SharedClock;
use counterfoil_data::secret::Secret;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_devices::system::{SystemEntropy, TokioClock};
use tokio::sync::mpsc;

use super::args::{StationRole, TellerArgs};
use super::signals::Signals;
use super::tls;
use super::view::{SCREENS_MAX, View};
use super::{ended, keep_memory_private, key_file, log_to_stderr, typed};
use crate::link::Link;
use crate::model::Language;
use crate::station::app::{Parts, run};
use crate::station::model::{StationBody, StationScreen};
use crate::terminal::{self, keys_of_stdin};

/// Runs the program; `args` begins with the program's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: TellerArgs = match typed(args) {
        Ok(args) => args,
        Err(code) => return code,
    };
    keep_memory_private();
    match args.role {
        StationRole::Officer => ended("counterfoil-teller", start(&args)),
        StationRole::Custodian | StationRole::Supervisor => {
            ended("counterfoil-teller", super::staff::start(&args))
        }
    }
}

/// Who signs here.
struct Seat {
    station: StationId,
    officer: String,
    key: Secret<[u8; 32]>,
}

fn seat(args: &TellerArgs) -> anyhow::Result<Seat> {
    if let Some(id) = &args.demo {
        let bank = demo::bank().context("the demo bank is unusable")?;
        let station = bank.station(id);
        let station = station.with_context(|| format!("the demo bank has no station {id}"))?;
        return Ok(Seat {
            station: station.id.clone(),
            officer: station.officer_name.clone(),
            key: Secret::new(station.key_seed.0),
        });
    }
    let (Some(id), Some(path)) = (&args.station, &args.key) else {
        anyhow::bail!("say --demo STATION, or --station ID --key FILE");
    };
    Ok(Seat {
        station: id.parse()?,
        officer: args.officer.clone(),
        key: key_file::read(path)?,
    })
}

fn start(args: &TellerArgs) -> anyhow::Result<()> {
    let seat = seat(args)?;
    if tls::requested(args, &SignerId::Station(seat.station.clone()))? {
        return Ok(());
    }
    let view = View::open(args.both.models, terminal::Seat::Desk);
    let mut view = view.context("cannot take the terminal")?;
    let language: Language = args.both.language.into();
    let shown = StationScreen {
        language,
        officer: args.officer.clone(),
        body: StationBody::Starting,
        offline: false,
        logged_in: false,
    };
    view.show(&shown)?;
    log_to_stderr(!args.both.models);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, live(args, seat, view, shown))
}

async fn live(
    args: &TellerArgs,
    seat: Seat,
    mut view: View,
    mut shown: StationScreen,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let clock: SharedClock = Rc::new(TokioClock::system());
    let identity = SigningIdentity::new(&SignerId::Station(seat.station), seat.key.expose());
    let dial = tls::dial(
        &args.both.backend,
        args.both.tls.files().as_ref(),
        Rc::clone(&clock),
    )?;
    let link = Link::new(
        dial,
        Rc::clone(&clock),
        Rc::new(SystemEntropy),
        Rc::new(identity),
        &args.both.backend,
    );
    let (screens_to, mut screens) = mpsc::channel(SCREENS_MAX);
    let parts = Parts {
        link: Rc::new(link),
        clock,
        language: args.both.language.into(),
        officer: seat.officer,
        screens: screens_to,
    };
    let station = tokio::task::spawn_local(run(parts, keys_of_stdin(terminal::Seat::Desk)));
    let ended = view.follow(&mut shown, &mut screens, &mut signals).await;
    // A decision under way is not kept: the officer sees at the next start
    // whether it arrived.
    station.abort();
    Ok(ended?)
}
