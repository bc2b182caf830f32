"""What present-proof 2.0 attaches for Presentation Exchange (Aries RFC 0510).

The submission attachment is the presentation itself and needs no codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.errors import BadInput
from protocols.exchange.definition import Definition, parse_definition

__all__ = [
    "DEFINITIONS_FORMAT", "SUBMISSION_FORMAT", "PresentationRequest", "decode_proposal", "decode_request",
    "encode_request",
]  # fmt: skip

DEFINITIONS_FORMAT = "dif/presentation-exchange/definitions@v1.0"
SUBMISSION_FORMAT = "dif/presentation-exchange/submission@v1.0"

_MAX_OPTION_CHARS = 1024


@dataclass(frozen=True, slots=True)
class PresentationRequest:
    """A request attachment: the definition, and what the presentation's proof must repeat."""

    definition: Definition
    challenge: str | None = None
    domain: str | None = None


def encode_request(request: PresentationRequest) -> dict[str, Any]:
    """The ``request-presentation`` attachment."""
    options = {"challenge": request.challenge, "domain": request.domain}
    given = {name: value for name, value in options.items() if value is not None}
    attachment: dict[str, Any] = {"options": given} if given else {}
    return {**attachment, "presentation_definition": request.definition.raw}


def decode_request(attachment: object) -> PresentationRequest:
    """Read a ``request-presentation`` attachment.

    Raises:
        BadInput: ``pex.request_malformed``, or as :func:`~protocols.exchange.definition.parse_definition`.
    """
    if not isinstance(attachment, dict):
        raise _malformed("is not an object")
    options = attachment.get("options", {})
    if not isinstance(options, dict):
        raise _malformed("has options that are not an object")
    definition = parse_definition(attachment.get("presentation_definition"))
    return PresentationRequest(definition, _option(options, "challenge"), _option(options, "domain"))


def decode_proposal(attachment: object, *, definition_id: str) -> Definition:
    """Read a ``propose-presentation`` attachment as the definition that it asks the verifier to send.

    RFC 0510 has input descriptors there and nothing else. A whole definition, as Credo and this node write it, also
    says how many of them it takes.

    Args:
        definition_id: the id to give to the definition.

    Raises:
        BadInput: ``pex.request_malformed``, or as :func:`~protocols.exchange.definition.parse_definition`.
    """
    if not isinstance(attachment, dict):
        raise _malformed("is not an object")
    kept = {name: attachment[name] for name in ("input_descriptors", "submission_requirements") if name in attachment}
    return parse_definition({"id": definition_id, **kept})


def _option(options: dict[str, Any], name: str) -> str | None:
    value = options.get(name)
    if value is not None and (not isinstance(value, str) or not 0 < len(value) <= _MAX_OPTION_CHARS):
        raise _malformed(f"has an option {name} that is not a string of up to {_MAX_OPTION_CHARS} characters")
    return value


def _malformed(what: str) -> BadInput:
    return BadInput("pex.request_malformed", f"The attachment {what}.", "Build it by Aries RFC 0510.")
