//! What a kiosk compares: the house as it is with what it was told.

use counterfoil_data::seam::random;
use counterfoil_data::wire::sale::{KioskView, SaleView, TreeSeen, Witness};

use super::super::client::Ask;
use super::super::record::{is_equal, is_same};
use super::{EARLIER_AGAIN, End, Kiosk, wrong};

impl Kiosk {
    /// Nothing to do: looks whether everything is still as it was told.
    pub(super) async fn look_about(&mut self) -> Result<(), End> {
        self.greet().await?;
        self.again().await
    }

    /// After a kill: the house is what it said it was.
    pub async fn check(&mut self) -> Result<(), End> {
        self.greet().await?;
        match self.pending.clone() {
            Some(ask) => self.settle(ask).await?,
            None => self.compare().await?,
        }
        self.again().await
    }

    /// `GET /v1/kiosk`: the log that was seen is the beginning of the log there is.
    async fn greet(&mut self) -> Result<(), End> {
        let query = match self.seen.size {
            0 => String::new(),
            _ => format!("?seen={}", self.seen),
        };
        let heard = self
            .client
            .ask(&Ask::get(format!("/v1/kiosk{query}")))
            .await?;
        if heard.status != 200 {
            return wrong(format!("kiosk: {}", heard.text()));
        }
        let view: KioskView = heard.json()?;
        if view.witness != Witness::Agrees || view.checkpoint.size < self.seen.size {
            let size = view.checkpoint.size;
            let (seen, witness) = (self.seen.size, view.witness);
            return wrong(format!(
                "log of {size} leaves where {seen} were seen: {witness:?}"
            ));
        }
        if view.sequence < self.acked {
            let (found, told) = (view.sequence, self.acked);
            return wrong(format!(
                "request {told} was answered, {found} is the last known"
            ));
        }
        self.seen = TreeSeen {
            size: view.checkpoint.size,
            root: view.checkpoint.root,
        };
        let (open, mine) = (view.open_sale.map(|view| view.sale), self.current());
        if self.pending.is_none() && open != mine {
            return wrong(format!("{open:?} is open, {mine:?} was told"));
        }
        Ok(())
    }

    /// What was sent without an answer is done wholly or not at all, and then once.
    async fn settle(&mut self, ask: Ask) -> Result<(), End> {
        let Some(sale) = self.sales.last_mut() else {
            return wrong("no sale");
        };
        let heard = self.client.ask(&Ask::get(sale.path())).await?;
        let view: Option<SaleView> = match heard.status {
            404 => None,
            200 => Some(heard.json()?),
            _ => return wrong(heard.text()),
        };
        let done = sale
            .was_done(&ask, view.as_ref())
            .map_err(|what| End::Wrong(format!("sale {}: {}: {what}", sale.id, ask.path)))?;
        self.tally.unanswered(done);
        if let Some(view) = view {
            // From here on it is told; a repeat must say the same.
            sale.hear(&view, &heard.body);
        }
        if ask.path.ends_with("/order") && done {
            // No key, and out of order by now: the view tells all.
            self.pending = None;
            return Ok(());
        }
        let heard = self.client.ask(&ask).await?;
        if ask.key.is_some() && heard.status == 200 && heard.replayed != done {
            let path = &ask.path;
            return wrong(format!("{path}: done {done}, replayed {}", heard.replayed));
        }
        self.hear(ask, &heard)
    }

    /// Nothing was under way: the sale is what it was, to the byte.
    async fn compare(&mut self) -> Result<(), End> {
        let Some(sale) = self.sales.last() else {
            return Ok(());
        };
        let Some(last) = sale.last.clone() else {
            return self.view().await.map(drop);
        };
        let heard = self.client.ask(&Ask::get(sale.path())).await?;
        if heard.status != 200 || !is_equal(&last, &heard.body) {
            let (id, told) = (sale.id, String::from_utf8_lossy(&last));
            return wrong(format!("sale {id}: {} where {told} was told", heard.text()));
        }
        self.tally
            .compared
            .set(self.tally.compared.get().saturating_add(1));
        Ok(())
    }

    /// Keyed acts of this sale, and some of earlier ones, asked again.
    async fn again(&mut self) -> Result<(), End> {
        let mut some = Vec::new();
        let last = self.sales.len().saturating_sub(1);
        for _ in 0..EARLIER_AGAIN {
            let face = u64::from_be_bytes(random(&*self.entropy));
            let all = u64::try_from(self.sales.len()).unwrap_or(0);
            let Some(place) = face.checked_rem(all) else {
                break;
            };
            some.push(usize::try_from(place).unwrap_or(last));
        }
        some.push(last);
        for place in some {
            let Some(sale) = self.sales.get(place).cloned() else {
                continue;
            };
            for told in &sale.told {
                let heard = self.client.ask(&told.ask).await?;
                let (path, newest) = (&told.ask.path, sale.last.as_ref() == Some(&told.body));
                let same = match newest {
                    true => is_equal(&told.body, &heard.body),
                    false => is_same(&told.body, &heard.body),
                };
                if heard.status != 200 || !heard.replayed || !same {
                    let was = String::from_utf8_lossy(&told.body);
                    return wrong(format!("{path}: {} where {was} was told", heard.text()));
                }
                self.acked = self.client.sequence();
                self.tally.replayed(newest);
            }
        }
        Ok(())
    }
}
