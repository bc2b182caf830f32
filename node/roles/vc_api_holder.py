"""The holder of the VC API: signs presentations that a client has put together, and looks after single credentials.

Spec: W3C VCALM (the VC API), "Presenting" and the credentials' own resources. A credential is named by its ``id``, or
by the ``credentialId`` that it was issued under. Presentations are not kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from node.events.emit import emit
from node.events.types import RecordDeleted
from node.roles.policy import VerificationPolicies
from node.roles.vc_api_signing import AS_WE_LIKE, SignerChoice, Wanted
from node.runtime.hardware import perform
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import derive_proof
from protocols.credentials.enveloped import ENVELOPED_CREDENTIAL, data_url_of
from protocols.credentials.issue import Issued, issue
from protocols.credentials.model import has_type, holder_id
from protocols.credentials.reading import read_document
from protocols.credentials.sd_jwt.presenting import present_sd_jwt
from protocols.credentials.structure import presentation_problems
from protocols.errors import BadInput, WrongState
from protocols.jsonld.processor import Processor
from protocols.jsonld.work import Work
from storage import audit, credentials
from storage.credentials import HeldCredential, IssuedCredential
from storage.dids import DidPurpose
from storage.engine import Store, Transaction

__all__ = ["PresentWish", "VcApiHolder"]


_SD_JWTS = {"application/vc+sd-jwt": "vc+sd-jwt", "application/dc+sd-jwt": "dc+sd-jwt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentWish:
    """How a presentation is to be signed.

    Attributes:
        created: when it says that it was; now where that is not said.
        challenge, domain: what the verifier gave to be answered.
    """

    wanted: Wanted = AS_WE_LIKE
    created: datetime | None = None
    challenge: str | None = None
    domain: str | None = None


class VcApiHolder:
    """What a client of the VC API does as a holder."""

    def __init__(self, *, store: Store, signing: SignerChoice, policies: VerificationPolicies, world: World) -> None:
        self._store = store
        self._signing = signing
        self._policies = policies
        self._world = world

    async def present(self, presentation: dict[str, Any], wish: PresentWish) -> dict[str, Any]:
        """Sign a presentation as its holder, who is filled in where it names none.

        Raises:
            BadInput: ``json.*``; ``vc_api.*`` where it is not for this node to sign; ``structure.*`` where it breaks a
                rule of the data model; ``securing.*``, ``proof.*``, ``jsonld.*`` where it cannot be signed.
            WrongState: ``did.none``.
        """
        presentation = read_document(presentation)
        problems = presentation_problems(presentation)
        if problems:
            first = problems[0]
            raise BadInput(f"structure.{first.rule}", first.message, f"Correct the presentation ({first.spec}).")
        async with self._store.read() as tx:
            chosen = await self._signing.choose(tx, DidPurpose.HOLDER, holder_id(presentation), wish.wanted)
        sign = partial(
            issue,
            presentation if "holder" in presentation else {**presentation, "holder": chosen.did.did},
            chosen.securing,
            chosen.signer,
            created=wish.created or self._world.clock(),
            challenge=wish.challenge,
            domain=wish.domain,
            entropy=self._world.entropy,
            processor=self._bounded(),
        )
        signed = (await perform(chosen.signer, sign)).embeddable
        async with self._store.write() as tx:
            await audit.append(
                tx,
                at=self._world.clock(),
                event="presentation.signed",
                actor="operator",
                subjects=(chosen.did.did,),
                details={"digest": hashlib.sha256(strict_json.dumps(signed)).hexdigest()},
            )
        return signed

    def derive(self, credential: dict[str, Any], pointers: Sequence[str]) -> dict[str, Any]:
        """The part of a credential that ``pointers`` and its issuer select, with a proof of its own or in its envelope.

        Raises:
            BadInput: ``proof.not_selective``, ``vc_api.not_selective`` where the credential was not issued for that;
                ``proof.malformed``, ``sd_jwt.*``, ``pointer.*``, ``jsonld.*``.
        """
        credential = read_document(credential)
        if not has_type(credential, ENVELOPED_CREDENTIAL):
            return derive_proof(credential, pointers, processor=self._bounded())
        media_type, text = data_url_of(credential) or ("", "")
        if media_type not in _SD_JWTS:
            raise BadInput(
                "vc_api.not_selective",
                "What is in the envelope is shown whole or not at all.",
                "Ask its issuer for an SD-JWT, or for a credential with ecdsa-sd-2023.",
            )
        return Issued(present_sd_jwt(text, pointers), media_type, _SD_JWTS[media_type]).embeddable

    async def credential(self, name: str) -> IssuedCredential | HeldCredential:
        """What this node has issued or holds under a name.

        Raises:
            WrongState: ``record.unknown``.
        """
        async with self._store.read() as tx:
            return await _find(tx, name)

    async def credentials(self, *, after: str | None, limit: int) -> list[HeldCredential]:
        """What this node holds, the newest first.

        Args:
            after: the id that this node gave to the last one of the page before.
        """
        async with self._store.read() as tx:
            return await credentials.list_held(tx, after=after, limit=limit)

    async def delete(self, name: str) -> None:
        """Forget what this node has issued or holds under a name; its status stays as it is.

        Raises:
            WrongState: ``record.unknown``, ``issued_record.of_batch``.
        """
        async with self._store.write() as tx:
            found = await _find(tx, name)
            is_issued = isinstance(found, IssuedCredential)
            await (credentials.delete_issued if is_issued else credentials.delete_held)(tx, found.id)
            await audit.append(
                tx, at=self._world.clock(), event="record.deleted", actor="operator", subjects=(found.id,)
            )
            deleted = RecordDeleted(record_id=found.id, direction="issued" if is_issued else "held")
            await emit(tx, self._world, deleted)

    def _bounded(self) -> Processor:
        """For a document of a client: it may cost as much as a verification."""
        return self._policies.processor.bounded_by(Work.of_a_verification())


async def _find(tx: Transaction, name: str) -> IssuedCredential | HeldCredential:
    found = await credentials.find_issued(tx, name) or await credentials.find_held(tx, name)
    if found is None:
        raise WrongState("record.unknown", "There is no such record.", "Check its id.")
    return found
