"""Offers and records that are not in the message: behind a link with its hash, or in it as base64 with its hash."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest

from node.app import Node
from node.roles.issuer import Award
from node.runtime.world import World
from protocols import strict_json
from protocols.credentials.data_integrity import add_proof
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage, Wire
from protocols.issue_credential.messages import IssueCredentialMessage, OfferCredential, RequestCredential, decode
from storage import connections, exchanges
from storage.exchanges import ExchangeRow
from tests.node.nodes import WELDING, Clock, Nodes, connect, eventually, exchange_in, held, issued, other_end
from tests.node.records import detail, unsigned
from tests.node.wire_peer import WirePeer, new_id

ISSUING = "https://didcomm.org/issue-credential/2"


@pytest.fixture
async def learner(nodes: Nodes, peer: WirePeer) -> Node:
    made = await nodes.make("learner", policy={"accept_offers": True})
    await peer.connect(made)
    return made


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def attached(message: PlainMessage, field: str, **how: Any) -> PlainMessage:
    """The message with its one attachment given in another way."""
    (raw,) = message.body[field]
    given = replace(Attachment.from_wire(raw), json_data=None, **how)
    return msgspec.structs.replace(message, body={**message.body, field: [given.to_wire()]})


def content_of(message: PlainMessage, field: str) -> bytes:
    (raw,) = message.body[field]
    return strict_json.dumps(raw["data"]["json"])


async def issuing_in(node: Node) -> ExchangeRow:
    async def probe(tx):  # type: ignore[no-untyped-def]
        return next((row for row in await exchanges.page(tx) if row.protocol == ISSUING), None)

    return await eventually(node, probe)


def offer(peer: WirePeer) -> PlainMessage:
    thread = new_id()
    return OfferCredential(id=thread, thid=thread, details=(detail(unsigned(peer.did_key)),)).encode(Wire.V1)


async def issuance(peer: WirePeer) -> PlainMessage:
    """The record that the learner has requested."""
    request = decode(await peer.hear("request-credential"))
    document = add_proof(
        request.details[0].credential,  # type: ignore[union-attr]
        suite="eddsa-jcs-2022",
        signer=peer.signer,
        created=datetime.now(UTC),
    )
    return IssueCredentialMessage(id=new_id(), thid=request.thid, credentials=(document,)).encode(Wire.V1)


@pytest.mark.parametrize("by_link", [True, False])
async def test_offer_and_record_are_read_wherever_their_content_is(
    learner: Node, peer: WirePeer, by_link: bool
) -> None:
    def given(message: PlainMessage, field: str, name: str) -> PlainMessage:
        content = content_of(message, field)
        if not by_link:
            made = Attachment.of_bytes(content, id=None, media_type="application/json")
            return attached(message, field, base64=made.base64, sha256=digest(content))
        peer.documents[name] = content
        return attached(message, field, links=(f"{peer.url}/gone", f"{peer.url}/{name}"), sha256=digest(content))

    assert (await peer.say(learner, given(offer(peer), "offers~attach", "offer"))).status == 202
    sent = given(await issuance(peer), "credentials~attach", "record")
    assert (await peer.say(learner, sent)).status == 202
    await peer.hear("ack")
    (kept,) = await held(learner)
    assert kept.name == "Secret Diploma"
    assert (await exchange_in(learner, (await issuing_in(learner)).id)).state == "done"


async def test_a_record_that_is_not_what_its_hash_says_ends_the_exchange(learner: Node, peer: WirePeer) -> None:
    await peer.say(learner, offer(peer))
    message = await issuance(peer)
    content = content_of(message, "credentials~attach")
    peer.documents["record"] = content.replace(b"Secret", b"Forged")
    links = (f"{peer.url}/record",)
    await peer.say(learner, attached(message, "credentials~attach", links=links, sha256=digest(content)))
    report = await peer.hear("problem-report")
    assert "not what its hash says" in report.body["description"]["en"]
    assert (await exchange_in(learner, (await issuing_in(learner)).id)).state == "abandoned"
    assert await held(learner) == []


async def test_an_offer_that_cannot_be_fetched_is_reported_and_leaves_nothing(learner: Node, peer: WirePeer) -> None:
    message = offer(peer)
    links = (f"{peer.url}/nothing",)
    await peer.say(learner, attached(message, "offers~attach", links=links, sha256="00" * 32))
    report = await peer.hear("problem-report")
    assert report.body["description"]["code"] == "attachment.not_there"
    async with learner.store.read() as tx:
        assert not [row for row in await exchanges.page(tx) if row.protocol == ISSUING]


async def test_a_link_without_a_hash_is_refused_and_never_followed(learner: Node, peer: WirePeer) -> None:
    message = offer(peer)
    peer.documents["offer"] = content_of(message, "offers~attach")
    said = await peer.say(learner, attached(message, "offers~attach", links=(f"{peer.url}/offer",)))
    assert said.code == "attachment.no_digest"


async def test_more_than_a_message_may_have_is_not_fetched(nodes: Nodes, peer: WirePeer) -> None:
    learner = await nodes.make("small", network={"max_message_bytes": 20_000})
    await peer.connect(learner)
    message = offer(peer)
    peer.documents["offer"] = content = content_of(message, "offers~attach") + b" " * 20_000
    links = (f"{peer.url}/offer",)
    await peer.say(learner, attached(message, "offers~attach", links=links, sha256=digest(content)))
    report = await peer.hear("problem-report")
    assert report.body["description"]["code"].startswith("net.")


async def test_a_link_into_a_private_network_is_not_followed(learner: Node, peer: WirePeer) -> None:
    message = offer(peer)
    links = ("http://10.0.0.1/record",)
    await peer.say(learner, attached(message, "offers~attach", links=links, sha256="00" * 32))
    report = await peer.hear("problem-report")
    assert report.body["description"]["code"].startswith("net.")


async def test_a_record_that_is_too_large_for_a_message_goes_by_a_link_that_ends_with_its_exchange(
    nodes: Nodes,
) -> None:
    college = await nodes.make("college", issuer=True, network={"inline_record_bytes": 100})
    learner = await nodes.make("learner")
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING))
    mine = await other_end(learner, offered, "offer-received")
    await learner.holder.accept_offer(mine.id)
    ended = await exchange_in(college, offered.id)
    assert ended.state == "done"
    (kept,) = await held(learner)
    link = strict_json.loads_object(ended.data)["links"]["0"]
    assert link["sha256"] == digest((await issued(college))[0].document)
    assert kept.document == (await issued(college))[0].document
    async with aiohttp.ClientSession() as stranger, stranger.get(link["links"][0]) as answer:
        assert answer.status == 404


async def test_of_several_records_those_that_are_too_large_together_go_by_links(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True, network={"inline_record_bytes": 5000})
    learner = await nodes.make("learner", policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    also = [Award(achievement_id=WELDING)] * 2
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=WELDING), also=also)
    ended = await exchange_in(college, offered.id)
    assert ended.state == "done"
    links = strict_json.loads_object(ended.data)["links"]
    given = {str(record.position): record.document for record in await issued(college)}
    assert 0 < len(links) < 3
    assert all(link["sha256"] == digest(given[position]) for position, link in links.items())
    assert {record.document for record in await held(learner)} == set(given.values())


async def test_a_link_is_open_to_who_has_it_while_the_record_is_not_confirmed(nodes: Nodes, peer: WirePeer) -> None:
    clock = Clock()
    college = await nodes.make(
        "college", issuer=True, network={"inline_record_bytes": 100}, world=replace(World(), clock=clock)
    )
    await peer.connect(college)
    async with college.store.read() as tx:
        (connection,) = await connections.page(tx)
    await college.issuer.offer(connection.id, Award(achievement_id=WELDING))
    offered = decode(await peer.hear("offer-credential"))
    request = RequestCredential(id=new_id(), thid=offered.thid, details=offered.details)  # type: ignore[union-attr]
    assert (await peer.say(college, request)).status == 202
    (attachment,) = (await peer.hear("issue-credential")).body["credentials~attach"]
    (url,) = attachment["data"]["links"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert digest(await answer.read()) == attachment["data"]["sha256"]
        async with session.get(url[:-1]) as answer:
            assert answer.status == 404
        clock.advance(days=8)
        async with session.get(url) as answer:
            assert answer.status == 404
