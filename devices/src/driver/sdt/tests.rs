//! The driver against the twin: both layouts, forgery, handling, recovery (S10, S16).

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::wire::hex;
use counterfoil_data::wire::problem::Remedy;
use jiff::Timestamp;
use jiff::civil::date;

use super::*;
use crate::system::TokioClock;
use crate::transport::Bus;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::id_reader::{IdReaderTwin, SampleDocument, TextBlock, UsbLayout};

mod broken_pipes;
mod cards;

const SECOND: Duration = Duration::from_secs(1);

fn documents() -> Vec<SampleDocument> {
    let text = || {
        TextBlock::resident("样例甲", 2, "19491231", "11010519491231002X")
            .issued("北京市朝阳区样例路1号", "北京市公安局朝阳分局")
            .valid("20100101", "长期")
    };
    let document = |name: &str, genuine, text| SampleDocument {
        name: name.into(),
        genuine,
        text,
        finger_len: 1024,
    };
    let foreigner = TextBlock::blank()
        .put(0, 120, "SPECIMEN, ANNA")
        .put(120, 2, "2")
        .put(122, 30, "USA123456789012")
        .put(152, 6, "USA")
        .put(158, 30, "样例丙")
        .valid("20180101", "20280101")
        .put(220, 16, "19800101")
        .put(240, 8, "1500")
        .put(248, 2, "I");
    vec![
        document("jia", true, text()),
        document("jia-forged", false, text()),
        document("anna", true, foreigner),
    ]
}

fn run<F: Future<Output = ()>>(twin: IdReaderTwin, body: impl FnOnce(TwinBus, SharedClock) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let bus = TwinBus::new(clock.clone());
        bus.plug("id-reader", Rc::new(RefCell::new(twin)));
        body(bus, clock).await;
    });
}

async fn opened(bus: &TwinBus, clock: &SharedClock) -> IdReader<TwinTransport> {
    let transport = bus.open("id-reader").await.expect("opens");
    assert!(matches(transport.info()));
    IdReader::open(transport, clock.clone())
        .await
        .expect("answers hello")
}

#[test]
fn both_layouts_and_a_lying_descriptor_give_the_same_document_and_evidence() {
    for layout in [
        UsbLayout::Split,
        UsbLayout::Single,
        UsbLayout::SingleBehindFour,
    ] {
        run(
            IdReaderTwin::new(layout, documents()),
            |bus, clock| async move {
                let mut reader = opened(&bus, &clock).await;
                assert_eq!(reader.sam_id(), "05.01-20200101-0001234567-0089012345");
                bus.desk("id-reader present jia").expect("lies there");
                assert_eq!(reader.poll_card(SECOND).await, Ok(true));
                let read = reader.read(5 * SECOND).await.expect("reads");
                assert_eq!(read.document.name.expose(), "样例甲");
                assert_eq!(read.document.number.expose(), "11010519491231002X");
                assert_eq!(read.document.valid_to, None);
                assert_eq!(read.evidence.status, [0x9f, 0x90, 0x90]);
                assert_eq!(read.evidence.sam_id, reader.sam_id());
                // SHA-256 of the published resident frame extended to 2321 bytes as §8.3
                // says, computed by a Python script.
                assert_eq!(hex(&read.evidence.frame.0), READ_2321_SHA256);
            },
        );
    }
}

const READ_2321_SHA256: &str = "2caa1f127eb5f55bff9ff1fd85e5e1d780a855d8d8f3c2858cab41230f334cae";

#[test]
fn an_older_reader_without_fingerprint_read_gives_the_published_base_frame() {
    let mut documents = documents();
    documents[0].finger_len = 0;
    let twin = IdReaderTwin::new(UsbLayout::Split, documents).without_finger_read();
    run(twin, |bus, clock| async move {
        let mut reader = opened(&bus, &clock).await;
        bus.desk("id-reader present jia").expect("lies there");
        let read = reader.read(5 * SECOND).await.expect("reads");
        assert_eq!(
            hex(&read.evidence.frame.0),
            "40715aa1cdcf02067d08b56030fc804097b4a74b72b67c76a667bcfa24dfd7ec"
        );
    });
}

#[test]
fn a_foreigners_card_is_read_by_its_own_layout() {
    run(
        IdReaderTwin::new(UsbLayout::Single, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present anna").expect("lies there");
            let card = reader.read(5 * SECOND).await.expect("reads").document;
            assert_eq!(card.kind, DocumentKind::Foreigner2017);
            assert_eq!(card.name.expose(), "样例丙");
            assert_eq!(card.latin_name.expose(), "SPECIMEN, ANNA");
            assert_eq!(card.number.expose(), "USA123456789012");
            assert_eq!(card.valid_to, Some(date(2028, 1, 1)));
        },
    );
}

#[test]
fn a_forged_document_is_a_suspected_forgery_and_is_never_read() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia-forged")
                .expect("lies there");
            assert_eq!(reader.poll_card(SECOND).await, Ok(true));
            let error = reader.read(5 * SECOND).await.expect_err("refuses");
            assert!(error.is_forgery_suspect());
            assert_eq!(error.remedy(), Remedy::CallStaff);
            assert_eq!(bus.counter("id-reader", "reads"), 0);
        },
    );
}

