//! The twin against the published synthetic frames: it must produce exactly them.

use counterfoil_data::wire::hex;

use super::commands::SAM_ID;
use super::*;

/// The four published cards (fields, checksum, SHA-256 of the 1295-byte frame).
pub(crate) fn published() -> Vec<(SampleDocument, u8, &'static str)> {
    let card = |name: &str, text| SampleDocument {
        name: name.into(),
        genuine: true,
        text,
        finger_len: 0,
    };
    let resident = TextBlock::resident("样例甲", 2, "19491231", "11010519491231002X")
        .issued("北京市朝阳区样例路1号", "北京市公安局朝阳分局")
        .valid("20100101", "长期");
    let hong_kong = TextBlock::resident("样例乙", 1, "19900101", "810000199001010019")
        .put(32, 4, "  ")
        .issued("广东省深圳市样例路2号", "深圳市公安局")
        .valid("20200101", "20250101")
        .put(220, 18, "H12345678")
        .put(238, 4, "01")
        .put(248, 2, "J");
    let foreigner_2017 = TextBlock::blank()
        .put(0, 120, "SPECIMEN, ANNA")
        .put(120, 2, "2")
        .put(122, 30, "USA123456789012")
        .put(152, 6, "USA")
        .put(158, 30, "样例丙")
        .valid("20180101", "20280101")
        .put(220, 16, "19800101")
        .put(236, 4, "01")
        .put(240, 8, "1500")
        .put(248, 2, "I");
    let foreigner_2023 = TextBlock::resident("样例丁", 1, "19800101", "911240198001010010")
        .put(52, 70, "SPECIMEN, JOHN")
        .valid("20231201", "20331201")
        .put(242, 6, "840")
        .put(248, 2, "Y");
    vec![
        (
            card("resident", resident),
            0x27,
            "40715aa1cdcf02067d08b56030fc804097b4a74b72b67c76a667bcfa24dfd7ec",
        ),
        (
            card("hong-kong", hong_kong),
            0xa2,
            "2305ef6d9f4db7ddcc7e2709f99e72eb905297577eef67fec8e62928481cc205",
        ),
        (
            card("foreigner-2017", foreigner_2017),
            0x3c,
            "0eaab0d359951e36c16f032eefb8642a4f7d789f8b370f62bf800b4cce684c4d",
        ),
        (
            card("foreigner-2023", foreigner_2023),
            0x22,
            "9efc76ef271304927767308f875a14fbcf42270d617b93038f2d01e39dd1168a",
        ),
    ]
}

#[test]
fn the_four_published_base_frames_are_built_byte_for_byte() {
    for (card, check, sha256) in published() {
        let frame = answer_frame(0x90, &card.base_data(false));
        assert_eq!(frame.len(), 1295, "{}", card.name);
        assert_eq!(frame.last(), Some(&check), "{}", card.name);
        let digest = counterfoil_data::wire::Digest::of(&frame);
        assert_eq!(hex(&digest.0), sha256, "{}", card.name);
    }
}

#[test]
fn a_read_with_fingerprint_has_the_published_totals_prefixes_and_checksums() {
    let (mut card, ..) = published().remove(0);
    for (finger_len, total, len, prefix, check) in [
        (1024, 2321, [0x09, 0x0a], [1, 0, 4, 0, 4, 0], 0x2d),
        (512, 1809, [0x07, 0x0a], [1, 0, 4, 0, 2, 0], 0x25),
        (0, 1297, [0x05, 0x0a], [1, 0, 4, 0, 0, 0], 0x25),
    ] {
        card.finger_len = finger_len;
        let frame = answer_frame(0x90, &card.base_data(true));
        assert_eq!(frame.len(), total);
        assert_eq!(frame[5..7], len);
        assert_eq!(frame[10..16], prefix);
        assert_eq!(frame.last(), Some(&check));
    }
}

#[test]
fn the_wrong_checksum_seen_in_a_public_sample_is_answered_with_10() {
    let mut twin = IdReaderTwin::new(UsbLayout::Single, Vec::new());
    let now = Duration::ZERO;
    twin.out(
        now,
        2,
        &[0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 3, 0x20, 0x01, 0x21],
    );
    let later = Duration::from_secs(1);
    let bad = [0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 4, 0, 0, 0x10, 0x14];
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Data(bad.to_vec()));
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Nak);
}

#[test]
fn its_identity_is_the_published_synthetic_one() {
    let frame = answer_frame(0x90, &SAM_ID);
    let published = "aaaaaa966900140000900500010 0a53a340187d6120079384e0563".replace(' ', "");
    assert_eq!(hex(&frame), published);
}

#[test]
fn a_message_that_fills_its_last_packet_ends_with_an_empty_one() {
    let (card, ..) = published().remove(0);
    let mut twin = IdReaderTwin::new(UsbLayout::Single, vec![card]);
    twin.answers.push_back(Outgoing {
        bytes: vec![1; 128],
        head: 7,
        sent: 0,
        at: Duration::ZERO,
        zero_packet: false,
    });
    let now = Duration::ZERO;
    assert_eq!(twin.poll_in(now, 0x81, 64), InReply::Data(vec![1; 64]));
    assert_eq!(twin.poll_in(now, 0x81, 64), InReply::Data(vec![1; 64]));
    assert_eq!(twin.poll_in(now, 0x81, 64), InReply::Data(Vec::new()));
    assert_eq!(twin.poll_in(now, 0x81, 64), InReply::Nak);
}

#[test]
fn an_answer_nobody_fetched_comes_before_the_next_one() {
    let mut twin = IdReaderTwin::new(UsbLayout::Single, Vec::new());
    let later = Duration::from_secs(1);
    // Find on an empty plate, given up, then a status (§8.1, §8.2).
    twin.out(
        Duration::ZERO,
        2,
        &[0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 3, 0x20, 0x01, 0x22],
    );
    twin.out(
        Duration::ZERO,
        2,
        &[0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 3, 0x11, 0xff, 0xed],
    );
    let none = [0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 4, 0, 0, 0x80, 0x84];
    let well = [0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 4, 0, 0, 0x90, 0x94];
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Data(none.to_vec()));
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Data(well.to_vec()));
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Nak);
}

#[test]
fn a_split_reader_takes_no_frame_on_the_wrong_pipe() {
    let mut twin = IdReaderTwin::new(UsbLayout::Split, Vec::new());
    let status = [0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 3, 0x11, 0xff, 0xed];
    let later = Duration::from_secs(1);
    twin.out(Duration::ZERO, 0x06, &status);
    twin.out(Duration::ZERO, 0x02, &status);
    twin.out(Duration::ZERO, 0x06, &status[7..]);
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Nak);
    twin.out(Duration::ZERO, 0x02, &status[..7]);
    twin.out(Duration::ZERO, 0x06, &status[7..]);
    let head = vec![0xaa, 0xaa, 0xaa, 0x96, 0x69, 0, 4];
    assert_eq!(twin.poll_in(later, 0x81, 64), InReply::Data(head));
}
