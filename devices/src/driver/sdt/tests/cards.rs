//! The four published cards through the driver, and what a chip says besides: the
//! address appended to it and its own number.

use super::*;
use crate::twin::id_reader::tests::published;

/// Name, name in Latin letters, number, sex, birth, address, issuer of each, as
/// published.
const FIELDS: [[&str; 7]; 4] = [
    [
        "样例甲",
        "",
        "11010519491231002X",
        "2",
        "19491231",
        "北京市朝阳区样例路1号",
        "北京市公安局朝阳分局",
    ],
    [
        "样例乙",
        "",
        "810000199001010019",
        "1",
        "19900101",
        "广东省深圳市样例路2号",
        "深圳市公安局",
    ],
    [
        "样例丙",
        "SPECIMEN, ANNA",
        "USA123456789012",
        "2",
        "19800101",
        "",
        "1500",
    ],
    [
        "样例丁",
        "SPECIMEN, JOHN",
        "911240198001010010",
        "1",
        "19800101",
        "",
        "",
    ],
];

fn said(card: &IdDocument) -> [String; 7] {
    [
        card.name.expose().clone(),
        card.latin_name.expose().clone(),
        card.number.expose().clone(),
        card.sex.expose().to_string(),
        card.birth.expose().clone(),
        card.address.expose().clone(),
        card.issuer.expose().clone(),
    ]
}

#[test]
fn each_of_the_four_layouts_is_read_from_its_published_frame() {
    let kinds = [
        DocumentKind::Resident,
        DocumentKind::HkMacaoTaiwan,
        DocumentKind::Foreigner2017,
        DocumentKind::Foreigner2023,
    ];
    let ends = [
        None,
        Some(date(2025, 1, 1)),
        Some(date(2028, 1, 1)),
        Some(date(2033, 12, 1)),
    ];
    for (at, (card, _, sha256)) in published().into_iter().enumerate() {
        let lay = format!("id-reader present {}", card.name);
        let twin = IdReaderTwin::new(UsbLayout::Split, vec![card]).without_finger_read();
        run(twin, |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk(&lay).expect("lies there");
            let read = reader.read(5 * SECOND).await.expect("reads");
            assert_eq!(hex(&read.evidence.frame.0), sha256);
            assert_eq!(read.document.kind, kinds[at]);
            assert_eq!(said(&read.document), FIELDS[at].map(str::to_owned));
            assert_eq!(read.document.valid_to, ends[at]);
        });
    }
}

#[test]
fn the_newest_address_is_read_after_the_document_and_is_no_proof_of_it() {
    let mut documents = documents();
    let text = documents[0].text.clone();
    documents[0].text = text.moved_to("样例市旧路3号").moved_to("样例市新路4号");
    let twin = IdReaderTwin::new(UsbLayout::Single, documents);
    run(twin, |bus, clock| async move {
        let mut reader = opened(&bus, &clock).await;
        for (name, newest, status) in [("jia", Some("样例市新路4号"), 0x90), ("anna", None, 0x91)]
        {
            bus.desk(&format!("id-reader present {name}"))
                .expect("lies there");
            let read = reader.read(5 * SECOND).await.expect("reads");
            let address = &read.document.newest_address;
            assert_eq!(address.as_ref().map(|a| a.expose().as_str()), newest);
            assert_eq!(read.evidence.address_status, status);
            assert_eq!(read.evidence.status, [0x9f, 0x90, 0x90]);
            bus.desk("id-reader remove").expect("takes it");
            assert_eq!(reader.wait_removed(4 * SECOND).await, Ok(true));
        }
    });
}

#[test]
fn the_evidence_says_when_the_frame_had_come() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            bus.desk("id-reader present jia").expect("lies there");
            let before = clock.now();
            let read = reader.read(5 * SECOND).await.expect("reads");
            // Find 200 ms, select 300 ms, read 900 ms; what follows does not count.
            let passed = read.evidence.at.duration_since(before).as_millis();
            assert!((1_400..1_550).contains(&passed), "{passed} ms");
            assert!(read.evidence.at < clock.now());
        },
    );
}

#[test]
fn the_chips_own_number_is_told_only_of_a_card_that_was_read_and_lies_there() {
    run(
        IdReaderTwin::new(UsbLayout::Split, documents()),
        |bus, clock| async move {
            let mut reader = opened(&bus, &clock).await;
            let none = reader.chip_number(SECOND).await.map(drop);
            assert_eq!(none, Err(HandlingProblem::NoCard.into()));
            bus.desk("id-reader present jia").expect("lies there");
            reader.read(5 * SECOND).await.expect("reads");
            let number = reader.chip_number(SECOND).await.expect("answers");
            let number = number.expect("it has one");
            assert_eq!(number.expose(), b"sample chip, its 28 bytes...");
            bus.desk("id-reader remove").expect("takes it");
            let gone = reader.chip_number(SECOND).await.map(drop);
            assert_eq!(gone, Err(HandlingProblem::LiftAndPlace.into()));
        },
    );
}
