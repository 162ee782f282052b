//! What a client wrote down by itself: every answer it got, and what it sent and got no
//! answer to. It is the judge of the books, and knows nothing of them.

use std::collections::BTreeMap;

use counterfoil_data::bill::BillNumber;
use counterfoil_data::ids::SaleId;
use counterfoil_data::money::Fen;
use counterfoil_data::wire::forms::{FormAdvices, FormEvent, FormState};
use counterfoil_data::wire::sale::{LinkedResult, SaleState, SaleView};
use serde_json::Value;

use super::bank::FEE;
use super::client::Ask;

/// A keyed act that was answered.
#[derive(Debug, Clone)]
pub struct Told {
    /// What was asked.
    pub ask: Ask,
    /// The answer, to the byte.
    pub body: Vec<u8>,
}

/// One sale, as far as the client was told.
#[derive(Debug, Clone)]
pub struct Sale {
    /// Its id, of the client's making.
    pub id: SaleId,
    /// Forms ordered.
    pub quantity: u32,
    /// Every keyed act that was answered.
    pub told: Vec<Told>,
    /// The last view of it, to the byte; `None` once something was done to it since.
    pub last: Option<Vec<u8>>,
    /// The furthest state that was told.
    pub state: Option<SaleState>,
    /// The linked result.
    pub linked: Option<LinkedResult>,
    /// The state of every form.
    pub forms: BTreeMap<BillNumber, FormState>,
}

impl Sale {
    /// One that was not asked for yet.
    pub fn new(id: SaleId, quantity: u32) -> Self {
        Self {
            id,
            quantity,
            told: Vec::new(),
            last: None,
            state: None,
            linked: None,
            forms: BTreeMap::new(),
        }
    }

    /// Its path.
    pub fn path(&self) -> String {
        format!("/v1/sales/{}", self.id)
    }

    /// Whether the client was told that it is over.
    pub fn is_over(&self) -> bool {
        self.state.is_some_and(SaleState::is_over)
    }

    /// Writes down a view of it.
    pub fn hear(&mut self, view: &SaleView, body: &[u8]) {
        self.last = Some(body.to_vec());
        self.state = Some(view.state);
        if view.linked.is_some() {
            self.linked.clone_from(&view.linked);
        }
        self.forms = forms_of(view);
    }

    /// What is wrong with a view of it, where everything that was told must be in it.
    pub fn contradicts(&self, view: &SaleView) -> Option<String> {
        if let Some(told) = self.state
            && rank(view.state) < rank(told)
        {
            return Some(format!("{told:?} was told, {:?} is found", view.state));
        }
        if self.linked.is_some() && self.linked != view.linked {
            let told = self.linked.as_ref().map(|linked| &linked.ranges);
            let found = view.linked.as_ref().map(|linked| &linked.ranges);
            return Some(format!("{told:?} was sold, {found:?} is found"));
        }
        view.linked
            .as_ref()
            .and_then(|linked| self.is_not_whole(linked))
    }

    /// A linked result is for all that was ordered, at its price.
    fn is_not_whole(&self, linked: &LinkedResult) -> Option<String> {
        let count: u64 = linked.ranges.iter().map(|r| u64::from(r.count())).sum();
        let fee = FEE.0.checked_mul(i64::from(self.quantity));
        let whole = count == u64::from(self.quantity) && Some(linked.fee.0) == fee;
        (!whole).then(|| format!("{count} forms and {:?} for {}", linked.fee, self.quantity))
    }

