//! The list of a printer in PR2 emulation.

use std::time::Duration;

use super::super::wire::ANSWER_WITHIN;
use super::super::{Check, Stop, Verdict, ensure, expect, usb};
use super::{SlipBench, acts, forms, wire};
use crate::driver::completion::Grade;
use crate::driver::escpos::fault::PrintFault;
use crate::transport::{Bus, Stage};

const CLASS: &str = "USB printer class 1.1";
const PR2: &str = "Olivetti PR45; Compuprint MDP40B, app. C";
const FIRMWARE: &str = "update the firmware, or set the printer to PR2 emulation";
const CODES: &str = "learn its codes with `probe` and configure them";
/// ESC j and ESC SP B.
const ASK: [u8; 5] = [0x1B, b'j', 0x1B, b' ', b'B'];

pub(super) fn checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    let mut all = bus_checks();
    all.extend(form_checks());
    all
}

/// Without a form.
#[rustfmt::skip]
fn bus_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("PR-01", "one interface of the printer class talks both ways", CLASS,
            "use a model with protocol 2 (bidirectional)", |c| Box::pin(wire::two_way(c))),
        Check::new("PR-02", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            FIRMWARE, |c| Box::pin(usb::packets(c))),
        Check::new("PR-03", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1",
            "have the maker write a serial number", |c| Box::pin(usb::serial(c))),
        Check::new("PR-04", "its device id names maker, model and PR2", "IEEE 1284, 7.6",
            "configure the device by its ids", |c| Box::pin(wire::id(c, "PR2"))),
        Check::new("PR-05", "an unknown class request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", FIRMWARE, |c| Box::pin(wire::unknown_class_request(c))),
        Check::new("PR-06", "a second program cannot open it", "one owner",
            "stop usblp, CUPS or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("PR-07", "SOFT_RESET is done", "nothing else makes it forget what it was sent",
            "use a model that resets", |c| Box::pin(wire::resets(c))),
        Check::new("PR-08", "ESC j is answered by ESC r and one code", PR2, FIRMWARE,
            |c| Box::pin(status_form(c))),
        Check::new("PR-09", "ESC SP B is answered by ESC B, stand, position, ESC Z", PR2, FIRMWARE,
            |c| Box::pin(position_form(c))),
        Check::new("PR-10", "both codes at rest are configured",
            "no public manual has the codes", CODES,
            |c| Box::pin(forms::empty(c))),
        Check::new("PR-11", "two questions in one transfer are answered in order", PR2, FIRMWARE,
            |c| Box::pin(both(c))),
        Check::new("PR-12", "a question sent byte by byte is the same question",
            "USB 2.0, 5.8", FIRMWARE,
            |c| Box::pin(crumbs(c))),
        Check::new("PR-13", "answers nobody read are gone after the next opening",
            "answers have no id", FIRMWARE, |c| Box::pin(unread(c))),
        Check::new("PR-14", "half a command of an earlier handle does not swallow a question",
            "an earlier handle was lost", FIRMWARE, |c| Box::pin(half(c))),
        Check::new("PR-15", "with nothing asked it says nothing",
            "no zero-length packets for ever",
            "turn off what pushes by itself", |c| Box::pin(silence(c))),
    ]
}

