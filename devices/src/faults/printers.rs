//! Form printers: one numbered form. What an outcome claims about paper is held
//! against the paper twice: at once, and when everything that was queued has run out.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::bill::{BillNumber, BillRange};

use super::plan::{Fault, Plan};
use super::receipts::{CLEAN, Claim, LONG, OPEN, bears};
use super::wire::Cable;
use super::{Desk, Same, Subject, Trouble, refused, run, wrong};
use crate::driver::completion::Grade;
use crate::driver::form_printer::PrintOutcome;
use crate::driver::form_station::{Family, FormSettings, FormStation};
use crate::driver::numbered::Readback;
use crate::driver::sample::{FIRST, approved, job, number};
use crate::transport::twin_bus::TwinBus;
use crate::twin::escp2_printer::Escp2PrinterTwin;
use crate::twin::form_printer::{FormPrinterTwin, Place, SheetRecord};
use crate::twin::pr2_printer::Pr2PrinterTwin;
use crate::twin::slip_station::SlipStationTwin;

struct Forms {
    family: Family,
    number: Readback,
    /// What the session without faults struck on its sheet: the drivers' tests look at
    /// that, and it is the same on every number.
    page: OnceCell<Vec<u8>>,
}

/// A sheet and the bytes that were struck on it.
type Sheet = (SheetRecord, Vec<u8>);

struct Stock {
    sheets: Box<dyn Fn() -> Vec<Sheet>>,
    claims: RefCell<Vec<Claim>>,
}

impl Stock {
    fn of<T: 'static>(
        twin: &Rc<RefCell<T>>,
        sheets: fn(&T) -> Vec<SheetRecord>,
        pages: fn(&T) -> Vec<Vec<u8>>,
    ) -> Rc<Self> {
        let twin = Rc::clone(twin);
        let both = move || {
            let twin = twin.borrow();
            sheets(&twin).into_iter().zip(pages(&twin)).collect()
        };
        Rc::new(Self {
            sheets: Box::new(both),
            claims: RefCell::default(),
        })
    }

    fn ink(&self) -> Vec<(BillNumber, usize)> {
        let sheets = (self.sheets)();
        let inked = sheets.iter().filter(|(_, page)| !page.is_empty());
        inked
            .map(|(sheet, page)| (sheet.number, page.len()))
            .collect()
    }

    /// From now on, and as long as this session's device is not opened again.
    fn claim(self: &Rc<Self>, claim: impl Fn(&Stock) -> Result<(), String> + 'static) {
        let stock = Rc::clone(self);
        self.claims
            .borrow_mut()
            .push(Box::new(move || claim(&stock)));
    }

    fn no_ink_but(self: &Rc<Self>, may: Option<BillNumber>) {
        let before = self.ink();
        self.claim(move |stock| {
            let ink = stock.ink();
            let mut new = ink.iter().filter(|ink| !before.contains(ink));
            match new.find(|(number, _)| Some(*number) != may) {
                None => Ok(()),
                Some((number, _)) => Err(format!("there is ink on {number}")),
            }
        });
    }

    fn held(&self) -> Result<(), String> {
        self.claims.borrow().iter().try_for_each(|claim| claim())
    }
}

impl Forms {
    fn of(family: Family) -> Self {
        Self::read_by(family, Readback::Operator)
    }

    fn read_by(family: Family, number: Readback) -> Self {
        Self {
            family,
            number,
            page: OnceCell::new(),
        }
    }

    fn settings(&self) -> FormSettings {
        let codes = "[status]\n0 = \"ready\"\n2 = \"jammed\"\n4 = \"cover-open\"\n\
                     8 = \"ribbon-out\"\n[position]\n0 = \"absent\"\n1 = \"entry\"\n2 = \"inside\"";
        FormSettings {
            family: Some(self.family),
            number: self.number,
            codes: toml::from_str(codes).expect("lawful"),
            ..FormSettings::default()
        }
    }

    fn by_hand(&self) -> bool {
        self.family != Family::Cassettes
    }

    /// A form in, its number read and compared.
    async fn feed(
        &self,
        desk: &Desk,
        stock: &Rc<Stock>,
        printer: &mut FormStation<Cable>,
    ) -> Result<BillNumber, Trouble> {
        let before = (stock.sheets)().len();
        let slot = "slot-1".parse().expect("a slot");
        let hand = async {
            desk.clock.sleep(Duration::from_secs(1)).await;
            if self.by_hand() {
                desk.act("insert");
            }
        };
        let feed = desk.within("feed", LONG + CLEAN, printer.feed(&slot, LONG));
        let (fed, ()) = tokio::join!(feed, hand);
        if let Err(error) = fed? {
            // Where a hand feeds, it may do so when nobody looks any more.
            if !error.may_have_moved() && !self.by_hand() {
                stock.claim(move |stock| match (stock.sheets)().len() == before {
                    true => Ok(()),
                    false => Err("nothing was fed, it said, and something was".to_owned()),
                });
            }
            return Err(refused(error));
        }
        let sheets = (stock.sheets)();
        if sheets.len() != before + 1 {
            return Err(wrong(format!("fed {} sheets", sheets.len() - before)));
        }
        let truth = sheets[before].0.number;
        if self.by_hand() && self.number == Readback::Operator {
            let read = printer.operator_reads(truth, truth);
            read.expect("what was fed can be read");
        }
        let read = desk.within("read", LONG + CLEAN, printer.read_number(LONG));
        match read.await?.map_err(refused)? {
            read if read == truth => Ok(truth),
            read => Err(wrong(format!("{truth} was read as {read}"))),
        }
    }

