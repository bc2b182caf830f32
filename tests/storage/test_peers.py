"""DIDs, invitations, connections, exchanges, inbox: who speaks with whom, once each."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from protocols.errors import WrongState
from protocols.keys import PublicKey, new_key
from protocols.multiformats import Multicodec, b58_encode
from storage import connections, dids, exchanges, inbox, invitations, keys, meta
from storage.dids import DidPurpose, DidState, OwnDid, OwnKey
from storage.engine import Store
from storage.exchanges import Filter
from storage.invitations import Invitation, InvitationState
from storage.secrets import Vault
from tests.storage.rows import NOW, add_key, add_peer, at, connection, exchange, key


def own(name: str, purpose: DidPurpose = DidPurpose.ISSUER, seconds: float = 0, short: str | None = None) -> OwnDid:
    return OwnDid(
        did=f"did:{name}",
        short_form=short,
        method="web",
        purpose=purpose,
        keys=(OwnKey("key-1", key("mine").verkey),),
        created=at(seconds),
    )


async def test_the_default_did_is_the_oldest_active_one(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        assert await dids.default(tx, DidPurpose.ISSUER) is None
        for name, seconds in (("new", 2), ("old", 1)):
            await dids.add(tx, own(name, seconds=seconds))
        await dids.add(tx, own("holder", DidPurpose.HOLDER))
        assert await dids.default(tx, DidPurpose.ISSUER) == own("old", seconds=1)
        await dids.set_state(tx, "did:old", DidState.RETIRED)
        assert await dids.default(tx, DidPurpose.ISSUER) == own("new", seconds=2)
        assert [d.did for d in await dids.page(tx, purpose=DidPurpose.ISSUER)] == ["did:old", "did:new"]


async def test_a_chosen_did_is_the_default_until_another_is_chosen_or_it_is_retired(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        for name, seconds in (("old", 1), ("new", 2), ("newer", 3)):
            await dids.add(tx, own(name, seconds=seconds))
        for name in ("new", "newer"):
            await dids.choose(tx, own(name))
            chosen = await dids.default(tx, DidPurpose.ISSUER)
            assert chosen is not None and chosen.did == f"did:{name}"
        await dids.set_state(tx, "did:newer", DidState.RETIRED)
        assert await dids.default(tx, DidPurpose.ISSUER) == own("old", seconds=1)
        with pytest.raises(WrongState):
            await dids.choose(tx, own("other"))


async def test_a_did_has_its_keys_in_the_order_in_which_they_came(store: Store, vault: Vault) -> None:
    first, second = key("mine"), new_key(Multicodec.P384_PUB, os.urandom)
    async with store.write() as tx:
        for made in (second, first):
            await keys.add(tx, vault, made, "issuer", NOW)
        await dids.add(tx, own("web"))
        later = OwnKey("key-2", keys.verkey_of(second), second.codec)
        await dids.add_key(tx, "did:web", later)
        assert (await dids.get(tx, "did:web")).keys == (OwnKey("key-1", first.verkey), later)
        assert later.public == PublicKey(second.codec, second.public)
    with pytest.raises(WrongState):
        async with store.write() as tx:
            await dids.add_key(tx, "did:web", later)


async def test_a_did_is_found_by_either_form_and_kept_once_however_long_it_is(store: Store, vault: Vault) -> None:
    short = "peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd"
    long = f"{short}:z{b58_encode(os.urandom(4000))}"  # longer than a key of an index may be
    made = own(long, short=f"did:{short}")
    async with store.write() as tx:
        await add_key(tx, vault)
        await dids.add(tx, made)
        assert await dids.get(tx, f"did:{short}") == made == await dids.get(tx, f"did:{long}")
        assert await dids.default(tx, DidPurpose.ISSUER) == made
        assert await dids.find(tx, f"did:{long}x") is None
        assert await dids.find(tx, "did:other") is None
        with pytest.raises(WrongState) as caught:
            await dids.add(tx, made)
        assert caught.value.code == "did.exists"
        with pytest.raises(WrongState):
            await dids.set_state(tx, "did:other", DidState.RETIRED)


async def test_nothing_refers_to_a_key_that_is_not_kept(store: Store) -> None:
    with pytest.raises(WrongState) as caught:
        async with store.write() as tx:
            await dids.add(tx, own("x"))
    assert caught.value.code == "store.conflict"
    async with store.read() as tx:
        assert await dids.page(tx) == []


def invitation(**changes: Any) -> Invitation:
    base = Invitation(
        id="inv", message=b'{ "@id" : "inv" }', verkey=key("mine").verkey, multi_use=False, created=NOW, expires=at(60)
    )
    return replace(base, **changes)


async def test_a_single_use_invitation_lets_one_in_however_many_come(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await invitations.add(tx, invitation())

    async def use() -> bool:
        async with store.write() as tx:
            return await invitations.mark_used(tx, "inv", at(1))

    assert sorted(await asyncio.gather(*(use() for _ in range(10)))) == [False] * 9 + [True]
    async with store.read() as tx:
        assert await invitations.get(tx, "inv") == invitation(state=InvitationState.USED)


@pytest.mark.parametrize(
    ("changes", "seconds", "closed", "admitted"),
    [
        ({"multi_use": True}, 1, False, [True, True]),
        ({"multi_use": True}, 60, False, [False, False]),
        ({"multi_use": True, "expires": None}, 10**9, False, [True, True]),
        ({"multi_use": True}, 1, True, [False, False]),
        ({}, 1, False, [True, False]),
        ({}, 61, False, [False, False]),
    ],
)
async def test_an_invitation_admits_while_it_is_open(
    store: Store, vault: Vault, changes: dict[str, Any], seconds: float, closed: bool, admitted: list[bool]
) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await invitations.add(tx, invitation(**changes))
        if closed:
            await invitations.close(tx, "inv")
        assert [await invitations.mark_used(tx, "inv", at(seconds)) for _ in range(2)] == admitted
        assert not await invitations.mark_used(tx, "other", at(seconds))
        with pytest.raises(WrongState) as caught:
            await invitations.get(tx, "other")
        assert caught.value.code == "invitation.unknown"


async def test_a_connection_comes_back_whole(store: Store, vault: Vault) -> None:
    full = connection(
        their_did="did:peer:4them",
        their_verkey=key("theirs").verkey,
        their_label="Ünïversity",
        their_endpoint="https://them.example",
        their_routing_keys=("r1", "r2"),
        invitation_id="inv",
    )
    async with store.write() as tx:
        await add_peer(tx, vault)
        await connections.save(tx, full)
    async with store.read() as tx:
        assert await connections.get(tx, "c1") == full
        assert await connections.find_by_verkeys(tx, key("mine").verkey, key("theirs").verkey) == full
        assert await connections.find_by_verkeys(tx, key("theirs").verkey, key("mine").verkey) is None
        assert await connections.find_by_thid(tx, "thread-c1", role="requester") == full
        assert await connections.find_by_thid(tx, "thread-c1", role="responder") is None
        assert await connections.find_by_invitation(tx, "inv") == [full]
        assert await connections.find_by_label(tx, "ÜNÏVERSITY") == [full]


@pytest.mark.parametrize(
    "twin",
    [
        connection("c1", thid="other"),
        connection("c2", their_verkey=key("theirs").verkey),
        connection("c2", thid="thread-c1"),
    ],
    ids=["id", "keys", "thread"],
)
async def test_a_connection_is_made_once(store: Store, vault: Vault, twin: connections.Connection) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await connections.add(tx, connection(their_verkey=key("theirs").verkey))
        with pytest.raises(WrongState) as caught:
            await connections.add(tx, twin)
        assert caught.value.code == "connection.exists"
        assert len(await connections.page(tx)) == 1


async def test_keys_of_one_connection_cannot_be_saved_into_another(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await connections.add(tx, connection(their_verkey=key("theirs").verkey))
        await connections.add(tx, connection("c2"))
    with pytest.raises(WrongState) as caught:
        async with store.write() as tx:
            await connections.save(tx, connection("c2", their_verkey=key("theirs").verkey))
    assert caught.value.code == "store.conflict"


async def test_a_snapshot_brings_no_connection_back_into_memory(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        (peer,) = await connections.page(tx)
    assert connections._kept.cache_info().currsize
    async with store.read() as before:
        assert await connections.find(before, peer.id) == peer
        async with store.write() as tx:
            await tx.execute("DELETE FROM connections WHERE id = ?", (peer.id,))
        connections.forget_opened()
        assert await connections.find(before, peer.id) == peer
    assert connections._kept.cache_info().currsize == 0


async def test_a_node_may_connect_with_itself(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await add_key(tx, vault, "other")
        await connections.add(tx, connection("c1", thid="t"))
        await connections.add(tx, connection("c2", key("other").verkey, thid="t", role="responder"))
        found = await connections.find_by_thid(tx, "t", role="responder")
    assert found is not None
    assert found.id == "c2"


async def test_a_short_id_finds_what_starts_so_and_nothing_by_wildcards(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        for name in ("abc1", "abd2", "x_y", "xzy"):
            await connections.add(tx, connection(name))
        found = {
            prefix: [c.id for c in await connections.find_by_prefix(tx, prefix)]
            for prefix in ("ab", "abc", "x_", "%", "_")
        }
    assert found == {"ab": ["abc1", "abd2"], "abc": ["abc1"], "x_": ["x_y"], "%": [], "_": []}


async def test_pages_neither_repeat_nor_skip_while_rows_arrive(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        for number in range(10):
            # Several at one moment: the id decides between them.
            await exchanges.insert(tx, exchange(f"e{number}", created=at(number // 3)))
        seen: list[str] = []
        after = None
        while page := await exchanges.page(tx, after=after, limit=3):
            seen += [row.id for row in page]
            after = seen[-1]
            await exchanges.insert(tx, exchange(f"new{len(seen)}", created=at(100)))
        assert seen == [f"e{number}" for number in reversed(range(10))]
        assert await exchanges.page(tx, after="no such id") == []


async def test_an_exchange_is_found_by_its_peer_thread_and_protocol_only(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        await connections.add(tx, connection("c2"))
        row = exchange(thid="t")
        await exchanges.insert(tx, row)
        assert await exchanges.find(tx, "c1", "t", row.protocol) == row
        assert await exchanges.find(tx, "c2", "t", row.protocol) is None
        assert await exchanges.find(tx, "c1", "t", "https://didcomm.org/present-proof/2") is None
        with pytest.raises(WrongState) as caught:
            await exchanges.insert(tx, exchange("e2", thid="t"))
        assert caught.value.code == "exchange.exists"
        await exchanges.insert(tx, exchange("e3", thid="t", connection_id="c2"))


async def test_an_exchange_is_saved_only_by_who_read_it_last(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        await exchanges.insert(tx, exchange())
        read = await exchanges.get(tx, "e1")
        saved = await exchanges.save(tx, replace(read, state="done", data=b"{}", updated=at(5)))
        assert saved == await exchanges.get(tx, "e1")
        assert saved.version == 2
        with pytest.raises(WrongState) as caught:
            await exchanges.save(tx, replace(read, state="abandoned"))
        assert caught.value.code == "exchange.changed"
        assert (await exchanges.get(tx, "e1")).state == "done"
        with pytest.raises(WrongState) as caught:
            await exchanges.save(tx, exchange("e9"))
        assert caught.value.code == "exchange.unknown"


async def test_of_tasks_that_save_one_version_one_succeeds(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        await exchanges.insert(tx, exchange())
    async with store.read() as tx:
        read = await exchanges.get(tx, "e1")

    async def save(number: int) -> None:
        async with store.write() as tx:
            await exchanges.save(tx, replace(read, state=str(number)))

    results = await asyncio.gather(*(save(number) for number in range(8)), return_exceptions=True)
    assert [type(result) for result in results].count(type(None)) == 1


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (Filter(), {"a", "b", "c"}),
        (Filter(state="done"), {"c"}),
        (Filter(waiting=True), {"a", "b"}),
        (Filter(waiting_for="accept-offer"), {"a"}),
        (Filter(role="holder"), {"a"}),
        (Filter(protocol="p2", state="done"), set()),
        (Filter(connection_id="c1"), {"a", "b", "c"}),
        (Filter(connection_id="c2"), set()),
    ],
)
async def test_exchanges_are_filtered_and_counted(
    store: Store, vault: Vault, which: Filter, expected: set[str]
) -> None:
    async with store.write() as tx:
        await add_peer(tx, vault)
        await exchanges.insert(tx, exchange("a", role="holder", waiting_for="accept-offer"))
        await exchanges.insert(tx, exchange("b", protocol="p2", waiting_for="share-records"))
        await exchanges.insert(tx, exchange("c", state="done", error_code="x.y"))
        assert {row.id for row in await exchanges.page(tx, which)} == expected
        assert await exchanges.count(tx, which) == len(expected)


async def test_a_message_is_new_once_for_each_sender(store: Store) -> None:
    async with store.write() as tx:
        assert not await inbox.seen(tx, "alice", "m1", NOW)
        assert await inbox.seen(tx, "alice", "m1", at(5))
        assert not await inbox.seen(tx, "bob", "m1", NOW)
        assert not await inbox.seen(tx, "alice", "m2", at(10))
        assert await inbox.prune(tx, at(10)) == 2
        assert await inbox.seen(tx, "alice", "m2", at(11))


async def test_processes_whose_clocks_differ_a_little_let_a_repeated_message_be_answered_once(store: Store) -> None:
    pause = timedelta(seconds=60)
    async with store.write() as tx:
        await inbox.seen(tx, "alice", "m1", at(0))
        taken = [await inbox.take_repeat(tx, "alice", "m1", at(second), pause) for second in (61, 60, 59, 62, 3, 122)]
        assert taken == [True, False, False, False, False, True]
        # A clock that was far ahead keeps nobody from being answered.
        assert await inbox.take_repeat(tx, "alice", "m1", at(9999), pause)
        assert await inbox.take_repeat(tx, "alice", "m1", at(130), pause)


@pytest.mark.parametrize("hostile", ["x" * 1_000_000, "nul \0", "\ud800", "'; DROP TABLE inbox; --", ""])
async def test_any_message_id_can_be_remembered(store: Store, hostile: str) -> None:
    async with store.write() as tx:
        assert [await inbox.seen(tx, "alice", hostile, NOW) for _ in range(2)] == [False, True]


async def test_of_copies_that_arrive_together_one_is_new(store: Store) -> None:
    async def receive() -> bool:
        async with store.write() as tx:
            return await inbox.seen(tx, "alice", "m1", NOW)

    assert sorted(await asyncio.gather(*(receive() for _ in range(20)))) == [False] + [True] * 19


async def test_a_message_whose_work_failed_is_new_again(store: Store) -> None:
    with pytest.raises(KeyError):
        async with store.write() as tx:
            await inbox.seen(tx, "alice", "m1", NOW)
            raise KeyError
    async with store.write() as tx:
        assert not await inbox.seen(tx, "alice", "m1", NOW)


async def test_a_setting_is_kept_replaced_and_forgotten(store: Store) -> None:
    async with store.write() as tx:
        assert await meta.get(tx, "label") is None
        await meta.put(tx, "label", "old")
        await meta.put(tx, "label", "new")
        assert await meta.get(tx, "label") == "new"
        await meta.delete(tx, "label")
        assert await meta.get(tx, "label") is None
