"""A sale and blanks as a state machine: whatever people, kiosks and officers do in
whatever order, every answer is one that the document promises, a command repeated
under its key gets the same bytes, and the books say afterwards what was done.

    python sale.py SECONDS
"""

import secrets
import sys
import time

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test

import gates
from client import ask, done, problem

KIND = "transfer-cheque"
OVER = {"closed", "refused", "denied", "cancelled", "expired", "suspended"}
serial = time.time_ns() // 1000 % 10_000_000


def text_key() -> str:
    return secrets.token_hex(16)


class Sale(RuleBasedStateMachine):
    """One kiosk, one station, two custodians, and what is known of the sale."""

    def __init__(self):
        super().__init__()
        self.view: dict = {}
        self.replies: list = []
        self.proposals: list = []
        self.decided: set = set()
        self.second_finger = ""
        # Fingers that were refused in this sale: the third would lock the agent.
        self.wrong_fingers = ("", 0)

    # ---- what is known -------------------------------------------------------------

    @initialize()
    def begin(self):
        """Whatever an earlier example left behind is ended first."""
        self.kiosk = done(ask("readKiosk"))
        left = self.kiosk["open_sale"]
        if left and left["state"] in ("linked", "dispensing"):
            done(ask("abandon", {"reason": "staff"}, sale=left["sale"]))
        elif left:
            done(ask("cancel", sale=left["sale"]))
        assert done(ask("readKiosk"))["open_sale"] is None
        for old in done(ask("custody"))["proposals"]:
            if old["state"] == "open":
                done(ask("refuse", {"digest": old["digest"]}, proposal=old["proposal"]))

    def state(self) -> str:
        return self.view.get("state", "none")

    def keep(self, answer):
        """Takes in an answer that is a sale, whole or as a problem says its state."""
        said = answer.json()
        if answer.status_code == 200 and "challenge" in said:
            self.view = said
        elif self.view:
            self.view = done(ask("readSale", sale=self.view["sale"]))
        return answer

    def kiosk_asks(self, name, body=None, key=None):
        return self.keep(ask(name, body, key=key, sale=self.view["sale"]))

    def twice(self, name, body, **path):
        """A keyed command, and the same again: the same bytes, said to be a replay; with
        another body or for another thing the key is refused."""
        key = text_key()
        first = ask(name, body, key=key, **path)
        again = ask(name, body, key=key, **path)
        if first.status_code == 200:
            assert again.content == first.content, f"{name}: {first.content!r} then {again.content!r}"
            assert again.headers.get("idempotent-replayed") == "true", f"{name}: not said to be a replay"
            if body is None:
                problem(ask(name, {}, key=key, **path), 422, "key-reused")
            self.replies.append((name, body, key, path))
        else:
            assert again.status_code == first.status_code, f"{name}: {first.content!r} then {again.content!r}"
        return first

    @rule(steps=st.integers(1, 12), quantity=st.integers(1, 3), data=st.data())
    def go_on(self, steps, quantity, data):
        """So many steps of a good sale from wherever it stands: chance alone comes no
        further than the first gate."""
        for _ in range(steps):
            state = self.state()
            if state in OVER | {"none"}:
                self.open("settlement-card")
            elif state == "opened":
                self.info(False)
            elif state == "info-verified":
                self.identity("")
            elif state in ("identity-verified", "ordered"):
                self.order(quantity, KIND, False)
            elif state == "await-confirm":
                self.officer("seen", False)
                self.officer("confirm", False)
            elif state == "confirmed":
                self.link(None)
            elif any(f["state"] in self.EVENTS for f in self.view["forms"]):
                self.forms(data, True)
            else:
                self.close()
            assert self.state() != state or state == "dispensing", f"stands still: {state}"

    # ---- the kiosk -----------------------------------------------------------------

    @precondition(lambda self: self.state() in OVER | {"none"})
    @rule(mode=st.sampled_from(["settlement-card", "payment-password"]))
    def open(self, mode):
        body = {"sale": secrets.token_hex(16), "mode": mode}
        self.view = done(ask("openSale", body))
        assert self.view["state"] == "opened"
        assert done(ask("openSale", body)) == self.view, "opened twice"

    @precondition(lambda self: self.state() not in OVER | {"none"})
    @rule()
    def open_another(self):
        body = {"sale": secrets.token_hex(16), "mode": "settlement-card"}
        said = problem(ask("openSale", body), 409, "out-of-order")
        assert said["state"] == self.state(), said

    @precondition(lambda self: self.view)
    @rule(stale=st.booleans())
    def info(self, stale):
        view = {**self.view, "challenge": "0" * 32} if stale else self.view
        before = self.state()
        answer = self.kiosk_asks("info", gates.info(view, self.kiosk["seal_key"]))
        if before != "opened":
            problem(answer, 409, "out-of-order")
        elif stale:
            problem(answer, 400, "malformed")
        else:
            assert done(answer)["state"] == "info-verified"

    @precondition(lambda self: self.view and gates.PRINTS.is_dir())
    @rule(fault=st.sampled_from(["", "", "", "unsigned", "old", "cut", "head"]))
    def identity(self, fault):
        before = self.state()
        body = gates.identity(self.view, self.kiosk["seal_key"], fault)
        answer = self.keep(ask("identity", body, sale=self.view["sale"]))
        if before != "info-verified":
            problem(answer, 409, "out-of-order")
        elif fault:
            kinds = {"unsigned": "not-verified", "old": "not-verified"}
            said = problem(answer, answer.status_code, kinds.get(fault, "malformed"))
            assert said["status"] in (400, 422)
        else:
            assert done(answer)["state"] == "identity-verified"
            gates.accept("first")

    @precondition(lambda self: self.view and gates.PRINTS.is_dir())
    @rule(body=st.sampled_from(["other", "other", "same", "garbage"]))
    def finger(self, body):
        """A second finger before the order; whatever comes of it is counted by itself."""
        before, known = self.state(), self.second_finger
        sale, wrong = self.wrong_fingers
        wrong = wrong if sale == self.view["sale"] else 0
        if wrong >= 2:
            return
        if body == "garbage":
            sent = b"\x01" * 80
        else:
            which = "first" if body == "same" else "other"
            sent = gates.finger(self.view, self.kiosk["seal_key"], which)
        answer = self.keep(ask("finger", sent, sale=self.view["sale"]))
        if before not in ("identity-verified", "ordered") or known == self.view["sale"]:
            problem(answer, 409, "out-of-order")
        elif answer.status_code == 200:
            assert body == "other", f"accepted: {body}"
            assert self.state() == before
            self.second_finger = self.view["sale"]
            gates.accept("other")
        else:
            problem(answer, answer.status_code, "not-verified", "locked", "refused")
            assert answer.status_code in (422, 423), answer.content
            self.wrong_fingers = (self.view["sale"], wrong + 1)

    @precondition(lambda self: self.view)
    @rule(quantity=st.integers(0, 4), kind=st.sampled_from([KIND, KIND, "bank-draft"]), twice=st.booleans())
    def order(self, quantity, kind, twice):
        items = [{"kind": kind, "quantity": quantity}] * (1 + twice)
        before = self.state()
        answer = self.kiosk_asks("order", {"items": items})
        if before not in ("identity-verified", "ordered"):
            problem(answer, 409, "out-of-order")
        elif twice or quantity == 0:
            problem(answer, 400, "malformed")
        elif kind != KIND:
            problem(answer, 422, "refused")
        else:
            assert done(answer)["state"] == "await-confirm"
            assert answer.json()["order"]["text"]["count"] == quantity

    @precondition(lambda self: self.view)
    @rule(body=st.sampled_from([None, {}]))
    def link(self, body):
        before, path = self.state(), {"sale": self.view["sale"]}
        answer = self.keep(self.twice("link", body, **path))
        if before == "confirmed":
            assert done(answer)["state"] == "linked"
            assert len(answer.json()["linked"]["jobs"]) == answer.json()["order"]["text"]["count"]
        else:
            problem(answer, 409, "out-of-order")

    EVENTS = {
        "assigned": [{"is": "feeding"}],
        "feeding": [{"is": "printed", "evidence": "00"}, {"is": "failed", "ink": True, "reason": "mediaJammed"}],
        "printed": [{"is": "presented"}, {"is": "no-outcome", "reason": "restart"}],
        "presented": [{"is": "taken"}, {"is": "retracted"}, {"is": "taken"}],
    }

    @precondition(lambda self: self.view)
    @rule(data=st.data(), lawful=st.sampled_from([True, True, True, False]))
    def forms(self, data, lawful):
        """The next thing that may happen to the first open form, or anything at all."""
        forms = self.view["forms"]
        feeding = [f for f in forms if f["state"] == "feeding"]
        opened = feeding or [f for f in forms if f["state"] in self.EVENTS]
        if lawful and opened:
            form = opened[0]
            event = data.draw(st.sampled_from(self.EVENTS[form["state"]]))
        else:
            every = [event for events in self.EVENTS.values() for event in events]
            event = data.draw(st.sampled_from(every))
            form = {"number": data.draw(st.sampled_from([f["number"] for f in forms] or ["3130002100019999"]))}
        body = {"advices": [{"number": form["number"], "event": event}]}
        answer = ask("forms", body, sale=self.view["sale"])
        if lawful and opened:
            said = done(answer)
            assert said["accepted"] == 1
            again = ask("forms", body, sale=self.view["sale"])
            assert again.content == answer.content, "an advice is not idempotent"
        elif answer.status_code != 200:
            problem(answer, answer.status_code, "out-of-order", "not-found")
        self.view = done(ask("readSale", sale=self.view["sale"]))

    @precondition(lambda self: self.view)
    @rule()
    def close(self):
        before, forms = self.state(), self.view["forms"]
        answer = self.keep(self.twice("close", None, sale=self.view["sale"]))
        settled = all(f["state"] not in self.EVENTS for f in forms)
        if before in ("linked", "dispensing", "suspended") and settled:
            assert done(answer)["receipt"]["ordered"] >= 1
        else:
            problem(answer, 409, "out-of-order")

    @precondition(lambda self: self.view and self.state() not in ("identity-verified", "confirmed"))
    @rule()
    def cancel(self):
        before = self.state()
        if before == "cancelled":
            # Nothing is done, so there is nothing to keep an answer of.
            assert done(self.kiosk_asks("cancel"))["state"] == before
            return
        answer = self.keep(self.twice("cancel", None, sale=self.view["sale"]))
        if before in OVER | {"linked", "dispensing"}:
            problem(answer, 409, "out-of-order")
        else:
            assert done(answer)["state"] == "cancelled"

    @precondition(lambda self: self.view and self.state() != "linked")
    @rule(reason=st.sampled_from(["printer-fault", "customer-left", "staff"]))
    def abandon(self, reason):
        before = self.state()
        answer = self.keep(self.twice("abandon", {"reason": reason}, sale=self.view["sale"]))
        if before in ("linked", "dispensing"):
            assert done(answer)["state"] in ("suspended", "closed")
        else:
            problem(answer, 409, "out-of-order")

    @precondition(lambda self: self.replies)
    @rule(data=st.data())
    def repeat_later(self, data):
        """A key is good for one thing, for ever; its answer tells the sale as it is."""
        name, body, key, path = data.draw(st.sampled_from(self.replies))
        answer = ask(name, body, key=key, **path)
        assert answer.status_code == 200, f"{name}: {answer.content!r}"
        assert answer.headers.get("idempotent-replayed") == "true"
        for other in ("close", "abandon"):
            if other != name and "sale" in path:
                reused = ask(other, {"reason": "staff"} if other == "abandon" else None, key=key, **path)
                problem(reused, 422, "key-reused")

    # ---- the officer ---------------------------------------------------------------

    @precondition(lambda self: self.view)
    @rule(act=st.sampled_from(["seen", "seen", "confirm", "confirm", "deny", "ask"]), stale=st.sampled_from([False] * 4 + [True]))
    def officer(self, act, stale):
        shown = {c["sale"]: c for c in done(ask("confirmations"))}.get(self.view["sale"])
        purchase = (shown or {}).get("purchase")
        digest = "0" * 64 if stale or not purchase else purchase["digest"]
        if purchase and self.view["order"]:
            assert purchase["digest"] == self.view["order"]["digest"], "kiosk and officer see two texts"
        before = self.state()
        answer = ask(act, {"digest": digest, "note": "by telephone"}, sale=self.view["sale"])
        if answer.status_code == 200 and act != "seen":
            assert not stale, f"{act} of a text that is not shown"
        elif answer.status_code != 200:
            problem(answer, answer.status_code, "out-of-order", "stale-digest", "not-yours")
            assert not (act == "seen" and before == "await-confirm" and not stale), answer.content
        self.view = done(ask("readSale", sale=self.view["sale"]))

    # ---- custody -------------------------------------------------------------------

    @precondition(lambda self: len(self.proposals) < 8)
    @rule(count=st.integers(1, 50))
    def propose(self, count):
        global serial
        serial += 100
        # A works of its own, so that no range of the demo bank is met.
        first, last = (f"31300029{n:08}" for n in (serial, serial + count - 1))
        act = {"act": "receive", "branch": "branch-1", "range": {"first": first, "last": last}, "count": count}
        view = done(self.twice("propose", {"act": act}))
        assert view["state"] == "open" and view["act"]["count"] == 0, "counts are blind"
        self.proposals.append((view, count))

    @precondition(lambda self: self.proposals)
    @rule(data=st.data(), off=st.sampled_from([0, 0, 1]), by=st.sampled_from(["a", "b", "b"]), no=st.booleans())
    def second(self, data, off, by, no):
        view, count = data.draw(st.sampled_from(self.proposals))
        name = "refuse" if no else "approve"
        body = {"digest": view["digest"], **({} if no else {"count": count + off})}
        answer = ask(name, body, by=f"staff:custodian-{by}", proposal=view["proposal"])
        if answer.status_code == 200:
            wanted = "refused" if no else "done"
            assert done(answer)["state"] == wanted
            again = view["proposal"] in self.decided
            assert again or no or (by == "b" and not off), "one person, or two counts"
            self.decided.add(view["proposal"])
            if not no:
                done(ask("number", number=view["act"]["range"]["first"]))
        else:
            problem(answer, answer.status_code, "out-of-order", "refused")

    # ---- the evidence --------------------------------------------------------------

    @rule()
    def evidence(self):
        assert ask("checkpoint").text.startswith("demo.example/counterfoil\n")
        size = done(ask("readKiosk"))["checkpoint"]["size"]
        last = (size - 1) // 256
        tile = ask("tile", level=0, index=last)
        assert len(tile.content) >= 32 * (size - 256 * last)
        problem(ask("tile", level=0, index=last + 2), 404, "not-found")
        for form in self.view.get("forms", [])[:1]:
            timeline = done(ask("number", number=form["number"]))
            assert timeline["number"] == form["number"] and timeline["steps"]


def main(seconds: float) -> int:
    end, examples = time.monotonic() + seconds, 0
    # Not made shorter: the books remember the longer run, so a shorter one is another.
    how = settings(
        max_examples=10, stateful_step_count=40, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    while examples == 0 or time.monotonic() < end:
        run_state_machine_as_test(Sale, settings=how)
        examples += 10
    print(f"sale: {examples} runs of up to 40 steps, no finding")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
