//! The kit of the form printer with cassettes: what its driver relies on before a
//! numbered form is trusted to it.
//!
//! The order is from what moves nothing to what a person must break. A number read by
//! the printer is compared with the one a person sees on the blank (a twin's desk says
//! it); checks that print use the number as read, so that a reader that lies fails its
//! own checks and no others.

mod buffers;
mod bundle;
mod cable;
mod faults;
mod feeding;
mod ink;
mod status;
mod stock;
mod usb;

use std::cell::Cell;
use std::time::Duration;

use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::form::{self, FormTemplate};
use counterfoil_data::ids::SlotId;
use counterfoil_data::money::Fen;
use counterfoil_data::seam::Local;
use counterfoil_data::wire::confirm::ConfirmText;
use counterfoil_data::wire::sale::PrintJob;

use super::bench::Bench;
use super::wire::Wire;
use super::{Check, Stop, Subject, ensure, expect};
use crate::driver::form_printer::{FormPrinter, Occupancy, PrintOutcome};
use crate::paper::Ink;
use crate::transport::Bus;

/// Time for one act of the mechanics.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// The printer to do something to the paper.
type Printer<B> = FormPrinter<<B as Bus>::Transport>;

/// A job, and what an officer confirmed for it.
pub(crate) type Sale = (PrintJob, ConfirmText);

/// The printer under test and the cassette its blanks are taken from.
pub struct FormBench<B> {
    bench: Bench<B>,
    slot: SlotId,
    next: Cell<Option<BillNumber>>,
}

impl<B: Bus> FormBench<B> {
    /// Blanks come from `slot`.
    pub fn new(bench: Bench<B>, slot: SlotId) -> Self {
        Self {
            bench,
            slot,
            next: Cell::new(None),
        }
    }

    async fn open(&self) -> Result<Printer<B>, Stop> {
        let usb = self.bench.open().await?;
        let clock = self.bench.clock.clone();
        Ok(FormPrinter::open(usb, clock, &*self.bench.entropy).await?)
    }

    async fn wire(&self) -> Result<Wire<B::Transport>, Stop> {
        Wire::open(self.bench.open().await?, self.bench.clock.clone()).await
    }

    /// The number on the next blank, as a person sees it.
    async fn expected(&self) -> Result<BillNumber, Stop> {
        if let Some(look) = self.bench.hands.look(&self.bench.path).await? {
            let found = next_in(&look, &self.slot);
            return found.ok_or_else(|| Stop::Skipped(format!("{}: no blank left", self.slot)));
        }
        if let Some(number) = self.next.get() {
            return Ok(number);
        }
        let words = format!("type the 16 digits of the next blank in {}", self.slot);
        let typed = self.bench.hands.typed(&words).await?;
        let number = typed.and_then(|t| t.replace(' ', "").parse().ok());
        let number = number.ok_or_else(|| Stop::Skipped("that is no bill number".into()))?;
        self.next.set(Some(number));
        Ok(number)
    }

    /// One blank left the cassette.
    fn gone(&self) {
        self.next.set(self.next.get().and_then(following));
    }

    /// Feeds one blank and reads it; its number as the printer reads it.
    async fn fed(&self, printer: &mut Printer<B>) -> Result<BillNumber, Stop> {
        printer.feed(&self.slot, LONG).await?;
        self.gone();
        Ok(printer.read_number(LONG).await?)
    }

    /// Feeds, reads and inks one form into the escrow.
    async fn printed(&self, printer: &mut Printer<B>) -> Result<(), Stop> {
        let number = self.fed(printer).await?;
        let (job, text) = self.job(number)?;
        is_done(&printer.print(&job, &text, LONG).await).map(drop)
    }

    fn job(&self, number: BillNumber) -> Result<(PrintJob, ConfirmText), Stop> {
        sale_of_one(number, self.slot.as_str())
    }

    /// Lets the handle go and brings what it printed into the retract bin.
    async fn at_rest_after(&self, printer: Printer<B>) -> Result<(), Stop> {
        drop(printer);
        self.at_rest().await.map(drop)
    }

    /// Nothing may lie anywhere before a check that counts where paper is.
    async fn at_rest(&self) -> Result<Printer<B>, Stop> {
        let mut printer = self.open().await?;
        let status = printer.status().await?;
        if let Some(fault) = status.fault {
            return Err(Stop::Failed(format!("it reports a fault at rest: {fault}")));
        }
        if status.transport == Occupancy::Occupied {
            printer.divert(LONG).await?;
        }
        if status.escrow == Occupancy::Occupied {
            printer.present(LONG).await?;
        }
        if status.escrow == Occupancy::Occupied || status.output == Occupancy::Occupied {
            printer.retract(LONG).await?;
        }
        Ok(printer)
    }
}

