//! `/livez`, `/readyz`, `/metrics` on a listener of their own.
//!
//! Unsigned, so it must listen on a loopback or management address only. Owns
//! nothing; says nothing about anybody.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::paced::Paced;
use super::{Counted, Service};

/// Connections to these pages at once.
const CONNECTIONS_MAX: usize = 16;
const BUFFER_MAX: usize = 8 * 1024;

impl Service {
    /// Serves one connection of the admin listener.
    pub async fn serve_admin_stream<I>(self: &Rc<Self>, io: I)
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let Some(_counted) = Counted::below(&self.admins, CONNECTIONS_MAX) else {
            return;
        };
        let io = Paced::new(io, self.clock.clone(), self.limits.write_timeout);
        let service = service_fn(|request: Request<Incoming>| {
            let page = self.admin_page(&request);
            async move { Ok::<_, Infallible>(page) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_read_timeout)
            .max_buf_size(BUFFER_MAX)
            .half_close(false)
            .auto_date_header(self.limits.date_header)
            .serve_connection(TokioIo::new(io), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(timeout = error.is_timeout(), "admin connection ended early");
        }
    }

    fn admin_page(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET, "/livez") => (StatusCode::OK, "live\n".to_owned()),
            (&Method::GET, "/readyz") if self.is_ready() && self.space.is_short() => {
                // What is under way needs it, so it must not be taken out of service.
                (
                    StatusCode::OK,
                    "ready, without new sales: storage is low\n".to_owned(),
                )
            }
            (&Method::GET, "/readyz") if self.is_ready() => (StatusCode::OK, "ready\n".to_owned()),
            (&Method::GET, "/readyz") => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".into()),
            (&Method::GET, "/metrics") => (StatusCode::OK, self.metrics()),
            (&Method::GET, _) => (StatusCode::NOT_FOUND, "not found\n".to_owned()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response
    }
}
