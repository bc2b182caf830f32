"""Every type of message, on every wire, with every field spoilt, from whoever should not: refused by name, no trace.

What is tested is generated: from the protocols that a node registers, and from the message classes of their modules. A
protocol that is added and has no sample in ``message_samples.py`` fails here.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

import protocols
from node.app import Node
from protocols import strict_json
from protocols.did_rotate.messages import Hangup
from protocols.didcomm import codec
from protocols.didcomm.ack import is_ack
from protocols.didcomm.envelope_v1 import MEDIA_TYPE as V1_MEDIA_TYPE
from protocols.didcomm.envelope_v1 import wrap_for_routing
from protocols.didcomm.envelope_v2 import MEDIA_TYPE as V2_MEDIA_TYPE
from protocols.didcomm.message import PlainMessage, Wire
from protocols.didcomm.message_type import DIDCOMM_ORG
from protocols.didcomm.problem_report import is_problem_report
from protocols.errors import LernodeError
from protocols.keys import KeyPair
from protocols.trust_ping.messages import Ping
from storage import exchanges, jobs, meta, outbox
from storage.engine import Transaction
from storage.exchanges import Filter
from tests.node.message_samples import CASES, IDS, SAMPLES, Sample, addressed, renamed, spoilt
from tests.node.nodes import Nodes, eventually
from tests.node.wire_peer import Answer, WirePeer, new_id
from tests.node.wire_peer_v2 import WirePeerV2

CODE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_OF_NOBODY = frozenset({"message.addressing", "message.connection_ended"})
"""A message that names another sender than its envelope, or of a connection that is over, is not answered."""
REFUSALS = frozenset({400, 409, 413})
_MOST_ROWS = 8
_MOST_BYTES = 60_000


@dataclass
class Scene:
    """A node and two peers of it, who speak one wire."""

    wire: Wire
    node: Node
    peer: WirePeer
    second: WirePeer

    async def say(self, who: WirePeer, message: PlainMessage | bytes) -> Answer:
        return await self.post(who, self.packed(who, message))

    def is_told(self, plaintext: bytes, code: str) -> bool:
        """Whether a peer is told why what it said is refused."""
        return is_report_expected(plaintext, self.wire, code)

    async def post(self, who: WirePeer, envelope: bytes) -> Answer:
        media_type = V1_MEDIA_TYPE if self.wire is Wire.V1 else V2_MEDIA_TYPE
        return await who.post(self.node, envelope, media_type)

    def packed(self, who: WirePeer, message: PlainMessage | bytes, pair: KeyPair | None = None) -> bytes:
        """An envelope; with a key that is not the peer's own where one is given."""
        plaintext = message if isinstance(message, bytes) else self.encoded(who, message)
        if isinstance(who, WirePeerV2) and self.wire is Wire.V2:
            if pair is None:
                return who.sealed(plaintext)
            did = who.new_did(pair)
            return who.sealed(plaintext, sender=who.key(did, pair))
        return who.packed(plaintext, sender=pair or who.pair)

    def encoded(self, who: WirePeer, message: PlainMessage) -> bytes:
        if self.wire is Wire.V1:
            return codec.encode(message)
        assert isinstance(who, WirePeerV2)
        sample = who.message(message.type)
        return codec.encode(addressed(message, sample.from_ or "", sample.to[0]))


async def scene_of(nodes: Nodes, wire: Wire) -> AsyncIterator[Scene]:
    node = await nodes.make("node", issuer=True)
    peers = [WirePeer() if wire is Wire.V1 else WirePeerV2() for _ in range(2)]
    for peer in peers:
        await peer.start()
        await peer.connect(node)
    await at_rest(node)
    for peer in peers:
        peer.heard()
    yield Scene(wire, node, *peers)
    for peer in peers:
        await peer.stop()


@pytest.fixture(params=CASES, ids=IDS)
async def case(nodes: Nodes, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Scene, Sample]]:
    wire, sample = request.param
    async for scene in scene_of(nodes, wire):
        yield scene, sample


