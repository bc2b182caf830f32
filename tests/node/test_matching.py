"""Profiles, queries and matches between real nodes: asked for, presented, held against, and explained."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from node.app import Node
from node.roles.frameworks import HowToImport
from node.roles.issuer import Award
from node.roles.learner_records import Gathering
from node.roles.lifetime import Terms
from node.roles.profiles import Asked, FromOccupation
from node.skills.asking import query_of
from node.skills.matching import Report
from node.skills.profile import JobProfile, encode
from protocols import strict_json
from protocols.errors import BadInput
from protocols.exchange.presentation_exchange import parse_definition
from storage import credentials
from storage.engine import Transaction
from tests.node.conftest import Town, build_town
from tests.node.nodes import (
    CARPENTRY,
    WELDING,
    Nodes,
    connect,
    eventually,
    exchange_in,
    give,
    held,
    issued,
    other_end,
)
from tests.skills import samples

ONET = "https://www.onetonline.org/link/summary/"
WELDERS, CARPENTERS = f"{ONET}51-4121.00", f"{ONET}47-2031.00"


async def import_text(node: Node, name: str, text: str, **how: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text)
        await node.frameworks.import_file(path, HowToImport(**how), stem=path.stem)


async def read(node: Node, name: str, text: str) -> JobProfile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text)
        return await node.profiles.add_file(path, name=path.stem)


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(line.requirement.skill.name, line.outcome.value, line.code) for line in report.lines]


async def ask(town: Town, profile: JobProfile) -> str:
    """The employer asks for a profile, the learner answers by itself; the exchange, once it is verified."""
    crosswalk = await town.employer.matching.crosswalk(profile)
    definition = query_of(profile, crosswalk.ways, definition_id="q")
    row = await town.employer.verifier.request(town.employer_to_learner.id, definition)
    assert (await exchange_in(town.employer, row.id)).state == "done"
    return row.id


async def test_an_employer_sees_what_a_presentation_meets_and_why(town: Town) -> None:
    employer = town.employer
    await give(town.college, town.college_to_learner.id)
    await import_text(employer, "trades.csv", "code,name,parent\nW,Joining metal,\nW.1,Fillet welds,W\n")
    await import_text(employer, "jobs.csv", f"url,name\n{CARPENTERS},Carpenters\n")
    await import_text(
        employer, "to-onet.csv", f"source,target,type\nW.1,{WELDERS},exactMatch\nW,{CARPENTERS},closeMatch\n"
    )
    asked = await employer.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    exchange_id = await ask(town, asked)
    skills = [
        Asked(skill="W.1"),
        Asked(skill=WELDERS),
        Asked(skill=CARPENTERS, need="wished"),
        Asked(skill="W"),
        Asked(skill="urn:skill:new", name="A skill of nobody", need="wished"),
    ]
    wanted = await employer.profiles.add("welder", skills=skills)
    assert wanted.number == 2
    found = (await employer.matching.presented(exchange_id, wanted)).report
    assert told(found) == [
        ("Fillet welds", "met", "ok"),
        ("Welders, Cutters, Solderers, and Brazers", "met", "ok"),
        ("Carpenters", "not-met", "skill.not_attested"),
        ("Joining metal", "met", "ok"),
        ("A skill of nobody", "not-checked", "skill.unknown"),
    ]
    used = found.lines[0].used
    assert used is not None
    assert (used.way.through.value, used.way.source) == ("exactMatch", "to-onet")
    assert used.evidence.issuer.startswith("did:web:localhost")


async def test_a_requirement_is_met_by_a_record_within_a_learner_record_until_its_issuer_revokes_it(town: Town) -> None:
    college, employer = town.college, town.employer
    record = await give(college, town.college_to_learner.id)
    await college.learner_records.offer(town.college_to_learner.id, Gathering(), Terms())

    async def probe(tx: Transaction) -> bool:
        return any("ClrCredential" in each.types for each in await credentials.list_held(tx))

    await eventually(town.learner, probe)
    wanted = await employer.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    of_type = {"path": ["$.type"], "filter": {"type": "array", "contains": {"const": "ClrCredential"}}}
    definition = {"id": "q", "input_descriptors": [{"id": "transcript", "constraints": {"fields": [of_type]}}]}
    row = await employer.verifier.request(town.employer_to_learner.id, definition)
    assert (await exchange_in(employer, row.id)).state == "done"
    found = (await employer.matching.presented(row.id, wanted)).report
    assert told(found) == [("Welders, Cutters, Solderers, and Brazers", "met", "ok")]
    used = found.lines[0].used
    assert used is not None
    assert (used.evidence.record, used.evidence.record_name) == ("1.1", "Structural Welding, Level 1")
    await college.issuer.set_status(record.id, "revocation", True, None)
    await employer.verifier.verify_again(row.id)
    assert told((await employer.matching.presented(row.id, wanted)).report)[0][1] == "not-met"


async def test_a_learner_who_lacks_some_of_a_job_is_asked_for_what_there_is(nodes: Nodes) -> None:
    town = await build_town(nodes, automatic=False)
    employer, learner = town.employer, town.learner
    for achievement_id in (WELDING, CARPENTRY):
        offered = await town.college.issuer.offer(town.college_to_learner.id, Award(achievement_id=achievement_id))
        await learner.holder.accept_offer((await other_end(learner, offered, "offer-received")).id)
        await exchange_in(town.college, offered.id, "done")
    asked = await employer.profiles.add(
        "builder", skills=[Asked(skill=each) for each in (WELDERS, CARPENTERS, f"{ONET}51-9061.00")]
    )
    crosswalk = await employer.matching.crosswalk(asked)
    shown = {}
    for fully in (False, True):
        some = query_of(asked, crosswalk.ways, definition_id="q", at_least=1)
        row = await employer.verifier.request(town.employer_to_learner.id, some)
        mine = await other_end(learner, row, "request-received")
        found = await learner.holder.matches(mine.id, fully=fully)
        assert found.selection is not None
        assert found.more is not fully
        await learner.holder.present(mine.id, dict(found.selection.pairs))
        assert (await exchange_in(employer, row.id)).state == "done"
        shown[fully] = told((await employer.matching.presented(row.id, asked)).report)
    assert [outcome for _, outcome, _ in shown[False]].count("met") == 1
    assert [outcome for _, outcome, _ in shown[True]] == ["met", "met", "not-met"]

    every = query_of(asked, crosswalk.ways, definition_id="q")
    row = await employer.verifier.request(town.employer_to_learner.id, every)
    assert (await learner.holder.matches((await other_end(learner, row, "request-received")).id)).selection is None
    with pytest.raises(BadInput) as caught:
        query_of(asked, crosswalk.ways, definition_id="q", at_least=4)
    assert caught.value.code == "profile.too_few_skills"


async def test_a_learner_may_let_its_node_show_all_that_is_asked_for_and_there(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    policy = {"accept_offers": True, "share_records": True, "share_fully": True}
    learner = await nodes.make("learner", policy=policy)
    to_learner, _ = await connect(college, learner)
    for achievement_id in (WELDING, CARPENTRY):
        await give(college, to_learner.id, achievement_id)
    did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    hiring, _ = await connect(employer, learner)
    asked = await employer.profiles.add("builder", skills=[Asked(skill=each) for each in (WELDERS, CARPENTERS)])
    row = await employer.verifier.request(hiring.id, query_of(asked, {}, definition_id="q", at_least=1))
    assert (await exchange_in(employer, row.id)).state == "done"
    assert [outcome for _, outcome, _ in told((await employer.matching.presented(row.id, asked)).report)] == ["met"] * 2


async def test_records_of_an_issuer_that_is_not_trusted_meet_nothing(nodes: Nodes) -> None:
    town = await build_town(nodes, automatic=True)
    await give(town.college, town.college_to_learner.id)
    stranger = await nodes.make("stranger")
    hiring, _ = await connect(stranger, town.learner)
    asked = await stranger.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    row = await stranger.verifier.request(hiring.id, query_of(asked, {}, definition_id="q"))
    assert (await exchange_in(stranger, row.id)).state == "abandoned"
    found = (await stranger.matching.presented(row.id, asked)).report
    assert found.lines[0].outcome.value == "not-checked"  # nobody has said whom to trust
    college = (await issued(town.college))[0]
    did = strict_json.loads_object(college.document)["issuer"]["id"]
    assert (await stranger.matching.presented(row.id, asked, trust=[did])).report.lines[0].outcome.value == "met"


async def test_a_revoked_record_meets_nothing_any_more(town: Town) -> None:
    record = await give(town.college, town.college_to_learner.id)
    asked = await town.employer.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    exchange_id = await ask(town, asked)
    assert (await town.employer.matching.presented(exchange_id, asked)).report.lines[0].outcome.value == "met"
    await town.college.issuer.set_status(record.id, "revocation", True, None)
    await town.employer.verifier.verify_again(exchange_id)
    line = (await town.employer.matching.presented(exchange_id, asked)).report.lines[0]
    assert (line.outcome.value, line.code) == ("not-met", "record.not_verified")
    assert line.reason == "“Structural Welding, Level 1” does not count: The issuer has revoked the record."


async def test_a_learner_matches_what_it_holds(town: Town) -> None:
    learner = town.learner
    await give(town.college, town.college_to_learner.id)
    await give(town.college, town.college_to_learner.id, CARPENTRY)
    asked = await learner.profiles.add("builder", skills=[Asked(skill=WELDERS), Asked(skill=CARPENTERS)])
    quick = (await learner.matching.own(asked, check=False)).report
    assert [(line.outcome.value, line.code) for line in quick.lines] == [("not-checked", "record.not_checked")] * 2
    whole = (await learner.matching.own(asked, check=True)).report
    assert [line.outcome.value for line in whole.lines] == ["met", "met"]
    assert {line.used.evidence.record for line in whole.lines if line.used} == {r.id for r in await held(learner)}


async def test_an_older_record_counts_where_newer_ones_do_not(town: Town) -> None:
    first = await give(town.college, town.college_to_learner.id)
    newer = [await give(town.college, town.college_to_learner.id) for _ in range(2)]
    for record in newer:
        await town.college.issuer.set_status(record.id, "revocation", True, None)
    for each in await held(town.learner):
        document = strict_json.loads_object(each.document)
        if document["id"] != first.credential_id:
            await eventually(town.learner, lambda tx, name=each.id: _is_taken_back(tx, name))  # type: ignore[misc]
    asked = await town.learner.profiles.add("welder", skills=[Asked(skill=WELDERS)])
    line = (await town.learner.matching.own(asked, check=True)).report.lines[0]
    assert line.outcome.value == "met"
    assert [other.code for other in line.others] == ["record.not_verified"] * 2


async def _is_taken_back(tx: Transaction, name: str) -> bool:
    return (await credentials.get_held(tx, name)).state.value == "revoked"


async def test_an_occupation_of_onet_becomes_a_profile_with_levels(nodes: Nodes) -> None:
    node = await nodes.make("employer")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "onet.zip")
        path.write_bytes(samples.archive(samples.ONET))
        await node.frameworks.import_file(path, HowToImport(), stem="onet")
    chief = await node.profiles.add("chief", occupation=FromOccupation(code="11-1011.00"))
    (wanted,) = chief.requirements
    assert (wanted.skill.name, wanted.need, wanted.importance) == ("Reading Comprehension", "required", 4.12)
    assert wanted.level is not None
    assert (wanted.level.value, wanted.level.scale.high) == ("4.75", "7")
    assert chief.occupation is not None
    assert (chief.occupation.name, chief.occupation.number) == ("Chief Executives", 1)
    none = await node.profiles.add(
        "welder", occupation=FromOccupation(code="51-4121.00", wished_from=2.5, with_levels=False)
    )
    assert [(each.need, each.level) for each in none.requirements] == [("wished", None)]
    with pytest.raises(BadInput) as caught:
        await node.profiles.add("welder", occupation=FromOccupation(code="51-4121.00"))
    assert caught.value.code == "profile.size"


async def test_an_exported_profile_is_taken_elsewhere_and_versions_stay(nodes: Nodes) -> None:
    one, other = await nodes.make("one"), await nodes.make("other")
    first = await read(
        one, "nurse.csv", f"\ufeffskill;need;level;steps\n{WELDERS};required;B;C|B|A\nurn:x:1;wished;;\n"
    )
    taken = await read(other, "anything.json", encode(first).decode())
    assert taken.requirements == first.requirements
    second = await one.profiles.add("nurse", skills=[Asked(skill="urn:x:1")])
    assert (second.number, await one.profiles.get("nurse", 1)) == (2, first)
    assert (await one.profiles.get("nurse")).number == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("skill,need\n51-4121.00,sometimes\n", "profile.bad_rows"),
        ("skill,level\n51-4121.00,B\n", "profile.malformed"),
        ("skill,level,low,high\n51-4121.00,9,0,7\n", "profile.malformed"),
        ("skill,level,steps\n51-4121.00,D,C|B|A\n", "profile.malformed"),
        ("skill\n51-4121.00\n51-4121.00\n", "profile.malformed"),
        ("skill\nW.9\n", "profile.skill_unknown"),
        ("need\nrequired\n", "framework.malformed"),
        ('{"type": "JobProfile"}', "profile.malformed"),
        ("skill\n", "profile.size"),
    ],
)
async def test_a_list_that_cannot_be_used_is_refused_whole(nodes: Nodes, text: str, code: str) -> None:
    node = await nodes.make("employer")
    with pytest.raises(BadInput) as caught:
        await read(node, "list.csv", text)
    assert caught.value.code == code
    assert await node.profiles.list() == []


async def test_a_query_asks_for_the_required_skills_and_limits_what_is_shown(nodes: Nodes) -> None:
    node = await nodes.make("employer")
    many = [Asked(skill=f"urn:skill:{number}") for number in range(30)]
    asked = await node.profiles.add(
        "job", skills=[*many, Asked(skill=WELDERS), Asked(skill="urn:x:wish", need="wished")]
    )
    definition = parse_definition(query_of(asked, {}, definition_id="q"))
    assert len({group for each in definition.descriptors for group in each.groups}) == 31
    assert {each.constraints.limit_disclosure.value for each in definition.descriptors
            if each.constraints.limit_disclosure} == {"preferred"}  # fmt: skip
    few = parse_definition(query_of(asked, {}, definition_id="q", wished=True, most=2))
    assert len({group for each in few.descriptors for group in each.groups}) == 2
    with pytest.raises(BadInput) as caught:
        query_of(await node.profiles.add("big", skills=[*many, *[Asked(skill=f"urn:x:{n}") for n in range(3)]]), {},
                 definition_id="q")  # fmt: skip
    assert caught.value.code == "profile.too_many_skills"
