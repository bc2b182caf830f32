"""A credential or presentation that is the payload of a JWT, as verification takes it.

Specs: VC-JOSE-COSE 1.0 §3.1, §4.1 and §5.1; VC Data Model 1.1 §6.3.1. The key is one that the issuer's or holder's
DID lists for the purpose (``assertionMethod``, ``authentication``), or that is in the key set of the server of an
issuer who is named by an ``https`` URL; ``nonce`` and ``aud`` answer challenge and domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from protocols.credentials.checks.form import check_terms
from protocols.credentials.checks.holder import no_binding
from protocols.credentials.checks.keys import find_key
from protocols.credentials.checks.results import failed
from protocols.credentials.checks.valid_time import check_valid_time
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.elm import read_by_terms_of
from protocols.credentials.jose.claims import claim_problems, is_v1, v1_document, v1_problems, v2_document, v2_problems
from protocols.credentials.jose.key_set import find_in_key_set
from protocols.credentials.model import as_list, is_presentation, subject_ids
from protocols.credentials.secured import CREDENTIAL, PRESENTATION, Asked, ExaminedProof, Kind
from protocols.credentials.structure import Problem
from protocols.credentials.verification import Check, CheckResult, Outcome
from protocols.did.document import Relationship, VerificationMethod
from protocols.did.resolver import Resolver
from protocols.errors import BadInput, LernodeError
from protocols.jose import Jws, Jwt, is_typ, method_url, time_problem
from protocols.jsonld.processor import Processor

__all__ = ["JwtDocument", "context_of", "examine_jws", "jwt_time"]

_TYPES = {
    "vc+jwt": ("jwt", "vc+jwt", "vc+ld+jwt", "vc+ld+json+jwt"),
    "vp+jwt": ("jwt", "vp+jwt", "vp+ld+jwt", "vp+ld+json+jwt"),
    "jwt_vc": ("jwt", "vc+jwt"),
    "jwt_vp": ("jwt", "vp+jwt"),
}
"""How it is secured -> the types that its header may have; those with ``ld`` are from drafts of the specification."""

_WITHOUT_KEYS = frozenset({"did.method_unknown", "did.document_malformed", "did.not_found"})


class JwtDocument:
    """A credential or presentation in a JWT."""

    is_bound = False
    is_selective = False
    unknown_proofs = 0

    def __init__(self, jwt: Jwt, processor: Processor) -> None:
        """Take the document out of the claims.

        Raises:
            BadInput: ``jwt.document``; ``jws.header_refused`` where the header shows a key, which only that of an
                issuer with a key set may (see ``key_set.py``).
        """
        self._jwt = jwt
        self.token_claims: Mapping[str, Any] = jwt.claims
        self._is_v1 = is_v1(jwt.claims)
        self.document = v1_document(jwt.claims) if self._is_v1 else v2_document(jwt.claims)
        shows = "vp" in jwt.claims if self._is_v1 else is_presentation(self.document)
        self.kind: Kind = PRESENTATION if shows else CREDENTIAL
        self._processor = processor
        if "jwk" in jwt.jws.header and not (self.kind.owner(self.document) or "").startswith("https://"):
            raise BadInput("jws.header_refused", "The header of the JWS brings a key in jwk.", "Name it by kid.")

    @property
    def securing(self) -> str:
        """``vc+jwt`` or ``vp+jwt``; for documents of version 1.1 ``jwt_vc`` or ``jwt_vp``."""
        name = "vp" if self.kind is PRESENTATION else "vc"
        return f"jwt_{name}" if self._is_v1 else f"{name}+jwt"

    @property
    def algorithm(self) -> str:
        """The ``alg`` of its header."""
        return str(self._jwt.jws.header["alg"])

    @property
    def subjects(self) -> list[str | None]:
        """The ids of the credential's subjects."""
        return subject_ids(self.document) or [None]

    def problems(self) -> list[Problem]:
        """The rules of the data model and of the JWT that it breaks."""
        jws, claims = self._jwt.jws, self._jwt.claims
        stated = claims.get("vc", claims.get("vp")) if self._is_v1 else claims
        found = [*self.kind.rules(self.document), *(v1_problems(claims) if self._is_v1 else v2_problems(claims))]
        found += claim_problems(claims, jws.header, stated if isinstance(stated, dict) else {}, self.kind.role)
        if jws.typ is not None and not is_typ(jws.typ, *_TYPES[self.securing]):
            found.append(Problem("jwt.typ", "The JWT says that it is something else.", "VC-JOSE-COSE 1.0 §3.1"))
        issuer = claims.get("iss")
        if (
            self.kind.owner(self.document) is None
            and issuer is not None
            and issuer != (jws.kid or "").partition("#")[0]
        ):
            found.append(Problem("jwt.iss", "The JWT's iss is not whose key signed.", "VC-JOSE-COSE 1.0 §4.1.2"))
        if "proof" in self.document:
            message = "The document has a proof inside the JWT, which nobody looks at."
            found.append(Problem("jwt.proof", message, "VC-JOSE-COSE 1.0 §3.1"))
        return found

    def check_context(self) -> CheckResult:
        """Whether every context is known and every term is defined."""
        return context_of(self.document, self._processor)

    async def examine(self, resolver: Resolver) -> list[ExaminedProof]:
        """The one signature."""
        claims = self._jwt.claims
        said = {"challenge": claims.get("nonce"), "domain": claims.get("aud")}
        owner = self.kind.owner(self.document)
        return [await examine_jws(self._jwt.jws, owner, self.kind.purpose, resolver, said, by_key_set=True)]

    def check_time(self, examined: Sequence[ExaminedProof], *, now: datetime, skew: timedelta) -> CheckResult:
        """Whether now lies within its period and that of the signature."""
        del examined
        return jwt_time(self._jwt.claims, now=now, skew=skew) or check_valid_time(self.document, (), now=now, skew=skew)

    async def check_binding(self, asked: Asked, *, resolver: Resolver, now: datetime, skew: timedelta) -> CheckResult:
        """Nobody can bind it: it has to be in a presentation."""
        del resolver, now, skew
        return no_binding(asked)


