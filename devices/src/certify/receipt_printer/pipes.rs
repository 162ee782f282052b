//! Its pipes, raw, with nothing printed.

use std::time::Duration;

use super::super::wire::{ANSWER_WITHIN, Wire, device_id, fence, is_fence};
use super::super::{Stop, Verdict, ensure, expect};
use super::ReceiptBench;
use crate::driver::escpos::device_id::DeviceId;
use crate::driver::escpos::reply::{Asb, Reply};
use crate::transport::{Bus, Stage};

async fn wire<B: Bus>(c: &ReceiptBench<B>) -> Result<Wire<B::Transport>, Stop> {
    Wire::open(c.0.open().await?, c.0.clock.clone()).await
}

pub(super) async fn two_way<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let wire = wire(c).await?;
    let (interface, alternate) = (wire.interface, wire.alternate);
    Ok(format!("interface {interface}, alternate {alternate}"))
}

pub(super) async fn id<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let wire = wire(c).await?;
    let asked = device_id(wire.interface, wire.alternate);
    let bytes = wire.control(asked, Stage::In(1024)).await?;
    let id = DeviceId::parse(&bytes);
    ensure(
        !id.maker.is_empty() && !id.model.is_empty(),
        format!("{id:?}"),
    )?;
    c.0.learn(
        "device id",
        format!("{} {} {}", id.maker, id.model, id.serial),
    );
    Ok(format!("{} {}", id.maker, id.model))
}

pub(super) async fn pushed<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    wire.say(&[0x1D, 0x61, 0xFF]).await?;
    let status = |r: &Reply| match r {
        Reply::Asb(asb) => Some(*asb),
        _ => None,
    };
    let soon = Duration::from_secs(1);
    let (Asb([first, errors, paper, _]), _) = wire.wait_for(soon, "pushed status", status).await?;
    expect("byte 1", first & !0x04, 0x10)?;
    expect("byte 2", errors, 0x00)?;
    expect("roll end", paper & 0x0C, 0x00)?;
    Ok(String::new())
}

pub(super) async fn real_time<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    for n in 1..=4 {
        let byte = |r: &Reply| match r {
            Reply::RealTime(byte) => Some(*byte),
            _ => None,
        };
        let byte = wire
            .ask(&[0x10, 0x04, n], &format!("answer to DLE EOT {n}"), byte)
            .await?;
        // 16 with the drawer's pin high, 0C more near the roll's end.
        let wanted = if n == 4 { byte & !0x0C } else { byte & !0x04 };
        expect(&format!("DLE EOT {n}"), wanted, 0x12)?;
    }
    Ok(String::new())
}

pub(super) async fn own_id<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    wire.fence(*b"C009", ANSWER_WITHIN).await?;
    Ok(String::new())
}

pub(super) async fn in_order<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    let status = |r: &Reply| match r {
        Reply::Status(byte) => Some(*byte),
        _ => None,
    };
    let byte = wire
        .ask(&[0x1D, 0x72, 0x01], "answer to GS r 1", status)
        .await?;
    expect("roll end", byte & 0x0C, 0)?;
    Ok(format!("{byte:02x}"))
}

pub(super) async fn crumbs<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    for byte in [0x10, 0x04, 0x01] {
        wire.say(&[byte]).await?;
    }
    let byte = |r: &Reply| matches!(r, Reply::RealTime(_)).then_some(());
    wire.wait_for(ANSWER_WITHIN, "answer to DLE EOT 1", byte)
        .await?;
    Ok(String::new())
}

pub(super) async fn beyond<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let mut wire = wire(c).await?;
    for _ in 0..8 {
        wire.say(&[0; 4096]).await?;
    }
    wire.say(&[0x1D, 0x72, 0x01]).await?;
    let status = |r: &Reply| matches!(r, Reply::Status(_)).then_some(());
    wire.wait_for(ANSWER_WITHIN, "answer to GS r 1", status)
        .await?;
    Ok(String::new())
}

pub(super) async fn unread<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let first = wire(c).await?;
    first
        .say(&[0x1D, 0x49, 0x42, 0x10, 0x04, 0x01, 0x1D, 0x72, 0x01])
        .await?;
    c.0.clock.sleep(Duration::from_millis(200)).await;
    drop(first);
    let fault = c.open().await?.status().await?.fault;
    expect("fault", fault, None)?;
    Ok(String::new())
}

pub(super) async fn half<B: Bus>(c: &ReceiptBench<B>) -> Verdict {
    let first = wire(c).await?;
    first
        .say(fence(*b"C014").get(..8).unwrap_or_default())
        .await?;
    drop(first);
    let fault = c.open().await?.status().await?.fault;
    expect("fault", fault, None)?;
    let mut wire = wire(c).await?;
    wire.say(&fence(*b"C015")).await?;
    wire.wait_for(ANSWER_WITHIN, "fence C015", is_fence(*b"C015"))
        .await?;
    Ok(String::new())
}
