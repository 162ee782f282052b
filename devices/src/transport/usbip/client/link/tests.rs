//! The link against a far side that is played by hand.

use jiff::Timestamp;
use tokio::io::DuplexStream;

use super::*;
use crate::system::TokioClock;

const SOON: Duration = Duration::from_secs(1);

fn run(body: impl AsyncFnOnce(Link, DuplexStream, SharedClock)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
        let (ours, theirs) = tokio::io::duplex(4096);
        let link = Link::start(ours, 0x0001_0002, clock.clone());
        body(link, theirs, clock).await;
    });
}

fn read(len: usize) -> Request<'static> {
    Request {
        endpoint: 2,
        into: true,
        len,
        out: &[],
        setup: [0; 8],
    }
}

/// Number of the next message, and the URB it is about if it is an unlink.
async fn heard(far: &mut DuplexStream) -> (u32, Option<u32>) {
    let mut head = [0; HEAD_LEN];
    far.read_exact(&mut head).await.expect("a message");
    match Head::decode(&head).expect("decodes") {
        Head::Submit { seq, .. } => (seq, None),
        Head::Unlink { seq, victim, .. } => (seq, Some(victim)),
        other => panic!("{other:?}"),
    }
}

async fn returns(far: &mut DuplexStream, seq: u32, data: &[u8]) {
    let head = Head::Returned {
        seq,
        status: 0,
        actual: data.len(),
    };
    let message = [head.encode().as_slice(), data].concat();
    far.write_all(&message).await.expect("writes");
}

#[test]
fn bytes_of_a_read_that_was_dropped_go_to_the_next_ones_in_their_order() {
    run(async |link, mut far, clock| {
        tokio::select! {
            biased;
            _ = link.transfer(read(64), SOON) => panic!("nothing came"),
            () = clock.sleep(Duration::from_millis(10)) => {}
        }
        let (dropped, _) = heard(&mut far).await;
        // The bytes cross the unlink on their way, when the next read is posted.
        let (next, ()) = tokio::join!(link.transfer(read(2), SOON), async {
            returns(&mut far, dropped, b"abc").await;
        });
        assert_eq!(next.expect("bytes").data, b"ab");
        let kept = link.kept(2, 64).expect("the rest");
        assert_eq!((kept.bytes.as_slice(), kept.short), (&b"c"[..], true));
        assert!(link.kept(2, 64).is_none());
    });
}

#[test]
fn an_answer_that_was_not_taken_before_its_waiter_went_is_kept() {
    run(async |link, mut far, clock| {
        {
            let waiting = link.transfer(read(64), SOON);
            tokio::pin!(waiting);
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("nothing came"),
                () = clock.sleep(Duration::from_millis(10)) => {}
            }
            let (seq, _) = heard(&mut far).await;
            returns(&mut far, seq, b"xyz").await;
            // The pump takes it; the waiter is not polled again.
            clock.sleep(Duration::from_millis(10)).await;
        }
        let kept = link.kept(2, 64).expect("kept");
        assert_eq!(kept.bytes, b"xyz");
    });
}

#[test]
fn a_server_that_reads_nothing_does_not_keep_a_transfer_beyond_its_time() {
    run(async |link, _far, clock| {
        let bytes = vec![0; 4096];
        for _ in 0..OUTGOING_MAX {
            let before = clock.monotonic();
            let request = Request {
                endpoint: 1,
                into: false,
                len: bytes.len(),
                out: &bytes,
                setup: [0; 8],
            };
            let done = link.transfer(request, SOON).await;
            assert!(done.is_err());
            let took = clock.monotonic().saturating_sub(before);
            assert!(took <= SOON + UNLINK_WITHIN, "{took:?}");
        }
    });
}
