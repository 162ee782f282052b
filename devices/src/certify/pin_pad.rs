//! The kit of PIN pads of this house's own framing.
//!
//! The pad must give counts and a sealed block, never digits (I7): the kit seals to a
//! key of its own, opens what comes, and says only whether it opened.

mod entries;
mod frames;

use std::time::Duration;

use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::{Check, Stop, Subject, usb};
use crate::driver::pin_pad::{PinPadError, UsbPinPad};
use crate::transport::Bus;

/// Time for a person.
const LONG: Duration = Duration::from_secs(60);
const FIRMWARE: &str = "update the firmware";
const FRAMING: &str = "framing of the PIN pad (driver/pin_pad.rs)";

/// The pad under test.
pub struct PadBench<B>(Bench<B>);

impl<B: Bus> PadBench<B> {
    /// A pad without an entry.
    pub fn new(bench: Bench<B>) -> Self {
        Self(bench)
    }

    async fn open(&self) -> Result<UsbPinPad<B::Transport>, Stop> {
        let usb = self.0.open().await?;
        Ok(UsbPinPad::open(usb, self.0.clock.clone()).await?)
    }
}

impl<B: Bus> Subject for PadBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.0
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            let acts = ["replug", "mend"];
            self.0.put_in_order(&acts, "plug it in").await
        })
    }
}

impl From<PinPadError> for Stop {
    fn from(error: PinPadError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Every check, in order.
#[rustfmt::skip]
pub fn kit<B: Bus>() -> Vec<Check<PadBench<B>>> {
    vec![
        Check::new("PP-01", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("PP-02", "an unknown request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(usb::unknown_request(c))),
        Check::new("PP-03", "a second program cannot open it", "one owner",
            "stop whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("PP-04", "hello is answered by version 1", FRAMING, FIRMWARE,
            |c| Box::pin(frames::hello(c))),
        Check::new("PP-05", "an unknown command is refused by code 1", FRAMING, FIRMWARE,
            |c| Box::pin(frames::unknown(c))),
        Check::new("PP-06", "an entry of no digits, and of thirteen, is refused by code 2",
            "ISO 9564",
            FIRMWARE, |c| Box::pin(frames::digits(c))),
        Check::new("PP-07", "without an entry there is nothing to collect: code 4",
            FRAMING, FIRMWARE,
            |c| Box::pin(frames::collect(c))),
        Check::new("PP-08", "a frame sent byte by byte is the same frame",
            "USB 2.0, 5.8", FIRMWARE,
            |c| Box::pin(frames::crumbs(c))),
        Check::new("PP-09", "two frames in one transfer are answered in order",
            "USB 2.0, 5.8", FIRMWARE,
            |c| Box::pin(frames::both(c))),
        Check::new("PP-10", "an answer nobody read is not taken for the next one",
            "answers have no id",
            FIRMWARE, |c| Box::pin(frames::unread(c))),
        Check::new("PP-11", "an entry that nobody makes times out and goes on", FRAMING, FIRMWARE,
            |c| Box::pin(entries::nobody(c))),
        Check::new("PP-12", "keys are told as counts, and no digit crosses the cable",
            "I7", FIRMWARE,
            |c| Box::pin(entries::counts(c))).by_hand(),
        Check::new("PP-13", "what was entered comes sealed, and opens with the key of that entry",
            "RFC 9180", "load the key again", |c| Box::pin(entries::sealed(c))).by_hand(),
        Check::new("PP-14", "it does not open under another sale", "bound to sale and challenge",
            FIRMWARE, |c| Box::pin(entries::bound(c))).by_hand(),
        Check::new("PP-15", "the same PIN twice gives two blocks",
            "RFC 9180, fresh keys", FIRMWARE,
            |c| Box::pin(entries::fresh(c))).by_hand(),
        Check::new("PP-16", "clear brings the count to nothing", FRAMING, FIRMWARE,
            |c| Box::pin(entries::clear(c))).by_hand(),
        Check::new("PP-17", "cancel ends the entry", FRAMING, FIRMWARE,
            |c| Box::pin(entries::cancel(c))).by_hand(),
        Check::new("PP-18", "an entry given up is forgotten with its digits",
            "nothing remains", FIRMWARE,
            |c| Box::pin(entries::forgotten(c))).by_hand(),
        Check::new("PP-19", "unplugged it is gone, replugged it is the same", "found by its place",
            FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
    ]
}
