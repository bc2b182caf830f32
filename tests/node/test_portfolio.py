"""Résumés that prove themselves: own statements, single results, links that end, a page that checks itself."""

from __future__ import annotations

import json
from datetime import timedelta

import aiohttp
import pytest

from node.app import Node
from node.cli.verify_file import FilePolicy, opened
from node.roles.portfolio import NewStatement, definition_of
from node.runtime.world import World
from protocols.errors import BadInput, WrongState
from storage import connections, erasure, receipts, shares
from storage.credentials import HeldCredential
from storage.resumes import Entry, Resume
from tests.node.conftest import Town
from tests.node.nodes import SKILL, Clock, Nodes, connect, exchange_in, give, held, other_end
from tests.node.test_shown_in_part import selective_town  # noqa: F401 - a fixture

SHOWN = {"Accept": "text/html"}
NAME = "<b>سارة</b> שרה"


async def statement(node: Node, name: str = "Crane") -> HeldCredential:
    return await node.portfolio.state(NewStatement(name=name, text="I rebuilt the crane.", skills=[SKILL]))


async def resume_of(node: Node, *records: HeldCredential, **more: str) -> Resume:
    entries = tuple(Entry(record_id=record.id, text="My words") for record in records)
    resume = Resume(id=node.world.new_id(), title="Welding", entries=entries, updated=node.world.clock(), **more)
    return await node.portfolio.save(resume)


async def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status, await response.text(), dict(response.headers)


async def shared(node: Node, resume: Resume, days: int = 30) -> tuple[shares.Share, str]:
    share, token = await node.portfolio.share(resume, timedelta(days=days))
    return share, f"{node.config.node.endpoint}/r/{token}"


async def test_an_own_statement_is_a_record_that_says_so_and_convinces_nobody_by_itself(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    record = await statement(learner)
    assert record.is_own_statement
    result = await learner.verifier.verify_document(record.document)
    assert not result.verified
    (trust,) = [check for check in result.checks if check.check.value == "issuer-trusted"]
    assert trust.code == "trust.own_statement"
    assert (await learner.verifier.verify_document(record.document, any_issuer=True)).verified
    (skill,) = await learner.skill_profile.skills()
    assert [each.believed.by for each in skill.attestations] == ["self"]


async def test_a_link_shows_a_page_that_checks_itself_and_the_presentation_to_programs(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    (record,) = await held(town.learner)
    own = await statement(town.learner, NAME)
    _, link = await shared(town.learner, await resume_of(town.learner, record, own, text=NAME))
    status, page, headers = await get(link, **SHOWN)
    assert status == 200
    assert "2 of 2 records hold" in page
    assert page.count("Own statement of the holder; nobody else has checked it.") == 1
    assert "The issuer has not taken the record back." in page
    assert "Whether to believe this issuer is for you to decide" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"
    status, presentation, headers = await get(link, Accept="application/vp")
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "application/vp")
    assert len(json.loads(presentation)["verifiableCredential"]) == 2
    assert link.rsplit("/", 1)[1] not in presentation


async def test_a_page_says_that_a_record_was_taken_back_since(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock))
    learner = await nodes.make("learner", world=World(clock=clock), policy={"accept_offers": True})
    to_learner, _ = await connect(college, learner)
    issued = await give(college, to_learner.id)
    (record,) = await held(learner)
    _, link = await shared(learner, await resume_of(learner, record))
    await college.issuer.set_status(issued.id, "revocation", True, None)
    clock.advance(minutes=10)  # after which the learner's copy of the status list has to be asked for again
    _, page, _ = await get(link, **SHOWN)
    assert "0 of 1 records hold" in page
    assert "The issuer has revoked the record." in page


async def test_views_are_counted_and_a_link_ends_when_it_expires_or_is_withdrawn(nodes: Nodes) -> None:
    clock = Clock()
    learner = await nodes.make("learner", world=World(clock=clock))
    record = await statement(learner)
    share, link = await shared(learner, await resume_of(learner, record), days=1)
    other, other_link = await shared(learner, await resume_of(learner, record), days=2)
    await get(link, **SHOWN)
    await get(link)
    async with learner.store.read() as tx:
        assert (await shares.get(tx, share.id)).views == 2
    clock.advance(days=1)
    assert (await get(link, **SHOWN))[0] == 410
    assert "Crane" not in (await get(link, **SHOWN))[1]
    assert (await get(other_link, **SHOWN))[0] == 200
    assert (await learner.portfolio.withdraw(other.id)).views == 1
    assert (await get(other_link))[0] == 410
    async with learner.store.read() as tx:
        assert (await shares.get(tx, other.id)).content is None
        assert (await shares.get(tx, share.id)).views == 2
    assert (await get(link[:-1] + ("A" if link[-1] != "A" else "B")))[0] == 404


