"""A credential or presentation in an SD-JWT, as verification takes it.

Specs: RFC 9901 §7; VC-JOSE-COSE 1.0 §3.2 (the processed payload is a document of the W3C data model); SD-JWT VC
(draft-ietf-oauth-sd-jwt-vc), whose payload has a ``vct`` and is plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.results import failed, passed
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.jose.claims import claim_problems, v2_document, v2_problems
from protocols.credentials.jose.document import context_of, examine_jws, jwt_time
from protocols.credentials.model import is_presentation, subject_ids
from protocols.credentials.sd_jwt.disclosed import disclose
from protocols.credentials.sd_jwt.key_binding import check_key_binding
from protocols.credentials.sd_jwt.text import SdJwt
from protocols.credentials.sd_jwt.vc_rules import SD_JWT_VC, vc_problems
from protocols.credentials.secured import CREDENTIAL, PRESENTATION, Asked, ExaminedProof, Kind
from protocols.credentials.structure import Problem
from protocols.credentials.verification import Check, CheckResult
from protocols.did.resolver import Resolver
from protocols.jose import is_typ, time_problem
from protocols.jsonld.processor import Processor

__all__ = ["SdJwtDocument", "SdJwtVc"]


class _InSdJwt:
    """What both payloads have in common: the disclosures, the issuer's signature, and the binding to the holder."""

    unknown_proofs = 0
    kind: Kind
    document: dict[str, Any]
    subjects: list[str | None]

    def __init__(self, sd_jwt: SdJwt) -> None:
        """Put the disclosures in their places.

        Raises:
            BadInput: ``sd_jwt.malformed``.
        """
        self._sd_jwt = sd_jwt
        self._disclosed = disclose(sd_jwt)
        self.token_claims: Mapping[str, Any] = self._disclosed.claims

    @property
    def is_bound(self) -> bool:
        """Whether there is a key binding JWT."""
        return self._sd_jwt.key_binding is not None

    @property
    def is_selective(self) -> bool:
        """Whether its issuer let anything be withheld."""
        return self._disclosed.is_selective

    @property
    def algorithm(self) -> str:
        """The ``alg`` of the issuer's header."""
        return str(self._sd_jwt.jwt.jws.header["alg"])

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """The issuer's signature."""
        said = {"challenge": self.token_claims.get("nonce"), "domain": self.token_claims.get("aud")}
        owner = self.kind.owner(self.document)
        return [await examine_jws(self._sd_jwt.jwt.jws, owner, self.kind.purpose, resolver, said)]

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """Whether the holder has bound it to what was asked."""
        return await check_key_binding(self._sd_jwt, self.subjects, asked, resolver=resolver, now=now, skew=skew)


class SdJwtDocument(_InSdJwt):
    """A document of the W3C data model."""

    def __init__(self, sd_jwt: SdJwt, processor: Processor) -> None:
        super().__init__(sd_jwt)
        self._processor = processor
        self.document = v2_document(self._disclosed.claims)
        self.kind = PRESENTATION if is_presentation(self.document) else CREDENTIAL
        self.subjects = subject_ids(self.document) or [None]

    @property
    def securing(self) -> str:
        """``vc+sd-jwt`` or ``vp+sd-jwt``."""
        return "vp+sd-jwt" if self.kind is PRESENTATION else "vc+sd-jwt"

    def problems(self) -> list[Problem]:
        """The rules of the data model and of the SD-JWT that it breaks."""
        jws, claims = self._sd_jwt.jwt.jws, self._disclosed.claims
        found = [*self.kind.rules(self.document), *v2_problems(claims)]
        found += claim_problems(claims, jws.header, claims, self.kind.role)
        if jws.typ is not None and not is_typ(jws.typ, "sd-jwt", self.securing, self.securing.replace("+", "+ld+")):
            found.append(Problem("sd_jwt.typ", "The SD-JWT says that it is something else.", "VC-JOSE-COSE 1.0 §3.2"))
        if self.is_bound and self.kind is PRESENTATION:
            message = "A presentation answers a request by itself, and has a key binding beside."
            found.append(Problem("sd_jwt.bound", message, "VC-JOSE-COSE 1.0 §3.2"))
        if "proof" in self.document:
            message = "The document has a proof inside the SD-JWT, which nobody looks at."
            found.append(Problem("sd_jwt.proof", message, "VC-JOSE-COSE 1.0 §3.2"))
        return found

    def check_context(self) -> CheckResult:
        """Whether every context is known and every term is defined.

        An array of which all is withheld is empty, which says nothing, and is no reason to refuse what is shown.
        """
        return context_of(_without_empty(self.document), self._processor)

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period and that of the signature."""
        del examined
        return jwt_time(self._disclosed.claims, now=now, skew=skew) or check_valid_time(
            self.document, (), now=now, skew=skew
        )


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_empty(item) for name, item in value.items() if item != []}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


class SdJwtVc(_InSdJwt):
    """An SD-JWT VC."""

    kind = SD_JWT_VC
    securing = "dc+sd-jwt"

    def __init__(self, sd_jwt: SdJwt) -> None:
        super().__init__(sd_jwt)
        self.document = self._disclosed.claims
        subject = self.document.get("sub")
        self.subjects = [subject if isinstance(subject, str) else None]

    def problems(self) -> list[Problem]:
        """The rules of SD-JWT VC that it breaks."""
        return list(vc_problems(self.document, self._disclosed.places, self._sd_jwt.jwt.jws.typ))

    def check_context(self) -> CheckResult:
        """It is plain JSON: there is no context."""
        return passed(Check.CONTEXT, "The record is plain JSON.", "SD-JWT VC §2.2.1")

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within the period of the token, which is that of the credential."""
        del examined
        problem = time_problem(self.document, now=now, skew=skew)
        if problem is None:
            return passed(Check.VALID_TIME, "It is valid at this time.", "SD-JWT VC §2.2.2.3")
        codes = {"time.proof_expired": "time.expired", "time.proof_from_future": "time.not_yet_valid"}
        code, reason = problem
        return failed(Check.VALID_TIME, codes.get(code, code), reason, "SD-JWT VC §2.2.2.3")
