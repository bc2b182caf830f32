"""Making ``vc+sd-jwt`` (VC-JOSE-COSE 1.0 §3.2) and ``dc+sd-jwt`` (SD-JWT VC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols import strict_json
from protocols.credentials.issuing import Issued, Terms
from protocols.credentials.jose.securing import check_securable
from protocols.credentials.sd_jwt.concealed import conceal
from protocols.credentials.sd_jwt.text import join
from protocols.credentials.sd_jwt.vc_rules import ALWAYS_SHOWN, claims_problems
from protocols.credentials.secured import CREDENTIAL
from protocols.errors import BadInput
from protocols.jose import ALGORITHMS, sign_jws
from protocols.json_pointer import parse_pointer
from protocols.keys import PublicKey, Signer, public_jwk
from protocols.multiformats import Multicodec

__all__ = ["SdJwtSecuring", "SdJwtVcSecuring"]

_NEVER_WITHHELD = frozenset(
    {"@context", "type", "issuer", "validFrom", "validUntil", "credentialStatus", "credentialSchema", "termsOfUse"}
)
"""What a verifier needs to judge the credential, so that no holder may withhold it (VC-JOSE-COSE 1.0 §3.2.1)."""


@dataclass(frozen=True, slots=True)
class SdJwtSecuring:
    """A credential of the W3C data model in an SD-JWT."""

    name: str = "vc+sd-jwt"

    @property
    def key_types(self) -> frozenset[Multicodec]:
        """All that there are algorithms for."""
        return frozenset(ALGORITHMS.values())

    def secure(self, record: dict[str, Any], signer: Signer, terms: Terms) -> Issued:
        """The SD-JWT with all its disclosures, as it goes to the holder."""
        _check_terms(terms)
        check_securable(record, CREDENTIAL, terms.processor)
        claims = {**record, **_said(terms)}
        return _issued(claims, _NEVER_WITHHELD, signer, terms, {"typ": self.name, "cty": "vc"}, self.name)


@dataclass(frozen=True, slots=True)
class SdJwtVcSecuring:
    """An SD-JWT VC: the record is its claims, and needs a ``vct``; ``iss`` is the signer's DID where it has none."""

    name: str = "dc+sd-jwt"

    @property
    def key_types(self) -> frozenset[Multicodec]:
        """All that there are algorithms for."""
        return frozenset(ALGORITHMS.values())

    def secure(self, record: dict[str, Any], signer: Signer, terms: Terms) -> Issued:
        """The SD-JWT with all its disclosures, as it goes to the holder."""
        _check_terms(terms)
        issuer = signer.verification_method.partition("#")[0]
        claims = {"iss": issuer, "iat": int(terms.created.timestamp()), **record, **_said(terms)}
        problem = next(iter(claims_problems(claims)), None)
        if problem is not None or "@context" in record or claims["iss"] != issuer:
            message = problem.message if problem else "The record is a document of the W3C data model, or another's."
            raise BadInput("securing.document", message, "Give the claims of an SD-JWT VC, or use vc+sd-jwt.")
        return _issued(claims, ALWAYS_SHOWN, signer, terms, {"typ": self.name}, self.name)


def _check_terms(terms: Terms) -> None:
    if terms.mandatory_pointers or terms.challenge is not None or terms.domain is not None:
        raise BadInput("securing.terms", "An SD-JWT has no place for what is asked for.", "Name what may be withheld.")


def _said(terms: Terms) -> dict[str, Any]:
    said: dict[str, Any] = {} if terms.expires is None else {"exp": int(terms.expires.timestamp())}
    if isinstance(terms.holder, PublicKey):
        return {**said, "cnf": {"jwk": public_jwk(terms.holder)}}
    return said if terms.holder is None else {**said, "cnf": {"kid": terms.holder}}


def _issued(
    claims: dict[str, Any],
    always_shown: frozenset[str],
    signer: Signer,
    terms: Terms,
    header: Mapping[str, Any],
    name: str,
) -> Issued:
    if terms.selective_pointers and terms.entropy is None:
        raise ValueError("selective disclosure needs entropy")
    steps = [parse_pointer(pointer) for pointer in terms.selective_pointers]
    shown = always_shown | {"cnf", "exp"}
    if any(step and step[0] in shown for step in steps):
        raise BadInput("sd_jwt.always_shown", "What verifiers need may not be withheld.", "Leave that pointer out.")
    payload, disclosures = conceal(
        claims, terms.selective_pointers, decoys=terms.decoys, entropy=terms.entropy or _no_entropy
    )
    return Issued(join(sign_jws(strict_json.dumps(payload), signer, header), disclosures), f"application/{name}", name)


def _no_entropy(_count: int) -> bytes:
    raise AssertionError("nothing is concealed")
