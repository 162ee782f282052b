//! The kit of CCID chip-card readers.
//!
//! Nothing of a card is shown or kept but its ATR and status words; no PIN is entered.

mod cards;
mod slots;

use std::time::Duration;

use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::{Check, Stop, Subject, usb};
use crate::driver::ccid::{CcidError, Reader};
use crate::transport::Bus;

/// Time for a person, and for one card.
const LONG: Duration = Duration::from_secs(20);
const FIRMWARE: &str = "update the firmware, or use another reader";
const INSERT: (&str, &str) = ("insert zhang-card", "put a settlement card into the reader");
const REMOVE: (&str, &str) = ("remove", "take the card out");

/// The reader under test.
pub struct CardBench<B>(Bench<B>);

impl<B: Bus> CardBench<B> {
    /// A reader without a card.
    pub fn new(bench: Bench<B>) -> Self {
        Self(bench)
    }

    async fn open(&self) -> Result<Reader<B::Transport>, Stop> {
        let usb = self.0.open().await?;
        Ok(Reader::open(usb, self.0.clock.clone()).await?)
    }
}

impl<B: Bus> Subject for CardBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.0
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            let acts = ["replug", "remove", "mend"];
            self.0.put_in_order(&acts, "take every card out").await
        })
    }
}

impl From<CcidError> for Stop {
    fn from(error: CcidError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Every check, in order.
pub fn kit<B: Bus>() -> Vec<Check<CardBench<B>>> {
    let mut all = slot_checks();
    all.extend(card_checks());
    all
}

#[rustfmt::skip]
fn slot_checks<B: Bus>() -> Vec<Check<CardBench<B>>> {
    vec![
        Check::new("CR-01", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("CR-02", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1",
            "name it by its place instead", |c| Box::pin(usb::serial(c))),
        Check::new("CR-03", "an unknown request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(usb::unknown_request(c))),
        Check::new("CR-04", "a second program cannot open it", "one owner",
            "stop pcscd or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("CR-05", "its descriptor is one that the driver serves", "CCID 5.1",
            "use a reader of another kind", |c| Box::pin(slots::kind(c))),
        Check::new("CR-06", "it can hold a short APDU, and supplies 5 or 3 volts", "CCID 5.1",
            "use a reader of another kind", |c| Box::pin(slots::able(c))),
        Check::new("CR-07", "GetSlotStatus is answered in ten bytes, with the slot empty",
            "CCID 6.2.2",
            FIRMWARE, |c| Box::pin(slots::empty(c))),
        Check::new("CR-08", "every answer has the sequence number of its command", "CCID 6.1",
            FIRMWARE, |c| Box::pin(slots::sequence(c))),
        Check::new("CR-09", "a slot that is not there is refused",
            "CCID 6.2.6: error 05", FIRMWARE,
            |c| Box::pin(slots::no_slot(c))),
        Check::new("CR-10", "an unknown command is refused, not left unanswered",
            "CCID 6.2.6: error 00",
            FIRMWARE, |c| Box::pin(slots::unknown(c))),
        Check::new("CR-11", "without a card the power cannot be turned on", "CCID 6.2.1", FIRMWARE,
            |c| Box::pin(slots::no_power(c))),
        Check::new("CR-12", "a command sent byte by byte is the same command",
            "USB 2.0, 5.8", FIRMWARE,
            |c| Box::pin(slots::crumbs(c))),
        Check::new("CR-13", "an answer nobody read is not taken for the next one",
            "CCID 6.1, bSeq",
            FIRMWARE, |c| Box::pin(slots::unread(c))),
        Check::new("CR-14", "a halted IN pipe says so, and works once its halt is cleared",
            "USB 2.0, 9.4.5", FIRMWARE, |c| Box::pin(slots::halted(c))),
        Check::new("CR-15", "the driver opens it five times running",
            "the driver's hello", FIRMWARE,
            |c| Box::pin(slots::five_times(c))),
        Check::new("CR-16", "where no card comes, none is reported, in the time given",
            "GetSlotStatus",
            FIRMWARE, |c| Box::pin(slots::nobody(c))),
    ]
}

#[rustfmt::skip]
fn card_checks<B: Bus>() -> Vec<Check<CardBench<B>>> {
    vec![
        Check::new("CR-17", "an inserted card is seen within two seconds", "CCID 6.3.1", FIRMWARE,
            |c| Box::pin(cards::seen(c))).by_hand(),
        Check::new("CR-18", "a removed card is missed within two seconds", "CCID 6.3.1", FIRMWARE,
            |c| Box::pin(cards::missed(c))).by_hand(),
        Check::new("CR-19", "a card answers to reset, the same three times",
            "ISO 7816-3, 8", FIRMWARE,
            |c| Box::pin(cards::reset(c))).by_hand(),
        Check::new("CR-20", "a selection is answered by a status word",
            "ISO 7816-4, 11.1", FIRMWARE,
            |c| Box::pin(cards::select(c))).by_hand(),
        Check::new("CR-21", "an unknown instruction is refused and the card goes on",
            "ISO 7816-4, 5.6",
            FIRMWARE, |c| Box::pin(cards::unknown(c))).by_hand(),
        Check::new("CR-22", "twenty selections are answered alike",
            "no lost or doubled answer", FIRMWARE,
            |c| Box::pin(cards::twenty(c))).by_hand(),
        Check::new("CR-23", "a card pulled in the middle of a command ends it as absent",
            "CCID 6.2.6",
            FIRMWARE, |c| Box::pin(cards::pulled(c))).by_hand(),
        Check::new("CR-24", "without power a command is not answered as if there were",
            "CCID 6.2.2",
            FIRMWARE, |c| Box::pin(cards::without_power(c))).by_hand(),
        Check::new("CR-25", "a card that does not answer is reported as mute, in time",
            "ISO 7816-3, 6.2.2",
            FIRMWARE, |c| Box::pin(cards::mute(c))).by_hand(),
        Check::new("CR-26", "a handle lost in mid-command leaves it usable",
            "an earlier handle was lost",
            FIRMWARE, |c| Box::pin(cards::lost(c))).by_hand(),
        Check::new("CR-27", "unplugged it is gone, replugged it is the same",
            "found by its serial number",
            FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("CR-28", "a cable pulled while it waits for a card ends the wait",
            "USB 2.0, 7.1.7.3",
            FIRMWARE, |c| Box::pin(cards::cable(c))).by_hand(),
    ]
}
