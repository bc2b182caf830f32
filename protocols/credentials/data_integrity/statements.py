"""The statements of a document under labels that only those can link who have the key, and groups of them.

Spec: VC Data Integrity ECDSA 1.0 §3.4 (createHmacIdLabelMapFunction, canonicalizeAndGroup). A statement is a line of
canonical N-Quads; its index is its position among all.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.selection import select
from protocols.errors import BadInput
from protocols.jsonld.places import PlacedObject, placed
from protocols.jsonld.processor import Processor
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import sorted_nquads
from protocols.multiformats import b64url_encode

__all__ = ["Group", "Statements", "shuffled_label"]


@dataclass(frozen=True, slots=True)
class Group:
    """The statements of a part of a document.

    Attributes:
        part: the part as a document; ``None`` where nothing is chosen.
        quads: its dataset, labelled as the whole document's.
        indexes: which statements of the whole these are, in order.
    """

    part: PlacedObject | None
    quads: set[Quad]
    indexes: list[int]


class Statements:
    """All statements of a document under a key.

    Attributes:
        lines: in order, each with its line end.
    """

    def __init__(self, document: Mapping[str, Any], hmac_key: bytes, processor: Processor) -> None:
        """Read a document.

        Raises:
            BadInput: ``jsonld.*``.
        """
        self._document = placed(dict(document))
        self._processor = processor
        quads = processor.placed_quads(self._document)
        self._digests = {
            label: _digest(hmac_key, canonical) for label, canonical in processor.canonical_labels(quads).items()
        }
        self._labels = {label: shuffled_label(digest) for label, digest in self._digests.items()}
        self.lines = sorted_nquads(quads, self._labels)

    def group(self, pointers: Sequence[str]) -> Group:
        """What the pointers choose together.

        Raises:
            BadInput: ``pointer.*``, among them ``pointer.divides`` where the part says something else than the
                whole, as it would with some items of an ordered list.
        """
        part = select(self._document, pointers)
        if part is None:
            return Group(None, set(), [])
        quads = self._processor.placed_quads(part)
        lines = set(sorted_nquads(quads, self._labels))
        indexes = [index for index, line in enumerate(self.lines) if line in lines]
        if len(indexes) != len(lines):
            raise BadInput(
                "pointer.divides",
                "A pointer leads into something that can only be shown as a whole.",
                "Choose the whole value or list.",
            )
        return Group(part, quads, indexes)

    def label_map(self, group: Group) -> dict[int, bytes]:
        """For each blank node of a group, by the number that its canonical label will have: its digest here."""
        labels = self._processor.canonical_labels(group.quads)
        return {int(canonical.removeprefix("_:c14n")): self._digests[label] for label, canonical in labels.items()}

    def at(self, indexes: Iterable[int]) -> list[str]:
        """The statements at these indexes."""
        return [self.lines[index] for index in indexes]


def shuffled_label(digest: bytes) -> str:
    """A blank node's label made of its digest."""
    return f"_:u{b64url_encode(digest)}"


def _digest(key: bytes, label: str) -> bytes:
    return hmac.digest(key, label.removeprefix("_:").encode(), "sha256")
