"""JSON Web Signatures and JSON Web Tokens: read strictly, signed through :class:`~protocols.keys.Signer`."""

from __future__ import annotations

from protocols.jose.jws import ALGORITHMS, MAX_BYTES, Jws, read_jws, sign_jws
from protocols.jose.jwt import Jwt, is_typ, method_url, read_jwt, sign_jwt, time_problem

__all__ = [
    "ALGORITHMS", "MAX_BYTES", "Jws", "Jwt", "is_typ", "method_url", "read_jws", "read_jwt", "sign_jws", "sign_jwt",
    "time_problem",
]  # fmt: skip