async def test_the_store_has_no_token_and_receipts_tell_what_a_link_shows_and_that_it_was_withdrawn(
    nodes: Nodes,
) -> None:
    learner = await nodes.make("learner")
    share, link = await shared(learner, await resume_of(learner, await statement(learner)))
    await learner.portfolio.withdraw(share.id)
    await learner.portfolio.withdraw(share.id)
    async with learner.store.read() as tx:
        kept = [one.document for one in await receipts.page(tx)]
        rows = [row for table in ("shares", "receipts", "audit") for row in await tx.all(f"SELECT * FROM {table}")]
    assert [document["event"][-1]["event_state"] for document in kept] == ["consent withdrawn", "consent given"]
    assert kept[0]["presentation"]["records"][0]["shown"]
    token = link.rsplit("/", 1)[1].encode()
    assert not [value for row in rows for value in row if token in str(value).encode()]


async def test_a_link_is_verified_by_anybody_who_has_it(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    _, link = await shared(learner, await resume_of(learner, await statement(learner)))
    async with opened(FilePolicy(learner.home, (), any_issuer=True, offline=False)) as verifier:
        data = await verifier.fetch(link)
        assert (await verifier.verify_published(data)).verified
        changed = data.replace(b"I rebuilt", b"I painted")
        assert not (await verifier.verify_published(changed)).verified


async def test_a_resume_goes_to_a_peer_who_asks_for_exactly_what_it_shows(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    (record,) = await held(town.learner)
    resume = await resume_of(town.learner, record)
    composed = await town.learner.portfolio.compose(resume)
    definition = definition_of(composed.shown, resume, "d")
    async with town.learner.store.read() as tx:
        (to_employer,) = await connections.find_by_label(tx, "employer")
    proposed = await town.learner.holder.propose_presentation(to_employer.id, definition, comment="Welding")
    asked = await other_end(town.employer, proposed, "proposal-received")
    await town.employer.verifier.approve(asked.id)
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    async with town.learner.store.read() as tx:
        (receipt,) = await receipts.page(tx)
    assert receipt.document["presentation"]["records"][0]["record_id"] == record.id


async def test_what_is_erased_is_shown_no_longer(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    record = await statement(learner)
    _, link = await shared(learner, await resume_of(learner, record))
    async with learner.store.write() as tx:
        gone = await erasure.erase_held(tx, record)
    assert [one.what for one in gone] == ["share", "held_record"]
    assert (await get(link))[0] == 404


async def test_what_cannot_be_shown_is_refused_with_its_reason(nodes: Nodes) -> None:
    learner = await nodes.make("learner")
    record = await statement(learner)
    entry = Entry(record_id=record.id, reveal=("/credentialSubject/id",))
    whole = Resume(id="r", title="T", entries=(entry,), updated=learner.world.clock())
    with pytest.raises(BadInput) as caught:
        await learner.portfolio.save(whole)
    assert caught.value.code == "proof.not_selective"
    with pytest.raises(BadInput) as caught:
        await shared(learner, await resume_of(learner))
    assert caught.value.code == "resume.empty"
    with pytest.raises(WrongState):
        await learner.portfolio.state(NewStatement(name="x", text="y", skills=["no-such-skill"]))


async def test_one_statement_of_a_record_is_shown_and_the_others_are_not(selective_town: Town) -> None:  # noqa: F811
    town = selective_town
    await give(town.college, town.college_to_learner.id)
    (record,) = await held(town.learner)
    entry = Entry(record_id=record.id, reveal=("/credentialSubject/achievement/name",))
    resume = Resume(id="r", title="Part", entries=(entry,), updated=town.learner.world.clock())
    _, link = await shared(town.learner, await town.learner.portfolio.save(resume))
    _, page, _ = await get(link, **SHOWN)
    assert "1 of 1 records hold" in page
    _, presentation, _ = await get(link)
    (shown,) = json.loads(presentation)["verifiableCredential"]
    assert "description" not in shown["credentialSubject"]["achievement"]
    assert "taught in the workshop" not in page
