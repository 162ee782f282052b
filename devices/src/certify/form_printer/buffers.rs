//! Its receive buffer: cut-off commands, partial writes, full packets, a full buffer.

use std::time::Duration;

use super::super::wire::{ANSWER_WITHIN, fence, is_fence, soft_reset};
use super::super::{Check, Stop, Verdict, ensure, expect};
use super::{FormBench, LONG};
use crate::driver::escpos::reply::Reply;
use crate::driver::form_printer::Occupancy;
use crate::transport::{Bus, Stage, Transport};

const FIRMWARE: &str = "update the firmware";
const LEFT: &str = "an earlier handle was lost in the middle";
/// Longest write a driver here makes.
const CHUNK: usize = 4096;

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-31", "a command sent byte by byte is the same command", "USB 2.0, 5.8",
            FIRMWARE, |c| Box::pin(crumbs(c))),
        Check::new("FP-32", "a transfer that ends on a full packet needs no zero-length one",
            "a zero-length write wedges printers (PAPPL 434)", FIRMWARE,
            |c| Box::pin(full_packet(c))),
        Check::new("FP-33", "it takes 4096 bytes in one transfer", "receive buffers of 4 KiB",
            "use a model with a larger buffer", |c| Box::pin(chunk(c))),
        Check::new("FP-34", "it takes more than its buffer without losing a byte",
            "USB 2.0, 8.4.5 (NAK)",
            FIRMWARE, |c| Box::pin(beyond(c))),
        Check::new("FP-35", "NUL, CAN and ESC S between commands do nothing", "the driver's hello",
            FIRMWARE, |c| Box::pin(harmless(c))),
        Check::new("FP-36", "ESC @ does not lose what is queued behind it",
            "TM-T88III spec., ESC @",
            FIRMWARE, |c| Box::pin(initialise(c))),
        Check::new("FP-37", "a page that was begun and cancelled is forgotten",
            "TM-T88III spec., CAN",
            FIRMWARE, |c| Box::pin(cancelled(c))),
        Check::new("FP-38", "half a command of an earlier handle does not swallow the hello", LEFT,
            FIRMWARE, |c| Box::pin(half_command(c))),
        Check::new("FP-39", "half a page of an earlier handle does not swallow the hello", LEFT,
            FIRMWARE, |c| Box::pin(half_page(c))),
        Check::new("FP-40", "half a hanzi of an earlier handle does not swallow the hello", LEFT,
            FIRMWARE, |c| Box::pin(half_hanzi(c))),
        Check::new("FP-41", "answers nobody read are not taken for the next ones",
            "escpos-rs 18: the answer to the previous question", FIRMWARE,
            |c| Box::pin(unread(c))),
        Check::new("FP-42", "a handle closed while it answers leaves it usable", LEFT, FIRMWARE,
            |c| Box::pin(closed_at_once(c))),
        Check::new("FP-43", "with the cover open and work queued it takes no more, and says why",
            "TM-T88III spec., receive buffer", "use a model that pushes status",
            |c| Box::pin(full_buffer(c))).by_hand(),
    ]
}

async fn crumbs<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    for byte in fence(*b"C031") {
        wire.say(&[byte]).await?;
    }
    wire.wait_for(ANSWER_WITHIN, "fence C031", is_fence(*b"C031"))
        .await?;
    Ok(String::new())
}

/// NULs and a fence behind them, `total` bytes long.
fn padded(total: usize, id: [u8; 4]) -> Vec<u8> {
    let fence = fence(id);
    let mut bytes = vec![0; total.saturating_sub(fence.len())];
    bytes.extend(fence);
    bytes
}

async fn full_packet<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let packet = usize::from(wire.out.max_packet);
    for packets in 1..=3 {
        let bytes = padded(packet.saturating_mul(packets), *b"C032");
        wire.say(&bytes).await?;
        wire.wait_for(ANSWER_WITHIN, "fence C032", is_fence(*b"C032"))
            .await?;
    }
    Ok(String::new())
}

async fn chunk<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    wire.say(&padded(CHUNK, *b"C033")).await?;
    wire.wait_for(ANSWER_WITHIN, "fence C033", is_fence(*b"C033"))
        .await?;
    Ok(String::new())
}

async fn beyond<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    for _ in 0..8 {
        wire.say(&vec![0; CHUNK]).await?;
    }
    wire.say(&fence(*b"C034")).await?;
    let came = wire.hear(ANSWER_WITHIN).await?;
    expect("it said", came, vec![Reply::Tagged(0x22, b"C034".to_vec())])?;
    Ok(String::new())
}

/// What is done by these bytes, told by a fence behind them.
async fn only_a_fence<B: Bus>(c: &FormBench<B>, bytes: &[u8], id: [u8; 4]) -> Verdict {
    let mut wire = c.wire().await?;
    wire.say(&[bytes, &fence(id)].concat()).await?;
    let came = wire.hear(Duration::from_millis(500)).await?;
    expect("it said", came, vec![Reply::Tagged(0x22, id.to_vec())])?;
    drop(wire);
    let status = c.open().await?.status().await?;
    expect("transport", status.transport, Occupancy::Empty)?;
    Ok(String::new())
}

