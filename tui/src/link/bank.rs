//! The kiosk's calls: each one to its route, every outcome to an answer.

use bytes::Bytes;
use counterfoil_data::sealed::Sealed;
use counterfoil_data::wire::sale::{IdentityHead, KioskView, LivePrint, Nothing};
use hyper::Method;
use serde::de::DeserializeOwned;

use super::{Ask, Dial, Link, LinkError, sale_path};
use crate::flow::effect::BankCall;
use crate::flow::event::Answer;

/// The request of a call.
pub fn ask(call: &BankCall) -> Ask {
    match call {
        BankCall::Kiosk(None) => Ask::read("/v1/kiosk"),
        BankCall::Kiosk(Some(seen)) => Ask::read(format!("/v1/kiosk?seen={seen}")),
        BankCall::View(sale) => Ask::read(sale_path(*sale, "")),
        BankCall::OpenSale(open) => Ask::post("/v1/sales", open),
        BankCall::SubmitInfo(sale, info) => Ask::post(sale_path(*sale, "/info"), info),
        BankCall::SubmitIdentity(sale, head, print) => Ask {
            method: Method::POST,
            path: sale_path(*sale, "/identity"),
            body: identity_body(head, print),
            media_type: Some("application/octet-stream"),
            key: None,
        },
        BankCall::SubmitFinger(sale, print) => Ask {
            method: Method::POST,
            path: sale_path(*sale, "/finger"),
            body: print.to_bytes().into(),
            media_type: Some("application/octet-stream"),
            key: None,
        },
        BankCall::PlaceOrder(sale, order) => Ask::post(sale_path(*sale, "/order"), order),
        BankCall::Link(sale, key) => Ask::post(sale_path(*sale, "/link"), &Nothing {}).keyed(key),
        BankCall::Advise(sale, advices) => Ask::post(sale_path(*sale, "/forms"), advices),
        BankCall::Cancel(sale, key) => {
            Ask::post(sale_path(*sale, "/cancel"), &Nothing {}).keyed(key)
        }
        BankCall::TakeSheet(sale, asked) => Ask::post(sale_path(*sale, "/sheet"), asked),
        BankCall::Abandon(sale, abandon, key) => {
            Ask::post(sale_path(*sale, "/abandon"), abandon).keyed(key)
        }
        BankCall::CloseSale(sale, close, key) => {
            Ask::post(sale_path(*sale, "/close"), close).keyed(key)
        }
    }
}

/// Length of the head as u32 big-endian, the head, the sealed print (S12).
fn identity_body(head: &IdentityHead, print: &Sealed<LivePrint>) -> Bytes {
    let head = serde_json::to_vec(head).unwrap_or_default();
    let len = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let parts = [&len.to_be_bytes()[..], &head, &print.to_bytes()];
    parts.concat().into()
}

/// Makes the call and says what came of it.
pub async fn answer<D: Dial>(link: &Link<D>, call: &BankCall) -> Answer {
    let ask = ask(call);
    match call {
        BankCall::Kiosk(_) => told(link.json::<KioskView>(&ask).await, |view| {
            link.seen_sequence(view.sequence);
            Answer::Kiosk(Box::new(view))
        }),
        BankCall::Advise(..) => told(link.json(&ask).await, Answer::Forms),
        BankCall::TakeSheet(..) => told(link.json(&ask).await, Answer::Sheet),
        _ => told(link.json(&ask).await, |view| Answer::Sale(Box::new(view))),
    }
}

fn told<T: DeserializeOwned>(
    result: Result<T, LinkError>,
    answer: impl FnOnce(T) -> Answer,
) -> Answer {
    match result {
        Ok(value) => answer(value),
        Err(LinkError::Refused(problem)) => Answer::Problem(problem),
        Err(error) => {
            tracing::warn!(%error, "no answer from the backend");
            Answer::Offline
        }
    }
}
