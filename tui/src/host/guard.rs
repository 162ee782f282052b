//! Looks for a keyboard that is not this kiosk's.
//!
//! Owns the alarm: whatever is plugged in and could type or point, and is not on the list of
//! allowed devices, is told to the loop, which takes no key while it is there. Refuses to
//! open it or to guess what it types. Called by [`super::Host`] where there is a list.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_devices::transport::Bus;
use tokio::sync::mpsc;

use super::Tools;
use crate::flow::event::Event;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Tells when such a keyboard comes, and when it is gone.
pub(super) async fn watch<B: Bus>(bus: Rc<B>, tools: Rc<Tools>, events: mpsc::Sender<Event>) {
    let Some(allowed) = &tools.allowed else {
        return;
    };
    let mut was = false;
    loop {
        // A bus that cannot be listed is told by the desks; what was there stays.
        if let Ok(devices) = bus.list().await {
            let foreign = allowed.foreign_keyboard(&devices);
            if let Some(error) = &foreign
                && !was
            {
                tracing::error!(%error, "alarm: the kiosk takes no keys");
            }
            if foreign.is_some() != was {
                was = foreign.is_some();
                if !was {
                    tracing::warn!("the foreign keyboard is gone: the kiosk takes keys again");
                }
                if events.send(Event::ForeignKeyboard(was)).await.is_err() {
                    return;
                }
            }
        }
        tools.clock.sleep(EVERY).await;
    }
}
