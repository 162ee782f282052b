//! What has been proven: values that exist only after a gate was passed.
//!
//! Each has private fields and exactly one constructor, which looks at the
//! message that proves it. A step that needs a proof takes the value, so an
//! illegal order does not compile (I4 on the kiosk's side; the backend checks
//! again).

use counterfoil_data::ids::SaleId;
use counterfoil_data::sealed::{Binding, Sealed};
use counterfoil_data::wire::forms::{FormState, FormsAnswer};
use counterfoil_data::wire::sale::{
    AgentView, Authenticity, DocumentFields, LinkedResult, OrderView, PrintJob, PurchaseMode,
    SaleState, SaleView, UnitView,
};

/// A sale is open at the backend.
#[derive(Debug, Clone)]
pub struct Opened {
    binding: Binding,
    mode: PurchaseMode,
    attempts_left: Option<u32>,
}

impl Opened {
    /// From a view that says so.
    pub fn from_view(view: &SaleView) -> Option<Self> {
        (view.state == SaleState::Opened).then_some(Self {
            binding: binding(view),
            mode: view.mode,
            attempts_left: view.attempts_left,
        })
    }

    /// The sale and its challenge.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The mode it was opened with (S2).
    pub fn mode(&self) -> PurchaseMode {
        self.mode
    }

    /// Attempts left at the first gate.
    pub fn attempts_left(&self) -> Option<u32> {
        self.attempts_left
    }
}

/// Message 1 came (S4, S5): the purchase information is verified.
#[derive(Debug, Clone)]
pub struct InfoVerified {
    binding: Binding,
    unit: UnitView,
    attempts_left: Option<u32>,
}

impl InfoVerified {
    /// From a view that carries message 1 and awaits the identity.
    pub fn from_view(view: &SaleView) -> Option<Self> {
        let unit = view.unit.clone()?;
        (view.state == SaleState::InfoVerified).then_some(Self {
            binding: binding(view),
            unit,
            attempts_left: view.attempts_left,
        })
    }

    /// The sale and its challenge.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The unit's name.
    pub fn unit_name(&self) -> &str {
        &self.unit.name
    }

    /// Attempts left at the second gate.
    pub fn attempts_left(&self) -> Option<u32> {
        self.attempts_left
    }
}

/// The reader's security module authenticated the document (S16).
#[derive(Debug, Clone)]
pub struct DocumentAuthentic {
    document: Sealed<DocumentFields>,
    authenticity: Authenticity,
}

impl DocumentAuthentic {
    /// From the ID reader's answer; before [`IdentityVerified`] the only way to arm the
    /// finger sensor.
    pub(super) fn read(document: Sealed<DocumentFields>, authenticity: Authenticity) -> Self {
        Self {
            document,
            authenticity,
        }
    }

    /// For the submission.
    pub fn into_parts(self) -> (Sealed<DocumentFields>, Authenticity) {
        (self.document, self.authenticity)
    }
}

/// Message 2 came (S14, S15): the person is the unit's agent. The backend gives it only
/// on an authentic document, so it implies [`DocumentAuthentic`] and may arm the finger
/// sensor again (S13, S16).
#[derive(Debug, Clone)]
pub struct IdentityVerified {
    binding: Binding,
    state: SaleState,
    unit: UnitView,
    agent: AgentView,
}

impl IdentityVerified {
    /// From a view that carries message 2 and takes an order.
    pub fn from_view(view: &SaleView) -> Option<Self> {
        let open = matches!(view.state, SaleState::IdentityVerified | SaleState::Ordered);
        let (unit, agent) = (view.unit.clone()?, view.agent.clone()?);
        open.then_some(Self {
            binding: binding(view),
            state: view.state,
            unit,
            agent,
        })
    }

    /// The sale and its challenge.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// As the sale stood: not ordered yet, or to be ordered again.
    pub fn state(&self) -> SaleState {
        self.state
    }

    /// The sale.
    pub fn sale(&self) -> SaleId {
        self.binding.sale
    }

    /// Message 1.
    pub fn unit(&self) -> &UnitView {
        &self.unit
    }

    /// Message 2.
    pub fn agent(&self) -> &AgentView {
        &self.agent
    }
}

/// The officer confirmed, or policy needs none.
#[derive(Debug, Clone)]
pub struct Confirmed {
    sale: SaleId,
    order: OrderView,
}

impl Confirmed {
    /// From a view that says so.
    pub fn from_view(view: &SaleView) -> Option<Self> {
        let order = view.order.clone()?;
        (view.state == SaleState::Confirmed).then_some(Self {
            sale: view.sale,
            order,
        })
    }

    /// The sale.
    pub fn sale(&self) -> SaleId {
        self.sale
    }

    /// The key under which this very order is linked: the same for every
    /// repeat, another one when the numbers moved and were shown again.
    pub fn key(&self) -> String {
        let digest = self.order.digest.to_string();
        let head: String = digest.chars().take(16).collect();
        format!("link-{}-{head}", self.sale)
    }
}

/// Linked processing is committed (S7, S8).
#[derive(Debug, Clone)]
pub struct Linked {
    /// How the whole sale stands.
    view: SaleView,
    result: LinkedResult,
}

impl Linked {
    /// From a view that carries the result and has forms under way.
    pub fn from_view(view: &SaleView) -> Option<Self> {
        let result = view.linked.clone()?;
        matches!(view.state, SaleState::Linked | SaleState::Dispensing).then(|| Self {
            view: view.clone(),
            result,
        })
    }

    /// The sale.
    pub fn sale(&self) -> SaleId {
        self.view.sale
    }

    /// The sale and its challenge.
    pub fn binding(&self) -> Binding {
        binding(&self.view)
    }

    /// The linked result.
    pub fn result(&self) -> &LinkedResult {
        &self.result
    }

    /// The whole view.
    pub fn view(&self) -> &SaleView {
        &self.view
    }
}

/// `Feeding` of this form is durable at the backend (I5).
#[derive(Debug)]
pub struct FeedDurable(PrintJob);

impl FeedDurable {
    /// From an acknowledgement that shows the form in `Feeding`.
    pub fn acknowledged(job: PrintJob, answer: &FormsAnswer) -> Option<Self> {
        let feeding = answer
            .forms
            .iter()
            .any(|f| f.number == job.number && f.state == FormState::Feeding);
        feeding.then_some(Self(job))
    }

    /// The job that may be fed.
    pub fn job(&self) -> &PrintJob {
        &self.0
    }

    /// The number read from the fed sheet equals the assigned one (S9).
    pub fn compare(self, read: counterfoil_data::bill::BillNumber) -> Option<NumberEqual> {
        (read == self.0.number).then_some(NumberEqual(self.0))
    }
}

/// The sheet in the transport carries the assigned number; ink is allowed (S9).
#[derive(Debug)]
pub struct NumberEqual(PrintJob);

impl NumberEqual {
    /// The job that may be inked.
    pub fn job(&self) -> &PrintJob {
        &self.0
    }
}

fn binding(view: &SaleView) -> Binding {
    Binding {
        sale: view.sale,
        challenge: view.challenge,
    }
}
