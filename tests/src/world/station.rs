//! The confirm station of a world.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Context as _;
use counterfoil_data::demo::DemoBank;
use counterfoil_data::sign::{SignerId, SigningIdentity};
use counterfoil_tui::input::Key;
use counterfoil_tui::link::Link;
use counterfoil_tui::station::app;
use counterfoil_tui::station::model::StationScreen;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{CHANNEL_MAX, Frames, Latest, Network, Setup, entropy};

/// A running station.
pub(super) struct StationOn {
    _task: JoinHandle<()>,
    /// Its keyboard.
    pub keys: mpsc::Sender<Key>,
}

/// Starts the demo bank's first station.
pub(super) fn station(
    bank: &DemoBank,
    setup: &Setup,
    network: &Network,
    frames: &Rc<RefCell<Frames>>,
) -> anyhow::Result<(StationOn, Latest<StationScreen>)> {
    let row = bank
        .stations
        .first()
        .context("the demo bank has a station")?;
    let identity = SigningIdentity::new(&SignerId::Station(row.id.clone()), &row.key_seed.0);
    let entropy = entropy(setup.seed, "station");
    let link = Link::new(
        network.clone(),
        setup.clock.clone(),
        entropy,
        Rc::new(identity),
        "backend",
    );
    let (screens, mut shown) = mpsc::channel(CHANNEL_MAX);
    let (keys, pressed) = mpsc::channel(CHANNEL_MAX);
    let parts = app::Parts {
        link: Rc::new(link),
        clock: setup.clock.clone(),
        language: setup.language,
        officer: row.officer_name.clone(),
        screens,
    };
    let latest: Latest<StationScreen> = Latest::default();
    let (keep, frames) = (latest.clone(), Rc::clone(frames));
    tokio::task::spawn_local(async move {
        while let Some(screen) = shown.recv().await {
            frames.borrow_mut().add(&screen);
            *keep.borrow_mut() = Some(screen);
        }
    });
    let task = tokio::task::spawn_local(app::run(parts, pressed));
    Ok((StationOn { _task: task, keys }, latest))
}
