//! The receipt desk: what the loop closed with (S23), and the payment-password sheet (L7),
//! on paper. The sheet is opened here and nowhere else.
//!
//! A printer with a presenter hands it out, sees it taken or draws it back after its
//! time. No bin counts what was drawn back, and the sale is closed by then: what became
//! of a receipt is said to the customer and to staff, in the log, and is no evidence. A
//! sheet that was not seen taken is unknown, so its passwords are cancelled.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::bill::BillRange;
use counterfoil_data::fmt;
use counterfoil_data::locale::{Lang, Msg, text};
use counterfoil_data::money::Fen;
use counterfoil_data::sealed::OpenKey;
use counterfoil_data::seam::random;
use counterfoil_data::secret::Secret;
use counterfoil_data::shown::Shown;
use counterfoil_data::wire::sale::Receipt;
use counterfoil_data::wire::sheet::{PASSWORD_DIGITS, PasswordSheet, SheetState, SheetView};
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::receipt_printer::{
    Align, PrintFault, PrintOutcome, Printed, ReceiptDocument, ReceiptLine, ReceiptPrinter,
    SecretRow,
};
use counterfoil_devices::transport::Transport;
use serde::Deserialize;

use super::{After, SLICE, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk};
use crate::flow::event::Answer;
use crate::model::{Language, sheet_help};

/// Cells of one value on a receipt at most: two lines and a bit.
const VALUE_CELLS_MAX: usize = 120;
/// Longest print of one receipt.
const PRINT_WITHIN: Duration = Duration::from_secs(20);

/// Longest print of one payment-password sheet: 200 lines and the cut.
const SHEET_WITHIN: Duration = Duration::from_secs(40);

/// Longest way of a receipt through the presenter.
const MOVE_WITHIN: Duration = Duration::from_secs(10);

/// The table `receipt_printer` of a kiosk's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptSettings {
    /// It has a presenter of the Custom dialect. No other printer may be asked for one:
    /// to it, the question is text.
    #[serde(default)]
    pub presenter: bool,
}

/// The receipt printer, and the key of the one sheet it may be asked to print (L7).
pub(super) struct ReceiptDesk<T: Transport> {
    printer: ReceiptPrinter<T>,
    tools: Rc<Tools>,
    key: Option<OpenKey>,
}

/// The receipt as lines; nothing on it that is not on the screen (I7).
pub fn document(receipt: &Receipt, language: Language) -> ReceiptDocument {
    let lang = match language {
        Language::ZhHans => Lang::ZhHans,
        Language::En => Lang::En,
    };
    let say = |msg| text(lang, msg, &[]);
    let mut lines = vec![
        ReceiptLine::title(say(Msg::ReceiptTitle)),
        ReceiptLine::Rule,
    ];
    let mut field = |msg, value: &str| {
        let name = say(msg);
        let value = Shown::from_untrusted(value, VALUE_CELLS_MAX);
        lines.push(ReceiptLine::text(format!("{name}: {value}")));
    };
    field(Msg::Requisition, &receipt.requisition);
    field(Msg::BusinessDate, &receipt.date.to_string());
    field(Msg::KioskName, receipt.kiosk.as_str());
    field(Msg::Unit, &receipt.unit);
    field(Msg::Account, &receipt.account_masked);
    field(Msg::Agent, &receipt.agent_masked);
    let fee = match receipt.fee {
        Fen::ZERO => say(Msg::FeeNone),
        fee => fmt::money(lang, fee),
    };
    field(Msg::Fee, &fee);
    for (msg, ranges) in [
        (Msg::Sold, &receipt.sold),
        (Msg::Spoiled, &receipt.void),
        (Msg::UnknownForms, &receipt.unknown),
        (Msg::Released, &receipt.released),
    ] {
        lines.extend(numbers(&say(msg), ranges));
    }
    if let Some(sheet) = &receipt.sheet {
        lines.extend(sheet_line(lang, sheet).map(ReceiptLine::text));
    }
    let proof = &receipt.proof;
    lines.push(ReceiptLine::Rule);
    lines.push(ReceiptLine::text(say(Msg::ReceiptProof)));
    lines.push(ReceiptLine::text(format!("{}/{}", proof.leaf, proof.size)));
    lines.push(ReceiptLine::text(proof.leaf_hash.to_string()));
    lines.push(ReceiptLine::Qr(format!(
        "counterfoil/v1/proof?leaf={}&hash={}&size={}&root={}",
        proof.leaf, proof.leaf_hash, proof.size, proof.root
    )));
    lines.push(ReceiptLine::Text {
        text: say(Msg::ReceiptKeep),
        align: Align::Centre,
        size: 1,
        bold: false,
    });
    lines.push(ReceiptLine::Feed(2));
    ReceiptDocument { lines }
}

