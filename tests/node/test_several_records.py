"""Several records in one exchange: all of them are there once, in their order, or none is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from node.app import Node
from node.http.admin_exchanges import show_exchange
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from protocols.credentials.data_integrity import add_proof
from protocols.didcomm.message import Wire
from protocols.errors import BadInput
from protocols.issue_credential.messages import IssueCredentialMessage, OfferCredential, decode
from storage import credentials, exchanges
from storage.credentials import IssuedState
from storage.engine import Transaction
from storage.exchanges import ExchangeRow
from tests.node.conftest import Town
from tests.node.nodes import CARPENTRY, WELDING, Nodes, eventually, exchange_in, held, issued, other_end
from tests.node.records import detail, unsigned
from tests.node.wire_peer import WirePeer, new_id

Documents = list[dict[str, Any]]
CARPENTER = Award(achievement_id=CARPENTRY)


async def offer_both(town: Town) -> tuple[ExchangeRow, ExchangeRow]:
    """The college's end and the learner's."""
    offered = await town.college.issuer.offer(
        town.college_to_learner.id, Award(achievement_id=WELDING), also=[CARPENTER]
    )
    return offered, await other_end(town.learner, offered, "offer-received")


@pytest.mark.parametrize("wire", Wire)
async def test_a_learner_sees_every_offered_record_and_gets_all_with_one_answer(careful_town: Town, wire: Wire) -> None:
    town = careful_town
    for node in (town.college, town.learner):
        async with node.store.write() as tx:
            await tx.execute("UPDATE connections SET wire = ?", (wire.value,))
    offered, mine = await offer_both(town)
    shown = await show_exchange(town.learner, mine)
    assert [each.name for each in shown.about] == ["Structural Welding, Level 1", "Carpentry, Level 1"]
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    async with town.learner.store.read() as tx:
        got = await credentials.held_of_exchange(tx, mine.id)
    async with town.college.store.read() as tx:
        given = await credentials.issued_of_exchange(tx, offered.id)
    assert [record.name for record in got] == ["Structural Welding, Level 1", "Carpentry, Level 1"]
    assert [record.document for record in got] == [record.document for record in given]
    assert [record.position for record in given] == [0, 1]
    places = [(ref.list_id, ref.index) for record in given for ref in record.statuses]
    assert len(set(places)) == len(places) > 0
    ended = await show_exchange(town.learner, await exchange_in(town.learner, mine.id))
    assert ended.record_ids == [record.id for record in got]
    assert (await show_exchange(town.college, await exchange_in(town.college, offered.id))).issued_ids == [
        record.id for record in given
    ]


async def test_one_of_several_is_revoked_by_itself(town: Town) -> None:
    offered = await town.college.issuer.offer(
        town.college_to_learner.id, Award(achievement_id=WELDING), also=[CARPENTER]
    )
    assert (await exchange_in(town.college, offered.id)).state == "done"
    (second,) = [record for record in await issued(town.college) if record.position == 1]
    await town.college.issuer.set_status(second.id, "revocation", True, None)

    async def told(tx: Transaction) -> list[str]:
        return [r.name for r in await credentials.list_held(tx) if r.state is IssuedState.REVOKED]

    assert await eventually(town.learner, told) == ["Carpentry, Level 1"]


async def test_who_wants_some_of_an_offer_proposes_those_and_gets_an_offer_of_them(careful_town: Town) -> None:
    town = careful_town
    offered, mine = await offer_both(town)
    await town.learner.holder.propose_credential_instead(mine.id, CARPENTRY)
    await exchange_in(town.college, offered.id, "proposal-received")
    await town.college.issuer.approve(offered.id)
    await exchange_in(town.learner, mine.id, "offer-received")
    await town.learner.holder.accept_offer(mine.id)
    assert (await exchange_in(town.college, offered.id)).state == "done"
    assert [record.name for record in await held(town.learner)] == ["Carpentry, Level 1"]
    assert len(await issued(town.college)) == 1


async def test_a_wish_for_several_records_is_answered_by_an_offer_of_them(careful_town: Town) -> None:
    town = careful_town
    async with town.learner.store.read() as tx:
        at_college = next(
            row.connection_id for row in await exchanges.page(tx) if row.thid == town.college_to_learner.thid
        )
    proposed = await town.learner.holder.propose_credential(at_college, WELDING, CARPENTRY)
    theirs = await other_end(town.college, proposed, "proposal-received")
    await town.college.issuer.approve(theirs.id)
    mine = await exchange_in(town.learner, proposed.id, "offer-received")
    assert len((await show_exchange(town.learner, mine)).about) == 2


async def test_several_records_are_offered_by_a_link(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", policy={"accept_offers": True})
    invited = await college.links.offer(Award(achievement_id=WELDING), Terms(), also=[CARPENTER])
    await learner.peering.accept(invited.url)

    async def both(tx: Transaction) -> bool:
        return len(await credentials.list_held(tx)) == 2

    assert await eventually(learner, both)


async def test_more_records_than_a_message_has_room_for_are_not_offered(town: Town) -> None:
    with pytest.raises(BadInput) as refused:
        await town.college.issuer.offer(
            town.college_to_learner.id, Award(achievement_id=WELDING), also=[CARPENTER] * 16
        )
    assert refused.value.code == "issue_credential.too_many"
    assert await issued(town.college) == []


def broken_signature(documents: Documents) -> Documents:
    first, second = documents
    return [first, {**second, "proof": {**second["proof"], "proofValue": first["proof"]["proofValue"]}}]


def other_content(documents: Documents) -> Documents:
    return [documents[0], {**documents[1], "name": "Doctor"}]


def another_order(documents: Documents) -> Documents:
    return documents[::-1]


def fewer(documents: Documents) -> Documents:
    return documents[:1]


def more(documents: Documents) -> Documents:
    return [*documents, {**documents[0], "id": f"urn:uuid:{new_id()}"}]


@pytest.mark.parametrize(
    ("alter", "code", "named"),
    [
        (broken_signature, "proof.", "attachment 2 of 2"),
        (other_content, "issue_credential.credential_differs", "name of attachment 2 of 2"),
        (another_order, "issue_credential.credential_differs", "attachment 1 of 2"),
        (fewer, "issue_credential.credential_differs", "their number: 1, not 2"),
        (more, "issue_credential.credential_differs", "their number: 3, not 2"),
    ],
)
async def test_one_wrong_record_declines_all_and_the_report_says_which(
    nodes: Nodes, peer: WirePeer, alter: Callable[[Documents], Documents], code: str, named: str
) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True})
    await peer.connect(learner)
    thid = await issue_both(peer, learner, alter)
    report = await peer.hear("problem-report")
    assert report.thid == thid
    assert named in str(report.body)

    async def over(tx: Transaction) -> ExchangeRow | None:
        return next((r for r in await exchanges.page(tx) if r.thid == thid and r.state == "abandoned"), None)

    assert ((await eventually(learner, over)).error_code or "").startswith(code)
    assert await held(learner) == []


async def issue_both(peer: WirePeer, learner: Node, alter: Callable[[Documents], Documents]) -> str:
    thid = new_id()
    details = (detail(unsigned(peer.did_key)), detail(unsigned(peer.did_key)))
    assert (await peer.say(learner, OfferCredential(id=thid, thid=thid, details=details))).status == 202
    request: Any = decode(await peer.hear("request-credential"))
    assert len(request.details) == 2
    documents = [
        add_proof(each.credential, suite="eddsa-jcs-2022", signer=peer.signer, created=datetime.now(UTC))
        for each in request.details
    ]
    given = IssueCredentialMessage(id=new_id(), thid=thid, credentials=tuple(alter(documents)))
    assert (await peer.say(learner, given)).status == 202
    return thid
