"""Pack and unpack one message of 3 kB for one recipient, with the sender authenticated (Aries RFC 0019, Authcrypt)."""

from __future__ import annotations

import os

from protocols.didcomm.envelope_v1 import pack, unpack
from protocols.keys import KeyPair
from scripts.benchmark.figures import Figure
from scripts.benchmark.raw import SIGN, VERIFY, raw_batches
from scripts.benchmark.timing import Plan, compare, each, figure_of, progress

__all__ = ["measure"]

_BYTES = 3000


class _Keys:
    """The one key of the recipient."""

    def __init__(self, key: KeyPair) -> None:
        self._key = key

    def find(self, verkey: str) -> KeyPair | None:
        return self._key if verkey == self._key.verkey else None


def measure(plan: Plan) -> list[Figure]:
    """The figures of envelopes."""
    progress(f"messages: pack and unpack {_BYTES:,} bytes ...")
    sender, recipient = (KeyPair.from_seed(os.urandom(32)) for _ in range(2))
    keys = _Keys(recipient)
    text = os.urandom(_BYTES // 2).hex().encode()

    def packed() -> bytes:
        return pack(text, to=[recipient.verkey], sender=sender, entropy=os.urandom)

    envelope = packed()
    if unpack(envelope, keys).plaintext != text:
        raise AssertionError("what was unpacked is not what was packed")
    batches = {**raw_batches(), "pack": each(packed), "unpack": each(lambda: unpack(envelope, keys))}
    compared = compare(batches, plan)
    return [
        figure_of(compared, "pack", "pack a message of 3 kB, authcrypt", SIGN),
        figure_of(compared, "unpack", "unpack a message of 3 kB, authcrypt", VERIFY),
    ]
