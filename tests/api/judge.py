"""Whether an answer is one that the OpenAPI document promises.

Owns the reading of the document and the count of answers. A finding is an
AssertionError that names the operation and what is wrong.
"""

import atexit
import collections
import json
import os
import pathlib
import re

import jsonschema_rs
import requests

URL = os.environ.get("COUNTERFOIL_URL", "")
OUT = pathlib.Path(os.environ.get("COUNTERFOIL_OUT", "."))
# Nothing of the inside is for a client: sources, panics, errors as Rust prints them.
INSIDE = re.compile(rb"\.rs\b|panicked|thread '|backtrace|Error\s*[({]|Some\(|\bNone\b|redb|/tmp/|0x[0-9a-f]{6}")
ALWAYS = ("counterfoil-request-id", "counterfoil-version", "cache-control")
ALSO = {401: "www-authenticate", 405: "allow", 426: "upgrade", 503: "retry-after"}

document = requests.get(f"{URL}/openapi.json", timeout=10).json() if URL else {"paths": {}}
operations = {
    operation["operationId"]: {**operation, "path": path, "method": method.upper()}
    for path, item in document["paths"].items()
    for method, operation in item.items()
}
answers: collections.Counter = collections.Counter()
# Requests made to be lawful: operation, and why they were malformed all the same.
lawful: collections.Counter = collections.Counter()
validators: dict = {}


def validator(schema: dict):
    text = json.dumps(schema, sort_keys=True)
    if text not in validators:
        whole = {**schema, "components": document["components"]}
        validators[text] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return validators[text]


def judge(operation: dict, method: str, status: int, headers, body: bytes) -> None:
    """Holds an answer to the document. `headers` are looked up in any case."""
    name = operation["operationId"]
    kind = headers.get("content-type", "").lower()
    answers[name if method == operation["method"] else f"{method} on {name}", status] += 1
    where = f"{method} {operation['path']} ({name}) {status}: {body[:600]!r}"
    assert status < 500 or status == 503, f"server error: {where}"
    promised = operation["responses"].get(str(status))
    assert promised, f"status is not documented: {where}"
    for header in (*ALWAYS, *([ALSO[status]] if status in ALSO else [])):
        assert headers.get(header), f"no {header}: {where}"
    assert kind in promised["content"], f"content type {kind}: {where}"
    if method == "HEAD":
        assert not body, f"a body to HEAD: {where}"
        return
    if "json" not in kind:
        return
    parsed = json.loads(body)
    errors = [str(e) for e in validator(promised["content"][kind]["schema"]).iter_errors(parsed)]
    assert not errors, f"schema: {errors[:3]}: {where}"
    if "problem" in kind:
        assert parsed["status"] == status, f"status within: {where}"
        assert not INSIDE.search(body), f"internals: {where}"


@atexit.register
def keep() -> None:
    """Adds what was counted to the run's count, also after a failure."""
    if answers:
        rows = [[name, status, count] for (name, status), count in answers.items()]
        made = [[name, why, count] for (name, why), count in lawful.items()]
        kept = json.dumps({"answers": rows, "lawful": made})
        (OUT / f"answers-{os.getpid()}.json").write_text(kept)