@pytest.fixture(params=list(Wire), ids=lambda wire: wire.name)
async def scene(nodes: Nodes, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async for made in scene_of(nodes, request.param):
        yield made


async def at_rest(node: Node) -> None:
    """Wait until the store changes no more by itself: nothing to deliver, no job to do."""

    async def probe(tx: Transaction) -> bool:
        waiting = await jobs.page(tx, state=jobs.JobState.QUEUED, limit=1)
        is_tidied = await meta.get(tx, "housekeeping.last") is not None
        return (await outbox.counts(tx)).queued == 0 and not waiting and is_tidied

    await eventually(node, probe)


async def kept(node: Node) -> dict[str, tuple[int, int, int]]:
    """Of every table: how many rows, how many bytes, and a hash of all of it."""
    found = {}
    async with node.store.read() as tx:
        names = await tx.all("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        for (name,) in (tuple(row) for row in names):
            rows = sorted(repr(tuple(row)) for row in await tx.all(f"SELECT * FROM {name}"))
            found[name] = (len(rows), sum(map(len, rows)), hash(tuple(rows)))
    return found


def caches(node: Node) -> tuple[int, int]:
    """How much the process itself remembers: keys, and what is going on."""
    return len(node.keyring._keys), len([t for t in asyncio.all_tasks() if "RequestHandler" not in repr(t.get_coro())])


def is_report_expected(plaintext: bytes, wire: Wire, code: str) -> bool:
    """Whether a peer is told why: where it is known whose message it is, it can be read, and is no report or ack."""
    if code in _OF_NOBODY:
        return False
    try:
        message = codec.decode(plaintext, wire)
    except LernodeError:
        return False
    return not is_problem_report(message) and not is_ack(message)


async def test_every_protocol_and_message_of_the_node_has_a_sample(nodes: Nodes) -> None:
    node = await nodes.make("node")
    covered = {sample.message(wire).protocol for wire, sample in CASES}
    assert node.inbound.protocols <= covered
    classes = {
        found
        for module in pkgutil.walk_packages(protocols.__path__, "protocols.")
        if module.name.endswith(".messages")
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        if hasattr(found, "encode") and found.__module__ == module.name and not found.__name__.startswith("_")
        and not getattr(found, "_is_protocol", False) and not issubclass(found, str)
    }  # fmt: skip
    assert classes <= {sample.kind for sample in SAMPLES}


async def test_every_field_missing_mistyped_or_oversized_is_refused_by_name_and_leaves_no_trace(
    case: tuple[Scene, Sample],
) -> None:
    await spoil_every_field(*case)


async def spoil_every_field(scene: Scene, sample: Sample, refusals: frozenset[int] = REFUSALS) -> None:
    """Each spoilt message is taken and leaves little, or is refused by name, with a report, and leaves nothing."""
    whole = strict_json.loads_object(scene.encoded(scene.peer, sample.message(scene.wire)))
    documented = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")
    before, remembered = await kept(scene.node), caches(scene.node)
    names = {"@type", "@id"} if scene.wire is Wire.V1 else {"type", "id"}
    for bad in spoilt(whole):
        plaintext = strict_json.dumps(renamed(bad.document, scene.wire))
        answer = await scene.say(scene.peer, plaintext)
        if answer.status == 202:
            is_required = bad.path[-1] in (sample.required | names if len(bad.path) == 1 else sample.required)
            assert not (bad.way == "missing" and is_required), f"taken: {bad}"
            await at_rest(scene.node)
            after = await kept(scene.node)
            for table, (rows, size, _) in after.items():
                assert rows - before[table][0] <= _MOST_ROWS, f"{table} grows by {bad}"
                assert size - before[table][1] <= _MOST_BYTES, f"{table} grows by {bad}"
            before, remembered = after, caches(scene.node)
            scene.peer.heard()
            continue
        assert answer.status in refusals, f"{answer} for {bad}"
        assert answer.media_type == "application/problem+json"
        assert answer.code is not None and CODE.fullmatch(answer.code), f"{answer} for {bad}"
        assert f"`{answer.code}`" in documented, f"{answer.code} for {bad}"
        heard = scene.peer.heard()
        assert all(is_problem_report(report) for report in heard), f"{bad} is answered by {heard}"
        assert len(heard) == int(scene.is_told(plaintext, answer.code)), f"{len(heard)} reports of {bad}: {answer.code}"
        assert await kept(scene.node) == before, f"{bad} leaves a trace"
    assert caches(scene.node)[0] <= remembered[0] + 2
    assert (await scene.say(scene.peer, b"{}")).status == 400, "the node still answers"


def samples_on(wire: Wire) -> list[Sample]:
    """Those that the wire carries; what ends a connection comes last."""
    found = [sample for each, sample in CASES if each is wire]
    return sorted(found, key=lambda sample: sample.kind is Hangup)


async def test_messages_in_the_thread_of_another_peer_touch_nothing_of_that_peer(scene: Scene) -> None:
    offer = next(s for s in SAMPLES if s.name == "OfferCredential").message(scene.wire)
    assert (await scene.say(scene.peer, offer)).status == 202
    async with scene.node.store.read() as tx:
        (mine,) = [row for row in await exchanges.page(tx) if row.thid == offer.thid]
        all_mine = await exchanges.page(tx, Filter(connection_id=mine.connection_id))
    for sample in samples_on(scene.wire):
        await scene.say(scene.second, sample.message(scene.wire, offer.thid))
        await at_rest(scene.node)
        async with scene.node.store.read() as tx:
            assert await exchanges.page(tx, Filter(connection_id=mine.connection_id)) == all_mine, sample.name


async def test_messages_of_who_is_no_peer_change_nothing(scene: Scene) -> None:
    before = await kept(scene.node)
    for sample in samples_on(scene.wire):
        plaintext = scene.encoded(scene.peer, sample.message(scene.wire))
        stranger = KeyPair.from_seed(os.urandom(32))
        answer = await scene.post(scene.peer, scene.packed(scene.peer, plaintext, stranger))
        assert answer.status == 400, f"{sample.name}: {answer}"
        assert answer.code is not None and CODE.fullmatch(answer.code)
        assert await kept(scene.node) == before, sample.name
        assert scene.peer.heard() == [], sample.name


async def test_the_same_envelope_again_changes_nothing(scene: Scene) -> None:
    for sample in samples_on(scene.wire):
        await say_again(scene, scene.packed(scene.peer, sample.message(scene.wire)), sample.name)


async def say_again(scene: Scene, envelope: bytes, name: str) -> None:
    """Send an envelope several times: after the first time nothing changes, the answer stays the same, and is not sent
    again within the minute.
    """
    first = await scene.post(scene.peer, envelope)
    await at_rest(scene.node)
    before = await kept(scene.node)
    scene.peer.heard()
    for _ in range(3):
        assert (await scene.post(scene.peer, envelope)).status == first.status, name
    await at_rest(scene.node)
    assert await kept(scene.node) == before, name
    assert first.status != 202 or scene.peer.heard() == [], name


async def test_what_is_encrypted_to_another_key_is_not_for_this_node(scene: Scene) -> None:
    before = await kept(scene.node)
    other = WirePeer() if scene.wire is Wire.V1 else WirePeerV2()
    message = SAMPLES[0].message(scene.wire)
    plaintext = scene.encoded(scene.peer, message)
    if isinstance(scene.peer, WirePeerV2) and isinstance(other, WirePeerV2):
        envelope = scene.peer.sealed(plaintext, to=other.did)
    else:
        envelope = scene.peer.packed(plaintext, sender=scene.peer.pair, to=other.pair.verkey)
    answer = await scene.post(scene.peer, envelope)
    assert (answer.status, answer.code) == (400, "envelope.not_for_us")
    assert await kept(scene.node) == before


async def test_a_message_forwarded_to_the_node_itself_again_and_again_is_refused(scene: Scene) -> None:
    before = await kept(scene.node)
    envelope = scene.packed(scene.peer, SAMPLES[0].message(scene.wire))
    for _ in range(5):
        envelope = forwarded(scene, envelope)
    answer = await scene.post(scene.peer, envelope)
    assert answer.status == 400, answer
    assert answer.code is not None and CODE.fullmatch(answer.code)
    assert await kept(scene.node) == before


def forwarded(scene: Scene, envelope: bytes) -> bytes:
    """The envelope wrapped once more for the node, as for a mediator, to be passed on to the node."""
    if isinstance(scene.peer, WirePeerV2) and scene.wire is Wire.V2:
        attached = {"data": {"json": strict_json.loads_object(envelope)}}
        message = {
            "type": f"{DIDCOMM_ORG}routing/2.0/forward",
            "id": new_id(),
            "body": {"next": scene.peer.their_did},
            "attachments": [attached],
        }
        return scene.peer.anonymous(strict_json.dumps(message))
    verkey = scene.peer.their_verkey
    return wrap_for_routing(envelope, to=verkey, routing_keys=(verkey,), new_id=new_id, entropy=os.urandom)


async def test_what_comes_under_an_id_that_was_seen_changes_nothing_whatever_it_says(scene: Scene) -> None:
    seen = "seen-before"
    assert (await scene.say(scene.peer, Ping(seen, seen).encode(scene.wire))).status == 202
    await at_rest(scene.node)
    scene.peer.heard()
    before = await kept(scene.node)
    for sample in (sample for sample in SAMPLES if scene.wire in sample.wires):
        answer = await scene.say(scene.peer, replace(sample.message(scene.wire), id=seen))
        assert answer.status in {202, *REFUSALS}, sample.name
        assert all(is_problem_report(report) for report in scene.peer.heard()), sample.name
    await at_rest(scene.node)
    assert scene.second.heard() == []
    assert await kept(scene.node) == before
