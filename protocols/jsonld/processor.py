"""Documents to canonical N-Quads: the one door to JSON-LD for everything that signs or verifies.

JSON-LD 1.1 in safe mode and RDFC-1.0, over contexts that are known beforehand. The same document gives the
same text as any conforming processor, or an error; nothing is dropped on the way and nothing is fetched.
"""

from __future__ import annotations

from typing import Any

from protocols.errors import BadInput
from protocols.jsonld.active_contexts import ActiveContexts
from protocols.jsonld.contexts import ContextStore
from protocols.jsonld.expansion import to_quads
from protocols.jsonld.rdfc import Hash, canonicalize

__all__ = ["DEFAULT", "Processor"]


class Processor:
    """JSON-LD over one set of contexts. What it learns of them is kept, so keep the processor.

    It may be used from several tasks of one event loop; it does not wait and holds no state of a document.
    """

    def __init__(self, contexts: ContextStore) -> None:
        self._contexts = ActiveContexts(contexts)

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
        if not isinstance(document, dict):
            raise BadInput("jsonld.invalid", "The document is not a JSON object.", "Give one object.")
        return canonicalize(to_quads(document, self._contexts), hash)


DEFAULT = Processor(ContextStore())
"""The processor over the bundled contexts alone."""
