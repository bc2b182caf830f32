"""What is kept of a person goes for good when asked, a signed report says so, and what verifiers rely on stays."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from node.app import Node
from node.roles.erasing import REPORT_TYPE, Erasure
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from protocols.did import peer4
from protocols.didcomm.message import Wire
from protocols.errors import WrongState
from protocols.jose import read_jws
from protocols.jsonld.processor import DEFAULT
from protocols.strict_json import loads_object
from storage import attached, audit, connections, credentials, dids, events, exchanges, invitations, status_lists
from storage.dids import DidPurpose
from storage.engine import Transaction
from storage.erasure import OF_CONNECTION, OF_EXCHANGE
from storage.exchanges import ExchangeRow
from tests.node.conftest import Town
from tests.node.nodes import (
    WELDING,
    Nodes,
    asks_for,
    connect,
    eventually,
    exchange_in,
    give,
    held,
    issued,
    settled,
    tables,
)


def report_of(done: Erasure) -> dict[str, Any]:
    assert done.report is not None
    return loads_object(read_jws(done.report.report).payload)


async def contents(node: Node) -> str:
    """All that can be read of a node's store with its keys: rows as they are, and what is sealed, opened."""
    async with node.store.read() as tx:
        opened = [
            *(repr(row) for row in await exchanges.page(tx, limit=1000)),
            *(repr(row) for row in await credentials.list_issued(tx, limit=1000)),
            *(repr(row) for row in await credentials.list_held(tx, limit=1000)),
            *(repr(row) for row in await audit.page(tx, limit=1000)),
            *(repr(row) for row in await events.page(tx, after=0, limit=1000)),
        ]
        names = await tx.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for (name,) in (tuple(row) for row in names):
            opened += [repr(tuple(row)) for row in await tx.all(f"SELECT * FROM {name}")]
    return "\n".join(opened)


async def test_an_erased_peer_leaves_nothing_but_status_bits_digests_and_a_signed_report(town: Town) -> None:
    college = town.college
    record = await give(college, town.college_to_learner.id)
    await college.issuer.set_status(record.id, "revocation", True, "cheated")
    assert record.subject is not None
    peer_did = town.college_to_learner.their_did or "?"
    before = await contents(college)
    assert record.subject in before
    done = await college.erasing.erase_peer(town.college_to_learner.id)

    after = await contents(college)
    for personal in (record.subject, peer_did, town.college_to_learner.their_verkey or "?", record.credential_id):
        assert personal not in after
    raw = b"".join(path.read_bytes() for path in college.home.glob("node.sqlite*"))
    assert peer_did.encode() not in raw
    assert await issued(college) == []
    async with college.store.read() as tx:
        for ref in record.statuses:
            entry = await status_lists.get_entry(tx, ref.list_id, ref.index)
            assert (entry.value, entry.reason) == (int(ref.purpose == "revocation"), None)
        assert (await audit.verify_chain(tx)).broken_at is None

    jws = read_jws(done.report.report if done.report else "")
    assert jws.header["typ"] == REPORT_TYPE
    report = report_of(done)
    assert report["iss"].startswith("did:web:")
    assert {one["what"] for one in report["deleted"]} >= {"issued_record", "exchange", "connection"}
    assert {(one["purpose"], one["value"]) for one in report["kept"]} == {("revocation", 1), ("suspension", 0)}
    assert record.subject not in str(report)
    assert (await town.employer.verifier.verify_document(record.document)).verified is False, "still revoked for others"


