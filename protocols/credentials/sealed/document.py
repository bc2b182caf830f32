"""A credential under an electronic seal, as verification takes it.

Specs: ETSI TS 119 182-1 (JAdES), European Digital Credentials for Learning. The credential names its issuer by an
identifier that means something only within it (``urn:epass:org:1``); who issued it is said by the certificate. So its
owner is the did:x509 of that, and the issuer that it names has to be the organisation of the certificate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from protocols import strict_json
from protocols.credentials.checks.holder import no_binding
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.jose.document import context_of
from protocols.credentials.model import as_list, is_presentation, subject_ids
from protocols.credentials.sealed.authorities import WhoseSeal, holds_under, organisation_names
from protocols.credentials.sealed.text import Seal
from protocols.credentials.secured import CREDENTIAL, Asked, ExaminedProof
from protocols.credentials.structure import Problem
from protocols.credentials.verification import CheckResult, Outcome
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError
from protocols.jsonld.processor import Processor
from protocols.multiformats import b64url_encode

__all__ = ["SEALED", "SealedDocument"]

SEALED: Final = "jose+json"
"""How such a credential is secured: its media type without ``application/``."""

_SPEC = "ETSI TS 119 182-1 §5"
_NAMES = ("eIDASIdentifier", "registration", "vatIdentifier", "taxIdentifier", "identifier")
_LABELS = ("legalName", "prefLabel", "altLabel", "name")


_SEALED_CREDENTIAL = replace(CREDENTIAL, owner=lambda _document: None)
"""Whose it is, is said by the seal."""


class SealedDocument:
    """A credential in a JWS with the certificate of who sealed it."""

    is_bound = False
    is_selective = False
    unknown_proofs = 0
    kind = _SEALED_CREDENTIAL
    securing = SEALED

    def __init__(self, seal: Seal, processor: Processor, whose: WhoseSeal, *, max_values: int) -> None:
        """Take the document out of the payload.

        Raises:
            BadInput: ``seal.malformed`` where it is a presentation; ``json.*``.
        """
        self._seal = seal
        self._processor = processor
        self._whose = whose
        self.token_claims: Mapping[str, Any] = {}
        self.document = strict_json.loads_object(seal.payload, max_values=max_values)
        if is_presentation(self.document):
            raise BadInput("seal.malformed", "A presentation is under a seal, which answers nobody.", "Bring records.")

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header."""
        return self._seal.algorithm

    @property
    def subjects(self) -> list[str | None]:
        """The DIDs of the credential's subjects; other ids (``urn:epass:person:1``) name nobody outside of it."""
        found = subject_ids(self.document) or [None]
        return [each if each is not None and each.startswith("did:") else None for each in found]

    def problems(self) -> list[Problem]:
        """The rules of the data model and of the seal that it breaks."""
        found = list(self.kind.rules(self.document))
        if "proof" in self.document:
            found.append(Problem("seal.proof", "The document has a proof under its seal, too.", _SPEC))
        digest = self._seal.header.get("x5t#S256")
        leaf = hashlib.sha256(self._seal.certificates[0].public_bytes(Encoding.DER)).digest()
        if digest is not None and digest != b64url_encode(leaf):
            found.append(Problem("seal.digest", "The seal names another certificate than it brings.", _SPEC))
        return found

    def check_context(self) -> CheckResult:
        """Whether every context is known, and every term of those that are looked at is defined."""
        return context_of(self.document, self._processor)

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """The one seal."""
        del resolver
        seal = self._seal
        said = {"proofPurpose": self.kind.purpose.value, **({"created": seal.created} if seal.created else {})}
        try:
            holds = holds_under(seal.certificates[0], seal.algorithm, seal.signing_input, seal.signature)
        except LernodeError as error:
            return [ExaminedProof(said, "", Outcome.FAIL, error, error)]
        if not holds:
            return [ExaminedProof(said, "", Outcome.FAIL, None)]
        try:
            signer = self._whose(seal.certificates)
        except LernodeError as error:
            outcome = Outcome.FAIL if isinstance(error, BadInput) else Outcome.NOT_CHECKED
            return [ExaminedProof(said, "", outcome, error, error)]
        return [ExaminedProof(said, signer, Outcome.PASS, self._refusal())]

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period, and not before it was sealed."""
        return check_valid_time(self.document, [item.proof for item in examined], now=now, skew=skew)

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """Nobody can bind it: it has to be in a presentation."""
        del resolver, now, skew
        return no_binding(asked)

    def _refusal(self) -> LernodeError | None:
        """Why the seal is not that of the issuer."""
        if organisation_names(self._seal.certificates[0]) & set(_named(self.document.get("issuer"))):
            return None
        message = "The seal is that of another organisation than the issuer that the document names."
        return BadInput("seal.issuer_other", message, "Ask who sealed it.")


def _named(issuer: Any) -> Iterator[str]:
    """The identifiers and names of an issuer."""
    if not isinstance(issuer, dict):
        return
    for name in _NAMES:
        for identifier in as_list(issuer.get(name)):
            notation = identifier.get("notation") if isinstance(identifier, dict) else identifier
            yield from (each for each in as_list(notation) if isinstance(each, str))
    for name in _LABELS:
        label = issuer.get(name)
        texts = label.values() if isinstance(label, dict) else [label]
        yield from (each for text in texts for each in as_list(text) if isinstance(each, str))
