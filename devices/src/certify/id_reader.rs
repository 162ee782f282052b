//! The kit of ID-card readers with a security module (SDT).
//!
//! Personal data of whatever card is laid on the plate stays in the driver: no note, no
//! fact and no message of this kit holds a name, a number or a frame.

mod cards;
mod frames;
mod module;

use std::time::Duration;

use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::{Check, Stop, Subject, usb};
use crate::driver::sdt::{IdReader, SdtError};
use crate::transport::Bus;

/// Time for a person, and for one read.
const LONG: Duration = Duration::from_secs(20);
const FIRMWARE: &str = "update the firmware, or use another reader";
const SAM: &str = "SAM_V protocol";
/// A genuine card for a twin, and how a person is asked for one.
const LAY: (&str, &str) = ("present zhang", "lay a genuine ID card on the reader");
const LIFT: (&str, &str) = ("remove", "take the card away");

/// The reader under test.
pub struct IdBench<B>(Bench<B>);

impl<B: Bus> IdBench<B> {
    /// A reader with nothing on its plate.
    pub fn new(bench: Bench<B>) -> Self {
        Self(bench)
    }

    async fn open(&self) -> Result<IdReader<B::Transport>, Stop> {
        let usb = self.0.open().await?;
        Ok(IdReader::open(usb, self.0.clock.clone()).await?)
    }
}

impl<B: Bus> Subject for IdBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.0
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            let acts = ["replug", "remove", "talk", "sam ok", "mend"];
            let words = "take everything off the plate";
            self.0.put_in_order(&acts, words).await
        })
    }
}

impl From<SdtError> for Stop {
    fn from(error: SdtError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Every check, in order.
#[rustfmt::skip]
pub fn kit<B: Bus>() -> Vec<Check<IdBench<B>>> {
    vec![
        Check::new("IR-01", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("IR-02", "an unknown request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(usb::unknown_request(c))),
        Check::new("IR-03", "a second program cannot open it", "one owner",
            "stop whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("IR-04", "11 FF is answered 90 on one of the known pipe layouts", SAM,
            "note its descriptors: it may be a layout of its own", |c| Box::pin(frames::hello(c))),
        Check::new("IR-05", "an answer is preamble, length, status, checksum, and nothing else",
            SAM,
            FIRMWARE, |c| Box::pin(frames::framed(c))),
        Check::new("IR-06", "a wrong checksum is answered 10", SAM, FIRMWARE,
            |c| Box::pin(frames::checksum(c))),
        Check::new("IR-07", "an unknown command is answered 21", SAM, FIRMWARE,
            |c| Box::pin(frames::unknown(c))),
        Check::new("IR-08", "12 FF answers the module's identity of 16 bytes", SAM, FIRMWARE,
            |c| Box::pin(frames::identity(c))),
        Check::new("IR-09", "a body sent byte by byte is the same body", "USB 2.0, 5.8", FIRMWARE,
            |c| Box::pin(frames::crumbs(c))),
        Check::new("IR-10", "10 FF resets the module and it answers at once", SAM, FIRMWARE,
            |c| Box::pin(frames::reset(c))),
        Check::new("IR-11", "with nothing on the plate a find is answered 80 within a second", SAM,
            FIRMWARE, |c| Box::pin(frames::nothing(c))),
        Check::new("IR-12", "without a selected card a read gives no data", SAM, FIRMWARE,
            |c| Box::pin(frames::read_unselected(c))),
        Check::new("IR-13", "an answer nobody read is not taken for the next one",
            "drain before each request", FIRMWARE, |c| Box::pin(frames::unread(c))),
        Check::new("IR-14", "half a request of an earlier handle does not swallow the hello",
            "an earlier handle was lost", FIRMWARE, |c| Box::pin(frames::half(c))),
        Check::new("IR-15", "the driver opens it and knows its module",
            "the driver's hello", FIRMWARE,
            |c| Box::pin(module::opens(c))),
        Check::new("IR-16", "it is the same module in five openings",
            "S16: the module is evidence", FIRMWARE,
            |c| Box::pin(module::same_module(c))),
        Check::new("IR-17", "where no card comes, none is found, in the time given", SAM, FIRMWARE,
            |c| Box::pin(module::nobody(c))),
        Check::new("IR-18", "a card laid on the plate is found within two seconds", SAM,
            "shorten the way to the plate", |c| Box::pin(cards::found(c))).by_hand(),
        Check::new("IR-19", "a genuine card is read, by find 9F, select 90, read 90",
            "S16", FIRMWARE,
            |c| Box::pin(cards::read(c))).by_hand(),
        Check::new("IR-20", "two reads of one card give the same frame", "the text block is fixed",
            "clean the plate", |c| Box::pin(cards::same_frame(c))).by_hand(),
        Check::new("IR-21", "a card that was read is seen to be there until it is lifted",
            "30 03 behind a read",
            FIRMWARE, |c| Box::pin(cards::stays(c))).by_hand(),
        Check::new("IR-22", "a lifted card is missed within two seconds",
            "three empty finds", FIRMWARE,
            |c| Box::pin(cards::lifted(c))).by_hand(),
        Check::new("IR-23", "what the module does not accept is never a document",
            "S16: 31, 32, 33, 40",
            FIRMWARE, |c| Box::pin(cards::refused(c))).by_hand(),
        Check::new("IR-24", "a cable pulled while it looks for a card ends the wait",
            "USB 2.0, 7.1.7.3",
            FIRMWARE, |c| Box::pin(cards::pulled(c))).by_hand(),
        Check::new("IR-25", "unplugged it is gone, replugged it is the same",
            "found by its place", FIRMWARE,
            |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("IR-26", "after all of it a card is read", "the whole way", FIRMWARE,
            |c| Box::pin(cards::read(c))).by_hand(),
    ]
}
