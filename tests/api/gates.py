"""What passes the two gates of a sale: sealed card or account (message 1), document and
live finger (message 2).
"""

import base64
import json
import os
import pathlib
import struct
import time

import bank
import sign

# Touches of two fingers of one agent: width, height, dpi as u16 and the pixels.
PRINTS = pathlib.Path(os.environ.get("COUNTERFOIL_PRINTS", ""))
TOUCHES = 3
# By finger: the touch sent last, and the one accepted last, which again would be a copy.
sent = {"first": 0, "other": 0}
accepted = {"first": -1, "other": -1}
SAM = b"05.01-20260101-0000000001-0000000001"


def info(view: dict, seal_key: str) -> dict:
    """A body of `info` for the sale's mode, under its challenge."""

    def sealed(text):
        return sign.sealed_text(text, view, seal_key)

    if view["mode"] == "settlement-card":
        pan, pin = bank.named("cards", "zhang-card")["pan"], bank.SECRETS["zhang-pin"]
        return {"mode": view["mode"], "card": sealed(pan), "oda": "genuine", "pin": sealed(pin)}
    account, password = bank.SECRETS["jixie-account"], bank.SECRETS["jixie-password"]
    return {"mode": view["mode"], "account": sealed(account), "password": sealed(password)}


def identity(view: dict, seal_key: str, fault: str = "") -> bytes:
    """A body of `identity`: head, sealed document and print; with one fault, by name."""

    def seal(label, plain):
        return sign.seal(label, plain, seal_key, view["sale"], view["challenge"])

    binding = bytes.fromhex(view["sale"]) + bytes.fromhex(view["challenge"])
    person = bank.named("documents", "zhang")
    fields = "\n".join([person["holder"], person["number"], str(person["valid_to"])])
    at_ms = int(time.time() * 1000) - (301_000 if fault == "old" else 0)
    status, frame = bytes([0x9F, 0x90, 0x90]), bytes(32)
    said = b"counterfoil/v1/authenticity\0" + binding
    said += struct.pack(">I", len(SAM)) + SAM + struct.pack(">I", len(status)) + status
    said += frame + struct.pack(">q", at_ms)
    signature = sign.KEYS["kiosk:kiosk-1"].sign(said + (b"x" if fault == "unsigned" else b""))
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1000)) + f".{at_ms % 1000:03}Z"
    document = base64.urlsafe_b64encode(seal("document", fields.encode()))
    authenticity = {
        "sam_id": SAM.decode(),
        "status": list(status),
        "frame": frame.hex(),
        "at": at,
        "signature": signature.hex(),
        **({"more": 1} if fault == "head" else {}),
    }
    head = {"document": document.decode().rstrip("="), "authenticity": authenticity}
    head = json.dumps(head).encode()
    body = struct.pack(">I", len(head)) + head + seal("live-print", touch("first"))
    return body[: len(head)] if fault == "cut" else body


def finger(view: dict, seal_key: str, which: str = "other") -> bytes:
    """A body of `finger`: the agent's other finger, sealed; or the first one again."""
    return sign.seal("live-print", touch(which), seal_key, view["sale"], view["challenge"])


def touch(finger: str) -> bytes:
    """The next touch of a finger, never the one that was accepted last."""
    for _ in range(2):
        sent[finger] = (sent[finger] + 1) % TOUCHES
        if sent[finger] != accepted[finger]:
            break
    return (PRINTS / f"{finger}-{sent[finger]}").read_bytes()


def accept(finger: str) -> None:
    """What was sent last was accepted."""
    accepted[finger] = sent[finger]
