//! The driver against the twin, in virtual time; and the twin alone, byte by byte.

mod bridges;

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::seam::SharedClock;
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::{hex, unhex};
use counterfoil_finger::synth::{Contact, Finger};

use super::*;
use crate::driver::ef01::{Ef01Error, FingerModule};
use crate::driver::serial::Bridge;
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};

const WITHIN: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(5);
const NAME: &str = "finger";
const DATA_OUT: u8 = 0x02;
const DATA_IN: u8 = 0x82;

type Opened = FingerModule<Bridge<TwinTransport>>;

fn twin() -> FingerModuleTwin {
    let spec = |name: &str, seed| FingerSpec {
        name: name.into(),
        seed,
    };
    FingerModuleTwin::new(vec![spec("zhang", 1001), spec("stranger", 9001)])
}

fn bus() -> (TwinBus, SharedClock) {
    bus_behind(BridgeKind::CdcAcm)
}

fn bus_behind(kind: BridgeKind) -> (TwinBus, SharedClock) {
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let bus = TwinBus::new(Rc::clone(&clock));
    bus.plug(NAME, Rc::new(RefCell::new(twin().behind(kind))));
    (bus, clock)
}

async fn open(bus: &TwinBus, clock: &SharedClock) -> Opened {
    let transport = bus.open_now(NAME).unwrap();
    FingerModule::open(transport, Rc::clone(clock))
        .await
        .unwrap()
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

#[test]
fn a_factory_module_is_raised_to_the_fast_line_and_large_packets_and_stays_dark() {
    run(async {
        let (bus, clock) = bus();
        let module = open(&bus, &clock).await;
        assert_eq!(module.baud(), 115_200);
        let parameters = module.parameters();
        assert_eq!((parameters.packet_code, parameters.rate_units), (3, 12));
        assert_eq!(bus.counter(NAME, "garbage-bytes"), 0);
        // S16: opening neither lights the sensor nor looks through it.
        assert_eq!(
            (bus.counter(NAME, "arms"), bus.counter(NAME, "looks")),
            (0, 0)
        );
    });
}

#[test]
fn a_module_that_kept_its_fast_line_is_found_again_after_a_restart() {
    run(async {
        let (bus, clock) = bus();
        drop(open(&bus, &clock).await);
        let again = open(&bus, &clock).await;
        assert_eq!(again.baud(), 115_200);
        assert!(bus.counter(NAME, "garbage-bytes") > 0);
    });
}

#[test]
fn an_unarmed_sensor_looks_at_nothing_s16() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        bus.desk("finger place zhang").unwrap();
        let wait = module.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(wait, Err(Ef01Error::NotArmed));
        let capture = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(capture, Ef01Error::NotArmed);
        assert_eq!(
            (bus.counter(NAME, "arms"), bus.counter(NAME, "looks")),
            (0, 0)
        );
        module.arm().await.unwrap();
        assert_eq!(bus.counter(NAME, "arms"), 1);
        module.disarm().await.unwrap();
        let wait = module.wait_finger(clock.monotonic() + SOON).await;
        assert_eq!(wait, Err(Ef01Error::NotArmed));
        assert_eq!(bus.counter(NAME, "images"), 0);
    });
}

#[test]
fn one_lost_answer_does_not_cost_the_light_and_dark_is_only_what_answered_s16() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        let lit = |bus: &TwinBus| {
            let all = bus.look();
            all.iter().any(|(_, lines)| lines[0].ends_with("lit"))
        };
        bus.desk("finger lose 1").unwrap();
        let late = module.arm().await.unwrap_err();
        assert!(matches!(late, Ef01Error::Late { .. }), "{late}");
        // The command itself arrived.
        assert!(lit(&bus));
        bus.desk("finger lose 1").unwrap();
        module.disarm().await.unwrap();
        assert!(!lit(&bus));
        module.arm().await.unwrap();
        assert!(lit(&bus));
        bus.desk("finger lose 2").unwrap();
        let late = module.disarm().await.unwrap_err();
        assert!(matches!(late, Ef01Error::Late { .. }), "{late}");
        module.disarm().await.unwrap();
        assert!(!lit(&bus));
    });
}

#[test]
fn halted_pipes_of_the_bridge_are_cleared() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        bus.desk("finger halt 02").unwrap();
        module.arm().await.unwrap();
        bus.desk("finger halt 82").unwrap();
        module.disarm().await.unwrap();
    });
}

