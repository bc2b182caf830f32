"""Taking a document in for verification: once, within limits, as a value that nobody else holds.

Which format it is follows from its content: a JSON object has its proofs inside, is an envelope, or is a JWS (a seal);
text with tildes is an SD-JWT, and other text a JWT. A media type that came along, or that the document states of
itself, is only held against what was found.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from protocols import strict_json
from protocols.credentials.data_integrity.document import EmbeddedProofs
from protocols.credentials.enveloped import (
    ENVELOPED_CREDENTIAL,
    ENVELOPED_PRESENTATION,
    data_url_of,
    envelope_problems,
)
from protocols.credentials.jose.document import JwtDocument
from protocols.credentials.model import has_type
from protocols.credentials.open_badges_2.document import OpenBadge2
from protocols.credentials.open_badges_2.parts import is_assertion, is_signed_assertion
from protocols.credentials.sd_jwt.document import SdJwtDocument, SdJwtVc
from protocols.credentials.sd_jwt.text import read_sd_jwt
from protocols.credentials.sealed.authorities import WhoseSeal, unknown_seal
from protocols.credentials.sealed.document import SEALED, SealedDocument
from protocols.credentials.sealed.text import is_sealed, read_seal
from protocols.credentials.secured import Secured
from protocols.errors import BadInput
from protocols.jose import WITH_RSA, read_jwt
from protocols.jsonld.processor import DEFAULT, Processor

__all__ = ["read_document", "read_secured", "secured_item", "stated", "unwrapped"]

_ENVELOPES = {ENVELOPED_CREDENTIAL: "credential", ENVELOPED_PRESENTATION: "presentation"}
_OF_AN_ENVELOPE = frozenset({"@context", "id", "type"})
_MEDIA_TYPES = {
    "application/vc+jwt": ("vc+jwt", "jwt_vc"),
    "application/vp+jwt": ("vp+jwt", "jwt_vp"),
    "application/vc+sd-jwt": ("vc+sd-jwt",),
    "application/vp+sd-jwt": ("vp+sd-jwt",),
    "application/dc+sd-jwt": ("dc+sd-jwt",),
    f"application/{SEALED}": (SEALED,),
    "application/jwt": ("vc+jwt", "vp+jwt", "jwt_vc", "jwt_vp"),
}
"""Media type of an envelope -> how its content may be secured."""
_MAX_VALUES = 1 << 15
"""More than a document of 10,000 RDF statements can need."""


def read_secured(document: Any, processor: Processor, seals: WhoseSeal = unknown_seal) -> Secured:
    """The credential or presentation that ``document`` (bytes, text, or a parsed object) is, in whatever format.

    Args:
        seals: says whose a seal is, for who verifies.

    Raises:
        BadInput: ``json.*``, ``jws.*``, ``jwt.*``, ``seal.*``, ``encoding.*``, ``structure.*``.
    """
    if isinstance(document, bytes | str) and not _is_json(document):
        return _compact(document, processor)
    return secured_item(read_document(document), processor, seals)


def secured_item(item: Any, processor: Processor, seals: WhoseSeal = unknown_seal) -> Secured:
    """The same, for what was read as part of another document: an object, or the text of a JWT.

    Raises:
        BadInput: as :func:`read_secured`.
    """
    if isinstance(item, str):
        return _compact(item, processor)
    if not isinstance(item, dict):
        raise BadInput("structure.item", "What stands in the presentation is not a credential.")
    for kind in _ENVELOPES:
        if has_type(item, kind):
            return _enveloped(item, kind, processor, seals)
    if is_assertion(item):
        return OpenBadge2(item)
    return _sealed(item, processor, seals) if is_sealed(item) else EmbeddedProofs(item, processor)


def stated(document: bytes | str) -> dict[str, Any]:
    """What a kept record says, in whatever format it is; not verified.

    Raises:
        BadInput: as :func:`read_secured`.
    """
    return read_secured(document, DEFAULT).document


def unwrapped(item: dict[str, Any]) -> dict[str, Any] | str:
    """What is to be kept of ``item``: the text in its envelope, where it is one, as that alone is signed.

    Raises:
        BadInput: ``structure.enveloped``.
    """
    for kind in _ENVELOPES:
        if has_type(item, kind):
            return _content(item, kind)[1]
    return item


def read_document(document: Any) -> dict[str, Any]:
    """The JSON object that ``document`` (text, or a parsed object) holds.

    A parsed object is copied by way of its JSON, so that it means the same as its text would, is as bounded in size
    and depth, and is not changed by others while it is being checked.

    Raises:
        BadInput: ``json.*``.
    """
    if isinstance(document, dict):
        try:
            document = strict_json.dumps(document)
        except (TypeError, ValueError, RecursionError):
            raise BadInput("json.malformed", "The document is not made of JSON values.", "Send JSON.") from None
    if not isinstance(document, bytes | str):
        raise BadInput("json.not_object", "The document is not a JSON object.", "Send a JSON object.")
    return strict_json.loads_object(document, max_values=_MAX_VALUES)


def _is_json(text: bytes | str) -> bool:
    """Whether it may be a JSON object: a compact text begins with ``e``, which is how base64url writes ``{``."""
    return text[:1024].lstrip()[:1] not in (b"e", "e")


def _compact(text: bytes | str, processor: Processor) -> Secured:
    text = (text.decode("latin-1") if isinstance(text, bytes) else text).strip()
    if is_signed_assertion(text):
        return OpenBadge2(text)
    if "~" not in text:
        return JwtDocument(read_jwt(text, WITH_RSA, allow_jwk=True), processor)
    sd_jwt = read_sd_jwt(text)
    return SdJwtDocument(sd_jwt, processor) if "@context" in sd_jwt.jwt.claims else SdJwtVc(sd_jwt)


def _sealed(item: dict[str, Any], processor: Processor, seals: WhoseSeal) -> Secured:
    return SealedDocument(read_seal(item), processor, seals, max_values=_MAX_VALUES)


def _enveloped(envelope: dict[str, Any], kind: str, processor: Processor, seals: WhoseSeal) -> Secured:
    """What is in the envelope, which has to be what the envelope says.

    An envelope that says more is refused: no issuer has signed that, and somebody might read it for the credential.
    """
    media_type, text = _content(envelope, kind)
    if media_type == f"application/{SEALED}":
        secured = _sealed(strict_json.loads_object(text, max_values=_MAX_VALUES), processor, seals)
    else:
        secured = _compact(text, processor)
    if secured.securing not in _MEDIA_TYPES.get(media_type, ()) or secured.kind.name != _ENVELOPES[kind]:
        raise BadInput("structure.enveloped", "The envelope holds something else than it says.", "Ask its maker.")
    return secured


def _content(envelope: dict[str, Any], kind: str) -> tuple[str, str]:
    """The media type and the text of an envelope that says nothing else."""
    problem = next(iter(envelope_problems(envelope, kind)), None)
    found = data_url_of(envelope)
    if problem is not None or found is None:
        message = problem.message if problem else "The envelope holds nothing."
        raise BadInput("structure.enveloped", message, "See VCDM 2.0 §4.13.")
    if not envelope.keys() <= _OF_AN_ENVELOPE:
        raise BadInput("structure.enveloped", "The envelope says more than what is in it.", "Leave that out.")
    media_type, text = found
    return media_type, unquote(text) if media_type == f"application/{SEALED}" else text