    /// Whether `ask`, sent without an answer, was done; an error where it was done by
    /// half. `found` is the sale as it is now.
    pub fn was_done(&self, ask: &Ask, found: Option<&SaleView>) -> Result<bool, String> {
        let act = ask.path.rsplit('/').next().unwrap_or_default();
        let Some(view) = found else {
            let opens = act == "sales" && self.state.is_none();
            return opens
                .then_some(false)
                .ok_or_else(|| "the sale is not there".to_owned());
        };
        if let Some(wrong) = self.contradicts(view) {
            return Err(wrong);
        }
        let (forms, all) = (forms_of(view), |state| {
            view.forms.iter().all(|form| form.state == state)
        });
        let is = |state| view.state == state;
        let linked = view.linked.is_some();
        let (before, after) = match act {
            "sales" => (false, is(SaleState::Opened) && !linked),
            "order" => (
                is(SaleState::IdentityVerified) && view.order.is_none(),
                is(SaleState::AwaitConfirm) && view.order.is_some(),
            ),
            "link" => (
                is(SaleState::Confirmed) && !linked && forms.is_empty(),
                is(SaleState::Linked) && linked && all(FormState::Assigned),
            ),
            "cancel" => (is(SaleState::Opened), is(SaleState::Cancelled)),
            "abandon" => (
                is(SaleState::Linked) && all(FormState::Assigned),
                view.state.is_over() && all(FormState::Released),
            ),
            "close" => (
                is(SaleState::Dispensing) && view.receipt.is_none(),
                is(SaleState::Closed) && view.receipt.is_some(),
            ),
            "forms" => (forms == self.forms, forms == advised(&self.forms, ask)),
            other => return Err(format!("{other} is no act")),
        };
        match (before, after) {
            (_, true) => Ok(true),
            (true, false) => Ok(false),
            (false, false) => Err(format!("{act} is done by half: {:?}", view.state)),
        }
    }

    /// Money it took so far; forms that were released were paid back.
    pub fn paid(&self) -> Fen {
        let released = self
            .forms
            .values()
            .all(|state| *state == FormState::Released);
        match &self.linked {
            Some(linked) if !released => linked.fee,
            _ => Fen(0),
        }
    }
}

/// The state of every form in a view.
pub fn forms_of(view: &SaleView) -> BTreeMap<BillNumber, FormState> {
    let forms = view.forms.iter();
    forms.map(|form| (form.number, form.state)).collect()
}

/// Forms after all of these advices.
fn advised(before: &BTreeMap<BillNumber, FormState>, ask: &Ask) -> BTreeMap<BillNumber, FormState> {
    let mut forms = before.clone();
    let advices: Option<FormAdvices> = serde_json::from_slice(&ask.body).ok();
    for advice in advices.map_or_else(Vec::new, |all| all.advices) {
        let state = match advice.event {
            FormEvent::Feeding => FormState::Feeding,
            FormEvent::Printed { .. } => FormState::Printed,
            FormEvent::Presented => FormState::Presented,
            FormEvent::Taken => FormState::Sold,
            _ => continue,
        };
        forms.insert(advice.number, state);
    }
    forms
}

/// How far a sale is.
fn rank(state: SaleState) -> u8 {
    match state {
        SaleState::Opened => 0,
        SaleState::InfoVerified => 1,
        SaleState::IdentityVerified => 2,
        SaleState::Ordered => 3,
        SaleState::AwaitConfirm => 4,
        SaleState::Confirmed => 5,
        SaleState::Linked => 6,
        SaleState::Dispensing => 7,
        _ => 8,
    }
}

/// Whether two answers are the same to the byte; only where a receipt proves its leaf in
/// the log, the log may have grown since.
pub fn is_equal(first: &[u8], again: &[u8]) -> bool {
    first == again || {
        let (first, again) = (without_path(first), without_path(again));
        first.pointer("/receipt/proof/leaf").is_some() && first == again
    }
}

/// An answer without the size, root and path that its proof leads to.
fn without_path(body: &[u8]) -> Value {
    let mut answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let proof = answer.pointer_mut("/receipt/proof");
    if let Some(proof) = proof.and_then(Value::as_object_mut) {
        proof.retain(|name, _| name.starts_with("leaf"));
    }
    answer
}

/// Whether two answers say the same of what can never change again.
pub fn is_same(first: &[u8], again: &[u8]) -> bool {
    let (first, again) = (without_path(first), without_path(again));
    ["/sale", "/linked", "/receipt"]
        .iter()
        .all(|at| match first.pointer(at) {
            None | Some(Value::Null) => true,
            said => said == again.pointer(at),
        })
}
