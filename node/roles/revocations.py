"""Notices of revocation between issuer and holder (Aries RFC 0183, RFC 0721).

The issuer's notice leaves in the unit of work that revokes the record. It is given up where the holder does not say in
time that it knows, or the connection ends before; the record is revoked whatever becomes of its notice. The holder
takes a notice for a hint to look: only for a record that came from that very peer, and the record is marked by what
the issuer's status list says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from node.events.emit import emit
from node.events.types import RecordStatusChanged
from node.roles.checker import Checker
from node.roles.discovery import latest_features
from node.roles.lifetime import Lifetime
from node.roles.threads import ISSUE_CREDENTIAL
from node.roles.threads import situation as situation_of
from node.runtime.deadlines import Deadlines
from node.runtime.exchanges import ExchangeKind, Exchanges, Situation
from node.runtime.inbound import Inbound, Incoming
from node.runtime.jobs import LAST_ATTEMPT, Jobs
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols.credentials.reading import stated
from protocols.credentials.verification import Check, Outcome, VerificationResult
from protocols.didcomm import ack
from protocols.didcomm.message import AckOn, Wire
from protocols.didcomm.problem_report import is_problem_report
from protocols.didcomm.versions import EMPTY, known_as
from protocols.errors import NotNow
from protocols.issue_credential import machine as issue_credential
from protocols.machine import Verify
from protocols.revocation_notification import machine
from protocols.revocation_notification.messages import FAMILY, LD_PROOF_VC, Named, Revoke, decode
from storage import audit, connections, credentials, exchanges
from storage.connections import Connection
from storage.credentials import HeldCredential, IssuedCredential, IssuedState
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow, Filter
from storage.jobs import Job

__all__ = ["REVOCATION_NOTIFICATION", "RevocationNotices", "state_said"]

REVOCATION_NOTIFICATION = {major: ExchangeKind(f"{FAMILY}/{major}", machine.Exchange) for major in (1, 2)}
_KINDS = tuple(REVOCATION_NOTIFICATION.values())
_NOTIFICATION = "https://didcomm.org/notification/1"
_CHECK = "check-revoked"
_ISSUER = machine.Role.ISSUER.value
_HOLDER = issue_credential.Role.HOLDER.value
_ARRIVING = (issue_credential.State.REQUEST_SENT.value, issue_credential.State.CREDENTIAL_RECEIVED.value)


class RevocationNotices:
    """Tells holders, and listens to issuers."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        jobs: Jobs,
        checker: Checker,
        deadlines: Deadlines,
        lifetime: Lifetime,
        metrics: Metrics,
        world: World,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._jobs = jobs
        self._checker = checker
        self._lifetime = lifetime
        self._metrics = metrics
        self._world = world
        for kind in _KINDS:
            exchanges.register(kind.protocol, {Verify: self._plan_check}, {})
            deadlines.register(kind.protocol, self._expire)
        jobs.register(_CHECK, self._check)

    def attach(self, inbound: Inbound) -> None:
        """Take part in what arrives."""
        inbound.register({kind.protocol: self._receive for kind in _KINDS} | {_NOTIFICATION: self._receive})
        inbound.register({known_as(EMPTY, Wire.V2): self._receive_empty})

    async def notify(self, tx: Transaction, record: IssuedCredential) -> None:
        """Tell the holder of a record, where it went over a connection, that it is revoked; in this unit of work."""
        if record.connection_id is None or record.exchange_id is None:
            return
        connection = await connections.get(tx, record.connection_id)
        if connection.state == connections.ENDED:
            return
        named = Named(revocation_format=LD_PROOF_VC, credential_id=record.credential_id)
        if await _speaks_only_1(tx, connection):
            named = Named(thread_id=(await exchanges.get(tx, record.exchange_id)).thid)
        step = machine.notify(named, new_id=self._world.new_id, until=self._lifetime.until())
        await self._exchanges.apply(tx, REVOCATION_NOTIFICATION[named.major], connection, None, step)
        self._count(tx, "sent")

    async def when_ended(self, tx: Transaction, connection: Connection) -> None:
        """Wait no longer for what a peer can say no more, in the unit of work in which its connection ends."""
        for kind in _KINDS:
            which = Filter(
                protocol=kind.protocol, role=_ISSUER, connection_id=connection.id, state=machine.State.REVOKE_SENT.value
            )
            while page := await exchanges.page(tx, which):
                for row in page:
                    await self._give_up(tx, Situation(kind, connection, row, kind.value(row)), "connection.ended")

    async def _expire(self, tx: Transaction, row: ExchangeRow) -> None:
        await self._give_up(tx, await situation_of(tx, row.id, *_KINDS), machine.EXPIRED)

    async def _give_up(self, tx: Transaction, found: Situation, problem: str) -> None:
        step = machine.give_up(found.value, problem=problem)
        await self._exchanges.apply(tx, found.kind, found.connection, found.row, step, error_code=problem)
        self._count(tx, "given-up")

    def _count(self, tx: Transaction, outcome: str) -> None:
        tx.after_commit(self._metrics.notices.labels(outcome).inc)

    async def _receive(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        if incoming.message.protocol == _NOTIFICATION and is_problem_report(incoming.message):
            await self._note(tx, connection, "peer.problem-report")  # what ACA-Py and Credo write for report-problem
            return
        message = decode(incoming.message)
        if isinstance(message, Revoke):
            await self._on_revoke(tx, connection, message)
        else:
            await self._on_ack(tx, connection, message)

    async def _receive_empty(self, tx: Transaction, connection: Connection, incoming: Incoming) -> None:
        """A message of v2 that has headers only, which may be an ack."""
        if ack.is_ack(incoming.message):
            await self._on_ack(tx, connection, ack.decode(incoming.message))

    async def _on_ack(self, tx: Transaction, connection: Connection, message: ack.Ack) -> None:
        """One for a notice ends it; any other is noted."""
        for kind in _KINDS:
            row = await exchanges.find(tx, connection.id, message.thid, kind.protocol)
            if row is not None:
                value = kind.value(row)
                step = machine.receive_ack(value, message)
                if step.exchange != value:
                    # It counts also where the time for it is over.
                    await self._exchanges.apply(tx, kind, connection, replace(row, expires=None), step)
                    self._count(tx, "acknowledged")
                return
        await self._note(tx, connection, "peer.ack")

    async def _on_revoke(self, tx: Transaction, connection: Connection, message: Revoke) -> None:
        kind = REVOCATION_NOTIFICATION[message.record.major]
        held = await _find(tx, connection, message.record)
        known = await _arriving(tx, connection, message.record) if held is None else stated(held.document)
        if known is None:
            await self._note(tx, connection, "peer.revoke")
        elif held is not None and held.state is IssuedState.REVOKED and AckOn.OUTCOME not in message.please_ack:
            return  # known, and nobody wants to hear it
        elif await exchanges.find(tx, connection.id, message.thid, kind.protocol) is None:
            step = machine.receive_revoke(message, known)
            await self._exchanges.apply(tx, kind, connection, None, step)

    async def _note(self, tx: Transaction, connection: Connection, event: str) -> None:
        """What a peer said that changes nothing here; its text is not kept."""
        await audit.append(tx, at=self._world.clock(), event=event, actor=connection.id, subjects=(connection.id,))

    async def _plan_check(self, tx: Transaction, situation: Situation, _effect: Verify) -> None:
        await self._jobs.plan(tx, _CHECK, situation.row.id)

    async def _check(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """The slow part, outside any transaction: what does the issuer's status list say?"""
        async with self._store.read() as tx:
            situation = await situation_of(tx, job.exchange_id or "", *_KINDS)
            held = await _find(tx, situation.connection, situation.value.record)
            arriving = held is None and await _arriving(tx, situation.connection, situation.value.record) is not None
        if arriving and job.attempts < LAST_ATTEMPT:
            raise NotNow("record.arriving", "The record that was revoked is not kept yet.", "Tried again.")
        result = None if held is None else await self._verified(held.document)
        said = state_said(result)
        if held is not None and said is None and job.attempts < LAST_ATTEMPT:
            raise NotNow("status.unreachable", "The issuer's status list cannot be had now.", "Tried again.")
        problem = None if said is IssuedState.REVOKED else machine.NOT_REVOKED if said else "status.unreachable"

        async def commit(tx: Transaction) -> None:
            current = await situation_of(tx, situation.row.id, *_KINDS)
            if held is not None and said is not None:
                await self._mark(tx, current, held, said)
            step = machine.status_checked(current.value, problem=problem, new_id=self._world.new_id)
            await self._exchanges.apply(
                tx, current.kind, current.connection, current.row, step, error_code=step.exchange.problem
            )

        return commit

    async def _verified(self, document: bytes) -> VerificationResult:
        return await self._checker.check(document, self._checker.policies.holder(refresh=True), expected="credential")

    async def _mark(self, tx: Transaction, situation: Situation, held: HeldCredential, said: IssuedState) -> None:
        now = self._world.clock()
        await credentials.set_held_state(tx, held.id, said, now)
        if said is not held.state:
            await audit.append(
                tx, at=now, event=f"held.{said.value}", actor=situation.connection.id, subjects=(held.id,)
            )
            changed = RecordStatusChanged(record_id=held.id, direction="held", status=said.value)
            await emit(tx, self._world, changed)


async def _speaks_only_1(tx: Transaction, connection: Connection) -> bool:
    told = {feature.id for feature in await latest_features(tx, connection.id)}
    return f"{FAMILY}/1.0" in told and f"{FAMILY}/2.0" not in told


async def _find(tx: Transaction, connection: Connection, record: Named) -> HeldCredential | None:
    """The record that is meant, if it came from this peer; None for formats that records of this node do not have."""
    if record.thread_id is not None:
        return await credentials.find_held_from(tx, connection.id, thid=record.thread_id)
    if record.revocation_format != LD_PROOF_VC or not record.credential_id:
        return None
    return await credentials.find_held_from(tx, connection.id, credential_id=record.credential_id)


async def _arriving(tx: Transaction, connection: Connection, record: Named) -> dict[str, Any] | None:
    """The record that is meant, if this peer has it under way to this node, or this node still looks whether it holds.

    A revocation may overtake its record, or come while what the record is checked against is older than that.
    """
    for state in _ARRIVING:
        which = Filter(protocol=ISSUE_CREDENTIAL.protocol, role=_HOLDER, connection_id=connection.id, state=state)
        for row in await exchanges.page(tx, which):
            value = ISSUE_CREDENTIAL.value(row)
            for document in value.credentials or [detail.credential for detail in value.requested]:
                if record.thread_id == row.thid or (
                    record.thread_id is None and document.get("id") == record.credential_id
                ):
                    found: dict[str, Any] = document
                    return found
    return None


def state_said(result: VerificationResult | None) -> IssuedState | None:
    """What lists that were had just now say of the record; None where one was not.

    A kept list may be from before the revocation, so that only what it says of one counts.
    """
    check = next((c for c in result.checks if c.check is Check.STATUS), None) if result else None
    if check is None:
        return None
    if check.code == "status.none":
        return IssuedState.ACTIVE
    statuses = (check.details or {}).get("statuses", ())
    codes = {check.code} | {status["code"] for status in statuses}
    if "status.revoked" in codes:
        return IssuedState.REVOKED
    if not statuses or not all(_is_new(status) for status in statuses):
        return None
    return IssuedState.SUSPENDED if "status.suspended" in codes else IssuedState.ACTIVE


def _is_new(status: Mapping[str, Any]) -> bool:
    is_heard = status["outcome"] == Outcome.PASS.value or status["code"] == "status.suspended"
    return is_heard and not status.get("fromCache", True)
