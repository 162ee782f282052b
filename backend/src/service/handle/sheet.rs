//! The payment-password sheet (L7): passwords are drawn here and given out here.
//!
//! Both happen on the service's own thread: it has the generator, nothing that came from
//! outside is opened, and a sheet of 200 forms is a few milliseconds.
//! What leaves is sealed to the kiosk's key of this sale; nothing else ever does.

use std::rc::Rc;

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::wire::sheet::{PasswordSheet, SheetAnswer, TakeSheet};

use super::super::Service;
use super::super::books::told;
use super::super::fault::Fault;
use super::super::reply::Reply;
use super::Asked;
use crate::core::command::{CommandBody, PasswordLine};
use crate::core::query;
use crate::keys::passwords;

impl Service {
    /// Passwords for the numbers that a command about this sale may give it; none where
    /// no form of the sale needs one. What the command does not use is forgotten.
    pub(super) fn drawn(&self, sale: SaleId, failed: usize) -> Result<Vec<PasswordLine>, Fault> {
        let books = self.books()?;
        let numbers = told(query::numbers_to_draw(books.read(), sale, failed))?;
        let drawn = numbers
            .into_iter()
            .map(|number| passwords::drawn(&self.keys, number, &*self.entropy));
        drawn.collect::<Result<_, _>>().map_err(|error| {
            tracing::error!(%error, "a payment password cannot be kept");
            Fault::internal()
        })
    }

    /// The sheet, sealed; durable that it was given, before it is.
    pub(super) async fn take_sheet(self: &Rc<Self>, asked: Asked) -> Result<Reply, Fault> {
        let sale = asked.sale()?;
        let head = self.books()?.sale_of(&asked.signer, sale)?;
        let asked_with: TakeSheet = asked.json()?;
        let key = asked_with.seal_key();
        let key = key.ok_or_else(|| Fault::malformed("a key is 64 lower-case hex digits"))?;
        let binding = Binding {
            sale,
            challenge: head.challenge,
        };
        let seal = |sheet: &PasswordSheet| {
            Sealed::seal(sheet, &key, binding, &*self.entropy)
                .map_err(|error| Fault::malformed(error.to_string()))
        };
        // A key that seals nothing must not use the one time up.
        seal(&PasswordSheet { lines: Vec::new() })?;
        self.give(&asked, CommandBody::TakeSheet { sale, key })
            .await?;
        let books = self.books()?;
        let rows = told(query::passwords_of_sold(books.read(), sale))?;
        if rows.is_empty() {
            // Settled in between; nothing of it holds for anybody to print.
            return Err(Fault::not_found());
        }
        let sheet = passwords::opened(&self.keys, &rows).map_err(|error| {
            tracing::error!(%error, "a payment password does not open: restore the books");
            Fault::internal()
        })?;
        let sheet = seal(&sheet)?;
        Reply::json(&SheetAnswer { sheet })
    }
}
