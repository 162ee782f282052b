//! The receipt desk: what the loop closed with (S23), on paper.

use std::rc::Rc;
use std::time::Duration;

use counterfoil_data::bill::BillRange;
use counterfoil_data::fmt;
use counterfoil_data::locale::{Lang, Msg, text};
use counterfoil_data::money::Fen;
use counterfoil_data::shown::Shown;
use counterfoil_data::wire::sale::Receipt;
use counterfoil_devices::driver::Role;
use counterfoil_devices::driver::receipt_printer::{
    Align, PrintFault, PrintOutcome, Printed, ReceiptDocument, ReceiptLine, ReceiptPrinter,
};
use counterfoil_devices::transport::Transport;

use super::{After, Say, Tools, Worker};
use crate::flow::effect::{Act, Desk};
use crate::flow::event::Answer;
use crate::model::Language;

/// Cells of one value on a receipt at most: two lines and a bit.
const VALUE_CELLS_MAX: usize = 120;
/// Longest print of one receipt.
const PRINT_WITHIN: Duration = Duration::from_secs(20);

/// The receipt printer.
pub(super) struct ReceiptDesk<T: Transport>(ReceiptPrinter<T>);

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
        printer.map(Self).map_err(|error| error.to_string())
    }

    async fn perform(&mut self, act: Act, say: &Say) -> After {
        let Act::PrintReceipt { receipt, language } = act else {
            return After::Fine;
        };
        let document = document(&receipt, language);
        let (answer, fault) = match self.0.print(&document, PRINT_WITHIN).await {
            PrintOutcome::Done { .. } => (Answer::ReceiptPrinted, None),
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
        match fault {
            Some(PrintFault::NoDevice | PrintFault::Offline | PrintFault::Timeout) => After::Fenced,
            _ => After::Fine,
        }
    }
}
