"""What schemathesis has to know of this interface: who signs which operation, names that
exist, and that every answer is held to the document as the other parts hold it.
"""

import collections
import re

import schemathesis

import client
import judge
import sign

SALE, NUMBER = re.compile("[0-9a-f]{32}"), re.compile("[0-9]{6}[1-8][0-9]{9}")
sales: collections.deque = collections.deque(maxlen=4)
proposals: collections.deque = collections.deque(maxlen=4)
numbers = collections.deque(["3130002100010001", "3130001100050001"], maxlen=8)


def operation_of(case) -> dict:
    return judge.operations[case.operation.definition.raw["operationId"]]


@schemathesis.hook
def before_call(context, case, kwargs):
    """Half of the well-formed made-up names become names that exist."""
    pools = {"sale": (SALE, sales), "number": (NUMBER, numbers), "proposal": (re.compile("[0-9]{1,20}"), proposals)}
    for name, (form, pool) in pools.items():
        value = str((case.path_parameters or {}).get(name, ""))
        if pool and form.fullmatch(value) and sum(value.encode()) % 2:
            case.path_parameters[name] = pool[sum(value.encode()) // 2 % len(pool)]
    kwargs["auth"] = sign.Signed(client.party(operation_of(case)))


@schemathesis.hook
def after_call(context, case, response):
    """Remembers what there is."""
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