#[test]
fn a_card_that_moved_must_be_lifted_and_is_then_read() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            bus.desk("id-reader fail 1").expect("will fail");
            let error = reader.read(5 * SECOND).await.expect_err("moved");
            assert_eq!(error, SdtError::Handling(HandlingProblem::LiftAndPlace));
            assert_eq!(reader.poll_card(SECOND).await, Ok(false));
            bus.desk("id-reader remove").expect("lifts");
            bus.desk("id-reader present jia").expect("places");
            assert!(reader.read(5 * SECOND).await.is_ok());
        },
    );
}

#[test]
fn a_card_left_on_the_plate_is_not_taken_for_removed_though_find_is_silent() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            assert_eq!(reader.wait_removed(4 * SECOND).await, Ok(false));
            bus.desk("id-reader remove").expect("takes it");
            let finds = bus.counter("id-reader", "finds");
            assert_eq!(reader.wait_removed(4 * SECOND).await, Ok(true));
            assert_eq!(bus.counter("id-reader", "finds") - finds, 3);
        },
    );
}

#[test]
fn a_card_laid_down_again_at_once_was_lifted_but_not_removed() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            assert_eq!(reader.wait_lifted(SECOND).await, Ok(false));
            bus.desk("id-reader remove").expect("takes it");
            bus.desk("id-reader present jia").expect("lies there again");
            assert_eq!(reader.wait_lifted(SECOND).await, Ok(true));
            assert_eq!(reader.wait_removed(SECOND).await, Ok(false));
        },
    );
}

#[test]
fn a_look_that_has_begun_is_not_cut_short_by_its_callers_deadline() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            for _ in 0..8 {
                let within = Duration::from_millis(50);
                assert_eq!(reader.wait_removed(within).await, Ok(false));
            }
            assert_eq!(reader.wait_lifted(SECOND).await, Ok(false));
        },
    );
}

#[test]
fn a_card_found_anew_because_the_module_was_reset_was_not_lifted() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            bus.desk("id-reader confuse").expect("is confused");
            assert_eq!(reader.wait_lifted(SECOND).await, Ok(false));
            bus.desk("id-reader remove").expect("lifts");
            assert_eq!(reader.wait_lifted(4 * SECOND).await, Ok(true));
        },
    );
}

#[test]
fn a_reader_opened_anew_sees_the_card_that_was_read_before() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            drop(reader);
            let mut reader = opened(&bus, &clock).await;
            assert_eq!(reader.wait_removed(4 * SECOND).await, Ok(false));
            bus.desk("id-reader remove").expect("lifts");
            assert_eq!(reader.wait_removed(4 * SECOND).await, Ok(true));
        },
    );
}

#[test]
fn short_waits_for_an_empty_plate_add_up() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            bus.desk("id-reader remove").expect("takes it");
            let slice = FIND_INTERVAL + FIND_INTERVAL / 2;
            assert_eq!(reader.wait_removed(slice).await, Ok(false));
            assert_eq!(reader.wait_removed(slice).await, Ok(true));
        },
    );
}

#[test]
fn noise_is_skipped_and_a_spoilt_checksum_or_silence_is_an_error_with_a_clean_restart() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader noise").expect("noise");
            assert_eq!(reader.poll_card(Duration::ZERO).await, Ok(false));
            bus.desk("id-reader checksum").expect("spoils");
            let error = reader.poll_card(Duration::ZERO).await.expect_err("garbled");
            assert_eq!(error, SdtError::Garbled { step: Step::Find });
            bus.desk("id-reader mute").expect("mutes");
            let error = reader.poll_card(Duration::ZERO).await.expect_err("silent");
            assert_eq!(error, SdtError::Silent { step: Step::Find });
            bus.desk("id-reader talk").expect("talks");
            bus.desk("id-reader present jia").expect("lies there");
            assert_eq!(reader.poll_card(SECOND).await, Ok(true));
        },
    );
}

#[test]
fn a_broken_security_module_and_a_pulled_cable_take_the_reader_out_of_service() {
    run(
        IdReaderTwin::new(UsbLayout::Single, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader sam fault").expect("breaks");
            let error = reader.poll_card(SECOND).await.expect_err("broken");
            assert_eq!(error, SdtError::DeviceFault { status: 0x60 });
            assert_eq!(error.remedy(), Remedy::OutOfService);
            bus.desk("id-reader unplug").expect("pulls");
            let error = reader.poll_card(SECOND).await.expect_err("gone");
            assert!(error.needs_reopening());
            assert_eq!(error.remedy(), Remedy::OutOfService);
        },
    );
}

#[test]
fn a_device_that_never_answers_is_named_with_its_endpoints() {
    let mut twin = IdReaderTwin::new(UsbLayout::Split, documents());
    crate::twin::Twin::desk(&mut twin, Duration::ZERO, "mute").expect("mutes");
    run(twin, |bus, clock| async move {
        let transport = bus.open("id-reader").await.expect("opens");
        let error = IdReader::open(transport, clock)
            .await
            .err()
            .expect("silent");
        let SdtError::UnknownTransport { endpoints } = error else {
            panic!("{error}");
        };
        assert!(
            endpoints.contains("0400:c35a") && endpoints.contains("85/2"),
            "{endpoints}"
        );
    });
}

#[test]
fn finds_are_at_least_300_ms_apart() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            let before = clock.monotonic();
            assert_eq!(reader.poll_card(10 * SECOND).await, Ok(false));
            let passed = clock.monotonic() - before;
            let finds = u32::try_from(bus.counter("id-reader", "finds")).expect("few");
            assert!(
                finds >= 20 && FIND_INTERVAL * (finds - 1) <= passed,
                "{finds} in {passed:?}"
            );
        },
    );
}
