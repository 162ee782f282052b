//! The driver against the twin, in virtual time; and the twin alone, byte by byte.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::seam::{Entropy, SharedClock};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::CardProof;
use counterfoil_data::wire::{hex, unhex};
use jiff::civil::{Date, date};

use super::*;
use crate::driver::ccid::atr::Protocol;
use crate::driver::ccid::{CcidError, Reader, Sw};
use crate::driver::pboc::oda::{Block, OdaError};
use crate::driver::pboc::{CardError, SettlementCard, read_settlement_card};
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};

const WITHIN: Duration = Duration::from_secs(20);
const TODAY: Date = date(2026, 11, 22);
mod kinds;
mod pins;
mod proofs;
mod strict;

const NAME: &str = "card-reader";

/// Counts up: fresh every time, the same in every run.
struct Counting(RefCell<u8>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut next = self.0.borrow_mut();
            *next = next.wrapping_add(1);
            *byte = *next;
        }
    }
}

fn spec(name: &str, pan: &str, expiry: &str) -> CardSpec {
    CardSpec {
        name: name.into(),
        pan: pan.into(),
        expiry: expiry.into(),
        holder: "SAMPLE UNIT CARD".into(),
    }
}

fn twin() -> CardReaderTwin {
    CardReaderTwin::new(vec![
        spec("good", "6217000010000000011", "4512"),
        spec("sixteen", "4761739001010119", "4512"),
        spec("old", "6217000010000000011", "2312"),
    ])
}

/// A bus, its clock and the opened reader.
async fn opened(twin: CardReaderTwin) -> (TwinBus, SharedClock, Reader<TwinTransport>) {
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let bus = TwinBus::new(Rc::clone(&clock));
    bus.plug(NAME, Rc::new(RefCell::new(twin)));
    let transport = bus.open_now(NAME).unwrap();
    let reader = Reader::open(transport, Rc::clone(&clock)).await.unwrap();
    (bus, clock, reader)
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

async fn read(reader: &mut Reader<TwinTransport>) -> Result<SettlementCard, CardError> {
    let entropy = Counting(RefCell::new(0));
    read_settlement_card(reader, &demo_capks().unwrap(), &entropy, TODAY, WITHIN).await
}

#[test]
fn a_genuine_card_is_read_and_proven_at_both_exchange_levels() {
    for level in [Level::Tpdu, Level::ShortApdu] {
        run(async {
            let (bus, clock, mut reader) = opened(twin().with_level(level)).await;
            bus.desk("card-reader insert good").unwrap();
            let card = read(&mut reader).await.unwrap();
            assert_eq!(card.pan.expose(), "6217000010000000011");
            assert_eq!((card.expiry, card.sequence), ((45, 12), Some(1)));
            assert_eq!(card.holder_hint.unwrap().expose(), "SAMPLE UNIT CARD");
            assert_eq!(card.proof, CardProof::Genuine);
            assert_eq!(bus.counter(NAME, "signatures"), 1);
            assert!(
                clock.monotonic() < Duration::from_secs(5),
                "{:?}",
                clock.monotonic()
            );
        });
    }
}

#[test]
fn a_card_number_of_16_digits_is_read_too() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert sixteen").unwrap();
        let card = read(&mut reader).await.unwrap();
        assert_eq!(card.pan.expose(), "4761739001010119");
        assert_eq!(card.proof, CardProof::Genuine);
    });
}

#[test]
fn a_copy_that_replays_a_signature_is_not_authentic() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good copied").unwrap();
        let error = read(&mut reader).await.unwrap_err();
        assert_eq!(
            error,
            CardError::NotAuthentic(OdaError::Hash(Block::Dynamic))
        );
        assert_eq!(error.remedy(), Remedy::CallStaff);
    });
}

#[test]
fn static_or_no_authentication_or_an_unknown_key_is_for_the_host() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        for chip in ["plain", "static"] {
            bus.desk(&format!("card-reader insert good {chip}"))
                .unwrap();
            let card = read(&mut reader).await.unwrap();
            assert_eq!(card.proof, CardProof::HostMustConfirm, "{chip}");
            bus.desk("card-reader remove").unwrap();
        }
        assert_eq!(bus.counter(NAME, "signatures"), 0);
        bus.desk("card-reader insert good").unwrap();
        let entropy = Counting(RefCell::new(0));
        let none = Capks::default();
        let unknown = read_settlement_card(&mut reader, &none, &entropy, TODAY, WITHIN).await;
        assert_eq!(unknown.unwrap().proof, CardProof::HostMustConfirm);
    });
}

#[test]
fn an_expired_card_is_named_so() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert old").unwrap();
        assert_eq!(read(&mut reader).await.unwrap_err(), CardError::Expired);
    });
}

