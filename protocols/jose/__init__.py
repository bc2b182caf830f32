"""JSON Web Signatures, Tokens and Encryption: read strictly, made with keys that may be in a hardware module."""

from __future__ import annotations

from protocols.jose.jwe import ECDH_1PU, ECDH_ES, MAX_RECIPIENTS, Jwe, open_jwe, read_jwe, seal_jwe
from protocols.jose.jws import ALGORITHMS, MAX_BYTES, WITH_RSA, Jws, read_jws, sign_jws
from protocols.jose.jwt import Jwt, is_typ, method_url, read_jwt, sign_jwt, time_problem

__all__ = [
    "ALGORITHMS", "ECDH_1PU", "ECDH_ES", "MAX_BYTES", "MAX_RECIPIENTS", "WITH_RSA", "Jwe", "Jws", "Jwt", "is_typ",
    "method_url", "open_jwe", "read_jwe", "read_jws", "read_jwt", "seal_jwe", "sign_jws", "sign_jwt", "time_problem",
]  # fmt: skip
