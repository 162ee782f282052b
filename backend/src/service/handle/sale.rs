//! The kiosk's conversation: open, order, link, forms, end (S2, S6 to S8).

use std::rc::Rc;

use counterfoil_data::ids::SaleId;
use counterfoil_data::wire::forms::{FormAdvice, FormAdvices, FormEvent};
use counterfoil_data::wire::problem::ProblemKind;
use counterfoil_data::wire::sale::{Abandon, Close, OpenSale, Order};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::{Asked, Given};
use crate::core::command::{CommandBody, Outcome};
use crate::core::query::{self, Signer};

impl Service {
    /// S2: the kiosk names the sale, so a repeat opens nothing twice.
    pub(super) async fn open_sale(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let OpenSale { sale, mode, seen } = asked.json()?;
        if self.space.is_short() && told(query::sale_head(self.books()?.read(), sale))?.is_none() {
            // A repeat of one that is open already is answered as ever.
            return Err(Fault::storage_low());
        }
        self.hear_tree(&asked, seen).await?;
        let body = CommandBody::OpenSale { sale, mode };
        let given = self.give(&asked, body).await?;
        self.sale_reply(sale, given.replayed)
    }

    /// I6: enough to resume anywhere.
    pub(super) fn read_sale(&self, asked: &Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        self.books()?.sale_of(&asked.signer, sale)?;
        self.sale_reply(sale, false)
    }

    /// S6: kinds and quantities.
    pub(super) async fn order(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let Order { items } = asked.json()?;
        let body = CommandBody::PlaceOrder { sale, items };
        let given = self.give(&asked, body).await?;
        self.sale_reply(sale, given.replayed)
    }

    /// S7, S8: linked processing in one commit; a repeat gives the same numbers (I6).
    pub(super) async fn link(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let passwords = self.drawn(sale, 0)?;
        let body = CommandBody::Link { sale, passwords };
        let given = self.give(&asked, body).await?;
        if let Outcome::RangeMoved { state } = given.outcome {
            let detail = "the numbers shown were taken or moved: they are shown again";
            let fault = Fault::new(ProblemKind::RangeMoved, detail);
            return Err(Fault {
                state: Some(state),
                ..fault
            });
        }
        if !matches!(given.outcome, Outcome::Linked { .. }) {
            // L1: a rule refused on fresh data and ended the sale.
            return self.refused_reply(sale);
        }
        if !given.replayed {
            self.meter.linked.one();
        }
        self.sale_reply(sale, given.replayed)
    }

    /// What happened to paper; idempotent by (sale, number, event) (I5).
    pub(super) async fn forms(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let FormAdvices { advices } = asked.json()?;
        let failed = |advice: &&FormAdvice| matches!(advice.event, FormEvent::Failed { .. });
        let failed = advices.iter().filter(failed).count();
        let passwords = self.drawn(sale, failed)?;
        let body = CommandBody::AdviseForms {
            sale,
            advices,
            passwords,
        };
        let Given { outcome, .. } = self.give(&asked, body).await?;
        let Outcome::Forms {
            accepted,
            supplements,
        } = outcome
        else {
            return Err(Fault::internal());
        };
        let books = self.books()?;
        let answer = query::forms_answer(books.read(), sale, accepted, &supplements);
        Reply::json(&told(answer)?.ok_or_else(Fault::not_found)?)
    }

    /// The customer gave up before linking.
    pub(super) async fn cancel(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let given = self.give(&asked, CommandBody::Cancel { sale }).await?;
        self.sale_reply(sale, given.replayed)
    }

    /// A linked sale is broken off.
    pub(super) async fn abandon(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let Abandon { reason, sheet } = asked.json()?;
        let body = CommandBody::Abandon {
            sale,
            reason,
            sheet,
        };
        let given = self.give(&asked, body).await?;
        self.sale_reply(sale, given.replayed)
    }

    /// Every form is settled: the receipt.
    pub(super) async fn close_sale(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let Close { sheet } = match asked.body.is_empty() {
            true => Close::default(),
            false => asked.json()?,
        };
        let body = CommandBody::Close { sale, sheet };
        let given = self.give(&asked, body).await?;
        self.sale_reply(sale, given.replayed)
    }

    /// Who am I, what was I doing.
    pub(super) async fn read_kiosk(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let Signer::Kiosk { id, .. } = &asked.signer else {
            return Err(Fault::not_yours());
        };
        self.hear_tree(&asked, asked.seen).await?;
        let (books, now) = (self.books()?, self.clock.now());
        let view = query::kiosk_view(books.read(), id, asked.seen, &self.keys.seal, now);
        let mut view = told(view)?.ok_or_else(Fault::not_found)?;
        // The door's number may be ahead of the books' for a moment; it is what counts.
        let seen = self.seen.borrow().sequence(&asked.signer_id);
        view.sequence = view.sequence.max(seen);
        Reply::json(&view)
    }

    pub(super) fn sale_reply(&self, sale: SaleId, replayed: bool) -> Result<Reply, Fault> {
        let view = self.books()?.sale_view(sale, self.clock.now())?;
        Ok(Reply::json(&view)?.replayed(replayed))
    }
}
