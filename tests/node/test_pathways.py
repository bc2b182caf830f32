"""Catalogues from node to node, and the paths that learners and advisers find in them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from node.app import Node
from node.roles.pathways import Gap
from node.roles.profiles import Asked
from node.roles.trust import NewRule
from node.skills.asking import query_of
from node.skills.offers import Cost
from node.skills.profile import JobProfile
from protocols import strict_json
from protocols.errors import BadInput, LernodeError
from storage.dids import DidPurpose
from tests.node.conftest import Town
from tests.node.nodes import SKILL, Nodes, exchange_in, give

ONET = "https://www.onetonline.org/link/summary/"
WELDERS, CARPENTERS = f"{ONET}51-4121.00", f"{ONET}47-2031.00"
COSTS = {
    "structural-welding-level-1": Cost(hours=Decimal(60)),
    "carpentry-level-1": Cost(hours=Decimal(40), price=Decimal("99.50"), currency="EUR"),
}


async def did_of(node: Node) -> str:
    async with node.store.read() as tx:
        return (await node.identity.default(tx, DidPurpose.ISSUER)).did


async def gap_of(node: Node, profile: JobProfile, unit: str | None = None) -> Gap:
    return await node.pathways.gap(await node.matching.own(profile, check=True), unit=unit)


async def test_a_learner_sees_what_is_missing_and_what_closes_it(town: Town) -> None:
    college, learner = town.college, town.learner
    await give(college, town.college_to_learner.id)
    await college.pathways.publish(COSTS, days=30)
    taken = await learner.pathways.take_url(college.pathways.url, publisher=None)
    assert (taken.issuer, taken.name, taken.sequence) == (await did_of(college), "college", 1)
    wanted = await learner.profiles.add(
        "builder", skills=[Asked(skill=WELDERS), Asked(skill=CARPENTERS), Asked(skill="urn:x:nobody")]
    )
    stranger = await gap_of(learner, wanted)
    assert stranger.path == ()
    assert [each.offer.name for each in stranger.untrusted] == ["Carpentry, Level 1"]
    await learner.trust.add(NewRule(did=taken.issuer))
    found = await gap_of(learner, wanted)
    assert [line.requirement.skill.url for line in found.missing.values()] == [CARPENTERS, "urn:x:nobody"]
    assert [(each.offer.name, dict(each.closes)) for each in found.path] == [("Carpentry, Level 1", {1: "exact item"})]
    assert (found.unit, found.choice.cost, found.choice.exact) == ("hours", Decimal(40), True)
    assert found.choice.open == {2}
    by_price = await gap_of(learner, wanted, "price in EUR")
    assert by_price.choice.cost == Decimal("99.50")
    by_credits = await gap_of(learner, wanted, "credits")
    assert (by_credits.path, [each.offer.name for each in by_credits.uncosted]) == ((), ["Carpentry, Level 1"])


async def test_an_adviser_sees_it_for_what_was_presented(town: Town) -> None:
    college, adviser = town.college, town.employer
    await give(college, town.college_to_learner.id)
    await college.pathways.publish(COSTS, days=30)
    await adviser.pathways.take_url(college.pathways.url, publisher=None)
    asked = await adviser.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    definition = query_of(asked, {}, definition_id="q")
    row = await adviser.verifier.request(town.employer_to_learner.id, definition)
    assert (await exchange_in(adviser, row.id)).state == "done"
    wanted = await adviser.profiles.add("builder", skills=[Asked(skill=WELDERS), Asked(skill=CARPENTERS)])
    found = await adviser.pathways.gap(await adviser.matching.presented(row.id, wanted))
    assert [each.offer.name for each in found.path] == ["Carpentry, Level 1"]


async def test_an_issuer_finds_paths_in_its_own_catalogue(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    await college.pathways.publish({}, days=30)
    wanted = await college.profiles.add("builder", skills=[Asked(skill=SKILL), Asked(skill=CARPENTERS)])
    found = await gap_of(college, wanted)
    assert (found.unit, found.choice.cost) == ("achievements", Decimal(2))


async def test_a_catalogue_that_is_altered_older_or_of_somebody_else_is_not_taken(nodes: Nodes) -> None:
    college, other = await nodes.make("college", issuer=True), await nodes.make("other", issuer=True)
    first = await college.pathways.publish(COSTS, days=30)
    second = await college.pathways.publish({}, days=30)
    altered = strict_json.loads_object(second.document)
    altered["credentialSubject"]["offers"][0]["hours"] = "1"
    did = await did_of(college)
    for document, publisher, code in (
        (strict_json.dumps(altered), did, "publication.unverified"),
        (second.document, None, "publication.publisher_unnamed"),
        (second.document, await did_of(other), "publication.publisher_other"),
        (b"{}", did, "publication.unverified"),
    ):
        with pytest.raises(LernodeError) as caught:
            await other.pathways.take(document, publisher=publisher)
        assert caught.value.code == code
    assert await other.pathways.every() == []
    assert (await other.pathways.take(second.document, publisher=did)).sequence == 2
    with pytest.raises(BadInput) as refused:
        await other.pathways.take(first.document, publisher=did)
    assert refused.value.code == "catalogue.rolled_back"


async def test_a_cost_of_what_is_not_awarded_is_refused(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    with pytest.raises(BadInput) as caught:
        await college.pathways.publish({"pottery": Cost(hours=Decimal(1))}, days=30)
    assert caught.value.code == "catalogue.cost_of_nothing"
