//! Responses: one body type for whole documents and for event streams.
//!
//! Owns the headers every answer carries (request id, version, no-store). There
//! is no way to end a request without a [`Reply`]. Called by the HTTP layer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use counterfoil_data::wire::{self, problem};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;
use tokio::sync::mpsc;

use super::fault::Fault;
use super::versions;

/// Media type of an answer that is no problem.
const JSON: &str = "application/json";

/// Header naming one request in answers and logs.
pub const REQUEST_ID_HEADER: &str = "counterfoil-request-id";

/// A response body.
pub enum ReplyBody {
    /// A whole document; `None` once sent.
    Whole(Option<Bytes>),
    /// Frames as they come; the channel is the client's bound.
    Stream(mpsc::Receiver<Bytes>),
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Stream(frames) => frames.poll_recv(cx).map(|f| f.map(|b| Ok(Frame::data(b)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let len = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(len).unwrap_or(u64::MAX))
            }
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// What a handler answers.
pub struct Reply {
    status: StatusCode,
    media_type: &'static str,
    body: ReplyBody,
    replayed: bool,
}

impl Reply {
    /// 200 with JSON.
    pub fn json<T: Serialize>(value: &T) -> Result<Self, Fault> {
        let bytes = serde_json::to_vec(value).map_err(|_| Fault::internal())?;
        Ok(Self::whole(JSON, bytes))
    }

    /// 200 with a whole document.
    pub fn whole(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            media_type,
            body: ReplyBody::Whole(Some(bytes.into())),
            replayed: false,
        }
    }

    /// 200 with server-sent events.
    pub fn events(frames: mpsc::Receiver<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            media_type: "text/event-stream",
            body: ReplyBody::Stream(frames),
            replayed: false,
        }
    }

    /// Marks an answer rebuilt for a repeated key.
    pub fn replayed(mut self, replayed: bool) -> Self {
        self.replayed = replayed;
        self
    }

    /// The response, with the headers every answer carries.
    pub fn respond(self, request_id: &str, version: u32) -> Response<ReplyBody> {
        let body = match self.body {
            ReplyBody::Whole(Some(bytes)) if self.media_type == JSON => {
                ReplyBody::Whole(Some(versions::told(version, bytes)))
            }
            other => other,
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type),
        );
        if self.replayed {
            let name = HeaderName::from_static(wire::REPLAYED_HEADER);
            headers.insert(name, HeaderValue::from_static("true"));
        }
        stamp(&mut response, request_id, version);
        response
    }
}

/// A fault as a response.
pub fn refuse(fault: &Fault, request_id: &str, version: u32) -> Response<ReplyBody> {
    let body = serde_json::to_vec(&fault.problem(request_id)).unwrap_or_default();
    let body = versions::told(version, body.into());
    let mut response = Response::new(ReplyBody::Whole(Some(body)));
    *response.status_mut() =
        StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(problem::MEDIA_TYPE),
    );
    match fault.kind {
        problem::ProblemKind::Busy | problem::ProblemKind::StorageLow => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(fault.retry_after_s));
        }
        problem::ProblemKind::Version => {
            let served = HeaderValue::from_static(versions::UPGRADE);
            headers.insert(header::UPGRADE, served);
        }
        problem::ProblemKind::NotSigned => {
            // RFC 9110 asks for a challenge with every 401.
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Signature tag=\"counterfoil-v1\", alg=\"ed25519\""),
            );
        }
        _ => {}
    }
    let allow = Some(fault.allow.join(", ")).filter(|allow| !allow.is_empty());
    if let Some(Ok(allow)) = allow.map(|allow| HeaderValue::from_str(&allow)) {
        headers.insert(header::ALLOW, allow);
    }
    stamp(&mut response, request_id, version);
    response
}

fn stamp(response: &mut Response<ReplyBody>, request_id: &str, version: u32) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static(wire::VERSION_HEADER),
        HeaderValue::from(version),
    );
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static(REQUEST_ID_HEADER), id);
    }
}
