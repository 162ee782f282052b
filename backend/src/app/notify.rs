//! Telling the service manager (systemd, `Type=notify`): ready, stopping, and that the
//! service still does its work. Says nothing where nobody asked for it.

use std::rc::Rc;

use crate::service::Service;

/// The service listens.
pub fn ready() {
    tell(State::Ready);
}

/// The service finishes what is in flight.
pub fn stopping() {
    tell(State::Stopping);
}

/// Says twice a period that the service lives, while it does: a writer that hangs in a
/// sync is ended and started anew. Without a watchdog it ends at once.
#[cfg(target_os = "linux")]
pub async fn watch(service: Rc<Service>) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        if service.is_alive() {
            tell(State::Watchdog);
        }
        tokio::time::sleep(period.checked_div(2).unwrap_or(period)).await;
    }
}

/// Other systems have no such watchdog.
#[cfg(not(target_os = "linux"))]
pub async fn watch(_service: Rc<Service>) {}

#[derive(Debug, Clone, Copy)]
enum State {
    Ready,
    Stopping,
    #[cfg(target_os = "linux")]
    Watchdog,
}

#[cfg(target_os = "linux")]
fn tell(state: State) {
    use sd_notify::NotifyState;
    let state = match state {
        State::Ready => NotifyState::Ready,
        State::Stopping => NotifyState::Stopping,
        State::Watchdog => NotifyState::Watchdog,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_state: State) {}