#[test]
fn a_card_pulled_during_any_command_is_removed_and_the_next_read_works() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        read(&mut reader).await.unwrap();
        let commands = bus.counter(NAME, "apdus");
        assert!(commands > 8);
        for number in 1..=commands {
            bus.desk(&format!("card-reader remove during apdu {number}"))
                .unwrap();
            let pulled = read(&mut reader).await.unwrap_err();
            assert_eq!(pulled, CardError::Removed, "apdu {number}");
            assert_eq!(pulled.remedy(), Remedy::Retry);
            bus.desk("card-reader insert good").unwrap();
        }
        bus.desk("card-reader remove during record 2").unwrap();
        assert_eq!(read(&mut reader).await.unwrap_err(), CardError::Removed);
        bus.desk("card-reader insert good").unwrap();
        assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
    });
}

#[test]
fn a_card_pulled_while_the_chip_signs_ends_the_exchange() {
    run(async {
        let (bus, clock, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        let (puller, watch) = (bus.clone(), Rc::clone(&clock));
        let pull = async move {
            for _ in 0..500 {
                if puller.counter(NAME, "signatures") > 0 {
                    break;
                }
                watch.sleep(Duration::from_millis(20)).await;
            }
            watch.sleep(Duration::from_millis(150)).await;
            puller.desk("card-reader remove").unwrap();
        };
        let (read, ()) = tokio::join!(read(&mut reader), pull);
        assert_eq!(read.unwrap_err(), CardError::Removed);
    });
}

#[test]
fn a_mute_card_is_mute_and_an_empty_slot_is_removed() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        assert_eq!(read(&mut reader).await.unwrap_err(), CardError::Removed);
        bus.desk("card-reader insert good").unwrap();
        bus.desk("card-reader mute").unwrap();
        assert!(reader.present().await.unwrap());
        let mute = read(&mut reader).await.unwrap_err();
        assert_eq!(mute, CardError::Reader(CcidError::Mute));
    });
}

#[test]
fn insertion_and_removal_are_seen_within_their_deadline() {
    run(async {
        let (bus, clock, mut reader) = opened(twin()).await;
        let soon = clock.monotonic() + Duration::from_secs(2);
        assert!(!reader.wait_card(soon).await.unwrap());
        let (hand, later) = (bus.clone(), Rc::clone(&clock));
        let insert = async move {
            later.sleep(Duration::from_secs(3)).await;
            hand.desk("card-reader insert good").unwrap();
        };
        let deadline = clock.monotonic() + Duration::from_secs(30);
        let (seen, ()) = tokio::join!(reader.wait_card(deadline), insert);
        assert!(seen.unwrap());
        assert!(clock.monotonic() < Duration::from_secs(6));
        assert!(!reader.wait_removed(clock.monotonic()).await.unwrap());
        bus.desk("card-reader remove").unwrap();
        assert!(reader.wait_removed(deadline).await.unwrap());
    });
}

#[test]
fn a_read_without_time_is_late_and_the_reader_stays_usable() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        let capks = demo_capks().unwrap();
        let entropy = Counting(RefCell::new(0));
        let short = Duration::from_millis(600);
        let late = read_settlement_card(&mut reader, &capks, &entropy, TODAY, short).await;
        let late = late.unwrap_err();
        let is_late = matches!(
            late,
            CardError::Late | CardError::Reader(CcidError::Late { .. })
        );
        assert!(is_late, "{late}");
        // What the reader still had to say has an older number and is dropped.
        assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
    });
}

#[test]
fn halted_pipes_are_cleared_while_the_slot_is_watched() {
    run(async {
        let (bus, clock, mut reader) = opened(twin()).await;
        for endpoint in ["81", "82", "03"] {
            bus.desk(&format!("card-reader halt {endpoint}")).unwrap();
            let soon = clock.monotonic() + Duration::from_secs(1);
            assert!(!reader.wait_card(soon).await.unwrap(), "{endpoint}");
        }
        bus.desk("card-reader insert good").unwrap();
        assert_eq!(read(&mut reader).await.unwrap().proof, CardProof::Genuine);
    });
}

#[test]
fn an_unplugged_reader_is_gone() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader unplug").unwrap();
        let gone = reader.present().await.unwrap_err();
        assert_eq!(gone.remedy(), Remedy::OutOfService);
    });
}

