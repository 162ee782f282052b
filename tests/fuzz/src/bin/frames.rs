//! Framing of the device protocols (SDT, CCID, EF01, ESC/POS answers): the same frames
//! whatever the pieces, never one whose sum is wrong, and frames of ours through noise.
//! And the pictures of a U.are.U reader: of the size they say, or none.
#![no_main]

use counterfoil_data::wire::Digest;
use counterfoil_devices::driver::ccid::message::{Answer, Icc, Outcome, whole_len};
use counterfoil_devices::driver::ef01::frame::{self as ef01, BadSum, Deframer, Frame, Pid};
use counterfoil_devices::driver::ef01::image;
use counterfoil_devices::driver::escpos::reply::{BLOCK_MAX, Reply, ReplyParser};
use counterfoil_devices::driver::sdt::frame::{self as sdt, FrameError, FrameReader};
use counterfoil_devices::driver::uru4000::image::{Decoder, Needs, TRANSFER, Turn};
use counterfoil_fuzz::Bytes;
use zeroize::Zeroizing;

type SdtFrame = Result<(u8, Vec<u8>, Digest), FrameError>;

fn sdt_frames(pieces: &[&[u8]]) -> Vec<SdtFrame> {
    let mut reader = FrameReader::default();
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(frame) = reader.next_frame() {
            frames.push(frame.map(|a| (a.status, a.data.expose().clone(), a.digest)));
        }
        assert!(
            reader
                .missing()
                .is_none_or(|m| (1..=sdt::LEN_MAX).contains(&m))
        );
    }
    frames
}

fn sdt(from: &mut Bytes<'_>) {
    let sent = from.some();
    let pieces = from.pieces();
    let whole = pieces.concat();
    let frames = sdt_frames(&pieces);
    assert_eq!(frames, sdt_frames(&[&whole]), "pieces do not matter");
    for (_, data, digest) in frames.iter().flatten() {
        assert!(data.len() + sdt::LEN_MIN <= sdt::LEN_MAX);
        // What is evidence stands in the stream, frame and sum.
        let length = sdt::HEAD_LEN + sdt::LEN_MIN + data.len();
        let found = whole.windows(length).find(|w| Digest::of(w) == *digest);
        let found = found.expect("as it came");
        assert_eq!(
            found[5..].iter().fold(0, |sum, b| sum ^ b),
            0,
            "a right sum"
        );
        assert!(found.starts_with(&sdt::PREAMBLE));
    }
    // A frame behind noise without a preamble in it is found.
    let noise: Vec<u8> = sent.iter().copied().filter(|b| *b != 0xaa).collect();
    let request = sdt::request([0x20, 0x01], &[7]);
    let both = [noise, request].concat();
    assert_eq!(sdt_frames(&[&both]).iter().flatten().count(), 1);
}

fn ef01_frames(pieces: &[&[u8]]) -> Vec<Result<Frame, BadSum>> {
    let mut deframer = Deframer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        deframer.push(piece);
        frames.extend(std::iter::from_fn(|| deframer.pull()));
    }
    frames
}

fn ef01(from: &mut Bytes<'_>) {
    let sent = from.some();
    let pieces = from.pieces();
    let frames = ef01_frames(&pieces);
    assert_eq!(
        frames,
        ef01_frames(&[&pieces.concat()]),
        "pieces do not matter"
    );
    assert!(
        frames
            .iter()
            .flatten()
            .all(|f| f.payload.len() <= ef01::PAYLOAD_MAX)
    );
    let command = ef01::command(sent);
    let noise: Vec<u8> = pieces.concat().into_iter().filter(|b| *b != 0xef).collect();
    let read = ef01_frames(&[&noise, &command]);
    let expected = Frame {
        pid: Pid::Command,
        payload: Zeroizing::new(sent.to_vec()),
    };
    assert_eq!(read, [Ok(expected)], "through noise");
    // An upload of a known size is an image of that many pixels; no other is one.
    let size = [18_432, 36_864, 46_080, 18_431][usize::from(from.byte() % 4)];
    let packed = Zeroizing::new(
        pieces
            .concat()
            .into_iter()
            .cycle()
            .take(size)
            .collect::<Vec<_>>(),
    );
    if let Ok(image) = image::unpack(&packed) {
        let pixels = image.pixels.expose();
        assert_eq!(
            pixels.len(),
            usize::from(image.width) * usize::from(image.height)
        );
        let packs = |pair: &[u8]| (pair[0] / 17) << 4 | pair[1] / 17;
        assert_eq!(pixels.chunks(2).map(packs).collect::<Vec<_>>(), *packed);
    } else {
        assert!(packed.len() != size || size == 18_431);
    }
}

