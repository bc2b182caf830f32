"""The verifier: asks for records, checks what is presented, and checks again later."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from node.events.emit import emit
from node.events.types import VerificationCompleted
from node.roles.checker import Checker
from node.roles.checking import conclude, reason_code
from node.roles.lifetime import Lifetime, Terms
from node.roles.threads import PRESENT_PROOF
from node.roles.threads import situation as situation_of
from node.runtime.exchanges import Exchanges, Situation, require_waiting
from node.runtime.jobs import Jobs
from node.runtime.metrics import Metrics
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.policy import Policy
from protocols.credentials.verification import Check, CheckResult, Outcome, VerificationResult
from protocols.errors import WrongState
from protocols.exchange.presentation_exchange import check_submission, decode_proposal, parse_definition
from protocols.jsonld.processor import Processor
from protocols.machine import Decision, Step, Verify
from protocols.present_proof import machine
from storage import audit, connections, verifications
from storage.engine import Store, Transaction
from storage.exchanges import ExchangeRow
from storage.jobs import Job
from storage.verifications import Verification

__all__ = ["Verifier"]

_VERIFY = "verify-presentation"
_USUAL = Terms()
_QUERY_SPEC = "DIF Presentation Exchange 2.1 §6"


class Verifier:
    """What a person does as a verifier, and what presentations do."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        jobs: Jobs,
        checker: Checker,
        lifetime: Lifetime,
        world: World,
        metrics: Metrics,
        own_url: str,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._jobs = jobs
        self._checker = checker
        self._lifetime = lifetime
        self._world = world
        self._metrics = metrics
        self._domain = own_url
        exchanges.register(PRESENT_PROOF.protocol, {Verify: self._plan_verification}, {})
        jobs.register(_VERIFY, self._verify)

    async def request(
        self,
        connection_id: str,
        definition: dict[str, Any],
        terms: Terms = _USUAL,
    ) -> ExchangeRow:
        """Ask a peer for records (DIF Presentation Exchange definition), bound to a fresh challenge and this node.

        Raises:
            BadInput: ``pex.*`` where the definition is not one.
            WrongState: ``connection.unknown``.
        """
        parsed = parse_definition(definition)
        async with self._store.write() as tx:
            connection = await connections.get(tx, connection_id)
            step = self.request_step(parsed.raw, terms)
            return await self._exchanges.apply(tx, PRESENT_PROOF, connection, None, step)

    async def request_instead(
        self,
        exchange_id: str,
        definition: dict[str, Any],
        terms: Terms = _USUAL,
    ) -> ExchangeRow:
        """Answer what the peer proposed to show with a request of one's own making.

        Raises:
            BadInput: ``pex.*`` where the definition is not one.
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
        """
        parsed = parse_definition(definition)
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, PRESENT_PROOF)
            require_waiting(found.row, Decision.ANSWER_PRESENTATION_PROPOSAL)
            step = self.request_step(parsed.raw, terms, exchange=found.value)
            return await self._exchanges.apply(tx, found.kind, found.connection, found.row, step)

    async def approve(self, exchange_id: str) -> ExchangeRow:
        """Ask for what the peer proposed to show.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.not_waiting``.
            BadInput: ``pex.*`` where the proposal cannot be asked for.
        """
        async with self._store.write() as tx:
            found = await situation_of(tx, exchange_id, PRESENT_PROOF)
            require_waiting(found.row, Decision.ANSWER_PRESENTATION_PROPOSAL)
            definition = decode_proposal(found.value.proposed, definition_id=self._world.new_id())
            step = self.request_step(definition.raw, _USUAL, exchange=found.value)
            return await self._exchanges.apply(tx, found.kind, found.connection, found.row, step)

    async def verify_again(self, exchange_id: str, *, trust: Sequence[str] = ()) -> Verification:
        """Check a received presentation again as of now; status lists are asked for anew.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.nothing_presented``.
        """
        exchange = await self._presented(exchange_id)
        result = await self._check(exchange, self._checker.policies.verifier(trust=trust, refresh=True))
        async with self._store.write() as tx:
            return await self._keep(tx, exchange_id, exchange.presentation or {}, result)

    async def look_again(self, exchange_id: str, *, trust: Sequence[str] = ()) -> VerificationResult:
        """How a received presentation verifies now, by the status lists that are at hand; nothing is kept of it.

        Raises:
            WrongState: ``exchange.unknown``, ``exchange.nothing_presented``.
        """
        return await self._check(await self._presented(exchange_id), self._checker.policies.verifier(trust=trust))

    async def _presented(self, exchange_id: str) -> machine.Exchange:
        async with self._store.read() as tx:
            found = await situation_of(tx, exchange_id, PRESENT_PROOF)
        exchange: machine.Exchange = found.value
        if exchange.presentation is None:
            raise WrongState("exchange.nothing_presented", "Nothing was presented there.", "Ask first: lernode request")
        return exchange

    async def verify_document(
        self,
        document: dict[str, Any] | bytes | str,
        *,
        trust: Sequence[str] = (),
        any_issuer: bool = False,
        refresh: bool = True,
        challenge: str | None = None,
        domain: str | None = None,
    ) -> VerificationResult:
        """Check a credential or presentation, in whatever format it is; nothing is kept."""
        policy = self._checker.policies.verifier(trust=trust, any_issuer=any_issuer, refresh=refresh)
        return await self._checker.check(document, policy, challenge=challenge, domain=domain)

    def request_step(
        self,
        definition: dict[str, Any],
        terms: Terms,
        *,
        exchange: machine.Exchange | None = None,
        pthid: str | None = None,
    ) -> Step[machine.Exchange]:
        """The step that asks for records, with a challenge of its own; nothing is sent or kept of it."""
        return machine.request(
            definition,
            challenge=str(UUID(bytes=self._world.entropy(16), version=4)),  # ACA-Py reads no other form
            domain=self._domain,
            new_id=self._world.new_id,
            exchange=exchange,
            comment=terms.comment,
            pthid=pthid,
            expires=self._lifetime.until(terms.expires_in),
        )

    async def _plan_verification(self, tx: Transaction, situation: Situation, _effect: Verify) -> None:
        """Verify at once where nothing has to be waited for, else in a job."""

        async def look(checker: Checker) -> VerificationResult:
            return conclude(await self._check(situation.value, checker.policies.verifier(), checker), attempts=0)

        result = await self._checker.at_once(look)
        if result is None:
            await self._jobs.plan(tx, _VERIFY, situation.row.id)
        else:
            await self._conclude(tx, situation, result)

    async def _verify(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """The slow part, outside any transaction."""
        async with self._store.read() as tx:
            found = await situation_of(tx, job.exchange_id or "", PRESENT_PROOF)
        result = conclude(await self._check(found.value, self._checker.policies.verifier()), job.attempts)

        async def commit(tx: Transaction) -> None:
            await self._conclude(tx, await situation_of(tx, found.row.id, PRESENT_PROOF), result)

        return commit

    async def _conclude(self, tx: Transaction, current: Situation, result: VerificationResult) -> None:
        value: machine.Exchange = current.value
        if value.state is not machine.State.PRESENTATION_RECEIVED or value.presentation is None:
            return
        await self._keep(tx, current.row.id, value.presentation, result)
        step = machine.presentation_checked(
            value, verified=result.verified, code=reason_code(result), new_id=self._world.new_id
        )
        await self._exchanges.apply(
            tx, current.kind, current.connection, current.row, step, error_code=step.exchange.problem
        )

    async def _check(
        self, exchange: machine.Exchange, policy: Policy, checker: Checker | None = None
    ) -> VerificationResult:
        presentation = exchange.presentation or {}
        result = await (checker or self._checker).check(
            presentation,
            policy,
            expected="presentation",
            challenge=exchange.challenge,
            domain=self._checker.policies.domain_of(presentation, exchange.domain),
        )
        self._metrics.verifications.labels(str(result.verified).lower()).inc()
        query = _check_query(exchange.definition or {}, presentation, result, self._checker.policies.processor)
        return replace(result, checks=(*result.checks, query), required=result.required | {Check.QUERY})

    async def _keep(
        self, tx: Transaction, exchange_id: str, presentation: dict[str, Any], result: VerificationResult
    ) -> Verification:
        document = strict_json.dumps(presentation)
        verification = Verification(
            id=self._world.new_id(),
            exchange_id=exchange_id,
            document_digest=hashlib.sha256(document).hexdigest(),
            document=None,
            result=result.to_json(),
            verified=result.verified,
            at=self._world.clock(),
        )
        await verifications.add(tx, verification)
        await audit.append(
            tx,
            at=verification.at,
            event="presentation.verified" if result.verified else "presentation.not_verified",
            actor="policy",
            subjects=(exchange_id, verification.id),
            details={"code": reason_code(result)},
        )
        completed = VerificationCompleted(
            verification_id=verification.id,
            exchange_id=exchange_id,
            verified=result.verified,
            code=reason_code(result),
        )
        await emit(tx, self._world, completed)
        return verification


def _check_query(
    definition: dict[str, Any], presentation: dict[str, Any], result: VerificationResult, processor: Processor
) -> CheckResult:
    checked = check_submission(parse_definition(definition), presentation, processor=processor)
    answers = [result.credentials[at] for at in checked.credentials.values() if at < len(result.credentials)]
    if checked.ok and any(each.endorses and not each.verified for each in answers):
        reason = "What answers the query is an endorsement that is not verified."
        return CheckResult(Check.QUERY, Outcome.FAIL, "query.endorsement", reason, _QUERY_SPEC)
    if checked.ok:
        return CheckResult(Check.QUERY, Outcome.PASS, "ok", "The records answer what was asked.", _QUERY_SPEC)
    first = checked.problems[0]
    return CheckResult(Check.QUERY, Outcome.FAIL, first.code, first.message, _QUERY_SPEC)
