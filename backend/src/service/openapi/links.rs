//! From an answer to the calls it makes possible (OpenAPI links): a whole sale and a
//! whole act of custody can be followed by a machine.

use serde_json::json;
use utoipa::openapi::link::{Link, LinkBuilder};

use super::super::route::Operation as O;
use super::operation_id;

/// Where the sale is named in an answer.
const SALE: &str = "$response.body#/sale";

/// Links out of an operation's 200, by name.
pub fn of(operation: O) -> Vec<(String, Link)> {
    let to: &[O] = match operation {
        O::OpenSale => &[O::ReadSale, O::Info, O::Cancel],
        O::Info => &[O::ReadSale, O::Identity, O::Cancel],
        O::Identity => &[O::Order, O::Cancel],
        O::Order => &[O::Seen, O::Confirm, O::Deny, O::Ask, O::Link, O::Cancel],
        O::Seen => &[O::Confirm, O::Deny, O::Ask],
        O::Confirm => &[O::Link],
        O::Link => &[O::Forms, O::Abandon, O::Close, O::Number],
        O::Forms => &[O::Number, O::Close],
        O::Propose => &[O::Approve, O::Refuse],
        _ => &[],
    };
    let link = |to: &O| (operation_id(*to), link(operation, *to));
    to.iter().map(link).collect()
}

fn link(from: O, to: O) -> Link {
    let link = LinkBuilder::new().operation_id(operation_id(to));
    let digest = |at: &str| json!({ "digest": format!("$response.body#{at}/digest") });
    match (from, to) {
        (O::Link, O::Number) => link.parameter("number", "$response.body#/linked/ranges/0/first"),
        (O::Forms, O::Number) => link.parameter("number", "$response.body#/forms/0/number"),
        (O::Forms, O::Close) => link.parameter("sale", "$request.path.sale"),
        (O::Propose, _) => link
            .parameter("proposal", "$response.body#/proposal")
            .request_body(Some(digest(""))),
        (O::Order, O::Seen | O::Confirm | O::Deny) => link
            .parameter("sale", SALE)
            .request_body(Some(digest("/order"))),
        (O::Seen, O::Confirm | O::Deny) => link
            .parameter("sale", SALE)
            .request_body(Some(digest("/purchase"))),
        _ => link.parameter("sale", SALE),
    }
    .build()
}
