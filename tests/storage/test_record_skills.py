"""The index of what held records attest: found by skill, in bounds, and gone with the record."""

from __future__ import annotations

from storage import credentials, record_skills
from storage.credentials import Skill
from storage.engine import Store, Transaction
from storage.record_skills import Reached
from tests.storage.rows import at, held

WELDING = Skill(code="S4.2", name="Weld Metal Parts", framework="ESCO", url="http://data.europa.eu/esco/skill/1")
BRAZING = Skill(code="S4.2", name="Braze", framework="Trades of the Coast")
GRADE = Reached(name="Practical grade", value="B", description="urn:x:grade", kind="LetterGrade", steps=("C", "B", "A"))


async def _three(tx: Transaction) -> None:
    await credentials.add_held(tx, held("h1", skills=(WELDING, BRAZING)), reached={WELDING: (GRADE,)})
    await credentials.add_held(tx, held("h2", skills=(WELDING,), stored_at=at(1)))
    await credentials.add_held(tx, held("h3", stored_at=at(2)))


async def test_skills_are_found_by_url_and_by_code_without_opening_records(store: Store) -> None:
    async with store.write() as tx:
        await _three(tx)
    async with store.read() as tx:
        by_url = await record_skills.attesting(tx, [WELDING.url or ""])
        by_code = await record_skills.attesting(tx, [], ["S4.2"])
        nothing = await record_skills.attesting(tx, ["http://data.europa.eu/esco/skill/2"], ["s4.2"])
    assert [(each.record_id, each.skill) for each in by_url] == [("h2", WELDING), ("h1", WELDING)]
    assert {(each.record_id, each.skill) for each in by_code} == {("h1", WELDING), ("h1", BRAZING), ("h2", WELDING)}
    assert [each.reached for each in by_url] == [(), (GRADE,)]
    assert by_url[0].record_name == held().name
    assert nothing == []


async def test_a_common_skill_is_bounded_and_hides_no_other(store: Store) -> None:
    async with store.write() as tx:
        await _three(tx)
        for number in range(4, 9):
            await credentials.add_held(tx, held(f"h{number}", skills=(WELDING,), stored_at=at(number)))
    async with store.read() as tx:
        found = await record_skills.attesting(tx, [WELDING.url or ""], ["S4.2"], each=2)
    assert [each.record_id for each in found] == ["h8", "h7"]


async def test_many_skills_are_asked_for_in_one_go(store: Store) -> None:
    skills = [Skill(name=str(number), url=f"urn:skill:{number}") for number in range(130)]
    async with store.write() as tx:
        for number in range(13):
            mine = tuple(skills[10 * number : 10 * number + 10])
            await credentials.add_held(tx, held(f"h{number:02}", skills=mine))
    async with store.read() as tx:
        found = await record_skills.attesting(tx, [skill.url or "" for skill in skills])
        first = await record_skills.page(tx, limit=100)
        rest = await record_skills.page(tx, after=first[-1].id, limit=100)
    assert {each.skill for each in found} == set(skills)
    assert [each.skill for each in first + rest] == skills


async def test_what_a_record_attests_goes_with_it(store: Store) -> None:
    async with store.write() as tx:
        await _three(tx)
        await credentials.delete_held(tx, "h1")
    async with store.read() as tx:
        assert [each.record_id for each in await record_skills.page(tx)] == ["h2"]
        assert await record_skills.of_record(tx, "h1") == []


async def test_the_index_says_nothing_to_who_reads_the_file(store: Store) -> None:
    async with store.write() as tx:
        await _three(tx)
    async with store.read() as tx:
        told = repr([tuple(row[name] for name in row.keys()) for row in await tx.all("SELECT * FROM record_skills")])  # noqa: SIM118
    assert "S4.2" not in told
    assert "esco" not in told
    assert "Weld" not in told