#[test]
fn the_twin_hears_nothing_before_dtr_without_a_last_packet_or_while_it_sends() {
    let hello = unhex(
        "ef01ffffffff010007130000000000 1b"
            .replace(' ', "")
            .as_str(),
    )
    .unwrap();
    let mut twin = twin();
    let control = |twin: &mut FingerModuleTwin, request, value, out: &[u8]| {
        let setup = Setup {
            request_type: 0x21,
            request,
            value,
            index: 0,
        };
        twin.control(Duration::ZERO, setup, out, 0)
    };
    // 57,600 8N1 (CDC PSTN 1.2 §6.3.10).
    control(&mut twin, 0x20, 0, &[0x00, 0xE1, 0, 0, 0, 0, 8]);
    let answered = |twin: &mut FingerModuleTwin, now| match twin.poll_in(now, DATA_IN, 64) {
        InReply::Data(bytes) => bytes.len(),
        _ => 0,
    };
    twin.out(Duration::ZERO, DATA_OUT, &hello);
    assert_eq!(answered(&mut twin, SOON), 0, "before DTR");
    control(&mut twin, 0x22, 3, &[]);
    let mut padded = vec![0; 64 - hello.len()];
    padded.extend_from_slice(&hello);
    twin.out(SOON, DATA_OUT, &padded);
    assert_eq!(answered(&mut twin, 2 * SOON), 0, "unfinished");
    twin.out(2 * SOON, DATA_OUT, &[]);
    twin.out(2 * SOON, DATA_OUT, &hello);
    assert_eq!(answered(&mut twin, 3 * SOON), 12, "one answer");
    assert_eq!(answered(&mut twin, 3 * SOON), 0, "talked over");
    let counters = twin.counters();
    assert!(counters.contains(&("talked-over", 16)), "{counters:?}");
}

#[test]
fn an_image_arrives_at_the_pace_of_the_line_and_is_the_print_in_16_greys() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        module.arm().await.unwrap();
        let none = module
            .wait_finger(clock.monotonic() + Duration::from_secs(1))
            .await;
        assert_eq!(none, Ok(false));
        bus.desk("finger place zhang seed 7").unwrap();
        assert_eq!(module.wait_finger(clock.monotonic() + SOON).await, Ok(true));
        let mut percents = Vec::new();
        let start = clock.monotonic();
        let image = module.capture(|p| percents.push(p), WITHIN).await.unwrap();
        let took = clock.monotonic() - start;
        // 36,864 bytes and 11 a packet of 256, 10 bits each at 115,200: 3.34 s.
        assert!(took > Duration::from_millis(3300), "{took:?}");
        assert!(took < Duration::from_millis(3900), "{took:?}");
        assert_eq!((image.width, image.height, image.dpi), (256, 288, 500));
        let pressed = Finger::from_seed(1001).impression(&Contact::natural(7));
        let grey = |p: &u8| (p >> 4) * 17;
        let expected: Vec<u8> = pressed.pixels().iter().map(grey).collect();
        assert!(*image.pixels.expose() == expected, "the pixels differ");
        assert!(percents.is_sorted() && percents.last() == Some(&100));
        assert!(percents.len() > 50);
        let here = module
            .wait_lifted(clock.monotonic() + Duration::from_secs(1))
            .await;
        assert_eq!(here, Ok(false));
        bus.desk("finger lift").unwrap();
        assert_eq!(module.wait_lifted(clock.monotonic() + SOON).await, Ok(true));
    });
}

#[test]
fn a_damaged_image_is_asked_for_once_more_and_a_second_one_is_an_error() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        module.arm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        bus.desk("finger garble 1").unwrap();
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
        assert_eq!(bus.counter(NAME, "uploads"), 2);
        assert_eq!(bus.counter(NAME, "images"), 1);
        bus.desk("finger garble 2").unwrap();
        let damaged = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(damaged, Ef01Error::Damaged);
        assert_eq!(damaged.remedy(), Remedy::Retry);
        // The rest of the damaged image is waited out; the next one is whole.
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
    });
}

#[test]
fn a_finger_lifted_before_the_image_and_an_image_without_time_are_named() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        module.arm().await.unwrap();
        let lifted = module.capture(|_| {}, WITHIN).await.unwrap_err();
        assert_eq!(lifted, Ef01Error::NoFinger);
        bus.desk("finger place zhang").unwrap();
        let short = module
            .capture(|_| {}, Duration::from_secs(1))
            .await
            .unwrap_err();
        assert!(matches!(short, Ef01Error::Late { .. }), "{short}");
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
        bus.desk("finger unplug").unwrap();
        let gone = module.arm().await.unwrap_err();
        assert_eq!(gone.remedy(), Remedy::OutOfService);
    });
}

