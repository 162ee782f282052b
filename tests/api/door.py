"""Every operation, called by somebody who may not, or in a way that is none: unsigned,
wrongly signed, replayed, in another version, with another method, too much, half.
Then the stream of events, which a generator cannot end.
"""

import secrets
import sys

import client
import judge
import sign
from client import ask, problem

ZERO = "0" * 32
NAMES = {"sale": ZERO, "number": "3130002100010001", "proposal": 1, "level": 0, "index": 0}
NOT_SIGNED = (
    "unsigned", "base", "key", "digest", "stale", "early", "unknown", "tag",
    "without signature", "without signature-input", "without content-digest",
    "without counterfoil-sequence",
)  # fmt: skip
STRANGERS = ("kiosk:kiosk-1", "station:station-1", "staff:custodian-a")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")

findings: list[str] = []


def check(what, *args) -> None:
    """Runs one check; a finding does not stop the others."""
    try:
        what(*args)
    except (AssertionError, client.requests.RequestException) as finding:
        findings.append(f"{what.__name__}: {finding}")
        print("FINDING", findings[-1], file=sys.stderr)


def body_of(operation: dict):
    """A body of the right type, which nobody looks at before the signature."""
    media = next(iter(operation.get("requestBody", {}).get("content", {})), None)
    return {"application/json": {}, "application/octet-stream": b"\0" * 64}.get(media)


def not_signed(name: str) -> None:
    operation = judge.operations[name]
    for spoil in NOT_SIGNED:
        problem(ask(name, body_of(operation), spoil=spoil, **NAMES), 401, "not-signed")


def not_theirs(name: str) -> None:
    operation = judge.operations[name]
    own = client.party(operation).split(":")[0]
    if operation["tags"][0] == "signed":
        return
    for by in STRANGERS:
        if by.split(":")[0] != own:
            problem(ask(name, body_of(operation), by=by, **NAMES), 403, "not-yours")


def not_twice(name: str) -> None:
    """The same signed bytes a second time."""
    operation = judge.operations[name]
    if name == "events":
        return
    first = ask(name, body_of(operation), **NAMES)
    again = client.session.send(first.request, timeout=60)
    judge.judge(operation, operation["method"], again.status_code, again.headers, again.content)
    problem(again, 401, "not-signed")


def other_versions(name: str) -> None:
    operation = judge.operations[name]
    for version in ("0", "3", "+1", "01", "one", "1.0", "99999999999999999999"):
        sent = {"counterfoil-version": version}
        problem(ask(name, body_of(operation), headers=sent, **NAMES), 426, "version")


def other_methods(name: str) -> None:
    operation = judge.operations[name]
    path = operation["path"]
    lawful = {m.upper() for m in judge.document["paths"][path]}
    for method in METHODS:
        if method in lawful:
            continue
        for spoil in ("", "unsigned"):
            answer = ask(name, method=method, spoil=spoil, **NAMES)
            assert answer.status_code == 405, f"{method} {path}: {answer.status_code}"
            allow = {m.strip() for m in answer.headers["allow"].split(",")}
            assert allow == lawful, f"{method} {path}: Allow {allow}, lawful {lawful}"


def other_bodies(name: str) -> None:
    operation = judge.operations[name]
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        problem(ask(name, b"{}", headers={"content-type": "application/json"}, **NAMES), 413, "too-large")
        return
    for media in ("text/plain", "application/xml", "application/jsonx", "application"):
        problem(ask(name, b"{}", headers={"content-type": media}, **NAMES), 415, "media-type")
    too_much = b" " * (17 * 1024 if "application/json" in content else 273 * 1024)
    problem(ask(name, too_much, **NAMES), 413, "too-large")
    chunked = (too_much[i : i + 4096] for i in range(0, len(too_much), 4096))
    problem(ask(name, chunked, **NAMES), 400, "malformed")
    if "application/json" in content and operation["requestBody"].get("required"):
        for text in (b"", b"[]", b"null", b"{", b"\xff", b'"\\ud800"', b"[" * 4000, b"1e999"):
            # Nobody's sale is looked up before its body is read, or after: both are right.
            answer = ask(name, text, **NAMES)
            problem(answer, answer.status_code, "malformed", "not-found", "out-of-order")


def other_keys(name: str) -> None:
    operation = judge.operations[name]
    if not any(p["name"] == "idempotency-key" for p in operation["parameters"]):
        return
    for key in ("", "a b", "k" * 65, "\u00e9"):
        sent = {"idempotency-key": key} if key else {}
        answer = ask(name, body_of(operation), key="", headers=sent, **NAMES)
        problem(answer, answer.status_code, "malformed", "not-signed")


def other_names(name: str) -> None:
    """Path parameters that are none: in every place, said and never mistaken."""
    operation = judge.operations[name]
    made_up = ("+1", "01", "-1", "1.0", "%00", "\u0661", "1" * 40, "A" * 32, "x")
    for parameter in operation["parameters"]:
        if parameter["in"] != "path":
            continue
        for text in made_up:
            answer = ask(name, body_of(operation), **{**NAMES, parameter["name"]: text})
            problem(answer, 400, "malformed")


def events() -> None:
    """The stream greets, and goes on where it is told."""
    operation = judge.operations["events"]
    for by in STRANGERS:
        for last, status in ((None, 200), ("0", 200), ("18446744073709551615", 200), ("-1", 400), ("x", 400)):
            sent = {"counterfoil-version": "2", "counterfoil-sequence": "1"}
            sent |= {"last-event-id": last} if last else {}
            url = judge.URL + operation["path"]
            auth = sign.Signed(by)
            with client.session.get(url, headers=sent, auth=auth, stream=True, timeout=20) as answer:
                assert answer.status_code == status, f"{by} {last}: {answer.status_code}"
                body = next(answer.iter_content(4096)) if status == 200 else answer.content
                judge.judge(operation, "GET", status, answer.headers, body)
                assert status != 200 or body.startswith(b"retry: "), f"{by} {last}: {body!r}"


def nowhere() -> None:
    """Paths that are none, signed and not."""
    for path in ("/", "/v1", "/v1/", "/v2/sales", "/v1/sales/", "/openapi.json/", "/v1//kiosk", "/%2e%2e/"):
        for method in ("GET", "POST", "HEAD"):
            answer = client.session.request(method, judge.URL + path, timeout=20)
            judge.answers["nowhere", answer.status_code] += 1
            assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
            if method != "HEAD":
                assert answer.json()["type"] == "/problems/not-found", f"{method} {path}"


def main() -> int:
    for name in judge.operations:
        public = judge.operations[name]["tags"][0] == "public"
        checks = (other_methods,) if public else (
            not_signed, not_theirs, not_twice, other_versions, other_methods,
            other_bodies, other_keys, other_names,
        )  # fmt: skip
        for one in checks:
            check(one, name)
    check(events)
    check(nowhere)
    document = client.session.get(f"{judge.URL}/openapi.json?x={secrets.token_hex(4)}", timeout=20)
    judge.judge(judge.operations["openApi"], "GET", document.status_code, document.headers, document.content)
    print(f"door: {sum(judge.answers.values())} requests, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
