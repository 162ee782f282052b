//! The printer in other kinds: clones that know less, other classes, a presenter.

use super::{IDENTITY, ReceiptPrinterTwin};
use crate::transport::DeviceInfo;

/// What this one does otherwise.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent habit of a clone"
)]
pub(super) struct Variant {
    /// It does not know `GS ( H`.
    pub fenceless: bool,
    /// It does not answer GS r.
    pub orderless: bool,
    /// It pushes no status and answers nothing queued.
    pub silent: bool,
    /// GS e 2, 3 and 6 (Custom KPM-210/216).
    pub presenter: bool,
    /// Its ids, and whether its interface is of the vendor class.
    ids: Option<(u16, u16)>,
    vendor_class: bool,
    one_way: bool,
}

impl Variant {
    pub fn info(&self) -> DeviceInfo {
        let mut info = IDENTITY.info();
        if let Some(ids) = self.ids {
            (info.vendor, info.product) = ids;
        }
        if self.vendor_class {
            info.interfaces.retain(|i| i.alternate == 1);
            for interface in &mut info.interfaces {
                (interface.class, interface.subclass, interface.alternate) = (0xFF, 0xFF, 0);
            }
        }
        if self.one_way {
            info.interfaces.retain(|i| i.protocol == 1);
        }
        info
    }
}

/// Where the cut receipt is.
#[derive(Debug, Default)]
pub(super) struct Presenter {
    pub escrow: bool,
    pub output: bool,
    pub jam: bool,
    pub retracted: u64,
}

impl ReceiptPrinterTwin {
    /// A clone that does not know `GS ( H`, as many do.
    pub fn without_fences(mut self) -> Self {
        self.variant.fenceless = true;
        self
    }

    /// One that does not answer GS r either.
    pub fn without_answers(mut self) -> Self {
        self.variant.orderless = true;
        self.without_fences()
    }

    /// One that pushes no status and answers nothing: only its port tells anything.
    pub fn silent(mut self) -> Self {
        self.variant.silent = true;
        self.without_fences()
    }

    /// A POS-58 clone: one alternate without an IN pipe, no QR symbols.
    pub fn one_way(mut self) -> Self {
        self.variant.ids = Some((0x0416, 0x5011));
        self.variant.one_way = true;
        self.silent()
    }

    /// An Epson TM in vendor mode: the same printer on an interface of class FF.
    pub fn in_vendor_mode(mut self) -> Self {
        self.variant.ids = Some((0x04B8, 0x0202));
        self.variant.vendor_class = true;
        self
    }

    /// A kiosk printer with a presenter.
    pub fn with_presenter(mut self) -> Self {
        self.variant.presenter = true;
        self
    }

    /// GS e n.
    pub(super) fn present(&mut self, n: u8) {
        let presenter = &mut self.presenter;
        match n {
            3 if presenter.escrow && !presenter.jam => {
                (presenter.escrow, presenter.output) = (false, true);
                self.in_mouth = self.in_mouth.saturating_add(1);
            }
            2 if presenter.output && !presenter.jam => {
                presenter.output = false;
                presenter.retracted = presenter.retracted.saturating_add(1);
                self.in_mouth = 0;
            }
            6 => {
                let escrow = u8::from(presenter.escrow) << 2;
                let output = u8::from(presenter.output) << 3;
                let jam = u8::from(presenter.jam) << 6;
                self.pipes.reply(&[escrow | output | jam]);
            }
            _ => {}
        }
    }
}