impl<B: Bus> Subject for FormBench<B> {
    type Bus = B;

    fn bench(&self) -> &Bench<B> {
        &self.bench
    }

    fn settle(&self) -> Local<'_, Result<(), String>> {
        Box::pin(async {
            self.next.set(None);
            let words = "close every cover, clear every jam and put in what was taken out";
            let acts = ["replug", "cover close", "ribbon ok", "clear jam"];
            self.bench.put_in_order(&acts, words).await?;
            self.at_rest().await.map(drop).map_err(|stop| match stop {
                Stop::Failed(seen) => seen,
                Stop::Skipped(why) => why,
            })
        })
    }
}

/// `slot-1: 200 blanks, next 31300021 00010001` among what a twin's desk says.
fn next_in(look: &str, slot: &SlotId) -> Option<BillNumber> {
    let head = format!("{slot}: ");
    let fact = look.split("; ").find(|fact| fact.starts_with(&head))?;
    let (_, number) = fact.rsplit_once("next ")?;
    number.replace(' ', "").parse().ok()
}

fn following(number: BillNumber) -> Option<BillNumber> {
    number.next().ok()
}

/// The form the sale of one blank prints, with text of every width and of GBK.
pub(crate) fn sale_of_one(number: BillNumber, slot: &str) -> Result<Sale, Stop> {
    let kind = number.prefix.kind().ok().and_then(form::template_for);
    let template = kind.ok_or_else(|| Stop::seen(format!("no form template for {number}")))?;
    let range = BillRange::from_count(number, 1);
    let range = range.map_err(|e| Stop::Failed(e.to_string()))?;
    let text = ConfirmText {
        account_name: "样例〇机械·①㎡（甲）公司".to_owned(),
        account: "6217000000000000123".to_owned(),
        bank_name: "样例银行样例支行".to_owned(),
        bank_number: "313100000013".to_owned(),
        agent_masked: "张**".to_owned(),
        ranges: vec![range],
        count: 1,
        fee: Fen(60),
    };
    let job = PrintJob {
        number,
        slot: slot.parse().map_err(|_| Stop::seen("no slot"))?,
        template: template.to_owned(),
        fields: form::expected_fields(&text),
        approved: text.digest(),
        supplement_of: None,
    };
    Ok((job, text))
}

/// The grade of a form that was printed.
pub(crate) fn is_done(outcome: &PrintOutcome) -> Result<String, Stop> {
    match outcome {
        PrintOutcome::Done { grade, .. } => Ok(format!("grade {}", grade.word())),
        PrintOutcome::Failed { fault, ink } => {
            Err(Stop::Failed(format!("not printed: {fault} (ink: {ink})")))
        }
        PrintOutcome::Unknown { why } => Err(Stop::Failed(format!("no outcome: {why}"))),
    }
}

/// The ink lies in the boxes of the template's fields.
pub(crate) fn within_boxes(ink: &Ink, template: &FormTemplate) -> Result<(), Stop> {
    let areas = || template.fields.iter().map(|f| f.area);
    let left = areas().map(|a| a.x).min().unwrap_or(0);
    let top = areas().map(|a| a.y).min().unwrap_or(0);
    let right = areas().map(|a| a.right()).max().unwrap_or(0);
    let bottom = areas().map(|a| a.bottom()).max().unwrap_or(0);
    let inside = ink.left >= left && ink.top >= top && ink.right <= right && ink.bottom <= bottom;
    ensure(
        inside,
        format!("{ink}, boxes {left},{top} to {right},{bottom}"),
    )?;
    expect("ink where none may be", ink.stray.as_slice(), &[])
}

/// Nothing may be called printed that was not.
pub(crate) fn not_done(outcome: &PrintOutcome) -> Result<(), Stop> {
    let done = matches!(outcome, PrintOutcome::Done { .. });
    ensure(!done, format!("called printed: {outcome:?}"))
}

/// Every check, in order.
pub fn kit<B: Bus>() -> Vec<Check<FormBench<B>>> {
    let mut all = usb::checks();
    all.extend(status::checks());
    all.extend(buffers::checks());
    all.extend(feeding::checks());
    all.extend(ink::checks());
    all.extend(bundle::checks());
    all.extend(stock::checks());
    all.extend(faults::checks());
    all.extend(cable::checks());
    all
}
