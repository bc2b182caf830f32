"""Who steals the store's files learns nothing about people, though the whole way of a record went through them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

from node.app import Node
from node.config import STORE_FILE
from node.roles.issuer import Award
from protocols import strict_json
from storage import connections, verifications
from tests.node.nodes import WELDING, Nodes, achievement, asks_for, connect, exchange_in, held, issued
from tests.postgresql import new_store_url, pg_dump

NAME, MAIL = "Zebulon Quartermain", "zebulon@quartermain.example"
RESULT, REASON = "Grade-Xylophone", "Forged-by-Wolfram"
COLLEGE, PEER, GOAL = "Riverbend-College", "Wilhelmina-Learner", "Hiring-Plan-Omikron"
ACHIEVEMENT, SKILL, CODE = "Underwater Basketweaving", "Welders, Cutters, Solderers, and Brazers", "51-4121.00"
ROW_KEY, LIST = "student-number-424242", "Autumn-class-of-Wimbledon"
RESULTS = [
    {
        "id": f"{WELDING}#grade",
        "type": ["ResultDescription"],
        "name": "Grade",
        "resultType": "LetterGrade",
        "allowedValue": ["F", RESULT],
        "requiredValue": "F",
    }
]
MARKERS = (NAME, MAIL, RESULT, REASON, PEER, GOAL, ACHIEVEMENT, SKILL, CODE, ROW_KEY, LIST)


def forms(marker: str) -> Iterator[bytes]:
    """The marker as it could stand in a file: in several encodings, and without letter case."""
    for text in {marker, marker.lower(), marker.casefold(), marker.upper()}:
        raw = text.encode()
        yield raw
        yield text.encode("utf-16-le")
        yield raw.hex().encode()
        for shift in range(3):
            # Base64 by what is the same wherever the marker begins.
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                whole = encode(bytes(shift) + raw)
                yield whole[4 : len(whole) - 4 - len(whole) % 4]


def leaks(files: Iterable[Path]) -> list[tuple[str, str]]:
    found = []
    for file in files:
        data = file.read_bytes()
        found += [(file.name, marker) for marker in MARKERS for form in forms(marker) if form in data]
    return found


def store_files(node: Node) -> Iterator[Path]:
    """The database, its write-ahead log and whatever else stands beside it under its name."""
    return node.home.glob(f"{STORE_FILE}*")


async def travel(college: Node, learner: Node, employer: Node, nodes: Nodes) -> None:
    """Let marked data take every way that a node has for it."""
    to_learner, _ = await connect(college, learner)
    hiring, _ = await connect(employer, learner)
    award = Award(achievement_id=WELDING, name=NAME, email=MAIL, result=RESULT)
    offered = await college.issuer.offer(to_learner.id, award)
    assert (await exchange_in(college, offered.id)).state == "done"
    asked = await employer.verifier.request(hiring.id, asks_for(CODE) | {"name": GOAL, "purpose": GOAL})
    assert (await exchange_in(employer, asked.id)).state == "done"
    async with employer.store.read() as tx:
        found = await verifications.latest(tx, asked.id)
    assert found is not None and found.verified
    assert [row.problem for row in await college.issuer.issue_rows(LIST, WELDING, {ROW_KEY: award})] == [None]
    (record,) = [found for found in await issued(college) if found.exchange_id == offered.id]
    await college.issuer.set_status(record.id, "revocation", True, REASON)
    # What cannot be delivered stays in the outbox.
    await nodes.stop(learner)
    await college.issuer.offer(to_learner.id, award)


async def town(nodes: Nodes) -> tuple[Node, Node, Node]:
    """A college, a learner (stopped) and an employer, after marked data went through them."""
    college = await nodes.make(COLLEGE, issuer=True)
    await nodes.stop(college)
    marked = achievement(WELDING, ACHIEVEMENT, CODE, SKILL) | {"resultDescription": RESULTS}
    (college.home / "catalogue.json").write_bytes(strict_json.dumps([marked]))
    college = await nodes.again(college)
    learner = await nodes.make(PEER, policy={"accept_offers": True, "share_records": True})
    did = "did:web:" + college.config.node.endpoint.removeprefix("http://").replace(":", "%3A")
    employer = await nodes.make("employer", trust={"issuers": (did,)})
    await travel(college, learner, employer, nodes)
    return college, learner, employer


async def test_a_stolen_dump_of_postgresql_tells_nothing_of_people(tmp_path: Path) -> None:
    nodes = Nodes(tmp_path, new_store_url)
    try:
        for node in await town(nodes):
            dump = tmp_path / "dump.sql"
            dump.write_text("\n".join(pg_dump(node.config.database.url)), encoding="utf-8")
            assert "INSERT INTO" in dump.read_text(encoding="utf-8")
            assert leaks([dump]) == []
    finally:
        await nodes.stop_all()


async def test_a_stolen_store_tells_nothing_of_people(nodes: Nodes) -> None:
    college, learner, employer = await town(nodes)
    for node in (college, learner, employer):
        # While it runs, so that the write-ahead log is there too.
        files = list(store_files(node))
        assert (node.home / f"{STORE_FILE}-wal" in files) is (node is not learner)
        assert leaks(files) == []

    learner = await nodes.again(learner)
    (kept,) = await held(learner)
    said = kept.document.decode()
    for marker in (NAME, RESULT, ACHIEVEMENT, SKILL, CODE):
        assert marker in said, "the marks were on the way"
    async with college.store.read() as tx:
        assert await connections.find_by_label(tx, PEER.upper())


def test_the_search_finds_a_mark_in_every_form(tmp_path: Path) -> None:
    for form in forms(NAME):
        file = tmp_path / "file"
        file.write_bytes(b"before" + form + b"after")
        assert leaks([file])
