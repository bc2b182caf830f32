"""Offers and requests that go with an invitation, as a link or QR code, to somebody who is no peer yet (RFC 0434).

An invitation for one person has the message attached (``requests~attach``): who answers it connects first, by DID
Exchange or by the connection that is there, and goes on with the message. One invitation makes one connection, so it
makes one record. An invitation for many, such as a poster, has nothing attached: each who answers gets a request of
their own, with a challenge of its own, in the thread of the invitation.

In DIDComm v2 nothing is attached either. By the profile WACI-DIDComm the invitation's goal code says what it is for,
who answers it proposes to show or to receive records, and gets the request or the offer in the thread of that proposal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from node.roles.contact import Opening
from node.roles.issuer import Award, Issuer
from node.roles.lifetime import Lifetime, Terms
from node.roles.peering import Invited, Peering
from node.roles.threads import ISSUE_CREDENTIAL, PRESENT_PROOF, Threads
from node.roles.verifier import Verifier
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation
from node.runtime.jobs import Jobs
from node.runtime.world import World
from protocols import strict_json
from protocols.didcomm import codec, codec_v1, codec_v2
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.errors import BadInput, LernodeError, WrongState
from protocols.exchange.presentation_exchange import parse_definition
from protocols.issue_credential import machine as issue_credential
from protocols.machine import Decision, Send, Step
from protocols.negotiation import Negotiation, awaiting
from protocols.out_of_band import goals
from protocols.out_of_band.messages import Invitation
from protocols.present_proof import machine as present_proof
from storage import attached, connections, invitations
from storage.attached import AttachedMessage
from storage.connections import Connection
from storage.engine import Store, Transaction
from storage.jobs import Job

__all__ = ["Links"]

_JOB = "attached-message"
_ATTACH_ID = "request-0"
_COMPLETED = "completed"


class _Template(msgspec.Struct, frozen=True):
    """What each request of an invitation with nothing attached is made of."""

    definition: dict[str, Any]
    comment: str | None
    expires_in: int | None


class _Offered(msgspec.Struct, frozen=True):
    """What the offer of an invitation with nothing attached is made of."""

    awards: tuple[Award, ...]
    comment: str | None
    expires_in: int | None


class Links:
    """What a person does to offer or ask by a link, and what answering such a link does."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        jobs: Jobs,
        threads: Threads,
        peering: Peering,
        issuer: Issuer,
        verifier: Verifier,
        lifetime: Lifetime,
        world: World,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._jobs = jobs
        self._threads = threads
        self._peering = peering
        self._issuer = issuer
        self._verifier = verifier
        self._lifetime = lifetime
        self._world = world
        peering.carry(self)
        exchanges.register(PRESENT_PROOF.protocol, {}, {Decision.ANSWER_PRESENTATION_PROPOSAL: self._ask_who_proposes})
        exchanges.register(
            ISSUE_CREDENTIAL.protocol, {}, {Decision.ANSWER_CREDENTIAL_PROPOSAL: self._offer_who_proposes}
        )
        jobs.register(_JOB, self._begin)

    # What a person does -----------------------------------------------------------------------------------------

    async def offer(
        self,
        award: Award,
        terms: Terms,
        *,
        also: Sequence[Award] = (),
        goal: str | None = None,
        wire: Wire = Wire.V1,
    ) -> Invited:
        """An invitation that offers records, as :meth:`Issuer.offer`, to whoever answers it first.

        Args:
            wire: v2 for one of WACI-DIDComm, which agents of v2 alone can answer.

        Raises:
            BadInput: ``record.*``, ``result.*``, ``issue_credential.too_many``.
            WrongState: ``catalogue.unknown_achievement``, ``did.none``, ``invitation.unreachable``,
                ``invitation.person_decides``.
            NotNow: ``mediator.unconfirmed``.
        """
        awards = (award, *also)
        goal = goal or ("Records for you" if also else "A record for you")
        async with self._store.write() as tx:
            if wire is Wire.V2:
                invited = await self._offer_unattached(tx, awards, terms, goal)
            else:
                invited, _exchange_id = await self.offer_in(tx, awards, terms, goal)
        await self._peering.confirm(invited)
        return invited

    async def offer_in(self, tx: Transaction, awards: Sequence[Award], terms: Terms, goal: str) -> tuple[Invited, str]:
        """As :meth:`offer` for v1 in a unit of work at hand, after which the invitation is to be confirmed.

        Returns:
            The invitation, and the exchange that begins when it is answered.
        """
        exchange_id = self._world.new_id()
        step = await self._issuer.offer_step(tx, awards, terms, exchange_id)
        invited = await self._invite(tx, ISSUE_CREDENTIAL, step, terms, goal, "issue-vc", exchange_id)
        return invited, exchange_id

    async def request(
        self,
        definition: dict[str, Any],
        terms: Terms,
        *,
        goal: str | None = None,
        multi_use: bool = False,
        wire: Wire = Wire.V1,
    ) -> Invited:
        """An invitation that asks whoever answers it for records; many may where it is for many.

        Args:
            wire: v2 for one of WACI-DIDComm, which agents of v2 alone can answer.

        Raises:
            BadInput: ``pex.*`` where the definition is not one.
            WrongState: ``invitation.unreachable``, ``invitation.person_decides``.
            NotNow: ``mediator.unconfirmed``.
        """
        parsed = parse_definition(definition)
        goal = goal or parsed.purpose or parsed.name or "Records that you can show"
        async with self._store.write() as tx:
            if multi_use or wire is Wire.V2:
                invited = await self._request_unattached(tx, parsed.raw, terms, goal, multi_use=multi_use, wire=wire)
            else:
                step = self._verifier.request_step(parsed.raw, terms)
                exchange_id = self._world.new_id()
                invited = await self._invite(tx, PRESENT_PROOF, step, terms, goal, "request-proof", exchange_id)
        await self._peering.confirm(invited)
        return invited

    async def _request_unattached(
        self, tx: Transaction, definition: dict[str, Any], terms: Terms, goal: str, *, multi_use: bool, wire: Wire
    ) -> Invited:
        goal_code = goals.STREAMLINED_VP if wire is Wire.V2 else "request-proof"
        invited = await self._peering.invite_in(
            tx, multi_use=multi_use, goal=goal, goal_code=goal_code, expires_in=self._open_for(terms), wire=wire
        )
        template = _Template(definition, terms.comment, terms.expires_in)
        await self._keep_template(tx, invited, PRESENT_PROOF, template)
        return invited

    async def _offer_unattached(self, tx: Transaction, awards: tuple[Award, ...], terms: Terms, goal: str) -> Invited:
        await self._issuer.check(tx, awards)
        invited = await self._peering.invite_in(
            tx, goal=goal, goal_code=goals.STREAMLINED_VC, expires_in=self._open_for(terms), wire=Wire.V2
        )
        template = _Offered(awards, terms.comment, terms.expires_in)
        await self._keep_template(tx, invited, ISSUE_CREDENTIAL, template)
        return invited

    async def _keep_template(
        self, tx: Transaction, invited: Invited, kind: ExchangeKind, template: _Template | _Offered
    ) -> None:
        content = msgspec.json.encode(template)
        await attached.add(tx, AttachedMessage(invitation_id=invited.id, protocol=kind.protocol, content=content))

    async def _invite(
        self,
        tx: Transaction,
        kind: ExchangeKind,
        step: Step[Any],
        terms: Terms,
        goal: str,
        goal_code: str,
        exchange_id: str,
    ) -> Invited:
        (message,) = [effect.message for effect in step.effects if isinstance(effect, Send)]
        request = codec_v1.encode_object(message.encode(Wire.V1))
        invited = await self._peering.invite_in(
            tx,
            goal=goal,
            goal_code=goal_code,
            expires_in=self._open_for(terms),
            requests=(Attachment.of_json(request, id=_ATTACH_ID),),
        )
        value = msgspec.structs.replace(step.exchange, pthid=invited.id)
        kept = AttachedMessage(
            invitation_id=invited.id,
            exchange_id=exchange_id,
            protocol=kind.protocol,
            content=msgspec.json.encode(value),
        )
        await attached.add(tx, kept)
        return invited

    def _open_for(self, terms: Terms) -> timedelta | None:
        """An invitation closes when what goes with it can be answered no more."""
        seconds = self._lifetime.seconds if terms.expires_in is None else terms.expires_in
        return timedelta(seconds=seconds) if seconds else None

    # What answering an invitation of this node does --------------------------------------------------------------

    async def joined(self, tx: Transaction, connection: Connection, invitation_id: str) -> None:
        """Somebody has answered an invitation of this node: begin the exchange that goes with it."""
        kept = await attached.find(tx, invitation_id)
        if kept is None or kept.connection_id is not None:
            return
        if kept.exchange_id is None:
            if kept.protocol == PRESENT_PROOF.protocol:
                await self._ask_each(tx, connection, kept)
            return
        kind = ISSUE_CREDENTIAL if kept.protocol == ISSUE_CREDENTIAL.protocol else PRESENT_PROOF
        value: Negotiation = msgspec.json.decode(kept.content, type=kind.type)
        await self._exchanges.apply(tx, kind, connection, None, awaiting(value), exchange_id=kept.exchange_id)
        await attached.remove(tx, invitation_id)

    async def _ask_each(self, tx: Transaction, connection: Connection, kept: AttachedMessage) -> None:
        template = msgspec.json.decode(kept.content, type=_Template)
        terms = Terms(template.comment, template.expires_in)
        step = self._verifier.request_step(template.definition, terms, pthid=kept.invitation_id)
        await self._exchanges.apply(tx, PRESENT_PROOF, connection, None, step)

    async def _ask_who_proposes(self, tx: Transaction, situation: Situation) -> None:
        """Ask for what the invitation that a proposal answers is for; any other proposal waits for a person."""
        kept = None if situation.value.definition else await self._template_for(tx, situation)
        if kept is None or not await self._may_answer(tx, situation.connection, kept.invitation_id):
            return
        template = msgspec.json.decode(kept.content, type=_Template)
        terms = Terms(template.comment, template.expires_in)
        step = self._verifier.request_step(template.definition, terms, exchange=situation.value)
        await self._exchanges.apply(tx, PRESENT_PROOF, situation.connection, situation.row, step)

    async def _offer_who_proposes(self, tx: Transaction, situation: Situation) -> None:
        """Offer what the invitation that a proposal answers is for; any other proposal waits for a person.

        So does one for what cannot be offered any more, such as an achievement that has left the catalogue.
        """
        value = situation.value
        kept = None if value.proposal or value.offer else await self._template_for(tx, situation)
        if kept is None:
            return
        template = msgspec.json.decode(kept.content, type=_Offered)
        try:
            await self._issuer.check(tx, template.awards)
        except (BadInput, WrongState):
            return
        if not await self._may_answer(tx, situation.connection, kept.invitation_id):
            return
        terms = Terms(template.comment, template.expires_in)
        step = await self._issuer.offer_step(tx, template.awards, terms, situation.row.id, exchange=value)
        await self._exchanges.apply(tx, ISSUE_CREDENTIAL, situation.connection, situation.row, step)

    async def _template_for(self, tx: Transaction, situation: Situation) -> AttachedMessage | None:
        """What the invitation that a proposal answers is for, where that is an exchange of the proposal's protocol."""
        pthid = situation.value.pthid
        kept = None if pthid is None else await attached.find(tx, pthid)
        if kept is None or kept.connection_id is not None or kept.exchange_id is not None:
            return None
        return kept if kept.protocol == situation.kind.protocol else None

    async def _may_answer(self, tx: Transaction, connection: Connection, invitation_id: str) -> bool:
        """Whether the invitation is this peer's to answer; one for a single peer is then used up."""
        invitation = await invitations.get(tx, invitation_id)
        if not invitation.multi_use:
            await attached.remove(tx, invitation_id)
            if connection.invitation_id == invitation_id:
                return True  # it was used to come in
        return await invitations.mark_used(tx, invitation_id, self._world.clock())

    # What answering a peer's invitation does ---------------------------------------------------------------------

    def first_readable(self, invitation: Invitation) -> PlainMessage | None:
        """The first message of a peer's invitation that this node can go on with; None where there is none.

        Raises:
            BadInput: ``invitation.request_unusable`` where it is one of a protocol that this node speaks, and broken.
        """
        for request in invitation.requests:
            try:
                value = request.json()
                message = _decoded(value) if isinstance(value, dict) else None
                if message is None or message.wire is not invitation.wire or not self._threads.check_first(message):
                    continue
            except LernodeError as error:
                raise BadInput(
                    "invitation.request_unusable",
                    f"What goes with the invitation cannot be used: {error.message}",
                    "Ask for a new one.",
                ) from None
            return msgspec.structs.replace(message, pthid=message.pthid or invitation.id)
        return None

    def opening(self, invitation: Invitation) -> Opening | None:
        """The proposal that answers an invitation whose goal code asks for one."""
        how: dict[str, Any] = {"new_id": self._world.new_id, "pthid": invitation.id, "expires": self._lifetime.until()}
        match invitation.goal_code:
            case goals.STREAMLINED_VP:
                return Opening(PRESENT_PROOF, present_proof.propose(None, **how))
            case goals.STREAMLINED_VC:
                return Opening(ISSUE_CREDENTIAL, issue_credential.answer_invitation(**how))
            case _:
                return None

    async def keep(self, tx: Transaction, connection: Connection, invitation: Invitation) -> None:
        """Keep what goes with a peer's invitation until the connection is there, or go on with it at once."""
        message = self.first_readable(invitation)
        if message is None or await attached.find(tx, invitation.id) is not None:
            return
        kept = AttachedMessage(
            invitation_id=invitation.id,
            connection_id=connection.id,
            protocol=message.protocol,
            content=codec.encode(message),
        )
        await attached.add(tx, kept)
        if connection.state == _COMPLETED:
            await self.completed(tx, connection)

    async def completed(self, tx: Transaction, connection: Connection) -> None:
        """The connection with who invited is there: go on with what came with the invitation."""
        for kept in await attached.of_connection(tx, connection.id):
            await self._jobs.plan(tx, _JOB, None, subject=kept.invitation_id)

    async def _begin(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """Read the message as one that has just arrived; in a unit of work of its own, so that it can break none."""

        async def commit(tx: Transaction) -> None:
            kept = await attached.find(tx, job.subject)
            if kept is None or kept.connection_id is None:
                return
            await attached.remove(tx, kept.invitation_id)
            message = _decoded(strict_json.loads_object(kept.content))
            await self._threads.begin(tx, await connections.get(tx, kept.connection_id), message)

        return commit


def _decoded(value: dict[str, Any]) -> PlainMessage:
    """A message of either version; what it is says which (v2 has no ``@type``)."""
    return codec_v1.decode_object(value) if "@type" in value else codec_v2.decode_object(value)
