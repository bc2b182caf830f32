"""Who applies for a record by Credential Manifest: whether the DID that it is to be about has signed for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from node.roles.checker import Checker
from node.roles.checking import conclude, reason_code
from node.roles.threads import ISSUE_CREDENTIAL
from node.roles.threads import situation as situation_of
from node.runtime.exchanges import Exchanges, Situation
from node.runtime.jobs import Jobs
from node.runtime.world import World
from protocols.issue_credential import machine
from protocols.machine import Authenticate
from storage.engine import Store, Transaction
from storage.jobs import Job

__all__ = ["Applicants"]

_AUTHENTICATE = "authenticate-applicant"


class Applicants:
    """Authenticates who applies, before anybody decides whether to issue."""

    def __init__(
        self,
        *,
        store: Store,
        exchanges: Exchanges,
        jobs: Jobs,
        checker: Checker,
        world: World,
    ) -> None:
        self._store = store
        self._exchanges = exchanges
        self._jobs = jobs
        self._checker = checker
        self._world = world
        exchanges.register(ISSUE_CREDENTIAL.protocol, {Authenticate: self._plan}, {})
        jobs.register(_AUTHENTICATE, self._authenticate)

    async def _plan(self, tx: Transaction, situation: Situation, _effect: Authenticate) -> None:
        await self._jobs.plan(tx, _AUTHENTICATE, situation.row.id)

    async def _authenticate(self, job: Job) -> Callable[[Transaction], Awaitable[None]]:
        """The slow part, outside any transaction: resolving the DID may need the network."""
        async with self._store.read() as tx:
            found = await situation_of(tx, job.exchange_id or "", ISSUE_CREDENTIAL)
        value: machine.Exchange = found.value
        application, manifest = value.application, value.manifest
        if application is None or manifest is None:
            return _nothing
        checked = await self._checker.check(
            application,
            self._checker.policies.holder(),
            expected="presentation",
            challenge=manifest.challenge,
            domain=self._checker.policies.domain_of(application, manifest.domain),
        )
        result = conclude(checked, job.attempts)

        async def commit(tx: Transaction) -> None:
            current = await situation_of(tx, found.row.id, ISSUE_CREDENTIAL)
            if current.value.application != application:
                return
            step = machine.applicant_checked(
                current.value, ok=result.verified, code=reason_code(result), new_id=self._world.new_id
            )
            await self._exchanges.apply(
                tx, current.kind, current.connection, current.row, step, error_code=step.exchange.problem
            )

        return commit


async def _nothing(_tx: Transaction) -> None:
    """The exchange went on meanwhile; there is nothing to commit."""
