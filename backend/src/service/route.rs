//! The one route table: router, limits, audiences, media types and OpenAPI paths
//! all come from it, so none of them can drift from the others.
//!
//! Refuses nothing itself; [`find`] tells what the path and method are worth.
//! Called by the HTTP layer ([`super::http`]) and by [`super::openapi`].

/// Longest JSON body.
pub const JSON_BODY_MAX: usize = 16 * 1024;
/// Longest identity body: a finger image of 256 KiB, its seal, and the head.
pub const IDENTITY_BODY_MAX: usize = (256 + 16) * 1024;
/// Tile levels of a log of 2^64 leaves.
pub const TILE_LEVELS: u64 = 8;
/// Parameters in one path.
const PARAMS_MAX: usize = 2;

/// The two methods this interface has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; changes nothing.
    Get,
    /// Commands.
    Post,
}

impl Method {
    /// As in the request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A kiosk, signed, for its own sales.
    Kiosk,
    /// A confirm station, signed, for its branch.
    Station,
    /// A member of staff, signed with a key of their own, for their branch.
    Staff,
    /// A confirm station or a member of staff's own terminal, signed.
    Terminal,
    /// Any enrolled signer.
    Signed,
    /// Anybody.
    Public,
}

/// What body the route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// None; a body is malformed.
    None,
    /// JSON of the named schema.
    Json(&'static str),
    /// JSON with nothing to say: `{}`, or no body at all.
    Nothing,
    /// JSON of the named schema, or no body at all, which says nothing.
    Maybe(&'static str),
    /// The octet stream of `identity`.
    Identity,
    /// The bytes of a sealed live print.
    Print,
}

impl BodyRule {
    /// Most bytes accepted.
    pub fn limit(self) -> usize {
        match self {
            Self::None => 0,
            Self::Json(_) | Self::Nothing | Self::Maybe(_) => JSON_BODY_MAX,
            Self::Identity | Self::Print => IDENTITY_BODY_MAX,
        }
    }

    /// The media type a body must have.
    pub fn media_type(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Json(_) | Self::Nothing | Self::Maybe(_) => Some("application/json"),
            Self::Identity | Self::Print => Some("application/octet-stream"),
        }
    }
}

/// What the route answers when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerRule {
    /// JSON of the named schema.
    Json(&'static str),
    /// A JSON array of the named schema.
    List(&'static str),
    /// Server-sent events whose data is a `Notice`.
    Events,
    /// A C2SP signed note.
    Text,
    /// Raw hashes.
    Octets,
    /// The OpenAPI document.
    Document,
}

/// What to do. One handler each ([`super::handle`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// S2: open a sale.
    OpenSale,
    /// Resume anywhere (I6).
    ReadSale,
    /// S3, S4: purchase verification.
    Info,
    /// S12 to S14: identity.
    Identity,
    /// S13: a second finger for a large order.
    Finger,
    /// S6: purchase info.
    Order,
    /// S7, S8: linked processing.
    Link,
    /// What happened to paper.
    Forms,
    /// L7: the payment-password sheet, sealed.
    Sheet,
    /// Give up before linking.
    Cancel,
    /// Break off after linking.
    Abandon,
    /// Receipt.
    Close,
    /// Who am I, what was I doing.
    ReadKiosk,
    /// S17 to S22: what a station sees.
    Confirmations,
    /// S20: viewing is an audited act.
    Seen,
    /// Confirmed.
    Confirm,
    /// Denied.
    Deny,
    /// Asked again.
    Ask,
    /// What waits for two people.
    Custody,
    /// One person proposes.
    Propose,
    /// Another person approves, and it is done.
    Approve,
    /// Another person refuses, or the proposer takes it back.
    Refuse,
    /// Where a terminal of staff stands.
    ReadSession,
    /// Somebody logs in.
    LogIn,
    /// Somebody touches a terminal.
    Alive,
    /// Somebody leaves.
    LogOut,
    /// Something changed.
    Events,
    /// Signed head of the log.
    Checkpoint,
    /// Hashes of the log.
    Tile,
    /// The timeline of one number.
    Number,
    /// This interface.
    OpenApi,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path; `{name}` stands for one segment.
    pub path: &'static str,
    /// Who may call.
    pub audience: Audience,
    /// What it takes.
    pub body: BodyRule,
    /// Whether `Idempotency-Key` is required.
    pub keyed: bool,
    /// What it answers.
    pub answer: AnswerRule,
    /// What it does.
    pub operation: Operation,
    /// One line for people.
    pub summary: &'static str,
}

