"""What schemathesis has to know of this interface: who signs which operation, names that
exist, and that every answer is held to the document as the other parts hold it.
"""

import collections
import re

import schemathesis

import client
import gates
import judge
import sign

TREE = re.compile("[0-9]+-[0-9a-f]{64}")
SALE, NUMBER = re.compile("[0-9a-f]{32}"), re.compile("[0-9]{6}[1-8][0-9]{9}")
sales: collections.deque = collections.deque(maxlen=4)
proposals: collections.deque = collections.deque(maxlen=4)
numbers = collections.deque(["3130002100010001", "3130001100050001"], maxlen=8)


def operation_of(case) -> dict:
    return judge.operations[case.operation.definition.raw["operationId"]]


def negated(case) -> set[str]:
    """Names of the parameters that were made unlawful on purpose."""
    if not case.meta or not case.meta.generation.mode.is_negative:
        return set()
    data = case.meta.phase.data
    names = {getattr(data, "parameter", None)}
    names |= {mutation.parameter for mutation in getattr(data, "mutations", None) or ()}
    return {name for name in names if name}


def mend(value) -> None:
    """What no schema can say: first and last of a range are of one prefix and in order,
    and a whole number is written without a fraction (JSON Schema takes 2.0 for one)."""
    if isinstance(value, dict):
        first, last = value.get("first"), value.get("last")
        if isinstance(first, str) and isinstance(last, str) and NUMBER.fullmatch(first) and NUMBER.fullmatch(last):
            least, most = sorted((first[8:], last[8:]))
            value["first"], value["last"] = first[:8] + least, first[:8] + most
    for place, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(inner, float) and inner.is_integer():
            value[place] = int(inner)
        elif isinstance(inner, (dict, list)):
            mend(inner)


def real(name: str, case) -> None:
    """Puts into a lawful body what nobody can make up: seals, digests, numbers of forms.
    So the walks come past the gates."""
    where, body = case.path_parameters or {}, case.body
    if where.get("sale") in sales:
        view = client.ask("readSale", sale=where["sale"]).json()
        order = view.get("order") or {}
        if name in ("info", "identity", "finger"):
            seal_key = client.ask("readKiosk").json()["seal_key"]
            case.body = getattr(gates, name)(view, seal_key)
        elif name in ("seen", "confirm", "deny", "ask") and order:
            body["digest"] = order["digest"]
        elif name == "order":
            body["items"] = [{**body["items"][0], "kind": "transfer-cheque"}]
        elif name == "forms" and view.get("forms"):
            for advice, form in zip(body["advices"], view["forms"]):
                advice["number"] = form["number"]
    elif where.get("proposal") in proposals and name in ("approve", "refuse"):
        for known in client.ask("custody").json()["proposals"]:
            if known["proposal"] == where["proposal"]:
                body["digest"] = known["digest"]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the well-formed made-up names become names that exist."""
    spoilt = negated(case) & {"signature", "signature-input", "content-digest"}
    is_lawful = case.meta and not case.meta.generation.mode.is_negative
    # A made-up log that was seen is an alarm: the kiosk would sell nothing from then on.
    if TREE.fullmatch(str((case.query or {}).get("seen", ""))):
        case.query.pop("seen")
    if is_lawful:
        if isinstance(case.body, dict) and operation_of(case)["operationId"] == "openSale":
            case.body.pop("seen", None)
        if isinstance(case.body, dict):
            mend(case.body)
    pools = {"sale": (SALE, sales), "number": (NUMBER, numbers), "proposal": (re.compile("[0-9]{1,20}"), proposals)}
    for name, (form, pool) in pools.items():
        value = str((case.path_parameters or {}).get(name, ""))
        if pool and form.fullmatch(value) and sum(value.encode()) % 2:
            case.path_parameters[name] = pool[sum(value.encode()) // 2 % len(pool)]
    if is_lawful:
        real(operation_of(case)["operationId"], case)
    spoil = f"without {spoilt.pop()}" if spoilt else ""
    kwargs["auth"] = sign.Signed(client.party(operation_of(case)), spoil)


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what there is, and why lawful requests were malformed all the same."""
    if case.meta and not case.meta.generation.mode.is_negative:
        operation = operation_of(case)["operationId"]
        why = response.json()["detail"] if response.status_code == 400 else "well-formed"
        judge.lawful[operation, re.sub("[0-9]+", "N", why)] += 1
    if response.status_code != 200 or response.request.method != "POST":
        return
    said = response.json()
    name = operation_of(case)["operationId"]
    if name == "openSale":
        sales.append(said["sale"])
    elif name == "propose":
        proposals.append(said["proposal"])


class Headers:
    """Headers as schemathesis gives them, one value each."""

    def __init__(self, headers):
        self.headers = headers

    def get(self, name, default=None):
        values = self.headers.get(name)
        return values[0] if values else default


@schemathesis.check
def promised(ctx, response, case):
    judge.judge(operation_of(case), response.request.method, response.status_code, Headers(response.headers), response.content or b"")
