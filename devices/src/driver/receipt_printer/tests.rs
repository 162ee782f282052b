//! The driver against its twin, on the bus everybody else uses, in virtual time.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use super::*;
use crate::system::TokioClock;
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::receipt_printer::ReceiptPrinterTwin;

const LONG: Duration = Duration::from_secs(20);

/// The first fence is R001.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Desk {
    bus: TwinBus,
    twin: Rc<RefCell<ReceiptPrinterTwin>>,
    clock: SharedClock,
}

impl Desk {
    fn new(twin: ReceiptPrinterTwin) -> Self {
        let start = jiff::Timestamp::UNIX_EPOCH;
        let clock: SharedClock = Rc::new(TokioClock::starting_at(start));
        let twin = Rc::new(RefCell::new(twin));
        let bus = TwinBus::new(clock.clone());
        bus.plug("receipt-printer", twin.clone());
        Self { bus, twin, clock }
    }

    async fn open(&self) -> ReceiptPrinter<TwinTransport> {
        let transport = self.bus.open_now("receipt-printer").expect("plugged in");
        assert!(matches(transport.info()));
        ReceiptPrinter::open(transport, self.clock.clone(), &Zeros)
            .await
            .expect("opens")
    }

    fn desk(&self, line: &str) {
        let line = format!("receipt-printer {line}");
        self.bus.desk(&line).expect("a lawful act");
    }
}

fn run<F: Future<Output = ()>>(twin: ReceiptPrinterTwin, test: impl FnOnce(Desk) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async { test(Desk::new(twin)).await });
}

fn document() -> ReceiptDocument {
    let mut lines = vec![
        ReceiptLine::title("样例银行"),
        ReceiptLine::Rule,
        ReceiptLine::text("领用单号：20260102-000001"),
    ];
    lines.extend((0..30).map(|n| ReceiptLine::text(format!("31301121 {n:08}  转账支票"))));
    lines.push(ReceiptLine::Qr("counterfoil:1:abc".to_owned()));
    lines.push(ReceiptLine::Feed(2));
    ReceiptDocument { lines }
}

#[test]
fn a_receipt_is_printed_proved_and_cut_s23() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        let outcome = printer.print(&document(), LONG).await;
        let done = PrintOutcome::Done {
            grade: Grade::Identified,
            // R001 was the probe.
            evidence: "37225230303200".to_owned(),
            cut: true,
        };
        assert_eq!(outcome, done);
        let texts = desk.twin.borrow().last_texts();
        assert!(texts.contains(&"领用单号：20260102-000001".to_owned()));
        assert_eq!(desk.bus.counter("receipt-printer", "receipts"), 1);
        assert_eq!(desk.bus.counter("receipt-printer", "unknown-commands"), 0);
        desk.desk("take");
    });
}

#[test]
fn without_any_fence_clean_status_is_all_there_is_and_the_cut_is_not_proven() {
    run(
        ReceiptPrinterTwin::new(None).without_answers(),
        |desk| async move {
            let mut printer = desk.open().await;
            let outcome = printer.print(&document(), LONG).await;
            let done = PrintOutcome::Done {
                grade: Grade::Status,
                evidence: String::new(),
                cut: false,
            };
            assert_eq!(outcome, done);
            // The roll ends while the buffer is worked off: that is no clean status.
            let (document, out) = (document(), async {
                desk.clock.sleep(Duration::from_millis(900)).await;
                desk.desk("paper-out");
            });
            let (outcome, ()) = tokio::join!(printer.print(&document, LONG), out);
            let failed = PrintOutcome::Failed {
                printed: Printed::Partial,
                fault: PrintFault::PaperOut,
            };
            assert_eq!(outcome, failed);
        },
    );
}

