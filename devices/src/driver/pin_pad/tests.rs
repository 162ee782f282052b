//! The pad's driver against its twin: the host sees counts and an opaque block.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Challenge, OpenKey};
use counterfoil_data::seam::Entropy;
use counterfoil_data::secret::Secret;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::driver::puppet::{Call, Gives, Puppet, end};
use crate::system::TokioClock;
use crate::transport::Bus;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::pin_pad::PinPadTwin;

const SECOND: Duration = Duration::from_secs(1);

struct Counting;
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(at % 251).expect("small");
        }
    }
}

fn session(challenge: u8) -> Binding {
    Binding {
        sale: SaleId(7),
        challenge: Challenge([challenge; 16]),
    }
}

fn run<F: Future<Output = ()>>(body: impl FnOnce(TwinBus, UsbPinPad<TwinTransport>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(clock.clone());
        let secrets = vec![("zhang-pin".to_owned(), Secret::new("481516".to_owned()))];
        let twin = PinPadTwin::new(secrets, Rc::new(Counting));
        bus.plug("pin-pad", Rc::new(RefCell::new(twin)));
        let transport = bus.open("pin-pad").await.expect("opens");
        assert!(matches(transport.info()));
        let pad = UsbPinPad::open(transport, clock).await.expect("hello");
        body(bus, pad).await;
    });
}

/// Counts seen, and how the entry ended.
async fn entry(pad: &mut UsbPinPad<TwinTransport>) -> (Vec<u8>, PinEvent) {
    let mut counts = Vec::new();
    loop {
        match pad.next(SECOND).await.expect("an event") {
            PinEvent::Digits(count) => counts.push(count),
            end => return (counts, end),
        }
    }
}

#[test]
fn the_host_sees_counts_and_a_block_that_only_the_backend_opens_for_this_sale() {
    run(|bus, mut pad| async move {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        pad.begin(session(3), seal, 6).await.expect("begins");
        bus.desk("pin-pad enter @zhang-pin").expect("types");
        let (counts, end) = entry(&mut pad).await;
        assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
        let PinEvent::Done(sealed) = end else {
            panic!("{end:?}");
        };
        assert_eq!(
            sealed.open(&open, session(3)).expect("opens").0.expose(),
            "481516"
        );
        assert!(sealed.open(&open, session(4)).is_err());
        assert_eq!(bus.counter("pin-pad", "pin-entries"), 1);
    });
}

#[test]
fn anonymous_digits_make_a_wrong_pin_and_ok_comes_only_after_the_last_digit() {
    run(|bus, mut pad| async move {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        pad.begin(session(3), seal, 6).await.expect("begins");
        bus.desk("pin-pad type 5").expect("types");
        assert!(bus.desk("pin-pad ok").is_err());
        bus.desk("pin-pad type 1").expect("types");
        bus.desk("pin-pad ok").expect("enters");
        let (counts, end) = entry(&mut pad).await;
        assert_eq!(counts.last(), Some(&6));
        let PinEvent::Done(sealed) = end else {
            panic!("{end:?}");
        };
        let pin = sealed.open(&open, session(3)).expect("opens");
        assert!(pin.0.expose().len() == 6 && pin.0.expose() != "481516");
    });
}

#[test]
fn clear_starts_over_cancel_ends_and_silence_lets_the_entry_go_on() {
    run(|bus, mut pad| async move {
        let (_, seal) = OpenKey::derive(&[9; 32]);
        assert_eq!(pad.next(SECOND).await.err(), Some(PinPadError::NotBegun));
        pad.begin(session(3), seal, 6).await.expect("begins");
        assert!(matches!(pad.next(SECOND).await, Ok(PinEvent::TimedOut)));
        bus.desk("pin-pad type 2").expect("types");
        bus.desk("pin-pad clear").expect("clears");
        bus.desk("pin-pad cancel").expect("cancels");
        let (counts, end) = entry(&mut pad).await;
        assert_eq!(counts, [1, 2, 0]);
        assert!(matches!(end, PinEvent::Cancelled));
    });
}

