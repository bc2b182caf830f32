"""What verification knows of a document however it is secured: one interface, one implementation a family of formats.

A secured document is read once, by ``reading.py``, and from then on only :attr:`Secured.document` is looked at: it is
what the signature covers. Nothing here says that the signature holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from protocols.credentials.model import holder_id, issuer_id
from protocols.credentials.structure import Problem, credential_problems, presentation_problems
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.document import Relationship
from protocols.did.resolver import Resolver
from protocols.errors import LernodeError

__all__ = ["CREDENTIAL", "PRESENTATION", "Asked", "ExaminedProof", "Kind", "Secured"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How credentials and presentations differ.

    Attributes:
        purpose: what their proofs have to be made for.
        rules: gives the rules of the data model that a document breaks.
        owner: gives the id of the one who has to have signed.
        role: what that one is called.
        checks: the checks that apply, in order.
    """

    name: str
    rules: Callable[[dict[str, Any]], list[Problem]]
    purpose: Relationship
    owner: Callable[[dict[str, Any]], str | None]
    role: str
    checks: tuple[Check, ...]


CREDENTIAL = Kind(
    "credential",
    credential_problems,
    Relationship.ASSERTION_METHOD,
    issuer_id,
    "issuer",
    (
        Check.STRUCTURE,
        Check.CONTEXT,
        Check.PROOF,
        Check.PROOF_PURPOSE,
        Check.CONTROLLER,
        Check.ISSUER_TRUSTED,
        Check.VALID_TIME,
        Check.STATUS,
        Check.SCHEMA,
        Check.RELATED_RESOURCES,
        Check.SKILLS,
    ),
)
PRESENTATION = Kind(
    "presentation",
    presentation_problems,
    Relationship.AUTHENTICATION,
    holder_id,
    "holder",
    (
        Check.STRUCTURE,
        Check.CONTEXT,
        Check.PROOF,
        Check.PROOF_PURPOSE,
        Check.CONTROLLER,
        Check.VALID_TIME,
        Check.HOLDER_BINDING,
    ),
)


@dataclass(frozen=True, slots=True)
class ExaminedProof:
    """What is known of one proof of a kind that lernode knows.

    Attributes:
        proof: what it says of itself, by the names of VC Data Integrity (``proofPurpose``, ``challenge``, ``domain``).
        signer: the DID or URL that the verification method belongs to by its name.
        signature: whether the signature holds under the key of that method.
        refusal: why the key may not be used for the purpose; ``None`` where it may.
        error: why the signature does not hold or could not be checked, where that is known.
        is_base: whether it is a base proof of selective disclosure, which is for the holder's eyes only.
    """

    proof: dict[str, Any]
    signer: str
    signature: Outcome
    refusal: LernodeError | None
    error: LernodeError | None = None
    is_base: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What the holder was asked to answer.

    Attributes:
        challenge: ``None`` where nothing was asked, so that a replay cannot be told from an answer.
        domain: where it was asked; ``None`` where the request named none.
    """

    challenge: str | None
    domain: str | None


class Secured(Protocol):
    """A credential or presentation with what secures it, read and not verified."""

    @property
    def document(self) -> dict[str, Any]:
        """What is secured: all that is checked and shown."""

    @property
    def kind(self) -> Kind:
        """Which checks it gets, and from whom it has to be."""

    @property
    def securing(self) -> str | None:
        """The key of ``SECURINGS`` by which it is secured; ``None`` where it is not, or in a way not known."""

    @property
    def token_claims(self) -> Mapping[str, Any]:
        """The claims of the token around it, which may point to a status of the token; empty where there is none."""

    @property
    def subjects(self) -> list[str | None]:
        """Whom it is about, one item each, ``None`` for one that it does not name by an id."""

    @property
    def is_bound(self) -> bool:
        """Whether it is a credential that its holder has bound to a request, without a presentation around it."""

    @property
    def is_selective(self) -> bool:
        """Whether it can be shown in part, or is a part that is shown."""

    @property
    def algorithm(self) -> str | None:
        """What the token around it says that it is signed with (``alg``); ``None`` where its proofs are inside."""

    @property
    def unknown_proofs(self) -> int:
        """How many proofs of unknown kinds it has."""

    def problems(self) -> list[Problem]:
        """The rules of the data model, and of the securing format, that it breaks."""

    def check_context(self) -> CheckResult:
        """Whether every context is known, every term is defined, and nothing is shown that is not signed."""

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """Each proof of a known kind by itself, in order."""

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period and those of its proofs."""

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """For a credential that its holder can bind to a request by itself: whether that was done."""