#[test]
fn a_printer_that_says_nothing_is_believed_to_have_accepted_no_more() {
    for twin in [
        ReceiptPrinterTwin::new(None).silent(),
        ReceiptPrinterTwin::new(None).one_way(),
    ] {
        run(twin, |desk| async move {
            let mut printer = desk.open().await;
            let outcome = printer.print(&document(), LONG).await;
            let accepted = PrintOutcome::Done {
                grade: Grade::Accepted,
                evidence: String::new(),
                cut: false,
            };
            assert_eq!(outcome, accepted);
            assert_eq!(desk.bus.counter("receipt-printer", "receipts"), 1);
            desk.desk("paper-out");
            let status = printer.status().await.expect("the port");
            assert_eq!(status.fault, Some(PrintFault::PaperOut));
            let failed = PrintOutcome::Failed {
                printed: Printed::Nothing,
                fault: PrintFault::PaperOut,
            };
            assert_eq!(printer.print(&document(), LONG).await, failed);
        });
    }
}

#[test]
fn a_printer_in_vendor_mode_is_known_by_its_ids() {
    run(
        ReceiptPrinterTwin::new(None).in_vendor_mode(),
        |desk| async move {
            let outcome = desk.open().await.print(&document(), LONG).await;
            assert!(matches!(outcome, PrintOutcome::Done { cut: true, .. }));
        },
    );
}

#[test]
fn a_roll_near_its_end_is_told_after_it_stayed_there() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        assert!(!printer.status().await.expect("a status").near_end);
        desk.desk("near-end");
        assert!(!printer.status().await.expect("a status").near_end);
        desk.clock.sleep(Duration::from_secs(3)).await;
        assert!(printer.status().await.expect("a status").near_end);
    });
}

#[test]
fn a_receipt_is_presented_and_taken_or_drawn_back() {
    run(
        ReceiptPrinterTwin::new(None).with_presenter(),
        |desk| async move {
            let mut printer = desk.open().await;
            assert_eq!(printer.present(LONG).await, Err(PrintFault::NoMediaPresent));
            printer.print(&document(), LONG).await;
            printer.present(LONG).await.expect("in reach");
            assert_eq!(printer.wait_taken(Duration::from_secs(1)).await, Ok(false));
            desk.desk("take");
            assert_eq!(printer.wait_taken(LONG).await, Ok(true));
            printer.print(&document(), LONG).await;
            printer.present(LONG).await.expect("in reach");
            assert_eq!(printer.retract(LONG).await, Ok(()));
            let presenter = printer.presenter().await.expect("answers");
            assert!(presenter.nothing());
            printer.print(&document(), LONG).await;
            desk.desk("presenter jam");
            assert_eq!(printer.present(LONG).await, Err(PrintFault::PaperJammed));
        },
    );
}

#[test]
fn a_printer_without_qr_symbols_gets_a_picture_of_the_same_symbol() {
    let native = document().encode().expect("printable");
    let pictures = document()
        .encode_with(Symbols::Pictures)
        .expect("printable");
    let has = |bytes: &[u8], sought: &[u8]| bytes.windows(3).any(|w| w == sought);
    assert!(has(&native, &[0x1D, 0x28, 0x6B]) && !has(&pictures, &[0x1D, 0x28, 0x6B]));
    // Drawn, both are the same symbol, but for where the line feed after it ends.
    let ink = |bytes: &[u8]| {
        let (width, rows) = crate::paper::receipt_dots(bytes).expect("drawn");
        rows.chunks(width).filter(|row| row.contains(&1)).count()
    };
    assert_eq!(ink(&native), ink(&pictures));
}

#[test]
fn a_receipt_longer_than_the_printers_buffer_arrives_once_and_in_order() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let line = |n| format!("{n:03} 样例样例样例样例样例样例");
        let lines = (0..300).map(|n| ReceiptLine::text(line(n)));
        let document = ReceiptDocument {
            lines: lines.collect(),
        };
        let size = document.encode().expect("printable").len();
        assert!(size > 2 * crate::twin::printer_class::RECEIVE_MAX);
        let outcome = desk.open().await.print(&document, LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { cut: true, .. }));
        let expected: Vec<String> = (0..300).map(line).collect();
        assert_eq!(desk.twin.borrow().last_texts(), expected);
    });
}

