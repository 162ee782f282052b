//! The OpenAPI 3.1 document, built from the route table and the wire types.
//!
//! Owns descriptions only; paths, bodies, limits and answers come from
//! [`super::route::TABLE`], schemas from `utoipa::ToSchema` of the wire. Complete
//! enough for a property-based tester: every status a route can answer with, which
//! problem types it has there, limits of the real parsers, links from an answer to
//! the calls it makes possible. Called by every service and by `app`.

mod answers;
mod examples;
mod links;
mod schemas;

use std::sync::OnceLock;

use bytes::Bytes;
use counterfoil_data::wire::{self, problem};
use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation as Described, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
    PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, ContentBuilder, Header, InfoBuilder, KnownFormat, OpenApiBuilder, Ref, RefOr,
    Required, Response, ResponseBuilder,
};

use super::http::LAST_EVENT_HEADER;
use super::reply::REQUEST_ID_HEADER;
use super::route::{AnswerRule, Audience, BodyRule, Method, Operation, Route, TABLE, TILE_LEVELS};
use super::sessions;
pub use answers::problems;

/// The whole document as it is served; made once a process.
pub fn served() -> Bytes {
    static SERVED: OnceLock<Bytes> = OnceLock::new();
    SERVED.get_or_init(|| document().to_string().into()).clone()
}

/// The whole document.
pub fn document() -> Value {
    let mut paths = PathsBuilder::new();
    for route in TABLE {
        let method = match route.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
        };
        paths = paths.path(route.path, PathItem::new(method, described(route)));
    }
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Counterfoil")
                .version(wire::VERSION.to_string())
                .description(Some(DESCRIPTION))
                .build(),
        )
        .paths(paths.build())
        .components(Some(schemas::components()))
        .build();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    schemas::finish(&mut document);
    document
}

const DESCRIPTION: &str = "Self-service sale of numbered cheques. Every request under /v1 is \
signed (RFC 9421, Ed25519, tag counterfoil-v1) over method, path, query, content digest, \
sequence and idempotency key. Errors are problem details (RFC 9457). A path that is not here is \
404, another method 405 with Allow (HEAD and OPTIONS, too); whole numbers are written without \
a fraction (1, not 1.0); what is no HTTP/1.1, or a head over \
16 KiB or 64 fields, is refused without a problem document.";

/// Name of an operation in the document.
fn operation_id(operation: Operation) -> String {
    let name = format!("{operation:?}");
    let mut letters = name.chars();
    let first = letters.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn described(route: &Route) -> Described {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(operation_id(route.operation)))
        .summary(Some(route.summary))
        .tag(match route.audience {
            Audience::Kiosk => "kiosk",
            Audience::Station => "station",
            Audience::Staff => "staff",
            Audience::Terminal => "terminal",
            Audience::Signed => "signed",
            Audience::Public => "public",
        })
        .parameters(Some(parameters(route)))
        .request_body(request_body(route))
        .response("200", ok(route));
    for (status, kinds) in answers::by_status(route) {
        operation = operation.response(status.to_string(), refusal(status, &kinds));
    }
    if route.audience != Audience::Public {
        let requirement = schemas::SCHEMES
            .into_iter()
            .fold(SecurityRequirement::default(), |all, scheme| {
                all.add(scheme, Vec::<String>::new())
            });
        operation = operation.security(requirement);
    }
    operation.build()
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let mut all = Vec::new();
    for segment in route.path.split('/') {
        let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
            continue;
        };
        let schema = match name {
            "sale" => reference("SaleId"),
            "number" => reference("BillNumber"),
            "level" => whole(0, TILE_LEVELS.saturating_sub(1)),
            _ => whole(0, u64::MAX),
        };
        all.push(parameter(name, ParameterIn::Path, Required::True, schema));
    }
    if route.audience == Audience::Public {
        return all;
    }
    let header = |name, required, schema| parameter(name, ParameterIn::Header, required, schema);
    all.push(header(
        wire::VERSION_HEADER,
        Required::True,
        whole(u64::from(wire::VERSION_BEFORE), u64::from(wire::VERSION)),
    ));
    if sessions::may_name(route) {
        let id = reference("SessionId");
        all.push(header(wire::SESSION_HEADER, Required::False, id));
    }
    // A command's number must be above the last one; a read's is only signed.
    let least = u64::from(route.method == Method::Post);
    all.push(header(
        wire::SEQUENCE_HEADER,
        Required::True,
        whole(least, u64::MAX),
    ));
    if route.keyed {
        let key = RefOr::T(text("^[\\x21-\\x7e]{1,64}$"));
        all.push(header(wire::IDEMPOTENCY_HEADER, Required::True, key));
    }
    if route.operation == Operation::ReadKiosk {
        let seen = RefOr::T(text("^(0|[1-9][0-9]{0,18})-[0-9a-f]{64}$"));
        all.push(parameter("seen", ParameterIn::Query, Required::False, seen));
    }
    if route.answer == AnswerRule::Events {
        let last = whole(0, u64::MAX);
        all.push(header(LAST_EVENT_HEADER, Required::False, last));
    }
    all
}

