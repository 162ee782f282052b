//! Schemas and security schemes, and what the derive cannot say of them.

use counterfoil_data::sign::{
    CONTENT_DIGEST_HEADER, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER, SKEW_S_MAX,
};
use counterfoil_data::wire::problem::{Problem, ProblemKind};
use counterfoil_data::wire::{confirm, custody, forms, sale, session, sheet};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Components, ComponentsBuilder, RefOr};

use super::super::route::Operation;
use super::super::timeline;
use super::reference;

const SIGNATURE_SCHEME: &str = "signature";
const INPUT_SCHEME: &str = "signature-input";
const DIGEST_SCHEME: &str = "content-digest";
/// All three are sent with every signed request.
pub const SCHEMES: [&str; 3] = [SIGNATURE_SCHEME, INPUT_SCHEME, DIGEST_SCHEME];

/// Choices by a tag whose variants take no other fields (`deny_unknown_fields`), which
/// the derive does not say of variants.
const CLOSED: [&str; 4] = ["VerificationInfo", "FormEvent", "Act", "Holder"];

/// Every type on the wire, and how requests are signed.
pub fn components() -> Components {
    let mut schemas = Vec::new();
    /// A type and everything it refers to.
    fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
    add::<sale::OpenSale>(&mut schemas);
    add::<sale::SaleView>(&mut schemas);
    add::<sale::VerificationInfo>(&mut schemas);
    add::<sale::IdentityHead>(&mut schemas);
    add::<sale::Order>(&mut schemas);
    add::<sale::Nothing>(&mut schemas);
    add::<sale::Abandon>(&mut schemas);
    add::<sale::Close>(&mut schemas);
    add::<sheet::TakeSheet>(&mut schemas);
    add::<sheet::SheetAnswer>(&mut schemas);
    add::<sale::KioskView>(&mut schemas);
    add::<forms::FormAdvices>(&mut schemas);
    add::<forms::FormsAnswer>(&mut schemas);
    add::<confirm::ConfirmationView>(&mut schemas);
    add::<confirm::Decision>(&mut schemas);
    add::<confirm::Notice>(&mut schemas);
    add::<custody::CustodyView>(&mut schemas);
    add::<custody::Propose>(&mut schemas);
    add::<custody::Approve>(&mut schemas);
    add::<session::LogIn>(&mut schemas);
    add::<session::LogOut>(&mut schemas);
    add::<session::SessionView>(&mut schemas);
    add::<Problem>(&mut schemas);
    add::<timeline::NumberTimeline>(&mut schemas);
    let header = |name: &str, what: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, what)))
    };
    let skew = format!(
        "RFC 9421 signature input; created within {SKEW_S_MAX} s, a fresh nonce of 16 bytes in hex, \
         keyid kiosk:…, station:… or staff:…, alg ed25519, tag counterfoil-v1"
    );
    let digest = "RFC 9530 SHA-256 of the body, also of an empty one";
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            SIGNATURE_SCHEME,
            header(SIGNATURE_HEADER, "RFC 9421 signature"),
        )
        .security_scheme(INPUT_SCHEME, header(SIGNATURE_INPUT_HEADER, &skew))
        .security_scheme(DIGEST_SCHEME, header(CONTENT_DIGEST_HEADER, digest))
        .build()
}

/// A problem of this status and one of these types.
pub fn problem(status: u16, kinds: &[ProblemKind]) -> RefOr<Schema> {
    let only = |kind: Type, values: Vec<Value>| {
        ObjectBuilder::new()
            .schema_type(kind)
            .enum_values(Some(values))
            .build()
    };
    let types = kinds.iter().map(|kind| kind.uri().into()).collect();
    let narrowed = ObjectBuilder::new()
        .property("type", only(Type::String, types))
        .property("status", only(Type::Integer, vec![status.into()]));
    let both = AllOfBuilder::new()
        .item(reference("Problem"))
        .item(narrowed);
    RefOr::T(Schema::AllOf(both.build()))
}

/// What an operation asks of the named schema; some ask for more than others of the same.
pub fn asked(operation: Operation, name: &str) -> RefOr<Schema> {
    let is_decision = matches!(
        operation,
        Operation::Confirm | Operation::Deny | Operation::Ask
    );
    if !is_decision {
        return reference(name);
    }
    let mut more = ObjectBuilder::new()
        .property("digest", reference("Digest"))
        .required("digest");
    if operation == Operation::Ask {
        let question = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .pattern(Some("\\S"));
        more = more.property("note", question).required("note");
    }
    let both = AllOfBuilder::new().item(reference(name)).item(more);
    RefOr::T(Schema::AllOf(both.build()))
}

/// Says in the finished document what the derive cannot: closed variants, and the
/// limits of unsigned numbers.
pub fn finish(document: &mut Value) {
    let Some(schemas) = document.pointer_mut("/components/schemas") else {
        return;
    };
    for name in CLOSED {
        let variants = schemas.pointer_mut(&format!("/{name}/oneOf"));
        for variant in variants.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(variant) = variant.as_object_mut() {
                variant.insert("additionalProperties".to_owned(), json!(false));
            }
        }
    }
    limit_numbers(schemas);
}

/// `int32` of something that is never negative is a `u32` (or smaller) of ours, whose
/// upper half is lawful: the format would say that it is not.
fn limit_numbers(value: &mut Value) {
    let most = match (
        value.get("format").and_then(Value::as_str),
        value.get("minimum"),
    ) {
        (Some("int32"), Some(_)) => Some(json!(u32::MAX)),
        (Some("int64"), Some(_)) => Some(json!(u64::MAX)),
        _ => None,
    };
    match value {
        Value::Object(map) => {
            if let Some(most) = most {
                map.remove("format");
                map.entry("maximum").or_insert(most);
            }
            map.values_mut().for_each(limit_numbers);
        }
        Value::Array(all) => all.iter_mut().for_each(limit_numbers),
        _ => {}
    }
}