fn ccid(bytes: &[u8]) {
    let whole = whole_len(bytes);
    let Ok(answer) = Answer::parse(bytes) else {
        return;
    };
    assert_eq!(whole, Some(bytes.len()));
    let icc = match answer.icc {
        Icc::Active => 0,
        Icc::Inactive => 1,
        Icc::Absent => 2,
    };
    let (high, error) = match answer.outcome {
        Outcome::Ok => (0, bytes[8]),
        Outcome::Failed(error) => (1, error),
        Outcome::TimeExtension(times) => (2, times),
    };
    let length = u32::try_from(answer.data.len())
        .expect("fits")
        .to_le_bytes();
    let head = [&[answer.kind], &length[..], &[answer.slot, answer.seq]].concat();
    // Between outcome and card there are reserved bits.
    assert_eq!(bytes[..7], head);
    assert_eq!((bytes[7] >> 6, bytes[7] & 3), (high, icc));
    assert_eq!(bytes[8..10], [error, answer.specific]);
    assert_eq!(bytes[10..], *answer.data);
}

fn replies(pieces: &[&[u8]]) -> Vec<Reply> {
    let (mut parser, mut replies) = (ReplyParser::default(), Vec::new());
    pieces
        .iter()
        .for_each(|piece| parser.feed(piece, &mut replies));
    replies
}

fn escpos(from: &mut Bytes<'_>) {
    let pieces = from.pieces();
    let all = replies(&pieces);
    assert_eq!(all, replies(&[&pieces.concat()]), "pieces do not matter");
    for reply in &all {
        match reply {
            Reply::Data(body) | Reply::Tagged(_, body) | Reply::Information(_, body) => {
                assert!(body.len() <= BLOCK_MAX && !body.contains(&0));
            }
            Reply::Asb(asb) => {
                assert_eq!(asb.0[0] & 0x93, 0x10);
                assert!(asb.0[1..].iter().all(|b| b & 0x90 == 0));
            }
            Reply::RealTime(b) => assert_eq!(b & 0x93, 0x12),
            Reply::Status(b) => assert_eq!(b & 0x90, 0),
            Reply::Flow(_) | Reply::Unclassified(_) | Reply::Overlong => {}
        }
    }
    // Whatever came before, a block that is closed ends it: the next status is read.
    let mut parser = ReplyParser::default();
    let mut replies = Vec::new();
    parser.feed(&pieces.concat(), &mut replies);
    replies.clear();
    parser.feed(&[0, 0, 0, 0, 0x10, 0, 0, 0], &mut replies);
    let asb = replies.last();
    assert!(matches!(asb, Some(Reply::Asb(_))), "{asb:?}");
}

/// A header off the input and rows that repeat what is left of it.
fn uru4000(from: &mut Bytes<'_>) {
    let (answer, bytes) = (from.byte(), from.0);
    let rows = bytes.iter().copied().cycle().take(TRANSFER);
    let sent: Vec<u8> = bytes.iter().copied().chain(rows).take(TRANSFER).collect();
    let Ok(mut decoder) = Decoder::new(&sent) else {
        return;
    };
    let mut keys = 0;
    while let Needs::Key { .. } = decoder.go_on() {
        keys += 1;
        assert!(keys <= 16, "a key for a block at most, and the first");
        decoder.key([keys; 4], [answer; 4]);
    }
    let image = decoder.finish(Turn::Around);
    let size = usize::from(image.width) * usize::from(image.height);
    assert_eq!(image.pixels.expose().len(), size);
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    let what = from.byte() % 8;
    match what % 4 {
        _ if what == 7 => uru4000(&mut from),
        0 => sdt(&mut from),
        1 => ef01(&mut from),
        2 => ccid(from.0),
        _ => escpos(&mut from),
    }
});
