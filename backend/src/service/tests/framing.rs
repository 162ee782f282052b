//! Raw bytes at the door: whatever two readers of one stream could understand in two ways
//! is refused, and what follows it is never taken for a request.
//!
//! The vectors are those of RFC 9112 (§2.2, §3.2, §5, §6, §7, §11.2) and of public
//! catalogues of request smuggling, in our own words.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::bed::{Bed, run};

/// A request that is answered 200 wherever it is taken for one.
const NEXT: &str = "GET /openapi.json HTTP/1.1\r\nhost: b\r\n\r\n";

/// What a stream is answered until it is closed, and how long that took.
async fn heard(bed: &Bed, bytes: &[u8]) -> (String, Duration) {
    let mut stream = bed.dial();
    let began = bed.clock.monotonic();
    // The other end may have left before all was sent.
    let _ = stream.write_all(bytes).await;
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    let took = bed.clock.monotonic() - began;
    let heard = String::from_utf8_lossy(&heard).into_owned();
    (heard, took)
}

/// Status codes, in order; an answer has no body that looks like one.
fn statuses(heard: &str) -> Vec<&str> {
    let heads = heard.split("HTTP/1.").skip(1);
    let codes = heads.filter_map(|head| head.get(2..5));
    codes
        .filter(|code| code.bytes().all(|b| b.is_ascii_digit()))
        .collect()
}

/// Each alone, with a second request behind it: this answer, then the end, at once.
fn refused(vectors: &[(&str, String, &str)]) {
    run(async {
        let bed = Bed::open();
        for (name, bytes, status) in vectors {
            let (heard, took) = heard(&bed, format!("{bytes}{NEXT}").as_bytes()).await;
            let answered: Vec<&str> = Some(*status)
                .filter(|s| !s.is_empty())
                .into_iter()
                .collect();
            assert_eq!(statuses(&heard), answered, "{name}: {heard:.300}");
            assert!(
                took < Duration::from_secs(2),
                "{name} was left open for {took:?}"
            );
        }
        let (heard, _) = heard(&bed, NEXT.as_bytes()).await;
        assert_eq!(statuses(&heard), ["200"], "the door is open for others");
    });
}

/// `POST /v1/sales` with these header lines and this body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /v1/sales HTTP/1.1\r\nhost: b\r\n{lines}\r\n{body}")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of vectors")]
fn a_body_of_two_lengths_or_of_a_coding_is_refused_and_ends_the_connection() {
    let chunked = "0\r\n\r\n";
    refused(&[
        (
            "chunked",
            post("transfer-encoding: chunked\r\n", chunked),
            "400",
        ),
        (
            "CL then TE",
            post(
                "content-length: 5\r\ntransfer-encoding: chunked\r\n",
                chunked,
            ),
            "400",
        ),
        (
            "TE then CL",
            post(
                "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
                chunked,
            ),
            "400",
        ),
        (
            "CL 0 then TE",
            post(
                "content-length: 0\r\ntransfer-encoding: chunked\r\n",
                chunked,
            ),
            "400",
        ),
        (
            "TE, CL 0 and a request for a body",
            post(
                "transfer-encoding: chunked\r\ncontent-length: 0\r\n",
                &format!("1e\r\n{NEXT}"),
            ),
            "400",
        ),
        (
            "two lengths",
            post("content-length: 2\r\ncontent-length: 3\r\n", "{} "),
            "400",
        ),
        (
            "a list of lengths",
            post("content-length: 2, 2\r\n", "{}"),
            "400",
        ),
        (
            "xchunked",
            post("transfer-encoding: xchunked\r\n", chunked),
            "400",
        ),
        (
            "chunked, identity",
            post("transfer-encoding: chunked, identity\r\n", chunked),
            "400",
        ),
        (
            "identity, chunked",
            post("transfer-encoding: identity, chunked\r\n", chunked),
            "400",
        ),
        (
            "two codings",
            post(
                "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n",
                chunked,
            ),
            "400",
        ),
        (
            "chunked twice",
            post(
                "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
                chunked,
            ),
            "400",
        ),
        (
            "a tab before",
            post("transfer-encoding:\tchunked\r\n", chunked),
            "400",
        ),
        (
            "a vertical tab",
            post("transfer-encoding: \x0bchunked\r\n", chunked),
            "400",
        ),
        (
            "capitals",
            post("Transfer-Encoding: CHUNKED\r\n", chunked),
            "400",
        ),
        (
            "in quotes",
            post("transfer-encoding: \"chunked\"\r\n", chunked),
            "400",
        ),
        (
            "with a parameter",
            post("transfer-encoding: chunked;q=1\r\n", chunked),
            "400",
        ),
        ("nothing", post("transfer-encoding:\r\n", chunked), "400"),
        (
            "a blank before the colon",
            post("transfer-encoding : chunked\r\n", chunked),
            "400",
        ),
        (
            "folded",
            post("transfer-encoding:\r\n chunked\r\n", chunked),
            "400",
        ),
        (
            "chunk size overflow",
            post("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n"),
            "400",
        ),
        (
            "a long extension",
            post(
                "transfer-encoding: chunked\r\n",
                &format!("1;{}\r\nx\r\n", "e".repeat(20_000)),
            ),
            "400",
        ),
        (
            "trailers",
            post("transfer-encoding: chunked\r\n", "0\r\nhost: c\r\n\r\n"),
            "400",
        ),
        (
            "in HTTP/1.0",
            post("transfer-encoding: chunked\r\n", chunked).replace("/1.1", "/1.0"),
            "400",
        ),
    ]);
}

