//! What stands between a chip card and its reader: T=1 blocks and the host's half of
//! their protocol, PPS, slot notices, kinds of readers, PIN blocks. Every exchange comes
//! to an end, what is sent is well formed, sizes keep their bounds.
#![no_main]

use counterfoil_devices::driver::ccid::atr::{Atr, Protocol};
use counterfoil_devices::driver::ccid::descriptor::{self, Exchange};
use counterfoil_devices::driver::ccid::kind::{Refusal, classify};
use counterfoil_devices::driver::ccid::notify::Notice;
use counterfoil_devices::driver::ccid::pin_entry::Pads;
use counterfoil_devices::driver::ccid::pps::Pps;
use counterfoil_devices::driver::ccid::secure::{Format, PinRules};
use counterfoil_devices::driver::ccid::t1::block::{Block, Sum};
use counterfoil_devices::driver::ccid::t1::{ANSWER_MAX, Engine, Heard, Step};
use counterfoil_devices::transport::{DeviceInfo, EndpointInfo, InterfaceInfo};
use counterfoil_fuzz::Bytes;

/// Steps in one exchange before it must have ended when nothing is heard any more.
const SILENT_STEPS_MAX: usize = 16;

fn block(bytes: &[u8]) {
    for sum in [Sum::Lrc, Sum::Crc] {
        let Ok(read) = Block::parse(bytes, sum) else {
            continue;
        };
        assert!(read.inf.len() <= 254);
        assert_eq!(*read.encode(sum), bytes, "one encoding");
        for at in 0..bytes.len() {
            let mut bent = bytes.to_vec();
            bent[at] ^= 1 << (at % 8);
            assert!(Block::parse(&bent, sum).is_err(), "one bit is seen");
        }
    }
}

/// What is sent, checked; the end of the exchange, if it is.
fn sent(step: &Step, sum: Sum) -> bool {
    match step {
        Step::Send { block, .. } => {
            assert!(Block::parse(block, sum).is_ok(), "well formed");
            false
        }
        Step::Done(answer) => {
            assert!(answer.len() <= ANSWER_MAX);
            true
        }
        Step::Failed(_) => true,
    }
}

fn exchange(from: &mut Bytes<'_>) {
    let sum = [Sum::Lrc, Sum::Crc][usize::from(from.byte() % 2)];
    let ifsc = from.byte();
    let longest = usize::from(from.byte());
    let mut engine = Engine::new(sum, ifsc, longest);
    let command = vec![7; usize::from(from.byte()) * 3];
    let mut over = match from.byte() % 4 {
        0 => sent(&engine.negotiate(from.byte()), sum),
        _ => sent(&engine.start(&command), sum),
    };
    while !over && !from.0.is_empty() {
        let kind = from.byte();
        let inf = from.some();
        let mut raw = vec![0, kind, u8::try_from(inf.len().min(254)).expect("short")];
        raw.extend(inf.iter().take(254));
        // With its sum, as a card would send it, or as it is.
        let lrc = raw.iter().fold(0, |sum, b| sum ^ b);
        raw.push(lrc);
        let step = match kind {
            0xFE => engine.heard(Heard::Silence),
            0xFF => engine.heard(Heard::Damaged),
            _ => engine.heard(Heard::Block(&raw)),
        };
        over = sent(&step, sum);
    }
    let mut steps = 0;
    while !over {
        over = sent(&engine.heard(Heard::Silence), sum);
        steps += 1;
        assert!(steps <= SILENT_STEPS_MAX, "silence ends it");
    }
    // And another one can begin.
    assert!(matches!(engine.start(&[0, 0xA4, 4, 0]), Step::Send { .. }));
}

fn selection(from: &mut Bytes<'_>) {
    let rate = from.byte();
    let protocol = [Protocol::T0, Protocol::T1][usize::from(from.byte() % 2)];
    let asked = Pps {
        protocol,
        fidi: rate,
    };
    let request = asked.request();
    assert_eq!(asked.accepted(&request), Ok(rate), "an echo is a yes");
    if let Ok(fidi) = asked.accepted(from.0) {
        assert!(fidi == rate || fidi == 0x11, "asked for, or the default");
    }
    if let Ok(atr) = Atr::parse(from.0) {
        let most = u32::from(from.byte()) * 4000;
        if let Some(pps) = Pps::worth(&atr, atr.protocol, 4000, most) {
            assert!(!atr.specific && pps.fidi == atr.fidi && pps.fidi != 0x11);
        }
        let patience = atr.patience(atr.protocol, atr.fidi, u32::from(rate));
        assert!(patience.as_secs() >= 1);
        assert_eq!(atr.t0_parameters(rate)[0], rate);
        assert_eq!(atr.t1_parameters(rate)[5], atr.ifsc);
    }
}