const fn get(
    path: &'static str,
    audience: Audience,
    answer: AnswerRule,
    operation: Operation,
    summary: &'static str,
) -> Route {
    Route {
        method: Method::Get,
        path,
        audience,
        body: BodyRule::None,
        keyed: false,
        answer,
        operation,
        summary,
    }
}

const fn post(
    path: &'static str,
    audience: Audience,
    body: BodyRule,
    answer: &'static str,
    operation: Operation,
    summary: &'static str,
) -> Route {
    Route {
        method: Method::Post,
        path,
        audience,
        body,
        keyed: false,
        answer: AnswerRule::Json(answer),
        operation,
        summary,
    }
}

const fn keyed(route: Route) -> Route {
    Route {
        keyed: true,
        ..route
    }
}

use AnswerRule::{Document, Events, Json as JsonAnswer, List, Octets, Text};
use Audience::{Kiosk, Public, Signed, Staff, Station, Terminal};
use BodyRule::{Identity, Json, Maybe, Nothing, Print};

/// Every route there is.
#[rustfmt::skip]
pub const TABLE: &[Route] = &[
    post("/v1/sales", Kiosk, Json("OpenSale"), "SaleView", Operation::OpenSale,
        "Open a sale under an id of the kiosk's making"),
    get("/v1/sales/{sale}", Kiosk, JsonAnswer("SaleView"), Operation::ReadSale,
        "Where the sale stands; how a kiosk resumes"),
    post("/v1/sales/{sale}/info", Kiosk, Json("VerificationInfo"), "SaleView", Operation::Info,
        "Verify the purchase information (message 1)"),
    post("/v1/sales/{sale}/identity", Kiosk, Identity, "SaleView", Operation::Identity,
        "Verify document and live finger (message 2)"),
    post("/v1/sales/{sale}/finger", Kiosk, Print, "SaleView", Operation::Finger,
        "Verify a second enrolled finger, for an order that was refused without one"),
    post("/v1/sales/{sale}/order", Kiosk, Json("Order"), "SaleView", Operation::Order,
        "Order kinds and quantities"),
    keyed(post("/v1/sales/{sale}/link", Kiosk, Nothing, "SaleView", Operation::Link,
        "Linked processing: numbers, fee, ledger, register, evidence in one commit")),
    post("/v1/sales/{sale}/forms", Kiosk, Json("FormAdvices"), "FormsAnswer", Operation::Forms,
        "What happened to paper, in order; repeat until acknowledged"),
    post("/v1/sales/{sale}/sheet", Kiosk, Json("TakeSheet"), "SheetAnswer", Operation::Sheet,
        "The payment passwords of sold forms, sealed to the printer's key of this sale; once"),
    keyed(post("/v1/sales/{sale}/cancel", Kiosk, Nothing, "SaleView", Operation::Cancel,
        "Give up before linked processing")),
    keyed(post("/v1/sales/{sale}/abandon", Kiosk, Json("Abandon"), "SaleView", Operation::Abandon,
        "Break off after linked processing; unfed forms go back, staff finish the rest")),
    keyed(post("/v1/sales/{sale}/close", Kiosk, Maybe("Close"), "SaleView", Operation::Close,
        "Close when every form is settled; answers with the receipt")),
    get("/v1/kiosk", Kiosk, JsonAnswer("KioskView"), Operation::ReadKiosk,
        "Who the signer is and what it was doing"),
    get("/v1/confirmations", Station, List("ConfirmationView"), Operation::Confirmations,
        "What this station has to look at"),
    post("/v1/confirmations/{sale}/seen", Station, Json("Decision"), "ConfirmationView",
        Operation::Seen, "The officer opened it; an audited act"),
    post("/v1/confirmations/{sale}/confirm", Station, Json("Decision"), "ConfirmationView",
        Operation::Confirm, "Confirm exactly the text whose digest is named"),
    post("/v1/confirmations/{sale}/deny", Station, Json("Decision"), "ConfirmationView",
        Operation::Deny, "Deny, with a reason"),
    post("/v1/confirmations/{sale}/ask", Station, Json("Decision"), "ConfirmationView",
        Operation::Ask, "Ask the customer again"),
    get("/v1/custody", Staff, JsonAnswer("CustodyView"), Operation::Custody,
        "What of the signer's branch waits for two people"),
    keyed(post("/v1/custody", Staff, Json("Propose"), "ProposalView", Operation::Propose,
        "Propose an act of custody; nothing is done before another person approves it")),
    post("/v1/custody/{proposal}/approve", Staff, Json("Approve"), "ProposalView",
        Operation::Approve, "Approve exactly the act whose digest is named; it is done at once"),
    post("/v1/custody/{proposal}/refuse", Staff, Json("Approve"), "ProposalView",
        Operation::Refuse, "Refuse it, or take back one's own"),
    get("/v1/session", Terminal, JsonAnswer("SessionView"), Operation::ReadSession,
        "Whether somebody is logged in at the signer's terminal, and what to seal to"),
    post("/v1/session", Terminal, Json("LogIn"), "SessionView", Operation::LogIn,
        "Log in; the first password is exchanged for one's own"),
    post("/v1/session/alive", Terminal, Nothing, "SessionView", Operation::Alive,
        "Somebody touched the terminal: the session is not idle"),
    post("/v1/session/end", Terminal, Maybe("LogOut"), "SessionView", Operation::LogOut,
        "Log out"),
    get("/v1/events", Signed, Events, Operation::Events,
        "Changes the signer may see; Last-Event-ID resumes; `reset`: read all anew"),
    get("/v1/evidence/checkpoint", Signed, Text, Operation::Checkpoint,
        "Signed head of the evidence log (C2SP tlog-checkpoint)"),
    get("/v1/evidence/tile/{level}/{index}", Signed, Octets, Operation::Tile,
        "Up to 256 hashes of the evidence log, 32 bytes each"),
    get("/v1/evidence/number/{number}", Signed, JsonAnswer("NumberTimeline"), Operation::Number,
        "Everything that happened to one number"),
    get("/openapi.json", Public, Document, Operation::OpenApi, "This interface"),
];