#[test]
fn a_clone_without_fences_gets_the_weaker_grade() {
    let twin = ReceiptPrinterTwin::new(None).without_fences();
    run(twin, |desk| async move {
        let outcome = desk.open().await.print(&document(), LONG).await;
        let done = PrintOutcome::Done {
            grade: Grade::Ordered,
            evidence: "00".to_owned(),
            cut: true,
        };
        assert_eq!(outcome, done);
    });
}

#[test]
fn paper_out_before_is_nothing_and_in_the_middle_is_partial() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        desk.desk("paper-out");
        let failed = |printed| PrintOutcome::Failed {
            printed,
            fault: PrintFault::PaperOut,
        };
        assert_eq!(
            printer.print(&document(), LONG).await,
            failed(Printed::Nothing)
        );
        desk.desk("refill");
        let document = document();
        let printing = printer.print(&document, LONG);
        let out = async {
            desk.clock.sleep(Duration::from_millis(100)).await;
            desk.desk("paper-out");
        };
        let (outcome, ()) = tokio::join!(printing, out);
        assert_eq!(outcome, failed(Printed::Partial));
        desk.desk("refill");
        let again = printer.print(&document, LONG).await;
        assert!(matches!(again, PrintOutcome::Done { .. }));
        assert_eq!(desk.bus.counter("receipt-printer", "receipts"), 1);
    });
}

#[test]
fn a_cutter_that_sticks_after_the_print_is_still_a_printed_receipt() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        let document = document();
        let printing = printer.print(&document, LONG);
        let stuck = async {
            // 35 lines take 30 ms each, then the knife falls within 300 ms.
            desk.clock.sleep(Duration::from_millis(1_200)).await;
            desk.desk("cutter stuck");
        };
        let (outcome, ()) = tokio::join!(printing, stuck);
        assert!(matches!(outcome, PrintOutcome::Done { cut: false, .. }));
    });
}

#[test]
fn an_open_cover_and_a_low_roll_are_told_apart() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        desk.desk("near-end");
        let low = ReceiptPrinterStatus {
            fault: None,
            near_end: true,
        };
        assert_eq!(printer.status().await, Ok(low));
        desk.desk("cover open");
        let fault = printer.status().await.expect("answers").fault;
        assert_eq!(fault, Some(PrintFault::CoverOpen));
    });
}

#[test]
fn a_printer_unplugged_while_printing_leaves_a_doubt() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        let mut printer = desk.open().await;
        let document = document();
        let printing = printer.print(&document, LONG);
        let pull = async {
            desk.clock.sleep(Duration::from_millis(50)).await;
            desk.bus.unplug("receipt-printer");
        };
        let (outcome, ()) = tokio::join!(printing, pull);
        let why = PrintFault::NoDevice;
        assert_eq!(outcome, PrintOutcome::Unknown { why });
    });
}

#[test]
fn a_printer_opened_without_paper_prints_once_it_is_refilled() {
    run(ReceiptPrinterTwin::new(None), |desk| async move {
        desk.desk("paper-out");
        let mut printer = desk.open().await;
        let fault = printer.status().await.expect("answers").fault;
        assert_eq!(fault, Some(PrintFault::PaperOut));
        desk.desk("refill");
        let outcome = printer.print(&document(), LONG).await;
        let identified = matches!(
            outcome,
            PrintOutcome::Done {
                grade: Grade::Identified,
                ..
            }
        );
        assert!(identified, "{outcome:?}");
    });
}

/// Status an emulator of another maker pushes.
#[test]
fn pushed_status_means_what_another_makers_emulator_means_by_it() {
    for (pushed, fault, near) in [
        ([0x10, 0, 0, 0], None, false),
        ([0x10, 0, 0x03, 0], None, true),
        ([0x18, 0, 0x0F, 0], Some(PrintFault::PaperOut), true),
        ([0x38, 0, 0, 0], Some(PrintFault::CoverOpen), false),
        ([0x18, 0, 0, 0], Some(PrintFault::Offline), false),
    ] {
        let asb = Asb(pushed);
        assert_eq!(
            (fault_of(asb), asb.near_end()),
            (fault, near),
            "{pushed:02x?}"
        );
    }
}
