"""Apps in the store, on either engine: found by what they know, and gone with all that hangs on them."""

from __future__ import annotations

from datetime import timedelta

from storage import apps, own_profile
from storage.apps import Client, Grant, RequestState, TokenKind
from storage.engine import Store
from storage.invariants import check
from tests.storage.rows import NOW

LATER = NOW + timedelta(minutes=10)


async def fill(store: Store) -> None:
    async with store.write() as tx:
        for name in ("c1", "c2", "c3"):
            await apps.add_client(tx, Client(id=name, details={"name": name}, created=NOW), "secret")
        await apps.add_request(tx, "ASKED", "c1", {"state": "s"}, "browser", now=NOW, expires=LATER)
        await apps.add_grant(tx, Grant(id="g1", client_id="c1", details={"scopes": ["a"]}, created=NOW))
        await apps.set_granted(tx, "c1", NOW)
        await apps.add_token(tx, "access", "g1", TokenKind.ACCESS, "a", LATER)
        await apps.add_token(tx, "refresh", "g1", TokenKind.REFRESH, "a", LATER)
        await own_profile.put(tx, b'{"name":"A"}', NOW)
        await own_profile.put(tx, b'{"name":"B"}', LATER)


async def test_what_is_kept_is_found_by_who_knows_it(store: Store) -> None:
    await fill(store)
    async with store.write() as tx:
        assert await apps.is_secret(tx, "c1", "secret")
        assert not await apps.is_secret(tx, "c1", "other")
        request = await apps.find_request(tx, "ASKED", NOW)
        assert request is not None
        assert (request.is_shown_by(tx, "browser"), request.is_shown_by(tx, "")) == (True, False)
        assert not request.is_confirmed_by(tx, "")
        await apps.save_request(tx, request, code="CODE")
        found = await apps.find_request(tx, "ASKED", NOW)
        assert found is not None
        assert (found.is_confirmed_by(tx, "CODE"), found.state) == (True, RequestState.WAITING)
        assert await apps.find_request(tx, "ASKED", LATER) is None
        token = await apps.find_token(tx, "refresh")
        assert token is not None
        await apps.spend(tx, token, NOW)
        assert [each.id for each in await apps.used_clients(tx)] == ["c1"]
        assert [each.id for each in await apps.naming(tx, lambda text: b"c2" in text)] == ["c2"]
    async with store.read() as tx:
        spent = await apps.find_token(tx, "refresh")
        assert spent is not None
        assert spent.spent == NOW
        assert await own_profile.find(tx) == b'{"name":"B"}'
        assert [broken async for broken in check(tx)] == []


async def test_the_oldest_that_were_never_let_in_give_way(store: Store) -> None:
    await fill(store)
    async with store.write() as tx:
        await apps.evict(tx, 1)
        assert {name for name in ("c1", "c2", "c3") if await apps.find_client(tx, name)} >= {"c1"}
        await apps.evict(tx, 0)
        assert [name for name in ("c1", "c2", "c3") if await apps.find_client(tx, name)] == ["c1"]


async def test_an_app_goes_with_all_that_hangs_on_it(store: Store) -> None:
    await fill(store)
    async with store.write() as tx:
        await apps.remove_client(tx, "c1")
        for table in ("app_requests", "app_grants", "app_tokens"):
            assert await tx.all(f"SELECT * FROM {table}") == []


async def test_what_is_over_goes_and_who_was_let_in_stays(store: Store) -> None:
    await fill(store)
    async with store.write() as tx:
        assert await apps.prune(tx, LATER, LATER) == 6  # a request, two tokens, a grant, two apps
        assert await apps.find_client(tx, "c1") is not None
        assert await apps.grants_of(tx, "c1") == []
