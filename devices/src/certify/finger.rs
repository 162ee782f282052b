//! The kits of finger sensors: an EF01 module behind a bridge, and a U.are.U reader.
//!
//! Both promise the same to their drivers. An image is judged and compared in memory
//! and never leaves it; the sheet has scores, no pixels (I7).

mod images;
mod touches;

use std::time::Duration;

use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::{Check, Stop, Subject, usb};
use crate::driver::finger::{FingerError, FingerSensor};
use crate::transport::Bus;

/// Time for a person, and for one image.
const LONG: Duration = Duration::from_secs(30);
const FIRMWARE: &str = "update the firmware, or use another sensor";
const GLASS: &str = "clean the glass";
const PLACE: (&str, &str) = (
    "place zhang",
    "lay your right index finger on the sensor and keep it there",
);
const LIFT: (&str, &str) = ("lift", "lift the finger");

/// The sensor under test.
pub struct FingerBench<B>(Bench<B>);

impl<B: Bus> FingerBench<B> {
    /// A sensor with nothing on its glass.
    pub fn new(bench: Bench<B>) -> Self {
        Self(bench)
    }

    async fn open(&self) -> Result<FingerSensor<B::Transport>, Stop> {
        let usb = self.0.open().await?;
        let clock = self.0.clock.clone();
        Ok(FingerSensor::open(usb, clock, self.0.entropy.clone()).await?)
    }
}

impl<B: Bus> Subject for FingerBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.0
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            let acts = ["replug", "lift", "mend"];
            self.0.put_in_order(&acts, "take every finger away").await
        })
    }
}

impl From<FingerError> for Stop {
    fn from(error: FingerError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The same checks under the ids of one kind of sensor.
macro_rules! checks {
    ($prefix:literal) => {{
        let mut all = without_finger!($prefix);
        all.extend(with_finger!($prefix));
        all
    }};
}

macro_rules! without_finger {
    ($p:literal) => {
        vec![
            Check::new(
                concat!($p, "-01"),
                "its bulk pipes have packet sizes that USB allows",
                "USB 2.0, 5.8.3",
                FIRMWARE,
                |c| Box::pin(usb::packets(c)),
            ),
            Check::new(
                concat!($p, "-02"),
                "a second program cannot open it",
                "one owner",
                "stop fprintd or the serial driver",
                |c| Box::pin(usb::second_open(c)),
            ),
            Check::new(
                concat!($p, "-03"),
                "the driver opens it and it answers the hello",
                "the driver's hello",
                FIRMWARE,
                |c| Box::pin(touches::opens(c)),
            ),
            Check::new(
                concat!($p, "-04"),
                "it opens five times running",
                "the driver's hello",
                FIRMWARE,
                |c| Box::pin(touches::five_times(c)),
            ),
            Check::new(
                concat!($p, "-05"),
                "while it is dark no image is taken",
                "S16: the document comes first",
                FIRMWARE,
                |c| Box::pin(touches::dark(c)),
            ),
            Check::new(
                concat!($p, "-06"),
                "where no finger comes, none is reported, in the time given",
                "an empty glass is no finger",
                GLASS,
                |c| Box::pin(touches::nobody(c)),
            ),
            Check::new(
                concat!($p, "-07"),
                "with nothing on the glass a capture gives no image",
                "a latent print is no finger",
                GLASS,
                |c| Box::pin(touches::nothing(c)),
            ),
            Check::new(
                concat!($p, "-08"),
                "it can be lit and darkened ten times",
                "S16",
                FIRMWARE,
                |c| Box::pin(touches::light(c)),
            ),
        ]
    };
}

macro_rules! with_finger {
    ($p:literal) => {
        vec![
            Check::new(
                concat!($p, "-09"),
                "a finger laid on the glass is seen within two seconds",
                "the person waits",
                GLASS,
                |c| Box::pin(touches::seen(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-10"),
                "a finger that stays is not reported as lifted",
                "one touch, one image",
                FIRMWARE,
                |c| Box::pin(touches::stays(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-11"),
                "a lifted finger is seen to be lifted within two seconds",
                "the next person",
                GLASS,
                |c| Box::pin(touches::lifted(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-12"),
                "an image has as many pixels as its size says",
                "width, height, 500 dots an inch",
                FIRMWARE,
                |c| Box::pin(images::whole(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-13"),
                "ridges are dark on a light ground and show contrast",
                "ISO/IEC 19794-4",
                GLASS,
                |c| Box::pin(images::contrast(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-14"),
                "the image is good enough to be compared",
                "quality gate of the kiosk",
                GLASS,
                |c| Box::pin(images::quality(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-15"),
                "two touches of one finger match",
                "matcher of the backend",
                GLASS,
                |c| Box::pin(images::same(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-16"),
                "two touches are two images",
                "no image is sent twice",
                FIRMWARE,
                |c| Box::pin(images::fresh(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-17"),
                "another finger does not match",
                "matcher of the backend",
                GLASS,
                |c| Box::pin(images::other(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-18"),
                "a handle lost in mid-image leaves no part of it for the next",
                "I7: nothing of a customer remains",
                FIRMWARE,
                |c| Box::pin(images::lost(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-19"),
                "a cable pulled while it waits for a finger ends the wait",
                "USB 2.0, 7.1.7.3",
                FIRMWARE,
                |c| Box::pin(touches::cable(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-20"),
                "unplugged it is gone, replugged it is the same",
                "found by its place",
                FIRMWARE,
                |c| Box::pin(usb::same_again(c)),
            )
            .by_hand(),
            Check::new(
                concat!($p, "-21"),
                "after all of it an image is taken",
                "the whole way",
                FIRMWARE,
                |c| Box::pin(images::whole(c)),
            )
            .by_hand(),
        ]
    };
}

/// Every check of a module behind a bridge, in order.
pub fn module_kit<B: Bus>() -> Vec<Check<FingerBench<B>>> {
    checks!("FM")
}

/// Every check of a U.are.U reader, in order.
pub fn uru4500_kit<B: Bus>() -> Vec<Check<FingerBench<B>>> {
    checks!("UR")
}
