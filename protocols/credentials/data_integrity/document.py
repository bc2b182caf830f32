"""A document whose proofs stand in it (VC Data Integrity 1.0), as verification takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.form import check_context
from protocols.credentials.checks.holder import no_binding
from protocols.credentials.checks.proofs import examine_proofs
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.data_integrity.proofs import is_selective
from protocols.credentials.data_integrity.registry import suite_of
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.model import is_presentation, proofs_of, subject_ids
from protocols.credentials.secured import CREDENTIAL, PRESENTATION, Asked, ExaminedProof
from protocols.credentials.structure import Problem
from protocols.credentials.verification import CheckResult
from protocols.did.resolver import Resolver
from protocols.jsonld.processor import Processor

__all__ = ["EmbeddedProofs"]


class EmbeddedProofs:
    """A credential or presentation with proofs inside, or with none."""

    is_bound = False
    algorithm = None

    def __init__(self, document: dict[str, Any], processor: Processor) -> None:
        self.token_claims: Mapping[str, Any] = {}
        self.document = document
        self.kind = PRESENTATION if is_presentation(document) else CREDENTIAL
        self._processor = processor
        bare = {name: value for name, value in document.items() if name != "proof"}
        self._unsecured = UnsecuredDocument(bare, processor)

    @property
    def securing(self) -> str | None:
        """The cryptosuite of the first proof that is known."""
        return next((suite.name for proof in proofs_of(self.document) if (suite := suite_of(proof))), None)

    @property
    def subjects(self) -> list[str | None]:
        """The ids of the credential's subjects."""
        return subject_ids(self.document) or [None]

    @property
    def is_selective(self) -> bool:
        """Whether a proof is of a kind that is made for it."""
        return is_selective(self.document)

    @property
    def unknown_proofs(self) -> int:
        """How many proofs are of unknown suites."""
        return sum(suite_of(proof) is None for proof in proofs_of(self.document))

    def problems(self) -> list[Problem]:
        """The rules of the data model that it breaks."""
        return self.kind.rules(self.document)

    def check_context(self) -> CheckResult:
        """Whether every context is known and every term is defined, and the contexts are those signed or stated."""
        return check_context(self.document, self._unsecured, self.kind.owner(self.document))

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """Each proof of a known suite by itself."""
        return await examine_proofs(
            self.document, self._unsecured, self.kind.purpose, resolver=resolver, processor=self._processor
        )

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period and those of its proofs."""
        return check_valid_time(self.document, [item.proof for item in examined], now=now, skew=skew)

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """Nobody can bind it: it has to be in a presentation."""
        del resolver, now, skew
        return no_binding(asked)