/// What the receipt says of the password sheet.
fn sheet_line(lang: Lang, sheet: &SheetView) -> Option<String> {
    if let Some(help) = sheet_help(Some(sheet)) {
        return Some(text(lang, help, &[]));
    }
    if sheet.state != SheetState::Printed {
        return None;
    }
    let count = sheet.forms.to_string();
    let said = text(lang, Msg::SheetPrinted, &[("count", &count)]);
    Some(format!("{}: {said}", text(lang, Msg::SheetTitle, &[])))
}

/// The payment-password sheet (支付密码单) as lines: what is secret in lines that wipe
/// themselves, and that nothing but the printer can read.
fn sheet_document(sheet: &PasswordSheet, requisition: &str, language: Language) -> ReceiptDocument {
    let lang = match language {
        Language::ZhHans => Lang::ZhHans,
        Language::En => Lang::En,
    };
    let say = |msg| text(lang, msg, &[]);
    let requisition = Shown::from_untrusted(requisition, VALUE_CELLS_MAX);
    let mut lines = vec![
        ReceiptLine::title(say(Msg::SheetTitle)),
        ReceiptLine::Rule,
        ReceiptLine::text(format!("{}: {requisition}", say(Msg::Requisition))),
        ReceiptLine::Rule,
    ];
    for line in &sheet.lines {
        let mut row = String::with_capacity(2 * PASSWORD_DIGITS + 16);
        row.push_str(&line.number.rows());
        row.push(' ');
        // In fours, as it is copied onto the cheque.
        for (at, digit) in line.password.expose().chars().enumerate() {
            if at % 4 == 0 {
                row.push(' ');
            }
            row.push(digit);
        }
        lines.push(ReceiptLine::Secret(SecretRow::new(row)));
    }
    lines.extend([
        ReceiptLine::Rule,
        ReceiptLine::text(say(Msg::SheetApart)),
        ReceiptLine::text(say(Msg::SheetLoss)),
        ReceiptLine::Feed(2),
    ]);
    ReceiptDocument { lines }
}

fn numbers(name: &str, ranges: &[BillRange]) -> Vec<ReceiptLine> {
    if ranges.is_empty() {
        return Vec::new();
    }
    let count = ranges
        .iter()
        .fold(0_u32, |n, r| n.saturating_add(r.count()));
    let head = ReceiptLine::text(format!("{name}: {count}"));
    let rows = ranges.iter().map(|range| {
        let row = if range.count() == 1 {
            range.first().rows()
        } else {
            range.to_string()
        };
        ReceiptLine::text(format!("  {row}"))
    });
    std::iter::once(head).chain(rows).collect()
}

impl<T: Transport> Worker<T> for ReceiptDesk<T> {
    const ROLE: Role = Role::ReceiptPrinter;
    const DESK: Desk = Desk::Receipt;

    async fn open(transport: T, tools: &Rc<Tools>) -> Result<Self, String> {
        let printer = ReceiptPrinter::open(transport, tools.clock.clone(), &*tools.entropy).await;
        let mut desk = Self {
            printer: printer.map_err(|error| error.to_string())?,
            tools: Rc::clone(tools),
            key: None,
        };
        // Left by a power cut: it is somebody's.
        desk.clear().await.map_err(|fault| fault.to_string())?;
        Ok(desk)
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        match act {
            Act::PrintReceipt { receipt, language } => {
                let document = document(&receipt, language);
                self.print(&document, PRINT_WITHIN, say).await
            }
            Act::OfferSheetKey => self.offer(say).await,
            Act::PrintSheet {
                sheet,
                binding,
                requisition,
                language,
            } => {
                // Whatever comes of it: a key opens one sheet, once.
                let opened = self.key.take().map(|key| sheet.open(&key, binding));
                let Some(Ok(opened)) = opened else {
                    tracing::error!("a password sheet does not open under the key offered");
                    say.answer(Answer::ReceiptFailed { nothing: true }).await;
                    return After::Fine;
                };
                let document = sheet_document(&opened, &requisition, language);
                self.print(&document, SHEET_WITHIN, say).await
            }
            _ => After::Fine,
        }
    }

