//! Errands and timers: one that fails keeps no other waiting and burns no time.

use std::cell::Cell;
use std::future::{pending, ready};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::seam::Local;
use counterfoil_data::wire::confirm::ConfirmationView;
use counterfoil_data::wire::sale::SaleView;

use super::super::Limits;
use super::bed::{Bed, run};
use super::client::{Ask, path};
use super::whole::decide;
use crate::core::key;
use crate::ports::{ContactMessage, ContactNotice, PortError, Ports};
use crate::store::Changes;

/// A carrier that hangs, or is down, and counts how often it was called.
#[derive(Default)]
struct Carrier {
    calls: Cell<u32>,
    hangs: Cell<bool>,
    works: Cell<bool>,
}

impl ContactMessage for Carrier {
    fn tell(&self, _: u64, _: ContactNotice) -> Local<'_, Result<(), PortError>> {
        self.calls.set(self.calls.get() + 1);
        match (self.works.get(), self.hangs.get()) {
            (true, _) => Box::pin(ready(Ok(()))),
            (false, true) => Box::pin(pending()),
            (false, false) => Box::pin(ready(Err(PortError::Unreachable("the carrier")))),
        }
    }
}

fn limits() -> Limits {
    Limits {
        date_header: false,
        ..Limits::default()
    }
}

fn bed(carrier: &Rc<Carrier>) -> Bed {
    let contact = Rc::clone(carrier);
    let ports = |ports| Ports { contact, ..ports };
    Bed::with(limits(), &Changes::new(), ports)
}

async fn linked(bed: &Bed) {
    let (kiosk, station) = (bed.kiosk("kiosk-1").await, bed.station().await);
    let view = kiosk.ordered(bed, 1, 2).await;
    for verb in ["seen", "confirm"] {
        decide(&station, &view, verb).await.ok::<ConfirmationView>();
    }
    let link = Ask::post(&path(&view, "link"), &serde_json::json!({})).keyed("l");
    kiosk.ask(&link).await.ok::<SaleView>();
}

#[test]
fn a_port_that_hangs_keeps_no_other_port_waiting_and_is_asked_again() {
    run(async {
        let carrier = Rc::new(Carrier::default());
        carrier.hangs.set(true);
        let bed = bed(&carrier);
        linked(&bed).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(bed.outside.fees_booked().0 > 0, "the core bank was told");
        assert_eq!(carrier.calls.get(), 1);
        tokio::time::sleep(Duration::from_secs(25)).await;
        assert!(carrier.calls.get() > 1, "no call is waited for without end");
        carrier.works.set(true);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let calls = carrier.calls.get();
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(carrier.calls.get(), calls, "delivered once it could be");
    });
}

#[test]
fn a_port_that_is_down_has_its_rest_whatever_else_happens_in_the_house() {
    run(async {
        let carrier = Rc::new(Carrier::default());
        let bed = bed(&carrier);
        linked(&bed).await;
        let kiosk = bed.kiosk("kiosk-2").await;
        for n in 0..50 {
            let view = kiosk.open(100 + n).await;
            let cancel = Ask::post(&path(&view, "cancel"), &serde_json::json!({}));
            kiosk
                .ask(&cancel.keyed(&format!("c{n}")))
                .await
                .ok::<SaleView>();
        }
        assert!(carrier.calls.get() <= 2, "{} calls", carrier.calls.get());
        tokio::time::sleep(Duration::from_secs(600)).await;
        let calls = carrier.calls.get();
        assert!((8..=20).contains(&calls), "doubled up to a minute: {calls}");
    });
}

#[test]
fn a_due_command_that_is_refused_does_not_spin() {
    run(async {
        // A timer of a sale nobody knows: refused whenever it is due.
        let due = "2026-11-23T02:00:00Z".parse().expect("a time");
        let timer = key::timer(due, counterfoil_data::ids::SaleId(404));
        let rows = Changes::from([(timer, Some(Vec::new()))]);
        let bed = Bed::with(limits(), &rows, |ports| ports);
        tokio::time::sleep(Duration::from_secs(10)).await;
        let given = bed.service.meter.commands.value();
        assert!((5..=12).contains(&given), "{given} in ten seconds");
    });
}
