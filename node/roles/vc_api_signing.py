"""Which of the node's DIDs signs what a client of the VC API gives, and with which cryptosuite: one rule for all.

1. Who: the DID of ``verificationMethod`` where the client names one; else the issuer (or holder) that the document
   names; else the oldest active DID of that purpose whose key can make the cryptosuite that is asked for. It has to be
   an active DID of this node with that purpose, and the document may name no other.
2. How: the cryptosuite that the client names; else the node's own (``issuer.cryptosuite``) where the key can make it;
   else the first that the key can make. ``mandatoryPointers`` ask for ecdsa-sd-2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.roles.identity import Identity
from protocols.errors import BadInput
from protocols.keys import Signer
from protocols.multiformats import Multicodec
from storage import dids
from storage.dids import DidPurpose, DidState, OwnDid
from storage.engine import Transaction

__all__ = ["AS_WE_LIKE", "Chosen", "SignerChoice", "Wanted"]

_SUITES: dict[Multicodec, tuple[str, ...]] = {
    Multicodec.ED25519_PUB: ("eddsa-rdfc-2022", "eddsa-jcs-2022", "Ed25519Signature2020", "Ed25519Signature2018"),
}
"""What each kind of key can make, the preferred first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client says of the proof.

    Attributes:
        cryptosuite: a key of ``CRYPTOSUITES``.
        verification_method: a DID URL of this node.
    """

    cryptosuite: str | None = None
    verification_method: str | None = None


AS_WE_LIKE = Wanted()
"""The client leaves it to this node."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who signs, and how."""

    did: OwnDid
    signer: Signer
    suite: str


class SignerChoice:
    """Applies the rule."""

    def __init__(self, identity: Identity, default_suite: str) -> None:
        self._identity = identity
        self._default_suite = default_suite

    async def choose(self, tx: Transaction, purpose: DidPurpose, named: str | None, wanted: Wanted) -> Chosen:
        """Who signs, and how.

        Args:
            named: the issuer or holder that the document names.

        Raises:
            BadInput: ``vc_api.foreign_signer`` where the document or the client names a DID that is not the node's own
                for this purpose; ``vc_api.suite_unfit`` where no key of the one named can make the cryptosuite.
            WrongState: ``did.none``.
        """
        method = wanted.verification_method
        owner = method.partition("#")[0] if method is not None else named
        if owner is None:
            await self._identity.default(tx, purpose)
        own = await dids.page(tx, purpose=purpose, state=DidState.ACTIVE)
        candidates = own if owner is None else [did for did in own if did.did == owner]
        if not candidates or (named is not None and named != owner):
            raise BadInput(
                "vc_api.foreign_signer",
                f"The {purpose.value} that is named is not a DID with which this node signs as {purpose.value}.",
                "Leave it out, or name one of the node's own: lernode did",
            )
        for did in candidates:
            signer = self._identity.signer(did)
            suite = _suite_for(signer.codec, wanted.cryptosuite, self._default_suite)
            if suite is not None and method in (None, signer.verification_method):
                return Chosen(did, signer, suite)
        raise BadInput(
            "vc_api.suite_unfit",
            "No key that may sign this can make a proof of that cryptosuite.",
            "Name another cryptosuite, or a verification method with another kind of key.",
        )


def _suite_for(codec: Multicodec, wanted: str | None, default: str) -> str | None:
    able: Sequence[str] = _SUITES.get(codec, ())
    if wanted is not None:
        return wanted if wanted in able else None
    return default if default in able else next(iter(able), None)
