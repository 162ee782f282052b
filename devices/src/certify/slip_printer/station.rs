//! The list of an ESC/POS slip station.

use super::super::form_printer::{is_done, not_done, sale_of_one};
use super::super::{Check, Stop, Verdict, ensure, expect, usb};
use super::{LONG, SlipBench, acts, forms, reader, wire};
use crate::driver::completion::Grade;
use crate::driver::escpos::fault::PrintFault;
use crate::driver::form_printer::Taking;
use crate::transport::Bus;

mod states;
mod talk;

const CLASS: &str = "USB printer class 1.1";
const H5000: &str = "TM-H5000II specification";
const U375: &str = "TM-U375, print control for cut sheets";
const FIRMWARE: &str = "update the firmware";
const MODEL: &str = "configure `slip`: another model's sensor bits";
const WAITS: &str = "use another model: a line could meet the wrong sheet";
/// NUL: no command, no ink.
const NOTHING: &[u8] = &[0x00];

pub(super) fn checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    let mut all = bus_checks();
    all.extend(talk_checks());
    all.extend(wait_checks());
    all.extend(form_checks());
    all.extend(trouble_checks());
    all.extend(reader_checks());
    all
}

#[rustfmt::skip]
fn bus_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("SS-01", "one interface of the printer class talks both ways", CLASS,
            "use a model with protocol 2 (bidirectional)", |c| Box::pin(wire::two_way(c))),
        Check::new("SS-02", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("SS-03", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1",
            "have the maker write a serial number", |c| Box::pin(usb::serial(c))),
        Check::new("SS-04", "its device id names maker, model and ESC/POS", "IEEE 1284, 7.6",
            "configure the device by its ids", |c| Box::pin(wire::id(c, "ESC/POS"))),
        Check::new("SS-05", "an unknown class request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(wire::unknown_class_request(c))),
        Check::new("SS-06", "a second program cannot open it", "one owner",
            "stop usblp, CUPS or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("SS-07", "SOFT_RESET is done", CLASS,
            "use a model that resets", |c| Box::pin(wire::resets(c))),
        Check::new("SS-08", "bytes are taken one by one and as full packets", "USB 2.0, 5.8",
            FIRMWARE, |c| Box::pin(wire::takes(c, NOTHING))),
        Check::new("SS-09", "a halted OUT pipe says so, and works once its halt is cleared",
            "USB 2.0, 9.4.5", FIRMWARE, |c| Box::pin(wire::halted(c, NOTHING))),
    ]
}

/// Questions and answers; no sheet.
#[rustfmt::skip]
fn talk_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("SS-10", "GS a is answered at once by four bytes with their fixed bits",
            H5000, FIRMWARE, |c| Box::pin(talk::pushed_at_once(c))),
        Check::new("SS-11", "at rest the roll is selected and both sensors see no sheet", H5000,
            MODEL, |c| Box::pin(talk::at_rest(c))),
        Check::new("SS-12", "DLE EOT 1 to 4 are answered by one byte of their class", H5000,
            FIRMWARE, |c| Box::pin(talk::real_time(c))),
        Check::new("SS-13", "DLE EOT 5 at rest is 76, as pushed status says", H5000,
            MODEL, |c| Box::pin(talk::slip_status(c))),
        Check::new("SS-14", "the question behind a line is answered once", U375,
            "configure `slip`: another model's question", |c| Box::pin(talk::question(c))),
        Check::new("SS-15", "two questions in one transfer have two answers", U375, FIRMWARE,
            |c| Box::pin(talk::two_questions(c))),
        Check::new("SS-16", "questions sent byte by byte are the same questions", "USB 2.0, 5.8",
            FIRMWARE, |c| Box::pin(talk::crumbs(c))),
        Check::new("SS-17", "status, real-time and queued answers in one transfer are told apart",
            "TM-H5000II specification, app. E", FIRMWARE, |c| Box::pin(talk::mixed(c))),
        Check::new("SS-18", "answers nobody read are gone after the next opening",
            "answers have no id", FIRMWARE, |c| Box::pin(talk::unread(c))),
        Check::new("SS-19", "half a command of an earlier handle does not swallow a question",
            "an earlier handle was lost", FIRMWARE, |c| Box::pin(talk::half(c))),
        Check::new("SS-20", "with nothing asked it says nothing",
            "no zero-length packets for ever",
            "turn off what pushes by itself", |c| Box::pin(talk::silence(c))),
        Check::new("SS-21", "the settings of the driver are known to it and print nothing",
            "GS P, ESC U, ESC c 4", "use a model that knows them", |c| Box::pin(talk::settings(c))),
        Check::new("SS-22", "the driver opens it and sees no form and no fault",
            "the driver's hello", FIRMWARE, |c| Box::pin(forms::empty(c))),
    ]
}

