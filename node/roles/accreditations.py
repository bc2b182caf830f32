"""Accreditations: given by this node to others, and kept of those whose records it verifies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from node.net.guarded_http import GuardedHttp
from node.roles.attester import Attester
from node.roles.checker import Checker
from node.roles.trust_lists import fetch_document, genuine
from node.runtime.world import World
from protocols.credentials.trust.grants import Action
from protocols.credentials.trust.recognition import Entry, Recognition, recognition_credential
from protocols.credentials.trust.scope import Scope
from protocols.did.syntax import check_did
from protocols.errors import BadInput
from storage import audit, trust_lists
from storage.credentials import IssuedCredential
from storage.engine import Store
from storage.trust_lists import KeptAccreditation

__all__ = ["Accreditations", "ToAccredit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAccredit:
    """An accreditation to be given.

    Attributes:
        did: whom.
        name: what that one is called.
        action: whether it may issue records itself, or recognise others who may.
        start: since when; now.
        end: until when records may be issued under it.
    """

    did: str
    name: str = ""
    action: Action = Action.ISSUE
    scope: Scope = field(default_factory=Scope)
    start: datetime | None = None
    end: datetime | None = None


class Accreditations:
    """What an operator does about accreditations."""

    def __init__(
        self,
        *,
        store: Store,
        attester: Attester,
        checker: Checker,
        http: GuardedHttp,
        world: World,
    ) -> None:
        self._store = store
        self._attester = attester
        self._checker = checker
        self._http = http
        self._world = world

    async def give(self, wanted: ToAccredit) -> IssuedCredential:
        """Sign an accreditation, which can be revoked as any issued record can.

        Raises:
            BadInput: ``did.malformed``, ``trust.period_empty``.
            WrongState: ``did.none``.
        """
        check_did(wanted.did)
        start = wanted.start or self._world.clock()
        if wanted.end is not None and wanted.end < start:
            raise BadInput("trust.period_empty", "The period ends before it begins.", "Check the two dates.")
        issuer = await self._attester.profile()
        credential = recognition_credential(
            [Entry(did=wanted.did, name=wanted.name, action=wanted.action, scope=wanted.scope)],
            issuer=issuer.did,
            name=f"Accreditation by {issuer.name}",
            valid_from=start,
            valid_until=wanted.end,
            credential_id=f"urn:uuid:{self._world.new_id()}",
        )
        return await self._attester.give(credential)

    async def keep(self, document: bytes | None, url: str | None) -> KeptAccreditation:
        """Keep somebody's accreditation, so that records by that one can rest on it; also one whose time is over.

        Args:
            document: the credential; or
            url: where it is.

        Raises:
            BadInput: ``trust.list_unverified``, ``trust.list_malformed``, ``trust.accreditation_numbered``, ``net.*``.
            NotNow: ``trust.list_unchecked``, ``net.*``.
        """
        body = document if url is None else await fetch_document(self._http, url)
        found = await genuine(body or b"", self._checker, may_be_over=True)
        said = found.recognition
        if said.sequence is not None:
            raise BadInput("trust.accreditation_numbered", "That is a list.", "Follow it: lernode trust follow")
        kept = self._kept(said, body or b"")
        async with self._store.write() as tx:
            await trust_lists.keep_accreditation(tx, kept, body or b"")
            await audit.append(
                tx,
                at=kept.kept,
                event="trust.accreditation_kept",
                actor="operator",
                subjects=(kept.id, kept.accreditor, *kept.dids),
            )
        return kept

    async def forget(self, kept: KeptAccreditation) -> None:
        """Forget an accreditation."""
        async with self._store.write() as tx:
            await trust_lists.forget_accreditation(tx, kept.id)
            await audit.append(
                tx,
                at=self._world.clock(),
                event="trust.accreditation_forgotten",
                actor="operator",
                subjects=(kept.id, kept.accreditor),
            )

    def _kept(self, said: Recognition, body: bytes) -> KeptAccreditation:
        return KeptAccreditation(
            id=hashlib.sha256(body).hexdigest()[:32],
            dids=said.subjects,
            accreditor=said.issuer,
            kept=self._world.clock(),
        )