#[test]
fn a_capture_given_up_at_any_moment_leaves_the_module_in_step() {
    run(async {
        let (bus, clock) = bus();
        let mut module = open(&bus, &clock).await;
        module.arm().await.unwrap();
        bus.desk("finger place zhang").unwrap();
        for given_up_ms in [1, 50, 150, 190, 200, 900, 3400] {
            let patience = Duration::from_millis(given_up_ms);
            let capture = module.capture(|_| {}, WITHIN);
            assert!(tokio::time::timeout(patience, capture).await.is_err());
            // A late answer of the look must not pass for the light's.
            module.disarm().await.unwrap();
            let lamp = bus.look().into_iter().flat_map(|(_, facts)| facts);
            let dark = lamp.filter(|fact| fact.ends_with("zhang, dark")).count();
            assert_eq!(dark, 1, "given up after {given_up_ms} ms");
            module.arm().await.unwrap();
        }
        assert!(module.capture(|_| {}, WITHIN).await.is_ok());
    });
}

#[test]
fn the_wet_verb_makes_the_next_touches_wet() {
    let mut desk = twin();
    let mut say = |line: &str| desk.desk(Duration::ZERO, line);
    say("wet x1").unwrap();
    say("place zhang seed 5").unwrap();
    assert!(say("place zhang").is_err());
    say("lift").unwrap();
    assert!(say("lift").is_err());
    assert!(say("place nobody").is_err());
    assert!(say("place zhang sideways").is_err());
    assert!(say("garble 0").is_err());
    say("wet x1").unwrap();
    say("place zhang seed 5").unwrap();
    let armed = desk.module.finger.clone();
    let mut other = twin();
    other
        .desk(Duration::ZERO, "place zhang wet seed 5")
        .unwrap();
    assert!(armed == other.module.finger);
    other.desk(Duration::ZERO, "lift").unwrap();
    other.desk(Duration::ZERO, "place zhang seed 5").unwrap();
    assert!(armed != other.module.finger);
}

/// Frames of module manuals and public traces, given to the twin without the driver.
#[test]
fn the_twin_answers_published_frames_and_nothing_at_a_wrong_rate() {
    let mut twin = twin();
    let mut now = Duration::ZERO;
    let set = |twin: &mut FingerModuleTwin, coding: &str| {
        let setup = Setup {
            request_type: 0x21,
            request: 0x20,
            value: 0,
            index: 0,
        };
        let reply = twin.control(Duration::ZERO, setup, &unhex(coding).unwrap(), 0);
        assert_eq!(reply, ControlReply::Data(Vec::new()));
        let raise = Setup {
            request: 0x22,
            value: 3,
            ..setup
        };
        let reply = twin.control(Duration::ZERO, raise, &[], 0);
        assert_eq!(reply, ControlReply::Data(Vec::new()));
    };
    let mut say = |twin: &mut FingerModuleTwin, frame: &str| {
        let bytes = unhex(&frame.replace(' ', "").to_lowercase()).unwrap();
        twin.out(now, DATA_OUT, &bytes);
        now += Duration::from_secs(2);
        match twin.poll_in(now, DATA_IN, 64) {
            InReply::Data(bytes) => hex(&bytes),
            other => format!("{other:?}"),
        }
    };
    let hello = "EF01FFFFFFFF 01 0007 13 00000000 001B";
    assert_eq!(say(&mut twin, hello), "Nak");
    set(&mut twin, "00e10000000008");
    assert_eq!(say(&mut twin, hello), "ef01ffffffff07000300000a");
    let wrong = "EF01FFFFFFFF 01 0007 13 00000001 001C";
    assert_eq!(say(&mut twin, wrong), "ef01ffffffff07000313001d");
    let parameters = "ef01ffffffff0700130000040000\
                      00c80003ffffffff0002000604ed";
    assert_eq!(say(&mut twin, "EF01FFFFFFFF 01 0003 0F 0013"), parameters);
    let look = "EF01FFFFFFFF 01 0003 01 0005";
    assert_eq!(say(&mut twin, look), "ef01ffffffff07000302000c");
    let fast = "EF01FFFFFFFF 01 0005 0E 04 0C 0024";
    assert_eq!(say(&mut twin, fast), "ef01ffffffff07000300000a");
    assert_eq!(say(&mut twin, hello), "Nak");
    set(&mut twin, "00c20100000008");
    assert_eq!(say(&mut twin, hello), "ef01ffffffff07000300000a");
}