    /// One form, up to what printing it came to.
    async fn print(&self, desk: &Desk, stock: &Rc<Stock>) -> Result<(), Trouble> {
        let usb = desk.wire.open().map_err(refused)?;
        let settings = self.settings();
        let opened = FormStation::open(usb, desk.clock.clone(), &Same, &settings);
        let mut printer = desk.within("open", OPEN, opened).await?.map_err(refused)?;
        let number = self.feed(desk, stock, &mut printer).await?;
        stock.claims.borrow_mut().clear();
        stock.no_ink_but(Some(number));
        let job = job(&number.to_string());
        let approved = approved();
        let print = printer.print(&job, &approved, LONG);
        let outcome = desk.within("print", LONG + CLEAN, print).await?;
        let (sheet, page) = (stock.sheets)().pop().expect("one was fed");
        match outcome {
            PrintOutcome::Done { grade, .. } => {
                let whole = *self.page.get_or_init(|| page.clone()) == page;
                let out = matches!(sheet.place, Place::Escrow | Place::Output);
                match desk.wire.struck_by() {
                    _ if out && whole && !sheet.partial => Ok(()),
                    // It promised no more than that.
                    _ if grade < Grade::Ordered => Err(refused("only accepted")),
                    // Bytes of a page that it took and lost by itself, and all commands
                    // behind them worked off: no answer of any printer tells of that.
                    Some(Fault::Swallowed) => Err(refused("its own loss")),
                    _ => Err(wrong(format!("done, it said: {sheet:?}"))),
                }
            }
            PrintOutcome::Failed { fault, ink: false } => {
                stock.claims.borrow_mut().clear();
                stock.no_ink_but(None);
                match page.is_empty() {
                    true => Err(refused(fault)),
                    false => Err(wrong("no ink, it said, and there is")),
                }
            }
            PrintOutcome::Failed { fault, ink: true } => Err(refused(fault)),
            PrintOutcome::Unknown { why } => Err(refused(why)),
        }
    }
}

impl Subject for Forms {
    type Device = Rc<Stock>;

    fn name(&self) -> String {
        format!("forms, {:?}, {:?}", self.family, self.number)
    }

    fn plug(&self, bus: &TwinBus, name: &str) -> Rc<Stock> {
        let pile = BillRange::from_count(number(FIRST), 5).expect("fits");
        match self.family {
            Family::Cassettes => {
                let slots = [("slot-1".parse().expect("a slot"), pile)];
                let twin = Rc::new(RefCell::new(FormPrinterTwin::new(slots, None)));
                bus.plug(name, twin.clone());
                Stock::of(&twin, FormPrinterTwin::sheets, FormPrinterTwin::pages)
            }
            Family::Escp2 => {
                let twin = Rc::new(RefCell::new(Escp2PrinterTwin::new(pile, None)));
                bus.plug(name, twin.clone());
                Stock::of(&twin, Escp2PrinterTwin::sheets, Escp2PrinterTwin::pages)
            }
            Family::Pr2 => {
                let twin = Rc::new(RefCell::new(Pr2PrinterTwin::new(pile, None)));
                bus.plug(name, twin.clone());
                Stock::of(&twin, Pr2PrinterTwin::sheets, Pr2PrinterTwin::pages)
            }
            Family::SlipStation => {
                let twin = Rc::new(RefCell::new(SlipStationTwin::new(pile, None)));
                bus.plug(name, twin.clone());
                Stock::of(&twin, SlipStationTwin::sheets, SlipStationTwin::pages)
            }
        }
    }

    async fn session(&self, desk: &Desk, stock: &Rc<Stock>) -> Result<(), Trouble> {
        stock.claims.borrow_mut().clear();
        stock.no_ink_but(None);
        let done = self.print(desk, stock).await;
        match stock.held() {
            Ok(()) => done,
            // What is left of a command that a printer lost by itself is text to it.
            Err(_) if desk.wire.struck_by() == Some(Fault::Swallowed) => {
                stock.claims.borrow_mut().clear();
                done
            }
            Err(what) => Err(wrong(format!("{what}, and it said {done:?}"))),
        }
    }

    fn later(&self, stock: &Rc<Stock>) -> Result<(), String> {
        stock.held()
    }

    fn mend(&self, desk: &Desk, _: &Rc<Stock>) {
        desk.act("cover close");
        desk.act("clear jam");
        desk.act("empty");
    }

    fn within(&self) -> Duration {
        4 * LONG
    }

    fn bears(&self, plan: Plan, offset: usize) -> bool {
        bears(plan, offset)
    }
}

#[test]
fn form_printers_with_cassettes_bear_every_fault() {
    run(&Forms::of(Family::Cassettes), 1);
}

#[test]
fn form_printers_fed_by_hand_bear_every_fault() {
    run(&Forms::of(Family::Escp2), 4);
    run(&Forms::of(Family::Pr2), 1);
}

#[test]
fn slip_stations_bear_every_fault() {
    run(&Forms::of(Family::SlipStation), 1);
    run(&Forms::read_by(Family::SlipStation, Readback::Micr), 1);
}
