"""Records shown in part, between real nodes: the learner keeps the whole, the employer gets what it asked for."""

from __future__ import annotations

from typing import Any

import pytest

from protocols import strict_json
from protocols.errors import BadInput
from protocols.multiformats import Multicodec
from storage.dids import DidPurpose
from tests.node.conftest import Town
from tests.node.nodes import Nodes, asks_for, check, connect, exchange_in, give, held

SECRET = "Passed the practical test."


@pytest.fixture
async def selective_town(nodes: Nodes) -> Town:
    """A town whose college signs statement by statement, with a P-256 key beside its first one."""
    college = await nodes.make("college", issuer={"securing": "ecdsa-sd-2023"})
    async with college.store.write() as tx:
        own = await college.identity.default(tx, DidPurpose.ISSUER)
        await college.identity.add_key(tx, own.did, Multicodec.P256_PUB)
    learner = await nodes.make("learner", policy={"accept_offers": True, "share_records": True})
    employer = await nodes.make("employer", trust={"issuers": (own.did,)})
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    return Town(nodes, college, learner, employer, to_learner, hiring)


def limited(how: str | None) -> dict[str, Any]:
    definition = asks_for()
    if how is not None:
        for descriptor in definition["input_descriptors"]:  # a skill by its URL, or else by its code
            descriptor["constraints"]["limit_disclosure"] = how
    return definition


async def presented(town: Town, definition: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the employer received, and its verdict."""
    asked = await town.employer.verifier.request(town.employer_to_learner.id, definition)
    row = await exchange_in(town.employer, asked.id)
    assert row.state == "done", row.error_code
    document = strict_json.loads_object(row.data)["presentation"]["verifiableCredential"]
    result = await town.employer.verifier.verify_again(asked.id)
    assert result.verified
    return (document[0] if isinstance(document, list) else document), result.result


@pytest.mark.parametrize("how", ["required", "preferred"])
async def test_an_employer_who_limits_disclosure_gets_what_it_asks_for_and_no_more(
    selective_town: Town, how: str
) -> None:
    town = selective_town
    await give(town.college, town.college_to_learner.id)
    (kept,) = await held(town.learner)
    assert SECRET.encode() in kept.document
    document, verdict = await presented(town, limited(how))
    assert SECRET not in str(document)
    assert "description" not in document["credentialSubject"]["achievement"]
    assert document["credentialStatus"] and document["issuer"] and document["validFrom"]
    assert [item["id"] for item in document["relatedResource"]] == document["@context"][1:]
    assert check(verdict, "proof")["outcome"] == "pass"
    assert check(verdict, "status")["outcome"] == "pass"
    assert check(verdict, "schema")["code"] == "schema.shown_in_part"


async def test_an_employer_who_does_not_limit_it_gets_all_of_it_and_no_base_proof(selective_town: Town) -> None:
    town = selective_town
    await give(town.college, town.college_to_learner.id)
    document, verdict = await presented(town, limited(None))
    (kept,) = await held(town.learner)
    whole = strict_json.loads_object(kept.document)
    assert {**document, "proof": None} == {**whole, "proof": None}
    assert document["proof"]["proofValue"] != whole["proof"]["proofValue"]
    assert check(verdict, "schema")["outcome"] == "pass"


async def test_a_record_that_is_signed_as_a_whole_does_not_answer_a_request_to_limit_it(town: Town) -> None:
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, limited("required"))
    assert (await exchange_in(town.employer, asked.id, "request-sent")).state == "request-sent"


async def test_a_learner_hands_over_a_part_of_a_record_as_a_file(selective_town: Town) -> None:
    town = selective_town
    await give(town.college, town.college_to_learner.id)
    (kept,) = await held(town.learner)
    part = strict_json.loads_object(await town.learner.holder.derive(kept.id, ["/credentialSubject/achievement/name"]))
    assert part["credentialSubject"]["achievement"].keys() == {"id", "type", "name"}
    assert part["relatedResource"]
    with pytest.raises(BadInput) as caught:
        await town.learner.holder.derive(kept.id, ["/nothing"])
    assert caught.value.code == "pointer.nothing_there"
