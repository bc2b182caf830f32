"""WACI-DIDComm, issuance for which records have to be shown first: the holder's side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from node.app import Node
from node.cli.main import cli
from node.roles.issuer import Award
from node.runtime.inbound import REPEAT_PAUSE
from node.runtime.world import World
from protocols import strict_json
from protocols.errors import BadInput, WrongState
from protocols.exchange.presentation_exchange import check_submission, parse_definition
from storage import receipts
from storage.exchanges import ExchangeRow
from storage.receipts import Receipt
from tests.admin.helpers import administered
from tests.node.nodes import CARPENTRY, WELDING, Clock, Nodes, asks_for, connect, exchange_in, held, other_end, tables
from tests.node.test_hostile import settled
from tests.node.test_links import ISSUING, begun_in, waiting_in
from tests.node.test_waci_issuance import APPLICATION, badge, content_of, invited, issue, offer, offer_message
from tests.node.wire_peer_v2 import WirePeerV2
from tests.opening import KEY_TEXT

OPTIONS = {"challenge": "508adef4-b8e0", "domain": "9rf25a28rs96"}


def with_paths(*paths: str) -> dict[str, Any]:
    fields = [{"path": [path]} for path in paths]
    return {"id": "d", "input_descriptors": [{"id": "a", "constraints": {"fields": fields}}]}


async def a_learner(nodes: Nodes, achievement: str = WELDING, *, world: World | None = None, **policy: bool) -> Node:
    """A learner who holds one record of a college, and answers the rest of this by ``policy``."""
    college = await nodes.make("college", issuer=True)
    learner = await nodes.make("learner", world=world, policy=policy)
    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, Award(achievement_id=achievement))
    if not policy.get("accept_offers"):
        await learner.holder.accept_offer((await other_end(learner, offered, "offer-received")).id)
    await exchange_in(college, offered.id, "done")
    return learner


async def offered_for_records(
    learner: Node,
    peer: WirePeerV2,
    definition: Any = None,
    *,
    options: Mapping[str, Any] = OPTIONS,
    **manifest: Any,
) -> str:
    """The peer offers a badge to whom shows what ``definition`` asks for; the thread."""
    proposal = await invited(learner, peer)
    asked = {"presentation_definition": definition or asks_for(), **manifest}
    assert (await offer(learner, peer, proposal.thid, badge(), options, manifest=asked)).status == 202
    return proposal.thid


async def waiting_offer(learner: Node) -> ExchangeRow:
    mine = await waiting_in(learner, ISSUING)
    assert mine.waiting_for == "accept-offer"
    return mine


async def lernode(learner: Node, *arguments: str) -> Result:
    words = [*arguments, "--home", str(learner.home)]
    return await asyncio.to_thread(CliRunner().invoke, cli, words, env={"LERNODE_KEY": KEY_TEXT})


async def receipts_of(learner: Node) -> list[Receipt]:
    async with learner.store.read() as tx:
        return await receipts.page(tx)


async def test_a_learner_sees_what_would_leave_shows_it_and_is_issued_the_record(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    learner = await a_learner(nodes)
    (diploma,) = await held(learner)
    thid = await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    found = await learner.holder.matches(mine.id)
    assert found.selection is not None
    assert found.selection.record_ids == (diploma.id,)
    (leaving,) = (await learner.holder.preview(mine.id)).leaving
    assert leaving.document == strict_json.loads_object(diploma.document)
    assert await receipts_of(learner) == []

    with pytest.raises(WrongState) as unseen:
        await learner.holder.accept_offer(mine.id)
    assert unseen.value.code == "issue_credential.records_first"

    await learner.holder.present(mine.id)
    application = content_of(await modern.hear("request-credential"), APPLICATION)
    assert application["type"] == ["VerifiablePresentation", "CredentialApplication"]
    assert application["credential_application"]["manifest_id"] == "manifest-1"
    assert application["holder"] == diploma.subject
    assert application["verifiableCredential"] == [leaving.form]
    assert check_submission(parse_definition(asks_for()), application).ok
    checked = await learner.verifier.verify_document(application, any_issuer=True, **OPTIONS)
    assert checked.verified
    elsewhere = await learner.verifier.verify_document(
        application, any_issuer=True, challenge="of another offer", domain=OPTIONS["domain"]
    )
    assert not elsewhere.verified

    (receipt,) = await receipts_of(learner)
    (event,) = receipt.document["event"]
    assert (receipt.exchange_id, event["decided_by"]) == (mine.id, "operator")
    assert receipt.document["presentation"]["request"] == asks_for()
    (named,) = receipt.document["presentation"]["records"]
    assert named["record_id"] == diploma.id

    record = {**badge(), "credentialSubject": {"id": application["holder"], **badge()["credentialSubject"]}}
    assert (await issue(learner, modern, thid, record)).status == 202
    assert (await modern.hear("ack")).thid == thid
    assert (await exchange_in(learner, mine.id)).state == "done"
    assert {one.credential_id for one in await held(learner)} == {diploma.credential_id, badge()["id"]}


async def test_where_nothing_fits_the_learner_is_told_why_and_can_decline(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes, CARPENTRY, accept_offers=True, share_records=True)
    await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    found = await learner.holder.matches(mine.id)
    assert found.selection is None
    assert found.missing is not None
    with pytest.raises(BadInput) as refused:
        await learner.holder.present(mine.id)
    assert refused.value.code == found.missing.code == "pex.not_satisfiable"
    await learner.threads.decline(mine.id, "I cannot weld")
    assert "I cannot weld" in (await modern.hear("problem-report")).body["comment"]
    assert (await exchange_in(learner, mine.id)).state == "abandoned"
    assert await receipts_of(learner) == []


async def test_a_learner_who_has_offers_accepted_has_not_agreed_to_show_records(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    learner = await a_learner(nodes, accept_offers=True)
    await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    await settled(learner)
    assert (await exchange_in(learner, mine.id, "offer-received")).waiting_for == "accept-offer"
    assert await receipts_of(learner) == []


async def test_a_learner_who_has_both_decided_beforehand_is_issued_the_record(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes, accept_offers=True, share_records=True)
    await offered_for_records(learner, modern)
    application = content_of(await modern.hear("request-credential"), APPLICATION)
    assert len(application["verifiableCredential"]) == 1
    (receipt,) = await receipts_of(learner)
    assert receipt.document["event"][0]["decided_by"] == "policy"


async def test_an_offer_that_comes_again_shows_nothing_a_second_time(nodes: Nodes, modern: WirePeerV2) -> None:
    clock = Clock()
    learner = await a_learner(nodes, world=replace(World(), clock=clock))
    proposal = await invited(learner, modern)
    asked = {"presentation_definition": asks_for()}
    message = offer_message(modern, proposal.thid, badge(), OPTIONS, manifest=asked)
    assert (await modern.tell(learner, message)).status == 202
    mine = await waiting_offer(learner)
    await learner.holder.present(mine.id)
    first = await modern.hear("request-credential")
    clock.advance(seconds=REPEAT_PAUSE.total_seconds())
    assert (await modern.tell(learner, message)).status == 202
    again = await modern.hear("request-credential")
    assert (again.id, again.attachments) == (first.id, first.attachments)
    answer = await offer(learner, modern, proposal.thid, badge(), OPTIONS, manifest=asked)
    assert answer.code == "issue_credential.unexpected_message"
    with pytest.raises(WrongState) as over:
        await learner.holder.present(mine.id)
    assert over.value.code == "exchange.not_waiting"
    assert len(await receipts_of(learner)) == 1


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        ({**asks_for(), "frame": {"type": ["VerifiableCredential"]}}, "pex.feature_unsupported"),
        ({"id": "d", "input_descriptors": []}, "pex.definition_malformed"),
        ({"id": "d", "input_descriptors": [{"id": "a"}] * 2}, "pex.definition_malformed"),
        (with_paths(*["$." + "a" * 300] * 64), "pex.too_much_work"),
        (with_paths("$["), "pex.path_malformed"),
    ],
)
async def test_what_cannot_be_answered_by_anybody_shows_nothing_and_can_be_declined(
    nodes: Nodes, modern: WirePeerV2, definition: dict[str, Any], code: str
) -> None:
    learner = await a_learner(nodes, accept_offers=True, share_records=True)
    await offered_for_records(learner, modern, definition)
    mine = await waiting_offer(learner)
    for ask in (learner.holder.matches, learner.holder.preview, learner.holder.present):
        with pytest.raises(BadInput) as refused:
            await ask(mine.id)
        assert refused.value.code == code
    assert await receipts_of(learner) == []
    await learner.threads.decline(mine.id, "not like this")
    await modern.hear("problem-report")


async def test_records_are_not_shown_without_a_challenge(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes, accept_offers=True, share_records=True)
    await offered_for_records(learner, modern, options={})
    await modern.hear("problem-report")
    rows = {row.error_code for row in await begun_in(learner, ISSUING, 2)}
    assert rows == {None, "issue_credential.no_challenge"}
    assert await receipts_of(learner) == []


async def test_an_issuer_that_reads_no_proof_of_this_node_is_shown_nothing(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes, accept_offers=True, share_records=True)
    await offered_for_records(learner, modern, format={"ldp_vp": {"proof_type": ["BbsBlsSignature2020"]}})
    mine = await waiting_offer(learner)
    with pytest.raises(BadInput) as refused:
        await learner.holder.present(mine.id)
    assert refused.value.code == "pex.format_unsupported"
    assert await receipts_of(learner) == []


@pytest.mark.parametrize("definition", ["all of them", 7, ["a"]])
async def test_a_definition_that_is_none_is_refused_and_leaves_nothing(
    nodes: Nodes, modern: WirePeerV2, definition: Any
) -> None:
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True})
    proposal = await invited(learner, modern)
    await settled(learner)
    before = await tables(learner.store)
    asked = {"presentation_definition": definition}
    answer = await offer(learner, modern, proposal.thid, badge(), OPTIONS, manifest=asked)
    assert answer.code == "issue_credential.malformed"
    assert await tables(learner.store) == before


async def test_an_offer_that_asks_for_nothing_is_not_answered_with_records(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes)
    proposal = await invited(learner, modern)
    assert (await offer(learner, modern, proposal.thid, badge(), OPTIONS)).status == 202
    mine = await waiting_offer(learner)
    with pytest.raises(WrongState) as nothing:
        await learner.holder.present(mine.id)
    assert nothing.value.code == "exchange.not_waiting"


async def test_the_command_line_shows_what_would_leave_and_sends_nothing_before_a_yes(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    learner = await a_learner(nodes)
    thid = await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    async with administered(learner):
        refused = await lernode(learner, "accept", mine.id)
        assert getattr(refused.exception, "code", None) == "cli.needs_yes"
        assert await receipts_of(learner) == []
        accepting = asyncio.create_task(lernode(learner, "accept", mine.id, "--yes"))
        application = content_of(await modern.hear("request-credential"), APPLICATION)
        record = {**badge(), "credentialSubject": {"id": application["holder"], **badge()["credentialSubject"]}}
        assert (await issue(learner, modern, thid, record)).status == 202
        accepted = await accepting
    assert accepted.exit_code == 0, accepted.output
    for said in (
        "Before this is issued, records of yours are asked for:",
        "Secret Diploma",
        "To hire you",
        "What would leave, with its proof:",
        "credentialSubject.achievement.criteria.narrative: Passed the practical test.",
        "The record is verified and kept.",
    ):
        assert said in accepted.stdout, accepted.stdout


async def test_the_command_line_says_that_nothing_fits(nodes: Nodes, modern: WirePeerV2) -> None:
    learner = await a_learner(nodes, CARPENTRY)
    await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    async with administered(learner):
        accepted = await lernode(learner, "accept", mine.id, "--yes")
    assert getattr(accepted.exception, "code", None) == "present.nothing_fits"
    assert "no record of yours fits" in accepted.stdout
    assert await receipts_of(learner) == []


async def test_the_admin_api_takes_no_bare_yes_and_a_choice_of_records_instead(
    nodes: Nodes, modern: WirePeerV2
) -> None:
    learner = await a_learner(nodes)
    await offered_for_records(learner, modern)
    mine = await waiting_offer(learner)
    path = f"/admin/exchanges/{mine.id}"
    async with administered(learner) as client:
        assert (await client.get(path))["asksForRecords"]
        status, problem = await client.ask("POST", f"{path}/accept")
        assert (status, problem["code"]) == (409, "issue_credential.records_first")
        found = await client.get(f"{path}/matches")
        ((descriptor, record),) = [(one["id"], one["chosen"]) for one in found["descriptors"] if one["chosen"]]
        assert found["satisfiable"]
        leaving = await client.post(f"{path}/preview", choose={descriptor: record})
        shown = await client.post(f"{path}/present", choose={descriptor: record})
        assert (shown["state"], shown["asksForRecords"]) == ("request-sent", False)
    application = content_of(await modern.hear("request-credential"), APPLICATION)
    assert application["verifiableCredential"] == [one["document"] for one in leaving["records"]]