#[test]
fn a_length_that_is_not_one_whole_number_is_refused() {
    let of = |length: &str| post(&format!("content-length: {length}\r\n"), "{}");
    let bent = [
        "-2",
        "+2",
        "0x2",
        "2.0",
        "",
        "1 1",
        "٢",
        "2,",
        "2;",
        "18446744073709551616",
        "99999999999999999999999999",
        "1e1",
        "2\t2",
        "0b1",
    ];
    let vectors = bent.map(|length| (length, of(length), "400"));
    refused(&vectors);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of vectors")]
fn a_head_that_is_malformed_is_refused() {
    let get = |lines: &str| format!("GET /openapi.json HTTP/1.1\r\nhost: b\r\n{lines}\r\n");
    let many: String = (0..64).map(|n| format!("x-{n}: y\r\n")).collect();
    refused(&[
        ("NUL in a value", get("x: a\0b\r\n"), "400"),
        ("CR in a value", get("x: a\rb\r\n"), "400"),
        ("a folded line", get("x: a\r\n b\r\n"), "400"),
        ("a name with a blank", get("x y: a\r\n"), "400"),
        ("a blank before a colon", get("x : a\r\n"), "400"),
        ("a blank before a name", get(" x: a\r\n"), "400"),
        ("a name that is none", get(": a\r\n"), "400"),
        ("a name in other letters", get("é: a\r\n"), "400"),
        ("a line without a colon", get("xyz\r\n"), "400"),
        ("65 headers", get(&many), "431"),
        ("no host", get("").replace("host: b\r\n", ""), "400"),
        ("two hosts", get("host: b\r\n"), "400"),
        ("an empty host", get("").replace("host: b", "host:"), "400"),
        (
            "a host with a path",
            get("").replace("host: b", "host: b/c"),
            "400",
        ),
        (
            "a host with a blank",
            get("").replace("host: b", "host: b c"),
            "400",
        ),
        ("HTTP/1.0", get("").replace("/1.1", "/1.0"), "400"),
        (
            "HTTP/1.0 kept alive",
            get("connection: keep-alive\r\n").replace("/1.1", "/1.0"),
            "400",
        ),
        ("HTTP/0.9", "GET /openapi.json\r\n".into(), "400"),
        ("HTTP/1.2", get("").replace("/1.1", "/1.2"), "400"),
        (
            "HTTP/2 by prior knowledge",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            "",
        ),
        (
            "absolute form",
            get("").replace("GET /", "GET http://b/"),
            "400",
        ),
        (
            "another's absolute form",
            get("").replace("GET /", "GET http://c/"),
            "400",
        ),
        (
            "authority form",
            get("").replace("/openapi.json", "b:80"),
            "400",
        ),
        (
            "CONNECT",
            get("").replace("GET /openapi.json", "CONNECT b:80"),
            "400",
        ),
        (
            "CONNECT to a path",
            get("").replace("GET", "CONNECT"),
            "400",
        ),
        (
            "asterisk form",
            get("").replace("GET /openapi.json", "OPTIONS *"),
            "400",
        ),
        ("no target", get("").replace("/openapi.json ", ""), "400"),
        ("two blanks", get("").replace(" HTTP", "  HTTP"), "400"),
        (
            "a tab for a blank",
            get("").replace(" HTTP", "\tHTTP"),
            "400",
        ),
        (
            "a blank in the target",
            get("").replace("openapi", "open api"),
            "400",
        ),
        (
            "a method that is no token",
            get("").replace("GET", "G(T"),
            "400",
        ),
        (
            "TLS",
            "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03".into(),
            "400",
        ),
    ]);
}

#[test]
fn other_targets_methods_and_offers_are_answered_as_requests_and_nothing_more() {
    run(async {
        let bed = Bed::open();
        let get =
            |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\nhost: b\r\n{lines}\r\n");
        let plain = |target| get(target, "");
        for (request, status) in [
            // No path is decoded or made shorter: what is signed is what is looked up.
            (plain("/%6fpenapi.json"), "404"),
            (plain("/v1/%2e%2e/openapi.json"), "404"),
            (plain("/v1/../openapi.json"), "404"),
            (plain("//openapi.json"), "404"),
            (plain("/./openapi.json"), "404"),
            (plain("/openapi.json/"), "404"),
            (plain("/openapi.json;a=b"), "404"),
            (plain("/openapi.json%00"), "404"),
            (plain("/v1%2fkiosk"), "404"),
            (plain("/openapi.json\\"), "404"),
            (plain("/OPENAPI.JSON"), "404"),
            (plain("/openapi.json").replace("GET", "get"), "405"),
            (plain("/openapi.json").replace("GET", "TRACE"), "405"),
            (plain("/openapi.json").replace("GET", "PRI"), "405"),
            // Offers that are not taken up (RFC 9110 §7.8, §10.1.1).
            (
                get(
                    "/openapi.json",
                    "upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AA\r\n",
                ),
                "200",
            ),
            (
                get(
                    "/openapi.json",
                    "upgrade: websocket\r\nconnection: upgrade\r\n",
                ),
                "200",
            ),
            (get("/openapi.json", "te: trailers\r\n"), "200"),
            (get("/openapi.json", "expect: 100-continue\r\n"), "200"),
            (get("/openapi.json", "expect: 200-ok\r\n"), "200"),
            // Two equal lengths are one (RFC 9110 §8.6).
            (
                post("content-length: 2\r\ncontent-length: 2\r\n", "{}"),
                "426",
            ),
            // The body looks like a request and is none.
            (
                post(&format!("content-length: {}\r\n", NEXT.len()), NEXT),
                "426",
            ),
        ] {
            let both = format!("{request}{NEXT}");
            let (heard, _) = heard(&bed, both.as_bytes()).await;
            assert_eq!(statuses(&heard), [status, "200"], "{request}: {heard:.300}");
        }
        // Bytes that are no UTF-8 are no target.
        let (heard, _) = heard(&bed, b"GET /\xff\xfe HTTP/1.1\r\nhost: b\r\n\r\n").await;
        assert_eq!(statuses(&heard), ["400"], "{heard:.300}");
    });
}

/// A client that waits for `100 Continue` before its body, and is refused without one:
/// the body it then may still send is not taken for a request.
#[test]
fn a_body_that_was_not_asked_for_is_not_a_request() {
    run(async {
        let bed = Bed::open();
        let lines = format!("expect: 100-continue\r\ncontent-length: {}\r\n", NEXT.len());
        let (heard, _) = heard(&bed, post(&lines, NEXT).as_bytes()).await;
        let answered = statuses(&heard);
        assert!(
            answered == ["426"] || answered == ["100", "426"],
            "{heard:.300}"
        );
    });
}
