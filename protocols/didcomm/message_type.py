"""Message type and protocol URIs (Aries RFC 0003 §MTURI, §PIURI) and their version rules.

A protocol is known by its URI with the **major** version; a message of any minor version of a known major
is read, and fields it does not know are ignored (RFC 0003 §Semver Rules for Protocols). Answers use the lower
of the two minor versions. The legacy prefix ``did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/`` means ``https://didcomm.org/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from protocols.errors import PeerFault

__all__ = [
    "DIDCOMM_ORG", "ProtocolVersion", "normalise_type", "parse_protocol", "version_of_type", "with_current_prefix",
]  # fmt: skip

DIDCOMM_ORG = "https://didcomm.org/"
_LEGACY_PREFIX = "did:sov:BzCbsNYhMrjHiqZDTUASHg;spec/"
_MAX_CHARS = 256
_NAME = r"[A-Za-z](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PROTOCOL = rf"(?P<family>[!-~]*[?/&:;=]{_NAME})/(?P<major>\d{{1,4}})\.(?P<minor>\d{{1,4}})(?:\.\d{{1,4}})?"
_PROTOCOL_URI = re.compile(rf"{_PROTOCOL}/?", re.ASCII)
_MESSAGE_TYPE_URI = re.compile(rf"{_PROTOCOL}/{_NAME}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProtocolVersion:
    """A protocol at one version.

    Attributes:
        family: the URI before the version, e.g. ``https://didcomm.org/didexchange``.
    """

    family: str
    major: int
    minor: int

    @property
    def known_as(self) -> str:
        """The URI with the major version only, as in ``PlainMessage.protocol``."""
        return f"{self.family}/{self.major}"


@lru_cache(maxsize=256)
def normalise_type(uri: str) -> str:
    """The message type URI with today's prefix; kept, as there are few of them.

    Raises:
        PeerFault: ``message.type`` where it is no message type URI of RFC 0003.
    """
    current = with_current_prefix(uri)
    if len(current) > _MAX_CHARS or not _MESSAGE_TYPE_URI.fullmatch(current):
        raise PeerFault("message.type", "The message type is not a message type URI.", "See Aries RFC 0003.")
    return current


def version_of_type(uri: str) -> ProtocolVersion:
    """The protocol and version that a message type URI names.

    Raises:
        PeerFault: ``message.type``.
    """
    return parse_protocol(normalise_type(uri).rsplit("/", 1)[0])


def parse_protocol(uri: str) -> ProtocolVersion:
    """Read a protocol identifier URI, e.g. ``https://didcomm.org/didexchange/1.1``.

    Raises:
        PeerFault: ``message.type``.
    """
    current = with_current_prefix(uri)
    match = _PROTOCOL_URI.fullmatch(current) if len(current) <= _MAX_CHARS else None
    if match is None:
        raise PeerFault("message.type", "A protocol name is not a protocol URI.", "See Aries RFC 0003.")
    return ProtocolVersion(match["family"], int(match["major"]), int(match["minor"]))


def with_current_prefix(uri: str) -> str:
    """The URI, or the beginning of one, with today's prefix."""
    return DIDCOMM_ORG + uri.removeprefix(_LEGACY_PREFIX) if uri.startswith(_LEGACY_PREFIX) else uri
