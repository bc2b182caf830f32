"""What every way of securing has in common when a document is made: what is asked for, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from protocols import strict_json
from protocols.credentials.enveloped import envelope
from protocols.jsonld.processor import Processor
from protocols.keys import PublicKey, Signer
from protocols.multiformats import Multicodec

__all__ = ["Issued", "Securing", "Terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a document is to be secured; what a way of securing has no place for has to be left out.

    Attributes:
        created, expires: of the signature; timezone-aware, written to the second.
        challenge, domain: for a presentation, what it answers, and where.
        mandatory_pointers: JSON Pointers to what no holder may withhold (``ecdsa-sd-2023``).
        selective_pointers: JSON Pointers to what the holder may withhold, each by itself (SD-JWT).
        decoys: how many digests that stand for nothing are added to each place that has some (SD-JWT).
        holder: the key that the holder will bind presentations with (``cnf``, SD-JWT).
        entropy: gives so many random bytes; for those that disclose selectively.
    """

    created: datetime
    expires: datetime | None = None
    challenge: str | None = None
    domain: str | None = None
    mandatory_pointers: Sequence[str] = ()
    selective_pointers: Sequence[str] = ()
    decoys: int = 0
    holder: PublicKey | str | None = None
    entropy: Callable[[int], bytes] | None = None
    processor: Processor


@dataclass(frozen=True, slots=True)
class Issued:
    """A secured document.

    Attributes:
        document: a JSON object with its proof inside, or compact text.
        media_type: e.g. ``application/vc+jwt``.
    """

    document: dict[str, Any] | str
    media_type: str
    securing: str

    @property
    def data(self) -> bytes:
        """The document as it is written to a file or sent."""
        return self.document.encode() if isinstance(self.document, str) else strict_json.dumps(self.document)

    @property
    def embeddable(self) -> dict[str, Any]:
        """The document as it stands in a presentation: compact text in an envelope (VCDM 2.0 §4.13.1, §4.13.2)."""
        return self.document if isinstance(self.document, dict) else envelope(self.document, self.media_type)


class Securing(Protocol):
    """One way of securing credentials or presentations, or both.

    Attributes:
        name: its key in ``SECURINGS``.
        key_types: the kinds of keys that it signs with.
    """

    @property
    def name(self) -> str: ...
    @property
    def key_types(self) -> frozenset[Multicodec]: ...

    def secure(self, record: dict[str, Any], signer: Signer, terms: Terms, /) -> Issued:
        """The record secured.

        Raises:
            BadInput: where the record cannot be secured so.
        """
