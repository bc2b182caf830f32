"""Who steals the store's files learns nothing about people, though the whole way of a record went through them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from node.app import Node
from node.config import STORE_FILE
from node.roles.desk import Wanted
from node.roles.issuer import Award
from node.roles.lifetime import Terms
from node.roles.portfolio import NewStatement
from protocols import strict_json
from storage import attached, connections, exchanges, verifications
from storage.resumes import Entry, Resume
from tests.node.nodes import (
    WELDING,
    Nodes,
    achievement,
    asks_for,
    connect,
    exchange_in,
    free_port,
    held,
    issued,
    settled,
)
from tests.node.ob_client import Platform
from tests.node.test_mail import plain
from tests.node.test_mediation import held_for_others, learner_of
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


_TELLING = 8
"""How many characters are not there by chance."""


def forms(marker: str | bytes) -> Iterator[bytes]:
    """The marker as it could stand in a file: in several encodings, and a text without letter case too.

    Also as a hash without a key, with which whoever has the file can test a guess.
    """
    if isinstance(marker, bytes):
        yield from _encodings(marker)
        return
    for text in {marker, marker.lower(), marker.casefold(), marker.upper()}:
        yield from _encodings(text.encode())
        yield text.encode("utf-16-le")
    for text in {marker, marker.lower()}:
        digest = hashlib.sha256(text.encode())
        yield from _encodings(digest.digest())
        yield from _encodings(digest.hexdigest().encode())


def _encodings(raw: bytes) -> Iterator[bytes]:
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        # Base64 by what is the same wherever the marker begins.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(bytes(shift) + raw)
            inner = whole[4 : len(whole) - 4]
            if len(inner) >= _TELLING:
                yield inner


def leaks(
    stolen: Iterable[tuple[str, bytes]], markers: Iterable[str | bytes] = MARKERS
) -> list[tuple[str, str | bytes]]:
    """Which marker is where."""
    wanted = list(markers)
    return [(name, one) for name, data in stolen for one in wanted if any(form in data for form in forms(one))]


def store_files(node: Node) -> Iterator[Path]:
    """The database, its write-ahead log and whatever else stands beside it under its name."""
    return node.home.glob(f"{STORE_FILE}*")


def stolen(node: Node) -> list[tuple[str, bytes]]:
    """All that a thief of the store has: the files as they are, or the dump with its binary values as they are too."""
    url = node.config.database.url
    if not url.startswith("postgresql:"):
        return [(file.name, file.read_bytes()) for file in store_files(node)]
    dump = "\n".join(pg_dump(url))
    binary = b"\n".join(bytes.fromhex(value) for value in re.findall(r"'\\x([0-9a-f]*)'", dump))
    assert "INSERT INTO" in dump
    assert binary
    return [("dump", dump.encode()), ("binary values of the dump", binary)]


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
            assert leaks(stolen(node)) == []
    finally:
        await nodes.stop_all()


async def test_a_stolen_store_tells_nothing_of_people(nodes: Nodes) -> None:
    college, learner, employer = await town(nodes)
    for node in (college, learner, employer):
        # While it runs, so that the write-ahead log is there too.
        assert (node.home / f"{STORE_FILE}-wal" in store_files(node)) is (node is not learner)
        assert leaks(stolen(node)) == []

    learner = await nodes.again(learner)
    (kept,) = await held(learner)
    said = kept.document.decode()
    for marker in (NAME, RESULT, ACHIEVEMENT, SKILL, CODE):
        assert marker in said, "the marks were on the way"
    async with college.store.read() as tx:
        assert await connections.find_by_label(tx, PEER.upper())


# What is around records ----------------------------------------------------------------------------------------------

RESUME, HOOK, APP, ORDER = "Resume-of-Octavia", "hook-key-Valkyrie", "Platform-Hyacinth", "Class-of-Kohlrabi"
AWARD = Award(achievement_id="urn:x:marked", name=NAME, email=MAIL, result=RESULT)


@pytest.fixture(params=["sqlite", "postgresql"])
async def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Nodes on the one engine or the other."""
    made = Nodes(tmp_path, new_store_url if request.param == "postgresql" else None)
    yield made
    await made.stop_all()


