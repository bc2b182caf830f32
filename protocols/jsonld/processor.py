"""Documents to canonical N-Quads: the one door to JSON-LD for everything that signs or verifies.

JSON-LD 1.1 in safe mode and RDFC-1.0, over contexts that are known beforehand. The same document gives the
same text as any conforming processor, or an error; nothing is dropped on the way and nothing is fetched.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import BadInput
from protocols.jsonld import expansion, walker
from protocols.jsonld.active_contexts import ActiveContexts
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import Hash, canonicalize
from protocols.jsonld.scope import Hard, Scopes

__all__ = ["DEFAULT", "Processor"]


class Processor:
    """JSON-LD over one set of contexts. What it learns of them is kept, so keep the processor.

    It may be used from several tasks of one event loop; it does not wait and holds no state of a document.

    Attributes:
        store: the contexts that documents may name.
        fallbacks: how many documents took the complete path, as they use what the fast one does not cover.
    """

    def __init__(self, contexts: ContextStore) -> None:
        self.store = contexts
        self._contexts = ActiveContexts(contexts)
        self._scopes = Scopes(self._contexts)
        self.fallbacks = 0

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
        return canonicalize(self.quads(document), hash)

    def quads(self, document: dict[str, Any]) -> set[Quad]:
        """The RDF dataset of a document, in safe mode (JSON-LD 1.1 API §8); its blank nodes are labelled anyhow.

        Raises:
            BadInput: as :meth:`canonical_nquads`.
        """
        if not isinstance(document, dict):
            raise BadInput("jsonld.invalid", "The document is not a JSON object.", "Give one object.")
        try:
            return walker.to_quads(document, self._scopes)
        except Hard:
            quads = expansion.to_quads(document, self._contexts)
            self.fallbacks += 1
            return quads


DEFAULT = Processor(ContextStore())
"""The processor over the bundled contexts alone."""
