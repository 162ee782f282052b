"""Signs requests (RFC 9421, as data/src/sign.rs) and seals secrets (RFC 9180, as
data/src/sealed.rs): a second implementation of both, so that the first is held to the
standards and not to itself.
"""

import base64
import hashlib
import secrets
import struct
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hmac import HMAC
from requests.auth import AuthBase

import bank

KEYS = {name: Ed25519PrivateKey.from_private_bytes(seed) for name, seed in bank.seeds().items()}
# Above whatever an earlier part of the run sent to the same backend.
last_sequence = time.time_ns() // 1000


def next_sequence() -> int:
    """Strictly increasing."""
    global last_sequence
    last_sequence = max(last_sequence + 1, time.time_ns() // 1000)
    return last_sequence


def content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


class Signed(AuthBase):
    """Signs a prepared request last, over what is really sent.

    `spoil` changes one thing for the worse after or before signing, by name.
    """

    def __init__(self, key_id: str, spoil: str = ""):
        self.key_id, self.spoil = key_id, spoil

    def __call__(self, request):
        headers, body = request.headers, request.body
        body = body.encode() if isinstance(body, str) else body
        # A body that comes in pieces is signed as if it were empty.
        body = body if isinstance(body, bytes) else b""
        given = as_text(headers.get("counterfoil-sequence", ""))
        if given.isascii() and given.isdigit() and 0 < int(given) < 2**64:
            headers["counterfoil-sequence"] = str(next_sequence())
        elif "counterfoil-sequence" in headers:
            headers["counterfoil-sequence"] = given
        headers["content-digest"] = content_digest(b"spoilt" if self.spoil == "digest" else body)
        params, base = self.base(request)
        key = KEYS["kiosk:kiosk-2" if self.spoil == "key" else self.key_id]
        if self.spoil == "base":
            base += b" "
        headers["signature-input"] = f"sig={params}"
        headers["signature"] = f"sig=:{base64.b64encode(key.sign(base)).decode()}:"
        if self.spoil == "unsigned":
            for name in ("signature", "signature-input", "content-digest"):
                del headers[name]
        if self.spoil.startswith("without "):
            headers.pop(self.spoil.removeprefix("without "), None)
        return request

    def base(self, request) -> tuple[str, bytes]:
        """The parameters and the signature base (RFC 9421 §2.5)."""
        path, mark, query = request.path_url.partition("?")
        covered = [("@method", request.method), ("@path", path)]
        covered += [("@query", f"?{query}")] if mark else []
        for name in ("content-digest", "counterfoil-sequence", "idempotency-key"):
            if name in request.headers:
                covered.append((name, as_text(request.headers[name])))
        age = {"stale": 61, "early": -65}.get(self.spoil, 0)
        key_id = "kiosk:nobody" if self.spoil == "unknown" else self.key_id
        names = " ".join(f'"{name}"' for name, _ in covered)
        params = (
            f"({names});created={int(time.time()) - age};"
            f'nonce="{secrets.token_hex(16)}";keyid="{key_id}";'
            f'alg="ed25519";tag="{"other" if self.spoil == "tag" else "counterfoil-v1"}"'
        )
        lines = [f'"{name}": {value}' for name, value in covered]
        lines.append(f'"@signature-params": {params}')
        return params, "\n".join(lines).encode("latin-1", "replace")


def as_text(value) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def seal(label: str, plain: bytes, seal_key: str, sale: str, challenge: str) -> bytes:
    """HPKE base mode: X25519, HKDF-SHA-256, ChaCha20-Poly1305; encapsulated key first."""
    ours, theirs = X25519PrivateKey.generate(), bytes.fromhex(seal_key)
    dh = ours.exchange(X25519PublicKey.from_public_bytes(theirs))
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    enc = ours.public_key().public_bytes(*raw)
    kem = b"KEM" + struct.pack(">H", 0x20)
    prk = extract(kem, b"", b"eae_prk", dh)
    shared = expand(kem, prk, b"shared_secret", enc + theirs, 32)
    suite = b"HPKE" + struct.pack(">HHH", 0x20, 1, 3)
    info = b"counterfoil/v1/sealed/" + label.encode()
    context = b"\0" + extract(suite, b"", b"psk_id_hash", b"")
    context += extract(suite, b"", b"info_hash", info)
    secret = extract(suite, shared, b"secret", b"")
    key = expand(suite, secret, b"key", context, 32)
    nonce = expand(suite, secret, b"base_nonce", context, 12)
    aad = bytes.fromhex(sale) + bytes.fromhex(challenge)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plain, aad)


def mac(key: bytes, text: bytes) -> bytes:
    once = HMAC(key, hashes.SHA256())
    once.update(text)
    return once.finalize()


def extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    # One block of HKDF-Expand is enough for every length used here.
    text = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
    return mac(prk, text + b"\1")[:length]


def sealed_text(text: str, view: dict, seal_key: str) -> str:
    """A sealed short secret as it stands in JSON."""
    sealed = seal("text", text.encode(), seal_key, view["sale"], view["challenge"])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
