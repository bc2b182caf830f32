"""Presenting an SD-JWT: showing some of it, and binding that to a request (RFC 9901 §7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from protocols.credentials.sd_jwt.disclosed import disclose
from protocols.credentials.sd_jwt.key_binding import bind
from protocols.credentials.sd_jwt.text import join, read_sd_jwt
from protocols.errors import BadInput
from protocols.json_pointer import parse_pointer, step_into, to_pointer
from protocols.keys import Signer

__all__ = ["bind_sd_jwt", "disclosable", "present_sd_jwt"]


def disclosable(text: str) -> list[str]:
    """What a holder may withhold of an SD-JWT, as JSON Pointers into what it says when all is disclosed.

    Raises:
        BadInput: ``sd_jwt.*``, ``jws.*``, ``json.*``.
    """
    return [to_pointer(place) for place in disclose(read_sd_jwt(text)).places]


def present_sd_jwt(text: str, pointers: Sequence[str]) -> str:
    """The SD-JWT with only the disclosures that the pointers need; a key binding is left away.

    Args:
        pointers: into what the SD-JWT says with all its disclosures. Each shows what it names with all that is in
            it, and so the disclosures around it.

    Raises:
        BadInput: ``pointer.*``; ``sd_jwt.*``, ``jws.*``, ``json.*``.
    """
    sd_jwt = read_sd_jwt(text)
    disclosed = disclose(sd_jwt)
    wanted = [parse_pointer(pointer) for pointer in pointers]
    for steps in wanted:
        value: object = disclosed.claims
        for step in steps:
            value = step_into(value, step)
    chosen = [
        disclosure.text
        for disclosure, place in zip(sd_jwt.disclosures, disclosed.places, strict=True)
        if any(steps[: len(place)] == place or place[: len(steps)] == steps for steps in wanted)
    ]
    issued = text.partition("~")[0]
    return join(issued, chosen)


def bind_sd_jwt(text: str, signer: Signer, *, challenge: str, domain: str, now: datetime) -> str:
    """An SD-JWT bound to a request by its holder's key.

    Args:
        text: as it is presented, without a key binding.
        signer: has the key of the credential's ``cnf``, or one of its subject's.

    Raises:
        BadInput: ``sd_jwt.bound`` where it has a key binding; as :func:`present_sd_jwt`.
    """
    sd_jwt = read_sd_jwt(text)
    if sd_jwt.key_binding is not None:
        raise BadInput("sd_jwt.bound", "The SD-JWT has a key binding already.", "Present it without.")
    return bind(sd_jwt, signer, nonce=challenge, audience=domain, now=now)
