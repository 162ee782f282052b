//! The OpenAPI 3.1 document, built from the route table and the wire types.
//!
//! Owns descriptions only; paths, bodies, limits and answers come from
//! [`super::route::TABLE`], schemas from `utoipa::ToSchema` of the wire. Complete
//! enough for a property-based tester. Called once per service and by `app`.

use counterfoil_data::sign::{
    CONTENT_DIGEST_HEADER, SIGNATURE_HEADER, SIGNATURE_INPUT_HEADER, SKEW_S_MAX,
};
use counterfoil_data::wire::{self, confirm, custody, forms, problem, sale};
use utoipa::ToSchema;
use utoipa::openapi::path::{
    HttpMethod, Operation as Described, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
    PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    Response, ResponseBuilder,
};

use super::route::{AnswerRule, Audience, BodyRule, Method, Route, TABLE};
use super::timeline;

/// The whole document.
pub fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    for route in TABLE {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
        };
        paths = paths.path(route.path, PathItem::new(method, described(route)));
    }
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Counterfoil")
                .version(wire::VERSION.to_string())
                .description(Some(DESCRIPTION))
                .build(),
        )
        .paths(paths.build())
        .components(Some(components()))
        .build()
}

const DESCRIPTION: &str = "Self-service sale of numbered cheques. Every request under /v1 is \
signed (RFC 9421, Ed25519, tag counterfoil-v1) over method, path, query, content digest, \
sequence and idempotency key. Errors are problem details (RFC 9457).";

fn described(route: &Route) -> Described {
    let name = format!("{:?}", route.operation);
    let mut operation = OperationBuilder::new()
        .operation_id(Some(lower_first(&name)))
        .summary(Some(route.summary))
        .tag(match route.audience {
            Audience::Kiosk => "kiosk",
            Audience::Station => "station",
            Audience::Staff => "staff",
            Audience::Signed => "signed",
            Audience::Public => "public",
        })
        .parameters(Some(parameters(route)))
        .request_body(request_body(route.body));
    operation = operation.response("200", ok(route));
    for kind in problems(route) {
        let (_, title, status) = kind.facts();
        operation = operation.response(status.to_string(), refusal(title));
    }
    if route.audience != Audience::Public {
        let schemes = [SIGNATURE_SCHEME, INPUT_SCHEME, DIGEST_SCHEME];
        let requirement = schemes
            .into_iter()
            .fold(SecurityRequirement::default(), |all, scheme| {
                all.add(scheme, Vec::<String>::new())
            });
        operation = operation.security(requirement);
    }
    operation.build()
}

const SIGNATURE_SCHEME: &str = "signature";
const INPUT_SCHEME: &str = "signature-input";
const DIGEST_SCHEME: &str = "content-digest";

/// Problems a route can answer with; the first of each status speaks for it.
fn problems(route: &Route) -> Vec<problem::ProblemKind> {
    use problem::ProblemKind as K;
    let mut all = vec![K::Malformed, K::NotFound, K::Method, K::Busy, K::Internal];
    if route.audience != Audience::Public {
        all.extend([K::NotSigned, K::NotYours, K::Version, K::TooLarge]);
    }
    if route.method == Method::Post {
        all.extend([K::OutOfOrder, K::MediaType, K::Refused, K::Locked]);
    }
    all
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let mut all = Vec::new();
    for segment in route.path.split('/') {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            continue;
        };
        let schema = match name {
            "sale" => text("^[0-9a-f]{32}$"),
            "number" => text("^[0-9]{16}$"),
            _ => number(),
        };
        all.push(parameter(name, ParameterIn::Path, Required::True, schema));
    }
    if route.audience == Audience::Public {
        return all;
    }
    let header = |name, required, schema| parameter(name, ParameterIn::Header, required, schema);
    all.push(header(wire::VERSION_HEADER, Required::True, number()));
    all.push(header(wire::SEQUENCE_HEADER, Required::True, number()));
    if route.keyed {
        let key = text("^[\\x21-\\x7e]{1,64}$");
        all.push(header(wire::IDEMPOTENCY_HEADER, Required::True, key));
    }
    if route.answer == AnswerRule::Events {
        all.push(header("last-event-id", Required::False, number()));
    }
    all
}

fn parameter(name: &str, place: ParameterIn, required: Required, schema: Schema) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema))
        .build()
}

fn text(pattern: &str) -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern));
    Schema::Object(object.build())
}

fn number() -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0));
    Schema::Object(object.build())
}

fn binary() -> Schema {
    let object =
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::Binary,
            )));
    Schema::Object(object.build())
}

