"""Seal and open what the store keeps of a record and of a message, beside the bare primitives of it."""

from __future__ import annotations

import os
from hashlib import blake2b

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_aead_xchacha20poly1305_ietf_encrypt

from scripts.benchmark.figures import Figure, Target
from scripts.benchmark.raw import SIGN, raw_batches
from scripts.benchmark.timing import Batch, Plan, compare, each, figure_of, progress, spread
from storage.sealing import Sealing

__all__ = ["measure"]

_DOCUMENT, _DETAILS, _MESSAGE = (os.urandom(size) for size in (2400, 600, 3000))
_FOUND_BY = ("issued_credentials.credential_id", "issued_credentials.subject", "issued_credentials.achievement_id")
_ROW = "01234567-89ab-4cde-8f01-23456789abcd"
_NAME = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
_PLACE = b"issued_credentials.document\0" + _ROW.encode()
_HALF = Target(0.5, is_floor=True)


def measure(plan: Plan) -> list[Figure]:
    """The figures of sealing."""
    progress("sealing: seal and open the rows of a record and of a message ...")
    batches = dict(raw_batches())
    abouts: dict[str, str] = {}
    for name, (about, ours, bare) in _pairs().items():
        batches |= {f"sealing.{name}": ours, f"sealing.{name}.primitives": bare}
        abouts[name] = about
    compared = compare(batches, plan)
    rates = [figure_of(compared, f"sealing.{name}", about, SIGN) for name, about in abouts.items()]
    ratios = [
        Figure(
            name=f"sealing.{name}.over.primitives",
            about=f"{about}, over its primitives",
            value=compared.ratio(f"sealing.{name}", f"sealing.{name}.primitives"),
            unit="times",
            spread=spread(compared.ratios(f"sealing.{name}", f"sealing.{name}.primitives")),
            target=_HALF,
        )
        for name, about in abouts.items()
    ]
    return [*rates, *ratios]


def _pairs() -> dict[str, tuple[str, Batch, Batch]]:
    """What it is, as the store does it, and the bare primitives of the same sizes, whose nonces are random too."""
    sealing, key = Sealing(os.urandom(32), os.urandom), os.urandom(32)
    parts = (("issued_credentials.document", _DOCUMENT), ("issued_credentials.details", _DETAILS))

    def seal_record() -> list[bytes]:
        sealed = [sealing.seal(column, _ROW, value) for column, value in parts]
        return sealed + [sealing.blind(column, _NAME) for column in _FOUND_BY]

    def bare_record() -> list[bytes]:
        sealed = [_bare_seal(value, key) for _, value in parts]
        return sealed + [blake2b(_PLACE, digest_size=16, key=key).digest() for _ in _FOUND_BY]

    record, message = seal_record(), sealing.seal("outbox.message", _ROW, _MESSAGE)
    nonce = os.urandom(24)
    bare = [crypto_aead_xchacha20poly1305_ietf_encrypt(v, _PLACE, nonce, key) for v in (_DOCUMENT, _DETAILS, _MESSAGE)]

    def open_record() -> list[bytes]:
        return [sealing.open(column, _ROW, sealed) for (column, _), sealed in zip(parts, record, strict=False)]

    if open_record() != [_DOCUMENT, _DETAILS] or sealing.open("outbox.message", _ROW, message) != _MESSAGE:
        raise AssertionError("what was opened is not what was sealed")
    return {
        "record.seal": ("seal a record (2.4 kB, details, three keyed hashes)", each(seal_record), each(bare_record)),
        "record.open": (
            "open a record (2.4 kB, details)",
            each(open_record),
            each(lambda: [_bare_open(one, nonce, key) for one in bare[:2]]),
        ),
        "message.seal": (
            "seal a message (3 kB)",
            each(lambda: sealing.seal("outbox.message", _ROW, _MESSAGE)),
            each(lambda: _bare_seal(_MESSAGE, key)),
        ),
        "message.open": (
            "open a message (3 kB)",
            each(lambda: sealing.open("outbox.message", _ROW, message)),
            each(lambda: _bare_open(bare[2], nonce, key)),
        ),
    }


def _bare_seal(value: bytes, key: bytes) -> bytes:
    return crypto_aead_xchacha20poly1305_ietf_encrypt(value, _PLACE, os.urandom(24), key)


def _bare_open(sealed: bytes, nonce: bytes, key: bytes) -> bytes:
    return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, _PLACE, nonce, key)
