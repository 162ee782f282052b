//! What all say on the bus: the printer class, and bytes that wait their turn.

use std::time::Duration;

use super::super::wire::{CONTROL_WITHIN, Wire, device_id, port_status, soft_reset};
use super::super::{Stop, Verdict, ensure, expect};
use super::SlipBench;
use crate::driver::escpos::device_id::DeviceId;
use crate::transport::{Bus, Stage, Transport, UsbError};

pub(super) async fn wire<B: Bus>(c: &SlipBench<B>) -> Result<Wire<B::Transport>, Stop> {
    Wire::open(c.bench.open().await?, c.bench.clock.clone()).await
}

pub(super) async fn two_way<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let wire = wire(c).await?;
    let (interface, alternate) = (wire.interface, wire.alternate);
    Ok(format!("interface {interface}, alternate {alternate}"))
}

pub(super) async fn id<B: Bus>(c: &SlipBench<B>, language: &str) -> Verdict {
    let wire = wire(c).await?;
    let asked = device_id(wire.interface, wire.alternate);
    let bytes = wire.control(asked, Stage::In(1024)).await?;
    let length = bytes
        .first_chunk::<2>()
        .map(|l| usize::from(u16::from_be_bytes(*l)));
    expect("its length", length, Some(bytes.len()))?;
    let id = DeviceId::parse(&bytes);
    ensure(
        !id.maker.is_empty() && !id.model.is_empty(),
        format!("{id:?}"),
    )?;
    let text = String::from_utf8_lossy(&bytes).to_ascii_uppercase();
    ensure(
        text.contains(language),
        format!("no {language} in {text:?}"),
    )?;
    c.bench.learn(
        "device id",
        format!("{} {} {}", id.maker, id.model, id.serial),
    );
    Ok(format!("{} {}", id.maker, id.model))
}

pub(super) async fn port<B: Bus>(c: &SlipBench<B>) -> Result<u8, Stop> {
    let wire = wire(c).await?;
    let bytes = wire
        .control(port_status(wire.interface), Stage::In(1))
        .await?;
    bytes.first().copied().ok_or_else(|| Stop::seen("no byte"))
}

/// SOFT_RESET as 1.1 or 1.0 has it.
pub(super) async fn reset<T: Transport>(wire: &Wire<T>) -> Result<(), Stop> {
    for request_type in [0x21, 0x23] {
        let asked = soft_reset(wire.interface, request_type);
        match wire.control(asked, Stage::Out(&[])).await {
            Err(UsbError::Stall) => {}
            other => return other.map(drop).map_err(Stop::from),
        }
    }
    Err(Stop::seen(
        "it refuses SOFT_RESET: nothing can be forgotten that was sent",
    ))
}

pub(super) async fn resets<B: Bus>(c: &SlipBench<B>) -> Verdict {
    reset(&wire(c).await?).await?;
    Ok(String::new())
}

pub(super) async fn unknown_class_request<B: Bus>(c: &SlipBench<B>) -> Verdict {
    let wire = wire(c).await?;
    let unknown = crate::transport::Setup {
        request: 0x7F,
        ..port_status(wire.interface)
    };
    let refused = wire
        .usb()
        .control(unknown, Stage::In(1), CONTROL_WITHIN)
        .await;
    expect("request 7f", refused.map(|_| ()), Err(UsbError::Stall))?;
    wire.control(port_status(wire.interface), Stage::In(1))
        .await?;
    Ok(String::new())
}

/// Bytes that print nothing go in one by one and as a full packet.
pub(super) async fn takes<B: Bus>(c: &SlipBench<B>, nothing: &[u8]) -> Verdict {
    let wire = wire(c).await?;
    for byte in nothing {
        wire.say(&[*byte]).await?;
    }
    let packet = usize::from(wire.out.max_packet);
    let times = packet.checked_div(nothing.len()).unwrap_or(0).max(1);
    let full: Vec<u8> = nothing
        .iter()
        .copied()
        .cycle()
        .take(times.saturating_mul(nothing.len()))
        .collect();
    wire.say(&full).await?;
    c.bench.rest(Duration::from_secs(1)).await;
    drop(wire);
    expect("fault", c.open().await?.status().await?.fault, None)?;
    Ok(String::new())
}

/// A halted OUT pipe says so, and works once its halt is cleared.
pub(super) async fn halted<B: Bus>(c: &SlipBench<B>, nothing: &[u8]) -> Verdict {
    let wire = wire(c).await?;
    let end = wire.out.address;
    let halt = crate::transport::Setup {
        request_type: 0x02,
        request: 3,
        value: 0,
        index: u16::from(end),
    };
    wire.control(halt, Stage::Out(&[])).await?;
    let within = Duration::from_millis(500);
    let stalled = wire.usb().write(end, nothing, within).await.map(drop);
    expect("the halted pipe", stalled, Err(UsbError::Stall))?;
    wire.usb().clear_halt(end).await?;
    wire.say(nothing).await?;
    Ok(String::new())
}
