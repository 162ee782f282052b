//! The driver against the twin, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_finger::synth::{Contact, Finger};
use counterfoil_finger::{Image, quality};

use super::picture::{BLOCKS, HEIGHT, WIDTH, view};
use super::*;
use crate::driver::finger::{FingerImage, FingerSensor};
use crate::driver::uru4000::{Uru4000, Uru4000Error};
use crate::driver::{Role, role_of};
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::UsbError;
use crate::transport::twin_bus::{TwinBus, TwinTransport};

const WITHIN: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(5);
const NAME: &str = "finger";

fn world(act: impl AsyncFnOnce(&TwinBus, &SharedClock)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(Rc::clone(&clock));
        let spec = |name: &str, seed| FingerSpec {
            name: name.into(),
            seed,
        };
        let twin = Uru4000Twin::new(vec![spec("zhang", 1001), spec("stranger", 9001)]);
        bus.plug(NAME, Rc::new(RefCell::new(twin)));
        act(&bus, &clock).await;
    });
}

async fn open(bus: &TwinBus, clock: &SharedClock) -> Uru4000<TwinTransport> {
    let usb = bus.open_now(NAME).unwrap();
    let opened = Uru4000::open(usb, Rc::clone(clock), Rc::new(SystemEntropy)).await;
    opened.unwrap()
}

fn is_lit(bus: &TwinBus) -> bool {
    bus.look().remove(0).1[0].ends_with("lit")
}

/// What the driver must make of a finger: the view, the right way up and dark on light,
/// but for what cannot be known.
fn expected(seed: u64, touch: u64) -> Vec<u8> {
    let mut rows: Vec<Vec<u8>> =
        view(&Finger::from_seed(seed).impression(&Contact::natural(touch)))
            .chunks(WIDTH)
            .map(<[u8]>::to_vec)
            .collect();
    let mut at = 0;
    for (flags, count) in BLOCKS {
        at += usize::from(*count);
        if flags & 2 != 0 {
            rows[at - 1][WIDTH - 1] = 0;
        }
        if flags & 1 != 0 {
            rows[at - 1] = rows[at].clone();
        }
    }
    let all = rows.concat();
    all.iter().rev().map(|pixel| 255 - pixel).collect()
}

#[test]
fn a_reader_is_recognised_powered_up_and_left_dark_s16() {
    world(async |bus, clock| {
        assert_eq!(role_of(&bus.list_now()[0]), Some(Role::Finger));
        let mut reader = open(bus, clock).await;
        bus.desk("finger place zhang").unwrap();
        let wait = reader.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(wait, Err(Uru4000Error::NotArmed));
        let capture = reader.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(capture, Uru4000Error::NotArmed);
        assert_eq!(reader.wait_lifted(clock.monotonic()).await, Ok(true));
        for counter in ["arms", "images"] {
            assert_eq!(bus.counter(NAME, counter), 0, "{counter}");
        }
        assert!(!is_lit(bus));
    });
}

#[test]
fn an_image_is_the_print_at_512_dpi_and_good_enough_to_compare() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        let none = reader.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(none, Ok(false));
        assert!(is_lit(bus));
        bus.desk("finger place zhang seed 7").unwrap();
        for _ in 0..2 {
            let here = reader.wait_finger(clock.monotonic() + SOON).await;
            assert_eq!(here, Ok(true));
        }
        let mut percents = Vec::new();
        let image = reader.capture(|p| percents.push(p), WITHIN).await.unwrap();
        let (width, height) = (usize::from(image.width), usize::from(image.height));
        assert_eq!((width, height, image.dpi), (WIDTH, HEIGHT, 512));
        assert!(*image.pixels.expose() == expected(1001, 7), "other pixels");
        assert!(percents.is_sorted() && percents.last() == Some(&100));
        // A key for the picture, and one for the block that wants another.
        assert_eq!(
            (bus.counter(NAME, "images"), bus.counter(NAME, "keys")),
            (1, 2)
        );
        let FingerImage {
            width,
            height,
            dpi,
            pixels,
        } = image;
        let seen = Image::new(width, height, dpi, pixels.expose().clone()).unwrap();
        assert!(quality(&seen).is_acceptable(), "{:?}", quality(&seen));
        let here = reader.wait_lifted(clock.monotonic() + SOON).await;
        assert_eq!(here, Ok(false));
        bus.desk("finger lift").unwrap();
        for _ in 0..2 {
            let gone = reader.wait_lifted(clock.monotonic() + SOON).await;
            assert_eq!(gone, Ok(true));
        }
        reader.disarm().await.unwrap();
        assert!(!is_lit(bus));
    });
}

