"""Securing a credential or presentation, in any format: the one door for issuers and holders.

Leaves to the caller what the record says (``node/records``), and which key signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from protocols.credentials.issuing import Issued, Securing, Terms
from protocols.credentials.securings import SECURINGS
from protocols.errors import BadInput
from protocols.jsonld.processor import DEFAULT, Processor
from protocols.keys import PublicKey, Signer

__all__ = ["Issued", "issue", "securing_named"]


def issue(
    record: Mapping[str, Any],
    securing: str,
    signer: Signer,
    *,
    created: datetime,
    expires: datetime | None = None,
    challenge: str | None = None,
    domain: str | None = None,
    mandatory_pointers: Sequence[str] = (),
    selective_pointers: Sequence[str] = (),
    decoys: int = 0,
    holder: PublicKey | str | None = None,
    entropy: Callable[[int], bytes] | None = None,
    processor: Processor = DEFAULT,
) -> Issued:
    """``record`` secured.

    Args:
        securing: a key of ``SECURINGS``: a cryptosuite, ``vc+jwt``, ``vp+jwt``, ``vc+sd-jwt`` or ``dc+sd-jwt``.
        created and the rest: see :class:`~protocols.credentials.issuing.Terms`.

    Raises:
        BadInput: ``securing.unknown``; ``securing.key_type``; ``securing.*``, ``proof.*``, ``sd_jwt.*``, ``jsonld.*``
            where the record cannot be secured so.
    """
    chosen = securing_named(securing)
    if signer.codec not in chosen.key_types:
        raise BadInput(
            "securing.key_type", "The key cannot sign in this way.", "Use a key and securing that go together."
        )
    terms = Terms(
        created=created,
        expires=expires,
        challenge=challenge,
        domain=domain,
        mandatory_pointers=mandatory_pointers,
        selective_pointers=selective_pointers,
        decoys=decoys,
        holder=holder,
        entropy=entropy,
        processor=processor,
    )
    return chosen.secure(dict(record), signer, terms)


def securing_named(name: str) -> Securing:
    """The way of securing of that name.

    Raises:
        BadInput: ``securing.unknown``.
    """
    if name not in SECURINGS:
        raise BadInput("securing.unknown", "There is no way of securing of that name.", f"Use {', '.join(SECURINGS)}.")
    return SECURINGS[name]
