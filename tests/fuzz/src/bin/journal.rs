//! The kiosk's journal (I6): records read from a file are exactly those that were
//! written to it, up to the first byte that is torn or altered.
#![no_main]

use counterfoil_data::seam::Journal as _;
use counterfoil_fuzz::{Bytes, json_eq};
use counterfoil_tui::flow::effect::Record;
use counterfoil_tui::journal::{self, FileJournal, HEAD_LEN, RECORD_MAX};

fn torn(bytes: &[u8]) {
    let (records, taken) = journal::split(bytes);
    assert!(records.iter().all(|r| (1..=RECORD_MAX).contains(&r.len())));
    let again: Vec<u8> = records
        .iter()
        .flat_map(|r| journal::frame(r).expect("fits"))
        .collect();
    assert_eq!(again, bytes[..taken], "what was read is what stands there");
    assert_eq!(journal::split(&again), (records, taken));
}

fn altered(from: &mut Bytes<'_>) {
    let written: Vec<&[u8]> = (0..from.byte() % 6).map(|_| from.some()).collect();
    let written: Vec<&[u8]> = written.into_iter().filter(|r| !r.is_empty()).collect();
    let mut bytes: Vec<u8> = written
        .iter()
        .flat_map(|r| journal::frame(r).expect("fits"))
        .collect();
    assert_eq!(journal::split(&bytes).0, written);
    if bytes.is_empty() {
        return;
    }
    // One altered byte, of the length, the sum or the record: CRC-32 sees it.
    let at = usize::try_from(from.below(bytes.len() as u64)).expect("small");
    let by = from.byte();
    bytes[at] ^= by;
    let (read, _) = journal::split(&bytes);
    let mut end = 0;
    let before = written.iter().take_while(|r| {
        end += r.len() + HEAD_LEN;
        end <= at
    });
    let before = before.count();
    if by != 0 {
        assert_eq!(read, written[..before], "the altered record ends it");
    }
}

/// Through a real file, which goes on after a torn tail.
fn file(bytes: &[u8]) {
    let path =
        std::env::temp_dir().join(format!("counterfoil-fuzz-journal-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("writes");
    let mut journal = FileJournal::open(&path).expect("opens");
    let mut records = journal.load().expect("loads");
    assert_eq!(records, journal::split(bytes).0);
    journal.append(b"next").expect("appends");
    records.push(b"next".to_vec());
    assert_eq!(journal.load().expect("loads"), records);
    std::fs::remove_file(&path).expect("removes");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 32 {
        0 => file(from.0),
        1..16 => altered(&mut from),
        _ => torn(from.0),
    }
    if let Some(record) = counterfoil_fuzz::text(data).and_then(json_eq::<Record>) {
        let bytes = journal::encode(&record).expect("encodes");
        assert_eq!(journal::decode(&[bytes]), [record]);
    }
});