async fn harmless<B: Bus>(c: &FormBench<B>) -> Verdict {
    only_a_fence(c, &[0, 0, 0, 0x18, 0x1B, 0x53, 0, 0x18], *b"C035").await
}

async fn initialise<B: Bus>(c: &FormBench<B>) -> Verdict {
    only_a_fence(c, &[0x1B, 0x40], *b"C036").await
}

async fn cancelled<B: Bus>(c: &FormBench<B>) -> Verdict {
    // ESC L, "ABCD", CAN, ESC S.
    let page = [0x1B, 0x4C, 0x41, 0x42, 0x43, 0x44, 0x18, 0x1B, 0x53];
    only_a_fence(c, &page, *b"C037").await
}

/// The driver opens behind bytes of a handle that was lost.
async fn behind<B: Bus>(c: &FormBench<B>, bytes: &[u8]) -> Verdict {
    let wire = c.wire().await?;
    wire.say(bytes).await?;
    drop(wire);
    let status = c.open().await?.status().await?;
    expect("transport", status.transport, Occupancy::Empty)?;
    expect("fault", status.fault, None)?;
    Ok(String::new())
}

async fn half_command<B: Bus>(c: &FormBench<B>) -> Verdict {
    behind(c, &[0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, 0x46]).await
}

async fn half_page<B: Bus>(c: &FormBench<B>) -> Verdict {
    // ESC L, "ABCD", half an ESC W.
    behind(
        c,
        &[0x1B, 0x4C, 0x41, 0x42, 0x43, 0x44, 0x1B, 0x57, 0, 0, 0],
    )
    .await
}

async fn half_hanzi<B: Bus>(c: &FormBench<B>) -> Verdict {
    // FS & and the first byte of a double one.
    behind(c, &[0x1B, 0x4C, 0x1C, 0x26, 0xD5]).await
}

async fn unread<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    // Presenter, maker, model, real-time status: none of them is read.
    wire.say(&[
        0x1D, 0x65, 0x06, 0x1D, 0x49, 0x42, 0x1D, 0x49, 0x43, 0x10, 0x04, 0x01,
    ])
    .await?;
    c.bench.clock.sleep(Duration::from_millis(200)).await;
    drop(wire);
    let mut wire = c.wire().await?;
    wire.fence(*b"C041", ANSWER_WITHIN).await?;
    drop(wire);
    let status = c.open().await?.status().await?;
    expect("output", status.output, Occupancy::Empty)?;
    Ok(String::new())
}

async fn closed_at_once<B: Bus>(c: &FormBench<B>) -> Verdict {
    for _ in 0..5 {
        let wire = c.wire().await?;
        wire.say(&[0x1D, 0x49, 0x43]).await?;
    }
    let mut wire = c.wire().await?;
    let byte = |r: &Reply| matches!(r, Reply::RealTime(_)).then_some(());
    wire.ask(&[0x10, 0x04, 0x01], "answer to DLE EOT 1", byte)
        .await?;
    Ok(String::new())
}

async fn full_buffer<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    wire.say(&[0x1D, 0x61, 0xFF]).await?;
    wire.hear(Duration::from_millis(300)).await?;
    let open = ("cover open", "open the cover");
    c.bench
        .act_for_now(open, ("cover close", "close the cover"))
        .await?;
    let pushed = wire.hear(Duration::from_millis(500)).await?;
    let said = pushed
        .iter()
        .any(|r| matches!(r, Reply::Asb(asb) if asb.cover_open()));
    ensure(said, format!("opened, it pushed {pushed:?}"))?;
    // A fence waits for the cover, and all behind it.
    wire.say(&fence(*b"C043")).await?;
    let most = CHUNK.saturating_mul(16);
    let taken = wire
        .say_what_fits(&vec![0; most], Duration::from_secs(3))
        .await?;
    ensure(
        taken < most,
        format!("it took {taken} bytes and may have dropped them"),
    )?;
    let mut done = false;
    for request_type in [0x21, 0x23] {
        let asked = soft_reset(wire.interface, request_type);
        done |= wire.control(asked, Stage::Out(&[])).await.is_ok();
        if done {
            break;
        }
    }
    c.bench.put_right().await?;
    wire.usb().stop_in(wire.back.address).await?;
    wire.fence(*b"C044", LONG)
        .await
        .map_err(|stop| match stop {
            Stop::Failed(seen) => Stop::Failed(format!("after the cover was closed: {seen}")),
            other => other,
        })?;
    Ok(format!(
        "{taken} bytes, {}",
        if done { "reset" } else { "not reset" }
    ))
}
