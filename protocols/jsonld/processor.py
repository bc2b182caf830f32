"""Documents to canonical N-Quads: the one door to JSON-LD for everything that signs or verifies.

JSON-LD 1.1 in safe mode and RDFC-1.0, over contexts that are known beforehand. The same document gives the
same text as any conforming processor, or an error; nothing is dropped on the way and nothing is fetched.
"""

from __future__ import annotations

from typing import Any

from protocols import strict_json
from protocols.errors import BadInput
from protocols.jsonld import expansion, walker
from protocols.jsonld.active_contexts import ActiveContexts
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.places import PlacedObject, PlacedWalk
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import Hash, canonical_labels, canonicalize
from protocols.jsonld.scope import Hard, Scopes
from protocols.jsonld.work import Work

__all__ = ["DEFAULT", "Processor"]

_EFFORT_OF_COMPLETE_PATH = 5
"""How much longer a quad takes there than on the fast path, at least."""
_MAX_KEPT = 256
_MAX_KEPT_BYTES = 2048


class Processor:
    """JSON-LD over one set of contexts. What it learns of them is kept, so keep the processor.

    It may be used from several tasks of one event loop; it does not wait and holds no state of a document.

    Attributes:
        store: the contexts that documents may name.
    """

    def __init__(self, contexts: ContextStore) -> None:
        self.store = contexts
        self._contexts = ActiveContexts(contexts)
        self._scopes = Scopes(self._contexts)
        self._complete = [0]
        self._kept: dict[tuple[Hash, bytes], str] = {}
        self._work: Work | None = None

    @property
    def fallbacks(self) -> int:
        """How many documents took the complete path, as they use what the fast one does not cover."""
        return self._complete[0]

    def forget(self) -> None:
        """Keep nothing of what documents say; what is known of their contexts stays."""
        self._kept.clear()
        self._scopes.memory.forget()

    def bounded_by(self, work: Work) -> Processor:
        """The same processor, for a verification: all that it is asked to do counts as ``work``."""
        bounded = Processor.__new__(Processor)
        bounded.__dict__.update(self.__dict__, _work=work)
        return bounded

    def canonical_nquads(self, document: dict[str, Any], hash: Hash = "sha256") -> str:  # noqa: A002
        """The canonical N-Quads of a document, in safe mode (RDFC-1.0 §4.4; JSON-LD 1.1 API §8).

        Args:
            document: a JSON object; it is not changed.
            hash: the algorithm that orders blank nodes, ``"sha384"`` for the P-384 cryptosuites.

        Raises:
            BadInput: ``jsonld.context_unknown``, ``jsonld.context_invalid``, ``jsonld.reserved_term``,
                ``jsonld.undefined_term``, ``jsonld.dropped``, ``jsonld.relative_reference``,
                ``jsonld.value_invalid``, ``jsonld.string_malformed``, ``jsonld.invalid``, ``jsonld.too_complex``.
        """
        return self.canonicalize(self.quads(document), hash)

    def kept_nquads(self, document: dict[str, Any], hash: Hash = "sha256") -> str:  # noqa: A002
        """As :meth:`canonical_nquads`, kept: for short documents that come again, such as the options of proofs.

        All records that one key signs in a second have the same ones.

        Raises:
            BadInput: as :meth:`canonical_nquads`.
        """
        try:
            text = strict_json.dumps(document)
        except (TypeError, ValueError, RecursionError):
            return self.canonical_nquads(document, hash)
        if len(text) > _MAX_KEPT_BYTES:
            return self.canonical_nquads(document, hash)
        made = self._kept.get((hash, text))
        if made is None:
            made = self.canonical_nquads(document, hash)
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[hash, text] = made
        return made

    def canonicalize(self, quads: set[Quad], hash: Hash = "sha256") -> str:  # noqa: A002
        """The canonical N-Quads of a dataset (RDFC-1.0 §4.4).

        Raises:
            BadInput: ``jsonld.too_complex``, ``jsonld.string_malformed``.
        """
        return canonicalize(quads, hash, self._work)

    def canonical_labels(self, quads: set[Quad], hash: Hash = "sha256") -> dict[str, str]:  # noqa: A002
        """Each blank node's label in ``quads`` to its canonical one (RDFC-1.0 §4.4.3 step 7).

        Raises:
            BadInput: as :meth:`canonicalize`.
        """
        return canonical_labels(quads, hash, self._work)

    def quads(self, document: dict[str, Any]) -> set[Quad]:
        """The RDF dataset of a document, in safe mode (JSON-LD 1.1 API §8); its blank nodes are labelled anyhow.

        Raises:
            BadInput: as :meth:`canonical_nquads`.
        """
        if not isinstance(document, dict):
            raise BadInput("jsonld.invalid", "The document is not a JSON object.", "Give one object.")
        if self._work is not None:
            self._work.quads(0)  # where all is spent, nothing is begun
        effort = 1
        try:
            try:
                quads = walker.to_quads(document, self._scopes)
            except Hard:
                effort = _EFFORT_OF_COMPLETE_PATH
                quads = expansion.to_quads(document, self._contexts)
                self._complete[0] += 1
        except BadInput:
            self._spend(effort, document)
            raise
        self._spend(effort, quads)
        return quads

    def placed_quads(self, document: PlacedObject) -> set[Quad]:
        """The RDF dataset of a document or of a part of it, where the same place has the same blank node in both.

        Raises:
            BadInput: as :meth:`canonical_nquads`; ``jsonld.not_selectable`` where only the complete path knows the
                document, which loses the places.
        """
        try:
            quads = walker.to_quads(document, self._scopes, PlacedWalk)
        except Hard:
            self.quads(document)
            message = "The document uses JSON-LD in a way in which its parts cannot be told apart."
            raise BadInput("jsonld.not_selectable", message, "Write it without maps and named blank nodes.") from None
        self._spend(1, quads)
        return quads

    def _spend(self, effort: int, on: set[Quad] | dict[str, Any]) -> None:
        if self._work is not None:
            self._work.quads(effort * (_size(on) if isinstance(on, dict) else len(on)))


def _size(value: Any) -> int:
    """How many values a document has, and so about how long it takes to find that it is wrong."""
    count, rest = 0, [value]
    while rest:
        members = rest.pop()
        count += len(members)
        rest += [
            member
            for member in (members.values() if isinstance(members, dict) else members)
            if isinstance(member, dict | list)
        ]
    return count


DEFAULT = Processor(ContextStore())
"""The processor over the bundled contexts alone."""
