//! The list of a 24-pin printer (ESC/P2).

use super::super::{Check, Verdict, expect, usb};
use super::{SlipBench, acts, forms, wire};
use crate::driver::completion::Grade;
use crate::driver::escpos::fault::PrintFault;
use crate::transport::Bus;

const CLASS: &str = "USB printer class 1.1";
const FIRMWARE: &str = "update the firmware";
const PORT: &str = "ESC/P2 has no status but the port's";
const LIES: &str = "configure `presence = \"operator\"`: its port proves nothing";
/// CR: to the left edge, prints nothing.
const NOTHING: &[u8] = &[0x0D];
/// Faults of the port have one word.
const FAULT: PrintFault = PrintFault::HardwareError;

pub(super) fn checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    let mut all = bus_checks();
    all.extend(form_checks());
    all
}

#[rustfmt::skip]
fn bus_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("ES-01", "an interface of the printer class has bulk pipes", CLASS,
            "use another model", |c| Box::pin(wire::two_way(c))),
        Check::new("ES-02", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("ES-03", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1",
            "have the maker write a serial number", |c| Box::pin(usb::serial(c))),
        Check::new("ES-04", "its device id names maker, model and ESC/P2", "IEEE 1284, 7.6",
            "configure the device by its ids", |c| Box::pin(wire::id(c, "ESCP2"))),
        Check::new("ES-05", "an unknown class request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(wire::unknown_class_request(c))),
        Check::new("ES-06", "a second program cannot open it", "one owner",
            "stop usblp, CUPS or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("ES-07", "SOFT_RESET is done", "nothing else makes it forget what it was sent",
            "use a model that resets", |c| Box::pin(wire::resets(c))),
        Check::new("ES-08", "bytes are taken one by one and as full packets", "USB 2.0, 5.8",
            FIRMWARE, |c| Box::pin(wire::takes(c, NOTHING))),
        Check::new("ES-09", "a halted OUT pipe says so, and works once its halt is cleared",
            "USB 2.0, 9.4.5", FIRMWARE, |c| Box::pin(wire::halted(c, NOTHING))),
        Check::new("ES-10", "without a form the port says that paper is out", PORT, LIES,
            |c| Box::pin(port_empty(c))),
        Check::new("ES-11", "the driver opens it and sees no form and no fault",
            "the driver's hello",
            FIRMWARE, |c| Box::pin(forms::empty(c))),
    ]
}

#[rustfmt::skip]
fn form_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("ES-12", "where nobody puts a form in, none is fed", PORT, LIES,
            |c| Box::pin(forms::nobody_feeds(c))),
        Check::new("ES-13", "a form that is put in is seen, and one that is ejected is gone",
            PORT, LIES,
            |c| Box::pin(forms::seen(c))).spoils(1).by_hand(),
        Check::new("ES-14", "with a form in it the port says 18", PORT, LIES,
            |c| Box::pin(port_full(c))).spoils(1).by_hand(),
        Check::new("ES-15", "a second form is not fed onto the first", PORT, LIES,
            |c| Box::pin(forms::only_one(c))).spoils(1).by_hand(),
        Check::new("ES-16", "a form whose number nobody read gets no ink",
            "read, compare, only then ink",
            FIRMWARE, |c| Box::pin(forms::no_ink_unread(c))).spoils(1).by_hand(),
        Check::new("ES-17", "a printed form was seen to leave", "grade status, never better", LIES,
            |c| Box::pin(forms::proven(c, Grade::Status))).spoils(1).by_hand(),
        Check::new("ES-18", "ink stays in the fields' boxes and off number, stub and code band",
            "form template; restricted areas", "calibrate the slot",
            |c| Box::pin(forms::in_boxes(c)))
            .spoils(1).by_hand(),
        Check::new("ES-19", "an offset of 2.0 mm and -1.0 mm moves the ink by just that",
            "ESC $, ESC \\, ESC J", "set the printer to ESC/P2 emulation",
            |c| Box::pin(forms::offset(c))).spoils(2).by_hand(),
        Check::new("ES-20", "two forms in a row are each printed", PORT, FIRMWARE,
            |c| Box::pin(forms::twice(c))).spoils(2).by_hand(),
        Check::new("ES-21", "a form read by an earlier handle is still there, and only ejected",
            PORT, LIES,
            |c| Box::pin(forms::reopened(c))).spoils(1).by_hand(),
        Check::new("ES-22", "a form pulled out after it was read is missed before ink", PORT, LIES,
            |c| Box::pin(acts::pulled_out(c))).spoils(1).by_hand(),
        Check::new("ES-23", "with the cover open nothing is fed", PORT, LIES,
            |c| Box::pin(cover(c))).by_hand(),
        Check::new("ES-24", "a cover opened in mid-print is never a printed form", PORT, LIES,
            |c| Box::pin(acts::cover_in_print(c))).spoils(1).by_hand(),
        Check::new("ES-25", "a jam in mid-print is never a printed form", PORT, LIES,
            |c| Box::pin(acts::jam_in_print(c))).spoils(1).by_hand(),
        Check::new("ES-26", "a jam at the eject is never a printed form", PORT, LIES,
            |c| Box::pin(acts::jam_at_eject(c))).spoils(1).by_hand(),
        Check::new("ES-27", "what is left of a spoiled form is not on the next", "SOFT_RESET",
            "use a model that resets", |c| Box::pin(acts::leftovers(c))).spoils(2).by_hand(),
        Check::new("ES-28", "a cable pulled in mid-print is never a printed form",
            "no answer, no knowledge",
            FIRMWARE, |c| Box::pin(acts::cable_in_print(c))).spoils(1).by_hand(),
        Check::new("ES-29", "unplugged it is gone, replugged it is the same",
            "found by its serial number",
            FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("ES-30", "after a handle was lost in mid-print the next form is printed whole",
            "what was received is worked off", FIRMWARE, |c| Box::pin(acts::handle_lost(c)))
            .spoils(2).by_hand(),
    ]
}

async fn port_empty<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let byte = wire::port(c).await?;
    expect("paper-out bit", byte & 0x20, 0x20)?;
    Ok(format!("{byte:02x}"))
}

async fn port_full<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    drop(printer);
    let byte = wire::port(c).await?;
    c.at_rest().await?;
    c.take().await?;
    expect("port status", byte, 0x18)?;
    Ok(String::new())
}

/// Without a form, a port says nothing of a cover; so a form lies in it.
async fn cover<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    c.fed(&mut printer).await?;
    let open = ("cover open", "open the cover");
    c.bench
        .act_for_now(open, ("cover close", "close the cover"))
        .await?;
    let fault = printer.status().await?.fault;
    c.bench.put_right().await?;
    printer.divert(super::LONG).await?;
    c.take().await?;
    expect("the fault", fault, Some(FAULT))?;
    Ok(String::new())
}
