//! Which printer is meant, and the acts of those that lack a mechanism.

use std::cell::RefCell;
use std::rc::Rc;

use counterfoil_data::bill::BillRange;
use counterfoil_data::form;

use super::*;
use crate::driver::completion::Grade;
use crate::driver::escp2::page as escp2_page;
use crate::system::{SystemEntropy, TokioClock};
use crate::transport::twin_bus::{TwinBus, TwinTransport};
use crate::twin::Twin;
use crate::twin::escp2_printer::Escp2PrinterTwin;
use crate::twin::form_printer::FormPrinterTwin;
use crate::twin::pr2_printer::Pr2PrinterTwin;
use crate::twin::slip_station::SlipStationTwin;
use crate::twin::{escp2_printer, form_printer, pr2_printer, receipt_printer, slip_station};

#[test]
fn settings_are_read_and_what_they_do_not_know_is_refused() {
    let read = |text: &str| toml::from_str::<FormSettings>(text);
    let text = "device = \"04b8:0202\"\nfamily = \"escp2\"\nnumber = \"operator\"\n\
                presence = \"operator\"\ninsertion = \"on-command\"\ntext = \"native\"\n\
                steps = \"216\"\n[codes.status]\n0 = \"ready\"\n\
                [offsets]\nslot-1 = { x = 3, y = -2 }";
    let settings = read(text).expect("lawful");
    let device = settings.device.expect("named");
    assert_eq!(device.to_string(), "04b8:0202");
    let slot: SlotId = "slot-1".parse().expect("a slot");
    assert_eq!(
        settings.offsets.get(&slot),
        Offset::new(3, -2).ok().as_ref()
    );
    assert_eq!(read("").expect("all default"), FormSettings::default());
    let text = "family = \"slip-station\"\nslip = \"tm-u375\"\nnumber = \"micr\"";
    let station = read(text).expect("lawful");
    assert_eq!(station.family, Some(Family::SlipStation));
    assert_eq!(station.slip, SlipModel::TmU375);
    assert_eq!(station.number, Readback::Micr);
    for bad in [
        "device = \"4b8:0202\"",
        "family = \"lq\"",
        "number = \"reader\"",
        "offsets = { slot-1 = { x = 99 } }",
        "colour = 1",
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_configured_device_is_the_form_printer_and_no_other_is() {
    let mut settings = FormSettings::default();
    let forms = form_printer::IDENTITY.info();
    let pins = escp2_printer::IDENTITY.info();
    let receipts = receipt_printer::IDENTITY.info();
    assert_eq!(settings.role_of(&forms), Some(Role::FormPrinter));
    assert_eq!(settings.role_of(&pins), Some(Role::FormPrinter));
    assert_eq!(settings.role_of(&receipts), Some(Role::ReceiptPrinter));
    assert_eq!(settings.family_of(&forms), Family::Cassettes);
    assert_eq!(settings.family_of(&pins), Family::Escp2);
    let passbooks = pr2_printer::IDENTITY.info();
    assert_eq!(settings.role_of(&passbooks), Some(Role::FormPrinter));
    assert_eq!(settings.family_of(&passbooks), Family::Pr2);
    let slips = slip_station::IDENTITY.info();
    assert_eq!(settings.role_of(&slips), Some(Role::FormPrinter));
    assert_eq!(settings.family_of(&slips), Family::SlipStation);
    settings.device = Some(UsbIds {
        vendor: receipts.vendor,
        product: receipts.product,
    });
    assert_eq!(settings.role_of(&receipts), Some(Role::FormPrinter));
    assert_eq!(settings.role_of(&forms), None);
}

const LONG: Duration = Duration::from_secs(30);
const FIRST: &str = "3130112100000101";

/// The station of a twin, plugged in as the form printer.
async fn station(
    twin: Rc<RefCell<dyn Twin>>,
    settings: &FormSettings,
) -> (TwinBus, SharedClock, FormStation<TwinTransport>) {
    let clock: SharedClock = Rc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let bus = TwinBus::new(clock.clone());
    bus.plug("form-printer", twin);
    let transport = bus.open_now("form-printer").expect("plugged in");
    let opened = FormStation::open(transport, clock.clone(), &SystemEntropy, settings).await;
    (bus, clock, opened.expect("opens"))
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn range() -> BillRange {
    BillRange::from_count(FIRST.parse().expect("a number"), 5).expect("fits")
}

#[test]
fn a_calibration_is_printed_by_hand_and_what_is_missing_is_unsupported() {
    run(async {
        let twin = Rc::new(RefCell::new(Escp2PrinterTwin::new(range(), None)));
        let offset = Offset::new(-3, 8).expect("small");
        let slot: SlotId = "slot-1".parse().expect("a slot");
        let settings = FormSettings {
            number: Readback::Operator,
            offsets: [(slot.clone(), offset)].into(),
            ..FormSettings::default()
        };
        let (bus, clock, mut printer) = station(twin.clone(), &settings).await;
        let hand = async {
            clock.sleep(Duration::from_secs(2)).await;
            bus.desk("form-printer insert").expect("a sheet");
        };
        let (fed, ()) = tokio::join!(printer.feed(&slot, LONG), hand);
        fed.expect("fed");
        let template = form::template("transfer-cheque").expect("sound");
        let outcome = printer.calibrate(&template, &slot, LONG).await;
        let grade = match outcome {
            PrintOutcome::Done { grade, .. } => grade,
            other => panic!("{other:?}"),
        };
        assert_eq!(grade, Grade::Status);
        let page = escp2_page::calibration(&template.stock, offset, TextMode::Picture);
        assert_eq!(twin.borrow().pages().concat(), page.expect("fits"));
        assert_eq!(printer.present(LONG).await, Err(PrintFault::Unsupported));
        assert_eq!(printer.wait_taken(LONG).await, Err(PrintFault::Unsupported));
        assert_eq!(printer.retract(LONG).await, Err(PrintFault::Unsupported));
    });
}

#[test]
fn a_printer_that_reads_a_number_calibrates_on_no_numbered_sheet() {
    run(async {
        let slot: SlotId = "slot-1".parse().expect("a slot");
        let slots = [(slot.clone(), range())];
        let twin = Rc::new(RefCell::new(FormPrinterTwin::new(slots, None)));
        let (bus, _, mut printer) = station(twin, &FormSettings::default()).await;
        let template = form::template("transfer-cheque").expect("sound");
        printer.feed(&slot, LONG).await.expect("fed");
        let outcome = printer.calibrate(&template, &slot, LONG).await;
        let refused = PrintOutcome::Failed {
            fault: PrintFault::SequenceInvalid,
            ink: false,
        };
        assert_eq!(outcome, refused);
        printer.divert(LONG).await.expect("diverted");
        bus.desk("form-printer unreadable next").expect("prepared");
        printer.feed(&slot, LONG).await.expect("fed");
        let outcome = printer.calibrate(&template, &slot, LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        let number = FIRST.parse().expect("a number");
        let by_operator = printer.operator_reads(number, number);
        let fault = PrintFault::Unsupported;
        assert_eq!(by_operator, Err(ReadError::Printer { fault }));
    });
}

#[test]
fn a_job_a_printer_has_no_room_or_type_for_is_known_before_anything_is_fed() {
    let job = crate::driver::sample::job(FIRST);
    let named = |name: &str| {
        let mut job = job.clone();
        job.fields.insert("account_name".into(), name.into());
        job
    };
    let long = "样".repeat(60);
    // Two lines in the small type of the first, one too many in the only type of the last.
    let between = "样".repeat(40);
    let mut unknown = job.clone();
    unknown.template = "cheque-of-tomorrow".into();
    run(async {
        let slots = [("slot-1".parse().expect("a slot"), range())];
        let cassettes = Rc::new(RefCell::new(FormPrinterTwin::new(slots, None)));
        let (_, _, cassettes) = station(cassettes, &FormSettings::default()).await;
        let pins = Rc::new(RefCell::new(Escp2PrinterTwin::new(range(), None)));
        let (_, _, pins) = station(pins, &FormSettings::default()).await;
        let passbooks = Rc::new(RefCell::new(Pr2PrinterTwin::new(range(), None)));
        let (_, _, passbooks) = station(passbooks, &FormSettings::default()).await;
        let slips = Rc::new(RefCell::new(SlipStationTwin::new(range(), None)));
        let (_, _, slips) = station(slips, &FormSettings::default()).await;
        for (printer, narrow) in [
            (&cassettes, false),
            (&pins, false),
            (&passbooks, true),
            (&slips, true),
        ] {
            assert_eq!(printer.can_print(&job), Ok(()));
            let overflow = Err(PrintFault::MediaOverflow);
            assert_eq!(printer.can_print(&named(&long)), overflow);
            assert_eq!(printer.can_print(&named(&between)).is_err(), narrow);
            assert_eq!(printer.can_print(&unknown), Err(PrintFault::FormNotFound));
        }
        let rare = slips.can_print(&named("𠮷样例有限公司"));
        assert_eq!(rare, Err(PrintFault::CharSetData));
        // U+20BB7 needs four bytes in GB18030.
        let rare = cassettes.can_print(&named("𠮷样例有限公司"));
        assert_eq!(rare, Err(PrintFault::CharSetData));
    });
}

#[test]
fn a_slip_station_is_calibrated_at_its_offset_presents_at_its_mouth_and_retracts_nothing() {
    run(async {
        let twin = Rc::new(RefCell::new(SlipStationTwin::new(range(), None)));
        let offset = Offset::new(-3, 8).expect("small");
        let slot: SlotId = "slot-1".parse().expect("a slot");
        let settings = FormSettings {
            number: Readback::Operator,
            offsets: [(slot.clone(), offset)].into(),
            ..FormSettings::default()
        };
        let (bus, clock, mut printer) = station(twin.clone(), &settings).await;
        assert_eq!(printer.present(LONG).await, Err(PrintFault::NoMediaPresent));
        let hand = async {
            clock.sleep(Duration::from_secs(2)).await;
            bus.desk("form-printer insert").expect("a sheet");
        };
        let (fed, ()) = tokio::join!(printer.feed(&slot, LONG), hand);
        fed.expect("fed");
        let template = form::template("transfer-cheque").expect("sound");
        let outcome = printer.calibrate(&template, &slot, LONG).await;
        assert!(matches!(outcome, PrintOutcome::Done { .. }), "{outcome:?}");
        let ink = bus.desk("form-printer measure").expect("there is ink");
        let ink: crate::paper::Ink = ink.parse().expect("measured");
        // The first cross is centred on 10 mm, 10 mm; it is off by the offset.
        assert!(ink.left.abs_diff(100 - 15 - 3) <= 15, "{ink}");
        assert_eq!(printer.present(LONG).await, Ok(()));
        let soon = Duration::from_secs(1);
        assert_eq!(printer.wait_taken(soon).await, Ok(Taking::StillThere));
        bus.desk("form-printer take").expect("it lies there");
        assert_eq!(printer.wait_taken(soon).await, Ok(Taking::Taken));
        assert_eq!(printer.retract(LONG).await, Err(PrintFault::Unsupported));
    });
}

#[test]
fn a_printer_whose_number_nobody_reads_says_that_it_feeds_nothing() {
    run(async {
        for (slip, number, may) in [
            (SlipModel::TmH5000ii, Readback::None, false),
            (SlipModel::TmH5000ii, Readback::Micr, true),
            (SlipModel::TmU375, Readback::Micr, false),
            (SlipModel::TmU375, Readback::Operator, true),
        ] {
            let settings = FormSettings {
                slip,
                number,
                ..FormSettings::default()
            };
            let twin = Rc::new(RefCell::new(SlipStationTwin::new(range(), None)));
            let (_, _, printer) = station(twin, &settings).await;
            let fault = PrintFault::NoReader;
            assert_eq!(
                printer.may_feed(),
                may.then_some(()).ok_or(fault),
                "{slip:?}"
            );
        }
    });
}
