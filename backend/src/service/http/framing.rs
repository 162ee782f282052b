//! What HTTP allows and this interface refuses, because two readers of one stream could
//! understand it differently, and one of them would take a body for a request.
//!
//! hyper refuses what is malformed by itself (RFC 9112): other lengths than one whole
//! number, codings that do not end in `chunked`, folded lines, blanks in names. Refused
//! here is what is lawful and never sent by a client of ours. The connection ends with
//! every such answer. Called first of all checks.

use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, Version};

use super::super::fault::Fault;

/// Refuses what could be read in two ways.
pub fn check(head: &Parts) -> Result<(), Fault> {
    if head.version != Version::HTTP_11 {
        return Err(Fault::malformed("send HTTP/1.1"));
    }
    if head.headers.contains_key(header::TRANSFER_ENCODING) {
        let detail = "send a body whole, with content-length and no transfer-encoding";
        return Err(Fault::malformed(detail));
    }
    if !has_one_host(&head.headers) {
        return Err(Fault::malformed("send one host header"));
    }
    let asks_a_proxy = head.method == Method::CONNECT || head.uri.authority().is_some();
    if asks_a_proxy || !head.uri.path().starts_with('/') {
        return Err(Fault::malformed("name the path alone: this is no proxy"));
    }
    Ok(())
}

/// Exactly one, and something that a host can be (RFC 9112 §3.2).
fn has_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let Some(Ok(host)) = hosts.next().map(|host| host.to_str()) else {
        return false;
    };
    let lawful = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+;=:[]%".contains(&b);
    hosts.next().is_none() && !host.is_empty() && host.bytes().all(lawful)
}
