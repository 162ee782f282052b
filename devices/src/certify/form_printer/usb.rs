//! Descriptors, class requests, halts: the device before it is a printer.

use std::time::Duration;

use super::super::wire::{ANSWER_WITHIN, device_id, fence, is_fence, port_status, soft_reset};
use super::super::{Check, Stop, Verdict, ensure, expect, usb};
use super::FormBench;
use crate::driver::escpos::device_id::DeviceId;
use crate::transport::{Bus, Setup, Stage, Transport, UsbError};

const CLASS: &str = "USB printer class 1.1";

#[rustfmt::skip]
pub(super) fn checks<B: Bus>() -> Vec<Check<FormBench<B>>> {
    vec![
        Check::new("FP-01", "one interface of the printer class talks both ways", CLASS,
            "use a model with protocol 2 (bidirectional)", |c| Box::pin(two_way(c))),
        Check::new("FP-02", "its bulk pipes have packet sizes that USB allows", "USB 2.0, 5.8.3",
            "update the firmware", |c| Box::pin(usb::packets(c))),
        Check::new("FP-03", "its serial number tells it from another of its kind",
            "USB 2.0, 9.6.1",
            "have the maker write a serial number", |c| Box::pin(usb::serial(c))),
        Check::new("FP-04", "GET_DEVICE_ID answers with its own length, big-endian", CLASS,
            "update the firmware", |c| Box::pin(id_length(c))),
        Check::new("FP-05", "the device id names maker, model and ESC/POS", "IEEE 1284, 7.6",
            "update the firmware", |c| Box::pin(id_keys(c))),
        Check::new("FP-06", "a device id asked for in 16 bytes gives 16", "USB 2.0, 8.5.3",
            "update the firmware", |c| Box::pin(id_short(c))),
        Check::new("FP-07", "the port status is one byte that reports no fault at rest", CLASS,
            "fill paper, close covers; else update the firmware", |c| Box::pin(port(c))),
        Check::new("FP-08", "an unknown class request is stalled and the next one answered",
            "USB 2.0, 8.5.3.4", "update the firmware", |c| Box::pin(unknown_request(c))),
        Check::new("FP-09", "SOFT_RESET is done or cleanly refused, and it answers afterwards",
            CLASS,
            "update the firmware", |c| Box::pin(reset(c))),
        Check::new("FP-10", "SOFT_RESET drops a command that was begun", CLASS,
            "use a model that resets, or accept the slower hello", |c| Box::pin(reset_empties(c))),
        Check::new("FP-11", "a halted IN pipe says so, and works once its halt is cleared",
            "USB 2.0, 9.4.5", "update the firmware", |c| Box::pin(halt_in(c))),
        Check::new("FP-12", "a halted OUT pipe says so, and works once its halt is cleared",
            "USB 2.0, 9.4.5", "update the firmware", |c| Box::pin(halt_out(c))),
        Check::new("FP-13", "clearing halts that are not there loses no byte", "USB 2.0, 9.4.5",
            "update the firmware", |c| Box::pin(clear_nothing(c))),
        Check::new("FP-14", "a second program cannot open it",
            "one owner, or answers are not attributed",
            "stop usblp, CUPS or whatever else holds it", |c| Box::pin(usb::second_open(c))),
        Check::new("FP-15", "with nothing asked it says nothing",
            "no zero-length packets for ever",
            "turn off what pushes by itself", |c| Box::pin(silence(c))),
    ]
}

async fn two_way<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let (interface, alternate) = (wire.interface, wire.alternate);
    Ok(format!("interface {interface}, alternate {alternate}"))
}

async fn id_length<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let asked = device_id(wire.interface, wire.alternate);
    let bytes = wire.control(asked, Stage::In(1024)).await?;
    let Some((length, _)) = bytes.split_first_chunk::<2>() else {
        return Err(Stop::Failed(format!("{} bytes", bytes.len())));
    };
    let length = usize::from(u16::from_be_bytes(*length));
    expect("its length", length, bytes.len())?;
    Ok(format!("{length} bytes"))
}

async fn id_keys<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let asked = device_id(wire.interface, wire.alternate);
    let bytes = wire.control(asked, Stage::In(1024)).await?;
    let id = DeviceId::parse(&bytes);
    ensure(
        !id.maker.is_empty() && !id.model.is_empty(),
        format!("{id:?}"),
    )?;
    let text = String::from_utf8_lossy(&bytes).to_ascii_uppercase();
    ensure(text.contains("ESC/POS"), format!("no ESC/POS in {text:?}"))?;
    c.bench.learn(
        "device id",
        format!("{} {} {}", id.maker, id.model, id.serial),
    );
    Ok(format!("{} {}", id.maker, id.model))
}

