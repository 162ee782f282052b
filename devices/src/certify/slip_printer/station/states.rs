//! A station's states, byte by byte as the manuals have them.

use std::time::Duration;

use super::super::super::wire::{ANSWER_WITHIN, Wire};
use super::super::super::{Stop, Verdict, ensure, expect};
use super::super::{HAND, LONG, SlipBench, wire};
use super::talk::{pushed, ready, slip};
use crate::driver::escpos::reply::{Asb, Reply};
use crate::driver::form_printer::Occupancy;
use crate::transport::{Bus, Transport};

/// ESC f 1 5 and ESC c 0 4: a minute for a slip.
const WAIT_A_MINUTE: [u8; 8] = [0x1B, 0x66, 0x01, 0x05, 0x1B, 0x63, 0x30, 0x04];
/// DLE ENQ 3.
const CANCEL: [u8; 3] = [0x10, 0x05, 0x03];
const WAITING: (u8, u8) = (0x60, 0x02);
const ROLL: (u8, u8) = (0x60, 0x03);

/// Bytes 3 and 4, as far as the slip goes.
fn state(asb: Asb) -> (u8, u8) {
    let [_, _, third, fourth] = asb.0;
    (third & 0x60, fourth & 0x03)
}

/// Pushed states until one is `last`; all of them.
async fn states<T: Transport>(
    wire: &mut Wire<T>,
    within: Duration,
    last: (u8, u8),
) -> Result<Vec<(u8, u8)>, Stop> {
    let is_last = |r: &Reply| pushed(r).filter(|asb| state(*asb) == last);
    let what = format!("state {:02x} {:02x}", last.0, last.1);
    let (found, before) = wire.wait_for(within, &what, is_last).await?;
    let mut all: Vec<(u8, u8)> = before.iter().filter_map(pushed).map(state).collect();
    all.push(state(found));
    Ok(all)
}

/// It waits for a slip.
async fn waiting<B: Bus>(c: &SlipBench<B>) -> Result<Wire<B::Transport>, Stop> {
    let (mut wire, _) = ready(c).await?;
    wire.say(&WAIT_A_MINUTE).await?;
    states(&mut wire, ANSWER_WITHIN, WAITING).await?;
    Ok(wire)
}

/// It does not any more.
async fn cancel<T: Transport>(wire: &mut Wire<T>) -> Result<(), Stop> {
    wire.say(&CANCEL).await?;
    states(wire, ANSWER_WITHIN, ROLL).await?;
    expect("DLE EOT 5", slip(wire).await?, 0x76)
}

pub(super) async fn waits<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut wire = waiting(c).await?;
    let byte = slip(&mut wire).await;
    cancel(&mut wire).await?;
    expect("DLE EOT 5", byte?, 0x7A)?;
    Ok(String::new())
}

pub(super) async fn cancelled<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut wire = waiting(c).await?;
    cancel(&mut wire).await?;
    Ok(String::new())
}

pub(super) async fn nothing_to_cancel<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, _) = ready(c).await?;
    wire.say(&CANCEL).await?;
    let heard = wire.hear(Duration::from_millis(500)).await?;
    expect("replies", heard.len(), 0)?;
    expect("DLE EOT 5", slip(&mut wire).await?, 0x76)?;
    Ok(String::new())
}

pub(super) async fn held<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut wire = waiting(c).await?;
    wire.say(&[0x1D, 0x72, 0x01]).await?;
    let heard = wire.hear(Duration::from_millis(500)).await?;
    let byte = slip(&mut wire).await;
    cancel(&mut wire).await?;
    let late = wire.hear(Duration::from_millis(500)).await?;
    expect("replies while it waits", heard.len(), 0)?;
    expect("DLE EOT 5", byte?, 0x7A)?;
    let answers = late.iter().filter(|r| matches!(r, Reply::Status(_)));
    expect("answers after DLE ENQ 3", answers.count(), 0)?;
    Ok(String::new())
}

