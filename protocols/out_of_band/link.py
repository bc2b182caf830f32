"""An invitation as a link (which is also the text of its QR code), and back from whatever a person pastes.

Aries RFC 0434 §Standard Out-of-Band Message Encoding: ``https://<domain>/<path>?oob=<base64url of the JSON>``; for
DIDComm v2 the parameter is ``_oob`` (2.1 §Standard Message Encoding). What the JSON is, says which version it is of,
whatever the parameter. Shortened links must be fetched first, which is left to the node.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from protocols import strict_json
from protocols.didcomm import codec, codec_v1, codec_v2
from protocols.didcomm.message import Wire
from protocols.errors import BadInput, LernodeError
from protocols.multiformats import b64url_decode, b64url_encode
from protocols.out_of_band.messages import Invitation, decode

__all__ = ["MAX_TEXT_BYTES", "from_text", "is_short", "to_link"]

MAX_TEXT_BYTES = 256 * 1024
_MAX_PARAMETERS = 32
_MAX_SHORT_LINK = 2048
_PARAMETERS = {Wire.V1: "oob", Wire.V2: "_oob"}


def to_link(invitation: Invitation, base_url: str) -> str:
    """The invitation as a link under ``base_url``, whose other query parameters are kept.

    Raises:
        BadInput: ``invitation.base_url`` where that is not an absolute URL without a fragment; as
            :meth:`Invitation.encode`.
    """
    try:
        parts = urlsplit(base_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https", "didcomm"} or not parts.netloc or parts.fragment:
        raise BadInput("invitation.base_url", "The link's base is not an absolute URL.", "Use https://host/path.")
    text = b64url_encode(codec.encode(invitation.encode(invitation.wire)))
    query = "&".join(part for part in (parts.query, urlencode({_PARAMETERS[invitation.wire]: text})) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def from_text(text: str) -> Invitation:
    """Read an invitation from a link, from its JSON, or from the bare base64url of the JSON.

    Raises:
        BadInput: ``invitation.too_large``, ``invitation.no_oob`` where a link carries none (a shortened link),
            ``invitation.malformed`` where what it carries is no invitation.
    """
    # Characters bound bytes closely enough here, and what follows is strict about the rest.
    if len(text) > MAX_TEXT_BYTES:
        raise BadInput("invitation.too_large", f"The invitation is longer than {MAX_TEXT_BYTES}.", "Ask for a link.")
    stripped = text.strip()
    try:
        raw = stripped.encode() if stripped.startswith("{") else b64url_decode(_oob(stripped))
        value = strict_json.loads_object(raw, max_bytes=MAX_TEXT_BYTES)
        message = decode((codec_v1 if "@type" in value else codec_v2).decode_object(value))
    except UnicodeEncodeError:
        raise _malformed("The text is not Unicode.") from None
    except LernodeError as error:
        if error.code.startswith("invitation."):
            raise
        raise _malformed(error.message) from None
    if not isinstance(message, Invitation):
        raise _malformed("It is another message of the out-of-band protocol.")
    return message


def is_short(text: str) -> bool:
    """Whether the text is a web link that carries no invitation, so that one may be behind it."""
    stripped = text.strip()
    try:
        parts = urlsplit(stripped)
        query = parse_qs(parts.query, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and bool(parts.netloc) and len(stripped) <= _MAX_SHORT_LINK
    return is_web and not any(name in query for name in _PARAMETERS.values())


def _oob(text: str) -> str:
    if ":" not in text:
        return text
    try:
        query = parse_qs(urlsplit(text).query, max_num_fields=_MAX_PARAMETERS)
        values = [value for name in _PARAMETERS.values() for value in query.get(name, [])]
    except ValueError:
        raise _malformed("The link is not a URL.") from None
    if len(values) != 1:
        raise BadInput(
            "invitation.no_oob",
            "The link carries no invitation in an oob parameter.",
            "If it is a shortened link, open it and copy the link it leads to.",
        )
    return values[0]


def _malformed(why: str) -> BadInput:
    return BadInput("invitation.malformed", f"This is not an invitation: {why}", "Copy the whole link again.")
