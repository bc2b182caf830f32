"""The DID of an institution gets fresh keys: what was signed stays good, unless a key is withdrawn. On both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from node.app import Node
from node.http.admin_node import rotate_did_keys
from node.http.admin_operation import Call
from node.http.schemas import DidView, KeyRotation
from node.roles.issuer import Award
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.verification import Check, VerificationResult
from protocols.errors import WrongState
from storage import dids
from storage.credentials import IssuedCredential
from storage.dids import DidPurpose
from tests.node.nodes import CARPENTRY, WELDING, Clock, Nodes, connect, exchange_in, give, held
from tests.postgresql import new_store_url


@pytest.fixture(params=["sqlite", "postgresql"])
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    new_store: Callable[[], str] | None = new_store_url if request.param == "postgresql" else None
    made = Nodes(tmp_path, new_store)
    yield made
    await made.stop_all()


async def issuer_did(node: Node) -> str:
    async with node.store.read() as tx:
        return (await node.identity.default(tx, DidPurpose.ISSUER)).did


async def rotate(node: Node, key: str | None = None, *, compromised: bool = False) -> DidView:
    wanted = KeyRotation(key=key, compromised=compromised)
    return await rotate_did_keys(node, Call(await issuer_did(node), None, wanted, asyncio.Event()))


async def issue(node: Node) -> IssuedCredential:
    return await node.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))


def key_of(record: IssuedCredential) -> str:
    return str(strict_json.loads_object(record.document)["proof"]["verificationMethod"]).partition("#")[2]


async def verdict(node: Node, record: IssuedCredential) -> VerificationResult:
    return await node.verifier.verify_document(record.document, any_issuer=True)


def code_of(result: VerificationResult, check: Check) -> str:
    return next(c.code for c in result.checks if c.check is check)


async def list_of(record: IssuedCredential) -> dict[str, Any]:
    url = strict_json.loads_object(record.document)["credentialStatus"][0]["statusListCredential"]
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return strict_json.loads_object(await answer.read())


async def test_records_of_before_and_after_verify_where_only_the_old_key_was_known(nodes: Nodes) -> None:
    college, clock = await nodes.make("college", issuer=True), Clock()
    employer = await nodes.make("employer", world=World(clock=clock))
    before = await issue(college)
    assert (await verdict(employer, before)).verified
    shown = await rotate(college)
    assert [key.verification_method.partition("#")[2] for key in shown.keys] == ["key-2"]
    assert [(key.verification_method.partition("#")[2], key.state) for key in shown.former_keys] == [
        ("key-1", "retired")
    ]
    after = await issue(college)
    assert (key_of(before), key_of(after)) == ("key-1", "key-2")
    assert (await list_of(before))["proof"]["verificationMethod"].endswith("#key-2")
    clock.advance(seconds=5)
    assert (await verdict(employer, after)).verified
    assert (await verdict(employer, before)).verified


async def test_a_rotation_lasts_over_a_restart_and_the_trail_verifies(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await college.trail.sign()
    before = await issue(college)
    await rotate(college)
    await nodes.stop(college)
    college = await nodes.again(college)
    await college.trail.sign()
    assert (await college.trail.verify()).whole
    assert key_of(await issue(college)) == "key-2"
    assert (await verdict(college, before)).verified


async def test_of_several_keys_one_is_rotated_and_keeps_its_place(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    did = await issuer_did(college)
    async with college.store.write() as tx:
        await college.identity.add_key(tx, did, (await college.identity.default(tx, DidPurpose.ISSUER)).keys[0].codec)
    await rotate(college, "key-1")
    async with college.store.read() as tx:
        own = await dids.get(tx, did)
    assert [key.fragment for key in own.keys] == ["key-3", "key-2"]
    with pytest.raises(WrongState) as caught:
        await rotate(college, "key-1")
    assert caught.value.code == "did.key_retired"
    with pytest.raises(WrongState) as caught:
        await rotate(college, "key-7")
    assert caught.value.code == "did.key_unknown"


@pytest.mark.parametrize("key", [None, "key-1"], ids=["rotated-at-once", "rotated-before"])
async def test_what_a_compromised_key_signed_fails_and_says_why(nodes: Nodes, key: str | None) -> None:
    college, clock = await nodes.make("college", issuer=True), Clock()
    employer = await nodes.make("employer", world=World(clock=clock))
    before = await issue(college)
    assert (await verdict(employer, before)).verified
    if key:
        await rotate(college)
    shown = await rotate(college, key, compromised=True)
    assert [(each.state, each.kind) for each in shown.former_keys] == [("withdrawn", "ed25519")]
    after = await issue(college)
    clock.advance(minutes=6)
    result = await verdict(employer, before)
    assert not result.verified
    assert code_of(result, Check.CONTROLLER) == "did.method_revoked"
    assert (await verdict(employer, after)).verified


async def test_a_verifier_with_an_old_copy_says_so_while_the_issuer_is_away(nodes: Nodes) -> None:
    college, clock = await nodes.make("college", issuer=True), Clock()
    employer = await nodes.make("employer", world=World(clock=clock))
    before = await issue(college)
    assert (await verdict(employer, before)).verified
    await rotate(college)
    after = await issue(college)
    await nodes.stop(college)
    clock.advance(seconds=5)
    assert (await verdict(employer, before)).verified
    result = await verdict(employer, after)
    assert not result.verified
    assert code_of(result, Check.CONTROLLER) == "did.document_outdated"


async def test_peers_go_on_while_the_institution_rotates(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    await give(college, to_learner.id)
    waiting = await college.issuer.offer(to_learner.id, Award(achievement_id=CARPENTRY))
    await rotate(college)
    assert (await exchange_in(college, waiting.id)).state == "done"
    await give(college, to_learner.id)
    assert len(await held(learner)) == 3


async def test_another_replica_signs_with_the_new_key_at_once(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path, new_store_url)
    try:
        first = await nodes.make("college", issuer=True)
        second = await nodes.replica(first, "college-2")
        await rotate(first)
        assert key_of(await issue(second)) == "key-2"
        await rotate(second)
        assert key_of(await issue(first)) == "key-3"
    finally:
        await nodes.stop_all()
