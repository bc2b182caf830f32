"""The issuing desk: lists that are approved by a second person, issued once, and reported on."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from node.app import Node
from node.http.admin import admin_app
from node.roles.desk import Reported, Wanted
from protocols.errors import LernodeError
from storage import orders
from storage.engine import Store
from tests.node.nodes import WELDING, Nodes, free_port, issued

FILE = b"name,email\nAda Byron,ada@example.org\nGrace Hopper,grace@example.org\n"
BAD = FILE + b"Nobody,\n"
WANTED = Wanted(achievement=WELDING, title="class.csv")
BRINGER, APPROVER = "token:clerk", "token:registrar"


async def code_of(awaitable: object) -> str:
    with pytest.raises(LernodeError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value.code


async def report(node: Node, order_id: str) -> list[Reported]:
    async with node.store.read() as tx:
        return await node.desk.report(tx, order_id)


async def run_all(node: Node, order_id: str) -> int:
    done = 0
    while more := await node.desk.run(order_id):
        done += len(more)
    return done


async def test_a_list_is_issued_once_and_says_who_got_what(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    order = await college.desk.add(FILE, WANTED, BRINGER)
    assert await run_all(college, order.id) == 2
    assert await run_all(college, order.id) == 0
    rows = await report(college, order.id)
    assert [(each.row.line, each.row.name, each.row.state) for each in rows] == [
        (2, "Ada Byron", "issued"),
        (3, "Grace Hopper", "issued"),
    ]
    assert {each.record.id for each in rows if each.record} == {record.id for record in await issued(college)}


async def test_a_row_that_was_signed_before_a_crash_is_not_signed_again(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    order = await college.desk.add(FILE, WANTED, BRINGER)
    await college.desk.run(order.id)
    # As if the process had died between signing and noting it.
    async with college.store.write() as tx:
        await tx.execute("UPDATE order_rows SET state = 'ready', issued_id = NULL WHERE order_id = ?", (order.id,))
    assert await run_all(college, order.id) == 2
    assert len(await issued(college)) == 2
    assert all(each.record for each in await report(college, order.id))


async def test_a_file_with_bad_rows_is_kept_only_without_them_and_the_report_names_them(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    assert await code_of(college.desk.add(BAD, WANTED, BRINGER)) == "order.bad_rows"
    async with college.store.read() as tx:
        assert await orders.page(tx) == []
    wanted = Wanted(achievement=WELDING, skip_bad=True)
    order = await college.desk.add(BAD, wanted, BRINGER)
    await run_all(college, order.id)
    rows = [each.row for each in await report(college, order.id)]
    assert [(row.line, row.state, row.code) for row in rows] == [
        (2, "issued", None),
        (3, "issued", None),
        (4, "failed", "row.nobody"),
    ]


async def test_looking_through_a_file_keeps_nothing(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    found = await college.desk.check(BAD, WANTED)
    assert (len(found.learners.rows), [each.line for each in found.learners.problems]) == (2, [4])
    async with college.store.read() as tx:
        assert await orders.page(tx) == []
    assert await code_of(college.desk.check(FILE, Wanted(achievement="nothing"))) == "catalogue.unknown_achievement"
    assert await code_of(college.desk.check(FILE, Wanted(achievement=WELDING, mapping="none"))) == "mapping.unknown"
    assert await code_of(college.desk.check(FILE, Wanted(achievement=WELDING, by_mail=True))) == "mail.not_configured"


async def test_nothing_is_issued_before_a_second_person_approves(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer={"second_person": True})
    order = await college.desk.add(FILE, WANTED, BRINGER)
    assert await code_of(college.desk.run(order.id)) == "order.not_approved"
    assert await code_of(college.desk.decide(order.id, BRINGER, approve=True)) == "order.same_person"
    approved = await college.desk.decide(order.id, APPROVER, approve=True)
    assert (approved.brought_by, approved.decided_by) == (BRINGER, APPROVER)
    assert await code_of(college.desk.decide(order.id, APPROVER, approve=True)) == "order.not_waiting"
    assert await run_all(college, order.id) == 2


async def test_what_is_declined_is_never_issued(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer={"second_person": True})
    order = await college.desk.add(FILE, WANTED, BRINGER)
    await college.desk.decide(order.id, BRINGER, approve=False, reason="wrong file")
    assert await code_of(college.desk.decide(order.id, APPROVER, approve=True)) == "order.not_waiting"
    assert await code_of(college.desk.run(order.id)) == "order.not_approved"
    assert await issued(college) == []


async def test_of_two_who_run_a_list_at_a_time_none_issues_twice(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    rows = b"".join(b"Learner %d,l%d@example.org\n" % (n, n) for n in range(40))
    order = await college.desk.add(b"name,email\n" + rows, WANTED, BRINGER)
    await asyncio.gather(run_all(college, order.id), run_all(college, order.id))
    assert len(await issued(college)) == 40
    assert Counter(each.row.state for each in await report(college, order.id)) == {"issued": 40}


async def test_the_version_that_was_looked_at_is_the_one_that_is_awarded(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    order = await college.desk.add(FILE, WANTED, BRINGER)
    async with college.store.read() as tx:
        document = (await college.achievements.entry(tx, WELDING)).document
    await college.achievements.edit(WELDING, document | {"name": "Other"})
    await run_all(college, order.id)
    assert {record.achievement_id for record in await issued(college)} == {WELDING}


async def test_erasing_a_person_takes_them_off_the_lists(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    order = await college.desk.add(FILE, WANTED, BRINGER)
    await run_all(college, order.id)
    found = await college.erasing.erase_subject("ada@example.org")
    assert {each.what for each in found.erased} == {"issued_record", "list_row"}
    assert [each.row.name for each in await report(college, order.id)] == ["Grace Hopper"]


async def test_who_brings_and_who_approves_is_known_by_token(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer={"second_person": True})
    port = free_port()
    people = {"clerk": "c" * 32, "registrar": "r" * 32}
    await college.serve(admin_app(college, token="a" * 32, people=people), "127.0.0.1", port)

    async def ask(person: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, object]]:
        import aiohttp

        headers = {"Authorization": f"Bearer {person[0] * 32}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"http://127.0.0.1:{port}/admin/desk/{path}", data=body) as response,
        ):
            return response.status, await response.json(content_type=None)

    status, made = await ask("clerk", f"orders?achievement={WELDING}", FILE)
    assert (status, made["state"], made["broughtBy"]) == (201, "waiting", "token:clerk")
    status, refused = await ask("clerk", f"orders/{made['id']}/approve")
    assert (status, refused["code"]) == (409, "order.same_person")
    status, approved = await ask("registrar", f"orders/{str(made['id'])[:8]}/approve")
    assert (status, approved["decidedBy"]) == (200, "token:registrar")
    assert (await ask("xtra", f"orders/{made['id']}/run"))[0] == 401
    status, ran = await ask("clerk", f"orders/{made['id']}/run")
    assert (status, ran["left"]) == (200, 0)


async def test_lists_say_nothing_of_people_in_a_stolen_store(nodes: Nodes) -> None:
    college = await nodes.make("college", issuer=True)
    order = await college.desk.add(FILE, WANTED, BRINGER)
    await run_all(college, order.id)
    assert await found_in(college.store, "Byron", "ada@example.org", BRINGER, "class.csv") == []


async def found_in(store: Store, *words: str) -> list[str]:
    async with store.read() as tx:
        rows = [
            repr(tuple(row)) for table in ("orders", "order_rows") for row in await tx.all(f"SELECT * FROM {table}")
        ]
    return [word for word in words if any(word in row for row in rows)]