fn parameter(
    name: &str,
    place: ParameterIn,
    required: Required,
    schema: RefOr<Schema>,
) -> Parameter {
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

fn whole(least: u64, most: u64) -> RefOr<Schema> {
    let number = |n| usize::try_from(n).unwrap_or(usize::MAX);
    let object = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(number(least)))
        .maximum(Some(number(most)));
    RefOr::T(Schema::Object(object.build()))
}

fn binary() -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    Schema::Object(object.build())
}

fn content(schema: impl Into<RefOr<Schema>>) -> Content {
    ContentBuilder::new().schema(Some(schema)).build()
}

fn request_body(route: &Route) -> Option<RequestBody> {
    let rule = route.body;
    let media_type = rule.media_type()?;
    let (schema, required) = match rule {
        BodyRule::None => return None,
        BodyRule::Json(name) => (schemas::asked(route.operation, name), Required::True),
        BodyRule::Maybe(name) => (schemas::asked(route.operation, name), Required::False),
        BodyRule::Nothing => (reference("Nothing"), Required::False),
        BodyRule::Identity | BodyRule::Print => (RefOr::T(binary()), Required::True),
    };
    let (note, example) = match rule {
        BodyRule::Identity => (
            "length of the head as u32 big-endian, the head (IdentityHead) as JSON, \
             then the bytes of a sealed LivePrint",
            None,
        ),
        BodyRule::Print => ("the bytes of a sealed LivePrint", None),
        BodyRule::Json(name) => ("one JSON document", examples::of(name)),
        BodyRule::Maybe(name) => ("one JSON document or nothing at all", examples::of(name)),
        _ => ("{} or nothing at all", None),
    };
    let content = ContentBuilder::new().schema(Some(schema)).example(example);
    let body = RequestBodyBuilder::new()
        .description(Some(format!("{note}; at most {} bytes", rule.limit())))
        .required(Some(required))
        .content(media_type, content.build());
    Some(body.build())
}

fn reference(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

fn header(schema: impl Into<RefOr<Schema>>, description: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}

/// With the headers that every answer has.
fn stamped(response: ResponseBuilder) -> ResponseBuilder {
    let version = whole(u64::from(wire::VERSION_BEFORE), u64::from(wire::VERSION));
    let id = text("^[0-9a-f]{16}$");
    response
        .header(REQUEST_ID_HEADER, header(id, "names this request in logs"))
        .header(wire::VERSION_HEADER, header(version, "the wire version"))
        .header("cache-control", header(text("^no-store$"), "never kept"))
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
            let object = ObjectBuilder::new().schema_type(Type::Object).build();
            ("application/json", RefOr::T(Schema::Object(object)))
        }
    };
    let mut response = stamped(ResponseBuilder::new())
        .description("done")
        .content(media_type, content(schema));
    if route.keyed {
        let note = "set where the key was used before: this is the answer it got";
        response = response.header(wire::REPLAYED_HEADER, header(text("^true$"), note));
    }
    for (name, link) in links::of(route.operation) {
        response = response.link(name, link);
    }
    response.build()
}

/// One status and the problem types that have it here.
fn refusal(status: u16, kinds: &[problem::ProblemKind]) -> Response {
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.facts().1).collect();
    let mut response = stamped(ResponseBuilder::new())
        .description(titles.join("; "))
        .content(
            problem::MEDIA_TYPE,
            content(schemas::problem(status, kinds)),
        );
    let extra = match status {
        401 => Some(("www-authenticate", "^Signature ", "how to sign")),
        405 => Some(("allow", "^(GET|POST)(, (GET|POST))*$", "what there is")),
        426 => Some(("upgrade", "^counterfoil/[0-9]+$", "what is served")),
        503 => Some(("retry-after", "^[0-9]+$", "seconds to wait")),
        _ => None,
    };
    if let Some((name, pattern, note)) = extra {
        response = response.header(name, header(text(pattern), note));
    }
    response.build()
}

#[cfg(test)]
mod tests;