/// A station that waits; no sheet.
#[rustfmt::skip]
fn wait_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("SS-23", "behind ESC c 0 4 it waits: 60 02 is pushed and DLE EOT 5 is 7a",
            H5000, MODEL, |c| Box::pin(states::waits(c))),
        Check::new("SS-24", "DLE ENQ 3 ends the waiting: 60 03 is pushed and DLE EOT 5 is 76",
            H5000, WAITS, |c| Box::pin(states::cancelled(c))),
        Check::new("SS-25", "DLE ENQ 3 where nothing waits changes nothing", H5000, FIRMWARE,
            |c| Box::pin(states::nothing_to_cancel(c))),
        Check::new("SS-26", "a question behind the wait is held, a real-time one is not", H5000,
            WAITS, |c| Box::pin(states::held(c))),
        Check::new("SS-27", "what was queued behind the wait is forgotten with it", H5000, WAITS,
            |c| Box::pin(states::forgotten(c))),
        Check::new("SS-28", "after the minute of ESC f it gives up by itself", H5000, FIRMWARE,
            |c| Box::pin(states::gives_up(c))),
        Check::new("SS-29", "a waiting that an earlier handle began ends with the next opening",
            "an earlier handle was lost", WAITS, |c| Box::pin(states::lost_waiting(c))),
        Check::new("SS-30", "where nobody puts a form in, none is fed", U375, MODEL,
            |c| Box::pin(forms::nobody_feeds(c))),
    ]
}

#[rustfmt::skip]
fn form_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("SS-31", "a form that comes in covers one sensor, then both: 00 00, and 12",
            H5000, MODEL, |c| Box::pin(states::comes_in(c))).spoils(1).by_hand(),
        Check::new("SS-32", "FF brings it out, its way is pushed, and taken it is 60 03", H5000,
            MODEL, |c| Box::pin(states::goes_out(c))).spoils(1).by_hand(),
        Check::new("SS-33", "a form that is put in is seen, and one that is ejected is gone",
            U375, MODEL, |c| Box::pin(forms::seen(c))).spoils(1).by_hand(),
        Check::new("SS-34", "a second form is not fed onto the first", U375, MODEL,
            |c| Box::pin(forms::only_one(c))).spoils(1).by_hand(),
        Check::new("SS-35", "a form whose number nobody read gets no ink",
            "read, compare, only then ink", FIRMWARE,
            |c| Box::pin(forms::no_ink_unread(c))).spoils(1).by_hand(),
        Check::new("SS-36", "every line of a printed form is answered for", "grade ordered", MODEL,
            |c| Box::pin(forms::proven(c, Grade::Ordered))).spoils(1).by_hand(),
        Check::new("SS-37", "ink stays in the fields' boxes and off number, stub and code band",
            "form template; restricted areas", "calibrate the slot",
            |c| Box::pin(forms::in_boxes(c))).spoils(1).by_hand(),
        Check::new("SS-38", "an offset of 2.0 mm and -1.0 mm moves the ink by just that",
            "GS P, ESC $, ESC J", "use a model with motion units",
            |c| Box::pin(forms::offset(c))).spoils(2).by_hand(),
        Check::new("SS-39", "two forms in a row are each printed", U375, FIRMWARE,
            |c| Box::pin(forms::twice(c))).spoils(2).by_hand(),
        Check::new("SS-40", "a printed form lies at the mouth until it is taken", U375, MODEL,
            |c| Box::pin(taken(c))).spoils(1).by_hand(),
        Check::new("SS-41", "no line of a printed form goes to the roll", U375, WAITS,
            |c| Box::pin(none_on_the_roll(c))).spoils(1).by_hand(),
        Check::new("SS-42", "a form read by an earlier handle is still there, and only ejected",
            U375, MODEL, |c| Box::pin(forms::reopened(c))).spoils(1).by_hand(),
        Check::new("SS-43", "a form at the entry of a station that does not wait is not drawn in",
            H5000, WAITS, |c| Box::pin(states::not_asked(c))).spoils(1).by_hand(),
    ]
}

