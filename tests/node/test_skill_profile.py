"""What a learner's records attest, in parts that anybody can follow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest

from node.app import Node
from node.roles.trust import NewRule
from node.skills.held import ProfiledSkill, in_terms_of, scale_of
from node.skills.page import skill_page
from node.skills.picture import picture
from protocols.errors import WrongState
from storage import credentials
from storage.credentials import IssuedState
from tests.node.nodes import Nodes
from tests.node.profiles import COLLEGE, ONET, WELDER, alignment, hold, learner_did, skill_record
from tests.node.test_frameworks import import_csv

READING = alignment("Reading drawings", targetUrl="https://skills.example/reading")


@pytest.fixture
async def learner(nodes: Nodes) -> Node:
    return await nodes.make("learner")


async def the_skill(node: Node, name: str = ONET) -> ProfiledSkill:
    return await node.skill_profile.one(name)


async def test_a_skill_that_is_named_by_code_or_by_url_is_one_skill(learner: Node) -> None:
    by_code = alignment("Welding people", targetCode="51-4121.00", targetFramework="O*NET-SOC")
    await hold(learner, skill_record(1, WELDER), skill_record(2, by_code, year=2025))
    (skill,) = await learner.skill_profile.skills()
    assert (skill.name, skill.count, skill.known) == ("Welders, Cutters, Solderers, and Brazers", 2, True)
    assert [record.awarded.year for record in skill.records] == [2025, 2024]


async def test_results_are_told_for_the_skills_that_they_are_about(learner: Node) -> None:
    levels = [{"id": "urn:l1", "name": "Novice"}, {"id": "urn:l2", "name": "Skilled"}]
    document = skill_record(
        1,
        WELDER,
        READING,
        result=[
            {"type": ["Result"], "resultDescription": "urn:grade", "value": "B"},
            {"type": ["Result"], "resultDescription": "urn:rubric", "achievedLevel": "urn:l2"},
        ],
    )
    document["credentialSubject"]["achievement"]["resultDescription"] = [
        {"id": "urn:grade", "name": "Grade", "allowedValue": ["C", "B", "A"]},
        {"id": "urn:rubric", "name": "Drawings", "rubricCriterionLevel": levels, "alignment": [READING]},
    ]
    await hold(learner, document)
    welding, reading = await the_skill(learner), await the_skill(learner, "Reading drawings")
    assert [(one.value, scale_of(one)) for one in welding.results] == [("B", "C < B < A")]
    assert [(one.name, one.value, scale_of(one)) for one in reading.results] == [
        ("Grade", "B", "C < B < A"),
        ("Drawings", "Skilled", "Novice < Skilled"),
    ]


async def test_each_attestation_says_whether_its_issuer_is_trusted_for_it(learner: Node) -> None:
    me = await learner_did(learner)
    await learner.trust.add(NewRule(did=COLLEGE, end=datetime(2024, 12, 31, tzinfo=UTC)))
    await hold(
        learner,
        skill_record(1, WELDER, subject=me),
        skill_record(2, WELDER, year=2025, subject=me),
        skill_record(3, WELDER, issuer="did:web:mill.example", subject=me),
        skill_record(4, WELDER, issuer=me, subject=me),
        skill_record(5, WELDER, subject="did:key:z6MkSomebodyElse"),
    )
    skill = await the_skill(learner)
    told = {
        record.record_id: (record.believed.by, record.about) for record in await learner.skill_profile.records(skill)
    }
    names = {record.id: record.credential_id for record in await held_of(learner)}
    assert {names[record_id]: each for record_id, each in told.items()} == {
        "urn:uuid:1": ("trusted", "holder"),
        "urn:uuid:2": ("untrusted", "holder"),
        "urn:uuid:3": ("untrusted", "holder"),
        "urn:uuid:4": ("self", "holder"),
        "urn:uuid:5": ("trusted", "other"),
    }


async def held_of(node: Node) -> list[credentials.HeldCredential]:
    async with node.store.read() as tx:
        return await credentials.list_held(tx)


async def test_what_is_over_or_taken_back_is_counted_apart_and_gives_no_result(learner: Node) -> None:
    over = skill_record(1, WELDER) | {"validUntil": "2025-01-01T00:00:00Z"}
    _, revoked, _ = await hold(learner, over, skill_record(2, WELDER), skill_record(3, WELDER))
    async with learner.store.write() as tx:
        await credentials.set_held_state(tx, revoked.id, IssuedState.REVOKED, learner.world.clock())
    skill = await the_skill(learner)
    assert (skill.count, skill.valid) == (3, 1)
    assert sorted(each.standing for each in skill.attestations) == ["expired", "revoked", "valid"]


async def test_a_crosswalk_tells_the_skills_in_terms_of_another_framework(learner: Node) -> None:
    await import_csv(learner, "name,url,code\nFusion welding,https://ours.example/weld,W-1\n")
    await import_csv_named(learner, "walk", f"source,target,type\nW-1,{ONET},closeMatch\n")
    await hold(learner, skill_record(1, WELDER), skill_record(2, READING))
    skills = await learner.skill_profile.skills()
    assert {skill.name: skill.known for skill in skills} == {
        "Welders, Cutters, Solderers, and Brazers": True,
        "Reading drawings": False,
    }
    (told,) = in_terms_of(skills, "crafts")
    assert (told.name, told.code, told.framework_id) == ("Fusion welding", "W-1", "crafts")
    assert told.through is not None
    assert (told.through.kind, told.through.name) == ("← closeMatch", "Welders, Cutters, Solderers, and Brazers")


async def import_csv_named(node: Node, name: str, text: str) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from node.roles.frameworks import HowToImport

    with TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.csv")
        path.write_text(text)
        await node.frameworks.import_file(path, HowToImport(), stem=name)


async def test_nothing_is_left_of_a_record_that_is_forgotten(learner: Node) -> None:
    first, second = await hold(learner, skill_record(1, WELDER), skill_record(2, READING, issuer="did:web:a.example"))
    async with learner.store.write() as tx:
        await credentials.delete_held(tx, first.id)
    assert [skill.name for skill in await learner.skill_profile.skills()] == ["Reading drawings"]
    async with learner.store.write() as tx:
        await credentials.delete_held(tx, second.id)
        assert await tx.all("SELECT id FROM record_skills") == []
        assert await tx.all("SELECT id FROM skill_awards") == []


async def test_records_of_a_skill_come_in_pages_the_latest_first(learner: Node) -> None:
    await hold(learner, *(skill_record(number, WELDER, year=2000 + number) for number in range(1, 8)))
    skill = await the_skill(learner)
    assert len(skill.records) == 5
    first = await learner.skill_profile.records(skill, limit=4)
    rest = await learner.skill_profile.records(skill, after=first[-1].place, limit=4)
    assert [record.awarded.year for record in (*first, *rest)] == [2007, 2006, 2005, 2004, 2003, 2002, 2001]


async def test_the_store_does_not_tell_which_skills_there_are(learner: Node) -> None:
    await hold(learner, skill_record(1, WELDER, name="Secret welding"))
    async with learner.store.read() as tx:
        rows = [*await tx.all("SELECT * FROM record_skills"), *await tx.all("SELECT * FROM skill_awards")]
    stored = b"".join(
        bytes(value) if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )
    assert not [word for word in (b"Secret", b"51-4121", COLLEGE.encode(), b"z6MkLearner") if word in stored]


async def test_a_skill_that_no_record_attests_is_refused_by_name(learner: Node) -> None:
    with pytest.raises(WrongState, match="No held record"):
        await the_skill(learner)


HOSTILE = '</title><script>alert(1)</script> "ﻣﺮﺣﺒﺎ" \u202e&'


async def test_picture_and_page_hold_whatever_names_there_are_and_run_nothing(learner: Node) -> None:
    await hold(learner, skill_record(1, alignment(HOSTILE, targetCode=HOSTILE), name=HOSTILE), skill_record(2, WELDER))
    skills = await learner.skill_profile.skills()
    drawn = ET.fromstring(picture(skills, HOSTILE))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}circle")) == 4
    page = skill_page(skills, HOSTILE, learner.world.clock())
    assert "<script" not in page
    assert "\u202e" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", page)
    assert page.count('role="row"') == 3