fn notices(bytes: &[u8]) {
    let Some(notice) = Notice::parse(bytes) else {
        return;
    };
    for slot in 0..=255 {
        let told = notice.slot(slot);
        assert_eq!(
            told.is_some(),
            bytes[0] == 0x50 && usize::from(slot / 4) + 1 < bytes.len()
        );
    }
}

fn kinds(from: &mut Bytes<'_>) {
    let mut interfaces = Vec::new();
    for number in 0..from.byte() % 4 {
        let [class, protocol, ends] = from.array();
        let mut extra = from.some().to_vec();
        if class % 2 == 0 && extra.len() >= 54 {
            extra[..2].copy_from_slice(&[0x36, 0x21]);
        }
        let end = |address, kind| EndpointInfo {
            address,
            kind,
            max_packet: 64,
            interval: 1,
        };
        let all = [end(0x82, 2), end(0x03, 2), end(0x81, 3)];
        interfaces.push(InterfaceInfo {
            number,
            alternate: 0,
            class: [0x0B, 0xFF, 3][usize::from(class % 3)],
            subclass: 0,
            protocol: protocol % 3,
            endpoints: all[..usize::from(ends % 4)].to_vec(),
            extra,
        });
    }
    let info = DeviceInfo {
        path: String::new(),
        vendor: u16::from_le_bytes(from.array()),
        product: u16::from_le_bytes(from.array()),
        release: u16::from_le_bytes(from.array()),
        class: 0,
        manufacturer: String::new(),
        name: String::new(),
        serial: String::new(),
        interfaces,
    };
    let kinds = classify(&info);
    for kind in &kinds {
        let served = kind.refusal.is_none();
        assert!(
            !served || kind.layout.is_some(),
            "served readers have pipes"
        );
        if kind.exchange() == Exchange::Character {
            assert!(!served, "{kind:?}");
        }
        if let Some(refusal) = kind.refusal {
            let firmware = matches!(refusal, Refusal::Firmware { .. });
            assert!(firmware || !refusal.to_string().is_empty());
        }
    }
    if let Some(layout) = descriptor::layout(&info) {
        let chosen = kinds.iter().find(|k| k.interface == layout.interface);
        let chosen = chosen.expect("one of them");
        let any = kinds.iter().any(|k| k.refusal.is_none());
        assert_eq!(
            chosen.refusal.is_none(),
            any,
            "a served one where there is one"
        );
    }
}

fn pins(from: &mut Bytes<'_>) {
    let size = from.byte();
    let formats = [Format::Ascii(size), Format::Bcd(size), Format::Iso2];
    let [format, min, max, timeout_s, display] = from.array();
    let rules = PinRules {
        format: formats[usize::from(format % 3)],
        min,
        max,
        timeout_s,
        language: 0x0804,
        display: display % 2 == 0,
    };
    let header = from.array();
    if let Ok(block) = rules.verification(header) {
        let at = block.len() - usize::from(block[19]) - 5;
        assert_eq!(block[at..at + 4], header, "the command stands at the end");
        assert!(block[1] > 0 && block[5] >= block[6] && (4..=12).contains(&block[6]));
    }
    let both = (rules.verification(header), rules.modification(header));
    assert_eq!(both.0.is_ok(), both.1.is_ok(), "one rule for both");
    let text = from.words();
    if let Ok(pads) = Pads::from_toml(&text) {
        // What is named was said.
        assert!(pads == Pads::default() || text.contains("vendor"));
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut from = Bytes(data);
    match from.byte() % 6 {
        0 => block(from.0),
        1 => exchange(&mut from),
        2 => selection(&mut from),
        3 => notices(from.0),
        4 => kinds(&mut from),
        _ => pins(&mut from),
    }
});
