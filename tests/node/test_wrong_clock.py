"""Status lists that an issuer signed while its clock was ahead are good again soon after the clock is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from node.app import Node
from node.roles.issuer import Award
from node.runtime.world import World
from protocols import strict_json
from protocols.multiformats import b64url_decode
from storage import status_lists
from storage.engine import Transaction
from tests.node.nodes import WELDING, Clock, Nodes, eventually

PURPOSES = {"revocation", "suspension", status_lists.STATUS_LIST}


def signed_at(document: bytes) -> datetime:
    """When a list says that it was signed, as a credential or as a token."""
    if document.startswith(b"{"):
        return datetime.fromisoformat(strict_json.loads_object(document)["validFrom"])
    claims: dict[str, Any] = strict_json.loads_object(b64url_decode(document.decode().split(".")[1]))
    return datetime.fromtimestamp(claims["iat"], UTC)


async def lists(node: Node) -> dict[str, tuple[datetime, int]]:
    """When each published list says that it was signed, and its version."""
    async with node.store.read() as tx:
        return await _lists(tx)


async def _lists(tx: Transaction) -> dict[str, tuple[datetime, int]]:
    found = {}
    for each in await status_lists.page(tx):
        published = await status_lists.get_published(tx, each.id)
        assert published is not None
        found[each.terms.purpose] = signed_at(published.document), published.version
    return found


async def test_lists_of_a_clock_that_was_ahead_are_signed_again_once_it_is_right(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), verify={"clock_skew_seconds": 60})
    clock.advance(hours=2)
    record = await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    await college.issuer.set_status(record.id, "revocation", True, None)
    async with college.store.write() as tx:  # and a list of the other kind
        await college.publisher.allocate(tx, ["a token"], [status_lists.STATUS_LIST])
    clock.advance(hours=-2)
    wrong = await lists(college)
    assert set(wrong) == PURPOSES
    assert all(at > clock() + timedelta(hours=1) for at, _ in wrong.values())
    await nodes.stop(college)
    college = await nodes.again(college)  # which looks at once; one that runs does within a minute

    async def right(tx: Transaction) -> dict[str, tuple[datetime, int]] | None:
        found = await _lists(tx)
        return found if all(at <= clock() for at, _ in found.values()) else None

    mended = await eventually(college, right)
    assert all(mended[purpose][1] > wrong[purpose][1] for purpose in PURPOSES)
    async with college.store.read() as tx:
        (status, *_) = await college.publisher.said(tx, record.statuses)
    assert (status.purpose, status.value) == ("revocation", 1)


async def test_lists_of_a_clock_that_differs_as_clocks_do_stay_as_they_are(nodes: Nodes) -> None:
    clock = Clock()
    college = await nodes.make("college", issuer=True, world=World(clock=clock), verify={"clock_skew_seconds": 3600})
    clock.advance(minutes=30)
    await college.issuer.issue(Award(achievement_id=WELDING, email="ada@example.org"))
    clock.advance(minutes=-30)
    before = await lists(college)
    async with college.store.read() as tx:
        assert not await status_lists.is_signed_after(tx, clock() + timedelta(hours=1))
        assert await status_lists.is_signed_after(tx, clock() + timedelta(minutes=15))
    await nodes.stop(college)
    assert await lists(await nodes.again(college)) == before
