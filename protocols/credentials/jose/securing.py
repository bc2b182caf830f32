"""Making ``vc+jwt`` and ``vp+jwt`` (VC-JOSE-COSE 1.0 §3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.proofs import require_signable
from protocols.credentials.data_integrity.suite import UnsecuredDocument
from protocols.credentials.issuing import Issued, Terms
from protocols.credentials.jose.claims import JWT_CLAIMS
from protocols.credentials.model import Version, is_presentation, version_of
from protocols.credentials.secured import PRESENTATION, Kind
from protocols.errors import BadInput
from protocols.jose import ALGORITHMS, sign_jwt
from protocols.jsonld.processor import Processor
from protocols.keys import Signer
from protocols.multiformats import Multicodec

__all__ = ["JwtSecuring", "check_securable"]


@dataclass(frozen=True, slots=True)
class JwtSecuring:
    """A JWT whose payload is the document.

    Attributes:
        kind: what it secures.
    """

    name: str
    kind: Kind

    @property
    def key_types(self) -> frozenset[Multicodec]:
        """All that there are algorithms for."""
        return frozenset(ALGORITHMS.values())

    def secure(self, record: dict[str, Any], signer: Signer, terms: Terms) -> Issued:
        """The JWT. A presentation says when it was made and what it answers, and either says when it expires."""
        if terms.mandatory_pointers or terms.selective_pointers or terms.decoys or terms.holder is not None:
            raise BadInput("securing.terms", "A JWT discloses everything that is in it.", "Use vc+sd-jwt.")
        check_securable(record, self.kind, terms.processor)
        said = {
            "iat": int(terms.created.timestamp()) if self.kind is PRESENTATION else None,
            "exp": None if terms.expires is None else int(terms.expires.timestamp()),
            "nonce": terms.challenge,
            "aud": terms.domain,
        }
        claims = {**record, **{name: value for name, value in said.items() if value is not None}}
        text = sign_jwt(claims, signer, typ=self.name, cty=self.name.partition("+")[0])
        return Issued(text, f"application/{self.name}", self.name)


def check_securable(record: dict[str, Any], kind: Kind, processor: Processor) -> None:
    """Refuse to sign what nobody could verify.

    Raises:
        BadInput: ``securing.document`` where it is not an unsecured document of the kind, of version 2.0;
            ``proof.not_compacted``, ``jsonld.*``.
    """
    is_other = is_presentation(record) is not (kind is PRESENTATION)
    if is_other or version_of(record) is not Version.V2_0 or JWT_CLAIMS & record.keys() or "proof" in record:
        raise BadInput(
            "securing.document",
            f"The record is not an unsecured {kind.name} of version 2.0.",
            "Give it without a proof and without claims of a JWT.",
        )
    require_signable(UnsecuredDocument(record, processor))
