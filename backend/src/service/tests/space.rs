//! A disk that fills up: no new sales, outcomes to the end, and back again.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::wire::forms::FormState;
use counterfoil_data::wire::problem::Retry;
use counterfoil_data::wire::sale::{OpenSale, PurchaseMode, SaleState, SaleView};

use super::super::space::{Look, Room};
use super::bed::{Bed, run};
use super::client::{Ask, Client, Heard, path};
use super::reseal::{ring, under};
use super::whole::{decide, dispense};

/// The reserve of these tests, in bytes.
const SIZE: u64 = 64;

/// A disk of which a test says how much of it is free beside the reserve.
struct Meter {
    free: Cell<u64>,
    has_reserve: Cell<bool>,
}

impl Room for Rc<Meter> {
    fn look(&self) -> io::Result<Look> {
        Ok(Look {
            free: self.free.get(),
            has_reserve: self.has_reserve.get(),
        })
    }

    fn make(&self) -> io::Result<()> {
        self.free.set(self.free.get() - SIZE);
        self.has_reserve.set(true);
        Ok(())
    }

    fn release(&self) -> io::Result<()> {
        self.free.set(self.free.get() + SIZE);
        self.has_reserve.set(false);
        Ok(())
    }
}

async fn free(bed: &Bed, meter: &Meter, free: u64) {
    meter.free.set(free);
    bed.clock.sleep(Duration::from_secs(2)).await;
}

async fn opens(kiosk: &Client, sale: u128) -> Heard {
    let open = OpenSale {
        sale: counterfoil_data::ids::SaleId(sale),
        mode: PurchaseMode::SettlementCard,
        seen: None,
    };
    kiosk.ask(&Ask::post("/v1/sales", &open)).await
}

fn refuses(heard: &Heard) {
    let problem = heard.problem(503);
    assert_eq!(problem.kind, "/problems/storage-low");
    assert_eq!(problem.retry, Retry::SameKey);
    assert_ne!(heard.header("retry-after"), "");
}

#[test]
fn on_a_full_disk_nothing_new_is_sold_and_what_is_under_way_goes_on_to_its_receipt() {
    run(async {
        let bed = Bed::open();
        let meter = Rc::new(Meter {
            free: Cell::new(1_000),
            has_reserve: Cell::new(true),
        });
        let watched = Rc::clone(&bed.service).watch_space(SIZE, Box::new(Rc::clone(&meter)));
        tokio::task::spawn_local(watched);
        let (kiosk, other) = (bed.kiosk("kiosk-1").await, bed.kiosk("kiosk-2").await);
        let station = bed.station().await;
        let view = kiosk.ordered(&bed, 1, 2).await;

        // Below the first mark.
        free(&bed, &meter, SIZE - 1).await;
        refuses(&opens(&other, 2).await);
        assert_eq!(
            opens(&kiosk, 1).await.status,
            200,
            "the open one is repeated"
        );
        assert!(meter.has_reserve.get() && bed.service.is_alive() && bed.service.is_ready());
        assert!(bed.service.metrics().contains("counterfoil_storage_low 1"));
        assert_eq!(decide(&station, &view, "seen").await.status, 200);
        assert_eq!(decide(&station, &view, "confirm").await.status, 200);
        let nothing = serde_json::json!({});
        let link = Ask::post(&path(&view, "link"), &nothing).keyed("link-1");
        let linked: SaleView = kiosk.ask(&link).await.ok();

        // Below the second: the reserve is given up for what happened to paper.
        free(&bed, &meter, 0).await;
        assert!(!meter.has_reserve.get());
        let paper = dispense(&kiosk, &linked).await;
        assert!(paper.forms.iter().all(|f| f.state == FormState::Sold));
        let close = Ask::post(&path(&view, "close"), &nothing).keyed("close-1");
        let closed: SaleView = kiosk.ask(&close).await.ok();
        assert_eq!(closed.state, SaleState::Closed);
        refuses(&opens(&kiosk, 3).await);

        // Not before there is room for the reserve and beside it.
        free(&bed, &meter, 2 * SIZE).await;
        assert!(!meter.has_reserve.get());
        refuses(&opens(&other, 2).await);
        free(&bed, &meter, 3 * SIZE).await;
        assert!(meter.has_reserve.get());
        assert_eq!(opens(&other, 2).await.status, 200);
        assert!(bed.service.metrics().contains("counterfoil_storage_low 0"));
    });
}

#[test]
fn a_sale_refused_for_want_of_room_leaves_nothing_in_the_books() {
    run(async {
        let bed = Bed::open();
        let meter = Rc::new(Meter {
            free: Cell::new(SIZE / 2),
            has_reserve: Cell::new(true),
        });
        let watched = Rc::clone(&bed.service).watch_space(SIZE, Box::new(Rc::clone(&meter)));
        tokio::task::spawn_local(watched);
        let kiosk = bed.kiosk("kiosk-1").await;
        let commands = || bed.service.meter.commands.value();
        bed.clock.sleep(Duration::from_secs(2)).await;
        let before = commands();
        for sale in 1..20 {
            refuses(&opens(&kiosk, sale).await);
        }
        assert_eq!(commands(), before, "nothing was written on a full disk");
    });
}

#[test]
fn with_little_room_nothing_at_rest_is_encrypted_anew_until_there_is_room() {
    run(async {
        let bed = Bed::open().restarted_with(ring(2));
        let before = under(&bed);
        let meter = Rc::new(Meter {
            free: Cell::new(SIZE - 1),
            has_reserve: Cell::new(true),
        });
        let watched = Rc::clone(&bed.service).watch_space(SIZE, Box::new(Rc::clone(&meter)));
        tokio::task::spawn_local(watched);
        bed.clock.sleep(Duration::from_secs(2)).await;
        let rotation = tokio::task::spawn_local(Rc::clone(&bed.service).reseal());
        bed.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(under(&bed), before);
        assert!(before.iter().all(|(id, _)| *id == 1));
        meter.free.set(1_000);
        rotation.await.expect("ends by itself");
        assert!(under(&bed).iter().all(|(id, _)| *id == 2));
    });
}