#[test]
fn events_of_an_aborted_entry_never_reach_the_next_one() {
    run(|bus, mut pad| async move {
        let (open, seal) = OpenKey::derive(&[9; 32]);
        pad.begin(session(3), seal, 6).await.expect("begins");
        bus.desk("pin-pad enter @zhang-pin").expect("types");
        assert!(matches!(pad.next(SECOND).await, Ok(PinEvent::Digits(1))));
        pad.abort().await.expect("aborts");
        pad.begin(session(4), seal, 6).await.expect("begins");
        assert!(matches!(pad.next(SECOND).await, Ok(PinEvent::TimedOut)));
        bus.desk("pin-pad enter @zhang-pin").expect("types");
        let (counts, end) = entry(&mut pad).await;
        assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
        let PinEvent::Done(sealed) = end else {
            panic!("{end:?}");
        };
        assert!(sealed.open(&open, session(4)).is_ok());
    });
}

#[test]
fn the_desk_knows_no_other_secrets_and_shows_no_digits() {
    run(|bus, mut pad| async move {
        let (_, seal) = OpenKey::derive(&[9; 32]);
        assert!(bus.desk("pin-pad type 3").is_err(), "no entry is running");
        pad.begin(session(3), seal, 6).await.expect("begins");
        let refusal = bus.desk("pin-pad enter @wang-pin").expect_err("unknown");
        assert!(!refusal.0.contains("481516"));
        bus.desk("pin-pad type 4").expect("types");
        assert_eq!(bus.look()[0].1, ["entry running, 4 of 6 digits"]);
    });
}

/// Opens a pad that answers everything rightly until the test's `act` takes over.
fn puppet(
    mut act: impl FnMut(Call<'_>) -> Option<Gives> + 'static,
    body: impl AsyncFnOnce(Result<UsbPinPad<Puppet>, PinPadError>, SharedClock),
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut answer = Vec::new();
        let usb = Puppet::new(
            vec![end(BULK_OUT, 2), end(BULK_IN, 2), end(EVENTS_IN, 3)],
            move |call| match (act(call), call) {
                (Some(gives), _) => gives,
                (None, Call::Write(_, bytes)) => {
                    // The framing of the module's doc: hello answers its version.
                    let kind = bytes.get(2).copied().unwrap_or(0);
                    let payload: &[u8] = if kind == 1 { &[1] } else { &[] };
                    answer = [0x50, 0x01, kind | 0x80, 0, u8::from(kind == 1)].to_vec();
                    answer.extend_from_slice(payload);
                    Gives::Took(bytes.len())
                }
                (None, Call::Read(BULK_IN, _)) => Gives::Bytes(std::mem::take(&mut answer)),
                (None, Call::Read(..)) => Gives::Silence,
            },
        );
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let pad = UsbPinPad::open(usb, clock.clone()).await;
        body(pad, clock).await;
    });
}

#[test]
fn a_pad_that_chatters_without_an_answer_or_takes_no_bytes_is_silent() {
    let chatter: [fn(Call<'_>) -> Option<Gives>; 3] = [
        // Empty packets for ever.
        |call| matches!(call, Call::Read(..)).then(|| Gives::Bytes(Vec::new())),
        // Answers to something nobody asked.
        |call| matches!(call, Call::Read(..)).then(|| Gives::Bytes(vec![0x50, 1, 0x99, 0, 0])),
        |call| matches!(call, Call::Write(..)).then_some(Gives::Took(0)),
    ];
    for act in chatter {
        puppet(act, async |pad, clock| {
            assert_eq!(pad.err(), Some(PinPadError::Silent));
            assert!(clock.monotonic() <= ANSWER_WITHIN);
        });
    }
}

#[test]
fn an_answer_behind_a_late_one_in_the_same_transfer_is_found() {
    let mut reads = 0;
    let act = move |call: Call<'_>| {
        reads += usize::from(matches!(call, Call::Read(..)));
        let both = vec![0x50, 1, 0x84, 0, 1, 9, 0x50, 1, 0x81, 0, 1, 1];
        (matches!(call, Call::Read(..)) && reads == 1).then_some(Gives::Bytes(both))
    };
    puppet(act, async |pad, _| assert!(pad.is_ok()));
}

