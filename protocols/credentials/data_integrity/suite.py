"""What a cryptosuite is, and what it is given to sign.

Spec: VC Data Integrity 1.0 §3.1. Which suites there are says the table in ``registry.py``. A suite makes whole proofs
and checks whole proofs, so that one may sign the document in one piece, and another in parts that can be shown each
without the others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from protocols.credentials.times import parse_time
from protocols.errors import BadInput
from protocols.jsonld.processor import Processor
from protocols.jsonld.rdf_terms import Quad
from protocols.jsonld.rdfc import Hash
from protocols.jsonld.work import MAX_QUADS, too_complex
from protocols.keys import PublicKey, Signer
from protocols.multiformats import Multicodec

__all__ = [
    "Cryptosuite",
    "Entropy",
    "Selective",
    "UnsecuredDocument",
    "WholeDocument",
    "base_proof_shown",
    "check_created",
    "malformed",
]  # fmt: skip

Entropy = Callable[[int], bytes]
"""Gives so many random bytes."""


class UnsecuredDocument:
    """A document without its proofs, or with only those that the proof at hand builds on.

    What is made of it over RDF is made once and shared by everything that asks for it.
    """

    def __init__(self, document: Mapping[str, Any], processor: Processor) -> None:
        self.document = dict(document)
        self.processor = processor
        self._made: dict[Hash, str | BadInput] = {}

    @cached_property
    def quads(self) -> set[Quad]:
        """The document as an RDF dataset.

        Raises:
            BadInput: from the JSON-LD processor, e.g. for a term that no context defines.
        """
        return self.processor.quads(self.document)

    def require_terms(self) -> None:
        """Look whether the document can be written in RDF, without making it canonical.

        Raises:
            BadInput: from the JSON-LD processor, e.g. for a term that no context defines.
        """
        if len(self.quads) > MAX_QUADS:
            raise too_complex(f"more than {MAX_QUADS} statements")

    @property
    def nquads(self) -> str:
        """The document in canonical N-Quads (RDFC-1.0).

        Raises:
            BadInput: from the JSON-LD processor.
        """
        return self.nquads_by("sha256")

    def nquads_by(self, hash: Hash) -> str:  # noqa: A002 - the specification's word
        """The same, where ``hash`` orders the blank nodes.

        Raises:
            BadInput: from the JSON-LD processor.
        """
        if hash not in self._made:
            try:
                self._made[hash] = self.processor.canonicalize(self.quads, hash)
            except BadInput as error:
                # Every proof asks again, and gets the same answer without the same work.
                self._made[hash] = error
        made = self._made[hash]
        if isinstance(made, BadInput):
            raise made
        return made

    def nquads_of(self, options: Mapping[str, Any], hash: Hash = "sha256") -> str:  # noqa: A002
        """Proof options under the document's context, in canonical N-Quads.

        Raises:
            BadInput: from the JSON-LD processor.
        """
        return self.processor.kept_nquads({**options, "@context": self.document.get("@context")}, hash)


class Cryptosuite(Protocol):
    """How one kind of proof is made and checked: what all suites have.

    Attributes:
        name: of the cryptosuite, or of the proof type where the type has only one suite.
        proof_type: the ``type`` of its proofs.
        key_types: the kinds of keys that its proofs are made with.
        contexts: each of these defines the terms of its proofs; the first is added to a document that has none.
    """

    @property
    def name(self) -> str: ...
    @property
    def proof_type(self) -> str: ...
    @property
    def contexts(self) -> tuple[str, ...]: ...
    @property
    def key_types(self) -> frozenset[Multicodec]: ...

    def verify(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey, /) -> bool:
        """Whether ``proof`` holds for the document under ``key``, which is of one of ``key_types``.

        Raises:
            BadInput: ``proof.malformed``, ``proof.not_canonical``, ``jsonld.*``.
        """


class WholeDocument(Cryptosuite, Protocol):
    """A suite whose proofs hold for the whole document."""

    def create(self, unsecured: UnsecuredDocument, options: dict[str, Any], signer: Signer, /) -> dict[str, Any]:
        """The proof that ``options`` begin, made with a key of one of ``key_types``.

        Raises:
            BadInput: ``proof.malformed``, ``proof.not_canonical``, ``jsonld.*``.
        """


class Selective(ABC):  # and no Protocol, as which suites are such is asked several times a signature
    """A :class:`Cryptosuite` whose holder may show parts of a document, as derived proofs of the issuer's base one."""

    name: str
    proof_type: str
    contexts: tuple[str, ...]
    key_types: frozenset[Multicodec]

    @abstractmethod
    def verify(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey, /) -> bool:
        """As :meth:`Cryptosuite.verify`, of a derived proof."""

    @abstractmethod
    def create_base(
        self,
        unsecured: UnsecuredDocument,
        options: dict[str, Any],
        signer: Signer,
        *,
        mandatory_pointers: Sequence[str],
        entropy: Entropy,
    ) -> dict[str, Any]:
        """The base proof that ``options`` begin; it goes to the holder only.

        Args:
            mandatory_pointers: JSON Pointers (RFC 6901) to what every derived document has to show.

        Raises:
            BadInput: as :meth:`WholeDocument.create`; ``pointer.*``.
        """

    @abstractmethod
    def derive(
        self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], *, selective_pointers: Sequence[str]
    ) -> dict[str, Any]:
        """The part of the document that the mandatory and these pointers select, with a derived proof.

        Args:
            proof: the base proof.

        Raises:
            BadInput: ``proof.malformed``, ``jsonld.*``, ``pointer.*``.
        """

    @abstractmethod
    def shows_more(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], pointers: Sequence[str]) -> bool:
        """Whether more is shown than what is mandatory and what the pointers into the shown document name.

        Args:
            proof: the derived proof.

        Raises:
            BadInput: ``proof.malformed``, ``jsonld.*``, ``pointer.*``.
        """

    @abstractmethod
    def is_base(self, proof: Mapping[str, Any]) -> bool:
        """Whether ``proof`` says of itself that it is a base proof."""

    @abstractmethod
    def verify_base(self, unsecured: UnsecuredDocument, proof: Mapping[str, Any], key: PublicKey) -> bool:
        """Whether a base proof holds: for issuer and holder, as verifiers are shown derived ones only.

        Raises:
            BadInput: as :meth:`verify`; ``pointer.*``.
        """


def check_created(options: Mapping[str, Any]) -> None:
    """Refuse options whose ``created`` is no time (EdDSA §3.2.5); they need not have one.

    Raises:
        BadInput: ``proof.malformed``.
    """
    if "created" in options and parse_time(options["created"], zone_required=False) is None:
        raise malformed("its created is not a time")


def base_proof_shown() -> BadInput:
    """The error for a base proof where a derived one is expected."""
    message = "The proof is a base proof, which its holder keeps and derives others from."
    return BadInput("proof.base_proof", message, "Ask the holder for a record with a derived proof.")


def malformed(why: str) -> BadInput:
    """The error for a proof that cannot be read."""
    return BadInput("proof.malformed", f"The proof cannot be read: {why}.", "Its maker has to correct it.")