/// With forms, and hands.
#[rustfmt::skip]
fn form_checks<B: Bus>() -> Vec<Check<SlipBench<B>>> {
    vec![
        Check::new("PR-16", "where nobody puts a form in, none is fed", PR2, CODES,
            |c| Box::pin(forms::nobody_feeds(c))),
        Check::new("PR-17", "a form that is put in is taken in, and one that is ejected is gone",
            PR2, CODES,
            |c| Box::pin(forms::seen(c))).spoils(1).by_hand(),
        Check::new("PR-18", "a second form is not fed onto the first", PR2, CODES,
            |c| Box::pin(forms::only_one(c))).spoils(1).by_hand(),
        Check::new("PR-19", "a form whose number nobody read gets no ink",
            "read, compare, only then ink",
            FIRMWARE, |c| Box::pin(forms::no_ink_unread(c))).spoils(1).by_hand(),
        Check::new("PR-20", "the question behind the eject is answered when the form is out",
            "grade ordered", "it answers before it is done: its word is weaker",
            |c| Box::pin(forms::proven(c, Grade::Ordered))).spoils(1).by_hand(),
        Check::new("PR-21", "ink stays in the fields' boxes and off number, stub and code band",
            "form template; restricted areas", "calibrate the slot",
            |c| Box::pin(forms::in_boxes(c)))
            .spoils(1).by_hand(),
        Check::new("PR-22", "an offset of 2.0 mm and -1.0 mm moves the ink by just that",
            "ESC / m n, ESC | A n", "set `steps` as the printer's own",
            |c| Box::pin(forms::offset(c)))
            .spoils(2).by_hand(),
        Check::new("PR-23", "two forms in a row are each printed", PR2, FIRMWARE,
            |c| Box::pin(forms::twice(c))).spoils(2).by_hand(),
        Check::new("PR-24", "a form read by an earlier handle is still there, and only ejected",
            PR2, CODES,
            |c| Box::pin(forms::reopened(c))).spoils(1).by_hand(),
        Check::new("PR-25", "a form pulled out after it was read is missed before ink", PR2, CODES,
            |c| Box::pin(acts::pulled_out(c))).spoils(1).by_hand(),
        Check::new("PR-26", "the open cover has a code of its own, and nothing is fed", PR2, CODES,
            |c| Box::pin(acts::cover(c, PrintFault::CoverOpen))).by_hand(),
        Check::new("PR-27", "no ribbon has a code of its own, and nothing is fed", PR2, CODES,
            |c| Box::pin(acts::ribbon(c, PrintFault::InkOut))).by_hand(),
        Check::new("PR-28", "a cover opened in mid-print is never a printed form", PR2, CODES,
            |c| Box::pin(acts::cover_in_print(c))).spoils(1).by_hand(),
        Check::new("PR-29", "a jam in mid-print is never a printed form", PR2, CODES,
            |c| Box::pin(acts::jam_in_print(c))).spoils(1).by_hand(),
        Check::new("PR-30", "a jam at the eject is never a printed form", PR2, CODES,
            |c| Box::pin(acts::jam_at_eject(c))).spoils(1).by_hand(),
        Check::new("PR-31", "what is left of a spoiled form is not on the next", "SOFT_RESET",
            "use a model that resets", |c| Box::pin(acts::leftovers(c))).spoils(2).by_hand(),
        Check::new("PR-32", "a cable pulled in mid-print is never a printed form",
            "no answer, no knowledge",
            FIRMWARE, |c| Box::pin(acts::cable_in_print(c))).spoils(1).by_hand(),
        Check::new("PR-33", "unplugged it is gone, replugged it is the same",
            "found by its serial number",
            FIRMWARE, |c| Box::pin(usb::same_again(c))).by_hand(),
        Check::new("PR-34", "after a handle was lost in mid-print the next form is printed whole",
            "what was received is worked off", FIRMWARE, |c| Box::pin(acts::handle_lost(c)))
            .spoils(2).by_hand(),
    ]
}

/// What it says to `pieces`, one write each, until it is silent.
async fn said_to<B: Bus>(c: &SlipBench<B>, pieces: &[&[u8]]) -> Result<Vec<u8>, Stop> {
    let wire = wire::wire(c).await?;
    for piece in pieces {
        wire.say(piece).await?;
    }
    let mut all = Vec::new();
    loop {
        let within = if all.is_empty() {
            ANSWER_WITHIN
        } else {
            Duration::from_millis(300)
        };
        let more = wire.hear_bytes(within).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

async fn said<B: Bus>(c: &SlipBench<B>, bytes: &[u8]) -> Result<Vec<u8>, Stop> {
    said_to(c, &[bytes]).await
}

async fn status_form<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let said = said(c, &[0x1B, b'j']).await?;
    let [0x1B, b'r', code] = said.as_slice() else {
        return Err(Stop::Failed(format!("{said:02x?}")));
    };
    c.bench
        .learn("status code at rest", char::from(*code).to_string());
    Ok(format!("code {:?}", char::from(*code)))
}

async fn position_form<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let said = said(c, &[0x1B, b' ', b'B']).await?;
    let [0x1B, b'B', stand, code, 0x1B, b'Z'] = said.as_slice() else {
        return Err(Stop::Failed(format!("{said:02x?}")));
    };
    let (stand, code) = (char::from(*stand), char::from(*code));
    c.bench
        .learn("position code at rest", format!("{code} of stand {stand}"));
    Ok(format!("stand {stand:?}, code {code:?}"))
}

/// `ESC r x ESC B id m ESC Z`.
fn is_both(said: &[u8]) -> Verdict {
    let whole = matches!(said, [0x1B, b'r', _, 0x1B, b'B', _, _, 0x1B, b'Z']);
    ensure(whole, format!("{said:02x?}"))?;
    Ok(String::new())
}

async fn both<B: Bus>(c: &SlipBench<B>) -> Verdict {
    is_both(&said(c, &ASK).await?)
}

async fn crumbs<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let bytes: Vec<&[u8]> = ASK.chunks(1).collect();
    is_both(&said_to(c, &bytes).await?)
}

async fn unread<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let wire = wire::wire(c).await?;
    wire.say(&ASK).await?;
    c.bench.clock.sleep(Duration::from_millis(300)).await;
    drop(wire);
    is_both(&said(c, &ASK).await?)
}

async fn half<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let wire = wire::wire(c).await?;
    wire.say(&[0x1B]).await?;
    wire::reset(&wire).await?;
    drop(wire);
    is_both(&said(c, &ASK).await?)
}

async fn silence<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let wire = wire::wire(c).await?;
    let heard = wire.hear_bytes(Duration::from_secs(1)).await?;
    expect("bytes", heard.len(), 0)?;
    wire.control(
        super::super::wire::port_status(wire.interface),
        Stage::In(1),
    )
    .await?;
    Ok(String::new())
}