fn content(schema: impl Into<RefOr<Schema>>) -> utoipa::openapi::Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn request_body(rule: BodyRule) -> Option<utoipa::openapi::request_body::RequestBody> {
    let media_type = rule.media_type()?;
    let (schema, required) = match rule {
        BodyRule::None => return None,
        BodyRule::Json(name) => (reference(name), Required::True),
        BodyRule::Nothing => (reference("Nothing"), Required::False),
        BodyRule::Identity => (RefOr::T(binary()), Required::True),
    };
    let note = match rule {
        BodyRule::Identity => {
            "length of the head as u32 big-endian, the head (IdentityHead) as JSON, \
             then the bytes of a sealed LivePrint"
        }
        _ => "one JSON document",
    };
    let body = RequestBodyBuilder::new()
        .description(Some(format!("{note}; at most {} bytes", rule.limit())))
        .required(Some(required))
        .content(media_type, content(schema));
    Some(body.build())
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn ok(route: &Route) -> Response {
    let (media_type, schema) = match route.answer {
        AnswerRule::Json(name) => ("application/json", reference(name)),
        AnswerRule::List(name) => {
            let array = ArrayBuilder::new().items(reference(name)).build();
            ("application/json", RefOr::T(Schema::Array(array)))
        }
        AnswerRule::Events => ("text/event-stream", RefOr::T(text("^"))),
        AnswerRule::Text => ("text/plain; charset=utf-8", RefOr::T(text("^"))),
        AnswerRule::Octets => ("application/octet-stream", RefOr::T(binary())),
        AnswerRule::Document => {
            let object = ObjectBuilder::new().build();
            ("application/json", RefOr::T(Schema::Object(object)))
        }
    };
    ResponseBuilder::new()
        .description("done")
        .content(media_type, content(schema))
        .build()
}

fn refusal(title: &str) -> Response {
    ResponseBuilder::new()
        .description(title)
        .content(problem::MEDIA_TYPE, content(reference("Problem")))
        .build()
}

fn components() -> utoipa::openapi::Components {
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
    add::<sale::KioskView>(&mut schemas);
    add::<forms::FormAdvices>(&mut schemas);
    add::<forms::FormsAnswer>(&mut schemas);
    add::<confirm::ConfirmationView>(&mut schemas);
    add::<confirm::Decision>(&mut schemas);
    add::<confirm::Notice>(&mut schemas);
    add::<custody::CustodyView>(&mut schemas);
    add::<custody::Propose>(&mut schemas);
    add::<custody::Approve>(&mut schemas);
    add::<problem::Problem>(&mut schemas);
    add::<timeline::NumberTimeline>(&mut schemas);
    let header = |name: &str, what: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, what)))
    };
    let skew = format!(
        "RFC 9421 signature input; created within {SKEW_S_MAX} s, a fresh nonce of 16 bytes in hex, \
         keyid kiosk:…, station:… or staff:…, alg ed25519, tag counterfoil-v1"
    );
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            SIGNATURE_SCHEME,
            header(SIGNATURE_HEADER, "RFC 9421 signature"),
        )
        .security_scheme(INPUT_SCHEME, header(SIGNATURE_INPUT_HEADER, &skew))
        .security_scheme(
            DIGEST_SCHEME,
            header(
                CONTENT_DIGEST_HEADER,
                "RFC 9530 SHA-256 of the body, also of an empty one",
            ),
        )
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn json() -> serde_json::Value {
        serde_json::to_value(document()).expect("serialises")
    }

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let document = json();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for method in item.as_object().expect("an item").keys() {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let routed: BTreeSet<String> = TABLE
            .iter()
            .map(|r| format!("{} {}", r.method.as_str(), r.path))
            .collect();
        assert_eq!(described, routed);
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        fn references(value: &serde_json::Value, found: &mut BTreeSet<String>) {
            match value {
                serde_json::Value::Object(map) => {
                    if let Some(target) = map.get("$ref").and_then(|r| r.as_str()) {
                        found.insert(target.to_owned());
                    }
                    map.values().for_each(|v| references(v, found));
                }
                serde_json::Value::Array(all) => all.iter().for_each(|v| references(v, found)),
                _ => {}
            }
        }
        let document = json();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{}", found.len());
        for target in found {
            let pointer = target.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
    }

    #[test]
    fn every_signed_route_documents_its_signature_and_refusals() {
        let document = json();
        for route in TABLE.iter().filter(|r| r.audience != Audience::Public) {
            let method = route.method.as_str().to_lowercase();
            let operation = &document["paths"][route.path][method.as_str()];
            assert!(
                operation["security"][0]["signature"].is_array(),
                "{}",
                route.path
            );
            assert!(operation["responses"]["401"].is_object(), "{}", route.path);
        }
    }
}
