"""A record that is wrong in one way ends the exchange, is not kept, and its issuer is told why."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from node.app import Node
from protocols import strict_json
from protocols.credentials.data_integrity import add_proof
from protocols.didcomm.attachments import Attachment
from protocols.didcomm.message import PlainMessage
from protocols.errors import BadInput
from protocols.issue_credential.messages import IssueCredentialMessage, OfferCredential, RequestCredential
from protocols.status.bitstring import Bitstring
from protocols.status.entry import status_entry
from protocols.status.list_credential import status_list_credential
from storage import exchanges
from storage.dids import DidPurpose
from tests.node.nodes import Nodes, eventually, held, tables
from tests.node.records import detail, stamp, unsigned
from tests.node.wire_peer import WirePeer, new_id

Document = dict[str, Any]


def sign(document: Document, peer: WirePeer) -> Document:
    # Ours refuses to sign a term that nobody defines, so the proof is of the record without it.
    defined = copy.deepcopy(document)
    defined["credentialSubject"].get("achievement", {}).pop("shoeSize", None)
    return document | {"proof": _signed(defined, peer)["proof"]}


def _signed(document: Document, peer: WirePeer) -> Document:
    return add_proof(document, suite="eddsa-jcs-2022", signer=peer.signer, created=datetime.now(UTC))


def right(peer: WirePeer) -> Document:
    return unsigned(peer.did_key)


def undefined_term(peer: WirePeer) -> Document:
    record = unsigned(peer.did_key)
    record["credentialSubject"]["achievement"]["shoeSize"] = 44
    return record


def foreign_issuer(peer: WirePeer) -> Document:
    return unsigned(WirePeer().did_key)


def expired(peer: WirePeer) -> Document:
    return unsigned(peer.did_key, validFrom=stamp(days=9), validUntil=stamp(days=2))


def not_yet_valid(peer: WirePeer) -> Document:
    return unsigned(peer.did_key, validFrom=stamp(days=-9))


def foreign_status_list(peer: WirePeer) -> Document:
    """Its status list exists, but is somebody else's."""
    url, stranger = f"{peer.url}/list", WirePeer()
    unsigned_list = status_list_credential(
        url=url,
        issuer=stranger.did_key,
        purposes=("revocation",),
        bits=Bitstring(131072),
        valid_from=datetime.now(UTC),
        ttl_ms=1000,
    )
    peer.documents["list"] = strict_json.dumps(sign(unsigned_list, stranger))
    return unsigned(peer.did_key, credentialStatus=status_entry(url, "revocation", 7))


async def issue(peer: WirePeer, learner: Node, record: Document, alter: Callable[[Document], Document]) -> str:
    """Offer the record, and give it, ``alter``-ed after it was signed; the thread."""
    message_id = new_id()
    offer = OfferCredential(id=message_id, thid=message_id, pthid=None, comment=None, details=(detail(record),))
    assert (await peer.say(learner, offer)).status == 202
    asked = await peer.hear("request-credential")
    wanted = Attachment.from_wire(asked.body["requests~attach"][0]).json()["credential"]
    signed = alter(sign(wanted, peer))
    given = IssueCredentialMessage(id=new_id(), thid=message_id, pthid=None, comment=None, credentials=(signed,))
    assert (await peer.say(learner, given)).status == 202
    return message_id


def as_it_is(document: Document) -> Document:
    return document


def other_signature(document: Document) -> Document:
    altered = copy.deepcopy(document)
    value = altered["proof"]["proofValue"]
    altered["proof"]["proofValue"] = value[:-2] + ("22" if value[-2:] != "22" else "33")
    return altered


def other_content(document: Document) -> Document:
    return {**document, "name": "Another Diploma"}


@pytest.fixture
async def learner(nodes: Nodes, peer: WirePeer) -> Node:
    made = await nodes.make("learner", policy={"accept_offers": True})
    await peer.connect(made)
    return made


async def test_the_same_record_without_a_fault_is_kept(peer: WirePeer, learner: Node) -> None:
    await issue(peer, learner, right(peer), as_it_is)
    await peer.hear("ack")
    assert len(await held(learner)) == 1


@pytest.mark.parametrize(
    ("record", "alter", "code"),
    [
        (undefined_term, as_it_is, "jsonld.undefined_term"),
        (foreign_issuer, as_it_is, "controller.not_issuer"),
        (expired, as_it_is, "time."),
        (not_yet_valid, as_it_is, "time."),
        (foreign_status_list, as_it_is, "status.foreign_list"),
        (right, other_signature, "proof."),
        (right, other_content, "issue_credential.credential_differs"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_a_wrong_record_is_refused_and_not_kept(
    peer: WirePeer,
    learner: Node,
    record: Callable[[WirePeer], Document],
    alter: Callable[[Document], Document],
    code: str,
) -> None:
    from storage import exchanges
    from storage.engine import Transaction
    from storage.exchanges import ExchangeRow

    before = await tables(learner.store)
    thid = await issue(peer, learner, record(peer), alter)
    report: PlainMessage = await peer.hear("problem-report")
    assert report.thid == thid

    async def over(tx: Transaction) -> ExchangeRow | None:
        return next((r for r in await exchanges.page(tx) if r.thid == thid and r.state == "abandoned"), None)

    ended = await eventually(learner, over)
    assert (ended.error_code or "").startswith(code)
    assert await held(learner) == []
    after = await tables(learner.store)
    for table in ("held_credentials", "issued_credentials", "connections", "keys", "dids"):
        assert after[table] == before[table]


async def test_a_record_without_an_id_is_not_issued_to_who_requests_it(nodes: Nodes, peer: WirePeer) -> None:
    college = await nodes.make("college", issuer=True)
    await peer.connect(college)
    async with college.store.read() as tx:
        own = await college.identity.default(tx, DidPurpose.ISSUER)
    record = unsigned(own.did)
    del record["id"]
    thid = new_id()
    request = RequestCredential(id=thid, thid=thid, pthid=None, comment=None, details=(detail(record),))
    assert (await peer.say(college, request)).status == 202
    async with college.store.read() as tx:
        (row,) = [row for row in await exchanges.page(tx) if row.thid == thid]
    before = await tables(college.store)
    with pytest.raises(BadInput) as refused:
        await college.issuer.approve(row.id)
    assert refused.value.code == "record.no_id"
    assert await tables(college.store) == before
