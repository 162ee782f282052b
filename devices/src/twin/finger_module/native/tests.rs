//! The driver against a module without a line, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_finger::synth::{Contact, Finger};

use super::*;
use crate::driver::ef01::{Ef01Error, FingerModule};
use crate::driver::serial::Bridge;
use crate::driver::{Role, role_of};
use crate::system::TokioClock;
use crate::transport::UsbError;
use crate::transport::twin_bus::{TwinBus, TwinTransport};

const WITHIN: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(5);
const NAME: &str = "finger";

fn world(uploads: bool, act: impl AsyncFnOnce(&TwinBus, &SharedClock)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(Rc::clone(&clock));
        let zhang = FingerSpec {
            name: "zhang".into(),
            seed: 1001,
        };
        let twin = NativeModuleTwin::new(vec![zhang], uploads);
        bus.plug(NAME, Rc::new(RefCell::new(twin)));
        act(&bus, &clock).await;
    });
}

type Opened = FingerModule<Bridge<TwinTransport>>;

async fn open(bus: &TwinBus, clock: &SharedClock) -> Result<Opened, Ef01Error> {
    let transport = bus.open_now(NAME).unwrap();
    FingerModule::open(transport, Rc::clone(clock)).await
}

#[test]
fn a_module_that_compares_by_itself_is_recognised_and_refused_before_anybody_comes() {
    world(false, async |bus, clock| {
        assert_eq!(role_of(&bus.list_now()[0]), Some(Role::Finger));
        let refused = open(bus, clock).await.err();
        assert_eq!(refused, Some(Ef01Error::NoImage));
        let remedy = refused.map(|error| error.remedy());
        assert_eq!(remedy, Some(Remedy::OutOfService));
        // S16: it was not asked to look.
        assert_eq!(bus.counter(NAME, "looks"), 0);
    });
}

#[test]
fn a_module_that_uploads_gives_the_print_without_rate_light_or_password() {
    world(true, async |bus, clock| {
        let mut module = open(bus, clock).await.unwrap();
        assert!(module.is_native());
        assert_eq!((module.baud(), bus.counter(NAME, "looks")), (0, 0));
        let unarmed = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(unarmed, Ef01Error::NotArmed);
        module.arm().await.unwrap();
        let none = module.wait_finger(clock.monotonic()).await;
        assert_eq!(none, Ok(false));
        bus.desk("finger place zhang seed 7").unwrap();
        assert_eq!(module.wait_finger(clock.monotonic() + SOON).await, Ok(true));
        let (start, mut percents) = (clock.monotonic(), Vec::new());
        let image = module.capture(|p| percents.push(p), WITHIN).await.unwrap();
        // Ten times as fast as the fastest line.
        assert!(clock.monotonic() - start < Duration::from_secs(1));
        let pressed = Finger::from_seed(1001).impression(&Contact::natural(7));
        let grey = |p: &u8| (p >> 4) * 17;
        let expected: Vec<u8> = pressed.pixels().iter().map(grey).collect();
        assert!(*image.pixels.expose() == expected, "other pixels");
        assert!(percents.is_sorted() && percents.len() > 50);
        assert_eq!(module.wait_lifted(clock.monotonic()).await, Ok(false));
        bus.desk("finger lift").unwrap();
        assert_eq!(module.wait_lifted(clock.monotonic() + SOON).await, Ok(true));
        module.disarm().await.unwrap();
    });
}

#[test]
fn a_former_fingers_image_is_waited_out_on_opening() {
    world(true, async |bus, clock| {
        let mut module = open(bus, clock).await.unwrap();
        module.arm().await.unwrap();
        bus.desk("finger place zhang seed 7").unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
        bus.desk("finger lift").unwrap();
        drop(module);
        let mut module = open(bus, clock).await.unwrap();
        module.arm().await.unwrap();
        let lifted = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(lifted, Ef01Error::NoFinger);
    });
}

#[test]
fn damage_halts_and_a_pulled_cable_are_as_on_a_line() {
    world(true, async |bus, clock| {
        let mut module = open(bus, clock).await.unwrap();
        module.arm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        bus.desk("finger garble 1").unwrap();
        bus.desk("finger halt 03").unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
        assert_eq!(bus.counter(NAME, "images"), 1);
        bus.desk("finger halt 83").unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
        bus.desk("finger unplug").unwrap();
        let gone = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(gone, Ef01Error::Usb(UsbError::NoDevice));
    });
}

#[test]
fn who_does_not_answer_the_greeting_is_silent_and_waited_for_no_longer_than_a_second() {
    world(true, async |bus, clock| {
        bus.desk("finger mute").unwrap();
        let start = clock.monotonic();
        assert_eq!(open(bus, clock).await.err(), Some(Ef01Error::Silent));
        assert!(clock.monotonic() - start < Duration::from_secs(2));
    });
}
