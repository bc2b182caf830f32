"""Credentials and presentations in an envelope: objects whose ``id`` is a ``data:`` URL of what is secured.

Spec: VC Data Model 2.0 §4.13.1 and §4.13.2, RFC 2397. What is looked at here is the object alone; the content of the
envelope, and whether its signature holds, is for those who know the media type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from protocols.credentials.model import CONTEXT_V2, Version, as_list, version_of
from protocols.credentials.problem import Problem

__all__ = [
    "ENVELOPED_CREDENTIAL", "ENVELOPED_PRESENTATION", "data_url_of", "envelope", "envelope_problems", "media_type_of",
]  # fmt: skip

ENVELOPED_CREDENTIAL = "EnvelopedVerifiableCredential"
ENVELOPED_PRESENTATION = "EnvelopedVerifiablePresentation"

_SECTIONS = {ENVELOPED_CREDENTIAL: "VCDM 2.0 §4.13.1", ENVELOPED_PRESENTATION: "VCDM 2.0 §4.13.2"}
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # noqa: S105 - the token of RFC 9110, not a secret
_DATA_URL = re.compile(
    rf"data:({_TOKEN}/{_TOKEN})((?:;{_TOKEN}(?:=[A-Za-z0-9!#$&^_.+%-]{{0,127}})?)*),([^\s\"<>\\^`{{|}}]+)",
    re.IGNORECASE | re.ASCII,
)


def media_type_of(securing: str) -> str:
    """The media type of compact text that is secured so; a JWT of version 1.1 has none of its own."""
    return "application/jwt" if securing in {"jwt_vc", "jwt_vp"} else f"application/{securing}"


def envelope(text: str, media_type: str) -> dict[str, Any]:
    """Compact text as it stands among JSON objects (VCDM 2.0 §4.13.1, §4.13.2)."""
    kind = ENVELOPED_PRESENTATION if media_type.startswith("application/vp") else ENVELOPED_CREDENTIAL
    return {"@context": [CONTEXT_V2], "type": [kind], "id": f"data:{media_type},{text}"}


def data_url_of(envelope: dict[str, Any]) -> tuple[str, str] | None:
    """The media type, in small letters and without parameters, and the data of the envelope's URL, as it stands there.

    ``None`` where its ``id`` is no ``data:`` URL with a media type.
    """
    identifier = envelope.get("id")
    match = _DATA_URL.fullmatch(identifier) if isinstance(identifier, str) else None
    return None if match is None else (match[1].lower(), match[3])


def envelope_problems(envelope: dict[str, Any], kind: str) -> Iterator[Problem]:
    """The rules for enveloped objects that ``envelope`` breaks.

    Args:
        kind: ``ENVELOPED_CREDENTIAL`` or ``ENVELOPED_PRESENTATION``.
    """
    spec = _SECTIONS[kind]
    if version_of(envelope) is not Version.V2_0:
        yield Problem("enveloped.context", f"The first @context of the {kind} is not that of version 2.0.", spec)
    if as_list(envelope.get("type")) != [kind]:
        yield Problem("enveloped.type", f"The type of the object is not {kind} alone.", spec)
    if data_url_of(envelope) is None:
        yield Problem("enveloped.id", f"The id of the {kind} is not a data: URL with a media type.", spec)
