//! The finger desk with every kind of sensor: the customer is told the same.

use counterfoil_devices::twin::fingers::{FingerSpec, SensorKind};

use super::*;
use crate::model::FingerAdvice;

const SENSORS: [&str; 7] = [
    "cdc-acm",
    "cp210x",
    "ch340",
    "ftdi",
    "pl2303",
    "pl2303-hxn",
    "uru4500",
];

/// A kiosk with another sensor, opened and ready.
async fn with_sensor(desks: &mut Desks, name: &str) -> String {
    let bank = counterfoil_data::demo::bank().expect("the demo bank");
    let fingers = FingerSpec::demo(&bank);
    let finger = fingers.first().expect("a finger").name.clone();
    let kind: SensorKind = name.parse().expect("a sensor");
    without_sensor(desks).await;
    desks.bus.plug("finger", kind.twin(fingers));
    assert_eq!(
        desks.state(Desk::Finger).await,
        DeviceState::Ready,
        "{name}"
    );
    finger
}

async fn without_sensor(desks: &mut Desks) {
    desks.all_ready().await;
    desks.desk("finger unplug");
    assert_eq!(desks.state(Desk::Finger).await, DeviceState::Missing);
}

/// Asks for a print and lays the finger down as `how` says; what came of it, and the
/// percents told on the way.
async fn touch(desks: &mut Desks, finger: &str, how: &str) -> (Answer, Vec<u8>) {
    let ticket = desks.ask(Desk::Finger, Act::CaptureFinger(desks.sealing));
    desks.clock.sleep(Duration::from_secs(3)).await;
    desks.desk(&format!("finger place {finger} {how}"));
    assert!(matches!(desks.answer(ticket).await, Answer::FingerPresent));
    let mut percents = Vec::new();
    loop {
        match desks.answer(ticket).await {
            Answer::FingerProgress(percent) => percents.push(percent),
            answer => return (answer, percents),
        }
    }
}

#[test]
fn every_sensor_tells_of_the_finger_the_progress_and_a_print_worth_comparing() {
    for name in SENSORS {
        run(|mut desks| async move {
            let finger = with_sensor(&mut desks, name).await;
            let (answer, percents) = touch(&mut desks, &finger, "").await;
            let Answer::FingerCaptured(print) = answer else {
                panic!("{name}: {answer:?}");
            };
            let binding = desks.sealing.binding;
            let print = print.open(&desks.open, binding).expect("opens");
            let size = if name == "uru4500" {
                (384, 290, 512)
            } else {
                (256, 288, 500)
            };
            assert_eq!((print.width, print.height, print.dpi), size, "{name}");
            assert_eq!(percents.last(), Some(&100), "{name}");
            assert!(percents.is_sorted(), "{name}: {percents:?}");
        });
    }
}

#[test]
fn every_sensor_advises_and_waits_for_the_finger_to_be_lifted_before_the_next_touch() {
    for name in SENSORS {
        run(|mut desks| async move {
            let finger = with_sensor(&mut desks, name).await;
            let (answer, _) = touch(&mut desks, &finger, "wet seed 1").await;
            let wet = [FingerAdvice::Dry, FingerAdvice::PressLess];
            let Answer::FingerPoor(advice) = answer else {
                panic!("{name}: {answer:?}");
            };
            assert!(wet.contains(&advice), "{name}: {advice:?}");
            let images = desks.count("finger", "images");
            let ticket = desks.ask(Desk::Finger, Act::CaptureFinger(desks.sealing));
            let said = desks.answer(ticket).await;
            assert!(matches!(said, Answer::FingerLies), "{name}: {said:?}");
            desks.clock.sleep(Duration::from_secs(3)).await;
            desks.desk("finger lift");
            desks.clock.sleep(Duration::from_secs(3)).await;
            desks.desk(&format!("finger place {finger}"));
            loop {
                match desks.answer(ticket).await {
                    Answer::FingerLies => {}
                    Answer::FingerPresent => break,
                    answer => panic!("{name}: {answer:?}"),
                }
            }
            loop {
                match desks.answer(ticket).await {
                    Answer::FingerProgress(_) => {}
                    Answer::FingerCaptured(_) => break,
                    answer => panic!("{name}: {answer:?}"),
                }
            }
            assert!(desks.count("finger", "images") > images, "{name}");
        });
    }
}

#[test]
fn a_sensor_that_gives_no_image_is_not_ready() {
    run(|mut desks| async move {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        without_sensor(&mut desks).await;
        let kind: SensorKind = "microarray".parse().expect("a sensor");
        desks.bus.plug("finger", kind.twin(FingerSpec::demo(&bank)));
        desks.clock.sleep(Duration::from_secs(30)).await;
        assert!(desks.events.try_recv().is_err(), "never ready");
    });
}

#[test]
fn a_serial_device_that_is_no_sensor_does_not_hide_the_one_that_is() {
    run(|mut desks| async move {
        let bank = counterfoil_data::demo::bank().expect("the demo bank");
        without_sensor(&mut desks).await;
        // By name it comes first on the bus.
        let other: SensorKind = "microarray".parse().expect("a sensor");
        let first = other.twin(FingerSpec::demo(&bank));
        desks.bus.plug("a-first-serial-device", first);
        let kind: SensorKind = "ftdi".parse().expect("a sensor");
        desks.bus.plug("finger", kind.twin(FingerSpec::demo(&bank)));
        assert_eq!(desks.state(Desk::Finger).await, DeviceState::Ready);
    });
}
