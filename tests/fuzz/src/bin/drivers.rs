//! Whole drivers against twins behind a bad cable, in virtual time: every call ends in
//! its time, every error has a remedy, and where the cable only loses, what is read is
//! what lies there.
#![no_main]

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::demo::DemoBank;
use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Challenge, OpenKey};
use counterfoil_data::seam::{Entropy, SharedClock};
use counterfoil_data::wire::problem::Remedy;
use counterfoil_data::wire::sale::CardProof;
use counterfoil_devices::driver::ccid::Reader;
use counterfoil_devices::driver::ef01::FingerModule;
use counterfoil_devices::driver::form_printer::FormPrinter;
use counterfoil_devices::driver::pboc::read_settlement_card;
use counterfoil_devices::driver::pin_pad::{PinEvent, PinPad as _, UsbPinPad};
use counterfoil_devices::driver::receipt_printer::{ReceiptDocument, ReceiptLine, ReceiptPrinter};
use counterfoil_devices::driver::{Role, sdt::IdReader};
use counterfoil_devices::system::TokioClock;
use counterfoil_devices::transport::twin_bus::TwinBus;
use counterfoil_devices::twin::branch::Branch;
use counterfoil_devices::twin::card_reader::demo_capks;
use counterfoil_fuzz::Bytes;
use counterfoil_fuzz::cable::{Cable, Fault};
use jiff::Timestamp;

/// For one call.
const WITHIN: Duration = Duration::from_secs(10);
/// For all of one input's calls together; each has its own, shorter time.
const ALL_WITHIN: Duration = Duration::from_secs(300);
const WHEN_S: i64 = 1_795_000_000;

struct Fixed;
impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(5);
    }
}

/// What every driver is given.
struct Bench<'a> {
    bank: &'a DemoBank,
    bus: TwinBus,
    clock: SharedClock,
    fault: Fault,
}

impl Bench<'_> {
    fn desk(&self, line: &str) {
        self.bus.desk(line).expect("the desk knows it");
    }

    fn right(&self) -> bool {
        self.fault == Fault::Loses
    }
}

/// An error was turned into what a person can do.
fn told(_: Remedy) {}

async fn id_reader(bench: &Bench<'_>, cable: Cable<'_>) {
    let document = bench.bank.documents.first().expect("a document");
    bench.desk(&format!("id-reader present {}", document.name));
    let mut reader = match IdReader::open(cable, Rc::clone(&bench.clock)).await {
        Ok(reader) => reader,
        Err(error) => return told(error.remedy()),
    };
    for _ in 0..2 {
        match reader.read(WITHIN).await {
            Err(error) => told(error.remedy()),
            Ok(read) if bench.right() => {
                assert_eq!(*read.document.number.expose(), document.number);
                assert_eq!(*read.document.name.expose(), document.holder);
                assert_eq!(read.evidence.status, [0x9f, 0x90, 0x90]);
            }
            Ok(read) => assert_eq!(read.evidence.status, [0x9f, 0x90, 0x90], "never unproven"),
        }
    }
}

async fn card_reader(bench: &Bench<'_>, cable: Cable<'_>, plain: bool, line: &str) {
    let card = bench.bank.cards.first().expect("a card");
    let chip = if plain { " copied" } else { "" };
    let chip = format!("{chip}{line}");
    bench.desk(&format!("card-reader insert {}{chip}", card.name));
    let capks = demo_capks().expect("the demo keys");
    let today = jiff::civil::date(2026, 11, 26);
    let mut reader = match Reader::open(cable, Rc::clone(&bench.clock)).await {
        Ok(reader) => reader,
        Err(error) => return told(error.remedy()),
    };
    match read_settlement_card(&mut reader, &capks, &Fixed, today, WITHIN).await {
        Err(error) => told(error.remedy()),
        Ok(read) => {
            assert!(counterfoil_data::check_digit::luhn(read.pan.expose()));
            if read.proof == CardProof::Genuine {
                assert!(!plain, "a copy never proves itself");
                assert_eq!(
                    *read.pan.expose(),
                    card.pan,
                    "what is signed is what was read"
                );
            }
            if bench.right() {
                assert_eq!(*read.pan.expose(), card.pan);
            }
        }
    }
}