async def marked_college(nodes: Nodes) -> Node:
    """One that sends every record by a link, and whose mails and webhooks all have to wait."""
    college = await nodes.make(
        COLLEGE,
        issuer=True,
        network={"inline_record_bytes": 100},
        mail=plain(free_port()),
        webhooks={"max_attempts": 1000},
    )
    marked = achievement("urn:x:marked", ACHIEVEMENT, CODE, SKILL) | {"resultDescription": RESULTS}
    await college.achievements.add([marked])
    return college


async def portfolio_of(learner: Node) -> list[str]:
    """Let a learner put a résumé together, share it, and let a platform in; the secrets of all that."""
    own = await learner.portfolio.state(NewStatement(name=ACHIEVEMENT, text=RESUME, skills=[CODE]))
    entries = (Entry(record_id=own.id, text=RESUME),)
    resume = Resume(id=learner.world.new_id(), title=RESUME, text=NAME, entries=entries, updated=learner.world.clock())
    _, token = await learner.portfolio.share(await learner.portfolio.save(resume), timedelta(days=1))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        shown = await http.get(f"{learner.config.node.endpoint}/r/{token}")
        assert shown.status == 200
        platform = Platform(http, learner.apps.issuer)
        assert (await platform.register(client_name=APP)).status == 201
        page = await platform.open_page()
        _, typed = await learner.apps.approve(page.number)
        code = (await platform.type_in(page, typed)).location["code"]
        tokens = (await platform.exchange(code)).json
        await platform.open_page()
    return [
        token, platform.secret, platform.state, *page.cookies.values(), code,
        tokens["access_token"], tokens["refresh_token"],
    ]  # fmt: skip


async def sent_links(college: Node) -> list[str]:
    """What the links end with by which records went to peers."""
    async with college.store.read() as tx:
        data = [strict_json.loads_object(row.data) for row in await exchanges.page(tx)]
    urls = [url for each in data for link in each.get("links", {}).values() for url in link["links"]]
    return [url.rpartition("/")[2] for url in urls]


async def test_a_stolen_store_tells_nothing_of_what_is_around_records(anywhere: Nodes) -> None:
    mediator = await anywhere.make("mediator", mediation={"enabled": True, "grant": "invited"})
    college = await marked_college(anywhere)
    away = await learner_of(anywhere, mediator, live=True)
    learner = await anywhere.make(PEER, policy={"accept_offers": True}, open_badges_api={"enabled": True})
    hook, secret = await college.webhooks.add(f"http://localhost:{free_port()}/{HOOK}?key={HOOK}")
    _, newer = await college.webhooks.rotate(hook.id)

    to_learner, _ = await connect(college, learner)
    offered = await college.issuer.offer(to_learner.id, AWARD)
    assert (await exchange_in(college, offered.id)).state == "done"
    to_away, _ = await connect(college, away)
    await anywhere.stop(away)
    await college.issuer.offer(to_away.id, AWARD)
    await settled(college)
    invited = await college.links.offer(AWARD, Terms(comment=GOAL))
    file = f"name,email\n{NAME},{MAIL}\nNobody,\n".encode()
    wanted = Wanted(achievement="urn:x:marked", title=ORDER, by_mail=True, skip_bad=True)
    order = await college.desk.add(file, wanted, "token:clerk")
    while await college.desk.run(order.id):
        pass
    secrets: list[str | bytes] = [secret, newer, *await portfolio_of(learner), *await sent_links(college)]
    markers: list[str | bytes] = [*MARKERS, RESUME, HOOK, APP, ORDER, *secrets]

    assert await held_for_others(mediator) == 1
    assert len(await held(learner)) == 2
    assert len(await sent_links(college)) == 1
    async with college.store.read() as tx:
        assert (await attached.find(tx, invited.id)) is not None
    for node in (mediator, college, away, learner):
        assert leaks(stolen(node), markers) == []

    for node in (college, learner):
        assert (await node.erasing.erase_subject(MAIL)).report is not None
        assert leaks(stolen(node), markers) == []


def test_the_search_finds_a_mark_in_every_form() -> None:
    for marker in (NAME, bytes(range(32))):
        for form in forms(marker):
            assert leaks([("file", b"before" + form + b"after")], [marker])
