//! Frames, raw: `50 01 | kind | length, big-endian | payload`.

use std::time::Duration;

use super::super::{Stop, Verdict, ensure, expect};
use super::PadBench;
use crate::transport::{Bus, Transport, UsbError};

const OUT: u8 = 0x01;
const BACK: u8 = 0x82;
const WITHIN: Duration = Duration::from_secs(2);
const DRAIN: Duration = Duration::from_millis(100);
const HELLO: [u8; 5] = [0x50, 0x01, 0x01, 0x00, 0x00];

async fn piece<T: Transport>(usb: &T, within: Duration) -> Result<Vec<u8>, Stop> {
    match usb.read(BACK, 64, within).await {
        Ok(transfer) => Ok(transfer.bytes),
        Err(UsbError::Timeout) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// What it says to `pieces`, one write each.
async fn said<B: Bus>(c: &PadBench<B>, pieces: &[&[u8]]) -> Result<Vec<u8>, Stop> {
    let usb = c.0.open().await?;
    while !piece(&usb, DRAIN).await?.is_empty() {}
    for bytes in pieces {
        usb.write(OUT, bytes, WITHIN).await?;
    }
    let mut all = piece(&usb, WITHIN).await?;
    loop {
        let more = piece(&usb, DRAIN).await?;
        if more.is_empty() {
            return Ok(all);
        }
        all.extend(more);
    }
}

const VERSION: [u8; 6] = [0x50, 0x01, 0x81, 0x00, 0x01, 0x01];

pub(super) async fn hello<B: Bus>(c: &PadBench<B>) -> Verdict {
    expect("its answer", said(c, &[&HELLO]).await?, VERSION.to_vec())?;
    Ok("version 1".into())
}

/// `50 01 7f 00 01 code`.
fn refused(code: u8) -> Vec<u8> {
    vec![0x50, 0x01, 0x7F, 0x00, 0x01, code]
}

pub(super) async fn unknown<B: Bus>(c: &PadBench<B>) -> Verdict {
    let frame = [0x50, 0x01, 0x66, 0x00, 0x00];
    expect("its answer", said(c, &[&frame]).await?, refused(1))?;
    Ok(String::new())
}

pub(super) async fn digits<B: Bus>(c: &PadBench<B>) -> Verdict {
    for digits in [0, 13] {
        // Entry 1, so many digits, sale and challenge, key.
        let mut frame = vec![0x50, 0x01, 0x02, 0x00, 67, 0x00, 0x01, digits];
        frame.resize(72, 0x09);
        let answer = said(c, &[&frame]).await?;
        ensure(
            answer == refused(2),
            format!("{digits} digits: {answer:02x?}"),
        )?;
    }
    Ok(String::new())
}

pub(super) async fn collect<B: Bus>(c: &PadBench<B>) -> Verdict {
    let frame = [0x50, 0x01, 0x04, 0x00, 0x02, 0x12, 0x34];
    expect("its answer", said(c, &[&frame]).await?, refused(4))?;
    Ok(String::new())
}

pub(super) async fn crumbs<B: Bus>(c: &PadBench<B>) -> Verdict {
    let pieces: Vec<&[u8]> = HELLO.chunks(1).collect();
    expect("its answer", said(c, &pieces).await?, VERSION.to_vec())?;
    Ok(String::new())
}

pub(super) async fn both<B: Bus>(c: &PadBench<B>) -> Verdict {
    let unknown = [0x50, 0x01, 0x66, 0x00, 0x00];
    let two = [HELLO, unknown].concat();
    let wanted = [VERSION.to_vec(), refused(1)].concat();
    expect("its answers", said(c, &[&two]).await?, wanted)?;
    Ok(String::new())
}

pub(super) async fn unread<B: Bus>(c: &PadBench<B>) -> Verdict {
    let usb = c.0.open().await?;
    usb.write(OUT, &[0x50, 0x01, 0x66, 0x00, 0x00], WITHIN)
        .await?;
    c.0.clock.sleep(Duration::from_millis(200)).await;
    drop(usb);
    drop(c.open().await?);
    Ok(String::new())
}