#[test]
fn a_powered_card_answers_single_commands_and_an_unpowered_one_does_not() {
    run(async {
        let (bus, _, mut reader) = opened(twin()).await;
        bus.desk("card-reader insert good").unwrap();
        let select = unhex("00a404000e315041592e5359532e444446303100").unwrap();
        let off = reader.transmit(&select, WITHIN).await.unwrap_err();
        assert_eq!(off, CcidError::NotPowered);
        assert_eq!(
            reader.power_on(WITHIN).await.unwrap().protocol,
            Protocol::T0
        );
        let answer = reader.transmit(&select, WITHIN).await.unwrap();
        assert_eq!(answer.sw, Sw::OK);
        assert_eq!(answer.data.first(), Some(&0x6F));
        let file = reader
            .transmit(&[0, 0xA4, 4, 0, 1, 0x99, 0], WITHIN)
            .await
            .unwrap();
        assert_eq!(file.sw, Sw(0x6A82));
        let wrong = reader.transmit(&[0, 0xA4], WITHIN).await.unwrap_err();
        assert_eq!(wrong, CcidError::NotAnApdu(2));
        reader.power_off().await.unwrap();
    });
}

/// Lines of a public PBOC trace and messages laid out by hand (CCID §6), given to
/// the twin without the driver.
#[test]
fn the_twin_answers_the_messages_of_the_specification() {
    let mut twin = twin();
    let mut now = Duration::ZERO;
    let mut say = |twin: &mut CardReaderTwin, message: &str| {
        let bytes = unhex(&message.replace(' ', "")).unwrap();
        assert_eq!(twin.out(now, COMMANDS, &bytes), OutReply::Took(bytes.len()));
        now += Duration::from_secs(5);
        match twin.poll_in(now, ANSWERS, 512) {
            InReply::Data(bytes) => hex(&bytes),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(
        say(&mut twin, "65 00000000 00 01 000000"),
        "81000000000001020000"
    );
    assert_eq!(
        say(&mut twin, "62 00000000 00 02 000000"),
        "8000000000000242fe00"
    );
    twin.desk(Duration::ZERO, "insert sixteen").unwrap();
    assert_eq!(
        say(&mut twin, "65 00000000 00 01 000000"),
        "81000000000001010000"
    );
    let atr = "801100000000020000003b6d000080650849048653000000000000";
    assert_eq!(say(&mut twin, "62 00000000 00 02 000000"), atr);
    let pse = "6f 13000000 00 03 000000 00a404000e315041592e5359532e4444463031";
    assert_eq!(say(&mut twin, pse), "800200000000030000006128");
    let directory = "802a0000000004000000\
                     6f26840e315041592e5359532e4444463031a5148801015f2d027a689f110101\
                     bf0c059f4d020b0a9000";
    let get = "6f 05000000 00 04 000000 00c0000028";
    assert_eq!(say(&mut twin, get), directory);
    let exact = say(&mut twin, "6f 05000000 00 05 000000 00b2010c00");
    assert_eq!(exact, "800200000000050000006c2a");
    let record = "802c0000000006000000\
                  702861264f08a000000333010101500a50424f43204445424954\
                  9f120a50424f432044454249548701019000";
    let again = "6f 05000000 00 06 000000 00b2010c2a";
    assert_eq!(say(&mut twin, again), record);
    let last = say(&mut twin, "6f 05000000 00 07 000000 00b2020c00");
    assert_eq!(last, "800200000000070000006a83");
    let select = "6f 0d000000 00 08 000000 00a4040008a000000333010101";
    assert_eq!(say(&mut twin, select), "800200000000080000006140");
    let application = "80420000000009000000\
                       6f3e8408a000000333010101a532500a50424f432044454249548701019f38189f66\
                       049f02069f03069f1a0295055f2a029a039c019f3704bf0c059f4d020b0a9000";
    let get = "6f 05000000 00 09 000000 00c0000040";
    assert_eq!(say(&mut twin, get), application);
    // At TPDU level a trailing Le is one byte too many.
    let apdu = "6f 14000000 00 0a 000000 00a404000e315041592e5359532e444446303100";
    let refused = say(&mut twin, apdu);
    assert_eq!(refused, "800000000000 0a400100".replace(' ', ""));
    let change = twin.poll_in(now, NOTIFY, 8);
    assert_eq!(change, InReply::Data(vec![0x50, 0x03]));
    twin.desk(now, "remove").unwrap();
    assert_eq!(
        twin.poll_in(now, NOTIFY, 8),
        InReply::Data(vec![0x50, 0x02])
    );
    assert_eq!(twin.poll_in(now, NOTIFY, 8), InReply::Nak);
}

#[test]
fn the_desk_never_shows_a_card_number_and_refuses_what_makes_no_sense() {
    let mut twin = twin();
    assert!(twin.desk(Duration::ZERO, "remove").is_err());
    assert!(twin.desk(Duration::ZERO, "insert nobody").is_err());
    assert!(twin.desk(Duration::ZERO, "remove during apdu 0").is_err());
    twin.desk(Duration::ZERO, "insert good").unwrap();
    assert!(twin.desk(Duration::ZERO, "insert sixteen").is_err());
    assert!(!twin.look().join("\n").contains("6217"));
}