    fn wipe(&mut self) {
        self.key = None;
    }
}

impl<T: Transport> ReceiptDesk<T> {
    /// A sheet is asked for only where it can be printed now.
    async fn offer(&mut self, say: &Say) -> After {
        let fault = match self.printer.status().await {
            Ok(status) => status.fault,
            Err(error) => Some(error.fault()),
        };
        if let Some(fault) = fault {
            tracing::warn!(%fault, "receipt printer");
            say.answer(Answer::ReceiptFailed { nothing: true }).await;
            return after(Some(fault));
        }
        let material = Secret::new(random(&*self.tools.entropy));
        let (open, key) = OpenKey::derive(material.expose());
        self.key = Some(open);
        say.answer(Answer::SheetKey(key)).await;
        After::Fine
    }

    async fn print(&mut self, document: &ReceiptDocument, within: Duration, say: &Say) -> After {
        if let Err(fault) = self.clear().await {
            tracing::warn!(%fault, "receipt printer");
            say.answer(Answer::ReceiptFailed { nothing: true }).await;
            return after(Some(fault));
        }
        let (answer, fault) = match self.printer.print(document, within).await {
            PrintOutcome::Done { .. } => self.handed_out(say).await,
            PrintOutcome::Failed { printed, fault } => {
                let nothing = matches!(printed, Printed::Nothing);
                (Answer::ReceiptFailed { nothing }, Some(fault))
            }
            PrintOutcome::Unknown { why } => (Answer::ReceiptFailed { nothing: false }, Some(why)),
        };
        if let Some(fault) = fault {
            tracing::warn!(%fault, "receipt printer");
        }
        say.answer(answer).await;
        after(fault)
    }

    /// Draws back what nobody took, so that nobody gets another's receipt.
    async fn clear(&mut self) -> Result<(), PrintFault> {
        if self.tools.presents.is_none() {
            return Ok(());
        }
        let there = self.printer.presenter().await.map_err(|e| e.fault())?;
        if there.nothing() {
            return Ok(());
        }
        tracing::warn!("a receipt that nobody took lay in the presenter: it is drawn back");
        if !there.output {
            self.printer.present(MOVE_WITHIN).await?;
        }
        self.printer.retract(MOVE_WITHIN).await
    }

    /// What was printed and cut, to the customer.
    async fn handed_out(&mut self, say: &Say) -> (Answer, Option<PrintFault>) {
        let Some(take) = self.tools.presents else {
            return (Answer::ReceiptPrinted, None);
        };
        match self.taken(take, say).await {
            Ok(true) => {
                tracing::info!("the receipt was taken");
                (Answer::ReceiptPrinted, None)
            }
            Ok(false) => {
                tracing::warn!("nobody took the receipt: it was drawn back");
                (Answer::ReceiptDrawnBack, None)
            }
            Err(fault) => (Answer::ReceiptFailed { nothing: false }, Some(fault)),
        }
    }

    /// Whether it was taken in time; else it is drawn back, also when nobody listens.
    async fn taken(&mut self, take: Duration, say: &Say) -> Result<bool, PrintFault> {
        self.printer.present(MOVE_WITHIN).await?;
        say.answer(Answer::ReceiptInReach).await;
        let until = self.tools.clock.monotonic().saturating_add(take);
        while !self.printer.wait_taken(SLICE).await? {
            if say.is_stale() || self.tools.clock.monotonic() >= until {
                self.printer.retract(MOVE_WITHIN).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether the handle may be used again after this.
fn after(fault: Option<PrintFault>) -> After {
    match fault {
        Some(PrintFault::NoDevice | PrintFault::Offline | PrintFault::Timeout) => After::Fenced,
        _ => After::Fine,
    }
}
