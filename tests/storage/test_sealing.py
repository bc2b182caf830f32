"""Contents at rest: sealed to their place, found by keyed hash, and opened by nobody else."""

from __future__ import annotations

import copy
import os
import pickle

import pytest

from protocols.errors import BadInput, LernodeError, WrongState
from storage import connections, credentials
from storage.engine import Store
from storage.engines import open_store
from storage.sealing import Sealing
from storage.secrets import Vault
from tests.storage.rows import add_key, connection, held

COLUMN = "table.column"


@pytest.fixture
def sealing() -> Sealing:
    return Sealing(os.urandom(32), os.urandom)


@pytest.mark.parametrize("value", [b"", b"x", os.urandom(100_000)])
def test_a_value_comes_back_as_it_was(sealing: Sealing, value: bytes) -> None:
    assert sealing.open(COLUMN, "1", sealing.seal(COLUMN, "1", value)) == value


def test_nothing_stays_nothing(sealing: Sealing) -> None:
    assert sealing.seal(COLUMN, "1", None) is sealing.open(COLUMN, "1", None) is sealing.blind(COLUMN, None) is None


@pytest.mark.parametrize(("column", "row"), [(COLUMN, "2"), ("table.other", "1"), (COLUMN, ""), ("table", "column1")])
def test_a_value_opens_in_its_own_place_only(sealing: Sealing, column: str, row: str) -> None:
    sealed = sealing.seal(COLUMN, "1", b"value")
    with pytest.raises(LernodeError) as caught:
        sealing.open(column, row, sealed)
    assert caught.value.code == "store.content_altered"


def test_no_bit_can_be_changed(sealing: Sealing) -> None:
    sealed = sealing.seal(COLUMN, "1", b"value")
    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(LernodeError):
            sealing.open(COLUMN, "1", bytes(altered))


@pytest.mark.parametrize("garbage", [b"", b"\x01", bytes(40), b"\x01" * 200])
def test_garbage_is_refused(sealing: Sealing, garbage: bytes) -> None:
    with pytest.raises(LernodeError) as caught:
        sealing.open(COLUMN, "1", garbage)
    assert caught.value.code == "store.content_altered"


def test_another_vault_opens_nothing_and_finds_nothing(sealing: Sealing) -> None:
    other = Sealing(os.urandom(32), os.urandom)
    with pytest.raises(LernodeError):
        other.open(COLUMN, "1", sealing.seal(COLUMN, "1", b"value"))
    assert other.blind(COLUMN, "value") != sealing.blind(COLUMN, "value")


def test_the_same_value_is_sealed_differently_each_time_and_found_by_one_hash(sealing: Sealing) -> None:
    assert sealing.seal(COLUMN, "1", b"value") != sealing.seal(COLUMN, "1", b"value")
    assert sealing.blind(COLUMN, "value") == sealing.blind(COLUMN, "value")
    assert sealing.blind(COLUMN, "value") != sealing.blind("table.other", "value")


def test_half_a_character_is_refused(sealing: Sealing) -> None:
    with pytest.raises(BadInput) as caught:
        sealing.seal(COLUMN, "1", "\ud800")
    assert caught.value.code == "store.value_refused"


def test_its_keys_are_shown_to_nobody(sealing: Sealing) -> None:
    assert repr(sealing) == str(sealing) == "Sealing()"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(sealing)


async def test_a_locked_store_gives_no_contents(store: Store, place: str) -> None:
    locked = await open_store(place)
    async with locked.read() as tx:
        with pytest.raises(WrongState) as caught:
            await credentials.find_held(tx, "urn:uuid:h1")
    assert caught.value.code == "store.locked"
    await locked.close()


async def test_the_record_of_another_row_is_never_served(store: Store) -> None:
    async with store.write() as tx:
        await credentials.add_held(tx, held("h1"))
        await credentials.add_held(tx, held("h2"))
        await tx.execute(
            "UPDATE held_credentials SET document = (SELECT document FROM held_credentials WHERE id = 'h1')"
        )
    async with store.read() as tx:
        assert (await credentials.get_held(tx, "h1")).id == "h1"
        with pytest.raises(LernodeError) as caught:
            await credentials.get_held(tx, "h2")
    assert caught.value.code == "store.content_altered"


async def test_a_peer_is_found_by_its_label_in_any_letter_case(store: Store, vault: Vault) -> None:
    async with store.write() as tx:
        await add_key(tx, vault)
        await connections.add(tx, connection("c1", their_label="Ada Straße", their_did="did:peer:4a"))
        assert [c.id for c in await connections.find_by_label(tx, "ADA STRASSE")] == ["c1"]
        assert await connections.find_by_label(tx, "ada") == []
