"""The demo bank as the tester uses it: who signs with which key, and what they know.

Everything comes from data/demo/bank.toml; its keys and secrets are public. Caps that a
long run would reach within one business day are raised in a copy of the file.
"""

import pathlib
import tomllib

SOURCE = pathlib.Path(__file__).parents[2] / "data" / "demo" / "bank.toml"

# What a line says, and what the tester's bank says instead.
RAISED = {
    "forms_per_sale_max = 50\nforms_per_day_max = 100\n": "forms_per_sale_max = 50\nforms_per_day_max = 1000000\n",
    "unused_forms_max = 200\n": "unused_forms_max = 1000000\n",
    "balance = 1000000\n": "balance = 1000000000\n",
    'last = "3130002100010200"': 'last = "3130002100019999"',
}


def write(path: pathlib.Path) -> None:
    """Writes the tester's bank."""
    text = SOURCE.read_text(encoding="utf-8")
    for said, instead in RAISED.items():
        if said not in text:
            raise SystemExit(f"{SOURCE} no longer says {said!r}: change RAISED")
        text = text.replace(said, instead)
    path.write_text(text, encoding="utf-8")


BANK = tomllib.loads(SOURCE.read_text(encoding="utf-8"))
SECRETS = BANK["secrets"]


def named(kind: str, name: str) -> dict:
    """The entry of this name or id."""
    return next(e for e in BANK[kind] if name in (e.get("name"), e.get("id")))


def seeds() -> dict[str, bytes]:
    """Key id to the seed of its Ed25519 key."""
    kinds = {"kiosk": "kiosks", "station": "stations", "staff": "staff"}
    return {
        f"{kind}:{entry['id']}": bytes.fromhex(entry["key_seed"])
        for kind, entries in kinds.items()
        for entry in BANK[entries]
        if "key_seed" in entry
    }