#[test]
fn halted_pipes_are_cleared_and_the_entry_goes_on() {
    run(|bus, mut pad| async move {
        let (_, seal) = OpenKey::derive(&[9; 32]);
        bus.desk("pin-pad halt 01").expect("halts");
        bus.desk("pin-pad halt 82").expect("halts");
        pad.begin(session(3), seal, 6).await.expect("begins");
        bus.desk("pin-pad halt 83").expect("halts");
        bus.desk("pin-pad enter @zhang-pin").expect("types");
        bus.desk("pin-pad halt 82").expect("halts");
        let (counts, end) = entry(&mut pad).await;
        assert_eq!(counts, [1, 2, 3, 4, 5, 6]);
        assert!(matches!(end, PinEvent::Done(_)));
    });
}

#[test]
fn an_empty_transfer_is_no_report_and_two_reports_in_one_are_two() {
    let mut reads = 0;
    let act = move |call: Call<'_>| {
        let Call::Read(EVENTS_IN, _) = call else {
            return None;
        };
        reads += 1;
        // Entry 1 after an opening at the epoch; the first listening is the opening's.
        match reads {
            2 => Some(Gives::Bytes(Vec::new())),
            3 => Some(Gives::Bytes(vec![0x45, 1, 0, 1, 1, 0x45, 1, 0, 1, 2])),
            4 => Some(Gives::Bytes(vec![0x45, 3, 0, 1, 0])),
            _ => None,
        }
    };
    puppet(act, async |pad, _| {
        let mut pad = pad.expect("opens");
        let (_, seal) = OpenKey::derive(&[9; 32]);
        pad.begin(session(3), seal, 6).await.expect("begins");
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(pad.next(SECOND).await.expect("a report"));
        }
        let [
            PinEvent::Digits(1),
            PinEvent::Digits(2),
            PinEvent::Cancelled,
        ] = told.as_slice()
        else {
            panic!("{told:?}");
        };
    });
}

#[test]
fn a_pad_opened_again_numbers_its_entries_on_and_drops_old_reports() {
    let entries = Rc::new(RefCell::new(Vec::new()));
    for opened_at_ms in [0, 1500] {
        let (seen, mut reads) = (Rc::clone(&entries), 0);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let mut answer = Vec::new();
        let usb = Puppet::new(Vec::new(), move |call| match call {
            Call::Write(_, bytes) => {
                let kind = bytes[2];
                if kind == 2 {
                    seen.borrow_mut()
                        .push(u16::from_be_bytes([bytes[5], bytes[6]]));
                }
                answer = match kind {
                    1 => vec![0x50, 1, 0x81, 0, 1, 1],
                    _ => vec![0x50, 1, kind | 0x80, 0, 0],
                };
                Gives::Took(bytes.len())
            }
            Call::Read(BULK_IN, _) => Gives::Bytes(std::mem::take(&mut answer)),
            Call::Read(..) => {
                reads += 1;
                match reads {
                    1 => Gives::Bytes(vec![0x45, 2, 0, 1, 6]),
                    _ => Gives::Silence,
                }
            }
        });
        runtime.block_on(async {
            let at = Timestamp::from_millisecond(opened_at_ms).expect("a time");
            let clock: SharedClock = Rc::new(TokioClock::starting_at(at));
            let mut pad = UsbPinPad::open(usb, clock).await.expect("opens");
            let (_, seal) = OpenKey::derive(&[9; 32]);
            pad.begin(session(3), seal, 6).await.expect("begins");
            assert!(matches!(pad.next(SECOND).await, Ok(PinEvent::TimedOut)));
        });
    }
    let entries = entries.borrow();
    assert!(entries[0] == 1 && entries[1] > 1, "{entries:?}");
}

proptest! {
    #[test]
    fn parsing_any_bytes_ends_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes);
        let _ = parse(&[&MAGIC[..], &bytes].concat());
    }
}