pub(super) async fn forgotten<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let before = super::rolled(c).await?;
    let mut wire = waiting(c).await?;
    wire.say(b"SLIP\n").await?;
    cancel(&mut wire).await?;
    c.bench.rest(Duration::from_secs(2)).await;
    drop(wire);
    super::nothing_rolled(c, before).await
}

pub(super) async fn gives_up<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let mut wire = waiting(c).await?;
    let begun = c.bench.now();
    states(&mut wire, Duration::from_secs(70), ROLL).await?;
    let took = c.bench.now().saturating_sub(begun);
    let took = took.saturating_mul(c.bench.speed.max(1));
    let minute = (50..=70).contains(&took.as_secs());
    ensure(minute, format!("it gave up after {} s", took.as_secs()))?;
    Ok(format!("{} s", took.as_secs()))
}

pub(super) async fn lost_waiting<B: Bus>(c: &SlipBench<B>) -> Verdict {
    drop(waiting(c).await?);
    let mut printer = c.open().await?;
    let status = printer.status().await?;
    drop(printer);
    let mut wire = wire::wire(c).await?;
    expect("DLE EOT 5", slip(&mut wire).await?, 0x76)?;
    expect("fault", status.fault, None)?;
    expect("transport", status.transport, Occupancy::Empty)?;
    Ok(String::new())
}

/// A form in the printer, and the states on its way there.
async fn in_it<B: Bus>(c: &SlipBench<B>) -> Result<(Wire<B::Transport>, Vec<(u8, u8)>, u8), Stop> {
    let mut wire = waiting(c).await?;
    let coming = states(&mut wire, LONG, (0x00, 0x00));
    let words = "put a blank form into the printer";
    let passed = c.bench.during(coming, HAND, "insert", words).await??;
    let byte = slip(&mut wire).await?;
    Ok((wire, passed, byte))
}

fn told(states: &[(u8, u8)]) -> String {
    let each = states.iter().map(|(a, b)| format!("{a:02x} {b:02x}"));
    each.collect::<Vec<_>>().join(", ")
}

pub(super) async fn comes_in<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (wire, passed, byte) = in_it(c).await?;
    drop(wire);
    drop(c.at_rest().await?);
    expect("DLE EOT 5", byte, 0x12)?;
    let one = passed
        .iter()
        .filter(|(third, _)| *third != 0x60 && *third != 0);
    c.bench
        .learn("states of a form that comes in", told(&passed));
    // A single sensor has both bits at once.
    let model = c.settings.slip;
    let first = one.map(|(third, _)| model.covers(*third));
    ensure(
        first.into_iter().all(|cover| cover.entry),
        format!("the exit sensor first: {}", told(&passed)),
    )?;
    Ok(told(&passed))
}

pub(super) async fn goes_out<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, _, _) = in_it(c).await?;
    wire.drain().await?;
    wire.say(&[0x0C]).await?;
    c.bench.rest(Duration::from_secs(3)).await;
    let heard = wire.hear(Duration::from_millis(300)).await?;
    let left: Vec<(u8, u8)> = heard.iter().filter_map(pushed).map(state).collect();
    c.bench.act("take", "take the form").await?;
    let gone = states(&mut wire, LONG, ROLL).await;
    c.bench.learn("states of a form that goes out", told(&left));
    gone?;
    ensure(!left.is_empty(), "nothing was pushed at the eject")?;
    let printable = left.iter().any(|(_, fourth)| fourth & 0x02 == 0);
    ensure(
        !printable,
        format!("printable on its way out: {}", told(&left)),
    )?;
    Ok(told(&left))
}

pub(super) async fn not_asked<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let (mut wire, _) = ready(c).await?;
    c.bench
        .act("insert", "put a blank form to the slip's entry")
        .await?;
    c.bench.rest(Duration::from_secs(2)).await;
    let heard = wire.hear(Duration::from_millis(300)).await?;
    let byte = slip(&mut wire).await?;
    drop(wire);
    c.take().await?;
    let printable = heard
        .iter()
        .filter_map(pushed)
        .any(|asb| asb.slip_printable());
    ensure(!printable, "it took the form in, unasked")?;
    expect("selected (bit 2)", byte & 0x04, 0x04)?;
    Ok(String::new())
}
