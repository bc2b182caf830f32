"""Which of the node's DIDs signs what a client of the VC API gives, and with which cryptosuite: one rule for all.

1. Who: the DID of ``verificationMethod`` where the client names one; else the issuer (or holder) that the document
   names; else the node's default DID for that purpose, or, where none of its keys can make the cryptosuite that is
   asked for, the oldest one that can. It has to be an active DID of this node with that purpose, and the document may
   name no other.
2. How: the way of securing that the client names; else the node's own (``issuer.securing``) where a key can make it;
   else the first cryptosuite that a key can make. One of selective disclosure is taken where it is named, or where
   ``mandatoryPointers`` are given, which others cannot keep; an envelope where it is named, or is the node's own way.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.roles.identity import Identity
from protocols.credentials.data_integrity import CRYPTOSUITES
from protocols.credentials.data_integrity.suite import Selective
from protocols.credentials.issue import securing_named
from protocols.errors import BadInput
from protocols.keys import Signer
from storage import dids
from storage.dids import DidPurpose, DidState, OwnDid
from storage.engine import Transaction

__all__ = ["AS_WE_LIKE", "Chosen", "SignerChoice", "Wanted"]


_ENVELOPES = frozenset({"vc+jwt", "vc+sd-jwt"})
"""Those of ``SECURINGS`` that any credential fits into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client says of the proof.

    Attributes:
        securing: a key of ``SECURINGS``.
        verification_method: a DID URL of this node.
        selective: whether the holder is to show parts of the document.
        embedded: whether the proof has to be in the document, whatever the node's own way is.
    """

    securing: str | None = None
    verification_method: str | None = None
    selective: bool = False
    embedded: bool = False


AS_WE_LIKE = Wanted()
"""The client leaves it to this node."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who signs, and how (a key of ``SECURINGS``)."""

    did: OwnDid
    signer: Signer
    securing: str


class SignerChoice:
    """Applies the rule."""

    def __init__(self, identity: Identity, default: str) -> None:
        self._identity = identity
        self._default = default

    async def choose(self, tx: Transaction, purpose: DidPurpose, named: str | None, wanted: Wanted) -> Chosen:
        """Who signs, and how.

        Args:
            named: the issuer or holder that the document names.

        Raises:
            BadInput: ``securing.unknown``; ``vc_api.foreign_signer`` where a DID is named that is not the node's own
                for this purpose; ``vc_api.securing_unfit`` where no key of the one named can make the cryptosuite.
            WrongState: ``did.none``.
        """
        names = _securings(wanted, self._default, is_credential=purpose is DidPurpose.ISSUER)
        method = wanted.verification_method
        owner = method.partition("#")[0] if method is not None else named
        if named not in (None, owner):
            raise _foreign(purpose)
        for did in await self._candidates(tx, purpose, owner):
            keys = [key for key in did.keys if method in (None, f"{did.did}#{key.fragment}")]
            for name in names:
                for key in keys:
                    if key.codec in securing_named(name).key_types:
                        signer = await self._identity.signer_named(tx, did, f"{did.did}#{key.fragment}")
                        return Chosen(did, signer, name)
        raise BadInput(
            "vc_api.securing_unfit",
            "No key that may sign this can sign it so.",
            "Name another cryptosuite or media type, or a verification method with another kind of key.",
        )

    async def _candidates(self, tx: Transaction, purpose: DidPurpose, owner: str | None) -> list[OwnDid]:
        if owner is None:
            default = await self._identity.default(tx, purpose)
            every = await dids.page(tx, purpose=purpose, state=DidState.ACTIVE)
            return [default, *(did for did in every if did.did != default.did)]
        own = await dids.find(tx, owner)
        if own is None or own.purpose is not purpose or own.state is not DidState.ACTIVE:
            raise _foreign(purpose)
        return [own]


def _securings(wanted: Wanted, default: str, *, is_credential: bool) -> list[str]:
    """The ways of securing that would do, the preferred first."""
    if wanted.securing is not None:
        securing_named(wanted.securing)
        suite = CRYPTOSUITES.get(wanted.securing)
        return [wanted.securing] if isinstance(suite, Selective) or not wanted.selective else []
    able = [name for name, suite in CRYPTOSUITES.items() if isinstance(suite, Selective) is wanted.selective]
    if is_credential and default in _ENVELOPES and not (wanted.selective or wanted.embedded):
        return [default, *able]
    return sorted(able, key=lambda name: name != default)


def _foreign(purpose: DidPurpose) -> BadInput:
    return BadInput(
        "vc_api.foreign_signer",
        f"The {purpose.value} that is named is not a DID with which this node signs as {purpose.value}.",
        "Leave it out, or name one of the node's own: lernode did",
    )
