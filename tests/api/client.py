"""One caller of the interface: signs, sends, and holds every answer to the document."""

import json
import secrets
import time

import requests

import judge
import sign

PARTY = {
    "kiosk": "kiosk:kiosk-1",
    "station": "station:station-1",
    "staff": "staff:custodian-a",
    "signed": "kiosk:kiosk-1",
}
session = requests.Session()
session.trust_env = False


def party(operation: dict) -> str:
    """Who may call it; another person approves than who proposed."""
    if operation["operationId"] in ("approve", "refuse"):
        return "staff:custodian-b"
    return PARTY.get(operation["tags"][0], PARTY["kiosk"])


def ask(name: str, body=None, *, key=None, method=None, by=None, spoil="", headers=None, **path):
    """Calls an operation; `body` is JSON, bytes, or nothing."""
    operation = judge.operations[name]
    sent = {"counterfoil-version": "2", "counterfoil-sequence": "1", **(headers or {})}
    keyed = any(p["name"] == "idempotency-key" for p in operation["parameters"])
    if keyed and key != "":
        sent["idempotency-key"] = key or secrets.token_hex(16)
    data = body
    if isinstance(body, (dict, list)):
        data = json.dumps(body).encode()
        sent.setdefault("content-type", "application/json")
    elif body is not None and "requestBody" in operation:
        sent.setdefault("content-type", next(iter(operation["requestBody"]["content"])))
    method = method or operation["method"]
    url = judge.URL + operation["path"].format(**path)
    auth = sign.Signed(by or party(operation), spoil)
    while True:
        answer = session.request(method, url, data=data, headers=sent, auth=auth, timeout=60)
        judge.judge(operation, method, answer.status_code, answer.headers, answer.content)
        if answer.status_code != 503:
            return answer
        # A signer has a share of the reads in two minutes; it is told when to come again.
        time.sleep(int(answer.headers["retry-after"]))


def problem(answer, status: int, *kinds: str) -> dict:
    """The problem of a refusal that must be one of these."""
    said = answer.json()
    assert answer.status_code == status, f"{status} expected, got {said}"
    assert said["type"].removeprefix("/problems/") in kinds, f"{kinds} expected, got {said}"
    return said


def done(answer) -> dict:
    """The body of a 200."""
    assert answer.status_code == 200, f"200 expected, got {answer.status_code} {answer.content!r}"
    return answer.json()
