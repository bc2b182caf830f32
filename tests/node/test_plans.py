"""No step of a record's way reads more of a large table the longer the node has run: every query finds by an index."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from scripts.benchmark.bulk import fill
from storage import credentials, dids, exchanges
from storage.credentials import IssuedState
from storage.dids import DidPurpose
from storage.engine import Store, Transaction
from tests.node.nodes import WELDING, Nodes, asks_for, connect, exchange_in, give, issued
from tests.postgresql import new_store_url

_RECORDS = 3000
# What an institution has as many of as records, or more; of the rest there are as many as peers, keys or lists.
LARGE = {
    "audit", "events", "exchanges", "held_credentials", "inbox", "issued_credentials", "issued_statuses", "jobs",
    "receipts", "status_entries", "verifications",
}  # fmt: skip
# Indexes of nothing but what is asked for.
PARTIAL = {"exchanges_waiting_by_time"}
Statement = tuple[str, Sequence[Any]]


@pytest.fixture(params=["sqlite", "postgresql"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    made = Nodes(tmp_path, new_store_url if request.param == "postgresql" else None)
    yield made
    await made.stop_all()


@contextmanager
def listening(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """The statements that the store is asked for meanwhile."""
    heard: dict[str, Statement] = {}
    run = Transaction._run

    async def spy(self: Transaction, call: Callable[..., Any], sql: str, params: Sequence[Any]) -> Any:
        if self._usage is store.usage:
            one = params[0] if params and isinstance(params[0], (list, tuple)) else params
            heard.setdefault(sql, (sql, one))
        return await run(self, call, sql, params)

    found: list[Statement] = []
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "_run", spy)
        yield found
    found += heard.values()


async def scans(store: Store, statements: list[Statement]) -> list[str]:
    """How the engine would read a large table other than by what it looks for, one line each."""
    found = []
    async with store.write() as tx:
        if store.shared:
            # Small tables are read whole, whatever indexes there are; so see whether there is another way.
            await tx.execute("SET LOCAL enable_seqscan = off")
        for sql, params in statements:
            if store.shared:
                (row,) = await tx.all(f"EXPLAIN (FORMAT JSON) {sql}", params)
                problems = list(_read_whole(json.loads(row[0])[0]["Plan"]))
            else:
                plan = [str(row["detail"]) for row in await tx.all(f"EXPLAIN QUERY PLAN {sql}", params)]
                # A page without a filter is read in the order of an index, or of the rows, as far as the page goes.
                is_page = "WHERE" not in sql and "LIMIT" in sql and not any("TEMP B-TREE" in line for line in plan)
                whole = [
                    line
                    for line in plan
                    if line.startswith("SCAN ") and line.split()[1] in LARGE and line.split()[-1] not in PARTIAL
                ]
                problems = [] if is_page else whole
            found += [f"{problem}: {sql}" for problem in problems]
    return found


def _read_whole(plan: dict[str, Any]) -> Iterator[str]:
    table = plan.get("Relation Name")
    if table in LARGE and (
        plan["Node Type"] == "Seq Scan"
        or (plan["Node Type"].startswith("Index") and "Index Cond" not in plan and "Filter" in plan)
    ):
        yield f"{plan['Node Type']} of {table} by {plan.get('Index Name')} for {plan.get('Filter')}"
    for below in plan.get("Plans", ()):
        yield from _read_whole(below)


async def filled(nodes: Nodes) -> tuple[Node, Node, str]:
    """An issuer with many records, a learner that it knows, and the connection."""
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True})
    to_learner, _ = await connect(college, learner)
    async with college.store.read() as tx:
        own = await dids.default(tx, DidPurpose.ISSUER)
    assert own is not None
    await fill(
        college.store, college.world, issuer=own.did, connection_id=to_learner.id, document=b"{}", count=_RECORDS
    )
    async with college.store.write() as tx:
        await tx.execute("ANALYZE")
    return college, learner, to_learner.id


async def test_every_query_of_a_records_way_finds_what_it_wants_by_an_index(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    college, _learner, to_learner = await filled(nodes)
    with listening(college.store, monkeypatch) as statements:
        record = await give(college, to_learner)
        asked = await college.verifier.request(to_learner, asks_for())
        await exchange_in(college, asked.id)  # however it ended: the college does not trust itself
        await college.verifier.verify_again(asked.id)
        await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
        await college.issuer.set_status(record.id, "revocation", True, None)
    assert any("INSERT INTO issued_credentials" in sql for sql, _ in statements)
    assert any("INSERT INTO verifications" in sql for sql, _ in statements)
    assert await scans(college.store, statements) == []


async def test_every_page_of_records_and_exchanges_is_read_by_an_index(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    college, learner, _to_learner = await filled(nodes)
    other, _ = await connect(college, learner)
    (*_, last) = await issued(college)
    with listening(college.store, monkeypatch) as statements:
        async with college.store.read() as tx:
            for filters in (
                {},
                {"connection_id": other.id},
                {"achievement_id": "https://college.example/achievements/7"},
                {"subject": last.subject},
                {"state": IssuedState.REVOKED},
            ):
                await credentials.list_issued(tx, **filters)  # type: ignore[arg-type]
                await credentials.list_issued(tx, after=last.id, **filters)  # type: ignore[arg-type]
            assert await credentials.find_issued(tx, last.credential_id) == last
            assert await credentials.find_issued_by_prefix(tx, last.id[:8]) == [last]
            assert await exchanges.find_by_prefix(tx, str(last.exchange_id)[:8]) != []
            await exchanges.page(tx)
            await exchanges.page(tx, after=last.exchange_id)
            await exchanges.page(tx, exchanges.Filter(connection_id=other.id))
            await exchanges.page(tx, exchanges.Filter(waiting=True))
            await credentials.list_held(tx)
    assert await scans(college.store, statements) == []
