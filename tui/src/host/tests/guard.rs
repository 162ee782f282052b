//! The list of allowed devices: what is not on it is not opened, and what types is told.

use counterfoil_devices::transport::Bus as _;
use counterfoil_devices::twin::fingers::{FingerSpec, SensorKind};

use super::*;

fn guarded<F: Future<Output = ()>>(
    allowed: impl FnOnce(&TwinBus) -> Option<Allowed>,
    test: impl FnOnce(Desks) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let desks = Desks::with(None, allowed);
        test(desks).await;
    });
}

fn as_it_is(bus: &TwinBus) -> Option<Allowed> {
    Some(Allowed::of(&bus.list_now(), true))
}

/// Puts another sensor in the finger module's place.
async fn put_another(desks: &mut Desks) {
    desks.desk("finger unplug");
    assert_eq!(desks.state(Desk::Finger).await, DeviceState::Missing);
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    let other: SensorKind = "cp210x".parse().expect("a sensor");
    desks
        .bus
        .plug("finger", other.twin(FingerSpec::demo(&bank)));
}

#[test]
fn what_is_on_the_list_is_opened_and_another_device_in_its_place_is_not() {
    guarded(as_it_is, |mut desks| async move {
        desks.all_ready().await;
        put_another(&mut desks).await;
        // It stays so: nobody opened it.
        desks.clock.sleep(Duration::from_secs(60)).await;
        assert!(desks.events.try_recv().is_err());
        assert!(desks.bus.open("finger").await.is_ok());
    });
}

/// The list as `allow` writes it, with `module` as the ID reader's.
fn with_module(bus: &TwinBus, module: &str) -> Option<Allowed> {
    let text = counterfoil_devices::guard::file(&bus.list_now(), false);
    let (before, line) = text.split_once("# security_module").expect("a hint");
    let (_, after) = line.split_once('\n').expect("a line");
    let text = format!("{before}security_module = \"{module}\"\n{after}");
    Some(Allowed::parse(&text).expect("a list"))
}

#[test]
fn an_id_reader_with_another_security_module_is_not_used() {
    let enrolled = |bus: &TwinBus| with_module(bus, "05.01-20200101-0001234567-0089012345");
    guarded(enrolled, |mut desks| async move {
        desks.all_ready().await;
    });
    let another = |bus: &TwinBus| with_module(bus, "05.01-20200101-0001234567-0000000001");
    guarded(another, |mut desks| async move {
        assert_eq!(desks.state(Desk::Document).await, DeviceState::Missing);
    });
}

#[test]
fn without_a_list_any_device_in_its_place_is_used() {
    guarded(
        |_| None,
        |mut desks| async move {
            desks.all_ready().await;
            put_another(&mut desks).await;
            assert_eq!(desks.state(Desk::Finger).await, DeviceState::Ready);
            desks.desk("keyboard plug");
            desks.clock.sleep(Duration::from_secs(60)).await;
            assert!(desks.events.try_recv().is_err());
        },
    );
}

#[test]
fn a_keyboard_that_is_not_on_the_list_is_told_when_it_comes_and_when_it_goes() {
    guarded(as_it_is, |mut desks| async move {
        desks.all_ready().await;
        desks.desk("keyboard plug");
        assert!(matches!(desks.event().await, Event::ForeignKeyboard(true)));
        desks.desk("keyboard unplug");
        assert!(matches!(desks.event().await, Event::ForeignKeyboard(false)));
    });
}

#[test]
fn the_kiosks_own_keyboard_is_no_alarm() {
    let with_keyboard = |bus: &TwinBus| {
        bus.desk("keyboard plug").expect("is done");
        as_it_is(bus)
    };
    guarded(with_keyboard, |mut desks| async move {
        desks.all_ready().await;
        desks.clock.sleep(Duration::from_secs(60)).await;
        assert!(desks.events.try_recv().is_err());
    });
}
