"""A holder hears of a revocation, and believes the status list only (RFC 0183, RFC 0721)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from node.app import Node
from node.roles.issuer import Award
from node.roles.revocations import REVOCATION_NOTIFICATION
from node.roles.threads import ISSUE_CREDENTIAL
from node.runtime.world import World
from protocols.didcomm.message import PlainMessage
from protocols.machine import Send, Step
from protocols.revocation_notification import machine
from protocols.revocation_notification.messages import LD_PROOF_VC, Named
from storage import credentials, exchanges
from storage.credentials import HeldCredential, IssuedState
from storage.engine import Transaction
from storage.exchanges import ExchangeRow
from tests.node.conftest import Town
from tests.node.nodes import (
    WELDING,
    Clock,
    Nodes,
    asks_for,
    connect,
    connection_in,
    eventually,
    exchange_in,
    give,
    held,
    other_end,
    settled,
    tables,
)
from tests.node.test_metrics import scraped
from tests.node.wire_peer import WirePeer, new_id

BASE = "https://didcomm.org/revocation_notification"
KINDS = {kind.protocol for kind in REVOCATION_NOTIFICATION.values()}


async def notice(node: Node, *states: str) -> ExchangeRow:
    async def probe(tx: Transaction) -> ExchangeRow | None:
        found = [row for row in await exchanges.page(tx) if row.protocol in KINDS]
        return next((row for row in found if row.state in states), None)

    return await eventually(node, probe)


async def state_of(node: Node) -> HeldCredential:
    (record,) = await held(node)
    return record


async def test_a_revocation_reaches_the_holder_and_the_issuer_hears_that_it_did(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    assert (await state_of(town.learner)).state is IssuedState.ACTIVE
    await town.college.issuer.set_status(record.id, "revocation", True, "a secret reason")
    told = await notice(town.college, "done")
    assert told.protocol == f"{BASE}/2"
    mine = await other_end(town.learner, told, "done")
    assert (mine.role, mine.error_code) == ("holder", None)
    kept = await state_of(town.learner)
    assert kept.state is IssuedState.REVOKED
    assert kept.state_at is not None
    assert b"secret reason" not in mine.data


async def test_a_peer_that_speaks_version_1_only_is_told_by_the_thread(town: Town) -> None:
    await town.nodes.stop(town.learner)
    config = town.learner.home / "lernode.toml"
    text = config.read_text(encoding="utf-8")
    line = 'disclose_features = ["*/revocation_notification/1.*"]'
    config.write_text(text.replace("[policy]", f"[policy]\n{line}"), encoding="utf-8")
    learner = await town.nodes.again(town.learner)
    record = await give(town.college, town.college_to_learner.id)
    asked = await town.college.discovery.ask(town.college_to_learner.id, ["*"], 2)
    await exchange_in(town.college, asked.id)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    told = await notice(town.college, "done")
    assert told.protocol == f"{BASE}/1"
    assert (await state_of(learner)).state is IssuedState.REVOKED


async def test_a_holder_that_was_away_hears_of_it_when_it_is_back(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    await town.nodes.stop(town.learner)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    learner = await town.nodes.again(town.learner)
    await notice(town.college, "done")
    assert (await state_of(learner)).state is IssuedState.REVOKED


class Still(Clock):
    """A clock that goes only when it is put forward."""

    def __init__(self) -> None:
        super().__init__()
        self._moment = super().__call__()

    def __call__(self) -> datetime:
        return self._moment + self.ahead


async def test_a_notice_that_overtakes_its_record_waits_for_it(nodes: Nodes) -> None:
    clock = Still()
    college = await nodes.make("college", issuer=True, policy={"issue_on_request": False})
    learner = await nodes.make("learner", world=World(clock=clock), policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    asked = await exchange_in(college, offered.id, "request-received")
    promised = ISSUE_CREDENTIAL.value(asked).offer[0].credential["id"]
    named = Named(revocation_format=LD_PROOF_VC, credential_id=promised)
    await say(college, to_learner.id, machine.notify(named, new_id=new_id))
    await notice(learner, "revoke-received")
    await college.issuer.approve(offered.id)
    await exchange_in(college, offered.id, "done")
    async with college.store.write() as tx:
        (record,) = await credentials.issued_of_exchange(tx, offered.id)
        (place,) = [ref for ref in record.statuses if ref.purpose == "revocation"]
        assert await college.publisher.set(tx, place, 1, None)
    assert (await state_of(learner)).state is IssuedState.ACTIVE
    clock.advance(seconds=30)
    await notice(learner, "done")
    assert (await state_of(learner)).state is IssuedState.REVOKED


async def test_a_suspension_is_no_revocation_and_nobody_is_told_of_one(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    await town.college.issuer.set_status(record.id, "suspension", True, None)
    async with town.college.store.read() as tx:
        assert not [row for row in await exchanges.page(tx) if row.protocol in KINDS]


async def test_a_record_without_a_connection_is_revoked_all_the_same(town: Town) -> None:
    record = await town.college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    revoked = await town.college.issuer.set_status(record.id, "revocation", True, None)
    assert revoked.state is IssuedState.REVOKED


async def say(node: Node, connection_id: str, step: Step[Any]) -> None:
    """Send what no honest issuer would, from a node that is a peer."""
    connection = await connection_in(node, connection_id)
    async with node.store.write() as tx:
        for effect in step.effects:
            assert isinstance(effect, Send)
            await node.outbox.put(tx, connection, effect.message)


async def test_a_notice_of_a_record_that_is_not_revoked_is_not_believed(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    named = Named(revocation_format=LD_PROOF_VC, credential_id=record.credential_id)
    await say(town.college, town.college_to_learner.id, machine.notify(named, new_id=new_id))
    ended = await notice(town.learner, "abandoned")
    assert ended.error_code == "revocation_notification.not_revoked"
    assert (await state_of(town.learner)).state is IssuedState.ACTIVE


async def test_another_peer_cannot_speak_for_the_issuer(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    assert record.exchange_id is not None
    async with town.college.store.read() as tx:
        thread = (await exchanges.get(tx, record.exchange_id)).thid
    names = (Named(revocation_format=LD_PROOF_VC, credential_id=record.credential_id), Named(thread_id=thread))
    for named in names:
        await say(town.employer, town.employer_to_learner.id, machine.notify(named, new_id=new_id))
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    await exchange_in(town.employer, asked.id)  # what was said before has arrived
    async with town.learner.store.read() as tx:
        assert not [row for row in await exchanges.page(tx) if row.protocol in KINDS]
    assert (await state_of(town.learner)).state_at is None


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("1.0", {"thread_id": "unknown"}),
        ("2.0", {"revocation_format": "indy-anoncreds", "credential_id": "a:4:b::1"}),
        ("2.0", {"revocation_format": "aries/ld-proof-vc@v1.0", "credential_id": "urn:uuid:unknown"}),
        ("2.0", {"revocation_format": "aries/ld-proof-vc@v1.0", "credential_id": ""}),
    ],
)
async def test_a_notice_of_what_the_node_does_not_hold_is_ignored(
    town: Town, peer: WirePeer, name: str, body: dict[str, Any]
) -> None:
    await give(town.college, town.college_to_learner.id)
    await peer.connect(town.learner)
    await settled(town.learner)
    before = await tables(town.learner.store)
    message_id = new_id()
    message = PlainMessage(f"{BASE}/{name}/revoke", message_id, message_id, body=body)
    assert (await peer.say(town.learner, message)).status == 202
    after = await tables(town.learner.store)
    assert {table for table in after if after[table] != before[table]} <= {"inbox", "audit"}


async def test_the_newest_record_that_a_peer_brought_is_found_by_its_own_id_only(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    hiring, _ = await connect(town.learner, town.employer)
    mine = await state_of(town.learner)
    async with town.learner.store.read() as tx:
        row = await exchanges.get(tx, mine.exchange_id or "")
        found = await credentials.find_held_from(tx, row.connection_id, credential_id=record.credential_id)
        assert found is not None
        assert await credentials.find_held_from(tx, hiring.id, credential_id=record.credential_id) is None


@pytest.mark.parametrize("speaks", ["*", "*/revocation_notification/1.*"])
async def test_a_notice_that_nobody_takes_in_time_is_given_up_and_counts_when_it_is_heard_after_all(
    nodes: Nodes, speaks: str
) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), policy={"lifetime_seconds": 3600})
    learner = await nodes.make("learner", policy={"accept_offers": True, "disclose_features": (speaks,)})
    to_learner, _ = await connect(college, learner)
    record = await give(college, to_learner.id)
    await exchange_in(college, (await college.discovery.ask(to_learner.id, ["*"], 2)).id)
    await nodes.stop(learner)
    await college.issuer.set_status(record.id, "revocation", True, None)
    waits = await notice(college, "revoke-sent")
    clock.advance(seconds=3601)
    college.deadlines.expect(waits.created)
    over = await notice(college, "abandoned")
    assert (over.id, over.error_code) == (waits.id, "revocation_notification.expired")
    await nodes.again(learner)  # to which the message is delivered still
    heard = await notice(college, "done")
    assert (heard.id, heard.error_code, heard.protocol[-1]) == (waits.id, None, "2" if speaks == "*" else "1")
    seen = await scraped(college)
    outcomes = ("sent", "given-up", "acknowledged")
    assert [seen["lernode_revocation_notices_total", outcome] for outcome in outcomes] == [1, 1, 1]


async def test_a_notice_waits_no_longer_than_its_connection(nodes: Nodes, town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    await nodes.stop(town.learner)
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    await notice(town.college, "revoke-sent")
    await town.college.ending.end(town.college_to_learner.id)
    over = await notice(town.college, "abandoned")
    assert (over.error_code, over.expires) == ("connection.ended", None)