#[rustfmt::skip]
fn trouble_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("SS-44", "a form pulled out after it was read is missed before ink", U375,
            MODEL, |c| Box::pin(acts::pulled_out(c))).spoils(1).by_hand(),
        Check::new("SS-45", "a form exchanged after it was read gets no ink", U375, MODEL,
            |c| Box::pin(exchanged(c))).spoils(2).by_hand(),
        Check::new("SS-46", "a form pulled out in mid-print is never a printed form", U375, MODEL,
            |c| Box::pin(acts::pulled_in_print(c))).spoils(1).by_hand(),
        Check::new("SS-47", "the lines of a form that was pulled out do not go to the roll", U375,
            WAITS, |c| Box::pin(pulled_off_the_roll(c))).spoils(1).by_hand(),
        Check::new("SS-48", "with the cover open nothing is fed", H5000, FIRMWARE,
            |c| Box::pin(acts::cover(c, PrintFault::CoverOpen))).by_hand(),
        Check::new("SS-49", "a cover opened in mid-print is never a printed form", H5000, FIRMWARE,
            |c| Box::pin(acts::cover_in_print(c))).spoils(1).by_hand(),
        Check::new("SS-50", "a jam in mid-print is never a printed form", H5000, FIRMWARE,
            |c| Box::pin(acts::jam_in_print(c))).spoils(1).by_hand(),
        Check::new("SS-51", "a jam at the eject is never a printed form", H5000, FIRMWARE,
            |c| Box::pin(acts::jam_at_eject(c))).spoils(1).by_hand(),
        Check::new("SS-52", "after a jam was cleared the next form is printed whole",
            "DLE ENQ 2, never 1", FIRMWARE, |c| Box::pin(acts::jam_then_next(c)))
            .spoils(2).by_hand(),
        Check::new("SS-53", "what is left of a spoiled form is not on the next", "SOFT_RESET",
            "use a model that resets", |c| Box::pin(acts::leftovers(c))).spoils(2).by_hand(),
        Check::new("SS-54", "a cable pulled in mid-print is never a printed form",
            "no answer, no knowledge", FIRMWARE,
            |c| Box::pin(acts::cable_in_print(c))).spoils(1).by_hand(),
        Check::new("SS-55", "a cable pulled while it waits leaves nothing certain, and no wait",
            "no answer, no knowledge", WAITS, |c| Box::pin(acts::cable_in_wait(c))).by_hand(),
        Check::new("SS-56", "unplugged it is gone, replugged it is the same",
            "found by its serial number", FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("SS-57", "after a handle was lost in mid-print the next form is printed whole",
            "what was received is worked off", FIRMWARE, |c| Box::pin(acts::handle_lost(c)))
            .spoils(2).by_hand(),
    ]
}

/// Where a magnetic reader is fitted.
#[rustfmt::skip]
fn reader_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    const MICR: &str = "TM-H5000II specification, FS a";
    const FIT: &str = "have a reader fitted that works, or let an operator read";
    vec![
        Check::new("SS-58", "a reader that is fitted waits as DLE EOT BS 1 says, until DLE ENQ 3",
            MICR, FIT, |c| Box::pin(reader::waits(c))),
        Check::new("SS-59", "it reads the number that a person sees, twice the same", MICR, FIT,
            |c| Box::pin(reader::reads(c))).spoils(1).by_hand(),
        Check::new("SS-60", "FS b says the last reading again", MICR, FIT,
            |c| Box::pin(reader::says_again(c))).spoils(1).by_hand(),
        Check::new("SS-61", "the form that was read is the form that is printed", MICR, FIT,
            |c| Box::pin(reader::prints(c))).spoils(1).by_hand(),
        Check::new("SS-62", "a number that cannot be read is none, and its form comes out", MICR,
            FIT, |c| Box::pin(reader::unreadable(c))).spoils(1).by_hand(),
    ]
}

async fn taken<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    is_done(&c.print(&mut printer).await?)?;
    printer.present(LONG).await?;
    let lies = printer
        .wait_taken(std::time::Duration::from_secs(2))
        .await?;
    c.bench.act("take", "take the form").await?;
    let gone = printer.wait_taken(LONG).await?;
    expect("with the form there", lies, Taking::StillThere)?;
    expect("without it", gone, Taking::Taken)?;
    Ok(String::new())
}

/// Lines on the roll of a twin.
async fn rolled<B: Bus>(c: &SlipBench<B>) -> Result<Option<u64>, Stop> {
    c.bench.hands.count(&c.bench.path, "rolled").await
}

/// Nothing came out of the roll since it was `before`.
async fn nothing_rolled<B: Bus>(c: &SlipBench<B>, before: Option<u64>) -> Verdict {
    expect("lines on the roll", rolled(c).await?, before)?;
    let seen = c
        .bench
        .hands
        .sees("is the receipt roll still blank?")
        .await?;
    ensure(seen != Some(false), "a line of the form is on the roll")?;
    Ok(String::new())
}

async fn none_on_the_roll<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let before = rolled(c).await?;
    let mut printer = c.at_rest().await?;
    is_done(&c.print(&mut printer).await?)?;
    c.take().await?;
    nothing_rolled(c, before).await
}

async fn pulled_off_the_roll<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let before = rolled(c).await?;
    acts::pulled_in_print(c).await?;
    nothing_rolled(c, before).await
}

async fn exchanged<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut printer = c.at_rest().await?;
    let number = c.read(&mut printer).await?;
    let words = "pull the form out and put another in its place";
    c.bench.act("pull;insert", words).await?;
    c.bench.rest(std::time::Duration::from_secs(2)).await;
    let (job, text) = sale_of_one(number, "slot-1")?;
    let outcome = printer.print(&job, &text, LONG).await;
    printer.divert(LONG).await?;
    c.take().await?;
    not_done(&outcome)?;
    let fault = PrintFault::NoMediaPresent;
    let blank = crate::driver::form_printer::PrintOutcome::Failed { fault, ink: false };
    expect("printing", outcome, blank)?;
    Ok(String::new())
}