async def test_the_report_is_signed_by_the_node(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    done = await town.college.erasing.erase_peer(town.college_to_learner.id)
    assert done.report is not None
    jws = read_jws(done.report.report)
    document = await town.employer.resolver.resolve(report_of(done)["iss"])
    assert jws.holds_under(document.method_for(jws.kid or "", "assertionMethod").key)


async def test_a_subject_is_erased_where_its_data_went_and_its_connections_are_named(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    assert record.subject is not None
    assert record.subject in await contents(town.employer)
    tried = await town.employer.erasing.erase_subject(record.subject, dry_run=True)
    assert tried.report is None
    assert record.subject in await contents(town.employer)
    done = await town.employer.erasing.erase_subject(record.subject)
    assert {one.what for one in done.erased} == {"exchange", "verification"}
    assert list(done.related) == [town.employer_to_learner.id]
    assert record.subject not in await contents(town.employer)
    assert len(await held(town.learner)) == 1, "at others' nodes nothing changes"


@pytest.mark.parametrize("wire", [Wire.V1, Wire.V2])
async def test_an_offer_by_a_link_that_nobody_answered_is_erased_with_its_link(nodes: Nodes, wire: Wire) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner")
    award = Award(achievement_id=WELDING, name="Ada Byron", email="ada@example.org")
    made = await college.links.offer(award, Terms(), wire=wire)
    other = await college.links.offer(replace(award, name="Bob", email="bob@example.org"), Terms(), wire=wire)
    done = await college.erasing.erase_subject("ada@example.org")
    assert [(one.what, one.id) for one in done.erased] == [("invitation", made.id)]
    async with college.store.read() as tx:
        assert await attached.find(tx, made.id) is None
        assert await invitations.find(tx, made.id) is None
        assert await attached.find(tx, other.id) is not None
    await learner.peering.accept(made.url)
    await settled(learner)
    await settled(college)
    assert await issued(college) == []
    async with college.store.read() as tx:
        assert await connections.page(tx) == []


async def test_the_offer_that_a_peer_came_in_by_goes_with_the_peer(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    made = await college.links.offer(Award(achievement_id=WELDING, name="Ada Byron"), Terms())
    await learner.peering.accept(made.url)
    row = await waiting_or_begun(college)
    await exchange_in(college, row.id, "done")
    await college.erasing.erase_peer(row.connection_id)
    async with college.store.read() as tx:
        assert await invitations.find(tx, made.id) is None


async def waiting_or_begun(node: Node) -> ExchangeRow:
    async def probe(tx: Transaction) -> ExchangeRow | None:
        return next((row for row in await exchanges.page(tx) if "issue-credential" in row.protocol), None)

    return await eventually(node, probe)


async def test_a_trial_changes_nothing(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    await settled(town.college)
    before = await tables(town.college.store)
    found = await town.college.erasing.erase_peer(town.college_to_learner.id, dry_run=True)
    assert {"issued_record", "connection"} <= {one.what for one in found.erased}
    assert await tables(town.college.store) == before


async def test_a_list_that_is_sent_again_does_not_issue_anew_what_was_erased(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    awards = {
        name: Award(achievement_id=WELDING, email=f"{name}@example.org", name=name.title()) for name in ("ada", "bob")
    }
    first = await college.issuer.issue_rows("class", WELDING, awards)
    assert all(row.record for row in first)
    done = await college.erasing.erase_subject("ada@example.org")
    assert [one.what for one in done.erased] == ["issued_record"]
    assert "ada@example.org" not in await contents(college)
    again = await college.issuer.issue_rows("class", WELDING, awards)
    assert [row.problem.code if row.problem else None for row in again] == ["record.erased", None]
    assert len(await issued(college)) == 1


async def test_a_peer_that_was_erased_is_a_stranger_and_can_connect_anew(town: Town) -> None:
    await town.college.erasing.erase_peer(town.college_to_learner.id)
    await connect(town.college, town.learner)


async def test_whom_nothing_names_cannot_be_erased(town: Town) -> None:
    async with town.learner.store.read() as tx:
        own = await dids.default(tx, DidPurpose.HOLDER)
    assert own is not None
    for name, code in (("did:example:nobody", "erasure.nothing"), (own.did, "erasure.own_did")):
        with pytest.raises(WrongState) as refused:
            await town.learner.erasing.erase_subject(name)
        assert refused.value.code == code
    with pytest.raises(WrongState) as unknown:
        await town.learner.erasing.erase_peer("nobody")
    assert unknown.value.code == "connection.unknown"


async def test_every_table_that_refers_to_what_is_erased_is_thought_of(nodes: Nodes) -> None:
    node = await nodes.make("college")
    refers: dict[str, set[str]] = {}
    async with node.store.read() as tx:
        tables_ = await tx.all("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
        for name, sql in (tuple(row) for row in tables_):
            for target in re.findall(r"REFERENCES\s+\"?(\w+)", sql or ""):
                refers.setdefault(target, set()).add(name)
    assert refers["exchanges"] <= set(OF_EXCHANGE)
    assert refers["connections"] <= set(OF_CONNECTION)
    for handled in (OF_EXCHANGE, OF_CONNECTION):
        for table, sql in handled.items():
            if sql.startswith("DELETE") and table not in {"exchanges", "issued_credentials"}:
                assert refers.get(table, set()) <= set(handled), table
    assert refers["issued_credentials"] == {"issued_statuses"}
    assert refers["held_credentials"] == {"record_skills"}


async def test_an_erased_peer_is_in_no_memory_of_the_process_either(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    record = await give(college, to_learner.id)
    await settled(college)
    await nodes.stop(learner)  # what the memories of modules hold is of the college alone
    short = peer4.shortest(to_learner.their_did or "")
    for _ in range(2):  # what stands in one document only is not kept
        await college.verifier.verify_document(record.document)
        await college.peer_documents.resolve(short)
    async with college.store.write() as tx:
        await connections.get(tx, to_learner.id)
    in_memory = (
        lambda: connections._kept.cache_info().currsize,
        lambda: len(college.peer_documents._known),
        lambda: len(college.resolver._known),
        lambda: len(DEFAULT._scopes.memory._kept) + len(DEFAULT._kept),
    )
    assert all(count() for count in in_memory)
    await college.erasing.erase_peer(to_learner.id, dry_run=True)
    assert all(count() for count in in_memory)
    await college.erasing.erase_peer(to_learner.id)
    assert [count() for count in in_memory] == [0, 0, 0, 0]
