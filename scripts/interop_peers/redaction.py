"""What a report may show of a message: no signature, key, challenge or token, and nothing of a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from protocols import strict_json
from protocols.didcomm import codec
from protocols.didcomm.message import PlainMessage
from protocols.errors import LernodeError
from protocols.multiformats import b64url_decode

__all__ = ["shown"]

_REMOVED = "(removed)"
_SECRETS = frozenset(
    {
        "proofValue", "jws", "signature", "sig", "sig_data", "challenge", "domain", "nonce", "token", "access_token",
        "api_key", "password", "secret", "privateKeyJwk", "secretKeyMultibase", "publicKeyMultibase", "publicKeyBase58",
        "publicKeyJwk", "recipientKeys", "recipient_keys", "routingKeys", "recipientKey", "invitation_key",
    }
)  # fmt: skip
_PERSONAL = frozenset(
    {
        "label", "comment", "content", "email", "givenName", "familyName", "phone", "address", "dateOfBirth",
        "birthDate", "identityHash", "salt", "identifier", "image", "narrative", "result", "evidence", "value",
    }
)  # fmt: skip
_SUBJECT = "credentialSubject"
_OF_THE_SUBJECT = frozenset({"type", "achievement"})
_LONG_DID = re.compile(r"did:(?:peer|key|jwk):[A-Za-z0-9._:=#-]{24,}")
_DID_CHARS = 24


def shown(message: PlainMessage) -> dict[str, Any]:
    """The message as it is on the wire, with what attachments hold, without secrets and personal data.

    DIDs that hold keys are cut short, so that two can be told apart and neither can be used.
    """
    document: dict[str, Any] = strict_json.loads_object(codec.encode(message))
    return _mapping(document)


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {_text(name): _member(name, item) for name, item in value.items()}


def _member(name: str, item: Any) -> Any:
    if name in _SECRETS or name in _PERSONAL:
        return _REMOVED
    if name == _SUBJECT:
        return _subject(item)
    if name == "base64" and isinstance(item, str):
        return _attached(item)
    return _any(item)


def _subject(item: Any) -> Any:
    """A subject keeps its shape and its achievement."""
    if isinstance(item, list):
        return [_subject(one) for one in item]
    if not isinstance(item, dict):
        return _REMOVED
    return {name: _any(value) if name in _OF_THE_SUBJECT else _REMOVED for name, value in item.items()}


def _attached(text: str) -> Any:
    """What is attached in base64, read where it is JSON; anything else is not shown."""
    try:
        return _any(strict_json.loads(b64url_decode(text.rstrip("=").replace("+", "-").replace("/", "_"))))
    except (LernodeError, ValueError):
        return _REMOVED


def _any(value: Any) -> Any:
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        return [_any(one) for one in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    return _LONG_DID.sub(lambda found: f"{found[0][:_DID_CHARS]}…", text)
