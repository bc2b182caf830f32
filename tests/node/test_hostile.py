"""What a hostile peer sends is refused by name, leaves no trace in the store and no personal data in the log."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from node.app import Node
from node.runtime.logs import JsonLines
from protocols import strict_json
from protocols.did import peer4
from protocols.did_exchange.messages import Complete
from protocols.didcomm.ack import Ack
from protocols.didcomm.message import PlainMessage
from protocols.issue_credential.messages import PROTOCOL as ISSUE
from protocols.keys import KeyPair
from tests.node.nodes import Nodes, exchange_in, settled, tables
from tests.node.wire_peer import Answer, WirePeer, new_id

PING = "https://didcomm.org/trust_ping/1.0/ping"


@dataclass
class Scene:
    """A node, a peer of it, and a second peer."""

    node: Node
    peer: WirePeer
    second: WirePeer


@pytest.fixture
async def scene(nodes: Nodes, peer: WirePeer):  # type: ignore[no-untyped-def]
    node = await nodes.make("learner")
    await peer.connect(node)
    second = WirePeer()
    await second.start()
    await second.connect(node)
    await settled(node)
    yield Scene(node, peer, second)
    await second.stop()


def ping(message_id: str | None = None, **more: object) -> bytes:
    return strict_json.dumps({"@type": PING, "@id": message_id or new_id(), **more})


async def unreadable(scene: Scene) -> Answer:
    return await scene.peer.post(scene.node, b'{"protected":"e30","iv":"AA","ciphertext":"AA","tag":"AA"}')


async def not_an_envelope(scene: Scene) -> Answer:
    return await scene.peer.post(scene.node, b"\xff\xfe\x00")


async def for_somebody_else(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, ping(), to=KeyPair.from_seed(os.urandom(32)).verkey)


async def tampered_envelope(scene: Scene) -> Answer:
    packed = strict_json.loads_object(scene.peer.packed(ping(), sender=scene.peer.pair))
    first = "A" if packed["ciphertext"][0] != "A" else "B"
    packed["ciphertext"] = first + packed["ciphertext"][1:]
    return await scene.peer.post(scene.node, strict_json.dumps(packed))


async def unknown_sender(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, ping(), sender=KeyPair.from_seed(os.urandom(32)))


async def anonymous(scene: Scene) -> Answer:
    return await scene.peer.post(scene.node, scene.peer.packed(ping(), sender=None))


async def too_large(scene: Scene) -> Answer:
    return await scene.peer.post(scene.node, b"x" * ((1 << 20) + 1))


async def wrong_type(scene: Scene) -> Answer:
    return await scene.peer.post(scene.node, scene.peer.packed(ping(), sender=scene.peer.pair), "text/plain")


async def deep(scene: Scene) -> Answer:
    nested = b"[" * 5000 + b"]" * 5000
    return await scene.peer.say(scene.node, b'{"@type":"%s","@id":"1","x":%s}' % (PING.encode(), nested))


async def doubled_keys(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, b'{"@type":"%s","@id":"1","@id":"2"}' % PING.encode())


async def not_a_number(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, b'{"@type":"%s","@id":"1","x":NaN}' % PING.encode())


async def not_an_object(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, b'["hello"]')


async def no_id(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, b'{"@type":"%s"}' % PING.encode())


async def bad_thread(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, ping(**{"~thread": {"thid": 7}}))


async def request_without_a_did(scene: Scene) -> Answer:
    request, key = await scene.peer.request_for(scene.node)
    body = {"@type": "https://didcomm.org/didexchange/1.1/request", "@id": new_id(), "label": scene.peer.label}
    return await scene.peer.say(
        scene.node, strict_json.dumps({**body, "did": "not a did", "~thread": {"pthid": request.pthid}}), to=key
    )


async def altered_document(scene: Scene) -> Answer:
    """A did:peer:4 whose document is not the one of its hash."""
    head, encoded = scene.peer.did.rsplit(":", 1)
    forged = peer4.create(KeyPair.from_seed(os.urandom(32)).public, endpoint=scene.peer.url).rsplit(":", 1)[1]
    assert forged != encoded
    request, key = await scene.peer.request_for(scene.node, did=f"{head}:{forged}")
    return await scene.peer.say(scene.node, request, to=key)


async def somebody_elses_did(scene: Scene) -> Answer:
    request, key = await scene.peer.request_for(scene.node, did=scene.second.did)
    return await scene.peer.say(scene.node, request, to=key)


async def invitation_that_is_not_there(scene: Scene) -> Answer:
    request, key = await scene.peer.request_for(scene.node, pthid=new_id())
    return await scene.peer.say(scene.node, request, to=key)


async def response_to_nothing(scene: Scene) -> Answer:
    body = {"did": scene.peer.did}
    message = PlainMessage("https://didcomm.org/didexchange/1.1/response", new_id(), new_id(), None, body)
    return await scene.peer.say(scene.node, message)


async def foreign_complete(scene: Scene) -> Answer:
    return await scene.peer.say(scene.node, Complete(new_id(), new_id(), new_id()))


REFUSED_BEFORE_THE_PEER_IS_KNOWN: list[tuple[Callable[[Scene], Awaitable[Answer]], int, str]] = [
    (unreadable, 400, "envelope.malformed"),
    (not_an_envelope, 400, "envelope.malformed"),
    (for_somebody_else, 400, "envelope.not_for_us"),
    (tampered_envelope, 400, "envelope.unreadable"),
    (unknown_sender, 400, "message.unknown_sender"),
    (anonymous, 400, "message.anonymous"),
    (too_large, 413, "json.too_large"),
    (wrong_type, 415, "http.media_type"),
    (deep, 400, "json.too_deep"),
    (doubled_keys, 400, "json.ambiguous"),
    (not_a_number, 400, "json.ambiguous"),
    (not_an_object, 400, "json.not_object"),
    (no_id, 400, "message.id"),
    (bad_thread, 400, "message.thread"),
]
REFUSED_REQUESTS = [
    (request_without_a_did, 400, "message.malformed"),
    (altered_document, 400, "did.hash_mismatch"),
    (somebody_elses_did, 400, "did_exchange.not_controlled"),
    (invitation_that_is_not_there, 400, "did_exchange.unknown_invitation"),
    (response_to_nothing, 400, "did_exchange.wrong_thread"),
    (foreign_complete, 400, "did_exchange.wrong_thread"),
]


def clean(caplog: pytest.LogCaptureFixture, scene: Scene) -> str:
    """The log as it is written, which must name nobody."""
    text = "\n".join(JsonLines().format(record) for record in caplog.records)
    for secret in (
        scene.peer.label,
        scene.peer.pair.verkey,
        scene.second.pair.verkey,
        scene.peer.their_verkey,
        scene.peer.did_key,
        "did:peer",
        "did:key",
        "Secret Diploma",
    ):
        assert secret not in text
    return text


@pytest.mark.parametrize(
    ("attack", "status", "code"), REFUSED_BEFORE_THE_PEER_IS_KNOWN, ids=lambda v: getattr(v, "__name__", None)
)
async def test_what_is_no_message_of_a_peer_changes_nothing(
    scene: Scene,
    caplog: pytest.LogCaptureFixture,
    attack: Callable[[Scene], Awaitable[Answer]],
    status: int,
    code: str,
) -> None:
    before = await tables(scene.node.store)
    with caplog.at_level(logging.INFO):
        answer = await attack(scene)
    assert answer == Answer(status, "application/problem+json", code)
    assert await tables(scene.node.store) == before
    text = clean(caplog, scene)
    assert code in text or status in {413, 415}


@pytest.mark.parametrize(("attack", "status", "code"), REFUSED_REQUESTS, ids=lambda v: getattr(v, "__name__", None))
async def test_a_bad_connection_message_changes_nothing(
    scene: Scene,
    caplog: pytest.LogCaptureFixture,
    attack: Callable[[Scene], Awaitable[Answer]],
    status: int,
    code: str,
) -> None:
    invitations = {"invitations", "keys", "audit"}  # the attack first asks the node for an invitation
    before = await tables(scene.node.store)
    with caplog.at_level(logging.INFO):
        answer = await attack(scene)
    assert answer == Answer(status, "application/problem+json", code)
    after = await tables(scene.node.store)
    assert {n: t for n, t in after.items() if n not in invitations} == {
        n: t for n, t in before.items() if n not in invitations
    }
    assert after["invitations"][0] - before["invitations"][0] == after["audit"][0] - before["audit"][0]
    assert code in clean(caplog, scene)


def thread_message(name: str, thid: str | None = None) -> PlainMessage:
    message_id = new_id()
    return PlainMessage(f"{ISSUE}/{name}", message_id, thid or message_id, None, {})


async def test_an_unknown_protocol_is_refused_and_reported(scene: Scene) -> None:
    before = await tables(scene.node.store)
    message = PlainMessage("https://didcomm.org/tea-making/1.0/pour", new_id(), new_id(), None, {"cups": 2})
    assert (await scene.peer.say(scene.node, message)).code == "message.unknown_type"
    report = await scene.peer.hear("problem-report")
    assert report.body["description"]["code"] == "message.unknown_type"
    assert report.thid == message.thid
    assert await tables(scene.node.store) == before


async def test_a_thread_that_is_not_there_is_refused_and_reported(scene: Scene) -> None:
    before = await tables(scene.node.store)
    ack = Ack(new_id(), new_id(), protocol=ISSUE)
    assert (await scene.peer.say(scene.node, ack)).code == "issue_credential.unknown_thread"
    assert await tables(scene.node.store) == before


async def test_another_peers_thread_is_as_good_as_none(scene: Scene) -> None:
    row = await offered(scene)
    before = await tables(scene.node.store)
    decline = PlainMessage(f"{ISSUE}/problem-report", new_id(), row.thid, None, {"description": {"code": "x"}})
    assert (await scene.second.say(scene.node, decline)).code == "issue_credential.unknown_thread"
    assert await tables(scene.node.store) == before
    assert (await exchange_in(scene.node, row.id, "offer-received")).waiting_for == "accept-offer"


async def test_a_message_of_the_wrong_role_changes_nothing(scene: Scene) -> None:
    row = await offered(scene)
    before = await tables(scene.node.store)
    wrong = await offer_message(scene, name="request-credential", field="requests~attach", thid=row.thid)
    assert (await scene.peer.say(scene.node, wrong)).code == "issue_credential.unexpected_message"
    report = await scene.peer.hear("problem-report")
    assert report.thid == row.thid
    assert await tables(scene.node.store) == before


async def test_identical_bytes_again_change_nothing(scene: Scene) -> None:
    envelope = scene.peer.packed(await offer_message(scene), sender=scene.peer.pair)
    assert (await scene.peer.post(scene.node, envelope)).status == 202
    before = await tables(scene.node.store)
    for _ in range(3):
        assert (await scene.peer.post(scene.node, envelope)).status == 202
    assert await tables(scene.node.store) == before


async def test_the_same_message_encrypted_anew_changes_nothing(scene: Scene) -> None:
    message = await offer_message(scene)
    assert (await scene.peer.say(scene.node, message)).status == 202
    before = await tables(scene.node.store)
    assert (await scene.peer.say(scene.node, message)).status == 202
    assert await tables(scene.node.store) == before


async def test_the_log_tells_nothing_of_a_record_that_is_offered(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="lernode"):
        row = await offered(scene)
        await scene.node.holder.accept_offer(row.id)
        await scene.peer.hear("request-credential")
        await settled(scene.node)
    text = clean(caplog, scene)
    assert "delivered" in text


async def offered(scene: Scene):  # type: ignore[no-untyped-def]
    from storage import exchanges
    from tests.node.nodes import eventually

    message = await offer_message(scene)
    assert (await scene.peer.say(scene.node, message)).status == 202

    async def probe(tx):  # type: ignore[no-untyped-def]
        return next((r for r in await exchanges.page(tx) if r.thid == message.thid), None)

    return await eventually(scene.node, probe)


async def offer_message(
    scene: Scene, *, name: str = "offer-credential", field: str = "offers~attach", thid: str | None = None
) -> PlainMessage:
    from protocols.didcomm.formats import attach_object
    from protocols.issue_credential.ld_proof import DETAIL_FORMAT
    from tests.node.records import detail, unsigned

    offer = detail(unsigned(scene.peer.did_key)).to_json()
    message_id = new_id()
    plain = PlainMessage(f"{ISSUE}/{name}", message_id, thid or message_id)
    return attach_object(plain, offer, field=field, media_format=DETAIL_FORMAT, attach_id="a")
