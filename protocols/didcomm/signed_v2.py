"""DIDComm v2 signed messages: a JWS in JSON serialisation by one key of the sender's DID document.

DIDComm 2.1 §Message Signing. EdDSA, ES256 and ES256K are checked, as it requires, and ES384 besides. Promises that a
signature is only believed where the key that ``kid`` names is listed under ``authentication`` by its own DID. That this
DID is also the one in ``from`` is left to ``addressing_v2.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols import strict_json
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.did.syntax import did_of
from protocols.didcomm.codec_v2 import is_media_type
from protocols.errors import BadInput, NotNow, PeerFault
from protocols.jose import ALGORITHMS, Jws, read_jws, sign_jws
from protocols.keys import Signer
from protocols.multiformats import Multicodec

__all__ = ["MEDIA_TYPE", "SIGNATURE_ALGORITHMS", "check_signature", "open_signed", "sign"]

MEDIA_TYPE = "application/didcomm-signed+json"

SIGNATURE_ALGORITHMS = ALGORITHMS | {"ES256K": Multicodec.SECP256K1_PUB}
"""``alg`` -> the kind of key; secp256k1 only here, as no credential may be signed with it."""

_MAX_KID = 12_000


def sign(plaintext: bytes, signer: Signer) -> bytes:
    """The signed message, in the general form, which every implementation reads.

    Raises:
        BadInput: ``jws.key_type``.
    """
    header = {"typ": MEDIA_TYPE, "kid": None}  # it stands beside the protected header, as in the test vectors
    protected, payload, signature = sign_jws(plaintext, signer, header).split(".")
    entry = {"protected": protected, "signature": signature, "header": {"kid": signer.verification_method}}
    return strict_json.dumps({"payload": payload, "signatures": [entry]})


async def open_signed(raw: Mapping[str, Any], resolver: Resolver) -> tuple[bytes, str]:
    """The payload of a signed message and the DID URL of the key that signed it.

    Raises:
        PeerFault: ``envelope.malformed``; ``envelope.signature`` where the signature does not hold or its key may not
            be used.
        NotNow: ``did.unreachable``.
    """
    try:
        jws, kid = _read(raw)
    except BadInput as error:
        raise PeerFault("envelope.malformed", f"The signed message cannot be read. {error.message}", _SEE) from None
    await check_signature(jws, kid, resolver)
    return jws.payload, kid


async def check_signature(jws: Jws, kid: str, resolver: Resolver) -> None:
    """Check that the key ``kid`` (DID URL) signed, and that its DID lists it under ``authentication``.

    Raises:
        PeerFault: ``envelope.signature``.
        NotNow: ``did.unreachable``.
    """
    try:
        document = await resolver.resolve(did_of(kid))
        holds = jws.holds_under(document.method_for(kid, Relationship.AUTHENTICATION).key)
    except NotNow:
        raise
    except BadInput as error:
        raise PeerFault("envelope.signature", f"The signature cannot be checked. {error.message}", _SEE) from None
    if not holds:
        raise PeerFault("envelope.signature", "The signature does not hold.", "Sign it with the key that kid names.")


def _read(raw: Mapping[str, Any]) -> tuple[Jws, str]:
    signatures = raw.get("signatures", [raw])
    # Only the sender's counts, so there is one (§Construction).
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise _malformed("it has not one signature")
    entry = signatures[0]
    protected, payload, signature = entry.get("protected"), raw.get("payload"), entry.get("signature")
    if not isinstance(protected, str) or not isinstance(payload, str) or not isinstance(signature, str):
        raise _malformed("a part of the signature is missing")
    jws = read_jws(f"{protected}.{payload}.{signature}", SIGNATURE_ALGORITHMS)
    if jws.typ is not None and jws.typ != "JWM" and not is_media_type(jws.typ, MEDIA_TYPE):
        raise _malformed("its typ is of something else")
    header = entry.get("header", {})
    if not isinstance(header, dict) or not header.keys() <= {"kid"} or (header and jws.kid is not None):
        raise _malformed("its headers say more than a kid, or say it twice")
    kid = header.get("kid", jws.kid)
    if not isinstance(kid, str) or len(kid) > _MAX_KID or "#" not in kid:
        raise _malformed("its kid names no key")
    did_of(kid)
    return jws, kid


def _malformed(why: str) -> BadInput:
    return BadInput("jws.malformed", f"The JWS cannot be read: {why}.", "Its maker has to correct it.")


_SEE = "See DIDComm 2.1, Message Signing."
