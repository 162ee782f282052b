//! Receipt printers: one receipt. What an outcome claims about paper is held against the
//! paper twice: at once, and when everything that was queued has run out.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::plan::{Fault, Plan, Way};
use super::{Desk, PACKET, Same, Subject, Trouble, refused, run, wrong};
use crate::driver::completion::Grade;
use crate::driver::receipt_printer::{
    PrintOutcome as PrintedReceipt, Printed, ReceiptDocument, ReceiptLine, ReceiptPrinter,
};
use crate::transport::twin_bus::TwinBus;
use crate::twin::Twin as _;
use crate::twin::receipt_printer::ReceiptPrinterTwin;

pub(super) const OPEN: Duration = Duration::from_secs(15);
/// To empty the printer after a failure.
pub(super) const CLEAN: Duration = Duration::from_secs(10);
pub(super) const LONG: Duration = Duration::from_secs(30);

/// A claim about paper, and how it is tested: what is wrong, if anything.
pub(super) type Claim = Box<dyn Fn() -> Result<(), String>>;

/// Text mended by every subject here: any stream of bytes in any pieces.
pub(super) fn bears(plan: Plan, offset: usize) -> bool {
    match (plan.way, plan.fault) {
        (Way::In, Fault::Pieces | Fault::Empty) => true,
        (Way::In, Fault::LateABit) => true,
        (Way::Out, Fault::Pieces) => true,
        (Way::Out, Fault::LateABit) => offset.is_multiple_of(PACKET),
        _ => false,
    }
}

#[derive(Debug, Clone, Copy)]
enum Receipts {
    Fenced,
    Ordered,
    OneWay,
}

type Roll = Rc<(RefCell<Vec<Claim>>, Rc<RefCell<ReceiptPrinterTwin>>)>;

fn document() -> ReceiptDocument {
    let mut lines = vec![ReceiptLine::title("样例银行")];
    lines.extend((0..6).map(|n| ReceiptLine::text(format!("31301121 {n:08}  转账支票"))));
    lines.push(ReceiptLine::Qr("counterfoil:1:abc".to_owned()));
    lines.push(ReceiptLine::Feed(2));
    ReceiptDocument { lines }
}

/// Lines that were printed so far.
fn lines(twin: &RefCell<ReceiptPrinterTwin>) -> u64 {
    let counters = twin.borrow().counters();
    let lines = counters.iter().find(|(name, _)| *name == "lines");
    lines.expect("counted").1
}

/// Its texts as they are read off the paper.
fn texts() -> Vec<String> {
    crate::paper::texts(&document().encode().expect("fits"))
}

impl Subject for Receipts {
    type Device = Roll;

    fn name(&self) -> String {
        format!("receipts, {self:?}")
    }

    fn plug(&self, bus: &TwinBus, name: &str) -> Roll {
        let twin = ReceiptPrinterTwin::new(None);
        let twin = match self {
            Self::Fenced => twin,
            Self::Ordered => twin.without_fences(),
            Self::OneWay => twin.one_way(),
        };
        let twin = Rc::new(RefCell::new(twin));
        bus.plug(name, twin.clone());
        Rc::new((RefCell::default(), twin))
    }

    async fn session(&self, desk: &Desk, roll: &Roll) -> Result<(), Trouble> {
        roll.0.borrow_mut().clear();
        let usb = desk.wire.open().map_err(refused)?;
        let opened = ReceiptPrinter::open(usb, desk.clock.clone(), &Same);
        let mut printer = desk.within("open", OPEN, opened).await?.map_err(refused)?;
        let receipts = |roll: &Roll| roll.1.borrow().receipts().len();
        let before = (lines(&roll.1), receipts(roll));
        let document = document();
        let print = printer.print(&document, LONG);
        match desk.within("print", LONG + CLEAN, print).await? {
            PrintedReceipt::Done { cut, grade, .. } => {
                let whole = roll.1.borrow().last_texts().ends_with(&texts());
                match receipts(roll) > before.1 && whole {
                    true => Ok(()),
                    false if grade < Grade::Ordered => Err(refused("only accepted")),
                    // The text is out and the knife is not proven to have fallen.
                    false if !cut && lines(&roll.1) > before.0 => Err(refused("not cut")),
                    false => Err(wrong("done, it said, and it is not")),
                }
            }
            PrintedReceipt::Failed { printed, fault } => {
                if printed == Printed::Nothing {
                    let twin = Rc::clone(&roll.1);
                    let claim = move || match lines(&twin) == before.0 {
                        true => Ok(()),
                        false => Err("nothing was printed, it said, and it was".to_owned()),
                    };
                    roll.0.borrow_mut().push(Box::new(claim));
                }
                self.later(roll).map_err(wrong)?;
                Err(refused(fault))
            }
            PrintedReceipt::Unknown { why } => Err(refused(why)),
        }
    }

    fn later(&self, roll: &Roll) -> Result<(), String> {
        roll.0.borrow().iter().try_for_each(|claim| claim())
    }

    fn mend(&self, desk: &Desk, _: &Roll) {
        desk.act("take");
    }

    fn within(&self) -> Duration {
        4 * LONG
    }

    fn bears(&self, plan: Plan, offset: usize) -> bool {
        bears(plan, offset)
    }
}

#[test]
fn receipt_printers_bear_every_fault() {
    run(&Receipts::Fenced, 1);
    run(&Receipts::Ordered, 1);
    run(&Receipts::OneWay, 4);
}
