//! Pipes that stall, and readers that take or say too little.

use super::*;
use crate::driver::puppet::{Call, Gives, Puppet, end};

#[test]
fn halted_pipes_are_cleared_and_the_request_is_sent_again() {
    for layout in [UsbLayout::Split, UsbLayout::Single] {
        run(
            IdReaderTwin::new(layout, documents()),
            |bus, clock| async move {
                bus.desk("id-reader halt 81").expect("halts");
                bus.desk("id-reader halt 02").expect("halts");
                let mut reader = opened(&bus, &clock).await;
                bus.desk("id-reader present jia").expect("lies there");
                bus.desk("id-reader halt 81").expect("halts");
                assert_eq!(reader.poll_card(SECOND).await, Ok(true));
                bus.desk("id-reader halt 02").expect("halts");
                assert!(reader.read(5 * SECOND).await.is_ok());
            },
        );
    }
}

/// A reader that takes whole frames on 02 and answers on 81 with what `answer` says
/// of a command; every other pipe stalls whatever is done.
fn puppet(
    answer: fn([u8; 2]) -> &'static str,
    body: impl AsyncFnOnce(Result<IdReader<Puppet>, SdtError>),
) {
    let mut frames = Vec::new();
    let ends = [(0x02, 2), (0x06, 2), (0x81, 2), (0x85, 2)];
    let ends = ends.map(|(address, kind)| end(address, kind)).to_vec();
    let usb = Puppet::new(ends, move |call| match call {
        Call::Write(0x02, bytes) => {
            let told = bytes.get(7..9).map(|c| answer([c[0], c[1]]));
            let told = told.unwrap_or_default().replace(' ', "").to_lowercase();
            frames = counterfoil_data::wire::unhex(&told).expect("hex");
            Gives::Took(bytes.len())
        }
        Call::Write(..) => Gives::Fails(UsbError::Stall),
        Call::Read(0x81, _) if frames.is_empty() => Gives::Silence,
        Call::Read(0x81, max) => Gives::Bytes(frames.drain(..max.min(frames.len())).collect()),
        Call::Read(..) => Gives::Silence,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        body(IdReader::open(usb, clock).await).await;
    });
}

/// Published answers (§8.2).
fn published(command: [u8; 2]) -> &'static str {
    match command {
        [0x12, 0xff] => "AAAAAA9669 0014 000090 05000100A53A340187D6120079384E05 63",
        [0x20, 0x01] => "AAAAAA9669 0008 00009F 00000000 97",
        _ => "AAAAAA9669 0004 000090 94",
    }
}

#[test]
fn a_pipe_that_stalls_whatever_is_done_leads_to_the_single_pair() {
    puppet(published, async |reader| {
        let reader = reader.expect("answers hello");
        assert_eq!(reader.sam_id(), "05.01-20200101-0001234567-0089012345");
    });
}

#[test]
fn a_good_select_without_its_eight_bytes_is_no_select() {
    puppet(published, async |reader| {
        let mut reader = reader.expect("answers hello");
        let error = reader.read(5 * SECOND).await.expect_err("no data");
        assert_eq!(error, SdtError::Garbled { step: Step::Select });
    });
}

#[test]
fn a_reader_that_takes_no_bytes_is_silent() {
    let usb = Puppet::new(vec![end(0x02, 2), end(0x81, 2)], |call| match call {
        Call::Read(..) => Gives::Silence,
        Call::Write(..) => Gives::Took(0),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let error = IdReader::open(usb, clock).await.err();
        assert!(matches!(error, Some(SdtError::UnknownTransport { .. })));
    });
}
