"""Data Integrity as one way of securing beside others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocols.credentials.data_integrity.proofs import add_proof
from protocols.credentials.data_integrity.suite import Cryptosuite, Selective
from protocols.credentials.issuing import Issued, Terms
from protocols.credentials.model import is_presentation
from protocols.credentials.secured import CREDENTIAL, PRESENTATION
from protocols.errors import BadInput
from protocols.keys import Signer
from protocols.multiformats import Multicodec

__all__ = ["DataIntegrity"]


@dataclass(frozen=True, slots=True)
class DataIntegrity:
    """A proof by one cryptosuite, in the document."""

    suite: Cryptosuite

    @property
    def name(self) -> str:
        """The cryptosuite's."""
        return self.suite.name

    @property
    def key_types(self) -> frozenset[Multicodec]:
        """The cryptosuite's."""
        return self.suite.key_types

    def secure(self, record: dict[str, Any], signer: Signer, terms: Terms) -> Issued:
        """The record with one more proof (VCDM 2.0 §6.2: proofs inside leave the media type as it is)."""
        if terms.selective_pointers or terms.decoys or terms.holder is not None:
            raise BadInput("securing.terms", "A proof has no place for what is asked for.", "See the securing's terms.")
        if terms.mandatory_pointers and not isinstance(self.suite, Selective):
            raise BadInput("securing.terms", "The cryptosuite does not disclose selectively.", "Use ecdsa-sd-2023.")
        kind = PRESENTATION if is_presentation(record) else CREDENTIAL
        document = add_proof(
            record,
            suite=self.suite.name,
            signer=signer,
            created=terms.created,
            purpose=kind.purpose.value,
            challenge=terms.challenge,
            domain=terms.domain,
            expires=terms.expires,
            mandatory_pointers=terms.mandatory_pointers,
            entropy=terms.entropy,
            processor=terms.processor,
        )
        return Issued(document, "application/vp" if kind is PRESENTATION else "application/vc", self.name)
