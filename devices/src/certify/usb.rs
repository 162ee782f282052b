//! What every device must do on USB, whatever it is for.

use super::{Subject, Verdict, ensure, expect};
use crate::transport::{Bus, Setup, Stage, Transport, UsbError};

use super::wire::CONTROL_WITHIN;

/// Its serial number is not the one that all of its kind have.
pub async fn serial<S: Subject>(s: &S) -> Verdict {
    let serial = &s.bench().info.serial;
    let alike = serial.chars().all(|x| x == '0' || x == ' ');
    ensure(!alike, format!("serial number {serial:?}"))?;
    Ok(serial.clone())
}

/// Every bulk pipe has a packet size that USB allows.
pub async fn packets<S: Subject>(s: &S) -> Verdict {
    let info = &s.bench().info;
    let ends = info.interfaces.iter().flat_map(|i| &i.endpoints);
    let mut sizes = Vec::new();
    for end in ends.filter(|e| e.kind == 2) {
        let size = end.max_packet;
        let lawful = [8, 16, 32, 64, 512, 1024].contains(&size);
        ensure(
            lawful,
            format!("endpoint {:02x} has {size} bytes", end.address),
        )?;
        sizes.push(size.to_string());
    }
    ensure(!sizes.is_empty(), "there is no bulk pipe")?;
    sizes.dedup();
    Ok(format!("{} bytes", sizes.join(", ")))
}

/// An unknown vendor request is stalled, and the next standard one answered.
pub async fn unknown_request<S: Subject>(s: &S) -> Verdict {
    let usb = s.bench().open().await?;
    let asked = |request_type, request, value| Setup {
        request_type,
        request,
        value,
        index: 0,
    };
    let unknown = asked(0xC0, 0x7F, 0x7F7F);
    let refused = usb.control(unknown, Stage::In(1), CONTROL_WITHIN).await;
    expect("request 7f", refused.map(|_| ()), Err(UsbError::Stall))?;
    // GET_DESCRIPTOR, device.
    let device = asked(0x80, 6, 0x0100);
    let bytes = usb.control(device, Stage::In(18), CONTROL_WITHIN).await?;
    expect("bytes of the device descriptor", bytes.len(), 18)?;
    Ok(String::new())
}

/// A second program cannot have it.
pub async fn second_open<S: Subject>(s: &S) -> Verdict {
    let first = s.bench().open().await?;
    let second = s.bench().open().await.map(drop);
    drop(first);
    let busy = matches!(second, Err(UsbError::Busy(_)));
    ensure(busy, format!("a second opening: {second:?}"))?;
    Ok(String::new())
}

/// Unplugged it is gone, replugged it is the same.
pub async fn same_again<S: Subject>(s: &S) -> Verdict {
    let bench = s.bench();
    let out = ("unplug", "pull its usb cable");
    bench
        .act_for_now(out, ("replug", "put its usb cable back in"))
        .await?;
    let there = bench.bus.present(&bench.path).await?;
    ensure(!there, "it is still on the bus")?;
    bench.put_right().await?;
    bench.comes_back().await?;
    let again = bench.open().await?;
    let serial = again.info().serial.clone();
    expect("serial number", serial, bench.info.serial.clone())?;
    Ok(String::new())
}
