"""The forms of a kept record: as it is in the store, as it stands in a presentation, and a part of it.

A record with its proofs inside is JSON in all of them. A JWT or SD-JWT is compact text in the store, and a sealed one a
JWS in JSON; in a presentation these are enveloped credentials (VCDM 2.0 §4.13.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from protocols import strict_json
from protocols.credentials.data_integrity import derive_proof
from protocols.credentials.enveloped import ENVELOPED_CREDENTIAL, data_url_of, envelope, media_type_of
from protocols.credentials.model import has_type
from protocols.credentials.open_badges_2.parts import is_assertion
from protocols.credentials.reading import read_secured
from protocols.credentials.sd_jwt.presenting import present_sd_jwt
from protocols.credentials.sd_jwt.text import read_sd_jwt
from protocols.credentials.sealed.document import SEALED
from protocols.credentials.sealed.text import is_sealed
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.keys import public_jwk
from storage.dids import OwnDid

__all__ = ["binding_key", "compact_text", "embeddable", "is_compact", "is_presentable", "kept_form", "presented_part"]


def is_compact(document: bytes) -> bool:
    """Whether a kept record is the text of a JWT or SD-JWT."""
    return not document.startswith(b"{")


def is_presentable(form: dict[str, Any] | str) -> bool:
    """Whether a kept record can stand in a presentation: a badge of Open Badges 2.0 is no Verifiable Credential."""
    return isinstance(form, str) or not is_assertion(form)


def kept_form(document: bytes) -> dict[str, Any] | str:
    """A kept record as a value: a JSON object, or compact text."""
    return document.decode("ascii") if is_compact(document) else strict_json.loads_object(document)


def embeddable(document: bytes) -> dict[str, Any]:
    """A kept record as it stands in a presentation.

    Raises:
        BadInput: ``record.not_presentable``.
    """
    if not is_compact(document):
        form = strict_json.loads_object(document)
        if not is_presentable(form):
            message = "A badge of Open Badges 2.0 is no Verifiable Credential, and cannot stand in a presentation."
            raise BadInput("record.not_presentable", message, "Give the badge itself: lernode records ID --export FILE")
        return envelope(quote(document), f"application/{SEALED}") if is_sealed(form) else form
    return envelope(document.decode("ascii"), media_type_of(read_secured(document, DEFAULT).securing or "vc+jwt"))


def compact_text(form: dict[str, Any]) -> str | None:
    """The compact text in an envelope; None where the record is none of such text."""
    found = data_url_of(form) if has_type(form, ENVELOPED_CREDENTIAL) else None
    return None if found is None or found[0] == f"application/{SEALED}" else found[1]


def presented_part(document: bytes, pointers: Sequence[str], processor: Processor) -> bytes:
    """The part of a kept record that the pointers, and what cannot be withheld, make up.

    Raises:
        BadInput: ``proof.not_selective`` where it is secured as a whole; ``pointer.*``.
    """
    form = kept_form(document)
    if isinstance(form, dict) and not is_sealed(form):
        return strict_json.dumps(derive_proof(form, pointers, processor=processor))
    if isinstance(form, str) and "~" in form:
        return present_sd_jwt(form, pointers).encode()
    message = "The record is signed as one text, which is shown whole or not at all."
    raise BadInput("proof.not_selective", message, "Show all of it, or ask its issuer for an SD-JWT.")


def binding_key(text: str, holder: OwnDid) -> str | None:
    """The verification method with which ``holder`` can bind an SD-JWT to a request (RFC 9901 §4.3).

    None where the text is no SD-JWT, or its issuer has named the key of somebody else.
    """
    if "~" not in text:
        return None
    named = read_sd_jwt(text).jwt.claims.get("cnf", {"kid": holder.did})
    for key in holder.keys:
        method = f"{holder.did}#{key.fragment}"
        match named:
            case {"jwk": dict(jwk)} if public_jwk(key.public).items() <= jwk.items():
                return method
            case {"kid": str(kid)} if kid in {method, holder.did}:
                return method
    return None
