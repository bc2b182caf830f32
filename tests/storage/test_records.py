"""Held and issued records, fetched documents, verification results, jobs, and the audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadInput, WrongState
from storage import audit, credentials, documents, jobs, status_lists, verifications
from storage.credentials import IssuedState, Skill, StatusRef
from storage.documents import CachedDocument
from storage.engine import Store
from storage.jobs import JobState
from storage.secrets import Vault
from storage.values import from_micros, to_json, to_micros
from storage.verifications import Verification
from tests.storage.rows import NOW, add_exchange, add_peer, at, entropy, held, issued

WELDING = Skill(code="S4.2", name="Weld Metal Parts", framework="ESCO", url="http://data.europa.eu/esco/skill/1")
READING = Skill(code=None, name="100%_sure reading", framework=None, url=None)


async def test_a_held_record_comes_back_byte_for_byte(store: Store, vault: Vault) -> None:
    record = held(exchange_id="e1", skills=(WELDING, READING), valid_until=at(60))
    async with store.write() as tx:
        await add_exchange(tx, vault)
        await credentials.add_held(tx, record)
    async with store.read() as tx:
        assert await credentials.get_held(tx, "h1") == record
        assert await credentials.held_of_exchange(tx, "e1") == [record]
        assert await credentials.held_of_exchange(tx, "e2") == []
        assert await credentials.find_held_by_prefix(tx, "h") == [record]
        with pytest.raises(WrongState) as caught:
            await credentials.get_held(tx, "h2")
        assert caught.value.code == "record.unknown"


async def test_the_records_of_an_exchange_are_kept_in_their_order(store: Store, vault: Vault) -> None:
    brought = [held("h9", exchange_id="e1"), held("h1", exchange_id="e1", position=1)]
    given = [issued("i9", exchange_id="e1"), issued("i1", exchange_id="e1", position=1)]
    async with store.write() as tx:
        await add_exchange(tx, vault)
        for record in brought[::-1]:
            await credentials.add_held(tx, record)
        await credentials.add_issued(tx, *given[::-1])
    async with store.read() as tx:
        assert await credentials.held_of_exchange(tx, "e1") == brought
        assert await credentials.issued_of_exchange(tx, "e1") == given


async def test_an_exchange_brings_each_record_once(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        await credentials.add_held(tx, held(exchange_id="e1"))
        with pytest.raises(WrongState) as caught:
            await credentials.add_held(tx, held("h2", exchange_id="e1", skills=(WELDING,)))
        assert caught.value.code == "record.exists"
        assert len(await credentials.list_held(tx)) == 1
        # Files bring records without an exchange, as many as there are.
        for name in ("f1", "f2"):
            await credentials.add_held(tx, held(name))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["h3", "h2", "h1"]),
        ({"text": "WELDING"}, ["h1"]),
        ({"text": "welding college"}, ["h1"]),
        ({"text": "welding cooking"}, []),
        ({"text": "strasse"}, ["h2"]),
        ({"text": "weld metal"}, ["h3", "h1"]),
        ({"text": "%"}, ["h3"]),
        ({"text": "_"}, ["h3"]),
        ({"text": "!"}, []),
        ({"text": "' OR 1=1 --"}, []),
        ({"skill": "s4.2"}, ["h3", "h1"]),
        ({"skill": "metal"}, ["h3", "h1"]),
        ({"skill": WELDING.url}, ["h3", "h1"]),
        ({"skill": "100%"}, ["h3"]),
        ({"skill": "cooking"}, []),
        ({"limit": 1}, ["h3"]),
        ({"after": "h3", "limit": 1}, ["h2"]),
        ({"text": "college", "after": "h2"}, ["h1"]),
    ],
)
async def test_held_records_are_searched_by_text_and_skill(
    store: Store, filters: dict[str, Any], expected: list[str]
) -> None:
    async with store.write() as tx:
        await credentials.add_held(tx, held("h1", skills=(WELDING,)))
        await credentials.add_held(tx, held("h2", name="Straße fegen", stored_at=at(1)))
        await credentials.add_held(tx, held("h3", name="Two things", skills=(READING, WELDING), stored_at=at(2)))
        assert [record.id for record in await credentials.list_held(tx, **filters)] == expected


async def test_a_search_has_bounds(store: Store) -> None:
    async with store.read() as tx:
        with pytest.raises(BadInput) as caught:
            await credentials.list_held(tx, text="x" * 201)
        assert caught.value.code == "store.search_too_long"
        assert await credentials.list_held(tx, text="a " * 10_000, limit=10**9) == []


async def test_an_issued_record_keeps_its_places_in_status_lists(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        places = []
        for purpose in ("revocation", "suspension"):
            place = await status_lists.allocate(
                tx, terms=status_lists.Terms(purpose), exchange_id="e1", entropy=entropy, now=NOW
            )
            places.append(StatusRef(purpose=purpose, list_id=place.list_id, index=place.index))
        record = issued(exchange_id="e1", connection_id="c1", statuses=tuple(places))
        await credentials.add_issued(tx, record)
    async with store.write() as tx:
        assert await credentials.get_issued(tx, "i1") == record
        assert await credentials.issued_of_exchange(tx, "e1") == [record]
        assert await credentials.find_issued(tx, "urn:uuid:i1") == record
        assert await credentials.find_issued_by_prefix(tx, "i") == [record]
        await credentials.set_issued_state(tx, "i1", IssuedState.REVOKED)
        assert await credentials.get_issued(tx, "i1") == replace(record, state=IssuedState.REVOKED)


@pytest.mark.parametrize(
    "twin", [issued("i2", exchange_id="e1"), issued("i2", credential_id="urn:uuid:i1"), issued("i1")]
)
async def test_a_record_is_issued_once(store: Store, vault: Vault, twin: credentials.IssuedCredential) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        await credentials.add_issued(tx, issued(exchange_id="e1"))
        with pytest.raises(WrongState) as caught:
            await credentials.add_issued(tx, twin)
        assert caught.value.code == "issued_record.exists"
        assert len(await credentials.list_issued(tx)) == 1


async def test_two_records_never_share_a_status_index(store: Store) -> None:
    async with store.write() as tx:
        place = await status_lists.allocate(
            tx, terms=status_lists.Terms("revocation"), exchange_id="x", entropy=entropy, now=NOW
        )
        status = StatusRef(purpose="revocation", list_id=place.list_id, index=place.index)
        await credentials.add_issued(tx, issued("i1", statuses=(status,)))
    free = replace(status, index=place.index ^ 1)
    for bad in (status, free):
        with pytest.raises(WrongState):
            async with store.write() as tx:
                await credentials.add_issued(tx, issued("i2", statuses=(bad,)))
    async with store.read() as tx:
        assert len(await credentials.list_issued(tx)) == 1


async def test_issued_records_are_filtered(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        await credentials.add_issued(tx, issued("i1", connection_id="c1"))
        await credentials.add_issued(tx, issued("i2", achievement_id="a2", issued_at=at(1)))
        await credentials.add_issued(tx, issued("i3", subject="did:x", state=IssuedState.SUSPENDED, issued_at=at(2)))
        found = {
            str(filters): [record.id for record in await credentials.list_issued(tx, **filters)]
            for filters in (
                {},
                {"connection_id": "c1"},
                {"achievement_id": "a2"},
                {"subject": "did:x"},
                {"state": IssuedState.ACTIVE},
                {"after": "i2"},
            )
        }
    assert list(found.values()) == [["i3", "i2", "i1"], ["i1"], ["i2"], ["i3"], ["i2", "i1"], ["i1"]]


async def test_a_newer_copy_replaces_an_older_one_and_never_the_reverse(store: Store) -> None:
    newer = CachedDocument(key="https://a.example", body=b"2", etag="e2", fetched_at=at(10), meta={"ttl": 60})
    older = CachedDocument(key="https://a.example", body=b"1", fetched_at=NOW)
    async with store.write() as tx:
        await documents.put(tx, older)
        assert await documents.find(tx, newer.key) == older
        await documents.put(tx, newer)
        await documents.put(tx, older)
        assert await documents.find(tx, newer.key) == newer
        assert await documents.prune(tx, at(10)) == 0
        assert await documents.prune(tx, at(11)) == 1
        await documents.put(tx, newer)
        await documents.delete(tx, newer.key)
        assert await documents.find(tx, newer.key) is None


def verification(name: str, seconds: float, *, verified: bool = True, exchange_id: str | None = "e1") -> Verification:
    return Verification(
        id=name,
        exchange_id=exchange_id,
        document_digest="00" * 32,
        document=b"{}",
        result={"verified": verified, "checks": []},
        verified=verified,
        at=at(seconds),
    )


async def test_the_latest_verification_of_an_exchange_is_found(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        first, second = verification("v1", 1), verification("v2", 2, verified=False)
        for one in (second, first, verification("v3", 3, exchange_id=None)):
            await verifications.add(tx, one)
        assert await verifications.latest(tx, "e1") == second
        assert await verifications.latest(tx, "e2") is None
        assert await verifications.page(tx, exchange_id="e1") == [second, first]
        assert await verifications.get(tx, "v1") == first
        with pytest.raises(WrongState) as caught:
            await verifications.add(tx, first)
        assert caught.value.code == "verification.exists"


async def plan(tx: Any, name: str, **changes: Any) -> bool:
    values: dict[str, Any] = {"kind": "verify", "exchange_id": None, "payload": {"n": 1}, "run_at": NOW}
    return await jobs.add(tx, id=name, **(values | changes))


async def test_a_job_is_planned_once_also_when_it_is_done(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        assert await plan(tx, "j1", exchange_id="e1")
        assert not await plan(tx, "j2", exchange_id="e1")
        assert await plan(tx, "j3")
        assert not await plan(tx, "j4")
        assert await plan(tx, "j5", subject="s")
        await jobs.done(tx, "j1")
        assert not await plan(tx, "j6", exchange_id="e1")
        assert [job.id for job in await jobs.due(tx, NOW)] == ["j3", "j5"]


async def test_recurring_work_is_planned_anew_once_it_is_done(store: Store) -> None:
    async with store.write() as tx:
        assert await plan(tx, "j1", rearm=True)
        assert not await plan(tx, "j2", rearm=True)
        await jobs.done(tx, "j1")
        assert await plan(tx, "j3", rearm=True, run_at=at(9), payload={"n": 2})
        job = await jobs.get(tx, "j1")
        assert (job.state, job.run_at, job.payload) == (JobState.QUEUED, at(9), {"n": 2})


async def test_a_job_planned_by_a_clock_that_was_ahead_does_not_wait_for_that_time(store: Store) -> None:
    async with store.write() as tx:
        await plan(tx, "j1", run_at=at(7200))
        await plan(tx, "j2", subject="s", run_at=at(90))
        longest = timedelta(seconds=100)
        assert [job.id for job in await jobs.due(tx, at(0), longest=longest)] == ["j1"]
        assert [job.id for job in await jobs.claim(tx, at(0), timedelta(seconds=9), longest=longest)] == ["j1"]


async def test_a_job_waits_for_its_time_and_is_retried_or_buried(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_exchange(tx, vault)
        await plan(tx, "j1", run_at=at(5))
        await plan(tx, "j2", exchange_id="e1", run_at=at(7))
        assert await jobs.due(tx, at(4)) == []
        assert await jobs.next_wake(tx) == at(5)
        assert await jobs.next_wake(tx, skip=["j1"]) == at(7)
        assert [job.id for job in await jobs.due(tx, at(9), skip=["j1"])] == ["j2"]
        await jobs.retry(tx, "j1", "status.unreachable", at(50))
        await jobs.bury(tx, "j2", "status.malformed")
        (job,) = await jobs.due(tx, at(50))
        assert (job.id, job.attempts, job.error_code) == ("j1", 1, "status.unreachable")
        assert [job.id for job in await jobs.page(tx, state=JobState.BURIED)] == ["j2"]
        await jobs.done(tx, "j1")
        assert await jobs.next_wake(tx) is None
        assert await jobs.prune(tx, at(51)) == 1
        for change in (jobs.done(tx, "j1"), jobs.retry(tx, "j1", "x.y", NOW), jobs.bury(tx, "j1", "x.y")):
            with pytest.raises(WrongState) as caught:
                await change
            assert caught.value.code == "job.unknown"


async def trail(store: Store, count: int = 6) -> None:
    async with store.write() as tx:
        for number in range(count):
            await audit.append(
                tx,
                at=at(number),
                event="credential.issued" if number % 2 else "connection.made",
                actor="operator",
                subjects=(f"id{number}", f"under_score{number}"),
                details={"n": number},
            )


async def test_the_trail_holds_and_can_be_filtered(store: Store) -> None:
    await trail(store)
    async with store.read() as tx:
        assert await audit.verify_chain(tx) == audit.ChainReport(6, None)
        everything = await audit.page(tx)
        assert [entry.seq for entry in everything] == [1, 2, 3, 4, 5, 6]
        assert (everything[2].subjects, everything[2].details, everything[2].at) == (
            ("id2", "under_score2"),
            {"n": 2},
            at(2),
        )
        assert (everything[-1].seq, everything[-1].hash) == await audit.head(tx)
        assert [entry.seq for entry in await audit.page(tx, after=2, limit=2)] == [3, 4]
        assert [entry.seq for entry in await audit.page(tx, event="credential.issued")] == [2, 4, 6]
        assert [entry.seq for entry in await audit.page(tx, subject="id3")] == [4]
        for part in ("id", "%", "under-score3"):
            assert await audit.page(tx, subject=part) == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit WHERE seq = 6"])
async def test_the_trail_refuses_changes(store: Store, statement: str) -> None:
    await trail(store)
    with pytest.raises(WrongState):
        async with store.write() as tx:
            await tx.execute(statement)
    async with store.read() as tx:
        assert await audit.verify_chain(tx) == audit.ChainReport(6, None)


@pytest.mark.parametrize(
    ("forgery", "broken_at"),
    [
        ("UPDATE audit SET details = '{}' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET prev_hash = hash WHERE seq = 4", 4),
        ("UPDATE audit SET hash = prev_hash WHERE seq = 6", 6),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 1", 1),
    ],
)
async def test_a_change_behind_the_database_is_found(store: Store, forgery: str, broken_at: int) -> None:
    await trail(store)
    async with store.write() as tx:
        on = " ON audit" if store.shared else ""
        await tx.execute(f"DROP TRIGGER audit_no_update{on}")
        await tx.execute(f"DROP TRIGGER audit_no_delete{on}")
        await tx.execute(forgery)
    async with store.read() as tx:
        assert await audit.verify_chain(tx) == audit.ChainReport(broken_at - 1, broken_at)


async def test_the_chain_is_one_however_many_write(store: Store) -> None:
    import asyncio

    await asyncio.gather(*(trail(store, 3) for _ in range(10)))
    async with store.read() as tx:
        assert await audit.verify_chain(tx) == audit.ChainReport(30, None)


@pytest.mark.parametrize("bad", [{"x": float("nan")}, {"x": {1}}, {"x": "\ud800"}])
def test_what_is_not_json_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        to_json(bad)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_exactly(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_a_time_is_one_moment_in_any_zone_and_none_without() -> None:
    assert to_micros(NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))) == to_micros(NOW)
    with pytest.raises(BadInput):
        to_micros(datetime(2026, 1, 1))  # noqa: DTZ001