async fn pin_pad(bench: &Bench<'_>, cable: Cable<'_>) {
    let (open, seal) = OpenKey::derive(&[9; 32]);
    let session = Binding {
        sale: SaleId(7),
        challenge: Challenge([3; 16]),
    };
    let six = |name: &&str| {
        bench
            .bank
            .secret(name)
            .is_some_and(|s| s.expose().len() == 6)
    };
    let name = bench
        .bank
        .secret_names()
        .find(six)
        .expect("a PIN")
        .to_owned();
    let mut pad = match UsbPinPad::open(cable, Rc::clone(&bench.clock)).await {
        Ok(pad) => pad,
        Err(error) => return told(error.remedy()),
    };
    if let Err(error) = pad.begin(session, seal, 6).await {
        return told(error.remedy());
    }
    // The desk refuses where no entry runs, as after a begin that a bad cable altered.
    let _ = bench.bus.desk(&format!("pin-pad enter @{name}"));
    let _ = bench.bus.desk("pin-pad ok");
    for _ in 0..20 {
        match pad.next(WITHIN).await {
            Err(error) => return told(error.remedy()),
            Ok(PinEvent::Digits(count)) => assert!(count <= 19),
            Ok(PinEvent::Done(sealed)) => {
                if bench.right() {
                    let pin = sealed
                        .open(&open, session)
                        .expect("sealed for this session");
                    let typed = bench.bank.secret(&name).expect("known");
                    assert!(pin.0.expose() == typed.expose());
                }
                return;
            }
            Ok(PinEvent::Cancelled | PinEvent::TimedOut) => return,
        }
    }
}

async fn finger(bench: &Bench<'_>, cable: Cable<'_>) {
    let finger = bench.bank.fingers.first().expect("a finger");
    bench.desk(&format!("finger place {}", finger.name));
    let mut module = match FingerModule::open(cable, Rc::clone(&bench.clock)).await {
        Ok(module) => module,
        Err(error) => return told(error.remedy()),
    };
    let _ = module.arm().await;
    // An upload that broke off begins anew, and so does what is told of it.
    let progress = |percent: u8| assert!(percent <= 100, "to 100");
    match module.capture(progress, WITHIN).await {
        Err(error) => told(error.remedy()),
        Ok(image) => {
            let size = usize::from(image.width) * usize::from(image.height);
            assert_eq!(image.pixels.expose().len(), size);
        }
    }
    let _ = module.disarm().await;
}

async fn receipt_printer(bench: &Bench<'_>, cable: Cable<'_>) {
    let opened = ReceiptPrinter::open(cable, Rc::clone(&bench.clock), &Fixed).await;
    let mut printer = match opened {
        Ok(printer) => printer,
        Err(error) => return told(error.remedy()),
    };
    let _ = printer.status().await.map_err(|error| error.remedy());
    let document = ReceiptDocument {
        lines: vec![ReceiptLine::text("样例 3130002100010001")],
    };
    let _ = printer.print(&document, WITHIN).await;
}

async fn form_printer(bench: &Bench<'_>, cable: Cable<'_>) {
    let slots = bench.bank.kiosks.first().expect("a kiosk");
    let slot = slots.slots.first().expect("a slot");
    let opened = FormPrinter::open(cable, Rc::clone(&bench.clock), &Fixed).await;
    let mut printer = match opened {
        Ok(printer) => printer,
        Err(error) => return told(error.remedy()),
    };
    let _ = printer.status().await.map_err(|error| error.remedy());
    let fed = printer.feed(&slot.slot, WITHIN).await;
    let read = printer.read_number(WITHIN).await;
    match read {
        Ok(number) if bench.right() && fed.is_ok() => {
            assert_eq!(number, slot.first, "the number on the sheet");
        }
        Ok(_) => {}
        Err(error) => told(error.remedy()),
    }
    let _ = printer.divert(WITHIN).await.map_err(|fault| fault.remedy());
    let _ = printer
        .present(WITHIN)
        .await
        .map_err(|fault| fault.remedy());
    let _ = printer
        .retract(WITHIN)
        .await
        .map_err(|fault| fault.remedy());
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    thread_local! {
        static BANK: DemoBank = counterfoil_data::demo::bank().expect("the demo bank");
    }
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let mut from = Bytes(data);
    let role = Role::ALL[usize::from(from.byte()) % Role::ALL.len()];
    let kind = from.byte();
    let plain = kind % 4 == 0;
    let line = ["", " t1", " t1-crc", " no-directory"][usize::from(kind / 4 % 4)];
    let fault = [Fault::Loses, Fault::Alters, Fault::Stranger][usize::from(from.byte() % 3)];
    BANK.with(|bank| {
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let at = Timestamp::from_second(WHEN_S).expect("in range");
            let clock: SharedClock = Rc::new(TokioClock::starting_at(at));
            let bus = Branch::demo(bank, Rc::clone(&clock), Rc::new(Fixed), None);
            let twin = bus.open_now(role.name()).expect("opens");
            let cable = Cable::new(twin, Rc::clone(&clock), fault, from);
            let bench = Bench {
                bank,
                bus,
                clock,
                fault,
            };
            match role {
                Role::IdReader => id_reader(&bench, cable).await,
                Role::CardReader => card_reader(&bench, cable, plain, line).await,
                Role::PinPad => pin_pad(&bench, cable).await,
                Role::Finger => finger(&bench, cable).await,
                Role::ReceiptPrinter => receipt_printer(&bench, cable).await,
                Role::FormPrinter => form_printer(&bench, cable).await,
            }
            assert!(
                bench.clock.monotonic() < ALL_WITHIN,
                "every call ends in its time"
            );
        });
    });
});
