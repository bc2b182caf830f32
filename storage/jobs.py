"""Work that must be done once, also across a crash: verifying, fetching, publishing.

Promises: one job a (kind, exchange, subject), however often it is added. A job is due again after a crash, so whoever
does it commits the result and :func:`done` in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from storage.engine import Row, Transaction
from storage.errors import unknown
from storage.query import Query, bounded, placeholders
from storage.values import from_micros, to_micros

__all__ = [
    "Job",
    "JobState",
    "add",
    "bury",
    "claim",
    "done",
    "due",
    "get",
    "next_wake",
    "page",
    "prune",
    "release",
    "retry",
]

_PAYLOAD = "jobs.payload"


class JobState(StrEnum):
    """Where a job is: to be done, done, or given up."""

    QUEUED = "queued"
    DONE = "done"
    BURIED = "buried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work.

    Attributes:
        kind: what is to be done; the runtime has a worker for each kind.
        subject: sets jobs of one kind and exchange apart; empty where there is only one.
        payload: what the worker needs, JSON values.
        attempts: how often it failed.
        traceparent: the trace that it belongs to; None where none is known.
        lease: what ends the claim on it, see :func:`claim` and :func:`release`; 0 where nobody claimed it.
    """

    id: str
    kind: str
    exchange_id: str | None
    subject: str
    payload: Mapping[str, Any]
    run_at: datetime
    attempts: int
    state: JobState
    error_code: str | None
    lease: int
    traceparent: str | None


async def add(
    tx: Transaction,
    *,
    id: str,  # noqa: A002 - the name it has in the table
    kind: str,
    exchange_id: str | None,
    subject: str = "",
    payload: Mapping[str, Any],
    run_at: datetime,
    rearm: bool = False,
    traceparent: str | None = None,
) -> bool:
    """Plan a job; whether there is one to do that was not there before.

    Args:
        rearm: where the job exists and is finished, plan it anew; for work that recurs.
    """
    when = to_micros(run_at)
    inserted = await tx.execute(
        "INSERT INTO jobs (id, kind, exchange_id, subject, payload, run_at, traceparent, attempts, state) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 0, 'queued') ON CONFLICT DO NOTHING",
        (id, kind, exchange_id, subject, tx.sealing.seal_json(_PAYLOAD, id, payload), when, traceparent),
    )
    if inserted or not rearm:
        return inserted == 1
    row = await tx.one(
        "SELECT id FROM jobs WHERE kind = ? AND COALESCE(exchange_id, '') = ? AND subject = ? AND state <> 'queued'",
        (kind, exchange_id or "", subject),
    )
    if row is None:
        return False
    rearmed = await tx.execute(
        "UPDATE jobs SET payload = ?, run_at = ?, attempts = 0, state = 'queued', error_code = NULL WHERE id = ?",
        (tx.sealing.seal_json(_PAYLOAD, row["id"], payload), when, row["id"]),
    )
    return rearmed == 1


async def due(
    tx: Transaction,
    now: datetime,
    limit: int = 100,
    *,
    skip: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Job]:
    """The jobs to do now, the longest due first.

    Args:
        skip: ids of the jobs that are being done.
        longest: what there is at most between two attempts; see :meth:`storage.query.Query.due`.
    """
    query = Query("SELECT * FROM jobs").equal("state", JobState.QUEUED).due("run_at", now, longest)
    _without(query, skip)
    return [_from_row(tx, row) for row in await tx.all(*query.end("ORDER BY run_at, id LIMIT ?", bounded(limit)))]


