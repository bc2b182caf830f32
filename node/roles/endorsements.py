"""Endorsing the record of another issuer: an EndorsementCredential of Open Badges 3.0 (§B) about that record.

It says of a record, by its ``id``, that this node stands by it, and why; it can be revoked as any issued record can.
Who holds both shows both: nothing is changed in what somebody else has signed.
"""

from __future__ import annotations

from typing import Any

from node.records.open_badges import OB_CONTEXT
from node.records.schema import endorsement_problems
from node.roles.attester import Attester
from node.roles.checker import Checker
from node.roles.checking import reason_code
from node.roles.lifetime import Terms
from node.runtime.world import World
from protocols.credentials.model import CONTEXT_V2, id_of
from protocols.credentials.reading import stated
from protocols.credentials.times import format_time
from protocols.credentials.verification import Check, Outcome
from protocols.errors import BadInput
from storage.credentials import IssuedCredential
from storage.exchanges import ExchangeRow

__all__ = ["Endorsements"]

_GENUINE = frozenset({Check.STRUCTURE, Check.CONTEXT, Check.PROOF, Check.PROOF_PURPOSE})


class Endorsements:
    """What a person does who endorses."""

    def __init__(self, *, attester: Attester, checker: Checker, world: World) -> None:
        self._attester = attester
        self._checker = checker
        self._world = world

    async def give(self, document: bytes, comment: str) -> IssuedCredential:
        """Sign an endorsement of a record, which has to be what its issuer signed.

        Raises:
            BadInput: ``record.not_genuine``; ``endorsement.no_id`` where the record has no ``id`` to name it by;
                ``structure.*`` and others where it cannot be read.
            WrongState: ``did.none``.
        """
        return await self._attester.give(await self._unsigned(document, comment))

    async def offer(self, connection_id: str, document: bytes, comment: str, terms: Terms) -> ExchangeRow:
        """Offer an endorsement to a peer, as a rule to who holds the record; it is signed when the peer takes it.

        Raises:
            BadInput, WrongState: as :meth:`give`; ``connection.unknown``.
        """
        return await self._attester.offer(connection_id, await self._unsigned(document, comment), terms)

    async def _unsigned(self, document: bytes, comment: str) -> dict[str, Any]:
        result = await self._checker.check(document, self._checker.policies.holder(), expected="credential")
        if any(check.outcome is Outcome.FAIL and check.check in _GENUINE for check in result.checks):
            raise BadInput(
                "record.not_genuine",
                f"The record is not what its issuer signed: {reason_code(result)}.",
                "See lernode verify, and ask the issuer for a new one.",
            )
        said = stated(document)
        endorsed = id_of(said)
        if endorsed is None:
            raise BadInput(
                "endorsement.no_id", "The record has no id, by which it could be endorsed.", "Endorse another."
            )
        own = await self._attester.profile()
        credential = {
            "@context": [CONTEXT_V2, OB_CONTEXT],
            "id": f"urn:uuid:{self._world.new_id()}",
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "name": f"Endorsement by {own.name}",
            "issuer": {"id": own.did, "type": ["Profile"], "name": own.name},
            "validFrom": format_time(self._world.clock()),
            "credentialSubject": {"id": endorsed, "type": ["EndorsementSubject"], "endorsementComment": comment},
        }
        problems = endorsement_problems(credential)
        if problems:
            raise BadInput(
                "endorsement.invalid", f"It would be no endorsement: {problems[0]}", "Endorse another record."
            )
        return credential
