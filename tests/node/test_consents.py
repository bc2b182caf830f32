"""What a learner sees before records leave, what is kept of it afterwards, and what an employer does not accept."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from protocols import strict_json
from protocols.credentials.data_integrity import derive_proof
from protocols.errors import BadInput
from protocols.exchange.presentation_exchange import check_submission, parse_definition
from storage import credentials, receipts, verifications
from storage.credentials import IssuedState
from storage.receipts import Receipt
from tests.credentials.transcripts import issue_selective
from tests.node.conftest import Town
from tests.node.nodes import CARPENTRY, WELDING, asks_for, exchange_in, give, held, other_end
from tests.node.test_negotiation import give_in_person
from tests.node.test_shown_in_part import SECRET, limited, selective_town

__all__ = ["selective_town"]


async def receipts_of(node: Any) -> list[Receipt]:
    async with node.store.read() as tx:
        return await receipts.page(tx)


async def test_every_presentation_leaves_a_receipt_that_says_who_asked_what_and_why(careful_town: Town) -> None:
    town = careful_town
    await give_in_person(town)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    assert await receipts_of(town.learner) == []
    await town.learner.holder.present(mine.id)
    await exchange_in(town.employer, asked.id, "done")
    (receipt,) = await receipts_of(town.learner)
    (kept,) = await held(town.learner)
    document = receipt.document
    (party,), (event,) = document["party_identification"], document["event"]
    assert party["party_name"] == "employer"
    assert (event["event_state"], event["decided_by"]) == ("consent given", "operator")
    assert document["pii_principal_id"] == kept.subject
    assert {one["purpose"] for one in document["purposes"]} == {"To hire you"}
    assert document["presentation"]["request"] == asks_for()
    (record,) = document["presentation"]["records"]
    assert (record["record_id"], record["credential_id"]) == (kept.id, kept.credential_id)
    assert {"path": "credentialSubject.achievement.criteria.narrative", "value": SECRET} in record["shown"]
    assert record["withheld"] == []
    async with town.employer.store.read() as tx:
        seen = await verifications.latest(tx, asked.id)
    assert seen is not None
    assert document["presentation"]["digest"] == f"sha-256:{seen.document_digest}"


async def test_a_receipt_says_what_of_a_record_was_not_shown(selective_town: Town) -> None:
    town = selective_town
    await give(town.college, town.college_to_learner.id)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, limited("required"))
    await exchange_in(town.employer, asked.id, "done")
    (receipt,) = await receipts_of(town.learner)
    (record,) = receipt.document["presentation"]["records"]
    assert SECRET not in str(record)
    assert "credentialSubject.achievement.criteria.narrative" in record["withheld"]
    assert receipt.document["event"][0]["decided_by"] == "policy"


async def test_what_would_leave_is_shown_for_the_record_that_is_chosen(careful_town: Town) -> None:
    town = careful_town
    await give_in_person(town)
    await give_in_person(town)
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    found = await town.learner.holder.matches(mine.id)
    assert found.selection is not None
    ((descriptor, proposed),) = found.selection.pairs
    other = next(record for record in await held(town.learner) if record.id != proposed)
    (leaving,) = (await town.learner.holder.preview(mine.id, {descriptor: other.id})).leaving
    assert leaving.record.id == other.id
    assert leaving.document == strict_json.loads_object(other.document)
    (leaving,) = (await town.learner.holder.preview(mine.id)).leaving
    assert leaving.record.id == proposed
    assert (await exchange_in(town.learner, mine.id, "request-received")).waiting_for == "share-records"


async def test_a_record_that_is_known_to_be_revoked_is_never_shown_by_itself(careful_town: Town) -> None:
    town = careful_town
    await give_in_person(town)
    (kept,) = await held(town.learner)
    async with town.learner.store.write() as tx:
        await credentials.set_held_state(tx, kept.id, IssuedState.REVOKED, town.learner.world.clock())
    asked = await town.employer.verifier.request(town.employer_to_learner.id, asks_for())
    mine = await other_end(town.learner, asked, "request-received")
    found = await town.learner.holder.matches(mine.id)
    assert found.selection is None
    with pytest.raises(BadInput) as refused:
        await town.learner.holder.present(mine.id)
    assert refused.value.code == "pex.not_satisfiable"
    await give_in_person(town, WELDING)
    found = await town.learner.holder.matches(mine.id)
    assert found.selection is not None
    assert kept.id not in found.selection.record_ids
    fitting = {name for entry in found.report.descriptors for name in entry.record_ids}
    assert kept.id in fitting  # who insists can choose it all the same


def answer_with(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "verifiableCredential": [document],
        "presentation_submission": {
            "id": "s",
            "definition_id": "d",
            "descriptor_map": [{"id": "grade", "format": "ldp_vc", "path": "$.verifiableCredential[0]"}],
        },
    }


def definition(limit: str) -> dict[str, Any]:
    grade = {"path": ["$.credentialSubject.result[0].value"]}
    constraints = {"limit_disclosure": limit, "fields": [grade]}
    return {"id": "d", "input_descriptors": [{"id": "grade", "constraints": constraints}]}


ASKED = ("/credentialSubject/result/0/value",)


@pytest.mark.parametrize(
    ("pointers", "limit", "problems"),
    [
        (ASKED, "required", []),
        ((*ASKED, "/credentialSubject/result/2"), "required", ["pex.more_than_asked"]),
        ((*ASKED, "/credentialSubject/achievement/description"), "required", ["pex.more_than_asked"]),
        (("",), "required", ["pex.more_than_asked"]),
        (("",), "preferred", []),
    ],
)
def test_a_record_shown_in_part_has_no_more_than_was_asked_for(
    pointers: tuple[str, ...], limit: str, problems: list[str]
) -> None:
    shown = derive_proof(copy.deepcopy(issue_selective()), pointers)
    checked = check_submission(parse_definition(definition(limit)), answer_with(shown))
    assert [problem.code for problem in checked.problems] == problems


def of_achievement(name: str, achievement: str, *groups: str) -> dict[str, Any]:
    place = {"path": ["$.credentialSubject.achievement.id"], "filter": {"type": "string", "const": achievement}}
    return {"id": name, "group": list(groups), "purpose": f"For {name}", "constraints": {"fields": [place]}}


async def test_several_records_answer_nested_requirements_and_nothing_else_leaves(careful_town: Town) -> None:
    town = careful_town
    for achievement in (WELDING, CARPENTRY, WELDING):
        await give_in_person(town, achievement)
    wanted = {
        "id": "two-trades",
        "submission_requirements": [
            {
                "name": "Both trades, or a licence",
                "rule": "pick",
                "count": 1,
                "from_nested": [
                    {"rule": "all", "from": "trades"},
                    {"rule": "pick", "min": 1, "max": 2, "from": "licences"},
                ],
            }
        ],
        "input_descriptors": [
            of_achievement("welding", WELDING, "trades"),
            of_achievement("carpentry", CARPENTRY, "trades"),
            of_achievement("licence", "https://college.example/achievements/licence", "licences"),
        ],
    }
    asked = await town.employer.verifier.request(town.employer_to_learner.id, wanted)
    mine = await other_end(town.learner, asked, "request-received")
    leaving = (await town.learner.holder.preview(mine.id)).leaving
    assert sorted(each.record.name for each in leaving) == ["Carpentry, Level 1", "Structural Welding, Level 1"]
    await town.learner.holder.present(mine.id)
    assert (await exchange_in(town.employer, asked.id)).state == "done"
    row = await exchange_in(town.employer, asked.id)
    shown = strict_json.loads_object(row.data)["presentation"]["verifiableCredential"]
    assert {one["id"] for one in shown} == {each.record.credential_id for each in leaving}
    (receipt,) = await receipts_of(town.learner)
    answered = [record["answers"] for record in receipt.document["presentation"]["records"]]
    assert sorted(answered) == [["carpentry"], ["welding"]]