/// Path parameters in order of appearance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<String>);

impl Params {
    /// The `n`th parameter, or an empty text, which no parser accepts.
    pub fn at(&self, n: usize) -> &str {
        self.0.get(n).map_or("", String::as_str)
    }

    /// The `n`th parameter as a whole number.
    pub fn number(&self, n: usize) -> Option<u64> {
        whole(self.at(n))
    }
}

/// A whole number as we write it: digits only, no sign, no zeros before it. So one
/// resource has one path.
pub fn whole(text: &str) -> Option<u64> {
    let is_plain =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// What a path and method are worth.
#[derive(Debug, Clone)]
pub enum Found {
    /// This row.
    Route(&'static Route, Params),
    /// The path exists with other methods (for `Allow`).
    OtherMethod(Vec<&'static str>),
    /// No such path.
    Nothing,
}

/// Finds the row for a method and a path (without query).
pub fn find(method: &str, path: &str) -> Found {
    let mut allow = Vec::new();
    for route in TABLE {
        let Some(params) = matches(route.path, path) else {
            continue;
        };
        if route.method.as_str() == method {
            return Found::Route(route, params);
        }
        allow.push(route.method.as_str());
    }
    if allow.is_empty() {
        Found::Nothing
    } else {
        Found::OtherMethod(allow)
    }
}

fn matches(pattern: &str, path: &str) -> Option<Params> {
    let mut params = Params::default();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(w), Some(g)) if w.starts_with('{') => {
                if g.is_empty() || params.0.len() >= PARAMS_MAX {
                    return None;
                }
                params.0.push(g.to_owned());
            }
            (Some(w), Some(g)) if w == g => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
