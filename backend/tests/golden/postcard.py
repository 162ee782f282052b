#!/usr/bin/env python3
"""Golden rows by hand: postcard's wire format in a few lines, without our encoder.

Written from the format's description: integers wider than a byte are varints of seven
bits, the lowest first, signed ones zigzag; a text is its length and UTF-8; an option is
0 or 1 and the value; a list is its length and its items; an enum is the varint of its
variant's place and its fields; a struct is its fields in their order. A row is the byte
of its shape's version and that.

Prints the lines that `rows.txt` has from here; `--check` says which of them it lacks.
"""
import json
import pathlib
import sys


def u(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def i(n):
    return u(n << 1 if n >= 0 else (-n << 1) - 1)


def text(s):
    raw = s.encode()
    return u(len(raw)) + raw


def some(x):
    return b"\1" + x


NONE = b"\0"
SALE = 0x1234
SALE_TEXT = f"{SALE:032x}"
AT = "2026-11-23T02:00:00Z"
ROOT = bytes(range(32))


def tree(size):
    return u(size) + ROOT, {"size": size, "root": ROOT.hex()}


def range_(serial, count):
    # A number is prefix and serial; a range its first and its last number.
    prefix = 31300021
    first, last = f"{prefix}{serial:08}", f"{prefix}{serial + count - 1:08}"
    row = u(prefix) + u(serial) + u(prefix) + u(serial + count - 1)
    return row, {"first": first, "last": last}


def places():
    branch, kiosk, slot, teller = "branch-1", "kiosk-1", "slot-1", "teller-1"
    keep, box = u(0) + text(branch), u(1) + text(branch) + text(teller)
    yield "Expected", text(branch), branch
    yield "InVault", text(branch), branch
    way = {"from": {"Vault": branch}, "to": {"TellerBox": [branch, teller]}}
    yield "InTransit", keep + box, way
    yield "InTellerBox", text(branch) + text(teller), [branch, teller]
    yield "InCassette", text(kiosk) + text(slot), [kiosk, slot]
    for name in ["Assigned", "Feeding", "Printed", "Presented"]:
        yield name, u(SALE), SALE_TEXT
    account = "3130000000000000001"
    yield "Sold", text(account) + u(SALE), {"account": account, "sale": SALE_TEXT}
    for name in ["Spoiled", "Retracted"]:
        yield name, u(SALE), SALE_TEXT
    yield "Unknown", some(u(SALE)), SALE_TEXT
    yield "Missing", NONE, None
    yield "Voided", b"", ...
    yield "Destroyed", b"", ...


STATES = (
    "opened info-verified identity-verified ordered await-confirm confirmed linked "
    "dispensing closed refused denied cancelled expired suspended"
).split()


def rows():
    yield "Balance", i(-300), {"amount": -300}
    yield "Balance", i(2**40), {"amount": 2**40}
    yield "Counter", u(16_384), {"value": 16_384}
    failed = {"failed": 3, "locked_until": AT, "locks": 2}
    yield "Attempt", u(3) + some(text(AT)) + u(2), failed
    for at, (name, fields, shown) in enumerate(places()):
        place = name if shown is ... else {name: shown}
        yield "Blank", u(10_050) + u(at) + fields, {"last": 10_050, "place": place}
    counts = [0, 3, 0, 197, *[0] * 12]
    lot = {"received": 200, "by_state": counts}
    yield "Lot", u(200) + u(16) + b"".join(map(u, counts)), lot
    first, second = range_(10_001, 3), range_(10_200, 1)
    slot = {"kind": "transfer-cheque", "queue": [first[1], second[1]], "locked": True}
    yield "Slot", u(1) + u(2) + first[0] + second[0] + b"\1", slot
    for at, state in enumerate(STATES):
        told = {"at": AT, "sale": SALE_TEXT, "state": state, "kiosk": "kiosk-1"}
        told |= {"branch": None, "errand": None}
        row = text(AT) + u(SALE) + u(at) + text("kiosk-1") + NONE + NONE
        yield "Outbox", row, told
    seen, shown = tree(300)
    restored = {"number": 1, "at": AT, "backup_at": AT, "tree": shown}
    yield "Restored", u(1) + text(AT) + text(AT) + seen, restored
    standings = [("Released", seen, shown), ("Ahead", seen, shown)]
    standings.append(("Reconciled", NONE, None))
    for at, (name, fields, value) in enumerate(standings):
        row = text("kiosk-1") + u(1) + u(at) + fields + text(AT)
        told = {"kiosk": "kiosk-1", "restored": 1, "standing": {name: value}, "at": AT}
        yield "Witness", row, told
    row = u(2) + text("bank.example/log") + text(AT) + u(300) + ROOT + text("note")
    told = {"schema": 2, "origin": "bank.example/log", "at": AT, "size": 300}
    told |= {"root": ROOT.hex(), "note": "note", "rows": 77, "digest": ROOT.hex()}
    yield "Meta", row + u(77) + ROOT, told
    envelope = bytes([1, 2, *range(200, 230)])
    yield "Print", u(len(envelope)) + envelope, {"image": list(envelope)}
    yield "Touch", u(len(envelope)) + envelope, {"template": list(envelope)}


def lines():
    for table, row, fields in rows():
        shown = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        yield f"{table} {(bytes([1]) + row).hex()} {shown}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        print("\n".join(lines()))
        sys.exit()
    kept = pathlib.Path(__file__).with_name("rows.txt").read_text().splitlines()
    missing = [line for line in lines() if line not in kept]
    print("\n".join(missing) or "every line is there")
    sys.exit(bool(missing))