async fn id_short<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let asked = device_id(wire.interface, wire.alternate);
    let bytes = wire.control(asked, Stage::In(16)).await?;
    expect("bytes", bytes.len(), 16)?;
    Ok(String::new())
}

async fn port<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let asked = port_status(wire.interface);
    let bytes = wire.control(asked, Stage::In(1)).await?;
    // 18: selected, no error, paper there.
    expect("port status", bytes, vec![0x18])?;
    Ok("18".into())
}

async fn unknown_request<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let unknown = Setup {
        request: 0x7F,
        ..port_status(wire.interface)
    };
    let refused = wire.control(unknown, Stage::In(1)).await;
    expect("request 7f", refused.map(|_| ()), Err(UsbError::Stall))?;
    wire.control(port_status(wire.interface), Stage::In(1))
        .await?;
    Ok(String::new())
}

async fn reset<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    let note = if reset_done(&wire).await? {
        "done"
    } else {
        "refused"
    };
    c.bench.learn("SOFT_RESET", note);
    wire.usb().stop_in(wire.back.address).await?;
    for end in [wire.back.address, wire.out.address] {
        wire.usb().clear_halt(end).await?;
    }
    wire.fence(*b"C009", ANSWER_WITHIN).await?;
    Ok(note.into())
}

async fn reset_done<T: Transport>(wire: &super::super::wire::Wire<T>) -> Result<bool, Stop> {
    for request_type in [0x21, 0x23] {
        let asked = soft_reset(wire.interface, request_type);
        match wire.control(asked, Stage::Out(&[])).await {
            Ok(_) => return Ok(true),
            Err(UsbError::Stall) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

async fn reset_empties<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    // GS ( H that waits for its last three bytes.
    wire.say(&[0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, b'F'])
        .await?;
    if !reset_done(&wire).await? {
        // Sixteen NULs end any command of this printer.
        wire.say(&[0; 16]).await?;
        wire.drain().await?;
    }
    wire.fence(*b"C010", ANSWER_WITHIN).await?;
    Ok(String::new())
}

async fn halted<B: Bus>(c: &FormBench<B>, inward: bool) -> Verdict {
    let mut wire = c.wire().await?;
    let end = if inward { wire.back } else { wire.out };
    let halt = Setup {
        request_type: 0x02,
        request: 3,
        value: 0,
        index: u16::from(end.address),
    };
    wire.control(halt, Stage::Out(&[])).await?;
    let within = Duration::from_millis(500);
    let stalled = if inward {
        wire.usb().read(end.address, 64, within).await.map(drop)
    } else {
        wire.usb().write(end.address, &[0], within).await.map(drop)
    };
    expect("the halted pipe", stalled, Err(UsbError::Stall))?;
    if inward {
        wire.usb().stop_in(end.address).await?;
    }
    wire.usb().clear_halt(end.address).await?;
    wire.fence(*b"C011", ANSWER_WITHIN).await?;
    Ok(String::new())
}

async fn halt_in<B: Bus>(c: &FormBench<B>) -> Verdict {
    halted(c, true).await
}

async fn halt_out<B: Bus>(c: &FormBench<B>) -> Verdict {
    halted(c, false).await
}

async fn clear_nothing<B: Bus>(c: &FormBench<B>) -> Verdict {
    let mut wire = c.wire().await?;
    wire.say(&fence(*b"C131")).await?;
    wire.wait_for(ANSWER_WITHIN, "fence C131", is_fence(*b"C131"))
        .await?;
    wire.usb().stop_in(wire.back.address).await?;
    for end in [wire.back.address, wire.out.address] {
        wire.usb().clear_halt(end).await?;
    }
    wire.fence(*b"C132", ANSWER_WITHIN).await?;
    Ok(String::new())
}

async fn silence<B: Bus>(c: &FormBench<B>) -> Verdict {
    let wire = c.wire().await?;
    let within = Duration::from_secs(1);
    let said = wire.usb().read(wire.back.address, 64, within).await;
    expect("a read", said.map(|t| t.bytes), Err(UsbError::Timeout))?;
    Ok(String::new())
}