async def examine_jws(
    jws: Jws,
    owner: str | None,
    purpose: Relationship,
    resolver: Resolver,
    said: dict[str, Any],
    *,
    by_key_set: bool = False,
) -> ExaminedProof:
    """Whether the signature holds, and whose it is.

    Args:
        owner: who has to have signed; a ``kid`` without a DID is one of its methods.
        said: what the token says of the request that it answers.
        by_key_set: whether an owner named by an ``https`` URL may have its key in the key set of its server, as Open
            Badges have it; SD-JWT VC has another way, which is not followed.
    """
    try:
        signer, method, refusal = await _find_signer(jws, owner, purpose, resolver, by_key_set=by_key_set)
    except LernodeError as error:
        return ExaminedProof({}, "", Outcome.FAIL, error, error)
    for_another = refusal is not None and refusal.code == "did.method_not_authorised"
    proof = {**said, **({} if for_another else {"proofPurpose": purpose.value})}
    if method is None:
        return ExaminedProof(proof, signer, Outcome.NOT_CHECKED, refusal, refusal)
    try:
        holds = jws.holds_under(method.key)
    except LernodeError as error:
        return ExaminedProof(proof, signer, Outcome.FAIL, refusal, error)
    return ExaminedProof(proof, signer, Outcome.PASS if holds else Outcome.FAIL, refusal)


async def _find_signer(
    jws: Jws, owner: str | None, purpose: Relationship, resolver: Resolver, *, by_key_set: bool
) -> tuple[str, VerificationMethod | None, LernodeError | None]:
    """Whose key the header names, the key, and why it may not be used if so; raises ``jws.no_kid``."""
    kid = jws.kid or ""
    if owner is None or not (by_key_set and owner.startswith("https://")) or kid.startswith("did:"):
        url = method_url(jws, owner)
        return url.partition("#")[0], *(await find_key(url, purpose, resolver))
    if kid.startswith(f"{owner}#"):
        method, refusal = await find_key(kid, purpose, resolver)
        # Where the issuer's URL gives a page or a profile without keys, they are in the set of its server.
        if refusal is None or refusal.code not in _WITHOUT_KEYS:
            return owner, method, refusal
    if purpose is not Relationship.ASSERTION_METHOD:
        raise BadInput("jws.no_kid", "The JWS does not name a key of its holder.", "Its maker has to put it in kid.")
    return owner, *(await find_in_key_set(jws, owner, resolver))


def jwt_time(claims: dict[str, Any], *, now: datetime, skew: timedelta) -> CheckResult | None:
    """The failed check where the token is not valid now, else ``None``."""
    problem = time_problem(claims, now=now, skew=skew)
    return None if problem is None else failed(Check.VALID_TIME, *problem, "RFC 7519 §4.1")


def context_of(document: dict[str, Any], processor: Processor) -> CheckResult:
    """Whether the document is one of JSON-LD that says one thing only (VC-JOSE-COSE 1.0 §6).

    Credentials that stand in it as text, as version 1.1 allows, have contexts of their own.
    """
    read_as = read_by_terms_of(document, processor.store)
    if read_as is not None:
        return read_as
    items = document.get("verifiableCredential")
    if any(isinstance(item, str) for item in as_list(items)):
        objects = [item for item in as_list(items) if not isinstance(item, str)]
        document = {**document, "verifiableCredential": objects}
    return check_terms(document, UnsecuredDocument(document, processor))