#[test]
fn an_image_cut_short_is_taken_again_and_a_second_one_is_an_error() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        bus.desk("finger place zhang seed 3").unwrap();
        bus.desk("finger cut 1").unwrap();
        let image = reader.capture(|_| {}, WITHIN).await.unwrap();
        assert!(*image.pixels.expose() == expected(1001, 3));
        assert_eq!(bus.counter(NAME, "images"), 2);
        bus.desk("finger cut 2").unwrap();
        let cut = reader.capture(|_| {}, WITHIN).await.unwrap_err();
        assert!(matches!(cut, Uru4000Error::Image(_)), "{cut}");
        assert_eq!(cut.remedy(), Remedy::Retry);
        assert!(reader.capture(|_| {}, WITHIN).await.is_ok());
    });
}

#[test]
fn a_finger_lifted_too_early_is_named() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        let start = clock.monotonic();
        let lifted = reader.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(lifted, Uru4000Error::NoFinger);
        assert!(clock.monotonic() - start < Duration::from_secs(1));
    });
}

#[test]
fn halted_pipes_are_cleared_and_a_pulled_cable_is_told() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        bus.desk("finger halt 81").unwrap();
        bus.desk("finger place zhang").unwrap();
        let here = reader.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(here, Ok(true));
        bus.desk("finger halt 82").unwrap();
        assert!(reader.capture(|_| {}, WITHIN).await.is_ok());
        let pull = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            bus.desk("finger unplug").unwrap();
        };
        let (captured, ()) = tokio::join!(reader.capture(|_| {}, WITHIN), pull);
        let gone = captured.unwrap_err();
        assert_eq!(gone, Uru4000Error::Usb(UsbError::NoDevice));
        assert_eq!(gone.remedy(), Remedy::OutOfService);
        drop(reader);
        bus.desk("finger replug").unwrap();
        let mut reader = open(bus, clock).await;
        assert!(!is_lit(bus));
        reader.arm().await.unwrap();
        assert!(reader.capture(|_| {}, WITHIN).await.is_ok());
    });
}

#[test]
fn the_image_of_a_capture_that_was_given_up_never_passes_for_the_next_finger() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        for given_up_ms in [1, 50, 150, 215] {
            reader.arm().await.unwrap();
            bus.desk("finger place stranger").unwrap();
            let here = reader.wait_finger(clock.monotonic() + SOON).await;
            assert_eq!(here, Ok(true));
            let patience = Duration::from_millis(given_up_ms);
            let capture = reader.capture(|_| {}, WITHIN);
            assert!(tokio::time::timeout(patience, capture).await.is_err());
            reader.disarm().await.unwrap();
            assert!(!is_lit(bus));
            bus.desk("finger lift").unwrap();
            tokio::time::sleep(SOON).await;
            reader.arm().await.unwrap();
            bus.desk("finger place zhang seed 5").unwrap();
            let image = reader.capture(|_| {}, WITHIN).await.unwrap();
            assert!(
                *image.pixels.expose() == expected(1001, 5),
                "{given_up_ms} ms"
            );
            reader.disarm().await.unwrap();
            bus.desk("finger lift").unwrap();
        }
    });
}

#[test]
fn a_finger_told_of_and_not_heard_is_not_the_next_customers() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        let none = reader.wait_finger(clock.monotonic()).await;
        assert_eq!(none, Ok(false));
        bus.desk("finger place stranger").unwrap();
        reader.disarm().await.unwrap();
        bus.desk("finger lift").unwrap();
        reader.arm().await.unwrap();
        let none = reader.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(none, Ok(false));
    });
}

#[test]
fn a_scanner_that_gives_up_is_powered_again_at_the_next_customer() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        bus.desk("finger fail").unwrap();
        let failing = reader.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(failing, Err(Uru4000Error::Failing));
        reader.disarm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        reader.arm().await.unwrap();
        assert!(reader.capture(|_| {}, WITHIN).await.is_ok());
    });
}

#[test]
fn a_reader_left_lit_by_a_kiosk_that_lost_power_is_dark_once_opened_s16() {
    world(async |bus, clock| {
        let mut reader = open(bus, clock).await;
        reader.arm().await.unwrap();
        let none = reader.wait_finger(clock.monotonic()).await;
        assert_eq!(none, Ok(false));
        drop(reader);
        assert!(is_lit(bus));
        let _reader = open(bus, clock).await;
        assert!(!is_lit(bus));
    });
}

#[test]
fn the_kiosks_sensor_opens_it_by_its_descriptors() {
    world(async |bus, clock| {
        let usb = bus.open_now(NAME).unwrap();
        let opened = FingerSensor::open(usb, Rc::clone(clock), Rc::new(SystemEntropy)).await;
        let mut sensor = opened.unwrap();
        sensor.arm().await.unwrap();
        let lifted = sensor.capture(|_| {}, WITHIN).await.unwrap_err();
        assert!(lifted.is_passing(), "{lifted}");
        bus.desk("finger place zhang").unwrap();
        assert!(sensor.capture(|_| {}, WITHIN).await.is_ok());
        sensor.disarm().await.unwrap();
    });
}
