//! The kit of receipt printers with a cutter.
//!
//! A receipt is proven by `GS ( H` here; a clone without it fails that check and is
//! still usable, as the sheet's completion grade says.

mod pipes;
mod receipts;

use std::time::Duration;

use counterfoil_data::seam::Local;

use super::bench::Bench;
use super::{Check, Stop, Subject, usb};
use crate::driver::receipt_printer::{PrintOutcome, ReceiptPrinter};
use crate::transport::Bus;

/// Time for one receipt.
const LONG: Duration = Duration::from_secs(30);
const FIRMWARE: &str = "update the firmware";
const CLASS: &str = "USB printer class 1.1";

/// The printer under test.
pub struct ReceiptBench<B>(Bench<B>);

impl<B: Bus> ReceiptBench<B> {
    /// A printer with paper in it.
    pub fn new(bench: Bench<B>) -> Self {
        Self(bench)
    }

    async fn open(&self) -> Result<ReceiptPrinter<B::Transport>, Stop> {
        let usb = self.0.open().await?;
        Ok(ReceiptPrinter::open(usb, self.0.clock.clone(), &*self.0.entropy).await?)
    }
}

impl<B: Bus> Subject for ReceiptBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.0
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            let acts = [
                "replug",
                "refill",
                "cover close",
                "cutter ok",
                "take",
                "mend",
            ];
            let words = "fill the paper, close the cover, free the knife, take every receipt";
            self.0.put_in_order(&acts, words).await
        })
    }
}

/// What was called printed that was not.
fn not_done(outcome: &PrintOutcome) -> Result<(), Stop> {
    match outcome {
        PrintOutcome::Done { .. } => Err(Stop::Failed(format!("called printed: {outcome:?}"))),
        _ => Ok(()),
    }
}

/// Every check, in order.
pub fn kit<B: Bus>() -> Vec<Check<ReceiptBench<B>>> {
    let mut all = pipe_checks();
    all.extend(receipt_checks());
    all
}

#[rustfmt::skip]
fn pipe_checks<B: Bus>() -> Vec<Check<ReceiptBench<B>>> {
    vec![
        Check::new("RP-01", "one interface of the printer class talks both ways", CLASS,
            "use a model with protocol 2 (bidirectional)", |c| Box::pin(pipes::two_way(c))),
        Check::new("RP-02", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("RP-03", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1", "name it by its place instead", |c| Box::pin(usb::serial(c))),
        Check::new("RP-04", "its device id names maker and model", "IEEE 1284, 7.6", FIRMWARE,
            |c| Box::pin(pipes::id(c))),
        Check::new("RP-05", "an unknown request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(usb::unknown_request(c))),
        Check::new("RP-06", "a second program cannot open it", "one owner",
            "stop usblp, CUPS or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("RP-07", "GS a FF pushes four bytes at once, without a fault",
            "TM-T88III spec., GS a", "its faults are seen by the port alone: grade accepted",
            |c| Box::pin(pipes::pushed(c))),
        Check::new("RP-08", "DLE EOT 1 to 4 answer one byte each, without a fault",
            "TM-T88III spec., DLE EOT", FIRMWARE, |c| Box::pin(pipes::real_time(c))),
        Check::new("RP-09", "GS ( H answers with the id it was given", "TM-T20III, GS ( H fn 48",
            "receipts are proven by order at best", |c| Box::pin(pipes::own_id(c))),
        Check::new("RP-10", "GS r 1 is answered in its turn", "TM-T88III spec., GS r",
            "receipts are proven by status at best", |c| Box::pin(pipes::in_order(c))),
        Check::new("RP-11", "a command sent byte by byte is the same command", "USB 2.0, 5.8",
            FIRMWARE, |c| Box::pin(pipes::crumbs(c))),
        Check::new("RP-12", "it takes more than its buffer without losing a byte",
            "USB 2.0, 8.4.5 (NAK)", FIRMWARE, |c| Box::pin(pipes::beyond(c))),
        Check::new("RP-13", "answers nobody read are not taken for the next ones",
            "escpos-rs 18", FIRMWARE, |c| Box::pin(pipes::unread(c))),
        Check::new("RP-14", "half a command of an earlier handle does not swallow the hello",
            "an earlier handle was lost", FIRMWARE, |c| Box::pin(pipes::half(c))),
    ]
}

#[rustfmt::skip]
fn receipt_checks<B: Bus>() -> Vec<Check<ReceiptBench<B>>> {
    vec![
        Check::new("RP-15", "a receipt is printed, cut, and proven by its own id", "GS ( H, GS V",
            "look at its grade", |c| Box::pin(receipts::proven(c))).spoils(0),
        Check::new("RP-16", "the proof waits for the print", "GS ( H fn 48",
            "its word is no proof", |c| Box::pin(receipts::waits(c))).spoils(0),
        Check::new("RP-17", "hanzi, signs of GBK, a picture and a QR symbol are printed",
            "GB18030; GS v 0; GS ( k", "set its character set to GB18030",
            |c| Box::pin(receipts::everything(c))).spoils(0),
        Check::new("RP-18", "a receipt longer than its buffer is printed whole", "USB 2.0, NAK",
            FIRMWARE, |c| Box::pin(receipts::long(c))).spoils(0),
        Check::new("RP-19", "three receipts in a row are each proven", "GS ( H", FIRMWARE,
            |c| Box::pin(receipts::three(c))).spoils(0),
        Check::new("RP-20", "with no paper nothing is begun", "GS a, byte 3", "clean the sensor",
            |c| Box::pin(receipts::no_paper(c))).by_hand(),
        Check::new("RP-21", "paper that ends in mid-print is never a whole receipt",
            "GS a, byte 3",
            "clean the sensor", |c| Box::pin(receipts::paper_ends(c))).by_hand(),
        Check::new("RP-22", "with the cover open nothing is begun", "GS a, byte 1",
            "repair the switch", |c| Box::pin(receipts::cover(c))).by_hand(),
        Check::new("RP-23", "a cover opened in mid-print is never a whole receipt", "GS a, byte 1",
            "repair the switch", |c| Box::pin(receipts::cover_in_print(c))).by_hand(),
        Check::new("RP-24", "what was interrupted is not printed when the cover is closed",
            "no half receipt of somebody else", FIRMWARE, |c| Box::pin(receipts::no_rest(c)))
            .by_hand(),
        Check::new("RP-25", "a roll near its end is reported and goes on printing", "GS a, byte 3",
            "adjust the sensor", |c| Box::pin(receipts::near_end(c))).by_hand(),
        Check::new("RP-26", "a cable pulled in mid-print is a doubt", "no answer, no knowledge",
            FIRMWARE, |c| Box::pin(receipts::pulled(c))).by_hand(),
        Check::new("RP-27", "unplugged it is gone, replugged it is the same",
            "found by its serial number", FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("RP-28", "after all of it a receipt is printed", "the whole way", FIRMWARE,
            |c| Box::pin(receipts::proven(c))).spoils(0),
    ]
}
