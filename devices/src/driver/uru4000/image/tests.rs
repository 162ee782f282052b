//! Pictures made by the twin's scrambling, which is written apart from the decoder, and
//! a key schedule computed by other code that decodes a recorded session.

use super::*;
use crate::twin::uru4000::{HEIGHT, key, transfer};

/// The key word and the seed of a recorded session.
const ANSWER: [u8; 4] = [0xF2, 0x28, 0xAE, 0x05];
const SEED: [u8; 4] = [0x24, 0x21, 0xEA, 0x51];

/// A view with something of its own in every pixel, smooth enough not to be noise.
fn slope() -> Vec<u8> {
    let grey = |at: usize| u8::try_from((at % WIDTH / 2 + at / WIDTH / 3) & 0xFF);
    (0..WIDTH * HEIGHT).map(|at| grey(at).unwrap()).collect()
}

/// Decodes, and which key numbers it asked for.
fn decode(transfer: &[u8], turn: Turn) -> Result<(Vec<u8>, Vec<u8>, u16), ImageFault> {
    let mut decoder = Decoder::new(transfer)?;
    let mut asked = Vec::new();
    while let Needs::Key { number } = decoder.go_on() {
        asked.push(number);
        let answer = key(number) ^ u32::from_le_bytes(SEED);
        decoder.key(SEED, answer.to_le_bytes());
    }
    let image = decoder.finish(turn);
    assert_eq!((image.width, image.dpi), (384, 512));
    Ok((image.pixels.expose().clone(), asked, image.height))
}

/// What must come of a view: dark on light, an encrypted block's last pixel unknown,
/// rows that were not sent like the next.
fn expected(view: &[u8], blocks: &[(u8, u8)]) -> Vec<u8> {
    let mut rows: Vec<Vec<u8>> = view.chunks(WIDTH).map(<[u8]>::to_vec).collect();
    rows.truncate(blocks.iter().map(|(_, count)| usize::from(*count)).sum());
    let mut at = 0;
    for (flags, count) in blocks {
        let end = at + usize::from(*count);
        if flags & 1 != 0 {
            for row in at..end {
                rows[row] = rows.get(end).cloned().unwrap_or(vec![0; WIDTH]);
            }
        } else if flags & 2 != 0 {
            rows[end - 1][WIDTH - 1] = 0;
        }
        at = end;
    }
    rows.concat().iter().map(|p| 255 - p).collect()
}

#[test]
fn the_key_of_a_recorded_session_runs_as_other_code_computed_it() {
    let mut key = u32::from_le_bytes(ANSWER) ^ u32::from_le_bytes(SEED);
    assert_eq!(key, 0x5444_09D6);
    let mut bytes = Vec::new();
    for _ in 0..8 {
        bytes.push(mask(key));
        key = advance(key);
    }
    assert_eq!(bytes, [0x17, 0xA0, 0x41, 0x03, 0xD9, 0xA0, 0x40, 0x25]);
    assert_eq!(key, 0x2654_4409);
    let block = (0..384 * 72).fold(0x5444_09D6, |key, _| advance(key));
    assert_eq!(block, 0xE428_35F8);
}

#[test]
fn every_kind_of_block_gives_its_rows_and_moves_the_key_as_it_says() {
    for blocks in [
        &[(2, 255), (2, 35)][..],
        &[
            (2, 72),
            (0, 1),
            (2, 49),
            (1, 1),
            (0, 1),
            (2, 49),
            (0, 1),
            (2, 116),
        ],
        &[(2, 40), (4, 3), (2, 247)],
        &[(2, 40), (5, 1), (2, 249)],
        &[(2, 40), (0x82, 100), (0x80, 2), (0x82, 148)],
        &[(1, 2), (2, 200), (1, 3), (2, 85)],
        &[(2, 200), (1, 1)],
        &[(2, 64)],
    ] {
        let sent = transfer(&slope(), blocks, 7);
        let (pixels, asked, height) = decode(&sent, Turn::Upright).unwrap();
        assert!(pixels == expected(&slope(), blocks), "{blocks:?}");
        assert_eq!(usize::from(height), pixels.len() / WIDTH);
        let changes = blocks.iter().filter(|(flags, _)| flags & 0x80 != 0);
        let numbers: Vec<u8> = (7..=7 + u8::try_from(changes.count()).unwrap()).collect();
        assert_eq!(asked, numbers, "{blocks:?}");
    }
}

#[test]
fn the_4500_is_built_in_upside_down() {
    let sent = transfer(&slope(), &[(2, 145), (2, 145)], 0);
    let (mut upright, ..) = decode(&sent, Turn::Upright).unwrap();
    let (around, ..) = decode(&sent, Turn::Around).unwrap();
    upright.reverse();
    assert!(upright == around);
}

#[test]
fn a_picture_that_is_not_scrambled_is_taken_as_it_is_and_asks_for_no_key() {
    let blocks = [(0, 200), (1, 1), (0, 89)];
    let sent = transfer(&slope(), &blocks, 0);
    let (pixels, asked, _) = decode(&sent, Turn::Upright).unwrap();
    assert!(pixels == expected(&slope(), &blocks));
    assert!(asked.is_empty(), "{asked:?}");
}

#[test]
fn what_is_cut_short_or_counts_wrongly_is_no_picture() {
    let whole = transfer(&slope(), &[(2, 145), (2, 145)], 0);
    for got in [0, 63, 64, whole.len() - 1] {
        let expected = if got < 64 { 64 } else { whole.len() };
        let fault = decode(&whole[..got], Turn::Upright).unwrap_err();
        assert_eq!(fault, ImageFault::Short { expected, got });
    }
    let wrong = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        decode(&bytes, Turn::Upright).unwrap_err()
    };
    for (at, byte) in [(4, 0), (5, 0xFF), (17, 144), (17, 0), (16, 1), (19, 255)] {
        let fault = wrong(at, byte);
        assert!(matches!(fault, ImageFault::Blocks { .. }), "{at}: {fault}");
    }
}

proptest::proptest! {
    #[test]
    fn any_header_gives_a_picture_of_its_size_or_a_fault(
        head in proptest::collection::vec(0_u8.., 64),
        rows in 0_usize..291,
    ) {
        let mut bytes = head;
        bytes.resize(HEADER + rows * WIDTH, 0x55);
        // Half of all headers at least count their lines rightly.
        let lines = blocks(bytes.first_chunk().unwrap());
        let lines = lines.iter().filter(|b| b.flags & 1 == 0).map(|b| b.rows).sum::<usize>();
        if bytes[63] & 1 == 0 {
            bytes[4..6].copy_from_slice(&u16::try_from(lines).unwrap().to_le_bytes());
        }
        if let Ok((pixels, _, height)) = decode(&bytes, Turn::Around) {
            proptest::prop_assert_eq!(pixels.len(), usize::from(height) * WIDTH);
            proptest::prop_assert!((HEIGHT_MIN..=HEIGHT_MAX).contains(&usize::from(height)));
        }
    }
}