async def claim(
    tx: Transaction,
    now: datetime,
    lease: timedelta,
    limit: int = 100,
    *,
    skip: Collection[str] = (),
    longest: timedelta | None = None,
) -> list[Job]:
    """As :func:`due`, and nobody else is given these jobs before ``lease`` is over by the database's clock."""
    ready = Query("SELECT id FROM jobs").equal("state", JobState.QUEUED).due("run_at", now, longest)
    ready.where("leased_until <= lernode_now()")
    _without(ready, skip)
    chosen, params = ready.end(f"ORDER BY run_at, id LIMIT ?{tx.skip_locked}", bounded(limit))
    rows = await tx.all(
        f"UPDATE jobs SET leased_until = lernode_now() + ? WHERE id IN ({chosen}) RETURNING *",  # noqa: S608
        (lease // timedelta(microseconds=1), *params),
    )
    return [_from_row(tx, row) for row in rows]


async def release(tx: Transaction, leases: Mapping[str, int]) -> None:
    """End claims before their time, given the lease of each job; those that somebody else has by now stay theirs."""
    rows = [(job_id, lease) for job_id, lease in sorted(leases.items())]
    await tx.execute_many("UPDATE jobs SET leased_until = 0 WHERE id = ? AND leased_until = ?", rows)


async def get(tx: Transaction, job_id: str) -> Job:
    """A job.

    Raises:
        WrongState: ``job.unknown``.
    """
    row = await tx.one("SELECT * FROM jobs WHERE id = ?", (job_id,))
    if row is None:
        raise unknown("job")
    return _from_row(tx, row)


async def done(tx: Transaction, job_id: str) -> None:
    """Note that a job is done; it stays as the memory that it need not be done again.

    Raises:
        WrongState: ``job.unknown``.
    """
    await _change(tx, "UPDATE jobs SET state = 'done', error_code = NULL WHERE id = ?", job_id)


async def retry(tx: Transaction, job_id: str, error_code: str, run_at: datetime) -> None:
    """Note that a job failed and is to be tried again at a time.

    Raises:
        WrongState: ``job.unknown``.
    """
    sql = (
        "UPDATE jobs SET state = 'queued', attempts = attempts + 1, error_code = ?, run_at = ?, leased_until = 0 "
        "WHERE id = ?"
    )
    await _change(tx, sql, error_code, to_micros(run_at), job_id)


async def bury(tx: Transaction, job_id: str, error_code: str) -> None:
    """Give a job up; it stays to be looked at.

    Raises:
        WrongState: ``job.unknown``.
    """
    sql = "UPDATE jobs SET state = 'buried', attempts = attempts + 1, error_code = ? WHERE id = ?"
    await _change(tx, sql, error_code, job_id)


async def next_wake(tx: Transaction, *, skip: Collection[str] = ()) -> datetime | None:
    """When the next job is due, which may be past; None where none waits."""
    query = Query("SELECT MIN(run_at) AS wake FROM jobs").equal("state", JobState.QUEUED)
    _without(query, skip)
    row = await tx.one(*query.end())
    return None if row is None else from_micros(row["wake"])


async def page(
    tx: Transaction, *, state: JobState | None = None, after: str | None = None, limit: int = 100
) -> list[Job]:
    """Jobs, the latest to run first; ``after`` is the id of the last one of the page before."""
    query = Query("SELECT * FROM jobs").equal("state", state)
    return [_from_row(tx, row) for row in await tx.all(*query.newest_first("jobs", "run_at", after, limit))]


async def prune(tx: Transaction, before: datetime) -> int:
    """Forget the jobs that were done and were planned before a time; how many that were."""
    return await tx.execute("DELETE FROM jobs WHERE state = 'done' AND run_at < ?", (to_micros(before),), bulk=True)


async def _change(tx: Transaction, sql: str, *params: str | int) -> None:
    if not await tx.execute(sql, params):
        raise unknown("job")


def _without(query: Query, ids: Collection[str]) -> None:
    if ids:
        query.where(f"id NOT IN ({placeholders(len(ids))})", *ids)


def _from_row(tx: Transaction, row: Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        exchange_id=row["exchange_id"],
        subject=row["subject"],
        payload=tx.sealing.open_json(_PAYLOAD, row["id"], row["payload"]),
        run_at=from_micros(row["run_at"]),
        attempts=row["attempts"],
        state=JobState(row["state"]),
        error_code=row["error_code"],
        lease=row["leased_until"],
        traceparent=row["traceparent"],
    )
