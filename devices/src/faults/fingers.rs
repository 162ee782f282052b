//! Finger sensors: one image of one finger.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use super::plan::Fault;
use super::{Desk, Same, Subject, Trouble, refused, run, wrong};
use crate::driver::finger::FingerSensor;
use crate::transport::twin_bus::TwinBus;
use crate::twin::fingers::{FingerSpec, SensorKind};
use crate::twin::serial_bridge::BridgeKind;

const OPEN: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(5);
const CAPTURE: Duration = Duration::from_secs(20);

struct Touch {
    sensor: SensorKind,
    /// What the session without faults gave: its tests compare it with the finger.
    image: OnceCell<Vec<u8>>,
}

impl Touch {
    fn of(sensor: SensorKind) -> Self {
        Self {
            sensor,
            image: OnceCell::new(),
        }
    }

    async fn image(&self, desk: &Desk) -> Result<Vec<u8>, Trouble> {
        let usb = desk.wire.open().map_err(refused)?;
        let opened = FingerSensor::open(usb, desk.clock.clone(), Rc::new(Same));
        let mut sensor = desk.within("open", OPEN, opened).await?.map_err(refused)?;
        let armed = desk.within("arm", OPEN, sensor.arm()).await?;
        armed.map_err(refused)?;
        desk.act("place zhang seed 7");
        let finger = sensor.wait_finger(desk.after(SOON));
        if !desk.within("wait", SOON, finger).await?.map_err(refused)? {
            return Err(refused("no finger came"));
        }
        let image = desk.within("capture", CAPTURE, sensor.capture(|_| {}, CAPTURE));
        Ok(image.await?.map_err(refused)?.pixels.expose().clone())
    }
}

impl Subject for Touch {
    type Device = ();

    fn name(&self) -> String {
        format!("finger, {:?}", self.sensor)
    }

    fn plug(&self, bus: &TwinBus, name: &str) {
        let spec = FingerSpec {
            name: "zhang".to_owned(),
            seed: 1001,
        };
        bus.plug(name, self.sensor.twin(vec![spec]));
    }

    async fn session(&self, desk: &Desk, _: &()) -> Result<(), Trouble> {
        let image = self.image(desk).await?;
        if image == *self.image.get_or_init(|| image.clone()) {
            return Ok(());
        }
        match (self.sensor, desk.wire.struck_by()) {
            // Its pictures carry no checksum: what a wire cannot do to them, nothing sees.
            (SensorKind::Uru4500, Some(Fault::FlipBit | Fault::Invert | Fault::Doubled)) => {
                Err(refused("nothing guards its pixels"))
            }
            _ => Err(wrong("another image")),
        }
    }

    fn mend(&self, desk: &Desk, _: &()) {
        desk.act("lift");
    }

    fn within(&self) -> Duration {
        Duration::from_secs(120)
    }
}

#[test]
fn finger_modules_bear_every_fault_behind_every_bridge() {
    for bridge in BridgeKind::ALL {
        run(&Touch::of(SensorKind::Module(bridge)), 400);
    }
}

#[test]
fn finger_readers_bear_every_fault() {
    run(&Touch::of(SensorKind::Uru4500), 2000);
}
