//! A machine whose clock jumps under a running service, and one that is started with a
//! wrong one.
//!
//! The story: deadlines, locks and signatures are held against wall time; a time service
//! that steps by an hour, or a wrong year for a moment, would end every sale, open every
//! lock and turn every kiosk away, or stop every timer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::ids::SaleId;
use counterfoil_data::seam::{Clock, Local, SharedClock};
use counterfoil_data::wire::sale::{OpenSale, PurchaseMode, SaleState, SaleView};
use jiff::{SignedDuration, Timestamp};

use super::super::Limits;
use super::bed::{Bed, House, START, Seeded, VirtualClock, run, writer};
use super::client::{Ask, Client};
use crate::keys::Keys;
use crate::store::Changes;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A machine's clock: right, and off by so much.
struct Machine {
    right: SharedClock,
    off: Cell<SignedDuration>,
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        self.right.now() + self.off.get()
    }
    fn monotonic(&self) -> Duration {
        self.right.monotonic()
    }
    fn sleep(&self, wait: Duration) -> Local<'static, ()> {
        self.right.sleep(wait)
    }
}

/// The same books in a house on a machine whose clock is off; clients have it right.
fn started(before: &Bed, off: SignedDuration) -> (Bed, Rc<Machine>) {
    before.service.close();
    let right = Rc::clone(&before.clock);
    let machine = Rc::new(Machine {
        right: Rc::clone(&right),
        off: Cell::new(off),
    });
    let house = House {
        clock: machine.clone(),
        entropy: Rc::new(Seeded::new(11)),
        limits: Limits {
            date_header: false,
            ..Limits::default()
        },
        keys: Keys::demo(),
    };
    let writer = writer(&before.store).expect("a writer");
    let mut bed = Bed::over(before.store.clone(), writer, house, |ports| ports);
    bed.clock = right;
    (bed, machine)
}

fn bed() -> Bed {
    let limits = Limits {
        date_header: false,
        ..Limits::default()
    };
    Bed::with(limits, &Changes::new(), |ports| ports)
}

async fn state(kiosk: &Client, sale: &SaleView) -> SaleState {
    let view: SaleView = kiosk.get(&format!("/v1/sales/{}", sale.sale)).await.ok();
    view.state
}

#[test]
fn a_jump_of_the_clock_ends_no_sale_early_and_lets_every_timer_fire_in_its_time() {
    run(async {
        let (bed, machine) = started(&bed(), SignedDuration::ZERO);
        let kiosk = bed.kiosk("kiosk-1").await;
        let sale = kiosk.open(1).await;
        let ends = sale.expires.expect("it expires");
        for off in [YEAR, -HOUR, SignedDuration::ZERO, -YEAR, HOUR] {
            machine.off.set(off);
            // Something happens, so that timers look at the clock.
            let other = bed.kiosk("kiosk-2").await;
            other.get("/v1/kiosk").await.ok::<serde_json::Value>();
            bed.clock.sleep(Duration::from_secs(5)).await;
            assert_eq!(state(&kiosk, &sale).await, SaleState::Opened, "{off:?}");
            let jumped = u8::from(off != SignedDuration::ZERO);
            let line = format!("counterfoil_clock_jumped {jumped}");
            assert!(bed.service.metrics().contains(&line), "{off:?}");
        }
        // Off by an hour still: the sale ends by itself when its time is over.
        let left = ends.duration_since(bed.clock.now());
        let left = Duration::try_from(left).expect("it is still to come");
        bed.clock.sleep(left + Duration::from_secs(1)).await;
        let kiosk = bed.kiosk("kiosk-1").await;
        assert_eq!(state(&kiosk, &sale).await, SaleState::Expired);
    });
}

#[test]
fn a_request_is_good_once_and_for_a_minute_whatever_the_clock_does() {
    run(async {
        let (bed, machine) = started(&bed(), SignedDuration::ZERO);
        let kiosk = bed.kiosk("kiosk-1").await;
        let read = Ask::get("/v1/kiosk");
        let early = kiosk.signed(&read, bed.clock.now());
        bed.clock.sleep(Duration::from_secs(90)).await;
        let kiosk = bed.kiosk("kiosk-1").await;
        // With the clock followed, the old one would be fresh again.
        machine.off.set(SignedDuration::from_secs(-90));
        assert_eq!(kiosk.send(early).await.status, 401, "too old");
        let request = kiosk.signed(&read, bed.clock.now());
        assert_eq!(kiosk.send(request.clone()).await.status, 200);
        machine.off.set(YEAR);
        assert_eq!(
            kiosk.send(request.clone()).await.status,
            401,
            "its nonce is known"
        );
        machine.off.set(SignedDuration::ZERO);
        assert_eq!(kiosk.send(request).await.status, 401);
    });
}

#[test]
fn a_house_started_with_a_clock_behind_its_records_sells_nothing_and_says_why() {
    run(async {
        let before = bed();
        let (bed, _machine) = started(&before, -HOUR);
        let mut kiosk = bed.kiosk("kiosk-1").await;
        let wrong: SharedClock = Rc::new(VirtualClock::from(
            START.parse::<Timestamp>().expect("a time") - HOUR,
        ));
        // A kiosk that is as wrong as the house, or it would not even be heard.
        kiosk.clock = wrong;
        let open = OpenSale {
            sale: SaleId(1),
            mode: PurchaseMode::SettlementCard,
            seen: None,
        };
        let problem = kiosk.post("/v1/sales", &open).await.problem(422);
        assert_eq!(problem.reason.as_deref(), Some("clock-behind"));
        let (bed, _machine) = started(&bed, SignedDuration::ZERO);
        let kiosk = bed.kiosk("kiosk-1").await;
        kiosk.sequence.set(9);
        kiosk.open(2).await;
    });
}
