//! The lines of one look after another, at twins in virtual time.

use std::rc::Rc;

use counterfoil_data::seam::SharedClock;
use jiff::Timestamp;

use super::*;
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::sysfs::tests::{PRINTER, device};
use crate::transport::twin_bus::TwinBus;
use crate::twin::branch::Branch;

fn run<F: Future<Output = ()>>(body: impl FnOnce(TwinBus, Watching<TwinBus>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let bus = Branch::demo(&bank, clock.clone(), Rc::new(SystemEntropy), None);
        let allowed = Allowed::of(&bus.list_now(), false);
        body(bus, Watching::new(Some(allowed), &clock)).await;
    });
}

fn act(bus: &TwinBus, line: &str) {
    bus.desk(line).expect("is done");
}

#[test]
fn what_is_plugged_in_and_pulled_is_told_once_and_a_stranger_is_an_alarm() {
    run(|bus, mut watching| async move {
        let first = watching.changes(bus.list_now());
        assert_eq!(first.len(), 6);
        assert!(
            first.iter().all(|line| line.starts_with("plugged")),
            "{first:?}"
        );
        assert_eq!(watching.changes(bus.list_now()), [""; 0]);
        act(&bus, "finger unplug");
        let gone = watching.changes(bus.list_now());
        let line = "unplugged finger           1a86:55d4 finger (EF01 behind CDC-ACM)";
        assert!(
            matches!(gone.as_slice(), [only] if only.starts_with(line)),
            "{gone:?}"
        );
        act(&bus, "keyboard plug");
        let came = watching.changes(bus.list_now());
        assert_eq!(came.len(), 2);
        assert!(came[0].starts_with("plugged   keyboard         1209:0009 keyboard;"));
        assert!(came[1].starts_with("ALARM     keyboard"), "{came:?}");
        assert!(came[1].contains("not on the list"), "{came:?}");
    });
}

#[test]
fn another_device_in_the_same_place_went_and_came() {
    run(|_, mut watching| async move {
        watching.allowed = None;
        let printer = device("1-2", (0x04b8, 0x0e15), &[PRINTER]);
        watching.numbers.insert("1-2".into(), "5".into());
        assert_eq!(watching.changes(vec![printer.clone()]).len(), 1);
        watching.numbers.insert("1-2".into(), "6".into());
        let lines = watching.changes(vec![printer]);
        assert!(lines[0].starts_with("unplugged 1-2") && lines[1].starts_with("plugged   1-2"));
    });
}

#[test]
fn an_opened_device_tells_what_changes_in_it_and_nothing_twice() {
    run(|bus, watching| async move {
        let clock = watching.clock.clone();
        let find = |path: &str| {
            let mut all = bus.list_now().into_iter();
            all.find(|info| info.path == path).expect("is there")
        };
        let (mut reader, said) = Opened::open(&bus, &find("card-reader"), &clock).await;
        assert_eq!(said.as_deref(), Some("no card"));
        assert_eq!(reader.changed().await, None);
        act(&bus, "card-reader insert zhang-card");
        assert_eq!(reader.changed().await.as_deref(), Some("card inserted"));
        let (mut plate, said) = Opened::open(&bus, &find("id-reader"), &clock).await;
        assert_eq!(said.as_deref(), Some("no document"));
        clock.sleep(Duration::from_secs(60)).await;
        let before = clock.monotonic();
        assert_eq!(plate.changed().await, None);
        let took = clock.monotonic().saturating_sub(before);
        assert!(took < Duration::from_secs(1), "{took:?}");
        act(&bus, "id-reader present zhang");
        assert_eq!(
            plate.changed().await.as_deref(),
            Some("document lies there")
        );
        assert_eq!(plate.changed().await, None);
        act(&bus, "id-reader remove");
        // Several empty rounds, each a look or less: a card that answers badly is there.
        let mut said = None;
        for _ in 0..3 {
            said = said.or(plate.changed().await);
        }
        assert_eq!(said.as_deref(), Some("no document"));
        let (mut receipts, said) = Opened::open(&bus, &find("receipt-printer"), &clock).await;
        assert_eq!(said.as_deref(), Some("ready"));
        act(&bus, "receipt-printer cover open");
        let open = receipts.changed().await.expect("changed");
        assert!(open.contains("cover"), "{open}");
        act(&bus, "receipt-printer unplug");
        let gone = receipts.changed().await.expect("changed");
        assert!(gone.contains("gone"), "{gone}");
        assert_eq!(receipts.changed().await, None);
    });
}
