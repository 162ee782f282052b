//! One lawful body of each schema, about the demo bank.

use serde_json::{Value, json};

/// An example of the named schema; `None` where nobody can make one up (sealed
/// values open only under a challenge).
pub fn of(schema: &str) -> Option<Value> {
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Some(match schema {
        "OpenSale" => json!({
            "sale": "0123456789abcdef0123456789abcdef",
            "mode": "payment-password",
        }),
        "Order" => json!({ "items": [{ "kind": "transfer-cheque", "quantity": 25 }] }),
        "FormAdvices" => json!({ "advices": [
            { "number": "3130002100010001", "event": { "is": "feeding" } },
        ] }),
        "Abandon" => json!({ "reason": "customer-left" }),
        "TakeSheet" => json!({ "key": digest }),
        "LogOut" => json!({ "idle": true }),
        "Close" => json!({ "sheet": "printed" }),
        "Decision" => json!({ "digest": digest, "note": "asked the contact by telephone" }),
        "Propose" => json!({ "act": {
            "act": "announce",
            "branch": "branch-1",
            "range": { "first": "3130002100040001", "last": "3130002100040100" },
        } }),
        "Approve" => json!({ "digest": digest, "count": 100 }),
        _ => return None,
    })
}
