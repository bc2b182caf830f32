"""The yardstick: Ed25519 of libsodium by the same bindings that lernode uses, over the 64 bytes that a suite signs."""

from __future__ import annotations

import os
from collections.abc import Mapping

from nacl import bindings

from scripts.benchmark.timing import Batch, each

__all__ = ["SIGN", "VERIFY", "raw_batches"]

SIGN = "Ed25519 sign"
VERIFY = "Ed25519 verify"


def raw_batches() -> Mapping[str, Batch]:
    """One signature, and one verification."""
    public, secret = bindings.crypto_sign_seed_keypair(os.urandom(32))
    data = os.urandom(64)
    signed = bindings.crypto_sign(data, secret)
    return {
        SIGN: each(lambda: bindings.crypto_sign(data, secret)),
        VERIFY: each(lambda: bindings.crypto_sign_open(signed, public)),
    }
