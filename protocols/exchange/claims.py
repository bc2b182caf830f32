"""A record as Presentation Exchange sees it: what it says, and in which claim format it comes.

DIF Claim Format Registry; VC-JOSE-COSE 1.0. Whether the record has proofs inside, or is a JWT or an SD-JWT (as text, or
in the envelope of VCDM 2.0 §4.13.1), what is asked about is what its signature covers, as verification reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.proofs import is_selective, shows_more
from protocols.credentials.enveloped import ENVELOPED_CREDENTIAL, data_url_of
from protocols.credentials.model import has_type
from protocols.credentials.reading import secured_item
from protocols.credentials.sd_jwt.presenting import present_sd_jwt
from protocols.credentials.sealed.text import is_sealed
from protocols.jsonld.processor import DEFAULT, Processor

__all__ = ["LDP_VC", "TOKEN_FORMATS", "Claim", "read_claim"]

LDP_VC = "ldp_vc"
TOKEN_FORMATS: Mapping[str, frozenset[str]] = {
    "jwt_vc": frozenset({"jwt_vc", "vc+jwt"}),
    "jwt_vc_json": frozenset({"jwt_vc", "vc+jwt"}),
    "jwt": frozenset({"jwt_vc", "vc+jwt"}),
    "vc+jwt": frozenset({"vc+jwt"}),
    "vc+sd-jwt": frozenset({"vc+sd-jwt", "dc+sd-jwt"}),
    "dc+sd-jwt": frozenset({"dc+sd-jwt"}),
}
"""Name of a claim format -> how what it stands for is secured; ``vc+sd-jwt`` was a name of SD-JWT VC, too."""

_WRITTEN = {"jwt_vc": "jwt_vc", "vc+jwt": "jwt_vc", "vc+sd-jwt": "vc+sd-jwt", "dc+sd-jwt": "dc+sd-jwt"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A record to be asked about; not verified.

    Attributes:
        document: what it says; of a JWT or SD-JWT, what is in it.
        securing: ``jwt_vc``, ``vc+jwt``, ``vc+sd-jwt`` or ``dc+sd-jwt``; None where its proofs are inside.
        algorithm: the ``alg`` of the token; None where its proofs are inside.
        is_selective: whether it can be shown in part, or is a part.
        text: the compact text; None where its proofs are inside.
    """

    document: dict[str, Any]
    securing: str | None
    algorithm: str | None
    is_selective: bool
    text: str | None = None

    @property
    def format(self) -> str:
        """The name of its claim format, as a submission writes it."""
        return LDP_VC if self.securing is None else _WRITTEN.get(self.securing, self.securing)

    def is_of_format(self, name: object) -> bool:
        """Whether ``name`` is one of the names of its claim format."""
        if self.securing is None:
            return name == LDP_VC
        return isinstance(name, str) and self.securing in TOKEN_FORMATS.get(name, ())

    def shows_more(self, pointers: Sequence[str], *, processor: Processor) -> bool:
        """Whether it shows more than what ``pointers`` name and what cannot be withheld.

        Raises:
            BadInput: ``proof.malformed``; ``sd_jwt.*``; ``jsonld.*``; ``pointer.*``.
        """
        if self.text is None:
            return shows_more(self.document, pointers, processor=processor)
        shown = self.text[: self.text.rfind("~") + 1]
        return bool(shown) and len(present_sd_jwt(self.text, pointers)) < len(shown)


def read_claim(item: dict[str, Any] | str) -> Claim:
    """The record that an object, an envelope, or the text of a JWT or SD-JWT is.

    Raises:
        BadInput: ``structure.*``, ``jws.*``, ``jwt.*``, ``sd_jwt.*``, ``json.*``, ``encoding.*``.
    """
    if isinstance(item, dict) and not has_type(item, ENVELOPED_CREDENTIAL) and not is_sealed(item):
        return Claim(item, None, None, is_selective(item))
    text = item if isinstance(item, str) else (data_url_of(item) or ("", ""))[1]
    secured = secured_item(item, DEFAULT)
    return Claim(secured.document, secured.securing, secured.algorithm, secured.is_selective, text)
