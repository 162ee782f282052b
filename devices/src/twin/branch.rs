//! The twins of a whole branch kiosk, from the demo bank.
//!
//! Owns which twin stands where and what lies in its drawer: the bank's ID
//! cards, secrets, cards, fingers and cassettes. Called by the testbed, by
//! `counterfoil-devices simulate` and by `counterfoil demo`. A branch that is described
//! by a file is in [`mod@file`] and [`build`].

pub mod build;
pub mod file;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use counterfoil_data::demo::{DemoBank, Document};
use counterfoil_data::seam::{SharedClock, SharedEntropy};
use jiff::civil::Date;

use super::card_reader::CardReaderTwin;
use super::finger_module::FingerModuleTwin;
use super::form_printer::FormPrinterTwin;
use super::id_reader::{IdReaderTwin, SampleDocument, TextBlock, UsbLayout};
use super::pin_pad::PinPadTwin;
use super::receipt_printer::ReceiptPrinterTwin;
use crate::driver::Role;
use crate::transport::twin_bus::TwinBus;

/// A kiosk's devices.
pub struct Branch;

impl Branch {
    /// Every device of the demo bank's first kiosk, plugged into one bus under
    /// the names of [`Role::name`]. Printed paper goes to `paper_dir` if given.
    pub fn demo(
        bank: &DemoBank,
        clock: SharedClock,
        entropy: SharedEntropy,
        paper_dir: Option<PathBuf>,
    ) -> TwinBus {
        let bus = TwinBus::new(clock);
        let documents = bank.documents.iter().map(sample).collect();
        let reader = IdReaderTwin::new(UsbLayout::Split, documents);
        bus.plug(Role::IdReader.name(), Rc::new(RefCell::new(reader)));
        let names = bank.secret_names();
        let secrets = names.filter_map(|name| Some((name.to_owned(), bank.secret(name)?)));
        let pad = PinPadTwin::new(secrets.collect(), Rc::clone(&entropy));
        bus.plug(Role::PinPad.name(), Rc::new(RefCell::new(pad)));
        let finger = FingerModuleTwin::demo(bank);
        bus.plug(Role::Finger.name(), Rc::new(RefCell::new(finger)));
        let cards = CardReaderTwin::demo(bank);
        bus.plug(Role::CardReader.name(), Rc::new(RefCell::new(cards)));
        let slots = bank.kiosks.first().into_iter().flat_map(|k| &k.slots);
        let slots = slots.filter_map(|s| Some((s.slot.clone(), s.range().ok()?)));
        let receipts = ReceiptPrinterTwin::new(paper_dir.clone());
        bus.plug(Role::ReceiptPrinter.name(), Rc::new(RefCell::new(receipts)));
        let forms = FormPrinterTwin::new(slots, paper_dir);
        bus.plug(Role::FormPrinter.name(), Rc::new(RefCell::new(forms)));
        bus
    }
}

/// A document of the demo bank, as a reader's twin holds it.
pub(crate) fn sample(document: &Document) -> SampleDocument {
    let day = |date: Date| date.strftime("%Y%m%d").to_string();
    let valid_to = document.valid_to.map_or_else(|| "长期".to_owned(), day);
    let birth = day(document.birth);
    let text = TextBlock::resident(&document.holder, document.sex, &birth, &document.number)
        .put(32, 4, &format!("{:02}", document.ethnic))
        .issued(&document.address, &document.issuer)
        .valid(&day(document.valid_from), &valid_to);
    SampleDocument {
        name: document.name.clone(),
        genuine: document.genuine,
        text,
        finger_len: 1024,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use counterfoil_data::wire::sale::CardProof;

    use crate::driver::ccid::Reader;
    use crate::driver::pboc::{CardError, read_settlement_card};
    use crate::driver::{role_of, sdt::IdReader};
    use crate::system::{SystemEntropy, TokioClock};
    use crate::twin::card_reader::demo_capks;

    fn run<F: Future<Output = ()>>(body: impl FnOnce(DemoBank, TwinBus, SharedClock) -> F) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let bank = counterfoil_data::demo::bank().expect("the demo bank");
            let clock: SharedClock = Rc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
            let bus = Branch::demo(&bank, clock.clone(), Rc::new(SystemEntropy), None);
            body(bank, bus, clock).await;
        });
    }

    #[test]
    fn every_device_of_the_branch_is_recognised_as_what_it_stands_for() {
        run(|_, bus, _| async move {
            assert_eq!(bus.list_now().len(), Role::ALL.len());
            for info in bus.list_now() {
                let role = role_of(&info).map(Role::name);
                assert_eq!(role, Some(info.path.as_str()));
            }
        });
    }

    #[test]
    fn every_document_of_the_demo_bank_reads_as_it_is_written_or_is_refused_as_forged() {
        run(|bank, bus, clock| async move {
            let usb = bus.open_now("id-reader").expect("opens");
            let mut reader = IdReader::open(usb, clock).await.expect("hello");
            for document in &bank.documents {
                bus.desk(&format!("id-reader present {}", document.name))
                    .expect("lies");
                let read = reader.read(Duration::from_secs(5)).await;
                match read {
                    Ok(read) => {
                        assert!(document.genuine);
                        assert_eq!(*read.document.name.expose(), document.holder);
                        assert_eq!(*read.document.number.expose(), document.number);
                        assert_eq!(*read.document.address.expose(), document.address);
                        assert_eq!(read.document.valid_from, document.valid_from);
                        assert_eq!(read.document.valid_to, document.valid_to);
                    }
                    Err(error) => assert!(!document.genuine && error.is_forgery_suspect()),
                }
                bus.desk("id-reader remove").expect("lifts");
            }
        });
    }

    #[test]
    fn every_card_of_the_demo_bank_proves_itself_or_is_out_of_date() {
        run(|bank, bus, clock| async move {
            let usb = bus.open_now("card-reader").expect("opens");
            let mut reader = Reader::open(usb, clock).await.expect("hello");
            let capks = demo_capks().expect("the demo keys");
            let today = jiff::civil::date(2026, 11, 22);
            let within = Duration::from_secs(10);
            for card in &bank.cards {
                bus.desk(&format!("card-reader insert {}", card.name))
                    .expect("goes in");
                let read =
                    read_settlement_card(&mut reader, &capks, &SystemEntropy, today, within).await;
                match read {
                    Ok(read) => {
                        assert_eq!(*read.pan.expose(), card.pan);
                        assert_eq!(read.proof, CardProof::Genuine);
                    }
                    Err(error) => {
                        assert_eq!((error, &*card.name), (CardError::Expired, "old-card"))
                    }
                }
                bus.desk("card-reader remove").expect("comes out");
            }
        });
    }
}
